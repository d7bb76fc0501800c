// SPDX-License-Identifier: Apache-2.0
#include "paribus/callback.h"
#include "parts.h"

namespace paribus::testing {
namespace {

/// A batch in which item i is an image of the number i and of class i mod 10.
Fit fit_of(std::vector<std::int64_t> items, std::int64_t index = 0) {
  Fit fit;
  fit.data.classes = 10;
  const at::Tensor numbers = at::tensor(items);
  fit.batch.inputs = {
      {numbers.to(at::kFloat).view({-1, 1, 1, 1}).expand({-1, 1, 2, 2}).clone(), &kImage}};
  fit.batch.targets = {{numbers.remainder(10), &kCategory}};
  fit.batch.items = std::move(items);
  fit.batch.index = index;
  return fit;
}
const std::vector<std::int64_t> kItems{3, 1, 4, 5, 9, 2, 6, 8, 7, 0};

TEST(CallbackMixup, AlphaZeroIsNothing) {
  const Made<Callback> mixup(part("callback", "mixup", {{"alpha", 0.0}}));
  Fit fit = fit_of(kItems);
  const at::Tensor input = fit.batch.input(), target = fit.batch.target();
  mixup->before_batch(fit);
  EXPECT_TRUE(fit.batch.input().is_same(input));
  EXPECT_TRUE(fit.batch.target().is_same(target));
}

TEST(CallbackMixup, ValidationStaysAsItIs) {
  const Made<Callback> mixup(part("callback", "mixup"));
  Fit fit = fit_of(kItems);
  fit.training = false;
  const at::Tensor input = fit.batch.input();
  mixup->before_batch(fit);
  EXPECT_TRUE(fit.batch.input().is_same(input));
}

TEST(CallbackMixup, MixesInputsAndTargetsAlike) {
  for (const std::string per : {"item", "batch"}) {
    const Made<Callback> mixup(part("callback", "mixup", {{"alpha", 1.0}, {"per", per}}));
    Fit fit = fit_of(kItems);
    mixup->before_batch(fit);
    const at::Tensor target = fit.batch.target();
    ASSERT_EQ(target.sizes(), (std::vector<std::int64_t>{10, 10}));
    EXPECT_TRUE(at::allclose(target.sum(1), at::ones({10})));
    // Since item i is of class i, the mixed image shows the mean of the mixed classes.
    EXPECT_TRUE(at::allclose(target.matmul(at::arange(10, at::kFloat)),
                             fit.batch.input().select(1, 0).select(1, 0).select(1, 0), 1e-5, 1e-5));
    const at::Tensor own = target.gather(1, at::tensor(kItems).unsqueeze(1)).squeeze(1);
    EXPECT_GE(own.min().item<float>(), 0.5F - 1e-6F) << "an item stays mainly itself";
    const at::Tensor mixed = own.masked_select(own < 1);
    ASSERT_GE(mixed.numel(), 5);
    EXPECT_EQ((mixed - mixed[0]).abs().max().item<float>() < 1e-6F, per == "batch");
  }
}

TEST(CallbackMixup, PointsAreMixedAndBoxesAreNot) {
  const Made<Callback> mixup(part("callback", "mixup")), cutmix(part("callback", "cutmix"));
  Fit fit = fit_of(kItems);
  fit.batch.targets = {
      {at::tensor(kItems).to(at::kFloat).view({-1, 1, 1}).expand({-1, 3, 2}), &kPoints}};
  EXPECT_EQ(error_of([&] { cutmix->before_batch(fit); }),
            "callback/cutmix: a target is points, which can't be mixed by area; for points take "
            "mixup");
  mixup->before_batch(fit);
  EXPECT_TRUE(at::allclose(fit.batch.target().select(1, 0).select(1, 0),
                           fit.batch.input().select(1, 0).select(1, 0).select(1, 0)));
  fit = fit_of(kItems);
  fit.batch.targets = {{at::zeros({10, 3, 5}), &kBoxes}};
  EXPECT_EQ(error_of([&] { mixup->before_batch(fit); }),
            "callback/mixup: the target is boxes, they can't be mixed");
  EXPECT_EQ(error_of([&] { cutmix->before_batch(fit); }),
            "callback/cutmix: a target is boxes, which can't be mixed by area; for points take "
            "mixup");
}

TEST(CallbackMixup, DrawsAreAddressedByItem) {
  const Made<Callback> mixup(part("callback", "mixup", {{"alpha", 1.0}}));
  Fit a = fit_of({7, 3, 1, 0, 2}), b = fit_of({7, 3, 1, 0, 2}), c = fit_of({7, 2, 4, 6, 8}, 1);
  mixup->before_batch(c), mixup->before_batch(a), mixup->before_batch(b);
  EXPECT_TRUE(bitwise_equal(a.batch.input(), b.batch.input()))
      << "the same whatever was drawn before";
  Fit later = fit_of({7, 3, 1, 0, 2});
  later.batch.epoch = 1;
  const auto share = [](const Fit& fit) { return fit.batch.target()[0][7].item<float>(); };
  mixup->before_batch(later);
  ASSERT_LT(std::max({share(a), share(c), share(later)}), 1)
      << "the draws gave item 7 itself as its partner; choose others";
  EXPECT_NE(share(a), share(later));
  EXPECT_EQ(share(a), share(c)) << "an item's share is its own, whatever its batch";
}

TEST(CallbackMixup, SharesFollowBeta) {
  const Made<Callback> mixup(part("callback", "mixup", {{"alpha", 1.0}}));
  std::vector<std::int64_t> items(4000);
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<std::int64_t>(i);
  Fit fit = fit_of(items);
  mixup->before_batch(fit);
  // Of Beta(1, 1) the greater of l and 1 - l has mean 3/4; partners of the same class (one in ten)
  // count as 1.
  const double own = fit.batch.target().amax(1).mean().item<double>();
  EXPECT_NEAR(own, 0.9 * 0.75 + 0.1, 0.01);
}

TEST(CallbackMixup, SaysWhatItCannotMix) {
  const Made<Callback> mixup(part("callback", "mixup"));
  Fit bytes = fit_of(kItems);
  bytes.batch.inputs.front().data = bytes.batch.input().to(at::kByte);
  EXPECT_EQ(error_of([&] { mixup->before_batch(bytes); }),
            "callback/mixup: the input is of type unsigned char, expected floats; put normalize "
            "among the transforms");
  Fit classless = fit_of(kItems);
  classless.data.classes = 0;
  EXPECT_EQ(error_of([&] { mixup->before_batch(classless); }),
            "callback/mixup: the target is neither a class nor a float, it can't be mixed");
}

}  // namespace
}  // namespace paribus::testing
