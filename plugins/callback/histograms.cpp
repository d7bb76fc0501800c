// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>

#include <string>

/// Records how each weight, and the gradient of each at an epoch's last update, is spread: into the
/// journal, results.h5, and those trackers that show histograms. Vanishing and exploding gradients,
/// and layers that don't train, are seen there first.
struct Histograms : paribus::Callback {
  struct Params {
    int every = 1, bins = 64;
    bool weights = true, grads = true;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("every", &Params::every, "from one to the next").at_least(1).unit("epoch"),
          field("bins", &Params::bins, "of equal width, from the least number to the greatest")
              .at_least(2)
              .at_most(4096),
          field("weights", &Params::weights, "of weights, at the end of the epoch"),
          field("grads", &Params::grads, "of their gradients, at the epoch's last update")};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<2, 0>{{"weights", "grads"}, {}}; }

  void before_step(paribus::Fit& fit) override {
    if (!params.grads || !is_due(fit) || fit.batch_index + 1 < fit.batches) return;
    for (const auto& [name, weight] : fit.model->weights()) {
      if (const at::Tensor grad = weight.grad(); grad.defined())
        fit.histogram("grads." + name, grad, params.bins);
    }
  }
  void after_epoch(paribus::Fit& fit) override {
    if (!params.weights || !is_due(fit)) return;
    for (const auto& [name, weight] : fit.model->weights())
      fit.histogram("weights." + name, weight, params.bins);
  }

 private:
  [[nodiscard]] bool is_due(const paribus::Fit& fit) const {
    return (fit.epoch + 1) % params.every == 0;
  }
};
PARIBUS_PART(Histograms, "histograms", "records how weights and gradients are spread")
