// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>
#include <paribus/groups.h>

#include <cmath>
#include <string>

/// Rates that differ between weights, as factors of the optimizer's: 1 for the head's layer group,
/// `lowest` for the first, those between evenly spaced in the logarithm (discriminative rates:
/// Howard and Ruder 2018), or the numbers in `layers`. On top of that `bias` for biases, and
/// `norm_bias_decay` for the weight decay of biases and of all else with one dimension, as the
/// factors of norms. With every factor 1 it does nothing.
struct Rates : paribus::Callback {
  struct Params {
    double lowest = 1;
    std::vector<double> layers;
    double bias = 1, norm_bias_decay = 1;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("lowest", &Params::lowest, "factor of the first layer group's rate")
              .above(0)
              .live(),
          field("layers", &Params::layers,
                "factor of each layer group's rate, the head's last; empty: as `lowest` says")
              .at_least(0),
          field("bias", &Params::bias, "factor of the rate of biases").at_least(0).live(),
          field("norm_bias_decay", &Params::norm_bias_decay,
                "factor of the weight decay of biases and norms")
              .at_least(0)
              .live()};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"rates"}}; }

  void before_fit(paribus::Fit& fit) override {
    const std::size_t layers = fit.groups->layers();
    if (!params.layers.empty() && params.layers.size() != layers) {
      throw paribus::Error(address() + ".layers: got a list of " +
                           std::to_string(params.layers.size()) +
                           ", expected a factor for each of the model's " + std::to_string(layers) +
                           " layer groups");
    }
  }
  void before_batch(paribus::Fit& fit) override {
    const std::vector<double> now{params.lowest, params.bias, params.norm_bias_decay};
    if (now == set_) return;
    set_ = now;
    std::vector<double> lr, decay;
    for (std::size_t i = 0; i < fit.groups->weights().size(); ++i) {
      const auto& [name, weight] = fit.groups->weights()[i];
      const bool is_bias = name == "bias" || name.ends_with(".bias");
      lr.push_back(of_layer(*fit.groups, i) * (is_bias ? params.bias : 1));
      decay.push_back(is_bias || weight.dim() < 2 ? params.norm_bias_decay : 1);
    }
    fit.groups->scale(std::move(lr), std::move(decay));
  }

 private:
  [[nodiscard]] double of_layer(const paribus::Groups& groups, std::size_t i) const {
    const std::size_t layer = groups.layer_of(i), last = groups.layers() - 1;
    if (!params.layers.empty()) return params.layers[layer];
    if (layer == last) return 1;
    return std::pow(params.lowest, static_cast<double>(last - layer) / static_cast<double>(last));
  }

  std::vector<double> set_;
};
PARIBUS_PART(Rates, "rates", "rates that grow from body to head, and apart for biases and norms")
