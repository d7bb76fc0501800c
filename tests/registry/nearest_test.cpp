// SPDX-License-Identifier: Apache-2.0
#include "registry/nearest.h"

#include <gtest/gtest.h>

namespace paribus::registry {
namespace {

using Words = std::vector<std::string>;
const Words kOptimizer{"lr", "momentum", "weight_decay", "nesterov", "dampening"};

TEST(Nearest, FindsSlipsOfTheFingers) {
  EXPECT_EQ(nearest("momentun", kOptimizer), Words{"momentum"});
  EXPECT_EQ(nearest("Momentum", kOptimizer), Words{"momentum"});
  EXPECT_EQ(nearest("weight-decay", kOptimizer), Words{"weight_decay"});
  EXPECT_EQ(nearest("nestreov", kOptimizer), Words{"nesterov"});  // swapped neighbours are one edit
  EXPECT_EQ(nearest("adma", {"sgd", "adam", "lion"}), Words{"adam"});
}

TEST(Nearest, FindsAbbreviationsAndComponents) {
  EXPECT_EQ(nearest("learning_rate", kOptimizer), Words{"lr"});
  EXPECT_EQ(nearest("wd", kOptimizer), Words{"weight_decay"});
  EXPECT_EQ(nearest("decay", kOptimizer), Words{"weight_decay"});
}

TEST(Nearest, ComparesAddressesWithoutTheirCommonFront) {
  EXPECT_EQ(nearest("optimizer.learning_rate", {"optimizer.lr", "optimizer.momentum"}),
            Words{"optimizer.lr"});
  EXPECT_EQ(nearest("optimzer.lr", {"optimizer.lr", "callback.ema.decay"}), Words{"optimizer.lr"});
  EXPECT_EQ(nearest("optimizer.zzz", {"optimizer.lr", "optimizer.k"}), Words{});
}

TEST(Nearest, PutsTheNearestFirstAndKeepsToTheLimit) {
  const Words words{"cosine_2", "cosinex", "cosine"};
  EXPECT_EQ(nearest("cosine", words).front(), "cosine");
  EXPECT_EQ(nearest("cosine", words, 2).size(), 2U);
}

TEST(Nearest, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(nearest("batch", kOptimizer), Words{});
  EXPECT_EQ(nearest("k", {"p", "q"}), Words{});  // one letter for another is another word
  EXPECT_EQ(nearest("", kOptimizer), Words{});
  EXPECT_EQ(nearest("lr", {}), Words{});
  EXPECT_EQ(nearest("lr", {""}), Words{});
  EXPECT_EQ(nearest(std::string(1'000'000, 'a'), {std::string(1'000'000, 'a')}), Words{});
}

TEST(DidYouMean, ReadsAsASentence) {
  EXPECT_EQ(did_you_mean("momentun", kOptimizer), "; did you mean 'momentum'?");
  EXPECT_EQ(did_you_mean("sg", {"sgd", "sgb"}), "; did you mean 'sgb' or 'sgd'?");
  EXPECT_EQ(did_you_mean("batch", kOptimizer), "");
  EXPECT_EQ(suggestion({"a", "b", "c"}), "; did you mean 'a', 'b' or 'c'?");
}

}  // namespace
}  // namespace paribus::registry
