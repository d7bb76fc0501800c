// SPDX-License-Identifier: Apache-2.0
// What callbacks record that is more than a number.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "paribus/trainer.h"

namespace paribus {
namespace {

constexpr std::int64_t kMostBins = 4096, kLongestSide = 4096;
constexpr std::size_t kLongestName = 1024;
constexpr std::size_t kMostColumns = 100, kLongestColumnName = 256;
constexpr std::size_t kLargestTable = std::size_t{4} << 20;  // bytes

void check_name(std::string_view name) {
  if (!name.empty() && name.size() <= kLongestName) return;
  throw Error("what is recorded has a name of 1 to " + std::to_string(kLongestName) +
              " bytes, got " + std::to_string(name.size()));
}

/// Two passes: the ends, then the counts.
Histogram spread(const at::Tensor& values, std::int64_t bins) {
  const at::Tensor flat = values.detach().to(at::kCPU, at::kDouble).contiguous();
  const auto* const begin = flat.const_data_ptr<double>();
  const auto* const end = begin + flat.numel();
  Histogram out;
  out.low = std::numeric_limits<double>::infinity();
  out.high = -out.low;
  for (const double* at = begin; at != end; ++at) {
    if (!std::isfinite(*at)) {
      ++out.not_finite;
      continue;
    }
    out.low = std::min(out.low, *at), out.high = std::max(out.high, *at);
    out.sum += *at, out.squares += *at * *at;
  }
  if (out.low > out.high) out.low = out.high = 0;
  out.counts.assign(static_cast<std::size_t>(bins), 0);
  const double width = out.high - out.low;  // infinite only between the ends of what a double holds
  const double scale = width > 0 && std::isfinite(width) ? static_cast<double>(bins) / width : 0;
  for (const double* at = begin; at != end; ++at) {
    if (!std::isfinite(*at)) continue;
    const double place = std::isfinite(scale) ? (*at - out.low) * scale : 0;
    ++out.counts[static_cast<std::size_t>(std::min(place, static_cast<double>(bins - 1)))];
  }
  return out;
}

std::size_t rows_of(const Column& column) {
  return std::visit([](const auto& values) { return values.size(); }, column.values);
}

/// In results.h5, where each text takes the room of the longest.
std::size_t bytes_of(const Column& column) {
  std::size_t each = sizeof(double);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&column.values)) {
    for (const std::string& text : *texts) each = std::max(each, text.size());
  }
  return rows_of(column) * each;
}

void check_columns(std::string_view name, const Columns& columns) {
  const auto fail = [name](const std::string& why) {
    throw Error("table '" + std::string(name) + "': " + why);
  };
  if (columns.empty() || columns.size() > kMostColumns) {
    fail("has 1 to " + std::to_string(kMostColumns) + " columns, got " +
         std::to_string(columns.size()));
  }
  std::set<std::string_view> names;
  std::size_t bytes = 0;
  for (const Column& column : columns) {
    const bool is_name = !column.name.empty() && column.name.size() <= kLongestColumnName &&
                         column.name.find('\0') == std::string::npos;
    if (!is_name) {
      fail("a column has a name of 1 to " + std::to_string(kLongestColumnName) +
           " bytes other than NUL");
    }
    if (!names.insert(column.name).second) fail("has two columns '" + column.name + "'");
    if (rows_of(column) != rows_of(columns.front())) {
      fail("column '" + column.name + "' has " + std::to_string(rows_of(column)) +
           " rows, expected as many as '" + columns.front().name +
           "': " + std::to_string(rows_of(columns.front())));
    }
    bytes += bytes_of(column);
  }
  if (bytes > kLargestTable) {
    fail("has " + std::to_string(bytes) + " bytes, at most " + std::to_string(kLargestTable) +
         " are kept; leave rows out");
  }
}

}  // namespace

/// Losses that are still on the device come first: a journal has its steps in their order.
void Trainer::put_histogram(std::string_view name, const at::Tensor& values, std::int64_t bins) {
  check_name(name);
  if (bins < 1 || bins > kMostBins || !values.defined() || values.is_complex())
    throw Error("histogram '" + std::string(name) + "': wants a tensor of real numbers and 1 to " +
                std::to_string(kMostBins) + " bins, got " + std::to_string(bins));
  drain_losses();
  recorder_.histogram(name, fit_.step, spread(values, bins));
}

void Trainer::put_picture(std::string_view name, const at::Tensor& pixels) {
  check_name(name);
  const bool is_bytes = pixels.defined() && pixels.scalar_type() == at::kByte;
  const bool has_form =
      is_bytes && (pixels.dim() == 2 || (pixels.dim() == 3 && pixels.size(2) == 3));
  if (!has_form || pixels.numel() == 0 || std::max(pixels.size(0), pixels.size(1)) > kLongestSide) {
    throw Error("picture '" + std::string(name) + "': wants a uint8 tensor H W or H W 3 of 1 to " +
                std::to_string(kLongestSide) + " points a side");
  }
  drain_losses();
  const at::Tensor own = pixels.detach().cpu().contiguous();
  const auto* bytes = reinterpret_cast<const char*>(own.const_data_ptr<std::uint8_t>());
  recorder_.picture(name, fit_.step,
                    {own.size(0),
                     own.size(1),
                     own.dim() == 3 ? 3 : 1,
                     {bytes, static_cast<std::size_t>(own.numel())}});
}

void Trainer::put_table(std::string_view name, const Columns& columns) {
  check_name(name);
  check_columns(name, columns);
  drain_losses();
  recorder_.table(name, fit_.step, columns);
}

}  // namespace paribus
