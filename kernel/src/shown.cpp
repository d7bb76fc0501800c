// SPDX-License-Identifier: Apache-2.0
// What callbacks record that is more than a number.
#include <algorithm>
#include <cmath>
#include <limits>

#include "paribus/trainer.h"

namespace paribus {
namespace {

constexpr std::int64_t kMostBins = 4096, kLongestSide = 4096;
constexpr std::size_t kLongestName = 1024;

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

}  // namespace paribus
