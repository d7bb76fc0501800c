// SPDX-License-Identifier: Apache-2.0
// Another pass over the batches of an update is the first one again, and leaves no trace but its
// gradients.
#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "paribus/callback.h"
#include "parts.h"

namespace paribus::test {
namespace {

/// A linear layer behind dropout, which counts its batches in a buffer.
struct Noisy : Model {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  void build(const DataSpec& data) override {
    weight = at::randn({data.classes, 8}).mul(0.1).requires_grad_();
    seen = at::zeros({1});
  }
  Outputs outputs(const Batch& batch) override {
    if (training) seen.add_(1);
    return at::linear(at::dropout(batch.input().flatten(1), 0.5, training), weight);
  }
  NamedTensors weights() override { return {{"weight", weight}}; }
  NamedTensors buffers_by_name() override { return {{"seen", seen}}; }
  void set_training(bool on) override { training = on; }
  void move_to(const at::Device&, bool) override {}

  at::Tensor weight, seen;
  bool training = true;
};

int different = 0;  // gradients of second passes that weren't those of the first

/// SGD that looks again where it is.
struct LooksTwice : Optimizer {
  struct Params {
    bool again = true;
    static constexpr auto fields() { return std::tuple{field("again", &Params::again, "or not")}; }
  } params;
  [[nodiscard]] bool needs_passes() const override { return params.again; }
  void step(Group& g) override {
    const std::vector<at::Tensor> first = g.grads;
    if (params.again && !g.pass_again(*this)) ++different;
    for (std::size_t i = 0; i < first.size(); ++i) {
      different += same_bits(first[i], g.grads[i]) ? 0 : 1;
      g.weights[i].sub_(g.grads[i], 0.1);
    }
  }
};

/// Asks for a pass without having said that it would.
struct AsksUnannounced : Optimizer {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  void step(Group& g) override { static_cast<void>(g.pass_again(*this)); }
};

std::vector<std::string> told;

/// Makes the loss what it is, at the places that it names.
struct Doubles : Callback {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  static constexpr auto touches() { return Touches<0, 2>{{}, {"outputs", "loss"}}; }
  void after_forward(Fit& fit) override {
    if (fit.training) fit.outputs.main() = fit.outputs.main().mul(0.5);
  }
  void after_loss(Fit& fit) override { fit.loss = fit.loss.mul(2); }
};

/// Only looks.
struct Watches : Callback {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  static constexpr auto touches() { return Touches<2, 0>{{"loss", "outputs"}, {}}; }
  void after_loss(Fit& fit) override { told.push_back(std::to_string(fit.step)); }
  void after_step(Fit& fit) override {
    told.push_back(std::to_string(fit.batch_index) + (fit.loss.defined() ? " loss" : " none"));
  }
};

class ExtraPasses : public ::testing::Test {
 protected:
  ExtraPasses() {
    different = 0;
    told.clear();
    factory_.add<Noisy>("noisy").add<LooksTwice>("looks_twice").add<Doubles>("doubles");
    factory_.add<Watches>("watches").add<AsksUnannounced>("asks_unannounced");
    spec_ = small_trial();
    spec_.model = part("model", "noisy");
    spec_.optimizer = part("optimizer", "looks_twice");
  }
  TensorMap trained(bool again) {
    spec_.optimizer = part("optimizer", "looks_twice", {{"again", again}});
    const Folder folder;
    Trainer(spec_, dots_, factory_, notes_, folder.path()).fit();
    return read_safetensors(folder / "final.safetensors");
  }
  void expect_no_trace() {
    const TensorMap twice = trained(true), once = trained(false);
    EXPECT_EQ(different, 0) << "dropout, clipping and callbacks are those of the first pass";
    EXPECT_TRUE(same_bits(twice.at("weight"), once.at("weight")));
    EXPECT_TRUE(same_bits(twice.at("seen"), once.at("seen"))) << "buffers stay";
  }

  Factory factory_;
  TrialSpec spec_;
  Dots dots_{44};  // the last batch of an epoch has 4 items
  Notes notes_;
};

TEST_F(ExtraPasses, AreTheFirstOneAgain) { expect_no_trace(); }

TEST_F(ExtraPasses, GoOverAllBatchesOfAnUpdate) {
  spec_.train.accumulate = 4;  // of 6 in an epoch: the second update has 2
  expect_no_trace();
}

TEST_F(ExtraPasses, AreClippedAsTheFirst) {
  spec_.train.clip_norm = 0.05;
  spec_.train.clip_value = 0.02;
  expect_no_trace();
}

TEST_F(ExtraPasses, HaveTheLossThatCallbacksMakeAndNobodyElseHearsOfThem) {
  spec_.callbacks = {part("callback", "doubles", {}, "callback.doubles"),
                     part("callback", "watches", {}, "callback.watches")};
  expect_no_trace();
  EXPECT_EQ(told.size(), 2U * 2U * 18U) << "two trainings of 18 batches, two events each";
  EXPECT_EQ(told[0], "1");
  EXPECT_EQ(told[1], "0 loss");
}

TEST_F(ExtraPasses, ResumedInTheMiddleOfAnEpochEndWithTheSameBits) {
  const TensorMap whole = trained(true);
  const Folder folder;
  notes_.stop_at = 8;
  Trainer(spec_, dots_, factory_, notes_, folder.path()).fit();
  notes_.stop_at = -1;
  spec_.optimizer = part("optimizer", "looks_twice", {{"again", true}});
  Trainer(spec_, dots_, factory_, notes_, folder.path()).fit();
  EXPECT_TRUE(
      same_bits(read_safetensors(folder / "final.safetensors").at("weight"), whole.at("weight")));
}

TEST_F(ExtraPasses, HaveToBeAnnounced) {
  spec_.optimizer = part("optimizer", "asks_unannounced");
  EXPECT_EQ(error_of([&] { Trainer(spec_, dots_, factory_, notes_, {}).fit(); }),
            "optimizer: this optimizer needs another pass over the batch, and there is none to be "
            "had here; does it say so in needs_passes()?");
}

}  // namespace
}  // namespace paribus::test
