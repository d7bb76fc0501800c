// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "paribus/search/told.h"

// Rungs of epochs: what successive halving, Hyperband and ASHA share.

namespace paribus::search {

/// How often `epochs` can be divided by `reduction` without falling below `min_epochs`.
inline std::int64_t divisions(std::int64_t epochs, std::int64_t min_epochs,
                              std::int64_t reduction) {
  std::int64_t count = 0;
  for (std::int64_t most = epochs / reduction; most >= min_epochs; most /= reduction) ++count;
  return count;
}

/// epochs / reduction^count, ..., epochs / reduction, epochs, rounded to whole epochs.
inline std::vector<std::int64_t> rungs(std::int64_t epochs, std::int64_t reduction,
                                       std::int64_t count) {
  std::vector<std::int64_t> result;
  std::int64_t divisor = 1;
  for (std::int64_t k = 0; k <= count; ++k, divisor *= reduction)
    result.push_back((epochs + divisor / 2) / divisor);
  std::reverse(result.begin(), result.end());
  return result;
}

/// Throws Error in the name of `who` unless there are two rungs at least.
inline void check_rungs(const std::string& who, std::int64_t epochs, std::int64_t min_epochs,
                        std::int64_t reduction) {
  if (divisions(epochs, min_epochs, reduction) > 0) return;
  throw Error(who + ": nothing can be stopped early: train.epochs is " + std::to_string(epochs) +
              ", expected at least min_epochs * reduction = " +
              std::to_string(min_epochs * reduction) + "; train longer, or lower one of these");
}

/// Throws Error in the name of `who` where so few points begin that none is trained to the end.
inline void check_points(const std::string& who, std::int64_t points,
                         const std::vector<std::int64_t>& rungs, std::int64_t reduction) {
  std::int64_t needed = 1;
  for (std::size_t k = 1; k < rungs.size(); ++k) needed *= reduction;
  if (points >= needed) return;
  throw Error(who + ": none of " + std::to_string(points) + " trials would be trained for all " +
              std::to_string(rungs.back()) + " epochs: one in " + std::to_string(needed) +
              " is; give at least " + std::to_string(needed) + " trials, or raise min_epochs");
}

/// Successive halving (Jamieson and Talwalkar 2016): all points train up to the first rung; when
/// the last of them has ended, the best 1 / reduction go on to the next rung, and so on.
class Bracket {
 public:
  Bracket(std::int64_t first, std::int64_t points, std::vector<std::int64_t> rungs,
          std::int64_t reduction)
      : first_(first), points_(points), epochs_(std::move(rungs)), reduction_(reduction) {
    rungs_.resize(epochs_.size());
    rungs_[0].size = points;
  }

  [[nodiscard]] bool has(std::int64_t point) const {
    return point >= first_ && point < first_ + points_;
  }

  void tell(const Event& event) {
    const auto k = static_cast<std::size_t>(
        std::find(epochs_.begin(), epochs_.end(), event.epochs) - epochs_.begin());
    Rung& rung = rungs_.at(k);
    if (!event.ended) {
      ++rung.begun;
      return;
    }
    rung.results.push_back({event.score, event.job.point});
    if (rung.results.size() == static_cast<std::size_t>(rung.size)) close(k);
  }

  /// What a free worker takes up here: a new point (none is named), an old one, or nothing before
  /// others end.
  struct Step {
    std::optional<std::int64_t> point;
    std::int64_t until = 0;
  };
  [[nodiscard]] std::optional<Step> next() const {
    if (rungs_[0].begun < points_) return Step{std::nullopt, epochs_[0]};
    for (std::size_t k = 1; k < rungs_.size(); ++k) {
      const Rung& rung = rungs_[k];
      if (rung.begun < rung.size)
        return Step{rung.chosen[static_cast<std::size_t>(rung.begun)], epochs_[k]};
    }
    return std::nullopt;
  }

 private:
  struct Rung {
    std::int64_t size = 0, begun = 0;  // points that get here; that have begun
    std::vector<std::int64_t> chosen;  // above the first: these, in this order
    std::vector<Result> results;
  };

  /// All results of rung k are there.
  void close(std::size_t k) {
    if (k + 1 == rungs_.size()) return;
    std::vector<Result>& results = rungs_[k].results;
    std::sort(results.begin(), results.end(), better);
    Rung& above = rungs_[k + 1];
    for (const Result& result : results) {
      // Of those that began, however many failed since: n_k = floor(n / reduction^k).
      if (above.size >= quota(k + 1) || std::isnan(result.score)) break;
      above.chosen.push_back(result.point);
      ++above.size;
    }
  }
  [[nodiscard]] std::int64_t quota(std::size_t k) const {
    std::int64_t quota = points_;
    for (; k > 0; --k) quota /= reduction_;
    return quota;
  }

  std::int64_t first_, points_;
  std::vector<std::int64_t> epochs_;
  std::int64_t reduction_;
  std::vector<Rung> rungs_;
};

}  // namespace paribus::search
