// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>

#include <numeric>

#include "data.h"

namespace paribus::test {
namespace {

using Params = std::map<std::string, Value>;

Value whole(std::int64_t value) { return value; }

Batch all(const Dataset& dataset, Split split, std::int64_t count) {
  std::vector<std::int64_t> items(static_cast<std::size_t>(count));
  std::iota(items.begin(), items.end(), 0);
  Batch batch;
  dataset.fetch(split, items, batch);
  return batch;
}

/// The first `count` images of a set made with these parameters.
at::Tensor images(const Params& params, Split split = Split::train, std::int64_t count = 20) {
  const Instance glyphs = make("dataset", "glyphs", params);
  glyphs.as<Dataset>().open({});
  return all(glyphs.as<Dataset>(), split, count).input();
}

TEST(Glyphs, DefaultIsWhatItSays) {
  const Instance glyphs = make("dataset", "glyphs");
  auto& dataset = glyphs.as<Dataset>();
  dataset.open({});
  const DataSpec spec = dataset.spec();
  EXPECT_EQ(spec.train_items, 10000);
  EXPECT_EQ(spec.valid_items, 2000);
  EXPECT_EQ(spec.classes, 10);
  EXPECT_EQ(spec.inputs.at(0).shape, (std::vector<std::int64_t>{1, 28, 28}));
  const Batch train = all(dataset, Split::train, 10000);
  const at::Tensor pixels = train.input().to(at::kDouble);
  EXPECT_NEAR(pixels.mean().item<double>(), spec.mean.at(0), 1e-9);
  EXPECT_NEAR(pixels.std(/*unbiased=*/false).item<double>(), spec.std.at(0), 1e-9);
  const at::Tensor counts = at::bincount(train.target());
  EXPECT_EQ(counts.min().item<int>(), 1000);
  EXPECT_EQ(counts.max().item<int>(), 1000);
}

// The set is the same on every machine, so results on it may be compared.
TEST(Glyphs, DefaultHasAlwaysTheSameBytes) {
  const Instance glyphs = make("dataset", "glyphs");
  glyphs.as<Dataset>().open({});
  EXPECT_EQ(glyphs.as<Dataset>().fingerprint(), 0xc8e122bcdbf1cfcaU);
}

TEST(Glyphs, AnItemDoesNotDependOnHowManyThereAre) {
  const at::Tensor few = images({{"items", whole(20)}, {"valid_items", whole(20)}});
  EXPECT_TRUE(at::equal(few, images({{"items", whole(500)}, {"valid_items", whole(10)}})));
}

TEST(Glyphs, SplitsAndSeedsDiffer) {
  const Params params{{"items", whole(20)}, {"valid_items", whole(20)}};
  EXPECT_FALSE(at::equal(images(params), images(params, Split::valid)));
  EXPECT_FALSE(at::equal(images(params), images({{"items", whole(20)}, {"seed", whole(1)}})));
}

TEST(Glyphs, NoiseClutterAndDistortionMatter) {
  const Params plain{
      {"items", whole(20)}, {"noise", 0.0}, {"clutter", whole(0)}, {"distortion", 0.0}};
  const at::Tensor base = images(plain);
  for (const auto& [name, value] :
       Params{{"noise", 0.3}, {"clutter", whole(9)}, {"distortion", 0.7}}) {
    Params changed = plain;
    changed[name] = value;
    EXPECT_FALSE(at::equal(base, images(changed))) << name;
  }
}

// Assigning each image to the nearest class mean must be better than guessing and far from good:
// the set is neither empty nor easy.
TEST(Glyphs, IsNeitherEmptyNorEasy) {
  const Instance glyphs =
      make("dataset", "glyphs", {{"items", whole(3000)}, {"valid_items", whole(500)}});
  auto& dataset = glyphs.as<Dataset>();
  dataset.open({});
  const Batch train = all(dataset, Split::train, 3000), valid = all(dataset, Split::valid, 500);
  at::Tensor means = at::zeros({10, 784}, at::kFloat);
  means.index_add_(0, train.target(), train.input().view({-1, 784}).to(at::kFloat)).div_(300);
  const at::Tensor pixels = valid.input().view({-1, 1, 784}).to(at::kFloat);
  const at::Tensor guess = (pixels - means).square().sum(2).argmin(1);
  const double accuracy = (guess == valid.target()).to(at::kDouble).mean().item<double>();
  EXPECT_GT(accuracy, 0.2);
  EXPECT_LT(accuracy, 0.7);
}

}  // namespace
}  // namespace paribus::test
