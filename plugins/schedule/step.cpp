// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

#include <cmath>

/// The configured value times gamma after each `every` epochs, or after each of the epochs in
/// `milestones`: PyTorch's StepLR and MultiStepLR.
struct Step : paribus::Schedule {
  struct Params {
    double every = 0;
    std::vector<double> milestones;
    double gamma = 0.1;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("every", &Params::every, "epochs from drop to drop; 0: by the milestones")
              .at_least(0)
              .unit("epoch"),
          paribus::field("milestones", &Params::milestones, "epochs after which it drops")
              .above(0)
              .unit("epoch"),
          paribus::field("gamma", &Params::gamma, "factor of each drop").at_least(0)};
    }
  } params;

  double at(const paribus::Progress& p) const override {
    if ((params.every > 0) == !params.milestones.empty()) {
      throw paribus::Error(address() + ": schedule/step needs either every or milestones, got " +
                           (params.every > 0 ? "both" : "neither") + "; give one of them");
    }
    const double epoch =
        p.epoch + 1e-9;  // an epoch's first step may come out a rounding short of it
    double drops = params.every > 0 ? std::floor(epoch / params.every) : 0;
    for (const double milestone : params.milestones) drops += epoch >= milestone ? 1 : 0;
    return p.base * std::pow(params.gamma, drops);
  }
};
PARIBUS_PART(Step, "step", "drops by a factor every so many epochs, or after given epochs")
