// SPDX-License-Identifier: Apache-2.0
#include "paribus/callback_order.h"

#include <algorithm>

#include "parts.h"

namespace paribus::test {
namespace {

struct Plain final : Callback {
  Plain(const std::string& address, Words in, Words out)
      : reads_(std::move(in)), writes_(std::move(out)) {
    set_address(address);
  }
  [[nodiscard]] Words reads() const override { return reads_; }
  [[nodiscard]] Words writes() const override { return writes_; }

 private:
  Words reads_, writes_;
};

std::string order_of(std::vector<Callback*> callbacks) {
  std::string text;
  for (const Callback* callback : ordered(std::move(callbacks)))
    text += (text.empty() ? "" : " ") + callback->address();
  return text;
}

TEST(CallbackOrder, WhoWritesAThingRunsBeforeWhoReadsIt) {
  Plain a("a", {"loss"}, {}), b("b", {"batch"}, {"loss"}), c("c", {}, {"batch"}), d("d", {}, {});
  EXPECT_EQ(order_of({&a, &b, &c, &d}), "c b a d");
}

TEST(CallbackOrder, TheOrderInTheStudyChangesNothing) {
  Plain a("a", {"grads"}, {}), b("b", {}, {}), c("c", {}, {"grads"}), d("d", {"grads"}, {});
  std::vector<Callback*> callbacks{&a, &b, &c, &d};
  do EXPECT_EQ(order_of(callbacks), "b c a d");
  while (std::next_permutation(callbacks.begin(), callbacks.end()));
}

TEST(CallbackOrder, AllMayAskForAnotherFlow) {
  Plain a("a", {"flow"}, {"flow"}), b("b", {"flow"}, {"flow"});
  EXPECT_EQ(order_of({&b, &a}), "a b");
}

TEST(CallbackOrder, OneMayReadWhatItWrites) {
  Plain a("a", {"batch"}, {"batch"});
  EXPECT_EQ(order_of({&a}), "a");
}

TEST(CallbackOrder, TwoWritersOfOneThingAreRefused) {
  Plain a("callback.cutmix", {}, {"batch"}), b("callback.mixup", {}, {"loss", "batch"});
  const std::string text =
      "callback.mixup: callback.mixup and callback.cutmix both change 'batch', so the result would "
      "hang on "
      "their order; keep one of them";
  EXPECT_EQ(error_of([&] { ordered({&a, &b}); }), text);
  EXPECT_EQ(error_of([&] { ordered({&b, &a}); }), text);
}

TEST(CallbackOrder, ACircleIsNamed) {
  Plain a("a", {"loss"}, {"grads"}), b("b", {"grads"}, {"loss"});
  EXPECT_EQ(error_of([&] {
              ordered({&b, &a});
            }),
            "a: it reads 'loss' that b changes, which reads 'grads' that a changes; no order "
            "serves them all, take one out");
}

TEST(CallbackOrder, ALongCircleIsNamedWithoutThoseOutsideIt) {
  Plain a("a", {"x"}, {}), b("b", {"y"}, {"x"}), c("c", {"z"}, {"y"}), d("d", {"x"}, {"z"});
  EXPECT_EQ(error_of([&] {
              ordered({&a, &b, &c, &d});
            }),
            "b: it reads 'y' that c changes, which reads 'z' that d changes, which reads 'x' that "
            "b changes; no order serves them all, take one out");
}

}  // namespace
}  // namespace paribus::test
