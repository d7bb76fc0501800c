// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <paribus/callback.h>

#include <algorithm>
#include <cmath>

/// Stochastic weight averaging (Izmailov, Podoprikhin, Garipov, Vetrov, Wilson 2018): from `start`
/// on, validates on the mean of the weights at the ends of epochs, this one's included. Keep the
/// rate high meanwhile. Running statistics are averaged, too: a pass over the data that makes them
/// anew, as in the paper, is not made.
struct Swa : paribus::Callback {
  struct Params {
    double start = 0.75;
    int every = 1;
    bool average_buffers = true;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("start", &Params::start, "part of training before the first; 1: never")
              .at_least(0)
              .at_most(1),
          paribus::field("every", &Params::every, "from one to the next").at_least(1).unit("epoch"),
          paribus::field("average_buffers", &Params::average_buffers,
                         "average running statistics, too")};
    }
  } params;
  static constexpr auto touches() {
    return paribus::Touches<3, 1>{{"weights", "buffers", "length"}, {"evaluation_weights"}};
  }

  void state(paribus::State& s) override {
    s.tensors("mean", mean_), s.number("averaged", averaged_);
  }

  void before_fit(paribus::Fit& fit) override {
    first_ = static_cast<std::int64_t>(
        std::ceil(params.start * static_cast<double>(epochs(fit)) - 1e-9));
    for (const auto& [name, weight] : fit.model->weights()) live_.push_back(weight.detach());
    for (const auto& [name, buffer] : fit.model->buffers_by_name()) {
      if (params.average_buffers && buffer.is_floating_point()) live_.push_back(buffer);
    }
    mean_ = copies();  // a checkpoint is read into them, after this
  }

  void before_validate(paribus::Fit& fit) override {
    const at::NoGradGuard no_grad;
    // Of two validations of one epoch, the second must not count again.
    if (fit.epoch >= first_ + averaged_ * params.every) {
      ++averaged_;
      at::_foreach_lerp_(mean_, live_, 1 / static_cast<double>(averaged_));
    }
    if (averaged_ < 2) return;  // the mean of one is itself
    trained_ = copies();
    at::_foreach_copy_(live_, mean_);
  }
  void after_validate(paribus::Fit&) override {
    if (trained_.empty()) return;
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

  std::vector<at::Tensor> live_, mean_, trained_;
  std::int64_t first_ = 0;  // epoch whose end is the first that counts
  std::int64_t averaged_ = 0;
};
PARIBUS_PART(Swa, "swa", "validates on the mean of the weights at the ends of the last epochs")
