// SPDX-License-Identifier: Apache-2.0
#include "paribus/model.h"

namespace paribus {

NamedTensors NnModel::weights() {
  NamedTensors weights;
  for (const auto& entry : named_parameters()) {
    if (entry.value().requires_grad()) weights.emplace_back(entry.key(), entry.value());
  }
  return weights;
}

NamedTensors NnModel::buffers_by_name() {
  NamedTensors buffers;
  for (const auto& entry : named_buffers()) buffers.emplace_back(entry.key(), entry.value());
  for (const auto& entry : named_parameters()) {  // frozen weights are saved like buffers
    if (!entry.value().requires_grad()) buffers.emplace_back(entry.key(), entry.value());
  }
  return buffers;
}

void NnModel::move_to(const at::Device& device, bool channels_last) {
  torch::nn::Module::to(device);
  if (!channels_last) return;
  const torch::NoGradGuard no_grad;
  for (at::Tensor& weight : parameters()) {
    if (weight.dim() == 4) weight.set_data(weight.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

bool NnModel::has_convolutions() const {
  for (const auto& module : modules(/*include_self=*/false)) {
    if (module->as<torch::nn::Conv2d>() != nullptr) return true;
  }
  return false;
}

std::int64_t elements(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

}  // namespace paribus
