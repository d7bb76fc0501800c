// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <paribus/generic_optimizer.h>

#include <algorithm>
#include <cmath>

/// Averages in place of a falling rate (Defazio et al. 2024, "The road less scheduled"): the inner
/// optimizer steps z by the gradient at y; x += c (z - x) with c = a / (a_1 + ... + a_t), a =
/// t^power lr_max^lr_power; y = (1 - beta) z + beta x. Training is at y, validation and the result
/// are x. Use an inner optimizer without momentum (`adam` with beta1 = 0 for schedule-free AdamW)
/// at a constant rate, perhaps after a warm-up.
struct ScheduleFree : paribus::Optimizer {
  struct Params {
    paribus::Part<paribus::Optimizer> inner{"sgd"};
    double beta = 0.9, weight_decay = 0, lr_power = 2, power = 0;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("inner", &Params::inner, "the optimizer that makes the steps"),
          paribus::beta_field("beta", &Params::beta, "where between z (0) and x (1) to train"),
          field("weight_decay", &Params::weight_decay, "decoupled: z -= lr weight_decay y")
              .at_least(0)
              .live(),
          field("lr_power", &Params::lr_power, "power of the largest rate by which a step counts")
              .at_least(0),
          field("power", &Params::power, "power of t by which a step counts").at_least(0)};
    }
  } params;

  void step(paribus::Group& g) override {
    const paribus::Tensors z = g.slot(*this, "base", paribus::Group::Init::copy);
    const paribus::Tensors x = g.slot(*this, "average", paribus::Group::Init::copy);
    const paribus::Tensors y = g.weights;
    if (params.weight_decay != 0) g.by_rates([&] { decay_base(g); });
    g.weights = z.list();
    params.inner->step(g);
    g.weights = y.list();
    g.by_rates([&] { average_base(g); });
    y.become(x);
    y.go_towards(z, 1 - params.beta);
  }
  void evaluation(paribus::Group& g, bool on) override {
    (void)on;  // they change places, so that "off" is the same again
    paribus::swap_values(g.weights, g.slot(*this, "average", paribus::Group::Init::copy));
  }

 private:
  void decay_base(paribus::Group& g) const {
    const double lr = rate() * g.lr_scale, decay = params.weight_decay * g.decay_scale;
    const paribus::Tensors z = g.slot(*this, "base", paribus::Group::Init::copy);
    z -= lr * decay * paribus::Tensors(g.weights);
  }
  void average_base(paribus::Group& g) const {
    const paribus::Tensors z = g.slot(*this, "base", paribus::Group::Init::copy);
    const paribus::Tensors x = g.slot(*this, "average", paribus::Group::Init::copy);
    go_on(x, z, shares(g, rate() * g.lr_scale));
  }
  /// c of each weight; what it needs of the past, sum and largest rate, is kept on the CPU.
  [[nodiscard]] std::vector<double> shares(paribus::Group& g, double lr) const {
    const auto& past = g.slot(
        *this, "past", [](const at::Tensor& /*weight*/) { return at::zeros({2}, at::kDouble); });
    std::vector<double> result;
    for (std::size_t i = 0; i < g.weights.size(); ++i) {
      auto* sum_and_most = past[i].mutable_data_ptr<double>();
      double &sum = sum_and_most[0], &most = sum_and_most[1];
      most = std::max(most, lr);
      const double counts =
          std::pow(static_cast<double>(g.steps[i]), params.power) * std::pow(most, params.lr_power);
      sum += counts;
      result.push_back(sum == 0 ? 0 : counts / sum);
    }
    return result;
  }
  static void go_on(const paribus::Tensors& x, const paribus::Tensors& z,
                    const std::vector<double>& shares) {
    if (std::count(shares.begin(), shares.end(), shares.front()) ==
        static_cast<std::ptrdiff_t>(shares.size())) {
      x.go_towards(z, shares.front());
    } else {
      x += (z - x) * at::tensor(shares, x[0].options());
    }
  }
};
PARIBUS_PART(ScheduleFree, "schedule_free", "averages in place of a schedule (Defazio et al. 2024)")
