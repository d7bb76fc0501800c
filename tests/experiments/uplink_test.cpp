// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "../errors.h"
#include "journal/journal.h"
#include "uplink/batch.h"
#include "uplink/flat.h"
#include "uplink/output.h"
#include "uplink/positions.h"
#include "uplink/request.h"
#include "uplink/status.h"

namespace paribus::uplink {
namespace {

namespace fs = std::filesystem;

class UplinkTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / ("uplink_" + std::string(test->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string unmasked(std::string text) { return text; }

  fs::path folder_;
};

TEST_F(UplinkTest, ABatchEndsWhereItIsAskedToOrAtAnEnd) {
  const fs::path path = folder_ / "t.log";
  journal::Writer log(path);
  log.event({{"event", "start"}, {"time", "2026-01-02T03:04:05Z"}});
  const auto loss = log.series("loss", "nat");
  for (int step = 1; step <= 100; ++step) log.point(loss, step, 1.0 / step);
  log.event({{"event", "end"}, {"status", "done"}});
  log.sync();
  const Batch first = read_batch(path, {}, 1000);
  ASSERT_EQ(first.points.size(), 100U);
  EXPECT_EQ(first.next.started, 1767323045);
  EXPECT_EQ(first.next.series[0].unit, "nat");
  EXPECT_FALSE(first.end);
  const Batch last = read_batch(path, first.next, 1000);
  EXPECT_TRUE(last.points.empty());
  EXPECT_EQ(last.end->at("status"), "done");
  EXPECT_EQ(read_batch(path, last.next, 1000).next.at, fs::file_size(path));
  EXPECT_EQ(read_batch(path, {}, 1, first.next.at).points.size(), 100U);
}

TEST_F(UplinkTest, WhatIsNoJournalIsNamed) {
  const fs::path path = folder_ / "t.log";
  std::ofstream(path) << "something else";
  EXPECT_TEXT(test::error_of([&] { read_batch(path, {}, 1); }), "is not a journal");
  EXPECT_TEXT(test::error_of([&] { read_batch(folder_ / "none.log", {}, 1); }), "can't open");
}

TEST_F(UplinkTest, PositionsSurviveAndSoDoesWhatWasAboutToBeDelivered) {
  Position position;
  position.at = 123, position.last = std::string("\x00\xff", 2), position.sent = 7;
  position.series = {{"loss", "nat", 5, Series::kNone}};
  position.order = {0};
  position.memo = "as it was";
  {
    Positions positions(folder_ / "p.log", unmasked);
    positions.put("one", position);
    positions.intend("one", {456, 1.5});
    positions.put("two", position);
    positions.forget("two");
    EXPECT_EQ(positions.sent(), 7);
  }
  const Positions positions(folder_ / "p.log", unmasked);
  const Position read = positions.of("one");
  EXPECT_EQ(read.last, position.last);
  EXPECT_EQ(read.series[0].floor, Series::kNone);
  EXPECT_EQ(read.memo, "as it was");
  EXPECT_EQ(positions.intent("one")->until, 456U);
  EXPECT_EQ(positions.of("two").at, 0U);
  EXPECT_EQ(positions.sent(), 7);
}

TEST_F(UplinkTest, PositionsHaveOneWriterAndStaySmall) {
  Position position;
  position.memo = std::string(5000, 'x');
  {
    Positions positions(folder_ / "p.log", unmasked);
    EXPECT_NE(test::error_of([&] { Positions second(folder_ / "p.log", unmasked); }), "");
    std::uintmax_t most = 0;
    for (int i = 0; i < 3000; ++i) {
      position.sent = i;
      positions.intend("one", {.until = 5});
      positions.put("one", position);
      most = std::max(most, fs::file_size(folder_ / "p.log"));
    }
    EXPECT_GT(most, 4'000'000U);
    EXPECT_LT(most, 6'000'000U);
    EXPECT_NE(test::error_of([&] { Positions second(folder_ / "p.log", unmasked); }), "");
  }
  const Positions again(folder_ / "p.log", unmasked);
  EXPECT_EQ(again.of("one").memo, position.memo);
  EXPECT_EQ(again.sent(), 2999);
}

TEST_F(UplinkTest, WhatIsAboutToBeDeliveredSurvivesThatTheFileIsWrittenAnew) {
  Position large;
  large.memo = std::string(3'000'000, 'x');
  {
    Positions positions(folder_ / "p.log", unmasked);
    positions.put("one", large);
    positions.put("one", large);  // anew from here on
    positions.intend("two", {.until = 7, .source = Source::output});
    for (int i = 0; i < 60'000; ++i) positions.intend("three", {.until = 9});
  }
  Positions again(folder_ / "p.log", unmasked);
  EXPECT_EQ(again.intent("two")->source, Source::output);
  EXPECT_EQ(again.intent("three")->until, 9U);
  again.forget_all();
  EXPECT_FALSE(again.intent("two"));
  EXPECT_EQ(again.of("one").memo, "");
}

TEST_F(UplinkTest, LinesOfAnOutputAreWholeUnlessItIsOver) {
  const fs::path path = folder_ / "t.txt";
  std::ofstream(path) << "one\n50 %\r100 %\r\nth";
  const OutputBatch first = read_output(path, 0, 1000, 0, false);
  EXPECT_EQ(first.lines, (std::vector<std::string>{"one", "100 %"}));
  EXPECT_TRUE(read_output(path, first.until, 1000, 0, false).lines.empty());
  const OutputBatch rest = read_output(path, first.until, 1000, 0, true);
  EXPECT_EQ(rest.lines, std::vector<std::string>{"th"});
  EXPECT_EQ(rest.until, fs::file_size(path));
  EXPECT_EQ(read_output(path, 0, 1, first.until, false).lines, first.lines);
  EXPECT_TRUE(read_output(path, 1 << 20, 1000, 0, true).lines.empty());
  EXPECT_TRUE(read_output(folder_ / "none.txt", 0, 1000, 0, true).lines.empty());
  std::ofstream(path) << std::string(200'000, 'x');
  EXPECT_EQ(read_output(path, 0, 1000, 0, false).lines[0].size(), 65536U);
}

TEST_F(UplinkTest, NoSecretIsKeptInAMemo) {
  const auto masked = [](std::string text) { return text == "key" ? "***" : text; };
  Position position;
  position.memo = "key";
  Positions positions(folder_ / "p.log", masked);
  positions.put("one", position);
  EXPECT_EQ(positions.of("one").memo, "***");
}

TEST_F(UplinkTest, AStatusThatIsNoneIsToldAsSuch) {
  fs::create_directories(state_folder(folder_));
  write_status(folder_, {"csv", "tracker/csv", "up to date", "", 5, 0});
  std::ofstream(state_folder(folder_) / "evil.json") << R"({"name": "evil", "points": "x"})";
  std::ofstream(state_folder(folder_) / "list.json") << "[1]";
  const std::vector<Status> all = statuses(folder_);
  ASSERT_EQ(all.size(), 3);
  EXPECT_EQ(in_words(all[0]), "5 points delivered");
  for (const Status& one : {all[1], all[2]}) {
    EXPECT_EQ(one.state, "unreadable");
    EXPECT_EQ(in_words(one),
              (state_folder(folder_) / (one.name + ".json")).string() + " can't be read");
  }
}

TEST_F(UplinkTest, PositionsThatWereChangedAreRefused) {
  Positions positions(folder_ / "p.log", unmasked);
  positions.put("one", Position{});
  journal::Writer(folder_ / "q.log")
      .event({{"event", "position"},
              {"trial", "one"},
              {"position", R"({"at":0,"last":"zz","sent":0,"started":false,"time":0,"series":[],)"
                           R"("order":[],"memo":"","ended":false})"}});
  Positions changed(folder_ / "q.log", unmasked);
  EXPECT_EQ(test::error_of([&] { static_cast<void>(changed.of("one")); }),
            "a position among those delivered is not in hexadecimal digits");
}

TEST(UplinkPatterns, StarsAndQuestionMarks) {
  EXPECT_TRUE(fits({}, "anything"));
  EXPECT_TRUE(fits({"valid.*"}, "valid.accuracy"));
  EXPECT_TRUE(fits({"*.loss"}, "train.loss"));
  EXPECT_TRUE(fits({"a*b*c"}, "a-b-b-c"));
  EXPECT_TRUE(fits({"no", "l?"}, "lr"));
  EXPECT_TRUE(fits({"*"}, ""));
  EXPECT_FALSE(fits({"valid"}, "valid.loss"));
  EXPECT_FALSE(fits({"a*b"}, "a-b-c"));
  EXPECT_FALSE(fits({"?"}, ""));
}

TEST(UplinkRequest, ComesBackAsItWas) {
  Request request{"/a/study", 2.5, true, {}};
  PartSpec part{"tracker", "csv", "tracker.two", {{"folder", std::string("x")}}, {}};
  request.trackers.push_back({part, {"valid.*"}, "/p/tracker_csv.so", "symbol", "00", true});
  const Request back = request_from(to_json(request));
  EXPECT_EQ(to_json(back), to_json(request));
  EXPECT_EQ(back.trackers[0].name(), "two");
}

TEST(UplinkFlat, EveryParameterByItsAddress) {
  TrialSpec spec;
  spec.dataset = {"dataset", "digits", "data", {{"items", std::int64_t{5}}}, {}};
  spec.model = {"model", "mlp", "model", {}, {}};
  spec.loss = {"loss", "mse", "loss", {}, {}};
  spec.optimizer = {"optimizer", "lookahead", "optimizer", {{"alpha", 0.5}, {"k", Value{}}}, {}};
  spec.optimizer.slots["inner"] = {"optimizer", "sgd", "optimizer.inner", {{"lr", 0.1}}, {}};
  spec.schedules = {{"optimizer.inner.lr",
                     {"schedule", "cosine", "schedule.optimizer.inner.lr", {{"to", 0.0}}, {}}}};
  spec.callbacks = {{"callback", "ema", "callback.ema", {{"decay", 0.9}}, {}}};
  const Flat made = flat(spec);
  EXPECT_EQ(made.parameters.at("optimizer"), Value{std::string("lookahead")});
  EXPECT_EQ(made.parameters.at("optimizer.inner.lr"), Value{0.1});
  EXPECT_EQ(made.parameters.at("data.items"), Value{std::int64_t{5}});
  EXPECT_EQ(made.parameters.at("data.batch"), Value{std::int64_t{64}});
  EXPECT_EQ(made.parameters.at("schedule.optimizer.inner.lr.to"), Value{0.0});
  EXPECT_FALSE(made.parameters.contains("optimizer.k"));
  EXPECT_EQ(made.tables["callback"]["ema"]["decay"], 0.9);
  EXPECT_EQ(made.tables["optimizer"]["inner"]["use"], "sgd");
  EXPECT_EQ(made.tables["schedule"]["optimizer.inner.lr"]["to"], 0.0);
}

}  // namespace
}  // namespace paribus::uplink
