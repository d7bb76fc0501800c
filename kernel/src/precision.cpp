// SPDX-License-Identifier: Apache-2.0
#include "paribus/precision.h"

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/autocast_mode.h>
#include <ATen/cpu/Utils.h>
#include <cpuid.h>

namespace paribus {
namespace {

constexpr std::int64_t kGrowthInterval = 2000;  // torch.amp.GradScaler's

at::Device device_for(const std::string& wanted) {
  if (wanted == "cpu") return at::kCPU;
  if (at::hasCUDA()) return at::Device(at::kCUDA, 0);
  if (wanted == "cuda") {
    throw Error(
        "train.device: no CUDA device here, or this LibTorch is a CPU build; say device = \"cpu\" "
        "or \"auto\"");
  }
  return at::kCPU;
}

bool has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned kAmxBf16 = 1U << 22;
  return (d & kAmxBf16) != 0 && at::cpu::init_amx();
}

/// bf16 pays where hardware multiplies it: tensor cores, AMX. On other CPUs it is emulated and
/// slower than fp32.
at::ScalarType best_for(const at::Device& device, const Model& model) {
  if (device.is_cuda()) return at::kBFloat16;
  return model.has_convolutions() && has_amx() ? at::kBFloat16 : at::kFloat;
}

}  // namespace

Precision::Precision(const TrainSettings& settings, const Model& model)
    : device_(device_for(settings.device)) {
  compute_ = settings.precision == "fp32"   ? at::kFloat
             : settings.precision == "bf16" ? at::kBFloat16
             : settings.precision == "fp16" ? at::kHalf
                                            : best_for(device_, model);
  if (compute_ == at::kHalf && !device_.is_cuda()) {
    throw Error("train.precision: fp16 needs a CUDA device; say precision = \"bf16\" or \"auto\"");
  }
  const bool helps = model.has_convolutions() && (device_.is_cuda() || compute_ != at::kFloat);
  channels_last_ =
      settings.memory_format == "channels_last" || (settings.memory_format == "auto" && helps);
}

std::string Precision::name() const {
  return compute_ == at::kFloat ? "fp32" : compute_ == at::kBFloat16 ? "bf16" : "fp16";
}

void Precision::place(Batch& batch) const {
  if (device_.is_cpu() && !channels_last_) return;
  const auto place_one = [this](at::Tensor& data) {
    data = data.to(device_, /*non_blocking=*/true);
    if (channels_last_ && data.dim() == 4) data = data.contiguous(at::MemoryFormat::ChannelsLast);
  };
  for (Typed& input : batch.inputs) place_one(input.data);
  for (Typed& target : batch.targets) place_one(target.data);
}

Precision::Guard::Guard(const Precision& precision) : precision_(precision) {
  if (precision_.compute_ == at::kFloat) return;
  at::autocast::set_autocast_enabled(precision_.device_.type(), true);
  at::autocast::set_autocast_dtype(precision_.device_.type(), precision_.compute_);
}

Precision::Guard::~Guard() {
  if (precision_.compute_ == at::kFloat) return;
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(precision_.device_.type(), false);
}

at::Tensor Precision::scaled(const at::Tensor& loss) const {
  return compute_ == at::kHalf ? loss * scale_ : loss;
}

bool Precision::unscale(const std::vector<at::Tensor>& gradients) {
  if (compute_ != at::kHalf || gradients.empty()) return true;
  const auto options = gradients.front().options().dtype(at::kFloat);
  at::Tensor found = at::zeros({1}, options);
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, found,
                                                 at::full({1}, 1 / scale_, options));
  const bool good = found.item<float>() == 0;
  if (!good) {
    scale_ /= 2;
    good_updates_ = 0;
  } else if (++good_updates_ == kGrowthInterval) {
    scale_ *= 2;
    good_updates_ = 0;
  }
  return good;
}

void Precision::state(State& state) {
  state.number("scale", scale_);
  state.number("good_updates", good_updates_);
}

void clip(const std::vector<at::Tensor>& gradients, double norm, double value) {
  if (gradients.empty()) return;
  const at::NoGradGuard no_grad;
  if (value > 0) {
    at::_foreach_clamp_min_(gradients, -value);
    at::_foreach_clamp_max_(gradients, value);
  }
  if (norm <= 0) return;
  const at::Tensor total = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
  at::_foreach_mul_(gradients,
                    (norm / (total + 1e-6)).clamp_max(1.0));  // torch.nn.utils.clip_grad_norm_
}

}  // namespace paribus
