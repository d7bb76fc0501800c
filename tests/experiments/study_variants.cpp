// SPDX-License-Identifier: Apache-2.0
// Points of a sweep share what they have in common; each must still be what it is alone.
#include <set>

#include "study/config.h"
#include "study/spec_json.h"
#include "study_fixture.h"

namespace paribus::test {
namespace {

class StudyVariants : public StudyTest {
 protected:
  /// Holds every point of a sweep against the study with its values given by -s. Returns how many
  /// configurations the points were made from.
  std::size_t check(const std::string& base, const std::string& sweep,
                    const std::vector<std::string>& order) const {
    const Study study = load(base + "[sweep]\n" + sweep);
    std::set<const TrialShape*> shapes;
    for (const PlannedTrial& trial : study.trials) {
      shapes.insert(trial.shape.get());
      std::vector<std::string> overrides;
      for (const std::string& address : order)
        overrides.push_back(address + "=" + toml_value(trial.values.at(address)));
      TrialSpec alone = load(base, overrides).trials.at(0).spec();
      alone.seed = trial.seed;
      alone.threads = trial.spec().threads;  // a matter of how many trials there are
      EXPECT_EQ(to_json(trial.spec()), to_json(alone)) << trial.arm << ", seed " << trial.seed;
    }
    return shapes.size();
  }
};

TEST_F(StudyVariants, ValuesOfParametersAreExchangedInOneConfiguration) {
  const std::string base =
      "study.seeds = 2\nmodel = \"mlp\"\ndata = \"digits\"\n"
      "callback = [\"ema\"]\n[schedule]\n\"optimizer.lr\" = \"one_cycle\"\n";
  EXPECT_EQ(
      check(base,
            "\"optimizer.momentum\" = [0, 0.5]\n\"schedule.optimizer.lr.max\" = [0.1, 1]\n"
            "\"callback.ema.decay\" = [0.9, 0.99]\n\"data.batch\" = [32, 64]\n"
            "\"train.clip_norm\" = [1, 2.5]\n\"model.act\" = [\"relu\", \"gelu\"]\n"
            "\"model.widths\" = [[8], [8, 16]]\n\"optimizer.dampening\" = [0.1, 0.2]\n",
            {"optimizer.momentum", "schedule.optimizer.lr.max", "callback.ema.decay", "data.batch",
             "train.clip_norm", "model.act", "model.widths", "optimizer.dampening"}),
      1U);
}

TEST_F(StudyVariants, OtherPartsAreOtherConfigurations) {
  EXPECT_EQ(check(kBase,
                  "model = [\"mlp\", \"convnet\"]\n\"optimizer.lr\" = [0.1, 0.2, 0.3]\n"
                  "\"data.items\" = [10, 20]\n",
                  {"model", "optimizer.lr", "data.items"}),
            2U);
  EXPECT_EQ(check(kBase + "[optimizer]\nuse = \"lookahead\"\n",
                  "\"optimizer.inner\" = [\"sgd\", \"adam\"]\n\"optimizer.inner.lr\" = [0.1, 0.2]\n"
                  "\"optimizer.k\" = [3, 7]\n",
                  {"optimizer.inner", "optimizer.inner.lr", "optimizer.k"}),
            2U);
}

TEST_F(StudyVariants, AValueThatALaterOneReplacesDoesNotComeBack) {
  // adam takes sgd's place whole, and with it the rate that was set before.
  check(kBase, "\"optimizer.lr\" = [0.1, 0.2]\noptimizer = [\"sgd\", \"adam\"]\n",
        {"optimizer.lr", "optimizer"});
  check(kBase, "\"train.epochs\" = [2, 3]\ntrain = [{ epochs = 7 }, { epochs = 3 }]\n",
        {"train.epochs"});
}

TEST_F(StudyVariants, ABadValueAmongManyIsToldAtItsPlace) {
  EXPECT_EQ(errors(kBase + "[sweep]\noptimizer.lr = [0.1, 0.2, -1, 0.3]\n"),
            "s.toml:4:27: optimizer/sgd: 'lr' got -1, expected a number of at least 0");
  EXPECT_EQ(errors(kBase + "[sweep]\ntrain.epochs = [1, 2, \"x\"]\n"),
            "s.toml:4:23: train: 'epochs' got \"x\", expected an integer of at least 1 and at "
            "most 1000000");
}

}  // namespace
}  // namespace paribus::test
