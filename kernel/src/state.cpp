// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>

#include "paribus/checkpoint.h"
#include "paribus/error.h"

namespace paribus {
namespace {

constexpr std::int64_t kMostTensors = 1'000'000;  // of one list: more is a damaged file

}  // namespace

void SaveState::tensor(std::string_view name, at::Tensor& value) {
  if (value.defined()) out_.emplace_back(prefix_ + std::string(name), value);
}

void SaveState::tensors(std::string_view name, std::vector<at::Tensor>& value) {
  auto count = static_cast<std::int64_t>(value.size());
  number(std::string(name) + ".count", count);
  for (std::size_t i = 0; i < value.size(); ++i)
    tensor(std::string(name) + "." + std::to_string(i), value[i]);
}

void SaveState::number(std::string_view name, double& value) {
  out_.emplace_back(prefix_ + std::string(name), at::scalar_tensor(value, at::kDouble));
}

void SaveState::number(std::string_view name, std::int64_t& value) {
  out_.emplace_back(prefix_ + std::string(name), at::scalar_tensor(value, at::kLong));
}

const at::Tensor& LoadState::find(std::string_view name) const {
  const auto found = saved_.find(prefix_ + std::string(name));
  if (found == saved_.end())
    throw Error("checkpoint: no '" + prefix_ + std::string(name) + "' in it");
  return found->second;
}

void LoadState::tensor(std::string_view name, at::Tensor& value) {
  const auto found = saved_.find(prefix_ + std::string(name));
  if (found == saved_.end()) {
    value.reset();
    return;
  }
  if (!value.defined() || value.sizes() != found->second.sizes() ||
      value.scalar_type() != found->second.scalar_type()) {
    value = found->second.clone();
  } else {
    value.detach().copy_(found->second);  // keeps device and memory format
  }
}

void LoadState::tensors(std::string_view name, std::vector<at::Tensor>& value) {
  std::int64_t count = 0;
  number(std::string(name) + ".count", count);
  if (count < 0 || count > kMostTensors) {
    throw Error("checkpoint: '" + prefix_ + std::string(name) + ".count' is " +
                std::to_string(count) + ", expected 0 .. " + std::to_string(kMostTensors));
  }
  value.resize(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < value.size(); ++i)
    tensor(std::string(name) + "." + std::to_string(i), value[i]);
}

void LoadState::number(std::string_view name, double& value) { value = find(name).item<double>(); }
void LoadState::number(std::string_view name, std::int64_t& value) {
  value = find(name).item<std::int64_t>();
}

}  // namespace paribus
