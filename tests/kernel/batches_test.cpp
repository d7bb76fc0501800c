// SPDX-License-Identifier: Apache-2.0
#include "paribus/batches.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "paribus/random.h"
#include "parts.h"

namespace paribus::test {
namespace {

/// Adds noise that hangs on the item's address; some batches take longer than others.
struct Jitter final : Transform {
  struct Params {
    double strength = 1;
    static constexpr auto fields() {
      return std::tuple{field("strength", &Params::strength, "of the noise").live()};
    }
  } params;
  void apply(Batch& batch, const Stream& stream) const override {
    std::this_thread::sleep_for(std::chrono::microseconds(batch.index % 3 * 300));
    at::Tensor& data = batch.inputs.front().data;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      Draws draws = stream.item(batch.epoch, batch.items[static_cast<std::size_t>(i)]);
      data[i].add_(params.strength * draws.uniform());
    }
  }
  [[nodiscard]] bool training_only() const override { return true; }
};

/// Breaks at one item.
class Broken final : public Dataset {
 public:
  explicit Broken(std::int64_t item) : item_(item) {}
  void open(const Files& /*files*/) override {}
  [[nodiscard]] DataSpec spec() const override { return dots_.spec(); }
  void fetch(Split split, std::span<const std::int64_t> items, Batch& batch) const override {
    if (std::find(items.begin(), items.end(), item_) != items.end())
      throw Error("dataset/broken: item " + std::to_string(item_) + " is damaged");
    dots_.fetch(split, items, batch);
  }
  [[nodiscard]] std::uint64_t fingerprint() const override { return 0; }

 private:
  Dots dots_{21, 11};
  std::int64_t item_;
};

/// Bytes of a given meaning.
class Bytes final : public TensorDataset {
 public:
  explicit Bytes(const Type& type) {
    train = valid = {at::arange(256, at::kByte).view({256, 1, 1, 1}), at::zeros({256}, at::kLong)};
    about.inputs = {{&type, {}}};
    about.targets = {{&kCategory, {}}};
  }
  void open(const Files& /*files*/) override {}
};

class BatchesTest : public ::testing::Test {
 protected:
  BatchesTest() {
    factory_.add<Jitter>("jitter");
    spec_ = small_trial();
    spec_.data.batch = 4;
    spec_.transforms = {part("transform", "jitter", {}, "data.transforms.jitter")};
  }
  [[nodiscard]] std::vector<Batch> pass(Batches& batches, Split split, std::int64_t epoch,
                                        std::int64_t first = 0) const {
    std::vector<Batch> all;
    batches.start(split, epoch, first);
    for (std::int64_t i = first; i < batches.count(split); ++i) all.push_back(batches.next());
    return all;
  }
  static void expect_equal(const std::vector<Batch>& a, const std::vector<Batch>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].items, b[i].items);
      EXPECT_EQ(a[i].index, b[i].index);
      EXPECT_EQ(a[i].epoch, b[i].epoch);
      EXPECT_TRUE(same_bits(a[i].input(), b[i].input()));
      EXPECT_TRUE(same_bits(a[i].target(), b[i].target()));
    }
  }
  static std::vector<std::int64_t> items(const std::vector<Batch>& batches) {
    std::vector<std::int64_t> all;
    for (const Batch& batch : batches)
      all.insert(all.end(), batch.items.begin(), batch.items.end());
    return all;
  }

  Factory factory_;
  Dots dots_{21, 11};
  TrialSpec spec_;
};

TEST_F(BatchesTest, AnyNumberOfWorkersMakesTheSameBatches) {
  Batches reference(spec_, dots_, factory_, nullptr);
  for (const std::int64_t workers : {1, 2, 4}) {
    spec_.data.workers = workers;
    Batches batches(spec_, dots_, factory_, nullptr);
    for (const std::int64_t epoch : {0, 1}) {
      for (const Split split : {Split::train, Split::valid})
        expect_equal(pass(batches, split, epoch), pass(reference, split, epoch));
    }
  }
}

TEST_F(BatchesTest, APassMayBeginAnywhere) {
  for (const std::int64_t workers : {0, 2}) {
    spec_.data.workers = workers;
    Batches batches(spec_, dots_, factory_, nullptr);
    const auto whole = pass(batches, Split::train, 3);
    for (std::int64_t first = 0; first <= batches.count(Split::train); ++first)
      expect_equal(pass(batches, Split::train, 3, first), {whole.begin() + first, whole.end()});
  }
}

TEST_F(BatchesTest, APassThatIsLeftHarmsNoOther) {
  spec_.data.workers = 2;
  Batches batches(spec_, dots_, factory_, nullptr);
  const auto whole = pass(batches, Split::train, 1);
  for (int i = 0; i < 20; ++i) {
    batches.start(Split::train, 5);
    for (int taken = 0; taken < i % 4; ++taken) static_cast<void>(batches.next());
    expect_equal(pass(batches, Split::train, 1), whole);
  }
  batches.start(Split::train, 6);  // left to the destructor
}

TEST_F(BatchesTest, EachItemIsSeenOnceAnEpochInAnOrderOfItsOwn) {
  Batches batches(spec_, dots_, factory_, nullptr);
  std::vector<std::int64_t> sorted(21);
  std::iota(sorted.begin(), sorted.end(), 0);
  const auto first = items(pass(batches, Split::train, 0));
  const auto second = items(pass(batches, Split::train, 1));
  EXPECT_TRUE(std::is_permutation(first.begin(), first.end(), sorted.begin(), sorted.end()));
  EXPECT_TRUE(std::is_permutation(second.begin(), second.end(), sorted.begin(), sorted.end()));
  EXPECT_NE(first, second);
  EXPECT_NE(first, sorted);
  sorted.resize(11);
  EXPECT_EQ(items(pass(batches, Split::valid, 0)), sorted);
  spec_.seed += 1;
  Batches other(spec_, dots_, factory_, nullptr);
  EXPECT_NE(items(pass(other, Split::train, 0)), first);
}

TEST_F(BatchesTest, WithoutShuffleTheOrderIsThatOfTheData) {
  spec_.data.shuffle = false;
  spec_.data.limit = 10;
  Batches batches(spec_, dots_, factory_, nullptr);
  EXPECT_EQ(items(pass(batches, Split::train, 4)),
            (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  dots_.call_sorted();
  Batches sorted(spec_, dots_, factory_, nullptr);
  EXPECT_EQ(items(pass(sorted, Split::train, 4)),
            (std::vector<std::int64_t>{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}))
      << "of 21";
}

TEST_F(BatchesTest, CountsAndTheLastBatch) {
  const auto counts = [&] {
    const Batches batches(spec_, dots_, factory_, nullptr);
    return std::vector<std::int64_t>{batches.count(Split::train), batches.count(Split::valid),
                                     batches.items(Split::train), batches.items(Split::valid)};
  };
  EXPECT_EQ(counts(), (std::vector<std::int64_t>{6, 1, 21, 11}));
  spec_.data.drop_last = true;
  EXPECT_EQ(counts(), (std::vector<std::int64_t>{5, 1, 21, 11}));
  spec_.data.valid_batch = 3;
  EXPECT_EQ(counts(), (std::vector<std::int64_t>{5, 4, 21, 11})) << "validation drops nothing";
  spec_.data.limit = 8, spec_.data.valid_limit = 2;
  EXPECT_EQ(counts(), (std::vector<std::int64_t>{2, 1, 8, 2}));
  spec_.data.limit = 100;
  EXPECT_EQ(counts()[2], 21);
}

/// 60 items of three classes, of which one is rare.
class Uneven final : public TensorDataset {
 public:
  Uneven() {
    const at::Tensor number = at::arange(60);
    train = {number.to(at::kFloat).view({60, 1}),
             at::where(number.lt(6), at::full({}, 2), number.remainder(2))};
    valid = {at::full({1, 1}, -1.0F), at::zeros({1}, at::kLong)};
    about.inputs = {{&kRegression, {}}};
    about.targets = {{&kCategory, {}}};
    about.classes = 3;
  }
  void open(const Files& /*files*/) override {}
};

TEST_F(BatchesTest, FoldsArePartsOfTheTrainingItemsAlikeInClasses) {
  const Uneven data;
  spec_.data.folds = 3;
  std::vector<std::int64_t> held;
  for (std::int64_t fold = 0; fold < 3; ++fold) {
    spec_.data.fold = fold;
    spec_.seed = static_cast<std::uint64_t>(fold);  // folds are the same whatever the seed
    Batches batches(spec_, data, factory_, nullptr);
    EXPECT_EQ(batches.items(Split::train), 40);
    EXPECT_EQ(batches.items(Split::valid), 20);
    std::vector<std::int64_t> train;
    for (const Batch& batch : pass(batches, Split::train, 0))
      train.insert(train.end(), batch.items.begin(), batch.items.end());
    std::int64_t rare = 0;
    for (const Batch& batch : pass(batches, Split::valid, 0)) {
      rare += batch.target().eq(2).sum().item<std::int64_t>();
      for (std::size_t i = 0; i < batch.items.size(); ++i) {
        EXPECT_EQ(batch.input()[static_cast<std::int64_t>(i)].item<float>(), batch.items[i])
            << "items have the numbers that the data set gives them";
        EXPECT_EQ(std::count(train.begin(), train.end(), batch.items[i]), 0);
        held.push_back(batch.items[i]);
      }
    }
    EXPECT_EQ(rare, 2) << "of six";
  }
  std::sort(held.begin(), held.end());
  std::vector<std::int64_t> all(60);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(held, all) << "each item is held out once";
}

TEST_F(BatchesTest, FoldsThatThereAreNot) {
  const auto wrong = [&](std::int64_t folds, std::int64_t fold) {
    spec_.data.folds = folds, spec_.data.fold = fold;
    return error_of([&] { const Batches batches(spec_, dots_, factory_, nullptr); });
  };
  EXPECT_EQ(wrong(1, 0), "data.folds is 1: expected 2 to 21, the number of training items");
  EXPECT_EQ(wrong(22, 0), "data.folds is 22: expected 2 to 21, the number of training items");
  EXPECT_EQ(wrong(5, 5), "data.fold is 5: of 5 folds expected 0 to 4");
}

TEST_F(BatchesTest, TheLastBatchHoldsTheRest) {
  spec_.data.shuffle = false;
  Batches batches(spec_, dots_, factory_, nullptr);
  const auto all = pass(batches, Split::train, 0);
  EXPECT_EQ(all.back().items, std::vector<std::int64_t>{20});
  EXPECT_EQ(all.back().input().size(0), 1);
}

TEST_F(BatchesTest, ATransformForTrainingLeavesValidationAlone) {
  Batches batches(spec_, dots_, factory_, nullptr);
  const Batch valid = pass(batches, Split::valid, 0).front();
  Batch plain;
  dots_.fetch(Split::valid, valid.items, plain);
  EXPECT_TRUE(same_bits(valid.input(), plain.input()));
}

TEST_F(BatchesTest, WhatALoaderMeetsIsToldWhereItsBatchIsTaken) {
  const Broken broken(9);
  spec_.data.shuffle = false;
  for (const std::int64_t workers : {0, 1, 2, 4}) {
    spec_.data.workers = workers;
    Batches batches(spec_, broken, factory_, nullptr);
    for (const std::int64_t epoch : {0, 1}) {
      batches.start(Split::train, epoch);
      EXPECT_EQ(batches.next().items.front(), 0);
      EXPECT_EQ(batches.next().items.front(), 4);
      EXPECT_EQ(error_of([&] { static_cast<void>(batches.next()); }),
                "dataset/broken: item 9 is damaged");
    }
    EXPECT_EQ(error_of([&] { static_cast<void>(pass(batches, Split::valid, 0)); }),
              "dataset/broken: item 9 is damaged");
  }
}

TEST_F(BatchesTest, ATrialWhoseDataBreakEndsWithTheirError) {
  const Broken broken(9);
  spec_.data.workers = 2;
  Notes notes;
  Trainer trainer(spec_, broken, factory_, notes, {});
  EXPECT_EQ(error_of([&] { trainer.fit(); }), "dataset/broken: item 9 is damaged");
}

TEST_F(BatchesTest, SplitsWithoutABatchAreRefused) {
  Notes notes;
  spec_.data.batch = 22;
  spec_.data.drop_last = true;
  EXPECT_EQ(error_of([&] { Trainer(spec_, dots_, factory_, notes, {}); }),
            "data.batch: the training split has 21 items, less than a batch; use a smaller batch "
            "or drop_last = false");
  spec_.data.batch = 4;
  const Dots hollow(21, 0);
  EXPECT_EQ(error_of([&] { Trainer(spec_, hollow, factory_, notes, {}); }),
            "data: the validation split is empty");
}

TEST_F(BatchesTest, ImagesThatStayBytesBecomeFloatsAndNothingElseDoes) {
  spec_.transforms.clear();
  spec_.data.valid_batch = 256;
  const auto input_of = [&](const Type& type) {
    const Bytes bytes(type);
    Batches batches(spec_, bytes, factory_, nullptr);
    return pass(batches, Split::valid, 0).front().input();
  };
  const at::Tensor bytes = at::arange(256, at::kByte).view({256, 1, 1, 1});
  EXPECT_TRUE(same_bits(input_of(kImage), bytes.to(at::kFloat).div(255)));
  EXPECT_TRUE(same_bits(input_of(kMask), bytes));
  EXPECT_TRUE(same_bits(input_of(kTensor), bytes));
}

}  // namespace
}  // namespace paribus::test
