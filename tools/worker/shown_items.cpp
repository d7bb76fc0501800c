// SPDX-License-Identifier: Apache-2.0
#include "shown_items.h"

#include <ATen/ops/tensor.h>

#include <algorithm>

#include "paribus/error.h"
#include "registry/base64.h"

namespace paribus::worker {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostNumbers = 4096;  // of an item that is no image
constexpr std::int64_t kMostBytes = 32 << 20;

std::string base64(const at::Tensor& bytes) {
  const at::Tensor data = bytes.contiguous();
  return registry::base64({reinterpret_cast<const char*>(data.const_data_ptr<std::uint8_t>()),
                           static_cast<std::size_t>(data.numel())});
}

/// The type, or the nearest of its parents that pictures know how to draw.
std::string_view known_name(const Type& type) {
  for (const Type* known : {&kMask, &kImage, &kCategory, &kPoints, &kRegression, &kBoxes}) {
    if (type.is(*known)) return known->name;
  }
  return type.name;
}

json with_bytes(const Typed& typed, const at::Tensor& bytes) {
  return {
      {"type", known_name(*typed.type)}, {"shape", bytes.sizes().vec()}, {"bytes", base64(bytes)}};
}

json with_numbers(const Typed& typed) {
  const at::Tensor data = typed.data.to(at::kDouble).contiguous();
  if (data.numel() > kMostNumbers * std::max<std::int64_t>(data.size(0), 1))
    throw Error("items of " + std::to_string(data.numel() / data.size(0)) +
                " numbers each; images are shown, and items of at most " +
                std::to_string(kMostNumbers) + " numbers");
  json numbers = json::array();
  for (std::int64_t i = 0; i < data.numel(); ++i)
    numbers.push_back(data.const_data_ptr<double>()[i]);
  return {{"type", known_name(*typed.type)},
          {"shape", data.sizes().vec()},
          {"numbers", std::move(numbers)}};
}

at::Tensor over_channels(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble).reshape({1, -1, 1, 1});
}

at::Tensor as_bytes(const at::Tensor& values) {
  return values.nan_to_num(0).round().clamp(0, 255).to(at::kByte);
}

/// From each image's least value to its greatest.
at::Tensor stretched(const at::Tensor& image) {
  const at::Tensor values = image.to(at::kDouble);
  const at::Tensor flat = values.flatten(1);
  const at::Tensor least = std::get<0>(flat.min(1)).reshape({-1, 1, 1, 1});
  const at::Tensor range = std::get<0>(flat.max(1)).reshape({-1, 1, 1, 1}).sub(least);
  return as_bytes(values.sub(least).div(range.clamp_min(1e-12)).mul(255));
}

/// One channel, or three.
at::Tensor shown_channels(const at::Tensor& image) {
  return image.size(1) == 3 ? image : image.narrow(1, 0, 1);
}

}  // namespace

/// From 0 to 255 where the data set delivers bytes. Null where the scale isn't known.
at::Tensor ShownItems::with_own_scale(const at::Tensor& image) const {
  const at::Tensor values = image.to(at::kDouble);
  const auto channels = static_cast<std::size_t>(image.size(1));
  const bool known = in_.mean.size() == channels && out_.mean.size() == channels &&
                     in_.std.size() == channels && out_.std.size() == channels;
  if (known && (in_.mean != out_.mean || in_.std != out_.std)) {
    const at::Tensor raw = values.sub(over_channels(out_.mean))
                               .div(over_channels(out_.std))
                               .mul(over_channels(in_.std))
                               .add(over_channels(in_.mean));
    return come_as_bytes_ ? raw : at::Tensor();
  }
  // Bytes that nothing normalized have been divided by 255 on the way (Pipeline::apply).
  return come_as_bytes_ && known ? values.mul(255) : at::Tensor();
}

json ShownItems::input_json(const Typed& input, bool& is_stretched) const {
  if (!input.type->is(kImage) || input.data.dim() != 4) return with_numbers(input);
  if (input.data.numel() > kMostBytes)
    throw Error("these images are too many and too large to show; --items takes fewer");
  const at::Tensor own = with_own_scale(input.data);
  is_stretched |= !own.defined();
  const at::Tensor bytes = own.defined() ? as_bytes(own) : stretched(input.data);
  return with_bytes(input, shown_channels(bytes));
}

json ShownItems::json_of(const Typed& typed) {
  const bool is_mask = typed.type->is(kMask) && typed.data.numel() <= kMostBytes;
  return is_mask ? with_bytes(typed, typed.data.clamp(0, 255).to(at::kByte)) : with_numbers(typed);
}

json ShownItems::json_of(const Batch& batch) const {
  bool is_stretched = false;
  json inputs = json::array(), targets = json::array();
  for (const Typed& input : batch.inputs) inputs.push_back(input_json(input, is_stretched));
  for (const Typed& target : batch.targets) targets.push_back(json_of(target));
  return {{"items", batch.items},
          {"inputs", std::move(inputs)},
          {"targets", std::move(targets)},
          {"class_names", out_.class_names},
          {"stretched", is_stretched}};
}

}  // namespace paribus::worker
