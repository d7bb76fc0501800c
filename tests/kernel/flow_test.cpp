// SPDX-License-Identifier: Apache-2.0
// Which events fire, in which order, and what a callback's request does to those that follow.
#include "paribus/callback.h"
#include "parts.h"

namespace paribus::test {
namespace {

std::vector<std::string> told;  // by Tell, in order

/// Tells each event, and makes a request (or throws) at one event of one step.
struct Tell : Callback {
  struct Params {
    std::string_view event;
    std::string_view request;
    std::int64_t step = 1;
    std::string_view prefix;
    static constexpr auto fields() {
      return std::tuple{field("event", &Params::event, "where it acts"),
                        field("request", &Params::request, "what it asks for"),
                        field("step", &Params::step, "when"),
                        field("prefix", &Params::prefix, "of what it tells")};
    }
  } params;
  static constexpr auto touches() { return Touches<0, 1>{{}, {"flow"}}; }

  void tell(Fit& fit, std::string_view event) const {
    told.push_back(std::string(params.prefix) + std::string(event));
    if (event == "after_fit" && params.request == "break twice") throw Error("the second");
    if (event != params.event || fit.step != params.step) return;
    if (params.request == "skip_batch") fit.skip_batch();
    if (params.request == "skip_epoch") fit.skip_epoch();
    if (params.request == "stop") fit.stop("enough");
    if (params.request.starts_with("break")) throw Error("the first");
  }
  void before_fit(Fit& fit) override { tell(fit, "before_fit"); }
  void before_epoch(Fit& fit) override { tell(fit, "before_epoch"); }
  void before_batch(Fit& fit) override { tell(fit, "before_batch"); }
  void after_forward(Fit& fit) override { tell(fit, "after_forward"); }
  void after_loss(Fit& fit) override { tell(fit, "after_loss"); }
  void after_backward(Fit& fit) override { tell(fit, "after_backward"); }
  void before_step(Fit& fit) override { tell(fit, "before_step"); }
  void after_step(Fit& fit) override { tell(fit, "after_step"); }
  void after_batch(Fit& fit) override { tell(fit, "after_batch"); }
  void before_validate(Fit& fit) override { tell(fit, "before_validate"); }
  void after_valid_batch(Fit& fit) override { tell(fit, "after_valid_batch"); }
  void after_validate(Fit& fit) override { tell(fit, "after_validate"); }
  void after_epoch(Fit& fit) override { tell(fit, "after_epoch"); }
  void after_fit(Fit& fit) override { tell(fit, "after_fit"); }
};

using Events = std::vector<std::string>;

const Events kBatch{"before_batch", "after_forward", "after_loss", "after_backward",
                    "before_step",  "after_step",    "after_batch"};
const Events kClose{"before_validate", "after_valid_batch", "after_validate", "after_epoch"};
const Events kStart{"before_fit", "before_epoch"};

Events joined(const std::vector<Events>& parts) {
  Events all;
  for (const Events& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// The events of a batch in which something asks to leave it at `event`.
Events left_at(const std::string& event) {
  Events events;
  for (const std::string& each : kBatch) {
    events.push_back(each);
    if (each == event) break;
  }
  if (events.back() != "after_batch") events.emplace_back("after_batch");
  return events;
}

class Flow : public ::testing::Test {
 protected:
  Flow() {
    told.clear();
    factory_.add<Tell>("tell");
    spec_ = small_trial();
    spec_.train.epochs = 2;
    spec_.data.batch = 24;  // 2 batches an epoch
    add("callback.tell", "");
  }
  void add(const std::string& address, const std::string& prefix) {
    spec_.callbacks.push_back(part("callback", "tell", {{"prefix", prefix}}, address));
  }
  void request(const std::string& what, const std::string& event, std::int64_t step = 1) {
    told.clear();
    auto& params = spec_.callbacks.front().params;
    params["request"] = what, params["event"] = event, params["step"] = step;
  }
  Outcome fitted() {
    notes_ = {};
    return Trainer(spec_, dots_, factory_, notes_, folder_.path()).fit();
  }
  [[nodiscard]] TensorMap weights() const {
    return read_safetensors(folder_ / "final.safetensors");
  }

  Factory factory_;
  Dots dots_;
  TrialSpec spec_;
  Notes notes_;
  Folder folder_;
};

TEST_F(Flow, EventsComeInTheirPlace) {
  const Outcome outcome = fitted();
  EXPECT_EQ(told, joined({kStart,
                          kBatch,
                          kBatch,
                          kClose,
                          {"before_epoch"},
                          kBatch,
                          kBatch,
                          kClose,
                          {"after_fit"}}));
  EXPECT_EQ(outcome.status, Outcome::Status::done);
  EXPECT_EQ(outcome.steps, 4);
  EXPECT_EQ(outcome.epochs, 2);
  EXPECT_EQ(outcome.message, "");
}

TEST_F(Flow, WhatWasPutInLastComesOutFirst) {
  spec_.callbacks.clear();
  spec_.train.epochs = 1, spec_.data.batch = 48;
  add("callback.b", "b:"), add("callback.a", "a:");
  fitted();
  Events expected;
  for (const std::string& event : joined({kStart, kBatch, kClose, {"after_fit"}})) {
    const bool backwards = event == "after_validate" || event == "after_fit";
    expected.push_back((backwards ? "b:" : "a:") + event);
    expected.push_back((backwards ? "a:" : "b:") + event);
  }
  EXPECT_EQ(told, expected);
}

TEST_F(Flow, AccumulationStepsOnceForSeveralBatches) {
  spec_.train.accumulate = 2, spec_.train.epochs = 1;
  fitted();
  EXPECT_EQ(
      told,
      joined({kStart,
              {"before_batch", "after_forward", "after_loss", "after_backward", "after_batch"},
              kBatch,
              kClose,
              {"after_fit"}}));
}

TEST_F(Flow, ASkippedBatchIsLeftAtOnceAndCounts) {
  for (const std::string& event : kBatch) {
    request("skip_batch", event);
    const Outcome outcome = fitted();
    EXPECT_EQ(told, joined({kStart,
                            left_at(event),
                            kBatch,
                            kClose,
                            {"before_epoch"},
                            kBatch,
                            kBatch,
                            kClose,
                            {"after_fit"}}))
        << event;
    EXPECT_EQ(outcome.steps, 4);
  }
}

TEST_F(Flow, ASkippedBatchLeavesNoTraceInTheWeights) {
  request("skip_batch", "before_batch");
  fitted();
  const TensorMap skipped = weights();
  for (const std::string event : {"after_forward", "after_loss", "after_backward", "before_step"}) {
    request("skip_batch", event);
    fitted();
    for (const auto& [name, weight] : weights())
      EXPECT_TRUE(same_bits(weight, skipped.at(name))) << event;
  }
  request("skip_batch", "after_step");
  fitted();
  EXPECT_FALSE(same_bits(weights().begin()->second, skipped.begin()->second));
}

TEST_F(Flow, ASkippedEpochIsClosedAndTheNextBegins) {
  for (const std::string& event : kBatch) {
    request("skip_epoch", event);
    const Outcome outcome = fitted();
    EXPECT_EQ(told, joined({kStart,
                            left_at(event),
                            kClose,
                            {"before_epoch"},
                            kBatch,
                            kBatch,
                            kClose,
                            {"after_fit"}}))
        << event;
    EXPECT_EQ(outcome.steps, 3);
    EXPECT_EQ(outcome.epochs, 2);
  }
}

TEST_F(Flow, AnEpochMayBeSkippedBeforeItsFirstBatch) {
  request("skip_epoch", "before_epoch", 2);
  fitted();
  EXPECT_EQ(told,
            joined({kStart, kBatch, kBatch, kClose, {"before_epoch"}, kClose, {"after_fit"}}));
  EXPECT_EQ(notes_.points.at("valid.loss").size(), 1U) << "again at step 2";
}

TEST_F(Flow, AStopLeavesBatchAndEpochAndIsValidated) {
  for (const std::string& event : kBatch) {
    request("stop", event);
    const Outcome outcome = fitted();
    EXPECT_EQ(told, joined({kStart, left_at(event), kClose, {"after_fit"}})) << event;
    EXPECT_EQ(outcome.status, Outcome::Status::done);
    EXPECT_EQ(outcome.message, "enough");
    EXPECT_EQ(outcome.steps, 1);
    EXPECT_EQ(outcome.epochs, 1);
    EXPECT_TRUE(outcome.last.contains("valid.accuracy"));
    EXPECT_TRUE(fs::exists(folder_ / "final.safetensors"));
  }
}

TEST_F(Flow, AStopAtTheEpochsEndTrainsNoMore) {
  for (const std::string event : {"before_validate", "after_validate", "after_epoch"}) {
    request("stop", event, 2);
    EXPECT_EQ(fitted().steps, 2);
    EXPECT_EQ(told, joined({kStart, kBatch, kBatch, kClose, {"after_fit"}})) << event;
  }
}

TEST_F(Flow, AStopAfterAnEpochThatWasNotValidatedIsValidated) {
  spec_.train.valid_every = 2;
  request("stop", "after_epoch", 2);
  const Outcome outcome = fitted();
  EXPECT_EQ(told, joined({kStart,
                          kBatch,
                          kBatch,
                          {"after_epoch", "before_validate", "after_valid_batch", "after_validate",
                           "after_fit"}}));
  EXPECT_TRUE(outcome.last.contains("valid.loss"));
}

TEST_F(Flow, ValidationsAreAsFarApartAsAskedAndTheLastEpochHasOne) {
  spec_.train.epochs = 3, spec_.train.valid_every = 2, spec_.data.batch = 48;
  fitted();
  EXPECT_EQ(told, joined({kStart,
                          kBatch,
                          {"after_epoch", "before_epoch"},
                          kBatch,
                          kClose,
                          {"before_epoch"},
                          kBatch,
                          kClose,
                          {"after_fit"}}));
}

TEST_F(Flow, AfterAnErrorAllCleanUpAndTheFirstIsTold) {
  add("callback.z", "z:");
  for (const std::string event : {"before_fit", "before_epoch", "after_loss", "after_validate"}) {
    request("break", event, event == "after_validate" ? 2 : event.ends_with("loss") ? 1 : 0);
    EXPECT_EQ(error_of([&] { fitted(); }), "the first") << event;
    ASSERT_GE(told.size(), 2U);
    EXPECT_EQ(told.end()[-2], "z:after_fit");
    EXPECT_EQ(told.back(), "after_fit");
  }
  request("break twice", "after_loss");
  EXPECT_EQ(error_of([&] { fitted(); }), "the first");
  EXPECT_EQ(notes_.events.back(), "message callback.tell: after an error: the second");
}

TEST_F(Flow, InspectionTrainsNothingThatOthersSee) {
  fitted();
  const TensorMap before = weights();
  {
    Notes notes;
    Trainer trainer(spec_, dots_, factory_, notes, {});
    trainer.inspect();
  }
  fitted();
  for (const auto& [name, weight] : weights()) EXPECT_TRUE(same_bits(weight, before.at(name)));
}

TEST_F(Flow, InspectionFiresTheEventsOfOneBatchAndOneValidation) {
  Trainer(spec_, dots_, factory_, notes_, {}).inspect();
  EXPECT_EQ(
      told,
      joined({{"before_fit"}, kBatch, {"before_validate", "after_valid_batch", "after_validate"}}));
}

}  // namespace
}  // namespace paribus::test
