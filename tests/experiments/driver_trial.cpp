// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "driver/trial.h"
#include "paribus/error.h"
#include "study/spec_json.h"
#include "study/targets.h"

namespace paribus::driver {
namespace {

using nlohmann::json;

TrialSpec spec() {
  TrialSpec spec;
  spec.dataset = {"dataset", "glyphs", "data", {{"items", std::int64_t{100}}}, {}};
  spec.model = {"model", "mlp", "model", {{"width", std::int64_t{8}}}, {}};
  spec.loss = {"loss", "cross_entropy", "loss", {}, {}};
  PartSpec sgd{"optimizer", "sgd", "optimizer.inner", {{"lr", 0.1}, {"nesterov", false}}, {}};
  spec.optimizer = {
      "optimizer", "lookahead", "optimizer", {{"k", std::int64_t{5}}}, {{"inner", sgd}}};
  spec.schedules = {
      {"optimizer.lr", {"schedule", "one_cycle", "schedule.optimizer.lr", {{"max", 0.4}}, {}}}};
  spec.seed = 3;
  return spec;
}

const json kFacts = {{"device", "cpu"}, {"precision", "bf16"}, {"memory_format", "channels_last"}};

std::string id_of(const TrialSpec& of, const json& facts = kFacts, const std::string& data = "1",
                  const json& environment = {{"libtorch", "2.13.0"}}) {
  return trial_id(resolved(to_json(of), facts), data, environment);
}

TEST(DriverTrial, IdIsSixteenHexDigitsAndAFunctionOfTheSpec) {
  const std::string id = id_of(spec());
  EXPECT_EQ(id.size(), 16u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(id, id_of(spec()));
}

TEST(DriverTrial, IdChangesWithAllThatDeterminesTheResult) {
  const std::string id = id_of(spec());
  TrialSpec other = spec();
  other.seed = 4;
  EXPECT_NE(id, id_of(other));
  other = spec();
  other.threads = 2;
  EXPECT_NE(id, id_of(other));
  other = spec();
  other.optimizer.slots["inner"].params["lr"] = 0.2;
  EXPECT_NE(id, id_of(other));
  json facts = kFacts;
  facts["precision"] = "fp32";
  EXPECT_NE(id, id_of(spec(), facts));
  EXPECT_NE(id, id_of(spec(), kFacts, "2"));
  EXPECT_NE(id, id_of(spec(), kFacts, "1", {{"libtorch", "2.14.0"}}));
}

TEST(DriverTrial, IdDoesNotChangeWithWhatChangesNoNumber) {
  TrialSpec other = spec();
  other.data.workers = 7;
  other.train.checkpoint_seconds = 1;
  EXPECT_EQ(id_of(spec()), id_of(other));
  other.train.device = "cpu";  // said, where the other leaves it to the machine
  other.train.precision = "bf16";
  EXPECT_EQ(id_of(spec()), id_of(other));
}

TEST(DriverTrial, OneInspectionServesSeedsAndNumbersOfOptimizerAndSchedules) {
  const std::string key = inspection_key(to_json(spec()));
  TrialSpec other = spec();
  other.seed = 9;
  other.optimizer.params["k"] = std::int64_t{6};
  other.optimizer.slots["inner"].params["lr"] = 0.3;
  other.schedules[0].part.params["max"] = 1.0;
  EXPECT_EQ(key, inspection_key(to_json(other)));
}

TEST(DriverTrial, AnotherStructureIsInspectedByItself) {
  const std::string key = inspection_key(to_json(spec()));
  TrialSpec other = spec();
  other.model.params["width"] = std::int64_t{9};
  EXPECT_NE(key, inspection_key(to_json(other)));
  other = spec();
  other.optimizer.slots["inner"].use = "adam";
  EXPECT_NE(key, inspection_key(to_json(other)));
  other = spec();
  other.optimizer.slots["inner"].params["nesterov"] = true;
  EXPECT_NE(key, inspection_key(to_json(other)));
  other = spec();
  other.callbacks.push_back({"callback", "ema", "callback.ema", {}, {}});
  EXPECT_NE(key, inspection_key(to_json(other)));
  other = spec();
  other.data.batch = 32;
  EXPECT_NE(key, inspection_key(to_json(other)));
}

/// The spec of a family with two numbers left open, and what `trial_id` hashes of one member.
TEST(DriverTrial, AFamilysIdsAreThoseOfItsTrials) {
  TrialSpec first = spec();
  first.dataset.params["note"] = std::string("\"hole 0\" and hole' 1");  // as its marks look
  const std::vector<std::string> addresses{"optimizer.inner.lr", "schedule.optimizer.lr.max",
                                           "optimizer.k"};
  std::vector<json::json_pointer> places;
  for (const std::string& address : addresses) places.push_back(pointer_to(first, address));
  const json environment = {{"libtorch", "2.13.0"}, {"hole 1", "hole 2"}};
  const TrialFamily family(resolved(to_json(first), kFacts), places);
  const FamilyIds ids(family, "\"1\"", environment);
  const std::vector<std::vector<Value>> members{{0.1, 0.4, std::int64_t{5}},
                                                {1e-3, 1.0, std::int64_t{6}},
                                                {0.30000000000000004, 5e300, std::int64_t{-1}}};
  for (const std::vector<Value>& numbers : members) {
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{12345678901234}}) {
      TrialSpec own = first;
      for (std::size_t i = 0; i < addresses.size(); ++i) set_value(own, addresses[i], numbers[i]);
      own.seed = seed;
      const json whole = resolved(to_json(own), kFacts);
      EXPECT_EQ(family.spec(numbers, seed), whole);
      EXPECT_EQ(ids.id(numbers, seed), trial_id(whole, "\"1\"", environment));
    }
  }
}

TEST(DriverTrial, APlaceThatIsNoneIsToldByItsAddress) {
  try {
    pointer_to(spec(), "optimizer.inner.rate");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "no parameter of the optimizer or of a schedule is at optimizer.inner.rate");
  }
}

TEST(DriverTrial, LabelsAreShort) {
  Trial trial;
  trial.seed = 2;
  EXPECT_EQ(trial.label(), "seed 2");
  trial.arm = "lookahead";
  EXPECT_EQ(trial.label(), "lookahead, seed 2");
  trial.arm = "model.width=8, optimizer.lr=0.1";
  trial.values = {{"model.width", 8}, {"optimizer.lr", 0.1}, {"data.use", "mnist"}};
  EXPECT_EQ(trial.label(), "use mnist, width 8, lr 0.1, seed 2");
}

}  // namespace
}  // namespace paribus::driver
