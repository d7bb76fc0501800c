// SPDX-License-Identifier: Apache-2.0
// What is wrong with a study: the text, the place, and all at once.

#include "study_fixture.h"

namespace paribus::test {
namespace {

using StudyCheck = StudyTest;

TEST_F(StudyCheck, ShortestStudyHasDefaultsForTheRest) {
  const Study study = load(kBase);
  ASSERT_EQ(study.trials.size(), 1U);
  const TrialSpec spec = study.trials[0].spec();
  EXPECT_EQ(spec.optimizer.use, "sgd");
  EXPECT_EQ(spec.loss.use, "cross_entropy");
  ASSERT_EQ(spec.metrics.size(), 1U);
  EXPECT_EQ(spec.metrics[0].address, "metric.accuracy");
  EXPECT_EQ(std::get<double>(spec.optimizer.params.at("lr")), 0.01);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(spec.optimizer.params.at("dampening")));
  EXPECT_EQ(study.metric, "valid.accuracy");
  EXPECT_EQ(study.goal, "maximize");
  EXPECT_EQ(study.trials[0].arm, "base");
  EXPECT_EQ(study.name, "s");
}

TEST_F(StudyCheck, SaysEverythingAtOnceInOrderOfPlace) {
  EXPECT_EQ(
      errors("[study]\nmetrik = \"x\"\nseeds = 0\n[data]\nuse = \"digit\"\nbatch = "
             "\"big\"\n[model]\nuse = \"mlp\"\n"
             "widths = [1, \"a\"]\nact = \"rellu\"\n[train]\nepoch = 3\n[optimizer]\nuse = "
             "\"sgd\"\nmomentun = 0.9\nlr = -1\n"),
      "s.toml:2:1: unknown key 'metrik' in [study]; did you mean 'metric'?\n"
      "s.toml:3:9: study: 'seeds' got 0, expected an integer of at least 1 and at most 100000\n"
      "s.toml:5:7: no dataset is named 'digit'; did you mean 'digits'?\n"
      "s.toml:6:9: data: 'batch' got \"big\", expected an integer of at least 1 and at most "
      "1000000000\n"
      "s.toml:9:10: model/mlp: 'widths' got a list of mixed or nested values, expected a list of "
      "integers\n"
      "s.toml:10:7: model/mlp: 'act' got \"rellu\", expected one of \"relu\", \"gelu\"; did you "
      "mean 'relu'?\n"
      "s.toml:12:1: unknown key 'epoch' in [train]; did you mean 'epochs'?\n"
      "s.toml:15:1: optimizer/sgd: unknown parameter 'momentun'; did you mean 'momentum'?\n"
      "s.toml:16:6: optimizer/sgd: 'lr' got -1, expected a number of at least 0");
}

TEST_F(StudyCheck, NotToml) {
  EXPECT_EQ(errors("model = \n").rfind("s.toml:1:9: not TOML: ", 0), 0U) << errors("model = \n");
}

TEST_F(StudyCheck, MissingFileAndFolder) {
  EXPECT_EQ(errors_of(folder_ / "none.toml"), "none.toml: no such file");
  fs::create_directory(folder_ / "dir");
  EXPECT_EQ(errors_of(folder_ / "dir"), "dir: is a folder, expected a study file");
}

TEST_F(StudyCheck, TooLarge) {
  EXPECT_EQ(errors(std::string((4 << 20) + 1, '#')),
            "s.toml: larger than 4 MiB, which no study is");
}

TEST_F(StudyCheck, KeysOfManyPartsAreRefusedBeforeTheyNest) {
  std::string key = "a";
  for (int i = 0; i < 100'000; ++i) key += ".a";
  EXPECT_EQ(errors("# " + std::string(99, '.') + "\n" + key + " = 1\n"),
            "s.toml:2:1: a key of more than 24 parts");
  EXPECT_NE(errors("'" + key + "' = 1\n").find("is no address: expected at most 24 names"),
            std::string::npos);
  std::string lists = "a = ";
  for (int i = 0; i < 40; ++i) lists += "[";
  for (int i = 0; i < 40; ++i) lists += "]";
  EXPECT_NE(errors(lists).find("nested more than 24 deep"), std::string::npos) << errors(lists);
}

TEST_F(StudyCheck, NoModelNoData) {
  EXPECT_EQ(
      errors("[train]\nepochs = 1\n"),
      "s.toml:1:1: no data: name a data set, e.g. [data] use = \"mnist\"; parts of kind dataset: "
      "digits, photos\n"
      "s.toml:1:1: no model: name one, e.g. model = \"mlp\"; parts of kind model: convnet, mlp");
}

TEST_F(StudyCheck, TopKeyThatIsKnownOneLevelDown) {
  EXPECT_EQ(errors("epochs = 3\nmodle = 1\n" + kBase),
            "s.toml:1:1: unknown key 'epochs'; did you mean 'train.epochs'?\n"
            "s.toml:2:1: unknown key 'modle'; did you mean 'model'?");
}

TEST_F(StudyCheck, APartIsANameOrATable) {
  EXPECT_EQ(errors("model = 3\ndata = \"digits\"\ncallback = 1\n"),
            "s.toml:1:9: model is a number, expected the name of a part of kind model, or a table "
            "with its `use`\n"
            "s.toml:3:12: callback is a number, expected a list of parts: write [[callback]]");
  EXPECT_EQ(errors(kBase + "[callback]\nuse = \"ema\"\n"),
            "s.toml:3:1: callback is a table, expected a list of parts: write [[callback]]");
}

TEST_F(StudyCheck, WrapperHintsAtItsInnerParameter) {
  EXPECT_EQ(errors(kBase + "[optimizer]\nuse = \"lookahead\"\nmomentum = 0.9\n"),
            "s.toml:5:1: optimizer/lookahead: unknown parameter 'momentum'; did you mean "
            "'inner.momentum'?");
}

TEST_F(StudyCheck, PartsWithinPartsWithoutEnd) {
  EXPECT_EQ(errors(kBase + "optimizer = \"wild\"\n"),
            "s.toml:3:13: optimizer/wild: 'inner' holds parts more than 16 deep");
}

TEST_F(StudyCheck, TwoEntriesOfOneName) {
  EXPECT_EQ(errors(kBase + "callback = [\"ema\", { use = \"ema\" }]\n"),
            "s.toml:3:20: callback has two entries 'ema'; give one of them another `name`");
  const Study study =
      load(kBase + "callback = [\"ema\", { use = \"ema\", name = \"slow\", decay = 0.9 }]\n");
  EXPECT_EQ(study.trials[0].spec().callbacks[1].address, "callback.slow");
}

TEST_F(StudyCheck, MetricMustBeRecorded) {
  EXPECT_EQ(
      errors("study.metric = \"valid.acuracy\"\n" + kBase),
      "s.toml:1:16: study: metric 'valid.acuracy' isn't recorded; did you mean 'valid.accuracy'?");
  EXPECT_EQ(load("study.metric = \"valid.loss\"\n" + kBase).goal, "minimize");
  EXPECT_EQ(load("metric = [\"error\"]\n" + kBase).metric, "valid.error");
  EXPECT_EQ(load("metric = \"error\"\n" + kBase).goal, "minimize");
  EXPECT_EQ(load("metric = []\n" + kBase).metric, "valid.loss");
}

TEST_F(StudyCheck, Seeds) {
  EXPECT_EQ(load("study.seeds = 3\n" + kBase).seeds, (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(load("study.seeds = [7, 3]\n" + kBase).seeds, (std::vector<std::uint64_t>{7, 3}));
  EXPECT_EQ(errors("study.seeds = [1, 1, -2]\n" + kBase),
            "s.toml:1:19: study: seed 1 is there twice\n"
            "s.toml:1:22: study: a seed is an integer of at least 0, got -2");
  EXPECT_EQ(errors("study.seeds = []\n" + kBase),
            "s.toml:1:15: study: 'seeds' is an empty list, expected at least one seed");
}

TEST_F(StudyCheck, ThreadsDoNotDependOnMoreThanTheStudy) {
  EXPECT_EQ(load("study.threads = 3\n" + kBase).trials[0].spec().threads, 3);
  EXPECT_EQ(load("study.seeds = 100000\n" + kBase).threads, 1);
  EXPECT_EQ(errors("study.threads = \"all\"\n" + kBase),
            "s.toml:1:17: study: 'threads' got \"all\", expected \"auto\" or an integer of at "
            "least 1 and at most 1024");
}

TEST_F(StudyCheck, Plugins) {
  fs::create_directory(folder_ / "mine");
  const auto path = write("s.toml", "study.plugins = [\"mine\", \"yours\"]\n" + kBase);
  EXPECT_EQ(plugin_folders(path, {}), (std::vector<fs::path>{folder_ / "mine"}));
  EXPECT_EQ(errors("study.plugins = [\"yours\"]\n" + kBase).rfind("s.toml:1:18: ", 0), 0U);
  const auto good = write("t.toml", "study.plugins = [\"mine\"]\n");
  EXPECT_EQ(plugin_folders(good, {}), (std::vector<fs::path>{folder_ / "mine"}));
}

TEST_F(StudyCheck, ControlCharactersNeverReachATerminal) {
  EXPECT_EQ(errors("\"\\u001b[31m\" = 1\n" + kBase).rfind("s.toml:1:1: unknown key '\\x1b[31m'", 0),
            0U);
}

TEST_F(StudyCheck, PlaceOfAWorkersProblem) {
  const Study study =
      load(kBase + "[optimizer]\nlr = 0.1\n[arms]\na = {}\nb = { model = { widths = [1] } }\n");
  EXPECT_EQ(study.place("optimizer.lr", "a", "m").line, 4);
  EXPECT_EQ(study.place("model.widths", "b", "m").line, 7);
  EXPECT_EQ(study.place("model.widths", "a", "m").line, 1);
  EXPECT_EQ(study.place("callback.ema", "a", "m").line, 1);
}

}  // namespace
}  // namespace paribus::test
