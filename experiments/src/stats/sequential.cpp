// SPDX-License-Identifier: Apache-2.0
#include "stats/sequential.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

namespace paribus::stats {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kFortune = 1e200;  // nobody needs a p below 1 over it

/// Stakes against a difference of the size that is usual so far. Equal shares of the unit go on
/// each: the first finds effects of half a standard deviation, the last bets all on the sign.
constexpr std::array kStrengths{0.5, 1.5, 4.5, 16.0};

/// What is bet on a difference of `ratio` usual sizes: between -1 and 1, and odd, so fair.
double stake(double strength, double ratio) {
  const double x = strength * ratio;
  return x / std::sqrt(1 + x * x);
}

/// Two gamblers on the signs of d - middle: one for positive, one for negative effects.
class SignBets {
 public:
  explicit SignBets(double middle) : middle_(middle) { up_.fill(1), down_.fill(1); }

  void add(double difference) {
    const double d = difference - middle_;
    squares_ += d * d;
    ++n_;
    if (squares_ == 0) return;
    const double ratio = d / std::sqrt(squares_ / n_);
    double up = 0, down = 0;
    for (std::size_t i = 0; i < kStrengths.size(); ++i) {
      const double bet = stake(kStrengths[i], ratio);
      up += up_[i] *= 1 + bet;
      down += down_[i] *= 1 - bet;
    }
    most_up_ = std::max(most_up_, up / kStrengths.size());
    most_down_ = std::max(most_down_, down / kStrengths.size());
  }

  [[nodiscard]] double most_up() const { return most_up_; }
  [[nodiscard]] double most_down() const { return most_down_; }

 private:
  double middle_, squares_ = 0, n_ = 0, most_up_ = 1, most_down_ = 1;
  std::array<double, kStrengths.size()> up_, down_;
};

/// Whether the gambler for effects above `middle` ever owns `bar`.
bool is_too_low(const std::vector<double>& differences, double middle, double bar) {
  SignBets bets(middle);
  for (const double d : differences) {
    bets.add(d);
    if (bets.most_up() >= bar) return true;
  }
  return false;
}

/// The least value that is not too low. What is far below is known to be; a value in between may
/// be too low though one below it isn't, so the search comes from outside.
double lower_end(const std::vector<double>& differences, double bar) {
  const auto [least, most] = std::minmax_element(differences.begin(), differences.end());
  const double span = *most > *least ? *most - *least : std::max(std::abs(*least), 1e-300);
  constexpr int kOutside = 12, kInside = 24;
  double out = -kInfinity, in = *most;
  for (int step = 0; step <= kOutside + kInside; ++step) {
    const double value = step < kOutside
                             ? *least - std::ldexp(span, 2 * (kOutside - step) - 4)
                             : *least + span * (step - kOutside) / static_cast<double>(kInside);
    if (!is_too_low(differences, value, bar)) {
      in = value;
      break;
    }
    out = value;
  }
  if (std::isinf(out)) return out;
  for (int round = 0; round < 60 && out < in; ++round) {
    const double middle = out + (in - out) / 2;
    if (middle <= out || middle >= in) break;
    (is_too_low(differences, middle, bar) ? out : in) = middle;
  }
  return out;
}

Anytime sign_bets(const std::vector<double>& differences, double alpha, bool interval) {
  SignBets bets(0);
  for (const double d : differences) {
    bets.add(d);
    if (std::max(bets.most_up(), bets.most_down()) > kFortune) break;
  }
  Anytime result{.low = kNaN, .high = kNaN};
  const double most = std::max(bets.most_up(), bets.most_down());
  result.p = std::min(1.0, 2 / most);  // two gamblers had a try
  if (most > 1) result.sign = bets.most_up() >= bets.most_down() ? 1 : -1;
  if (!interval) return result;
  std::vector<double> mirrored(differences);
  for (double& d : mirrored) d = -d;
  result.low = differences.empty() ? -kInfinity : lower_end(differences, 2 / alpha);
  result.high = differences.empty() ? kInfinity : -lower_end(mirrored, 2 / alpha);
  return result;
}

/// Variance of the effect, in standard deviations, that the t-test's bets expect.
constexpr double kEffect = 1;

/// One look of the t-test: n differences, their mean and sum of squares about it.
struct Look {
  double n = 0, mean = 0, squares = 0;

  void add(double d) {
    n += 1;
    const double off = d - mean;
    mean += off / n;
    squares += off * (d - mean);
  }
  /// The Bayes factor of N(0, kEffect) against no effect, under Haar's prior of the variance.
  [[nodiscard]] double wealth() const {
    if (n < 2 || mean == 0) return 1 / std::sqrt(n < 2 ? 1 : 1 + n * kEffect);
    const double spread = 1 + n * kEffect, signal = n * mean * mean;
    return std::pow((squares + signal) / (squares + signal / spread), n / 2) / std::sqrt(spread);
  }
  /// Half the width of the interval that a fortune of 1 / alpha leaves.
  [[nodiscard]] double reach(double alpha) const {
    const double spread = 1 + n * kEffect;
    const double a = std::pow(std::sqrt(spread) / alpha, 2 / n);
    return n < 2 || a >= spread ? kInfinity : std::sqrt(squares / n * (a - 1) / (1 - a / spread));
  }
};

Anytime t_test(const std::vector<double>& differences, double alpha) {
  Anytime result{.low = -kInfinity, .high = kInfinity};
  Look look;
  double most = 1;
  const bool equal = std::adjacent_find(differences.begin(), differences.end(),
                                        std::not_equal_to<>()) == differences.end();
  for (const double d : differences) {
    look.add(d);
    if (equal) look.mean = d, look.squares = 0;  // in spite of rounding
    if (const double wealth = look.wealth(); wealth > most) {
      most = wealth;
      result.sign = look.mean > 0 ? 1 : -1;
    }
    const double reach = look.reach(alpha);
    const double low = std::max(result.low, look.mean - reach);
    const double high = std::min(result.high, look.mean + reach);
    if (low <= high) result.low = low, result.high = high;
  }
  result.p = std::min(1.0, 1 / most);
  return result;
}

}  // namespace

Anytime anytime(const std::vector<double>& differences, std::string_view test, double alpha,
                bool interval) {
  double most = 0;
  for (const double d : differences) most = std::max(most, std::abs(d));
  std::vector<double> scaled(differences);  // squares of what a double holds may be beyond it
  if (most > 0) {
    for (double& d : scaled) d /= most;
  }
  Anytime result = test == "t" ? t_test(scaled, alpha) : sign_bets(scaled, alpha, interval);
  result.low *= most > 0 ? most : 1;
  result.high *= most > 0 ? most : 1;
  if (most > 0 || differences.size() < anytime_pairs_needed(test, alpha)) return result;
  result.identical = true;
  result.low = result.high = 0;
  return result;
}

double smallest_anytime_p(std::string_view test, std::size_t n) {
  return anytime(std::vector<double>(n, 1.0), test, 0.5, false).p;
}

std::size_t anytime_pairs_needed(std::string_view test, double alpha, std::size_t comparisons) {
  constexpr std::size_t kMost = 1000;
  std::size_t n = 2;
  const double bar = alpha / static_cast<double>(std::max<std::size_t>(1, comparisons));
  while (n < kMost && smallest_anytime_p(test, n) > bar) ++n;
  return n;
}

}  // namespace paribus::stats
