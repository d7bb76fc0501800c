// SPDX-License-Identifier: Apache-2.0
#include "driver/plot.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "driver/meter.h"

namespace paribus::driver {

namespace {

constexpr int kMargin = 10;  // columns for the labels of y

struct Range {
  double low = 0, high = 0;

  [[nodiscard]] int cell(double value, int cells) const {
    if (high <= low) return 0;
    return std::clamp(static_cast<int>(std::lround((value - low) / (high - low) * (cells - 1))), 0,
                      cells - 1);
  }
};

Range range_of(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

}  // namespace

std::string log_plot(const std::vector<std::pair<double, double>>& points, double mark, int width,
                     int height) {
  std::vector<double> xs, ys;
  for (const auto& [x, y] : points) {
    if (!(x > 0) || !std::isfinite(x) || !std::isfinite(y)) continue;
    xs.push_back(std::log10(x));
    ys.push_back(y);
  }
  if (xs.empty()) return "";
  const int cells = std::max(width - kMargin, 8);
  height = std::max(height, 3);
  const Range across = range_of(xs);
  Range up = range_of(ys);
  // A loss that has run away would press the rest flat: what is above the start by half the fall is
  // cut.
  up.high = std::min(up.high, ys.front() + 0.5 * std::max(ys.front() - up.low, 1e-12));
  std::vector<std::string> rows(static_cast<std::size_t>(height),
                                std::string(static_cast<std::size_t>(cells), ' '));
  const bool marked = mark > 0 && std::isfinite(mark);
  if (marked) {
    for (std::string& row : rows)
      row[static_cast<std::size_t>(across.cell(std::log10(mark), cells))] = '|';
  }
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const int row = height - 1 - up.cell(std::min(ys[i], up.high), height);
    rows[static_cast<std::size_t>(row)][static_cast<std::size_t>(across.cell(xs[i], cells))] = '*';
  }
  std::string text;
  for (int row = 0; row < height; ++row) {
    const double level = up.high - (up.high - up.low) * row / (height - 1);
    const bool labelled = row == 0 || row == height - 1 || row == height / 2;
    std::string line = (labelled ? fmt::format("{:>8.3g} ", level) : std::string(9, ' ')) + "|" +
                       rows[static_cast<std::size_t>(row)];
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  const std::string left = fmt::format("{:.1e}", std::pow(10, across.low));
  const std::string right = fmt::format("{:.1e}", std::pow(10, across.high));
  text += std::string(9, ' ') + '+' + std::string(static_cast<std::size_t>(cells), '-') + '\n';
  text += std::string(kMargin, ' ') + padded(left, cells - columns(right)) + right + '\n';
  return text;
}

}  // namespace paribus::driver
