// SPDX-License-Identifier: Apache-2.0
// Sweeps: how axes are written, which points come of them, and how large they may be.

#include <chrono>
#include <cmath>
#include <limits>

#include "study_fixture.h"

namespace paribus::test {
namespace {

using StudySweep = StudyTest;

std::vector<double> reals(const Study& study, const std::string& address) {
  std::vector<double> result;
  for (const PlannedTrial& trial : study.trials)
    result.push_back(std::get<double>(trial.values.at(address)));
  return result;
}

TEST_F(StudySweep, GridOfListsInOrder) {
  const Study study =
      load(kBase + "[sweep]\n\"optimizer.momentum\" = [0.8, 0.9]\n\"train.epochs\" = [1, 2]\n");
  EXPECT_TRUE(study.is_sweep);
  EXPECT_EQ(study.swept, (std::vector<std::string>{"optimizer.momentum", "train.epochs"}));
  EXPECT_EQ(study.arms, (std::vector<std::string>{"optimizer.momentum=0.8, train.epochs=1",
                                                  "optimizer.momentum=0.8, train.epochs=2",
                                                  "optimizer.momentum=0.9, train.epochs=1",
                                                  "optimizer.momentum=0.9, train.epochs=2"}));
  EXPECT_EQ(std::get<double>(study.trials[3].spec().optimizer.params.at("momentum")), 0.9);
  EXPECT_EQ(study.trials[3].spec().train.epochs, 2);
  EXPECT_EQ(std::get<std::int64_t>(study.trials[3].values.at("train.epochs")), 2);
}

TEST_F(StudySweep, RangesReadAsPeopleWriteThem) {
  EXPECT_EQ(reals(load(kBase + "[sweep]\noptimizer.lr = { range = [0.1, 0.5], step = 0.1 }\n"),
                  "optimizer.lr"),
            (std::vector<double>{0.1, 0.2, 0.3, 0.4, 0.5}));
  EXPECT_EQ(reals(load(kBase + "[sweep]\noptimizer.lr = { log = [0.001, 1.0], n = 4 }\n"),
                  "optimizer.lr"),
            (std::vector<double>{0.001, 0.01, 0.1, 1.0}));
  EXPECT_EQ(
      reals(load(kBase + "[sweep]\noptimizer.lr = { range = [0, 1], n = 3 }\n"), "optimizer.lr"),
      (std::vector<double>{0, 0.5, 1}));
  const Study whole = load(kBase + "[sweep]\ndata.items = { range = [10, 30], step = 10 }\n");
  EXPECT_EQ(std::get<std::int64_t>(whole.trials[2].spec().dataset.params.at("items")), 30);
}

TEST_F(StudySweep, PartsAndZip) {
  const Study study =
      load(kBase +
           "[sweep]\nmodel = [\"mlp\", \"convnet\"]\n[sweep.zip]\n\"optimizer.lr\" = [0.1, 0.2]\n"
           "\"optimizer.momentum\" = [0.8, 0.9]\n");
  ASSERT_EQ(study.trials.size(), 4U);
  EXPECT_EQ(study.trials[3].spec().model.use, "convnet");
  EXPECT_EQ(study.trials[3].arm, "model=convnet, optimizer.lr=0.2, optimizer.momentum=0.9");
  EXPECT_EQ(std::get<std::string>(study.trials[3].values.at("model")), "convnet");
}

TEST_F(StudySweep, WhatAnAxisCannotBe) {
  EXPECT_EQ(
      errors(kBase +
             "[sweep]\n\"optimizer.lr\" = []\n\"optimizer.momentum\" = { range = [1, 0], n = 3 }\n"
             "\"train.epochs\" = { range = [1, 3], step = 0 }\n\"data.batch\" = { log = [0, 3], n "
             "= 2 }\n"
             "\"loss.smoothing\" = { range = [0, inf], n = 2 }\n\"data.limit\" = 3\n"
             "\"train.clip_norm\" = { range = [0, 1], count = 2 }\n\"model.act\" = { values = "
             "[\"relu\"], n = 2 }\n"),
      "s.toml:4:18: sweep of 'optimizer.lr': the list is empty: there is nothing to try\n"
      "s.toml:5:34: sweep of 'optimizer.momentum': low must be below high, got [1, 0]\n"
      "s.toml:6:43: sweep of 'train.epochs': step is 0, expected a number above 0\n"
      "s.toml:7:24: sweep of 'data.batch': log needs low above 0, got 0\n"
      "s.toml:8:30: sweep of 'loss.smoothing': the ends must be finite\n"
      "s.toml:9:16: sweep of 'data.limit': got a number, expected a list, { values = [...] }, { "
      "range = [low, high], "
      "step = s }, { range = [low, high], n = k } or { log = [low, high], n = k }\n"
      "s.toml:10:39: sweep of 'train.clip_norm': unknown key 'count'; keys: values, range, log, "
      "step, n\n"
      "s.toml:11:40: sweep of 'model.act': 'n' goes with a range");
}

TEST_F(StudySweep, ValuesAreCheckedWhereTheyStand) {
  EXPECT_EQ(
      errors(kBase +
             "[sweep]\n\"optimizer.lr\" = [0.1, -1.0, \"x\", nan]\n\"optimizer.lrr\" = [1]\n"),
      "s.toml:4:24: optimizer/sgd: 'lr' got -1, expected a number of at least 0\n"
      "s.toml:4:30: optimizer/sgd: 'lr' got \"x\", expected a number of at least 0\n"
      "s.toml:4:35: optimizer/sgd: 'lr' got nan, expected a finite number of at least 0\n"
      "s.toml:5:1: optimizer/sgd: unknown parameter 'lrr'; did you mean 'lr'?");
}

TEST_F(StudySweep, ListsThatDoNotAdvanceTogether) {
  EXPECT_EQ(errors(kBase +
                   "[sweep.zip]\n\"optimizer.lr\" = [0.1, 0.2]\n\"optimizer.momentum\" = [0.8]\n"),
            "s.toml:5:24: [sweep.zip]: 'optimizer.momentum' has 1 values, 'optimizer.lr' has 2; "
            "they advance together");
  EXPECT_EQ(
      errors(kBase + "[sweep]\n\"optimizer.lr\" = [0.1]\n[sweep.zip]\n\"optimizer.lr\" = [0.2]\n"),
      "s.toml:6:1: 'optimizer.lr' is swept twice");
}

TEST_F(StudySweep, TooManyTrials) {
  EXPECT_EQ(errors(kBase + "[sweep]\n\"optimizer.lr\" = { range = [0.0, 1.0], n = 1000 "
                           "}\n\"optimizer.momentum\" = { range = [0.0, 0.9], n = 1000 }\n"),
            "s.toml:3:2: the grid has 1000000 points, expected at most 100000; use fewer values or "
            "search = { use = \"random\", "
            "trials = 20 }");
  EXPECT_EQ(errors(kBase + "[sweep]\n\"optimizer.lr\" = { range = [0.0, 1.0], step = 1e-300 }\n")
                .rfind("s.toml:4:47: sweep of 'optimizer.lr': 1e+300 values", 0),
            0U);
  EXPECT_EQ(errors("study.seeds = 1000\n" + kBase +
                   "[sweep]\n\"optimizer.lr\" = { range = [0.0, 1.0], n = 1000 }\n"),
            "s.toml:1:1: 1000000 trials, expected at most 100000; use fewer values or seeds");
}

TEST_F(StudySweep, ArmsAndSweepTogether) {
  EXPECT_EQ(errors(kBase + "[arms]\na = {}\n[sweep]\noptimizer.lr = [0.1]\n"),
            "s.toml:5:2: a study has arms or a sweep, not both; write the sweep's values as arms, "
            "or two studies with `extends`");
}

const std::string kRandom =
    kBase +
    "[sweep]\nsearch = { use = \"random\", trials = 3 }\noptimizer.lr = { log = [0.01, 1] }\n"
    "data.items = { range = [10, 20] }\nmodel.act = [\"relu\", \"gelu\"]\n";

TEST_F(StudySweep, SearchPartProposesPoints) {
  std::vector<SearchAxis> asked;
  const Proposer propose = [&](const PartSpec& part, const std::vector<SearchAxis>& axes,
                               std::uint64_t) {
    EXPECT_EQ(part.use, "random");
    EXPECT_EQ(std::get<std::int64_t>(part.params.at("trials")), 3);
    asked = axes;
    return std::vector<SearchPoint>{{{-1, 0.5}, {-1, 12.0}, {1, 0}},
                                    {{-1, 0.5}, {-1, 12.0}, {1, 0}},
                                    {{-1, 0.01}, {-1, 20.0}, {0, 0}}};
  };
  const Study study = load(kRandom, {}, propose);
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_TRUE(asked[0].log);
  EXPECT_FALSE(asked[0].integer);
  EXPECT_TRUE(asked[1].integer);
  EXPECT_EQ(asked[2].count, 2);
  ASSERT_EQ(study.trials.size(), 2U);  // equal points are one trial
  EXPECT_EQ(study.trials[0].arm, "optimizer.lr=0.5, data.items=12, model.act=gelu");
}

TEST_F(StudySweep, WhatASearchPartProposesIsChecked) {
  const auto refused = [&](const std::vector<SearchPoint>& points) -> std::string {
    try {
      load(kRandom, {}, [&](const auto&, const auto&, auto) { return points; });
    } catch (const StudyError& error) {
      return error.problems()[0].message;
    }
    return "none";
  };
  EXPECT_EQ(refused({}), "search/random: proposes no points");
  EXPECT_EQ(refused({{{0, 0}}}), "search/random: proposes a point of 1 values for 3 axes");
  EXPECT_EQ(refused({{{-1, 7.0}, {-1, 12.0}, {0, 0}}}),
            "search/random: proposes 7 for 'optimizer.lr', outside [0.01, 1]");
  EXPECT_EQ(refused({{{-1, 0.5}, {-1, 12.0}, {2, 0}}}),
            "search/random: proposes entry 2 of a list of 2");
  EXPECT_EQ(refused({{{-1, std::nan("")}, {-1, 12.0}, {0, 0}}}),
            "search/random: proposes nan for 'optimizer.lr', outside [0.01, 1]");
}

TEST_F(StudySweep, AGridNeedsCounts) {
  EXPECT_EQ(errors(kBase + "[sweep]\noptimizer.lr = { log = [0.01, 1] }\n"),
            "s.toml:4:16: sweep of 'optimizer.lr': a grid needs `n` or `step`; or say search = { "
            "use = \"random\", trials = 20 }");
  EXPECT_EQ(errors(kRandom), "s.toml:4:10: search/random can't be asked for points here");
  EXPECT_EQ(errors(kBase + "[sweep]\nsearch = \"asha\"\noptimizer.lr = [0.1]\n"),
            "s.toml:4:10: no search is named 'asha'; parts of kind search: grid, random");
}

TEST_F(StudySweep, AThousandTrialsWellUnderASecond) {
  const auto begin = std::chrono::steady_clock::now();
  const Study study = load(
      kBase +
      "callback = [\"ema\", \"mixup\"]\n[schedule]\n\"optimizer.lr\" = \"one_cycle\"\n[sweep]\n"
      "optimizer.momentum = { range = [0.0, 0.9], n = 40 }\nschedule.optimizer.lr.max = { log = "
      "[0.01, 1.0], n = 25 }\n");
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  RecordProperty("milliseconds", std::to_string(seconds * 1e3));
  EXPECT_EQ(study.trials.size(), 1000U);
  EXPECT_LT(seconds, 5);  // the bar is 1 s; a loaded machine must not fail the test
}

}  // namespace
}  // namespace paribus::test
