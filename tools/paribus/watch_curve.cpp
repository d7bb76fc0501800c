// SPDX-License-Identifier: Apache-2.0
#include "watch_curve.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "driver/meter.h"

namespace paribus {
namespace {

constexpr int kMargin = 11;  // columns for the labels of values and the axis

/// Dots that are on or off, drawn as characters of `across` x `down` dots each.
class Grid {
 public:
  Grid(int columns, int rows, bool ascii)
      : ascii_(ascii),
        across_(ascii ? 1 : 2),
        down_(ascii ? 1 : 4),
        width_(columns * across_),
        height_(rows * down_),
        dots_(static_cast<std::size_t>(width_ * height_)) {}

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }

  /// Row 0 is the lowest.
  void set(int x, int y) {
    if (x >= 0 && x < width_ && y >= 0 && y < height_) dots_[at(x, y)] = true;
  }
  void line(int x0, int y0, int x1, int y1) {
    const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i) set(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps);
  }
  /// Row 0 is the highest.
  [[nodiscard]] std::string row(int number) const {
    std::string text;
    for (int column = 0; column < width_ / across_; ++column) text += cell(column, number);
    return text;
  }

 private:
  [[nodiscard]] std::size_t at(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
           static_cast<std::size_t>(x);
  }
  [[nodiscard]] std::string cell(int column, int number) const {
    const int top = height_ - 1 - number * down_;
    if (ascii_) return dots_[at(column, top)] ? "*" : " ";
    constexpr std::array<std::array<int, 2>, 4> kBits = {
        {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
    int bits = 0;
    for (int down = 0; down < 4; ++down) {
      for (int across = 0; across < 2; ++across) {
        if (dots_[at(column * 2 + across, top - down)])
          bits |= kBits[static_cast<std::size_t>(down)][static_cast<std::size_t>(across)];
      }
    }
    if (bits == 0) return " ";
    const int code = 0x2800 + bits;  // as UTF-8
    return {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
            static_cast<char>(0x80 | (code & 0x3F))};
  }

  bool ascii_;
  int across_, down_, width_, height_;
  std::vector<bool> dots_;
};

/// Halves, so that the distance between the greatest and the least double is a number too.
struct Range {
  double low, high;

  [[nodiscard]] int cell(double value, int cells) const {
    const double whole = high / 2 - low / 2;
    const double part = whole > 0 ? (value / 2 - low / 2) / whole : 0.5;
    return static_cast<int>(std::lround(std::clamp(part, 0.0, 1.0) * (cells - 1)));
  }
};

}  // namespace

std::vector<std::string> curve_lines(const report::Thin& curve, double until, int width, int height,
                                     bool ascii) {
  const int columns = width - kMargin, rows = height - 2;
  if (curve.buckets.empty() || columns < 8 || rows < 2) return {};
  Range values{curve.buckets.front().least, curve.buckets.front().greatest};
  for (const report::Bucket& one : curve.buckets) {
    values.low = std::min(values.low, one.least);
    values.high = std::max(values.high, one.greatest);
  }
  const auto last = static_cast<double>(curve.buckets.back().last_step);
  const Range steps{0, std::max({last, until, 1.0})};
  Grid grid(columns, rows, ascii);
  int x_before = -1, y_before = 0;
  for (const report::Bucket& one : curve.buckets) {
    const auto at = [&](double step, double value) {
      return std::pair(steps.cell(step, grid.width()), values.cell(value, grid.height()));
    };
    const auto [x, y] = at(static_cast<double>(one.last_step), one.mean());
    const auto [low_x, low] = at(static_cast<double>(one.least_step), one.least);
    const auto [high_x, high] = at(static_cast<double>(one.greatest_step), one.greatest);
    if (x_before >= 0) grid.line(x_before, y_before, x, y);
    grid.set(x, y);
    grid.set(low_x, low);
    grid.set(high_x, high);
    x_before = x;
    y_before = y;
  }
  std::vector<std::string> lines;
  for (int row = 0; row < rows; ++row) {
    const double part = static_cast<double>(row) / (rows - 1);
    const double level = values.high * (1 - part) + values.low * part;
    const bool is_labelled = row == 0 || row == rows - 1 || row == rows / 2;
    lines.push_back((is_labelled ? fmt::format("{:>9.4g} ", level) : std::string(10, ' ')) +
                    (ascii ? "|" : "│") + grid.row(row));
  }
  std::string axis;
  for (int i = 0; i < columns; ++i) axis += ascii ? "-" : "─";
  lines.push_back(std::string(10, ' ') + (ascii ? "+" : "└") + axis);
  const std::string right = fmt::format("{:.0f}", steps.high);
  lines.push_back(std::string(kMargin, ' ') +
                  driver::padded("step 0", columns - static_cast<int>(right.size())) + right);
  return lines;
}

}  // namespace paribus
