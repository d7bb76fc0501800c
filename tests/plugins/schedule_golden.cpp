// SPDX-License-Identifier: Apache-2.0
#include <numbers>

#include "paribus/schedule.h"
#include "parts.h"

namespace paribus::testing {
namespace {

/// Where step `step` of `steps` stands, as the trainer tells a schedule.
Progress progress(std::int64_t step, std::int64_t steps, std::int64_t per_epoch, double base) {
  const auto i = static_cast<double>(step), n = static_cast<double>(steps);
  return {i / n, steps > 1 ? i / (n - 1) : 1, i / static_cast<double>(per_epoch), steps / per_epoch,
          base};
}

std::vector<double> values(const PartSpec& spec, std::int64_t steps, std::int64_t per_epoch,
                           double base) {
  const Made<Schedule> schedule(spec);
  std::vector<double> result;
  for (std::int64_t i = 0; i < steps; ++i)
    result.push_back(schedule->at(progress(i, steps, per_epoch, base)));
  return result;
}

TEST(ScheduleGolden, EveryScheduleFollowsItsSource) {
  const auto cases = golden("schedules");
  ASSERT_GE(cases.size(), 30U);
  for (const auto& golden_case : cases) {
    SCOPED_TRACE(golden_case.at("name").get<std::string>());
    const auto expected = golden_case.at("values").get<std::vector<double>>();
    const auto got = values(part_spec_from_json(golden_case.at("part")),
                            static_cast<std::int64_t>(expected.size()), golden_case.at("per_epoch"),
                            golden_case.at("base"));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(got[i], expected[i], 1e-12 + 1e-10 * std::abs(expected[i])) << "step " << i;
    }
  }
}

TEST(ScheduleConstant, FactorOneIsNothing) {
  for (const double base : {0.1, 3e-4, 1.0 / 3})
    EXPECT_EQ(values(part("schedule", "constant"), 3, 1, base)[1], base);
  EXPECT_EQ(values(part("schedule", "constant", {{"factor", 0.5}}), 2, 1, 0.4)[0], 0.2);
}

TEST(ScheduleLinear, RampsBetweenValuesAndHolds) {
  const auto size =
      values(part("schedule", "linear",
                  {{"from", 14.0}, {"to", 28.0}, {"begin", 0.5}, {"until", 0.8}, {"values", true}}),
             10, 1, 99);
  EXPECT_EQ(size[0], 14);
  EXPECT_EQ(size[5], 14);
  EXPECT_NEAR(size[6], 14 + 14.0 / 3, 1e-12);
  EXPECT_EQ(size[8], 28);
  EXPECT_EQ(size[9], 28);
}

TEST(ScheduleExponential, SmoothUnlessStaircase) {
  const auto smooth = values(part("schedule", "exponential", {{"gamma", 0.25}}), 4, 2, 1);
  EXPECT_NEAR(smooth[1], 0.5, 1e-12);
  const auto staircase =
      values(part("schedule", "exponential", {{"gamma", 0.25}, {"staircase", true}}), 4, 2, 1);
  EXPECT_EQ(staircase[1], 1);
  EXPECT_EQ(staircase[2], 0.25);
}

TEST(ScheduleOneCycle, OneStepAloneIsTheFirst) {
  for (const std::string convention : {"fastai", "pytorch"}) {
    EXPECT_NEAR(values(part("schedule", "one_cycle", {{"convention", convention}}), 1, 1, 0.5)[0],
                0.02, 1e-15);
  }
}

TEST(ScheduleWarmup, LeadsIntoOneCycleWithoutAJump) {
  const PartSpec cycle = part("schedule", "one_cycle", {{"convention", std::string("pytorch")}});
  const PartSpec warm = part("schedule", "warmup", {{"fraction", 0.25}}, {{"then", cycle}});
  const auto got = values(warm, 40, 10, 0.4), alone = values(cycle, 30, 10, 0.4);
  for (std::size_t i = 0; i < alone.size(); ++i)
    EXPECT_NEAR(got[10 + i], alone[i], 1e-10) << "step " << i;
  EXPECT_LT(got[9], got[10]);
}

TEST(ScheduleWarmup, OfNothingIsWhatComesAfter) {
  const PartSpec cosine = part("schedule", "cosine");
  EXPECT_EQ(values(part("schedule", "warmup", {{"epochs", 0.0}}, {{"then", cosine}}), 12, 3, 0.4),
            values(cosine, 12, 3, 0.4));
}

TEST(SchedulePieces, HoldsEachFromItsEpochOn) {
  const PartSpec pieces =
      part("schedule", "pieces",
           {{"at", std::vector<double>{1, 2.5}}, {"values", std::vector<double>{0.1, 0.3, 0.2}}});
  EXPECT_EQ(values(pieces, 8, 2, 7), (std::vector<double>{0.1, 0.1, 0.3, 0.3, 0.3, 0.2, 0.2, 0.2}));
}

TEST(ScheduleErrors, NameWhatIsWrong) {
  const auto error = [](const std::string& use, std::map<std::string, Value> params,
                        std::map<std::string, PartSpec> slots = {}) {
    return error_of([&] { values(part("schedule", use, params, slots), 4, 2, 1); });
  };
  EXPECT_EQ(
      error("step", {}),
      "schedule: schedule/step needs either every or milestones, got neither; give one of them");
  EXPECT_EQ(error("step", {{"every", 2.0}, {"milestones", std::vector<double>{1}}}),
            "schedule: schedule/step needs either every or milestones, got both; give one of them");
  EXPECT_EQ(error("pieces", {{"at", std::vector<double>{1}}, {"values", std::vector<double>{1}}}),
            "schedule: schedule/pieces has 1 values for 1 changes, expected one value more than "
            "changes");
  EXPECT_EQ(error("pieces",
                  {{"at", std::vector<double>{2, 1}}, {"values", std::vector<double>{1, 2, 3}}}),
            "schedule: schedule/pieces: epochs in `at` must grow");
  EXPECT_EQ(error("linear", {{"begin", 0.9}, {"until", 0.1}}),
            "schedule: schedule/linear ends before it begins, got begin 0.900000 and until "
            "0.100000, expected begin <= "
            "until");
  EXPECT_EQ(
      error("warmup", {{"epochs", 2.0}}, {{"then", part("schedule", "constant")}}),
      "schedule: schedule/warmup takes all of training, got 2.000000 epochs of 2; shorten it");
}

/// fastai's combined_cos.
double two_legs(double share, double position, double start, double middle, double end) {
  const auto cosine = [](double from, double to, double at) {
    return from + (1 + std::cos(std::numbers::pi * (1 - at))) * (to - from) / 2;
  };
  return position < share ? cosine(start, middle, position / share)
                          : cosine(middle, end, (position - share) / (1 - share));
}

TEST(ScheduleFineTune, IsTwoCyclesAsFastaiHasThem) {
  constexpr int kSteps = 30, kPerEpoch = 10, kFrozen = 10;
  const auto got = values(part("schedule", "fine_tune"), kSteps, kPerEpoch, 2e-3);
  for (int i = 0; i < kSteps; ++i) {
    const double expected = i < kFrozen
                                ? two_legs(0.99, i / 10.0, 2e-3 / 25, 2e-3, 2e-3 / 1e5)
                                : two_legs(0.3, (i - kFrozen) / 20.0, 1e-3 / 5, 1e-3, 1e-3 / 1e5);
    EXPECT_NEAR(got[static_cast<std::size_t>(i)], expected, 1e-15) << "step " << i;
  }
  const auto at_once =
      values(part("schedule", "fine_tune", {{"freeze_epochs", std::int64_t{0}}, {"max", 0.5}}),
             kSteps, kPerEpoch, 9);
  EXPECT_EQ(at_once[0], 0.05);
  EXPECT_NEAR(at_once[9], 0.25, 1e-12);
}

TEST(ScheduleFineTune, WantsAnEpochForAll) {
  EXPECT_EQ(
      error_of([] {
        values(part("schedule", "fine_tune", {{"freeze_epochs", std::int64_t{3}}}), 30, 10, 1);
      }),
      "schedule.freeze_epochs: got 3, expected less than the 3 epochs of the whole training");
}

}  // namespace
}  // namespace paribus::testing
