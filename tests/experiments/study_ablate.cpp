// SPDX-License-Identifier: Apache-2.0
// [ablate]: which arms it writes, in which order and by which names; fractions that are what they
// say.

#include <algorithm>

#include "study/config.h"
#include "study/fractions.h"
#include "study_fixture.h"

namespace paribus::test {
namespace {

using StudyAblate = StudyTest;

const std::string kParts = kBase +
                           "callback = [\"ema\", \"mixup\"]\n"
                           "[schedule]\n\"optimizer.lr\" = \"cosine\"\n[ablate]\n";
const std::string kThree =
    R"(["callback.ema", "schedule.optimizer.lr", { "optimizer.momentum" = [0.0, 0.9] }])";

TrialSpec spec_of(const Study& study, const std::string& arm) {
  const auto found = std::find_if(study.trials.begin(), study.trials.end(),
                                  [&](const PlannedTrial& trial) { return trial.arm == arm; });
  if (found == study.trials.end()) throw Error("no arm " + arm);
  return found->spec();
}

/// "ema mixup | lr | 0.9": callbacks, driven parameters, momentum.
std::string held(const Study& study, const std::string& arm) {
  const TrialSpec& spec = spec_of(study, arm);
  std::string text;
  for (const PartSpec& callback : spec.callbacks) text += callback.use + " ";
  for (const ScheduleSpec& schedule : spec.schedules) text += "| " + schedule.target + " ";
  return text + "| " + toml_value(spec.optimizer.params.at("momentum"));
}

TEST_F(StudyAblate, LeavesOneOut) {
  const Study study = load(kParts + "leave_one_out = " + kThree);
  EXPECT_EQ(study.arms,
            (std::vector<std::string>{"full", "no callback.ema", "no schedule.optimizer.lr",
                                      "optimizer.momentum=0.0"}));
  EXPECT_EQ(held(study, "full"), "ema mixup | optimizer.lr | 0.9");
  EXPECT_EQ(held(study, "no callback.ema"), "mixup | optimizer.lr | 0.9");
  EXPECT_EQ(held(study, "no schedule.optimizer.lr"), "ema mixup | 0.9");
  EXPECT_EQ(held(study, "optimizer.momentum=0.0"), "ema mixup | optimizer.lr | 0.0");
  EXPECT_TRUE(study.design.empty());
}

TEST_F(StudyAblate, AddsOne) {
  const Study study = load(kParts + "add_one = " + kThree);
  EXPECT_EQ(study.arms,
            (std::vector<std::string>{"none", "only callback.ema", "only schedule.optimizer.lr",
                                      "optimizer.momentum=0.9"}));
  EXPECT_EQ(held(study, "none"), "mixup | 0.0");
  EXPECT_EQ(held(study, "only callback.ema"), "ema mixup | 0.0");
  EXPECT_EQ(held(study, "only schedule.optimizer.lr"), "mixup | optimizer.lr | 0.0");
  EXPECT_EQ(held(study, "optimizer.momentum=0.9"), "mixup | 0.9");
}

TEST_F(StudyAblate, CombinesAll) {
  const Study study = load(kParts + "factorial = " + kThree);
  EXPECT_EQ(study.arms,
            (std::vector<std::string>{"full", "no ema", "no lr", "no ema, no lr", "momentum=0.0",
                                      "no ema, momentum=0.0", "no lr, momentum=0.0", "none"}));
  EXPECT_EQ(held(study, "no ema, momentum=0.0"), "mixup | optimizer.lr | 0.0");
  EXPECT_EQ(held(study, "none"), "mixup | 0.0");
  EXPECT_EQ(study.design.factors, (std::vector<std::string>{"callback.ema", "schedule.optimizer.lr",
                                                            "optimizer.momentum"}));
  EXPECT_EQ(study.design.on[5], (std::vector<bool>{false, true, false}));
  EXPECT_EQ(resolution_of(study.design), 0U);
  EXPECT_TRUE(confounded(study.design).empty());
  EXPECT_EQ(effects_of(study.design).size(), 6U);
}

TEST_F(StudyAblate, AFractionSaysWhatItConfounds) {
  const Study study = load(kParts + "fractional = { of = " + kThree + ", arms = 4 }");
  EXPECT_EQ(study.arms, (std::vector<std::string>{"full", "no ema, momentum=0.0",
                                                  "no lr, momentum=0.0", "no ema, no lr"}));
  EXPECT_EQ(resolution_of(study.design), 3U);
  EXPECT_EQ(
      confounded(study.design),
      (std::vector<std::string>{"callback.ema = schedule.optimizer.lr : optimizer.momentum",
                                "schedule.optimizer.lr = callback.ema : optimizer.momentum",
                                "optimizer.momentum = callback.ema : schedule.optimizer.lr"}));
}

TEST_F(StudyAblate, GeneratorsOfOnesOwnGiveTheSame) {
  const std::string of = "fractional = { of = " + kThree;
  EXPECT_EQ(load(kParts + of + ", generators = [\"C = AB\"] }").arms,
            load(kParts + of + ", resolution = 3 }").arms);
}

TEST_F(StudyAblate, AResumedDesignIsTheSame) {
  for (const char* kind : {"factorial = ", "fractional = { resolution = 3, of = "}) {
    const std::string end = std::string(kind).ends_with("of = ") ? " }" : "";
    const Study study = load(kParts + kind + kThree + end);
    const Study again = load(study.resolved);
    EXPECT_EQ(again.design, study.design) << study.resolved;
    EXPECT_EQ(again.arms, study.arms);
    for (const std::string& arm : study.arms) EXPECT_EQ(held(again, arm), held(study, arm));
  }
}

TEST_F(StudyAblate, FactorsThatEndAlikeKeepWhatTellsThemApart) {
  const Study study = load(kBase + "[optimizer]\nuse = \"lookahead\"\n[ablate]\nfactorial = [" +
                           R"({ "optimizer.inner.lr" = [1, 2] }, { "optimizer.k" = [2, 3] }, )" +
                           R"({ "callback.ema.guard" = ["ema", "mixup"] }]
[[callback]]
use = "ema"
)");
  EXPECT_EQ(study.arms[7], "none");
  EXPECT_EQ(study.arms[1], "lr=1");
  const Study two = load(
      "model = \"mlp\"\ncallback = [\"ema\"]\ndata = { use = \"digits\", transforms = "
      "[\"crop\", { use = \"crop\", name = \"ema\" }] }\n[ablate]\nfactorial = "
      "[\"callback.ema\", \"data.transforms.ema\"]");
  EXPECT_EQ(two.arms,
            (std::vector<std::string>{"full", "no callback.ema", "no transforms.ema", "none"}));
}

TEST(Fractions, AreWhatTheyAreCalled) {
  for (const Fraction& fraction : known_fractions()) {
    Design design;
    for (std::size_t i = 0; i < fraction.factors; ++i)
      design.factors.emplace_back(1, kFactorLetters[i]);
    const std::size_t basic = fraction.factors - fraction.generators.size();
    ASSERT_EQ(fraction.arms, std::size_t{1} << basic);
    for (std::size_t arm = 0; arm < fraction.arms; ++arm) {
      design.on.emplace_back();
      for (std::size_t i = 0; i < basic; ++i) design.on.back().push_back(((arm >> i) & 1) == 0);
      for (const std::string& generator : fraction.generators) {
        const auto off = std::count_if(generator.begin(), generator.end(), [&](char letter) {
          return !design.on.back()[std::string_view(kFactorLetters).find(letter)];
        });
        design.on.back().push_back(off % 2 == 0);
      }
    }
    EXPECT_EQ(resolution_of(design), fraction.resolution) << fraction.factors << fraction.arms;
    EXPECT_EQ(flaw_of(design, fraction.arms), "");
  }
}

TEST(Design, SurvivesThePlan) {
  const Design design{
      "factorial", {"a", "b"}, {{true, true}, {false, true}, {true, false}, {false, false}}};
  EXPECT_EQ(design_of(to_json(design)), design);
  EXPECT_TRUE(to_json(Design{}).is_null());
  EXPECT_TRUE(design_of(nullptr).empty());
  const auto refused = [](const char* text) {
    try {
      design_of(nlohmann::json::parse(text));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_EQ(refused("{}"), "a table with kind, factors and a list of true and false for each arm");
  EXPECT_EQ(refused(R"({"kind": "x", "factors": ["a"], "on": [[true], [true]]})"),
            "an orthogonal design, but 'a' is not on in half of the arms");
  EXPECT_EQ(refused(R"({"kind": "x", "factors": ["a", "b"], "on": [[true], [true, false]]})"),
            "an orthogonal design, but a row of 1 for 2 factors");
}

}  // namespace
}  // namespace paribus::test
