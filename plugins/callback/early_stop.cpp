// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>

#include <cmath>

/// Stops training when a metric hasn't improved by more than `min_delta` for `patience` validations
/// in a row.
struct EarlyStop : paribus::Callback {
  struct Params {
    std::string_view metric = "valid.loss";
    std::string_view goal = "auto";
    int patience = 3;
    double min_delta = 0;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("metric", &Params::metric, "what has to improve"),
          paribus::field("goal", &Params::goal,
                         "auto: minimize if the name ends in loss, else maximize")
              .one_of("auto", "minimize", "maximize"),
          paribus::field("patience", &Params::patience, "validations without improvement")
              .at_least(1),
          paribus::field("min_delta", &Params::min_delta, "less than this is no improvement")
              .at_least(0)};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"flow"}}; }

  void state(paribus::State& s) override { s.number("best", best_), s.number("waited", waited_); }

  void after_validate(paribus::Fit& fit) override {
    const auto found = fit.metrics.find(params.metric);
    if (found == fit.metrics.end()) throw paribus::Error(unknown(fit));
    const bool down =
        params.goal == "minimize" || (params.goal == "auto" && params.metric.ends_with("loss"));
    const double value = down ? -found->second : found->second;  // greater is better from here on
    waited_ = value > best_ + params.min_delta ? 0 : waited_ + 1;
    if (waited_ == 0) best_ = value;
    if (waited_ < params.patience) return;
    fit.stop(std::string(params.metric) + " has not improved on " +
             std::to_string(down ? -best_ : best_) + " for " + std::to_string(waited_) +
             " validations");
  }

 private:
  [[nodiscard]] std::string unknown(const paribus::Fit& fit) const {
    std::string text = "callback/early_stop: there is no metric '" + std::string(params.metric) +
                       "', expected one of";
    for (const auto& [name, value] : fit.metrics) text += ' ' + name;
    return text;
  }

  double best_ = -INFINITY;
  std::int64_t waited_ = 0;
};
PARIBUS_PART(EarlyStop, "early_stop", "stops when a metric improves no more")
