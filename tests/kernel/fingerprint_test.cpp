// SPDX-License-Identifier: Apache-2.0
// Two trainings have the same fingerprints exactly where they have the same bits.
#include "../../kernel/src/fingerprint.h"

#include <ATen/Functions.h>

#include "paribus/callback.h"
#include "paribus/model_base.h"
#include "parts.h"

namespace paribus::test {
namespace {

constexpr std::int64_t kFloats = 1024;  // in a window
constexpr std::int64_t kWindows = 5;

/// A linear model beside a buffer that no loss depends on.
struct Bystander final : Model {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  void build(const DataSpec& data) override {
    weight_ = at::zeros({data.classes, 8}).set_requires_grad(true);
    idle_ = at::zeros({kWindows * kFloats - 10});
  }
  Outputs outputs(const Batch& batch) override { return at::linear(batch.input(), weight_); }
  NamedTensors weights() override { return {{"weight", weight_}}; }
  NamedTensors buffers_by_name() override { return {{"idle", idle_}}; }
  void set_training(bool /*on*/) override {}
  void move_to(const at::Device& /*device*/, bool /*channels_last*/) override {}

 private:
  at::Tensor weight_, idle_;
};

/// Turns the lowest bit of one number of the idle buffer.
struct Flip : Callback {
  struct Params {
    std::int64_t at = -1, place = 0;
    static constexpr auto fields() {
      return std::tuple{field("at", &Params::at, "step"), field("place", &Params::place, "number")};
    }
  } params;
  static constexpr auto touches() { return Touches<0, 1>{{}, {"buffers"}}; }
  void after_batch(Fit& fit) override {
    if (fit.step != params.at) return;
    at::Tensor idle = fit.model->buffers_by_name().front().second;
    static_cast<std::uint32_t*>(idle.mutable_data_ptr())[params.place] ^= 1U;
  }
};

/// Keeps fingerprints, too.
struct Chain final : Recorder {
  void point(std::string_view, std::int64_t, double) override {}
  void message(std::string_view) override {}
  void flush() override {}
  void resumed(std::int64_t step) override {
    each.erase(each.upper_bound(step), each.end());
    all.erase(all.upper_bound(step), all.end());
  }
  void checkpointed(std::int64_t, const std::string&) override {}
  Wish progress(std::int64_t step, std::int64_t, std::int64_t, double) override {
    return step == stop_at ? Wish::stop : Wish::go_on;
  }
  void fingerprint(std::int64_t step, std::uint32_t value) override { each[step] = value; }
  [[nodiscard]] bool wants_fingerprints(std::int64_t step) const override { return step % 4 == 0; }
  void fingerprints(std::int64_t step, const Fingerprints& tensors) override {
    all[step] = tensors;
  }

  std::map<std::int64_t, std::uint32_t> each;
  std::map<std::int64_t, Fingerprints> all;
  std::int64_t stop_at = -1;
};

class Fingerprinting : public ::testing::Test {
 protected:
  Fingerprinting() {
    factory_.add<Bystander>("bystander").add<Flip>("flip");
    spec_ = small_trial();  // 3 epochs of 6 batches
    spec_.model = part("model", "bystander");
    spec_.callbacks = {part("callback", "flip", {}, "callback.flip")};
  }
  Chain run(std::int64_t flip_at = -1, std::int64_t place = 0) {
    spec_.callbacks.front().params = {{"at", flip_at}, {"place", place}};
    Chain chain;
    Trainer(spec_, dots_, factory_, chain, {}).fit();
    return chain;
  }

  Factory factory_;
  Dots dots_;
  TrialSpec spec_;
};

TEST_F(Fingerprinting, EqualRunsAreEqualAtEveryStep) {
  const Chain one = run(), other = run();
  EXPECT_EQ(one.each.size(), 18U);
  EXPECT_EQ(one.each, other.each);
  EXPECT_EQ(one.all, other.all);
  std::vector<std::int64_t> steps;
  for (const auto& [step, tensors] : one.all) steps.push_back(step);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{4, 6, 8, 12, 16, 18})) << "as wished, and each epoch";
  EXPECT_EQ(one.all.at(4)[0].first, "weight");
  EXPECT_NE(one.all.at(4)[0].second, one.all.at(8)[0].second) << "weights move";
  EXPECT_EQ(one.all.at(4)[1].second, one.all.at(8)[1].second) << "the idle buffer doesn't";
}

TEST_F(Fingerprinting, OneBitIsFoundInTheWindowsCycleAndInAllAtOnce) {
  const Chain good = run();
  for (const std::int64_t place : {0L, kFloats - 1, 2 * kFloats, kWindows * kFloats - 11}) {
    const Chain bad = run(8, place);
    EXPECT_EQ(bad.all.at(6), good.all.at(6));
    EXPECT_EQ(bad.all.at(8)[0], good.all.at(8)[0]);
    EXPECT_NE(bad.all.at(8)[1], good.all.at(8)[1]) << place;
    std::vector<std::int64_t> differ;
    for (const auto& [step, value] : good.each) {
      if (bad.each.at(step) != value) differ.push_back(step);
    }
    ASSERT_FALSE(differ.empty()) << place;
    const std::int64_t cycle = kWindows + 1;  // the weight has one window
    EXPECT_GE(differ[0], 8) << place;
    EXPECT_LT(differ[0], 8 + cycle) << place;
    for (const std::int64_t step : differ) EXPECT_EQ((step - differ[0]) % cycle, 0) << place;
  }
}

TEST_F(Fingerprinting, AResumedRunHasTheSameChain) {
  const Chain whole = run();
  for (const std::int64_t stop : {3, 6, 8, 13}) {
    const Folder folder;
    Chain chain;
    chain.stop_at = stop;
    Trainer(spec_, dots_, factory_, chain, folder.path()).fit();
    ASSERT_LT(chain.each.size(), 18U);
    chain.stop_at = -1;
    Trainer(spec_, dots_, factory_, chain, folder.path()).fit();
    EXPECT_EQ(chain.each, whole.each) << stop;
    EXPECT_EQ(chain.all, whole.all) << stop;
  }
}

TEST_F(Fingerprinting, TheLossCounts) {
  const Fingerprinter nothing((NamedTensors()));
  EXPECT_NE(nothing.window(1, 0.5), nothing.window(1, 0.25));
  EXPECT_NE(nothing.window(1, 0.0), nothing.window(1, -0.0));
  EXPECT_EQ(nothing.window(1, 0.5), nothing.window(2, 0.5));
  EXPECT_TRUE(nothing.all().empty());
}

TEST_F(Fingerprinting, EveryBitOfATensorCounts) {
  for (const std::int64_t bytes : {1, 7, 8, 31, 33, 100, 260}) {
    at::Tensor tensor = at::arange(bytes, at::kByte);
    const Fingerprinter one({{"t", tensor}});
    const auto whole = one.all();
    const auto window = one.window(3, 1.0);
    for (std::int64_t bit = 0; bit < 8 * bytes; ++bit) {
      auto& byte = static_cast<std::uint8_t*>(tensor.mutable_data_ptr())[bit / 8];
      byte = static_cast<std::uint8_t>(byte ^ (1U << bit % 8));
      EXPECT_NE(one.all(), whole) << bytes << " bytes, bit " << bit;
      EXPECT_NE(one.window(3, 1.0), window) << bytes << " bytes, bit " << bit;
      byte = static_cast<std::uint8_t>(byte ^ (1U << bit % 8));
    }
    EXPECT_EQ(one.all(), whole);
  }
}

TEST_F(Fingerprinting, ExchangedPiecesCount) {
  const at::Tensor tensor = at::randn({1000});
  const auto before = Fingerprinter({{"t", tensor}}).all();
  for (const std::int64_t shift : {1, 2, 8, 16, 64, 500})
    EXPECT_NE(Fingerprinter({{"t", tensor.roll(shift)}}).all(), before) << shift;
}

TEST_F(Fingerprinting, ATensorWithGapsIsTakenWholeAndInNoWindow) {
  const at::Tensor wide = at::randn({10, 10});
  const at::Tensor column = wide.select(1, 3);
  const Fingerprinter one({{"t", column}});
  EXPECT_EQ(one.all(), Fingerprinter({{"t", column.contiguous()}}).all());
  EXPECT_EQ(one.window(1, 1.0), Fingerprinter((NamedTensors())).window(1, 1.0));
}

}  // namespace
}  // namespace paribus::test
