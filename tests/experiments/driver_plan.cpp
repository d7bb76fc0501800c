// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "driver/plan_event.h"
#include "results/plan.h"

namespace paribus::driver {
namespace {

using nlohmann::json;

std::shared_ptr<const TrialFamily> family(const json& width) {
  auto made = std::make_shared<TrialFamily>(
      json{{"model", {{"width", width}, {"deep", true}}}, {"optimizer", {{"lr", nullptr}}}},
      std::vector{json::json_pointer("/optimizer/lr")});
  made->facts = {{"steps_per_epoch", 5}};
  return made;
}

/// Two arms with two seeds each.
CheckedStudy checked_study() {
  CheckedStudy checked;
  checked.study.metric = "valid.accuracy";
  checked.study.goal = "maximize";
  checked.study.arms = {"plain", "wide"};
  for (const char* arm : {"plain", "wide"}) {
    for (const std::uint64_t seed : {0, 1}) {
      Trial trial;
      trial.id = std::string(arm) + std::to_string(seed);
      trial.arm = arm;
      trial.seed = seed;
      trial.numbers = {0.1};
      trial.values = {{"model.width", arm == std::string("wide") ? 16 : 8}};
      trial.family = family(trial.values["model.width"]);
      checked.trials.push_back(std::move(trial));
    }
  }
  return checked;
}

/// As a reader gets it.
json written(const json& event) { return json::parse(event.dump()); }

TEST(DriverPlan, AReaderGetsBackEveryTrialWithItsConfiguration) {
  const CheckedStudy checked = checked_study();
  const results::StudyRecord study =
      results::read_plan(written(plan_of(checked, "widths", {{"libtorch", "2"}})));
  EXPECT_EQ(study.name, "widths");
  EXPECT_EQ(study.arms, checked.study.arms);
  EXPECT_EQ(study.environment.at("libtorch"), "2");
  ASSERT_EQ(study.trials.size(), checked.trials.size());
  for (std::size_t i = 0; i < study.trials.size(); ++i) {
    const results::Trial& got = study.trials[i];
    const Trial& wanted = checked.trials[i];
    EXPECT_EQ(got.id, wanted.id);
    EXPECT_EQ(got.arm, wanted.arm);
    EXPECT_EQ(got.seed, static_cast<std::int64_t>(wanted.seed));
    EXPECT_EQ(json(got.values), wanted.values);
    EXPECT_EQ(got.spec(), wanted.spec());
    EXPECT_EQ(got.variant->steps_per_epoch, 5);
  }
}

TEST(DriverPlan, AnArmIsDescribedOnceAndTheOthersByWhatTheyChange) {
  const json plan = plan_of(checked_study(), "widths", {});
  ASSERT_EQ(plan["variants"].size(), 2U);
  EXPECT_FALSE(plan["variants"][0].contains("patch"));
  EXPECT_EQ(plan["variants"][1]["patch"],
            json::parse(R"([{"op": "replace", "path": "/model/width", "value": 16}])"));
  EXPECT_FALSE(plan["variants"][1].contains("spec"));
  EXPECT_EQ(plan["trials"][3], json::parse(R"([1, 1, "wide1"])"));
}

TEST(DriverPlan, PointsOfOneFamilyAreToldByTheirNumbers) {
  CheckedStudy checked = checked_study();
  const auto wide = checked.trials[3].family;
  for (const double lr : {0.2, 0.3}) {
    Trial trial = checked.trials.front();
    trial.arm = "lr=" + std::to_string(lr);
    trial.id = "rate" + std::to_string(checked.trials.size());
    trial.family = wide;
    trial.numbers = {lr};
    checked.trials.push_back(std::move(trial));
  }
  const json plan = written(plan_of(checked, "rates", {}));
  EXPECT_EQ(plan["variants"][2]["patch"].size(), 2U) << "another width, another rate";
  const results::StudyRecord study = results::read_plan(plan);
  for (std::size_t i = 0; i < study.trials.size(); ++i)
    EXPECT_EQ(study.trials[i].spec(), written(checked.trials[i].spec())) << i;
}

TEST(DriverPlan, WhatIsAddedRefersToTheArmsThatWereThere) {
  CheckedStudy checked = checked_study();
  results::StudyRecord study = results::read_plan(written(plan_of(checked, "widths", {})));
  const auto add = [&](const char* arm, std::uint64_t seed, int width) {
    Trial trial = checked.trials.front();
    trial.id = std::string(arm) + std::to_string(seed);
    trial.arm = arm;
    trial.seed = seed;
    trial.values["model.width"] = width;
    trial.family = family(width);
    checked.trials.push_back(std::move(trial));
  };
  add("wide", 7, 16);
  add("huge", 0, 64);
  const json planned = written(planned_of(checked, 4));
  EXPECT_EQ(planned["variants"].size(), 1U) << "wide is known";
  read_planned(planned, study);
  ASSERT_EQ(study.trials.size(), 6U);
  EXPECT_EQ(study.arms, (std::vector<std::string>{"plain", "wide", "huge"}));
  EXPECT_EQ(study.trials[4].spec(), checked.trials[4].spec());
  EXPECT_EQ(study.trials[5].spec(), checked.trials[5].spec());
  EXPECT_EQ(study.trials[5].id, "huge0");
}

}  // namespace
}  // namespace paribus::driver
