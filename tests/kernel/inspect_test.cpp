// SPDX-License-Identifier: Apache-2.0
// What a trainer finds before the first step, and its sweep of rates.
#include <cmath>

#include "paribus/callback.h"
#include "parts.h"

namespace paribus::test {
namespace {

struct RateChanger : Callback {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  static constexpr auto touches() { return Touches<0, 1>{{}, {"optimizer.lr"}}; }
};

class Inspect : public ::testing::Test {
 protected:
  Inspect() { factory_.add<RateChanger>("rate_changer"); }
  std::string refusal() {
    return error_of([&] { Trainer(spec_, dots_, factory_, notes_, {}).inspect(); });
  }

  Factory factory_;
  Dots dots_;
  TrialSpec spec_ = small_trial();
  Notes notes_;
};

TEST_F(Inspect, PartsThatAreNotThereAreNamed) {
  spec_.metrics.push_back(part("metric", "f1", {}, "metric.f1"));
  EXPECT_EQ(refusal(), "metric/f1: there is no such part");
}

TEST_F(Inspect, AScheduleAndACallbackMayNotChangeOneParameter) {
  spec_.schedules = {{"optimizer.lr", part("schedule", "linear", {}, "schedule.optimizer.lr")}};
  spec_.callbacks = {part("callback", "rate_changer", {}, "callback.rate_changer")};
  EXPECT_EQ(refusal(),
            "schedule.optimizer.lr: callback.rate_changer changes it too, so the result would hang "
            "on their order; keep one of them");
}

TEST_F(Inspect, ASweepRaisesTheRateByAFactorAStep) {
  const auto points =
      Trainer(spec_, dots_, factory_, notes_, {}).sweep_rate("optimizer.lr", 1e-4, 1e-1, 31);
  ASSERT_EQ(points.size(), 31U);
  for (std::size_t i = 0; i < points.size(); ++i)
    EXPECT_NEAR(std::log10(points[i].first), -4 + 0.1 * static_cast<double>(i), 1e-9);
  EXPECT_LT(points.back().second, points.front().second) << "it trains while it sweeps";
}

TEST_F(Inspect, ASweepEndsWhereTheLossRunsAway) {
  const auto points =
      Trainer(spec_, dots_, factory_, notes_, {}).sweep_rate("optimizer.lr", 1e-3, 1e6, 100);
  EXPECT_GT(points.size(), 20U);
  EXPECT_LT(points.size(), 90U);
  for (const auto& [rate, loss] : points) EXPECT_TRUE(std::isfinite(loss));
}

TEST_F(Inspect, ASweepOfWhatIsNotLiveIsRefused) {
  Trainer trainer(spec_, dots_, factory_, notes_, {});
  EXPECT_EQ(error_of([&] { trainer.sweep_rate("optimizer.nesterov", 0.1, 1, 10); }),
            "optimizer.nesterov: can't change in training");
}

}  // namespace
}  // namespace paribus::test
