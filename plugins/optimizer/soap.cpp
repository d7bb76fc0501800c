// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <paribus/generic_optimizer.h>

#include <cmath>

/// Adam in the eigenbasis of Shampoo's matrices (Vyas et al. 2024, algorithm 3): L and R are moving
/// averages of G G^T and G^T G with eigenvectors Q_L and Q_R, refreshed every few steps by one
/// power iteration and QR; Adam's root is kept of Q_L^T G Q_R, its average divided there and
/// brought back. As in the authors' program, the first step only makes the bases, and decay is
/// decoupled, after the step. Filters of convolutions are matrices with a row for each output;
/// vectors get Adam.
struct Soap : paribus::GenericOptimizer {
  struct Params {
    double lr = 3e-3, beta1 = 0.95, beta2 = 0.95, eps = 1e-8, weight_decay = 0.01;
    int every = 10, max_dim = 10000;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          paribus::rate_field(&Params::lr),
          paribus::beta_field("beta1", &Params::beta1, "decay of the gradients' average"),
          paribus::beta_field("beta2", &Params::beta2, "decay of squares' and matrices' averages"),
          paribus::eps_field(&Params::eps),
          paribus::decoupled_decay_field(&Params::weight_decay),
          field("every", &Params::every, "updates from one basis to the next")
              .at_least(1)
              .unit("step"),
          field("max_dim", &Params::max_dim, "larger sides have no basis").at_least(1)};
    }
  } params;

  paribus::Kept mean{"mean", [](const at::Tensor& w) { return zeros_of(w); }};
  paribus::Kept square{"square", [](const at::Tensor& w) { return zeros_of(w); }};
  paribus::Kept left{"left", [this](const at::Tensor& w) { return side(w, 0); }};
  paribus::Kept right{"right", [this](const at::Tensor& w) { return side(w, 1); }};
  paribus::Kept left_basis{"left_basis", left.make}, right_basis{"right_basis", right.make};

  void update(const paribus::Update& u) override {
    const paribus::Tensors means = u[mean], squares = u[square], l = u[left], r = u[right],
                           l_basis = u[left_basis], r_basis = u[right_basis];
    for (std::size_t i = 0; i < u.weights.size(); ++i) {
      const at::Tensor g = matrix(u.grads[i]);
      if (u.t > 1) {
        means[i].lerp_(g, 1 - params.beta1);
        squares[i].lerp_(rotated(g, l_basis[i], r_basis[i]).square(), 1 - params.beta2);
        const at::Tensor there = rotated(means[i], l_basis[i], r_basis[i]);
        move(u, u.weights[i], rotated(there / root(u, squares[i]), l_basis[i].t(), r_basis[i].t()));
      }
      if (l[i].numel() > 0) l[i].lerp_(at::mm(g, g.t()), 1 - params.beta2);
      if (r[i].numel() > 0) r[i].lerp_(at::mm(g.t(), g), 1 - params.beta2);
      refresh(u, l[i], l_basis[i], squares[i], 0);
      refresh(u, r[i], r_basis[i], squares[i], 1);
    }
  }

 private:
  static at::Tensor matrix(const at::Tensor& x) {
    return x.dim() > 1 ? x.flatten(1).contiguous() : x.reshape({-1, 1});
  }
  static at::Tensor zeros_of(const at::Tensor& weight) { return at::zeros_like(matrix(weight)); }
  [[nodiscard]] at::Tensor side(const at::Tensor& weight, std::int64_t which) const {
    std::int64_t size = matrix(weight).size(which);
    if (weight.dim() < 2 || size > params.max_dim) size = 0;
    return at::zeros({size, size}, weight.options());
  }
  /// left^T x right, without those that are empty.
  static at::Tensor rotated(at::Tensor x, const at::Tensor& left, const at::Tensor& right) {
    if (left.numel() > 0) x = at::mm(left.t(), x);
    if (right.numel() > 0) x = at::mm(x, right);
    return x;
  }
  /// With the averages' bias, which began with the second step.
  [[nodiscard]] at::Tensor root(const paribus::Update& u, const at::Tensor& squares) const {
    const double scale =
        paribus::debias(params.beta1, u.t - 1) / std::sqrt(paribus::debias(params.beta2, u.t - 1));
    return (squares.sqrt() + params.eps) * scale;
  }
  static void move(const paribus::Update& u, const at::Tensor& weight, const at::Tensor& step) {
    weight.sub_(step.view_as(weight), u.lr);
    if (u.weight_decay != 0) weight.mul_(1 - u.lr * u.weight_decay);
  }
  /// A first gradient's matrix may have a rank far below its size, for which the solver of single
  /// precision finds no end; the authors' code then takes double precision, too.
  static at::Tensor eigenvectors(const at::Tensor& average) {
    try {
      return std::get<1>(at::linalg_eigh(average));
    } catch (const c10::LinAlgError&) {
      return std::get<1>(at::linalg_eigh(average.to(at::kDouble)));
    }
  }
  void refresh(const paribus::Update& u, const at::Tensor& average, const at::Tensor& basis,
               const at::Tensor& squares, std::int64_t dim) const {
    if (average.numel() == 0) return;
    if (u.t == 1) {
      basis.copy_(eigenvectors(average).flip(1));
    } else if ((u.t - 1) % params.every == 0) {
      const at::Tensor sizes = at::mm(basis.t(), at::mm(average, basis)).diagonal();
      const at::Tensor order = sizes.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
      squares.copy_(squares.index_select(dim, order));
      basis.copy_(std::get<0>(at::linalg_qr(at::mm(average, basis.index_select(1, order)))));
    }
  }
};
PARIBUS_PART(Soap, "soap", "Adam in the eigenbasis of Shampoo's matrices (Vyas et al. 2024)")
