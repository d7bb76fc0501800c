// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mm.h>
#include <paribus/generic_optimizer.h>

#include <algorithm>
#include <cmath>

/// Momentum, made orthogonal (Jordan et al. 2024): B is a moving average of g, with Nesterov one
/// average ahead; X = B / |B|, then five times X = a X + (b A + c A A) X with A = X X^T, which
/// brings all singular values near 1; w -= lr sqrt(max(1, rows / columns)) X, after decoupled
/// decay. Filters of convolutions are matrices with a row for each output. What isn't a hidden
/// matrix, vectors and the last matrix, is stepped by the optimizer in `rest`, at its own rate.
struct Muon : paribus::Optimizer {
  struct Params {
    double lr = 0.02, momentum = 0.95, weight_decay = 0;
    bool nesterov = true, last = false;
    int iterations = 5;
    std::string_view adjust = "original", precision = "fp32";
    paribus::Part<paribus::Optimizer> rest{"adamw"};
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("lr", &Params::lr, "learning rate of the matrices").at_least(0).live(),
          paribus::beta_field("momentum", &Params::momentum, "decay of the gradients' average"),
          paribus::decoupled_decay_field(&Params::weight_decay),
          field("nesterov", &Params::nesterov, "look one average ahead"),
          field("last", &Params::last, "the last matrix, too, which gives the outputs"),
          field("iterations", &Params::iterations, "of Newton and Schulz").at_least(1).at_most(99),
          field("adjust", &Params::adjust,
                "what a rate means: sqrt(max(1, rows / columns)), or 0.2 sqrt(max(rows, columns))")
              .one_of("original", "match_rms_adamw"),
          field("precision", &Params::precision, "of the iterations; bf16 is PyTorch's")
              .one_of("fp32", "bf16"),
          field("rest", &Params::rest, "the optimizer of what isn't a hidden matrix")};
    }
  } params;

  static constexpr bool kSeesAll = true;  // or there would be several last matrices

  void step(paribus::Group& g) override {
    const auto [matrices, others] = split(g);
    g.among(others, [&] { params.rest->step(g); });
    g.among(matrices, [&] { g.by_rates([&] { step_matrices(g); }); });
  }
  void evaluation(paribus::Group& g, bool on) override {
    g.among(split(g).second, [&] { params.rest->evaluation(g, on); });
  }

 private:
  using Places = std::vector<std::size_t>;
  [[nodiscard]] std::pair<Places, Places> split(const paribus::Group& g) const {
    Places matrices, others;
    for (std::size_t i = 0; i < g.weights.size(); ++i)
      (g.weights[i].dim() > 1 ? matrices : others).push_back(i);
    if (!params.last && !matrices.empty()) {
      const std::size_t last = matrices.back();
      matrices.pop_back();
      others.insert(std::upper_bound(others.begin(), others.end(), last), last);
    }
    return {matrices, others};
  }
  void step_matrices(paribus::Group& g) const {
    const auto& means = g.slot(*this, "mean");
    const double lr = params.lr * g.lr_scale;
    for (std::size_t i = 0; i < g.weights.size(); ++i) {
      const at::Tensor &w = g.weights[i], &grad = g.grads[i], &mean = means[i];
      mean.lerp_(grad, 1 - params.momentum);
      const at::Tensor ahead =
          params.nesterov ? at::lerp(grad, mean, params.momentum) : mean.clone();
      const at::Tensor direction = orthogonal(ahead.flatten(1));
      const double decay = params.weight_decay * g.decay_scale;
      if (decay != 0) w.mul_(1 - lr * decay);
      w.add_(direction.view_as(ahead), -lr * scale(direction.size(0), direction.size(1)));
    }
  }
  [[nodiscard]] double scale(std::int64_t rows, std::int64_t columns) const {
    const auto r = static_cast<double>(rows), c = static_cast<double>(columns);
    if (params.adjust == "original") return std::sqrt(std::max(1.0, r / c));
    return 0.2 * std::sqrt(std::max(r, c));
  }
  [[nodiscard]] at::Tensor orthogonal(const at::Tensor& matrix) const {
    constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315, kTiny = 1e-7;
    const bool tall = matrix.size(0) > matrix.size(1);
    at::Tensor x = params.precision == "bf16" ? matrix.to(at::kBFloat16) : matrix;
    if (tall) x = x.t();
    x = x / at::linalg_vector_norm(x).clamp_min(kTiny);
    for (int i = 0; i < params.iterations; ++i) {
      const at::Tensor a = at::mm(x, x.t());
      x = at::addmm(x, at::addmm(a, a, a, kB, kC), x, kA);
    }
    return (tall ? x.t() : x).to(matrix.scalar_type()).contiguous();
  }
};
PARIBUS_PART(Muon, "muon", "orthogonal momentum for hidden matrices (Jordan et al. 2024)")
