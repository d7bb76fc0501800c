// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>
#include <paribus/groups.h>

#include <algorithm>
#include <string>

/// Trains the head alone at first, then the model's layer groups from the head down: at each epoch
/// of `at` one more, at the last one all that are left (gradual unfreezing: Howard and Ruder 2018).
/// What is frozen gets no gradient, and backward is cheaper for it. Batch norm's running statistics
/// go on; so do its factors and biases unless `norms` is false. at = [0] freezes nothing, at = []
/// never unfreezes.
struct Unfreeze : paribus::Callback {
  struct Params {
    std::vector<std::int64_t> at = {1};
    bool norms = true;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("at", &Params::at, "epochs, counted from 0, each before the next")
              .at_least(0)
              .unit("epoch"),
          paribus::field("norms", &Params::norms, "batch norm is trained in frozen layers, too")};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"frozen"}}; }

  void before_fit(paribus::Fit& fit) override {
    const std::size_t layers = fit.groups->layers();
    if (layers < 2) {
      throw paribus::Error(address() +
                           ": the model has no layers before its head that could be frozen");
    }
    if (params.at.size() >= layers) {
      throw paribus::Error(address() + ".at: got " + std::to_string(params.at.size()) +
                           " epochs, expected at most " + std::to_string(layers - 1) +
                           ": the model has " + std::to_string(layers) +
                           " layer groups, and the head is always trained");
    }
    if (std::adjacent_find(params.at.begin(), params.at.end(), std::greater_equal<>()) !=
        params.at.end())
      throw paribus::Error(address() + ".at: epochs must grow");
  }
  /// The epoch alone decides, so a resumed training has it right.
  void before_batch(paribus::Fit& fit) override {
    if (fit.epoch == set_for_) return;
    set_for_ = fit.epoch;
    const std::size_t first = first_trained(*fit.groups);
    std::vector<bool> frozen;
    for (std::size_t i = 0; i < fit.groups->weights().size(); ++i)
      frozen.push_back(fit.groups->layer_of(i) < first && !(params.norms && in_norm(fit, i)));
    fit.groups->freeze(frozen);
  }

 private:
  [[nodiscard]] std::size_t first_trained(const paribus::Groups& groups) const {
    const auto due = std::count_if(params.at.begin(), params.at.end(),
                                   [this](std::int64_t epoch) { return epoch <= set_for_; });
    const bool all = !params.at.empty() && due == static_cast<std::ptrdiff_t>(params.at.size());
    return all ? 0 : groups.layers() - 1 - static_cast<std::size_t>(due);
  }
  /// Its module keeps a running mean.
  [[nodiscard]] static bool in_norm(const paribus::Fit& fit, std::size_t i) {
    const std::string& name = fit.groups->weights()[i].first;
    const std::string mean = name.substr(0, name.rfind('.') + 1) + "running_mean";
    const paribus::NamedTensors buffers = fit.model->buffers_by_name();
    return std::any_of(buffers.begin(), buffers.end(),
                       [&](const auto& buffer) { return buffer.first == mean; });
  }

  std::int64_t set_for_ = -1;  // epoch
};
PARIBUS_PART(Unfreeze, "unfreeze", "the head first, then layer by layer (Howard and Ruder 2018)")
