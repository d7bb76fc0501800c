// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>
#include <paribus/generic_optimizer.h>

#include <algorithm>
#include <cmath>
#include <limits>

/// Adam's root from means over rows and columns of g^2 alone (Shazeer and Stern 2018), as in
/// PyTorch: beta2 = 1 - t^decay; for matrices v = rows columns / mean(rows), over the last two
/// dimensions; u = g / sqrt(v), divided by max(1, rms(u) / clip); w -= min(lr, 1 / sqrt(t))
/// max(eps, rms(w)) u. Weight decay is decoupled.
struct Adafactor : paribus::GenericOptimizer {
  struct Params {
    double lr = 1e-2, decay = -0.8, eps = 1e-3, clip = 1, weight_decay = 0;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("lr", &Params::lr, "the largest relative rate").at_least(0).live(),
          paribus::field("decay", &Params::decay, "power of t by which new squares count")
              .at_least(-1)
              .at_most(0),
          paribus::field("eps", &Params::eps,
                         "the least length of weights that a step is measured by")
              .at_least(0)
              .live(),
          paribus::field("clip", &Params::clip, "the largest root mean square of a step")
              .above(0)
              .live(),
          paribus::decoupled_decay_field(&Params::weight_decay)};
    }
  } params;
  paribus::Kept rows{"rows", [](const at::Tensor& w) { return without(w, -1); }};
  paribus::Kept columns{"columns", [](const at::Tensor& w) { return without(w, -2); }};

  void update(const paribus::Update& u) override {
    const double share = std::pow(static_cast<double>(u.t), params.decay);
    const double relative = std::min(u.lr, 1 / std::sqrt(static_cast<double>(u.t)));
    const paribus::Tensors of_rows = u[rows], of_columns = u[columns];
    for (std::size_t i = 0; i < u.weights.size(); ++i) {
      const at::Tensor &w = u.weights[i], &g = u.grads[i];
      const at::Tensor rate = root_mean_square(w).clamp_min(params.eps) * relative;
      const at::Tensor square = g * g;
      if (g.dim() > 1) {
        of_rows[i].lerp_(square.mean(-1), share);
        of_columns[i].lerp_(square.mean(-2), share);
      } else {
        of_rows[i].lerp_(square, share);
      }
      if (u.weight_decay != 0) w.mul_(1 - u.lr * u.weight_decay);
      const at::Tensor step = g * variance(of_rows[i], of_columns[i], g.dim()).rsqrt();
      const at::Tensor shorten = (root_mean_square(step) / params.clip).clamp_min(1);
      w.sub_(step * (rate / shorten));
    }
  }

 private:
  static constexpr double kTiny = std::numeric_limits<float>::epsilon();

  /// Zeros for the means over a dimension; vectors and numbers keep all their squares in `rows`.
  static at::Tensor without(const at::Tensor& weight, std::int64_t dim) {
    std::vector<std::int64_t> shape = weight.sizes().vec();
    if (weight.dim() > 1) shape.erase(shape.end() + dim);
    if (weight.dim() < 2 && dim == -2) shape = {0};
    return at::zeros(shape, weight.options());
  }
  static at::Tensor variance(const at::Tensor& rows, const at::Tensor& columns, std::int64_t dims) {
    if (dims < 2) return rows.clamp_min(kTiny * kTiny);
    const at::Tensor whole = rows.mean(-1, /*keepdim=*/true).clamp_min(kTiny).unsqueeze(-1);
    return (rows.unsqueeze(-1) * columns.unsqueeze(-2) / whole).clamp_min(kTiny * kTiny);
  }
  static at::Tensor root_mean_square(const at::Tensor& x) {
    return at::linalg_vector_norm(x) / std::sqrt(static_cast<double>(x.numel()));
  }
};
PARIBUS_PART(Adafactor, "adafactor", "Adam's root from rows and columns (Shazeer and Stern 2018)")
