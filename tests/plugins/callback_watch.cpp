// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "paribus/callback.h"
#include "paribus/checkpoint.h"
#include "parts.h"

namespace paribus::testing {
namespace {

/// What a callback would keep in a checkpoint, by name.
std::map<std::string, double> kept(Callback& callback) {
  NamedTensors saved;
  SaveState state(saved, "");
  callback.state(state);
  std::map<std::string, double> numbers;
  for (const auto& [name, tensor] : saved) numbers[name] = tensor.item<double>();
  return numbers;
}

void validated(Callback& callback, const std::string& metric, double value) {
  Fit fit;
  fit.metrics[metric] = value;
  callback.after_validate(fit);
}

TEST(CallbackEarlyStop, CountsValidationsWithoutImprovement) {
  const Made<Callback> stop(
      part("callback", "early_stop", {{"patience", std::int64_t{10}}, {"min_delta", 0.1}}));
  for (const double loss : {1.0, 0.5, 0.45, std::nan(""), 0.6})
    validated(*stop, "valid.loss", loss);
  EXPECT_EQ(kept(*stop).at("waited"), 3)
      << "0.45 is no improvement by 0.1, nor is what is no number";
  EXPECT_EQ(kept(*stop).at("best"), -0.5) << "kept with greater as better";
  validated(*stop, "valid.loss", 0.3);
  EXPECT_EQ(kept(*stop).at("waited"), 0);
}

TEST(CallbackEarlyStop, KnowsWhichWayIsBetter) {
  const auto waited = [](const std::string& metric, const std::string& goal) {
    const Made<Callback> stop(part("callback", "early_stop", {{"metric", metric}, {"goal", goal}}));
    validated(*stop, metric, 0.5);
    validated(*stop, metric, 0.6);
    return kept(*stop).at("waited");
  };
  EXPECT_EQ(waited("valid.loss", "auto"), 1);
  EXPECT_EQ(waited("valid.accuracy", "auto"), 0);
  EXPECT_EQ(waited("valid.accuracy", "minimize"), 1);
  EXPECT_EQ(waited("valid.loss", "maximize"), 0);
}

TEST(CallbackEarlyStop, ResumesWhereItWas) {
  const PartSpec spec = part("callback", "early_stop", {{"patience", std::int64_t{5}}});
  const Made<Callback> first(spec), second(spec);
  for (const double loss : {0.5, 0.7, 0.6}) validated(*first, "valid.loss", loss);
  NamedTensors saved;
  SaveState out(saved, "");
  first->state(out);
  const TensorMap map(saved.begin(), saved.end());
  LoadState in(map, "");
  second->state(in);
  validated(*first, "valid.loss", 0.55), validated(*second, "valid.loss", 0.55);
  EXPECT_EQ(kept(*first), kept(*second));
  EXPECT_EQ(kept(*second).at("waited"), 3);
}

TEST(CallbackWatch, AnUnknownMetricIsNamedWithThoseThereAre) {
  for (const std::string use : {"early_stop", "checkpoint"}) {
    const Made<Callback> callback(
        part("callback", use, {{"metric", std::string("valid.acuracy")}}));
    EXPECT_EQ(
        error_of([&] { validated(*callback, "valid.accuracy", 0.9); }),
        "callback/" + use + ": there is no metric 'valid.acuracy', expected one of valid.accuracy");
  }
}

}  // namespace
}  // namespace paribus::testing
