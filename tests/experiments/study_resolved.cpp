// SPDX-License-Identifier: Apache-2.0
// The resolved text gives the same trials; bytes turned over or cut off give a StudyError or a
// study, nothing else.

#include <random>

#include "study/spec_json.h"
#include "study_fixture.h"

namespace paribus::test {
namespace {

using StudyResolved = StudyTest;

std::string trials_of(const Study& study) {
  std::string text = study.metric + " " + study.goal + "\n";
  for (const PlannedTrial& trial : study.trials) {
    text +=
        trial.arm + " " + std::to_string(trial.seed) + " " + to_json(trial.spec()).dump() + "\n";
    for (const auto& [address, value] : trial.values)
      text += "  " + address + " = " + registry::to_json(value).dump() + "\n";
  }
  return text;
}

const std::vector<std::string>& studies() {
  static const std::vector<std::string> kStudies{
      kBase,
      "study = { question = \"a \\\"b\\\" \\u0007\", seeds = [3, 1], margin = 0.5, threads = 2 "
      "}\nmodel = { use = \"mlp\", widths = [] }\n"
      "data = { use = \"digits\", batch = 3, transforms = [\"crop\", { use = \"crop\", name = "
      "\"again\", padding = 0 }] }\nmetric = []\n",
      kBase +
          "callback = [\"ema\", { use = \"ema\", name = \"two\", guard = { use = \"mixup\", alpha "
          "= 1 } }]\n[optimizer]\nuse = \"lookahead\"\n"
          "inner = { use = \"sgd\", lr = 1 }\n[schedule]\n\"optimizer.lr\" = { use = "
          "\"one_cycle\", max = 2 }\n\"optimizer.alpha\" = \"cosine\"\n"
          "[[tracker]]\nuse = \"log\"\nuri = \"x\"\n",
      kBase +
          "[optimizer]\nmomentum = 0.9\ndampening = 0.1\n[schedule]\n\"optimizer.lr\" = "
          "\"cosine\"\n[[callback]]\nuse = \"ema\"\n[arms]\nsgd = {}\n"
          "\"look ahead.1\" = { optimizer = { use = \"lookahead\", inner = \"@sgd\" } }\nno_ema = "
          "{ \"callback.ema\" = false, metric = [\"error\", \"accuracy\"] }\n"
          "adam = { optimizer = \"adam\", \"schedule.optimizer.lr\" = false, "
          "\"schedule.loss.smoothing\" = \"cosine\" }\n"
          "other = { data = { use = \"photos\", root = \"r\" }, \"data.transforms\" = [\"flip\"], "
          "train.epochs = 9 }\n",
      kBase + "[arms]\nbase = {}\nadam = { optimizer = \"adam\", train.epochs = 2 }\n",
      kBase +
          "callback = [\"ema\", \"mixup\"]\n[ablate]\nleave_one_out = [\"callback.ema\", "
          "\"callback.mixup\"]\n",
      kBase +
          "[optimizer]\nmomentum = 0.5\n[sweep]\noptimizer.lr = { log = [0.01, 1], n = 3 "
          "}\n[sweep.zip]\ntrain.epochs = [1, 2]\ndata.batch = [2, 4]\n",
      kBase +
          "[optimizer]\nuse = \"adam\"\nlr = 3\n[schedule]\n\"optimizer.lr\" = "
          "\"cosine\"\n[sweep]\noptimizer = [\"sgd\", \"adam\", { use = \"lookahead\", k = 2 }]\n"
          "schedule.optimizer.lr = [\"cosine\", \"one_cycle\"]\n",
      kBase + "study.seeds = \"until decided\"\n[arms]\na = {}\nb.train.epochs = 2\n",
      "data = \"digits\"\n[sweep]\nmodel = [\"mlp\", \"convnet\"]\ndata.transforms = [[\"crop\"], "
      "[\"flip\", \"crop\"], []]\n"};
  return kStudies;
}

TEST_F(StudyResolved, GivesTheSameTrials) {
  for (const std::string& text : studies()) {
    const Study study = load(text);
    const std::string again = [&] {
      try {
        return trials_of(load(study.resolved));
      } catch (const StudyError& error) {
        return std::string(error.what());
      }
    }();
    EXPECT_EQ(trials_of(study), again) << study.resolved;
  }
}

TEST_F(StudyResolved, SaysWhereEachValueCameFrom) {
  write("base.toml", kBase + "[optimizer]\nlr = 0.5\n");
  const std::string text =
      load("extends = \"base.toml\"\ntrain.epochs = 2\n", {"data.batch=8"}).resolved;
  const auto has = [&](const std::string& start, const std::string& end) {
    const std::size_t at = text.find("\n" + start);
    return at != std::string::npos &&
           text.substr(at + 1, text.find('\n', at + 1) - at - 1).ends_with(end);
  };
  EXPECT_TRUE(has("lr = 0.5 ", "base.toml:4:6")) << text;
  EXPECT_TRUE(has("epochs = 2 ", "s.toml:2:16")) << text;
  EXPECT_TRUE(has("batch = 8 ", "# -s data.batch=8")) << text;
  EXPECT_TRUE(has("momentum = 0.0 ", "# default")) << text;
  EXPECT_TRUE(has("use = \"sgd\" ", "# default")) << text;
}

/// Must neither crash nor throw anything but StudyError.
bool survives(const std::function<void()>& load) {
  try {
    load();
  } catch (const StudyError& error) {
    return !error.problems().empty();
  }
  return true;
}

TEST_F(StudyResolved, MangledBytesGiveAStudyErrorAtMost) {
  std::mt19937 random(1);
  int refused = 0;
  for (const std::string& good : studies()) {
    for (int round = 0; round < 150; ++round) {
      std::string text = good;
      for (unsigned flips = 1 + random() % 3; flips-- > 0;)
        text[random() % text.size()] = static_cast<char>(random() % 256);
      if (round % 4 == 0) text.resize(random() % text.size());
      const auto path = write("fuzz.toml", text);
      EXPECT_TRUE(survives([&] {
        try {
          load_study(path, {}, catalog(), {});
        } catch (const StudyError&) {
          ++refused;
          throw;
        }
      })) << text;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST_F(StudyResolved, MangledOverridesGiveAStudyErrorAtMost) {
  std::mt19937 random(2);
  const auto path = write("s.toml", studies()[3]);
  const std::string letters = "optimizer.lr=[]{}\"'@#,01 callback.ema=false\n";
  for (int round = 0; round < 1000; ++round) {
    std::string text;
    for (unsigned size = random() % 30; size-- > 0;) text += letters[random() % letters.size()];
    EXPECT_TRUE(survives([&] { load_study(path, {text}, catalog(), {}); })) << text;
  }
}

}  // namespace
}  // namespace paribus::test
