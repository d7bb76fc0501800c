// SPDX-License-Identifier: Apache-2.0
// A training that was stopped, killed or broken anywhere goes on to the same weights and points.
#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "paribus/callback.h"
#include "paribus/model_base.h"
#include "paribus/transform.h"
#include "parts.h"

namespace paribus::test {
namespace {

/// Dropout and a running mean: draws and buffers that a resumed run must find again.
struct Noisy final : Model {
  struct Params {
    double dropout = 0.3;
    static constexpr auto fields() {
      return std::tuple{field("dropout", &Params::dropout, "share that is left out").live()};
    }
  } params;
  void build(const DataSpec& data) override {
    weight_ = at::randn({data.classes, 8}).mul_(0.1).set_requires_grad(true);
    mean_ = at::zeros({8});
  }
  Outputs outputs(const Batch& batch) override {
    if (training_) {
      const at::NoGradGuard no_grad;
      mean_.lerp_(batch.input().mean(0), 0.1);
    }
    const at::Tensor x = batch.input().sub(mean_);
    return at::linear(at::dropout(x, params.dropout, training_), weight_);
  }
  NamedTensors weights() override { return {{"weight", weight_}}; }
  NamedTensors buffers_by_name() override { return {{"mean", mean_}}; }
  void set_training(bool on) override { training_ = on; }
  void move_to(const at::Device& /*device*/, bool /*channels_last*/) override {}

 private:
  at::Tensor weight_, mean_;
  bool training_ = true;
};

struct Jitter final : Transform {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  void apply(Batch& batch, const Stream& stream) const override {
    Draws draws = stream.step(batch.epoch, batch.index);
    batch.inputs.front().data.add_(0.1 * draws.normal());
  }
};

/// Keeps an average of the losses and lets it act on the gradients; breaks, or asks for another
/// flow, where told.
struct Steering : Callback {
  struct Params {
    std::int64_t break_at = -1, skip_epoch_at = -1, stop_at = -1;
    static constexpr auto fields() {
      return std::tuple{field("break_at", &Params::break_at, "step of an error"),
                        field("skip_epoch_at", &Params::skip_epoch_at, "step of the request"),
                        field("stop_at", &Params::stop_at, "step of the request")};
    }
  } params;
  static constexpr auto touches() { return Touches<0, 1>{{}, {"grads"}}; }
  void state(State& s) override { s.number("average", average_), s.number("steps", steps_); }
  void before_step(Fit& fit) override {
    average_ = 0.9 * average_ + 0.1 * fit.loss.item<double>();
    ++steps_;
    for (const at::Tensor& gradient : fit.groups->gradients()) gradient.mul_(average_);
    fit.record("average", average_);
  }
  void after_batch(Fit& fit) override {
    if (fit.step == params.break_at) throw Error("callback/steering: as told");
    if (fit.step == params.skip_epoch_at) fit.skip_epoch();
    if (fit.step == params.stop_at) fit.stop("as told");
  }

 private:
  double average_ = 1;
  std::int64_t steps_ = 0;
};

class Resume : public ::testing::Test {
 protected:
  Resume() {
    factory_.add<Noisy>("noisy").add<Jitter>("jitter").add<Steering>("steering");
    spec_ = small_trial();  // 3 epochs of 6 batches
    spec_.model = part("model", "noisy");
    spec_.transforms = {part("transform", "jitter", {}, "data.transforms.jitter")};
    spec_.callbacks = {part("callback", "steering", {}, "callback.steering")};
    spec_.schedules = {{"optimizer.lr", part("schedule", "linear", {}, "schedule.optimizer.lr")}};
  }
  void tell(const std::string& what, std::int64_t step) {
    spec_.callbacks.front().params[what] = step;
  }
  Outcome fit(const Folder& folder, Notes& notes) {
    return Trainer(spec_, dots_, factory_, notes, folder.path()).fit();
  }
  /// The undisturbed run.
  void run_whole() { whole_outcome_ = fit(whole_, whole_notes_); }
  void expect_the_same(const Folder& folder, const Notes& notes, const Outcome& outcome) {
    EXPECT_EQ(bytes_of(folder / "final.safetensors"), bytes_of(whole_ / "final.safetensors"));
    EXPECT_EQ(notes.points, whole_notes_.points);
    EXPECT_EQ(outcome.status, Outcome::Status::done);
    EXPECT_EQ(outcome.steps, whole_outcome_.steps);
    EXPECT_EQ(outcome.epochs, whole_outcome_.epochs);
    EXPECT_EQ(outcome.last, whole_outcome_.last);
    EXPECT_EQ(outcome.best, whole_outcome_.best);
    EXPECT_EQ(outcome.message, whole_outcome_.message);
  }
  /// Stops after each of `steps`, in one training.
  void expect_resumable(const std::vector<std::int64_t>& steps) {
    const Folder folder;
    Notes notes;
    for (const std::int64_t step : steps) {
      notes.stop_at = step;
      EXPECT_EQ(fit(folder, notes).status, Outcome::Status::stopped) << step;
      EXPECT_FALSE(fs::exists(folder / "final.safetensors"));
    }
    notes.stop_at = -1;
    const Outcome outcome = fit(folder, notes);
    EXPECT_EQ(std::count_if(notes.events.begin(), notes.events.end(),
                            [](const std::string& event) { return event.starts_with("resumed"); }),
              static_cast<std::int64_t>(steps.size()));
    expect_the_same(folder, notes, outcome);
  }

  Factory factory_;
  Dots dots_;
  TrialSpec spec_;
  Folder whole_;
  Notes whole_notes_;
  Outcome whole_outcome_;
};

TEST_F(Resume, AfterAStopWithinAndBetweenEpochs) {
  run_whole();
  for (const std::int64_t step : {1, 2, 5, 6, 7, 11, 12, 13, 17}) expect_resumable({step});
}

TEST_F(Resume, AfterManyStops) {
  run_whole();
  expect_resumable({1, 2, 5, 6, 7, 12, 17});
}

TEST_F(Resume, WithLoaderThreads) {
  run_whole();
  spec_.data.workers = 3;
  expect_resumable({4, 11});
}

TEST_F(Resume, UnderAccumulationWhereAnUpdateIsWhole) {
  spec_.train.accumulate = 4;  // updates at 4 and 6 of each epoch
  run_whole();
  const Folder folder;
  Notes notes;
  notes.stop_at = 2;
  EXPECT_EQ(fit(folder, notes).status, Outcome::Status::stopped);
  EXPECT_EQ(notes.events.back(), "checkpointed 4");
  expect_resumable({2, 5, 9});
}

TEST_F(Resume, WhereItWasToBeLeftMakesNoStep) {
  run_whole();
  for (const std::int64_t step : {4, 6, 12}) {  // within an epoch, and at the end of two
    const Folder folder;
    Notes notes;
    notes.stop_at = step;
    fit(folder, notes);
    const Outcome again = fit(folder, notes);  // as if it had been killed before it could say so
    EXPECT_EQ(again.status, Outcome::Status::stopped);
    EXPECT_EQ(again.steps, step);
    notes.stop_at = -1;
    expect_the_same(folder, notes, fit(folder, notes));
  }
}

TEST_F(Resume, WithOneBatchAnEpoch) {
  spec_.data.batch = 48;
  run_whole();
  expect_resumable({1, 2});
}

TEST_F(Resume, AStopAskedForAtTheVeryEndIsNone) {
  run_whole();
  const Folder folder;
  Notes notes;
  notes.stop_at = 18;
  expect_the_same(folder, notes, fit(folder, notes));
}

TEST_F(Resume, AfterAnErrorFromTheLastCheckpoint) {
  run_whole();
  spec_.train.checkpoint_seconds = 0;
  for (const std::int64_t step : {1, 6, 7, 18}) {
    const Folder folder;
    Notes notes;
    tell("break_at", step);
    EXPECT_EQ(error_of([&] { fit(folder, notes); }), "callback/steering: as told");
    tell("break_at", -1);
    expect_the_same(folder, notes, fit(folder, notes));
    const auto resumed = "resumed " + std::to_string(step - 1);
    EXPECT_EQ(std::count(notes.events.begin(), notes.events.end(), resumed), step > 1 ? 1 : 0);
  }
}

TEST_F(Resume, ARequestToLeaveTheEpochOutlivesAKill) {
  tell("skip_epoch_at", 8);
  run_whole();
  ASSERT_EQ(whole_outcome_.steps, 14);
  expect_resumable({8});
  expect_resumable({7, 9});
}

TEST_F(Resume, ARequestToStopOutlivesAKill) {
  tell("stop_at", 8);
  run_whole();
  ASSERT_EQ(whole_outcome_.steps, 8);
  ASSERT_EQ(whole_outcome_.message, "as told");
  expect_resumable({8});  // stopped from outside at the step at which the callback stops
}

TEST_F(Resume, AStopThatACheckpointFollowedIsNotTakenBack) {
  tell("stop_at", 6);  // the epoch's last batch: the next checkpoint is that of the closed epoch
  spec_.train.checkpoint_seconds = 0;
  run_whole();
  const Folder folder;
  Notes notes;
  fit(folder, notes);
  fs::remove(folder / "final.safetensors");  // as if killed before it was written
  expect_the_same(folder, notes, fit(folder, notes));
}

TEST_F(Resume, AFinishedTrainingDoesNotTrainAgain) {
  spec_.train.checkpoint_seconds = 0;
  run_whole();
  Notes again;
  const Outcome outcome = fit(whole_, again);
  EXPECT_EQ(outcome.steps, 18);
  EXPECT_EQ(outcome.last, whole_outcome_.last);
  EXPECT_EQ(again.events, std::vector<std::string>{"resumed 18"});
  EXPECT_TRUE(again.points.empty());
}

TEST_F(Resume, PointsAreSafeBeforeTheCheckpointThatStandsForThem) {
  spec_.train.checkpoint_seconds = 0;
  spec_.train.epochs = 1;
  run_whole();
  std::vector<std::string> expected;
  for (int step = 1; step <= 6; ++step)
    expected.insert(expected.end(), {"flush", "checkpointed " + std::to_string(step)});
  EXPECT_EQ(whole_notes_.events, expected);
  EXPECT_TRUE(whole_notes_.files_were_there);
  EXPECT_EQ(whole_.names(), (std::vector<std::string>{"final.safetensors", "step-6.safetensors"}))
      << "older checkpoints are gone";
}

TEST_F(Resume, OnlyCheckpointsCount) {
  run_whole();
  const Folder folder;
  for (const char* name : {"step-9.safetensors.partial", "step-x.safetensors", "best.safetensors",
                           "step-9999999999999999999.safetensors"})
    write_bytes(folder / name, "no checkpoint");
  Notes notes;
  expect_the_same(folder, notes, fit(folder, notes));
  EXPECT_TRUE(notes.events.empty());
}

TEST_F(Resume, ADamagedCheckpointIsToldAndTheTrainingBeginsAnew) {
  run_whole();
  const Folder folder;
  Notes notes;
  notes.stop_at = 3;
  fit(folder, notes);
  notes.stop_at = -1;
  const std::string file = folder / "step-3.safetensors";
  write_bytes(file, bytes_of(file).substr(9));
  notes.events.clear();
  const Outcome outcome = fit(folder, notes);
  EXPECT_EQ(notes.events,
            (std::vector<std::string>{"message " + file +
                                          ": is damaged or no checkpoint: its first bytes aren't "
                                          "those of one; training begins anew",
                                      "resumed 0"}));
  expect_the_same(folder, notes, outcome);
}

TEST_F(Resume, ADamagedTensorIsToldAndTheTrainingGoesOnFromAnOlderCheckpoint) {
  spec_.model = part("model", "mlp", {{"hidden", std::vector<std::int64_t>{4096}}});
  run_whole();
  const Folder study;
  const fs::path folder = study / "trial";
  const auto go_on = [&](Notes& notes) {
    return Trainer(spec_, dots_, factory_, notes, folder).fit();
  };
  fs::create_directories(folder);
  Notes notes;
  notes.stop_at = 4;
  go_on(notes);
  fs::copy(folder, study / "copy", fs::copy_options::recursive);
  notes.stop_at = 9;
  go_on(notes);
  for (const char* what : {"step-4.safetensors", "step-4.tensors"})
    fs::rename(study / "copy" / what, folder / what);
  const fs::path tensor = fs::directory_iterator(folder / "step-9.tensors")->path();
  fs::remove(tensor);
  notes.stop_at = -1;
  notes.events.clear();
  const Outcome outcome = go_on(notes);
  ASSERT_EQ(notes.events.size(), 2U);
  EXPECT_TEXT(notes.events[0], tensor.string() + ": can't open it");
  EXPECT_TEXT(notes.events[0], "; training goes on from step-4.safetensors");
  EXPECT_EQ(notes.events[1], "resumed 4");
  EXPECT_EQ(bytes_of(folder / "final.safetensors"), bytes_of(whole_ / "final.safetensors"));
  EXPECT_EQ(notes.points, whole_notes_.points);
  EXPECT_EQ(outcome.last, whole_outcome_.last);
}

TEST_F(Resume, ACheckpointThatDoesNotFitIsRefused) {
  Notes notes;
  const Folder folder;
  notes.stop_at = 3;
  fit(folder, notes);
  spec_.model = part("model", "mlp", {{"hidden", std::vector<std::int64_t>{16}}});
  EXPECT_EQ(error_of([&] { fit(folder, notes); }),
            "checkpoint: 'weights/layers.0.weight' is missing or has another shape than the "
            "model's");
}

}  // namespace
}  // namespace paribus::test
