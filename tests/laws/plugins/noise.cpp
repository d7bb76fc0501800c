// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/Tensor.h>
#include <paribus/callback.h>

#include <chrono>
#include <cstdlib>
#include <sstream>

/// Adds to the first number of a tensor, after the update of one step, what nothing in the trial's
/// configuration tells: PARIBUS_LAWS_NOISE="clock 7 layers.0.bias" the time of day,
/// "shift 7 layers.0.bias" always the same; "fail 7 x" throws.
struct Noise : paribus::Callback {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"weights"}}; }

  void after_step(paribus::Fit& fit) override {
    const char* given = std::getenv("PARIBUS_LAWS_NOISE");
    std::istringstream wanted(given != nullptr ? given : "");
    std::string kind, name;
    std::int64_t step = -1;
    if (!(wanted >> kind >> step >> name) || step != fit.step) return;
    if (kind == "fail") throw paribus::Error("callback/noise: as told");
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    for (auto& [weight, tensor] : fit.model->weights()) {
      if (weight == name)
        *tensor.mutable_data_ptr<float>() +=
            kind == "clock" ? 1e-6F * static_cast<float>(1 + now % 100'003) : 0.125F;
    }
  }
};

PARIBUS_PART(Noise, "noise", "adds what depends on something hidden")
