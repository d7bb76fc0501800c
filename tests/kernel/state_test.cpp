// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>

#include "parts.h"

namespace paribus::test {
namespace {

struct Kept {
  at::Tensor average = at::arange(6, at::kFloat).view({2, 3});
  at::Tensor none;
  std::vector<at::Tensor> history{at::ones({2}), at::Tensor(), at::zeros({0}, at::kLong)};
  double best = 0.1 + 0.2;
  std::int64_t waited = (std::int64_t{1} << 62) + 1;

  void state(State& s) {
    s.tensor("average", average), s.tensor("none", none), s.tensors("history", history);
    s.number("best", best), s.number("waited", waited);
  }
};

TensorMap saved_by(Kept& kept, const std::string& prefix) {
  NamedTensors saved;
  SaveState save(saved, prefix);
  EXPECT_FALSE(save.loading());
  kept.state(save);
  return {saved.begin(), saved.end()};
}

TEST(State, ComesBackThroughAFile) {
  const Folder folder;
  Kept before, after;
  const TensorMap saved = saved_by(before, "part/callback.x/");
  EXPECT_TRUE(saved.contains("part/callback.x/history.count"));
  write_safetensors(folder / "x", {saved.begin(), saved.end()});
  const TensorMap read = read_safetensors(folder / "x");
  after.average = at::zeros({2, 3});
  after.none = at::ones({1});
  after.history = {at::ones({7})};
  after.best = after.waited = 0;
  const void* place = after.average.const_data_ptr();
  LoadState load(read, "part/callback.x/");
  EXPECT_TRUE(load.loading());
  after.state(load);
  EXPECT_TRUE(same_bits(after.average, before.average));
  EXPECT_EQ(after.average.const_data_ptr(), place) << "loaded in place where it fits";
  EXPECT_FALSE(after.none.defined());
  ASSERT_EQ(after.history.size(), 3U);
  EXPECT_TRUE(same_bits(after.history[0], before.history[0]));
  EXPECT_FALSE(after.history[1].defined());
  EXPECT_EQ(after.history[2].scalar_type(), at::kLong);
  EXPECT_EQ(after.best, before.best);
  EXPECT_EQ(after.waited, before.waited);
}

TEST(State, ATensorOfAnotherShapeIsReplaced) {
  Kept before, after;
  const TensorMap saved = saved_by(before, "");
  after.average = at::zeros({5}, at::kDouble);
  LoadState load(saved, "");
  after.state(load);
  EXPECT_TRUE(same_bits(after.average, before.average));
}

TEST(State, WhatIsMissingIsNamed) {
  Kept kept;
  const TensorMap saved = saved_by(kept, "part/a/");
  LoadState other(saved, "part/b/");
  EXPECT_EQ(error_of([&] { other.number("best", kept.best); }),
            "checkpoint: no 'part/b/best' in it");
}

TEST(State, ALengthThatCanNotBeIsRefused) {
  Kept kept;
  for (const std::int64_t count : {std::int64_t{-1}, std::int64_t{1} << 60}) {
    const TensorMap saved{{"history.count", at::scalar_tensor(count, at::kLong)}};
    LoadState load(saved, "");
    EXPECT_EQ(
        error_of([&] { load.tensors("history", kept.history); }),
        "checkpoint: 'history.count' is " + std::to_string(count) + ", expected 0 .. 1000000");
  }
}

}  // namespace
}  // namespace paribus::test
