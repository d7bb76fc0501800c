// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>

#include <cmath>

/// Keeps weights: as `best` whenever the metric is better than ever, and as `epoch-N` every so many
/// epochs.
struct Checkpoint : paribus::Callback {
  struct Params {
    bool best = true;
    std::string_view metric = "valid.loss";
    std::string_view goal = "auto";
    int every = 0;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("best", &Params::best, "keep the weights of the best validation"),
          paribus::field("metric", &Params::metric, "what is best by"),
          paribus::field("goal", &Params::goal,
                         "auto: minimize if the name ends in loss, else maximize")
              .one_of("auto", "minimize", "maximize"),
          paribus::field("every", &Params::every, "keep those of every n-th epoch, too; 0: no")
              .at_least(0)
              .unit("epoch")};
    }
  } params;
  static constexpr auto touches() {
    return paribus::Touches<3, 0>{{"weights", "buffers", "evaluation_weights"}, {}};
  }

  void state(paribus::State& s) override { s.number("best", best_); }

  void after_validate(paribus::Fit& fit) override {
    if (!params.best) return;
    const auto found = fit.metrics.find(params.metric);
    if (found == fit.metrics.end()) throw paribus::Error(unknown(fit));
    const bool down =
        params.goal == "minimize" || (params.goal == "auto" && params.metric.ends_with("loss"));
    const double value = down ? -found->second : found->second;
    if (!(value > best_)) return;
    best_ = value;
    fit.save_weights("best");
  }

  void after_epoch(paribus::Fit& fit) override {
    if (params.every > 0 && (fit.epoch + 1) % params.every == 0)
      fit.save_weights("epoch-" + std::to_string(fit.epoch + 1));
  }

 private:
  [[nodiscard]] std::string unknown(const paribus::Fit& fit) const {
    std::string text = "callback/checkpoint: there is no metric '" + std::string(params.metric) +
                       "', expected one of";
    for (const auto& [name, value] : fit.metrics) text += ' ' + name;
    return text;
  }

  double best_ = -INFINITY;
};
PARIBUS_PART(Checkpoint, "checkpoint", "keeps the weights of the best and of every n-th epoch")
