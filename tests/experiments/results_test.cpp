// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "../errors.h"
#include "journal/journal.h"
#include "paribus/error.h"
#include "results/arms.h"
#include "results/filter.h"
#include "results/plan.h"
#include "results/seal.h"
#include "results/study_record.h"
#include "results/table.h"

namespace paribus::results {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::error_of;

json plan_of(const std::vector<std::string>& ids) {
  json trials = json::array();
  std::uint64_t seed = 0;
  for (const auto& id : ids) trials.push_back(json::array({0, seed++, id}));
  return json::parse(json{
      {"event", "plan"},
      {"study", {{"metric", "valid.accuracy"}, {"goal", "maximize"}, {"margin", 0.0}}},
      {"arms", {"base"}},
      {"variants", json::array({{{"arm", "base"}, {"spec", {{"train", {{"epochs", 2}}}}}}})},
      {"trials", trials}}.dump());
}

class Results : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    dir_ = fs::temp_directory_path() /
           ("paribus_" + std::string(test->name()) + "_" + std::to_string(::getpid()));
    fs::create_directories(dir_ / "journal");
  }
  void TearDown() override { fs::remove_all(dir_); }

  void write_log(const std::vector<json>& events) const {
    journal::Writer log(dir_ / "journal" / "study.log");
    for (const json& event : events) log.event(event);
  }
  void write_trial(const std::string& id, const std::vector<json>& events) const {
    journal::Writer log(journal_path(dir_, id));
    for (const json& event : events) log.event(event);
  }
  [[nodiscard]] Trial only_trial() const { return read_study(dir_).trials.at(0); }

  fs::path dir_;
};

TEST_F(Results, ATrialRunsAsLongAsItsWriterLives) {
  write_log({plan_of({"a1"})});
  EXPECT_EQ(only_trial().status, Status::planned);
  {
    journal::Writer log(journal_path(dir_, "a1"));
    log.event({{"event", "start"}});
    EXPECT_EQ(only_trial().status, Status::running);
  }
  EXPECT_EQ(only_trial().status, Status::stopped);
  write_trial("a1", {{{"event", "end"}, {"status", "done"}}});
  EXPECT_EQ(only_trial().status, Status::done);
  write_trial("a1", {{{"event", "resume"}, {"step", 1}}});
  EXPECT_EQ(only_trial().status, Status::stopped);
}

TEST_F(Results, AnExitWithoutAnEndIsAFailureWithItsReason) {
  write_log({plan_of({"a1"}),
             {{"event", "exit"}, {"trial", "a1"}, {"code", 3}, {"signal", 0}, {"time", 5}}});
  EXPECT_EQ(only_trial().message, "ended with exit status 3 and no reason");
  write_trial("a1", {{{"event", "start"}, {"time", 4}}});
  EXPECT_EQ(only_trial().status, Status::failed);
  write_trial("a1", {{{"event", "resume"}, {"step", 1}, {"time", 6}}});
  EXPECT_EQ(only_trial().status, Status::stopped) << "the exit is older than the resume";
}

TEST_F(Results, AStoppedExitIsNoFailure) {
  write_log({plan_of({"a1"}), {{"event", "exit"}, {"trial", "a1"}, {"code", 75}, {"signal", 0}}});
  write_trial("a1", {{{"event", "start"}},
                     {{"event", "end"}, {"status", "stopped"}, {"message", "asked to"}}});
  EXPECT_EQ(only_trial().status, Status::stopped);
  EXPECT_EQ(only_trial().message, "asked to");
}

TEST_F(Results, AnEndThatWasNotTheLastOneIsOfThePast) {
  for (const char* status : {"stopped", "paused", "failed"}) {
    const json end = {{"event", "end"}, {"status", status}, {"message", "of the past"}};
    write_log({plan_of({"a1"}), {{"event", "exit"}, {"trial", "a1"}, {"code", 75}, {"end", end}}});
    write_trial(
        "a1",
        {{{"event", "start"}}, end, {{"event", "start"}}, {{"event", "end"}, {"status", "done"}}});
    EXPECT_EQ(only_trial().status, Status::done) << "the log lost its tail, which told of this one";
    EXPECT_EQ(only_trial().message, "");
  }
}

TEST_F(Results, WhatIsNotKnownIsAbsent) {
  write_log({plan_of({"a1"})});
  write_trial("a1",
              {{{"event", "start"}},
               {{"event", "end"}, {"status", "done"}, {"final", {{"x", nullptr}, {"y", 2}}}}});
  const Trial trial = only_trial();
  EXPECT_FALSE(trial.seconds || trial.steps || trial.epochs);
  EXPECT_TRUE(std::isnan(trial.last.at("x")));
  EXPECT_EQ(trial.last.count("valid.accuracy"), 0U);
  EXPECT_TRUE(trial.best.empty());
}

TEST_F(Results, AnEndOfAnUnknownStatusFailsAndSaysSo) {
  write_log({plan_of({"a1"})});
  write_trial("a1", {{{"event", "end"}, {"status", "fine"}}});
  EXPECT_EQ(only_trial().status, Status::failed);
  EXPECT_EQ(only_trial().message,
            "its end says status 'fine', expected done, failed, stopped or paused");
}

TEST_F(Results, WhatTheDriversLogTellsNeedsNoJournal) {
  const json end = {{"event", "end"}, {"status", "done"},          {"steps", 20},
                    {"seconds", 3},   {"final", {{"m", nullptr}}}, {"best", {{"m", 2}}}};
  json plan = plan_of({"a1", "b2"});
  plan["variants"][0]["steps_per_epoch"] = 5;
  const json exit = {{"event", "exit"}, {"trial", "a1"}, {"code", 0}, {"signal", 0}, {"end", end}};
  write_log({plan, exit});
  const Trial told = only_trial();
  EXPECT_EQ(told.status, Status::done);
  EXPECT_EQ(told.epochs, 4);
  EXPECT_TRUE(std::isnan(told.last.at("m")));
  EXPECT_EQ(told.best.at("m"), 2);
  EXPECT_EQ(told.learned, Trial::kFromLog);
  EXPECT_EQ(read_study(dir_).trials[1].learned, Trial::kNoJournal);

  write_trial("a1", {{{"event", "start"}}});
  EXPECT_EQ(only_trial().status, Status::done) << "the log alone counts";
  write_log({{{"event", "begin"}, {"trial", "a1"}}});
  EXPECT_EQ(only_trial().status, Status::stopped) << "begun again, and then killed";
}

TEST_F(Results, UnitsAreFoundInAJournal) {
  write_log({plan_of({"a1"}),
             {{"event", "exit"},
              {"trial", "a1"},
              {"end", {{"status", "done"}, {"final", {{"train.loss", 1}}}}}}});
  journal::Writer(journal_path(dir_, "a1")).series("train.loss", "nat");
  EXPECT_EQ(trial_table(read_study(dir_)).find("train.loss")->unit, "nat");
}

TEST_F(Results, TheLastPlanCounts) {
  write_log({plan_of({"a1"}), plan_of({"a1", "b2"})});
  EXPECT_EQ(read_study(dir_).trials.size(), 2U);
}

TEST_F(Results, WhatWasPlannedLaterIsAddedToTheLastPlan) {
  const json added = json::parse(R"({"event": "planned",
          "variants": [{"arm": "long", "values": {"train.epochs": 9}, "steps_per_epoch": 5,
                        "patch": [{"op": "replace", "path": "/train/epochs", "value": 9}]}],
          "trials": [[1, 0, "b2"], [0, 7, "c3"]]})");
  write_log({plan_of({"x1"}), added, plan_of({"a1"}), added});
  const StudyRecord study = read_study(dir_);
  ASSERT_EQ(study.trials.size(), 3U);
  EXPECT_EQ(study.arms, (std::vector<std::string>{"base", "long"}));
  EXPECT_EQ(study.trials[1].arm, "long");
  EXPECT_EQ(study.trials[1].values.at("train.epochs"), 9);
  EXPECT_EQ(study.trials[1].spec(), json::parse(R"({"seed": 0, "train": {"epochs": 9}})"));
  EXPECT_EQ(study.trials[2].arm, "base");
  EXPECT_EQ(study.trials[2].spec(), json::parse(R"({"seed": 7, "train": {"epochs": 2}})"));
}

TEST_F(Results, APausedTrialIsPrunedAndCountsInSweepsOnly) {
  json plan = plan_of({"a1", "b2"});
  write_log({plan});
  write_trial("a1",
              {{{"event", "start"}, {"facts", {{"steps_per_epoch", 5}}}},
               {{"event", "end"}, {"status", "paused"}, {"steps", 10}, {"final", {{"m", 1}}}}});
  write_trial("b2", {{{"event", "start"}, {"facts", {{"steps_per_epoch", 5}}}},
                     {{"event", "end"}, {"status", "done"}, {"steps", 30}, {"final", {{"m", 4}}}}});
  StudyRecord study = read_study(dir_);
  EXPECT_EQ(study.trials[0].status, Status::pruned);
  EXPECT_EQ(study.trials[0].epochs, 2);
  EXPECT_EQ(arm_summaries(study, "m").at(0).n, 1U) << "of an arm, only what is done";
  study.axes = {"optimizer.lr"};
  const ArmSummary point = arm_summaries(study, "m").at(0);
  EXPECT_EQ(point.n, 2U);
  EXPECT_EQ(point.pruned, 1U);
  EXPECT_EQ(point.mean, 2.5);
  EXPECT_EQ(point.epochs, 4);
}

TEST_F(Results, DamageIsToldAndCostsOnlyWhatStandsBehindIt) {
  write_log({plan_of({"a1"})});
  write_trial("a1", {{{"event", "start"}}, {{"event", "end"}, {"status", "done"}}});
  fs::resize_file(journal_path(dir_, "a1"), fs::file_size(journal_path(dir_, "a1")) - 1);
  const StudyRecord study = read_study(dir_);
  EXPECT_EQ(study.trials[0].status, Status::stopped);
  ASSERT_EQ(study.problems.size(), 1U);
  EXPECT_TRUE(
      study.problems[0].starts_with("journal/a1.log: the last record is cut short at byte "))
      << study.problems[0];
}

TEST_F(Results, ATrialSharedByTwoArmsIsSealedOnce) {
  write_log({plan_of({"a1", "a1"})});
  write_trial("a1", {{{"event", "start"}}, {{"event", "end"}, {"status", "done"}}});
  EXPECT_TRUE(fs::exists(seal(read_study(dir_))));
}

TEST_F(Results, AFolderThatIsGoneCantBeSealed) {
  write_log({plan_of({"a1"})});
  const StudyRecord study = read_study(dir_);
  fs::remove_all(dir_);
  EXPECT_TRUE(error_of([&] { seal(study); }).starts_with("results.h5: HDF5 can't make "))
      << "as there is no folder";
}

TEST(Plan, SaysWhichKeyIsWrong) {
  const auto message = [](const std::function<void(json&)>& spoil) {
    json plan = plan_of({"a1"});
    spoil(plan);
    return error_of([&] { read_plan(plan); });
  };
  const std::string plan = "journal/study.log: plan: ";
  const std::string end = "; run the study again to write a new plan";
  EXPECT_EQ(message([](json& p) { p.erase("study"); }),
            plan + "'study' is unusable, expected a table" + end);
  EXPECT_EQ(message([](json& p) { p["trials"] = 1; }),
            plan + "'trials' is unusable, expected a list" + end);
  EXPECT_EQ(message([](json& p) { p["arms"] = {1}; }),
            plan + "'arms' is unusable, expected a list of texts" + end);
  EXPECT_EQ(message([](json& p) { p["study"]["goal"] = "up"; }),
            plan + "'goal' is unusable, expected maximize or minimize, got 'up'" + end);
  EXPECT_EQ(message([](json& p) { p["study"]["alpha"] = 1; }),
            plan + "'alpha' is unusable, expected a number between 0 and 1" + end);
  EXPECT_EQ(message([](json& p) { p.erase("variants"); }),
            plan + "'variants' is unusable, expected a list" + end);
  EXPECT_EQ(message([](json& p) { p["variants"][0]["patch"] = json::array(); }),
            plan +
                "'variants.patch' is unusable, expected a list of changes, of any variant but "
                "the first" +
                end);
  EXPECT_EQ(
      message([](json& p) {
        p["trials"][0] = {{"id", "a1"}};
      }),
      plan + "'trials' is unusable, expected a list of [number of a variant, seed, id]" + end);
  EXPECT_EQ(message([](json& p) { p["trials"][0][0] = 1; }),
            plan + "'trials' is unusable, expected the number of a variant in front" + end);
  EXPECT_EQ(message([](json& p) { p["trials"][0][1] = -1; }),
            plan + "'trials' is unusable, expected a seed from 0 to 2^63 - 1 in the middle" + end);
  for (const char* id : {"", "../x", "a/b", "study", "a.b"}) {
    EXPECT_EQ(message([&](json& p) { p["trials"][0][2] = id; }),
              plan +
                  "'trials' is unusable, expected an id of 1 to 128 letters, digits, - or _ at "
                  "the end" +
                  end);
  }
}

TEST(Plan, APatchThatFitsNothingIsToldWhenItIsNeeded) {
  json plan = plan_of({"a1"});
  plan["variants"].push_back(
      json::parse(R"({"arm": "b", "patch": [{"op": "remove", "path": "/model"}]})"));
  plan["trials"].push_back(json::parse(R"([1, 0, "b2"])"));
  const StudyRecord study = read_plan(plan);
  EXPECT_TRUE(
      error_of([&] { (void)study.trials[1].spec(); })
          .starts_with("journal/study.log: plan: 'variants.patch' is unusable, expected one "
                       "that fits the first variant ("));
}

TEST(TrialTable, TakesTheNarrowestTypeOfAnAxis) {
  StudyRecord study;
  study.axes = {"flag", "count", "rate", "mixed"};
  study.trials.resize(2);
  study.trials[0].values = {{"flag", true}, {"count", 1}, {"rate", 1}, {"mixed", 1}};
  study.trials[1].values = {{"flag", false}, {"count", 2}, {"rate", 0.5}, {"mixed", "x"}};
  const Table table = trial_table(study);
  EXPECT_EQ(table.find("flag")->type, ColumnType::boolean);
  EXPECT_EQ(table.find("count")->type, ColumnType::integer);
  EXPECT_EQ(table.find("rate")->type, ColumnType::real);
  EXPECT_EQ(table.find("mixed")->type, ColumnType::text);
  EXPECT_EQ(to_text(table.find("mixed")->cell(0)), "1");
  EXPECT_EQ(to_text(table.find("seconds")->cell(0)), "");
  EXPECT_EQ(table.find("nothing"), nullptr);
}

TEST(Filter, NaNAndTheUnknownFitNothing) {
  Table table{.columns = {{"x", "", ColumnType::real}}, .rows = 3, .memory = {}};
  for (const Cell& cell : {Cell(1.0), Cell(std::nan("")), Cell()}) table.columns[0].add(cell);
  EXPECT_EQ(matching_rows(table, "x = 1"), (std::vector<std::size_t>{0}));
  EXPECT_EQ(matching_rows(table, "x != 2"), (std::vector<std::size_t>{0}));
  EXPECT_EQ(matching_rows(table, "x<=1 and x>=1"), (std::vector<std::size_t>{0}));
  EXPECT_TRUE(matching_rows(table, "x < 1").empty());
  EXPECT_EQ(error_of([&] { matching_rows(table, "y = 1"); }),
            "--where 'y = 1', character 1: no column 'y'; there are x");
  EXPECT_EQ(error_of([&] { matching_rows(table, ""); }),
            "--where '', character 1: expected a column");
  EXPECT_EQ(error_of([&] { matching_rows(table, "x = 0x"); }),
            "--where 'x = 0x', character 5: got '0x', expected a number for 'x'");
}

}  // namespace
}  // namespace paribus::results
