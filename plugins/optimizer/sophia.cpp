// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <paribus/generic_optimizer.h>
#include <paribus/random.h>
#include <paribus/types.h>

#include <sstream>

/// w -= lr clip(m / max(rho h, 1e-12), 1) with decoupled decay (Liu et al. 2024, Sophia-G): m is a
/// moving average of g; h one of B s^2, every few steps, s the gradient of the mean cross-entropy
/// of the B items of an update with labels drawn from the model's own outputs: the diagonal of the
/// Gauss-Newton matrix. For models that give scores of classes; takes another pass each time.
struct Sophia : paribus::GenericOptimizer {
  struct Params {
    double lr = 1e-3, beta1 = 0.965, beta2 = 0.99, rho = 0.04, weight_decay = 0.1;
    int every = 10;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          paribus::rate_field(&Params::lr),
          paribus::beta_field("beta1", &Params::beta1, "decay of the gradients' average"),
          paribus::beta_field("beta2", &Params::beta2, "decay of the curvature's average"),
          field("rho", &Params::rho, "the smaller, the more steps are cut to 1").above(0).live(),
          paribus::decoupled_decay_field(&Params::weight_decay),
          field("every", &Params::every, "updates from one look at the curvature to the next")
              .at_least(1)
              .unit("step")};
    }
  } params;
  paribus::Kept mean{"mean"}, curvature{"curvature"};

  static constexpr bool kSeesAll = true;  // one look for all

  [[nodiscard]] bool needs_passes() const override { return true; }

  void step(paribus::Group& g) override {
    if ((g.step - 1) % params.every == 0) look(g);
    g.by_rates([&] { GenericOptimizer::step(g); });
  }
  void update(const paribus::Update& u) override {
    constexpr double kTiny = 1e-12;
    average(u[mean], u.grads, params.beta1);
    decay_weights(u);
    const paribus::Made least = at_least(params.rho * u[curvature], kTiny);
    u.weights -= u.lr * at_least(at_most(u[mean] / least, 1), -1);
  }

 private:
  void look(paribus::Group& g) const {
    std::int64_t items = 0;
    const auto loss = [&items](const paribus::Outputs& outputs, const paribus::Batch& batch,
                               paribus::Draws& draws) {
      items += batch.size();
      return sampled_loss(outputs.main().to(at::kFloat), draws);
    };
    const std::vector<at::Tensor> grads = g.grads;
    if (g.pass_again(*this, loss)) {
      const paribus::Tensors sampled = g.grads, h = g.slot(*this, curvature.name);
      h *= params.beta2;
      h += (1 - params.beta2) * static_cast<double>(items) * sampled * sampled;
    }
    g.grads = grads;
  }
  static at::Tensor sampled_loss(const at::Tensor& scores, paribus::Draws& draws) {
    if (scores.dim() != 2) {
      std::ostringstream text;
      text << "optimizer/sophia: the model's output has the shape " << scores.sizes()
           << ", expected scores of classes [N, K]; take another optimizer for this model";
      throw paribus::Error(text.str());
    }
    at::Tensor drawn = at::empty({scores.size(0), 1}, at::kFloat);
    auto* out = drawn.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < scores.size(0); ++i) out[i] = static_cast<float>(draws.uniform());
    const at::Tensor below = scores.detach().softmax(1).cumsum(1) <= drawn.to(scores.device());
    return at::cross_entropy_loss(scores, below.sum(1).clamp_max(scores.size(1) - 1));
  }
};
PARIBUS_PART(Sophia, "sophia", "steps cut by a cheap look at the curvature (Liu et al. 2024)")
