// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <paribus/callback.h>

#include <algorithm>

/// Validates on a moving average of the weights: a += (1 - decay) (w - a) after each step. With
/// `warmup` the decay is at most (1 + t) / (10 + t), so that the first weights are soon forgotten.
/// decay = 0 is validation without it.
struct Ema : paribus::Callback {
  struct Params {
    double decay = 0.999;
    bool warmup = true;
    bool average_buffers = true;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("decay", &Params::decay, "share of the average that stays at each step")
              .at_least(0)
              .below(1)
              .live(),
          paribus::field("warmup", &Params::warmup, "forget faster at first"),
          paribus::field("average_buffers", &Params::average_buffers,
                         "average running statistics, too")};
    }
  } params;
  static constexpr auto touches() {
    return paribus::Touches<2, 1>{{"weights", "buffers"}, {"evaluation_weights"}};
  }

  void state(paribus::State& s) override {
    s.tensors("average", average_), s.number("updates", updates_);
  }

  void before_fit(paribus::Fit& fit) override {
    for (const auto& [name, weight] : fit.model->weights()) live_.push_back(weight.detach());
    for (const auto& [name, buffer] : fit.model->buffers_by_name()) {
      if (params.average_buffers && buffer.is_floating_point()) live_.push_back(buffer);
    }
    average_ = copies();  // a checkpoint is read into them, after this
  }
  void after_step(paribus::Fit&) override {
    const at::NoGradGuard no_grad;
    const auto t = static_cast<double>(++updates_);
    const double decay = params.warmup ? std::min(params.decay, (1 + t) / (10 + t)) : params.decay;
    at::_foreach_lerp_(average_, live_, 1 - decay);
  }
  void before_validate(paribus::Fit&) override {
    const at::NoGradGuard no_grad;
    trained_ = copies();
    at::_foreach_copy_(live_, average_);
  }
  void after_validate(paribus::Fit&) override {
    const at::NoGradGuard no_grad;
    at::_foreach_copy_(live_, trained_);
    trained_.clear();
  }

 private:
  [[nodiscard]] std::vector<at::Tensor> copies() const {
    std::vector<at::Tensor> result;
    for (const at::Tensor& tensor : live_) result.push_back(tensor.clone());
    return result;
  }

  std::vector<at::Tensor> live_, average_, trained_;
  std::int64_t updates_ = 0;
};
PARIBUS_PART(Ema, "ema", "validates on a moving average of the weights")
