// SPDX-License-Identifier: Apache-2.0
// Each rule by which configurations are put over each other.

#include "study_fixture.h"

namespace paribus::test {
namespace {

using StudyMerge = StudyTest;

PartSpec part_of(const Study& study, const std::string& arm, PartSpec TrialSpec::*member) {
  for (const PlannedTrial& trial : study.trials) {
    if (trial.arm == arm) return trial.spec().*member;
  }
  throw Error("no arm " + arm);
}

double real_in(const PartSpec& part, const std::string& name) {
  return std::get<double>(part.params.at(name));
}

TrialSpec arm_of(const Study& study, const std::string& arm) {
  for (const PlannedTrial& trial : study.trials) {
    if (trial.arm == arm) return trial.spec();
  }
  throw Error("no arm " + arm);
}

const std::string kOptimizer = kBase + "[optimizer]\nuse = \"sgd\"\nmomentum = 0.9\nlr = 0.1\n";

TEST_F(StudyMerge, TablesMergeKeyByKeyAndAnotherUseReplaces) {
  const Study study =
      load(kOptimizer +
           "[arms]\nsame = {}\nlr = { optimizer = { lr = 0.2 } }\n"
           "named = { optimizer = { use = \"sgd\", lr = 0.3 } }\nadam = { optimizer = \"adam\" }\n"
           "dotted = { \"optimizer.use\" = \"adam\" }\n");
  EXPECT_EQ(study.arms, (std::vector<std::string>{"same", "lr", "named", "adam", "dotted"}));
  EXPECT_EQ(study.trials.size(), 25U);
  EXPECT_EQ(real_in(part_of(study, "lr", &TrialSpec::optimizer), "lr"), 0.2);
  EXPECT_EQ(real_in(part_of(study, "lr", &TrialSpec::optimizer), "momentum"), 0.9);
  EXPECT_EQ(real_in(part_of(study, "named", &TrialSpec::optimizer), "momentum"), 0.9);
  EXPECT_EQ(real_in(part_of(study, "adam", &TrialSpec::optimizer), "lr"), 0.001);
  EXPECT_EQ(part_of(study, "dotted", &TrialSpec::optimizer).use, "adam");
}

TEST_F(StudyMerge, AnArmRefersToAnother) {
  const Study study = load(
      kOptimizer +
      "[arms]\nsgd = {}\nlookahead = { optimizer = { use = \"lookahead\", inner = \"@sgd\" } }\n"
      "twice = { optimizer = { use = \"lookahead\", inner = \"@lookahead\" } }\n"
      "faster = { optimizer = { use = \"@sgd\", lr = 0.5 } }\n");
  const PartSpec lookahead = part_of(study, "lookahead", &TrialSpec::optimizer);
  const PartSpec& inner = lookahead.slots.at("inner");
  EXPECT_EQ(inner.address, "optimizer.inner");
  EXPECT_EQ(real_in(inner, "momentum"), 0.9);
  const PartSpec twice = part_of(study, "twice", &TrialSpec::optimizer);
  const PartSpec& deep = twice.slots.at("inner").slots.at("inner");
  EXPECT_EQ(deep.address, "optimizer.inner.inner");
  EXPECT_EQ(real_in(deep, "lr"), 0.1);
  EXPECT_EQ(real_in(part_of(study, "faster", &TrialSpec::optimizer), "lr"), 0.5);
  EXPECT_EQ(real_in(part_of(study, "faster", &TrialSpec::optimizer), "momentum"), 0.9);
}

TEST_F(StudyMerge, ReferencesThatLeadNowhere) {
  EXPECT_EQ(errors(kBase + "[arms]\nsgd = {}\na = { optimizer = \"@sdg\" }\nb = { optimizer = "
                           "\"@c\" }\nc = { optimizer = \"@b\" }\n"),
            "s.toml:5:19: no arm is named 'sdg'; did you mean 'sgd'?\n"
            "s.toml:6:19: arms refer to each other in a circle: c -> b -> c");
  EXPECT_NE(errors(kBase + "optimizer = \"@a\"\n[arms]\na = {}\n")
                .find("an arm is referred to within [arms] only"),
            std::string::npos);
}

TEST_F(StudyMerge, EntriesOfListsByName) {
  const std::string base =
      kBase + "[[callback]]\nuse = \"ema\"\ndecay = 0.9\n[[callback]]\nuse = \"mixup\"\n";
  const Study study =
      load(base +
           "[arms]\nbase = {}\nchanged = { \"callback.ema.decay\" = 0.8 }\nout = { "
           "\"callback.ema\" = false }\n"
           "added = { \"callback.slow\" = { use = \"ema\", decay = 0.7 } }\n"
           "other = { callback.mixup = { use = \"ema\" } }\nlist = { callback = [\"mixup\"] }\n");
  EXPECT_EQ(real_in(arm_of(study, "changed").callbacks[0], "decay"), 0.8);
  ASSERT_EQ(arm_of(study, "out").callbacks.size(), 1U);
  EXPECT_EQ(arm_of(study, "out").callbacks[0].use, "mixup");
  ASSERT_EQ(arm_of(study, "added").callbacks.size(), 3U);
  EXPECT_EQ(arm_of(study, "added").callbacks[2].address, "callback.slow");
  EXPECT_EQ(arm_of(study, "other").callbacks[1].address, "callback.mixup");
  EXPECT_EQ(arm_of(study, "other").callbacks[1].use, "ema");
  EXPECT_EQ(arm_of(study, "list").callbacks.size(), 1U);
  EXPECT_EQ(
      errors(base +
             "[arms]\na = { \"callback.ema\" = false }\nb = { \"callback.emma.decay\" = 1 }\n"),
      "s.toml:10:7: callback has no entry 'emma'; did you mean 'ema'?");
}

TEST_F(StudyMerge, AnotherDataSetKeepsSettingsAndTransforms) {
  const Study study = load(
      "model = \"mlp\"\n[data]\nuse = \"digits\"\nitems = 7\nbatch = 9\ntransforms = [\"crop\", { "
      "use = \"flip\", p = 0.1 }]\n"
      "[arms]\na = {}\nb = { data = \"photos\", \"data.transforms.crop.padding\" = 1 }\n");
  EXPECT_EQ(arm_of(study, "b").dataset.use, "photos");
  EXPECT_FALSE(arm_of(study, "b").dataset.params.contains("items"));
  EXPECT_EQ(arm_of(study, "b").data.batch, 9);
  ASSERT_EQ(arm_of(study, "b").transforms.size(), 2U);
  EXPECT_EQ(std::get<std::int64_t>(arm_of(study, "b").transforms[0].params.at("padding")), 1);
  EXPECT_EQ(arm_of(study, "b").transforms[0].address, "data.transforms.crop");
}

TEST_F(StudyMerge, Extends) {
  write("base.toml", kOptimizer +
                         "study.seeds = 2\n"
                         "[arms]\na = {}\nb = { optimizer.lr = 0.2 }\n");
  EXPECT_NE(errors_of(folder_ / "base.toml"), "none");  // study within [optimizer]
  write("base.toml",
        "study.seeds = 2\n" + kOptimizer + "[arms]\na = {}\nb = { optimizer.lr = 0.2 }\n");
  const Study study = load(
      "extends = \"base.toml\"\n\"optimizer.momentum\" = 0.5\n[arms]\nb = { optimizer.momentum = "
      "0.6 }\nc = {}\n");
  EXPECT_EQ(study.arms, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(real_in(arm_of(study, "a").optimizer, "momentum"), 0.5);
  EXPECT_EQ(real_in(arm_of(study, "b").optimizer, "momentum"), 0.6);
  EXPECT_EQ(real_in(arm_of(study, "b").optimizer, "lr"), 0.2);
  EXPECT_EQ(study.place("optimizer.lr", "b", "").text().find((folder_ / "base.toml:10:").string()),
            0U);
}

TEST_F(StudyMerge, ExtendsNothingOrItself) {
  EXPECT_EQ(errors("extends = \"none.toml\"\n"), "s.toml:1:11: none.toml: no such file");
  write("b.toml", "extends = \"s.toml\"\n");
  EXPECT_EQ(errors("extends = \"b.toml\"\n"),
            "b.toml:1:11: extends in a circle: s.toml -> b.toml -> s.toml");
  EXPECT_EQ(errors("extends = 3\n"),
            "s.toml:1:11: extends is a number, expected the path of a study file");
}

TEST_F(StudyMerge, Overrides) {
  const Study study =
      load(kOptimizer + "[[callback]]\nuse = \"ema\"\n[arms]\na = {}\n\"no x.y\" = {}\n",
           {"optimizer.lr=0.7", "study.seeds=[4]", "callback.ema=false", "train.device=cpu",
            "arms.no x.y.train.epochs=2"});
  EXPECT_EQ(study.trials.size(), 2U);
  EXPECT_EQ(real_in(study.trials[0].spec().optimizer, "lr"), 0.7);
  EXPECT_TRUE(study.trials[0].spec().callbacks.empty());
  EXPECT_EQ(study.trials[0].spec().train.device, "cpu");
}

TEST_F(StudyMerge, OverridesAreCheckedLikeTheFile) {
  EXPECT_EQ(errors(kBase, {"optimizer.lr=fast", "optimizer.lrr=1", "train", "=3", "model.act=\"x"}),
            "-s model.act=\"x: not TOML: Error while parsing string: encountered end-of-file");
  EXPECT_EQ(
      errors(kBase, {"optimizer.lr=fast", "optimizer.lrr=1", "train", "=3"}),
      "-s =3: expected key=value\n"
      "-s optimizer.lr=fast: optimizer/sgd: 'lr' got \"fast\", expected a number of at least 0\n"
      "-s optimizer.lrr=1: optimizer/sgd: unknown parameter 'lrr'; did you mean 'lr'?\n"
      "-s train: expected key=value");
  EXPECT_NE(errors(kBase, {"model.act=1\nx=2"}).find("the value has several lines"),
            std::string::npos);
}

TEST_F(StudyMerge, SchedulesFallThroughWrappers) {
  const Study study =
      load(kOptimizer +
           "[schedule]\n\"optimizer.lr\" = { use = \"one_cycle\", max = 0.4 }\n[arms]\nsgd = {}\n"
           "look = { optimizer = { use = \"lookahead\", inner = \"@sgd\" } }\n"
           "steep = { \"schedule.optimizer.lr.max\" = 0.8 }\nplain = { schedule.optimizer.lr = "
           "false }\n");
  EXPECT_EQ(arm_of(study, "sgd").schedules.at(0).target, "optimizer.lr");
  EXPECT_EQ(arm_of(study, "look").schedules.at(0).target, "optimizer.inner.lr");
  EXPECT_EQ(std::get<double>(arm_of(study, "steep").schedules.at(0).part.params.at("max")), 0.8);
  EXPECT_TRUE(arm_of(study, "plain").schedules.empty());
}

TEST_F(StudyMerge, SchedulesThatCannotBe) {
  EXPECT_EQ(errors(kBase + "[schedule]\n\"optimizer.lrr\" = \"cosine\"\n\"optimizer.lr\" = "
                           "0.1\n\"model.act\" = \"cosine\"\n"),
            "s.toml:4:1: can't schedule 'optimizer.lrr': it has no such parameter; did you mean "
            "'optimizer.lr'?\n"
            "s.toml:5:18: a schedule is a part, got a number; for a constant write optimizer.lr = "
            "0.1 in its own place\n"
            "s.toml:6:1: can't schedule 'model.act': model/mlp can't change 'act' during training; "
            "live parameters: "
            "loss.smoothing, optimizer.lr, optimizer.momentum, optimizer.dampening");
  EXPECT_EQ(
      errors(
          kBase +
          "[schedule]\n\"optimizer.lr\" = \"cosine\"\n\"optimizer.inner.lr\" = \"cosine\"\n[arms]\n"
          "look = { optimizer = \"lookahead\" }\nsgd = {}\n"),
      "s.toml:5:1: a second schedule of optimizer.inner.lr; the first is 'schedule.optimizer.lr' "
      "(in arm look)\n"
      "s.toml:5:1: can't schedule 'optimizer.inner.lr': there is no such part; live parameters: "
      "loss.smoothing, "
      "optimizer.lr, optimizer.momentum, optimizer.dampening (in arm sgd)");
}

TEST_F(StudyMerge, ArmsAreTables) {
  EXPECT_EQ(errors(kBase + "[arms]\na = 1\nb = { study.seeds = 1 }\n"),
            "s.toml:4:5: arm 'a' is a number, expected a table of what it changes, {} for nothing\n"
            "s.toml:5:7: 'study' is the whole study's: it can't differ between trials");
}

TEST_F(StudyMerge, BaseIsTheFileUnlessAnArmOfThatNameChangesIt) {
  const std::string look = "look = { optimizer = { use = \"lookahead\", inner = \"@base\" } }\n";
  EXPECT_EQ(errors(kBase + "[arms]\nbase = {}\n" + look), "none");
  EXPECT_EQ(errors(kBase + "[arms]\nbase = { train.epochs = 1 }\nb = { train.epochs = 2 }\n"),
            "none");
  EXPECT_EQ(errors(kBase + "[arms]\nbase = { train.epochs = 1 }\n" + look),
            "s.toml:5:51: '@base' may mean the file without any arm or the arm 'base', which "
            "changes something; call that arm otherwise");
}

TEST_F(StudyMerge, AblateWritesTheArms) {
  const std::string base =
      kBase + "callback = [\"ema\", \"mixup\"]\n[schedule]\n\"optimizer.lr\" = \"cosine\"\n";
  const Study study =
      load(base + "[ablate]\nleave_one_out = [\"callback.ema\", \"schedule.optimizer.lr\"]\n");
  EXPECT_EQ(study.arms,
            (std::vector<std::string>{"full", "no callback.ema", "no schedule.optimizer.lr"}));
  EXPECT_EQ(arm_of(study, "full").callbacks.size(), 2U);
  EXPECT_EQ(arm_of(study, "no callback.ema").callbacks.size(), 1U);
  EXPECT_TRUE(arm_of(study, "no schedule.optimizer.lr").schedules.empty());
  EXPECT_EQ(
      errors(base +
             "[ablate]\nleave_one_out = [\"optimizer.lr\", \"callback.emma\"]\n[arms]\na = {}\n"),
      "s.toml:6:1: [ablate] writes the arms itself: it can't stand beside arms or a sweep");
  EXPECT_EQ(errors(base + "[ablate]\nleave_one_out = [\"optimizer.lr\", \"callback.emma\"]\n"),
            "s.toml:7:18: 'optimizer.lr' can't be left out: expected an entry of callback, metric "
            "or data.transforms, or a "
            "schedule, e.g. \"callback.ema\", or any address with two values, off and on, e.g. "
            "{ \"optimizer.momentum\" = [0.0, 0.9] }\n"
            "s.toml:7:34: callback has no entry 'emma'; did you mean 'ema'?");
}

}  // namespace
}  // namespace paribus::test
