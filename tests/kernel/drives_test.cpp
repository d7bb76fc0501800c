// SPDX-License-Identifier: Apache-2.0
#include "paribus/drives.h"

#include "paribus/callback.h"
#include "paribus/transform.h"
#include "parts.h"

namespace paribus::test {
namespace {

/// base + 100 epoch + fraction.
struct Position final : Schedule {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  double at(const Progress& p) const override { return p.base + 100 * p.epoch + p.fraction; }
};

struct Scale final : Transform {
  struct Params {
    double factor = 1;
    static constexpr auto fields() {
      return std::tuple{field("factor", &Params::factor, "times each input").live()};
    }
  } params;
  void apply(Batch& batch, const Stream& /*stream*/) const override {
    batch.inputs.front().data.fill_(params.factor);
  }
};

/// Tells what it and the batch hold, by step.
struct Look : Callback {
  struct Params {
    int size = 3;
    double share = 2;
    std::int64_t fixed = 1;
    static constexpr auto fields() {
      return std::tuple{field("size", &Params::size, "an integer").live(),
                        field("share", &Params::share, "a number").live(),
                        field("fixed", &Params::fixed, "not live")};
    }
  } params;
  static constexpr auto touches() { return Touches<0, 0>{}; }
  void before_batch(Fit& fit) override {
    fit.record("size", params.size);
    fit.record("share", params.share);
    fit.record("input", fit.batch.input().flatten()[0].item<double>());
    fit.record("lr", fit.parameter("optimizer.lr"));
  }
  void after_batch(Fit& fit) override {
    if (params.share < 0) fit.set_parameter("callback.look.fixed", 1);
    if (params.share > 1e6) fit.set_parameter("optimizer.rate", 1);
  }
};

class DrivesTest : public ::testing::Test {
 protected:
  DrivesTest() {
    factory_.add<Position>("position").add<Scale>("scale").add<Look>("look");
    spec_ = small_trial();
    spec_.train.epochs = 2;
    spec_.callbacks = {part("callback", "look", {}, "callback.look")};
  }
  void schedule(const std::string& target, const std::string& use = "position",
                std::map<std::string, Value> params = {}) {
    spec_.schedules.push_back(
        {target, part("schedule", use, std::move(params), "schedule." + target)});
  }
  Notes fitted() {
    Notes notes;
    Trainer(spec_, dots_, factory_, notes, {}).fit();
    return notes;
  }
  std::string refusal() {
    return error_of([&] {
      Notes notes;
      Trainer(spec_, dots_, factory_, notes, {});
    });
  }
  static std::vector<double> values(const Notes& notes, const std::string& series) {
    std::vector<double> all;
    for (const auto& [step, value] : notes.points.at(series)) all.push_back(value);
    return all;
  }

  Factory factory_;
  Dots dots_;
  TrialSpec spec_;
};

TEST_F(DrivesTest, AnyLiveParameterOfAnyPartIsDriven) {
  spec_.transforms = {part("transform", "scale", {{"factor", 0.5}}, "data.transforms.scale")};
  spec_.data.workers = 2;
  for (const char* target :
       {"optimizer.lr", "loss.smoothing", "callback.look.share", "data.transforms.scale.factor"})
    schedule(target, "linear", {{"from", 1.0}, {"to", 0.0}});
  const Notes notes = fitted();
  for (int step = 1; step <= 12; ++step) {
    const double factor = 1 - (step - 1) / 12.0;
    EXPECT_DOUBLE_EQ(notes.points.at("lr").at(step), 0.1 * factor);
    EXPECT_DOUBLE_EQ(notes.points.at("optimizer.lr").at(step), 0.1 * factor);
    EXPECT_DOUBLE_EQ(notes.points.at("loss.smoothing").at(step), 0);
    EXPECT_DOUBLE_EQ(notes.points.at("share").at(step), 2 * factor);
    EXPECT_FLOAT_EQ(static_cast<float>(notes.points.at("input").at(step)),
                    static_cast<float>(0.5 * factor));
  }
}

TEST_F(DrivesTest, PositionsAreFractionsAndEpochsAndTheBaseIsTheConfiguredValue) {
  schedule("callback.look.share");
  const auto shares = values(fitted(), "share");
  ASSERT_EQ(shares.size(), 12U);
  for (int i = 0; i < 12; ++i)
    EXPECT_DOUBLE_EQ(shares[static_cast<std::size_t>(i)], 2 + 100 * i / 6.0 + i / 12.0);
}

TEST_F(DrivesTest, IntegersAreRounded) {
  schedule("callback.look.size", "linear", {{"from", 1.0}, {"to", 3.0}});
  const auto sizes = values(fitted(), "size");
  EXPECT_EQ(sizes, (std::vector<double>{3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9}));
}

TEST_F(DrivesTest, AResumedRunIsDrivenAsIfItHadNeverStopped) {
  schedule("optimizer.lr");
  schedule("callback.look.share");
  const Notes whole = fitted();
  const Folder folder;
  Notes parts;
  parts.stop_at = 7;
  Trainer(spec_, dots_, factory_, parts, folder.path()).fit();
  parts.stop_at = -1;
  Trainer(spec_, dots_, factory_, parts, folder.path()).fit();
  EXPECT_EQ(parts.points, whole.points);
}

TEST_F(DrivesTest, WhatIsNotLiveIsRefused) {
  schedule("callback.look.fixed");
  EXPECT_EQ(refusal(), "schedule.callback.look.fixed: the parameter can't change in training");
  spec_.schedules.clear();
  schedule("optimizer.nesterov");
  EXPECT_EQ(refusal(), "schedule.optimizer.nesterov: the parameter can't change in training");
}

TEST_F(DrivesTest, ATargetThatIsNotThereIsRefusedWithThoseThatAre) {
  schedule("optimizer.rate");
  EXPECT_EQ(refusal(),
            "schedule.optimizer.rate: no part of this trial has a number of that name, expected "
            "one of loss.smoothing optimizer.lr optimizer.momentum optimizer.dampening "
            "optimizer.weight_decay callback.look.size callback.look.share callback.look.fixed");
}

TEST_F(DrivesTest, CallbacksSetLiveParametersOnly) {
  spec_.callbacks.front().params = {{"share", -1.0}};
  EXPECT_EQ(error_of([&] { fitted(); }), "callback.look.fixed: can't change in training");
  spec_.callbacks.front().params = {{"share", 1e7}};
  EXPECT_TEXT(error_of([&] { fitted(); }),
              "optimizer.rate: no part of this trial has a parameter of that name, expected one "
              "of loss.smoothing optimizer.lr");
}

TEST_F(DrivesTest, AScheduleThatContradictsItselfIsFoundByInspection) {
  spec_.transforms = {part("transform", "scale", {}, "data.transforms.scale")};
  for (const std::string target :
       {"optimizer.lr", "callback.look.share", "data.transforms.scale.factor"}) {
    spec_.schedules.clear();
    schedule(target, "linear", {{"begin", 0.8}, {"until", 0.2}});
    Notes notes;
    EXPECT_TEXT(error_of([&] { Trainer(spec_, dots_, factory_, notes, {}).inspect(); }),
                "schedule." + target + ": schedule/linear ends before it begins");
  }
}

}  // namespace
}  // namespace paribus::test
