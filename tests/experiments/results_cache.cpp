// SPDX-License-Identifier: Apache-2.0
// What readers get by the cache of a study is what they get from its journals alone.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <random>

#include "journal/journal.h"
#include "results/cache.h"
#include "results/filter.h"
#include "results/view.h"

namespace paribus::results {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kTrials = 1500, kPoints = 500;

std::string id_of(int trial) { return fmt::format("{:016x}", 0x1234567890abcdef * (trial + 1ULL)); }

json plan(int trials) {
  json variants = json::array(), list = json::array();
  for (int i = 0; i < kPoints; ++i) {
    json variant = {{"arm", fmt::format("lr={}", i)},
                    {"values", {{"lr", i * 0.5}, {"model", i % 2 ? "mlp" : "convnet"}}},
                    {"steps_per_epoch", 5},
                    {"epochs", 4}};
    variant[i == 0 ? "spec" : "patch"] = i == 0 ? json::object() : json::array();
    variants.push_back(std::move(variant));
  }
  for (int i = 0; i < trials; ++i) list.push_back({i % kPoints, i / kPoints, id_of(i)});
  return {{"event", "plan"},
          {"study", {{"name", "many"}, {"metric", "valid.accuracy"}, {"goal", "maximize"}}},
          {"axes", {"lr", "model"}},
          {"variants", variants},
          {"trials", list}};
}

json end_of(int trial, const std::string& status = "done") {
  json final = {{"valid.accuracy", trial * 1e-3}, {"train.loss", 1.0 / (trial + 1)}};
  if (trial % 7 == 0) final["train.loss"] = nullptr;
  return {{"event", "end"},
          {"status", status},
          {"steps", 20},
          {"seconds", 0.25},
          {"final", final},
          {"best", final},
          {"message", status == "done" ? "" : "so it goes"}};
}

json exit_of(int trial, const json& end = {}) {
  json event = {{"event", "exit"}, {"trial", id_of(trial)}, {"code", 0}, {"signal", 0}};
  if (end.is_object()) event["end"] = end;
  return event;
}

/// Every cell and problem, so that two views can be compared.
std::string shown(const StudyView& view) {
  std::string text = fmt::format("{} {} {}\n", view.name, view.metric, view.trials.rows);
  for (const Column& column : view.trials.columns) {
    text += fmt::format("{} ({})\n", column.name, column.unit);
    for (std::size_t row = 0; row < column.size(); ++row)
      text += fmt::format("{}:{} ", column.cell(row).index(), to_text(column.cell(row)));
  }
  for (const std::string& problem : view.all_problems()) text += "\n" + problem;
  return text;
}

class ResultsCache : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "paribus-cache-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    fs::create_directories(dir_ / "journal");
    log([](journal::Writer& out) {
      out.event(plan(kTrials));
      for (int i = 0; i < kTrials - 20; ++i)
        out.event(exit_of(i, end_of(i, i % 11 ? "done" : "paused")));
    });
    journal(0, [](journal::Writer& out) { out.series("valid.accuracy", "fraction"); });
  }
  void TearDown() override { fs::remove_all(dir_); }

  void log(const std::function<void(journal::Writer&)>& write) const {
    journal::Writer out(dir_ / "journal" / "study.log");
    write(out);
  }
  void journal(int trial, const std::function<void(journal::Writer&)>& write) const {
    journal::Writer out(journal_path(dir_, id_of(trial)));
    write(out);
  }
  /// What the journals say.
  [[nodiscard]] std::string truth() const { return shown(view_of(read_study(dir_))); }
  /// Makes what was written look older than a moment, as it mostly is.
  void age() const {
    const auto before = fs::file_time_type::clock::now() - std::chrono::minutes(1);
    for (const auto& entry : fs::directory_iterator(dir_ / "journal"))
      fs::last_write_time(entry.path(), before);
    fs::last_write_time(dir_ / "journal", before);
  }
  void make_cache() const {
    age();
    refresh_cache(dir_);
    ASSERT_TRUE(fs::exists(cache_path(dir_)));
  }

  fs::path dir_;
};

TEST_F(ResultsCache, SaysWhatTheJournalsSay) {
  const std::string wanted = truth();
  EXPECT_EQ(shown(read_view(dir_)), wanted);
  EXPECT_TRUE(fs::exists(cache_path(dir_))) << "long work is kept";
  EXPECT_EQ(shown(read_view(dir_)), wanted);
  age();
  EXPECT_EQ(shown(read_view(dir_)), wanted);
  const StudyView view = read_view(dir_);
  EXPECT_EQ(view.trials.find("valid.accuracy")->unit, "fraction");
  EXPECT_EQ(matching_rows(view.trials, "status = done and lr >= 249 and seed = 1").size(), 2U);
  EXPECT_EQ(matching_rows(view.trials, "id = " + id_of(7)), std::vector<std::size_t>{7});
}

TEST_F(ResultsCache, ASmallStudyHasNone) {
  fs::remove(dir_ / "journal" / "study.log");
  log([](journal::Writer& out) { out.event(plan(10)); });
  EXPECT_EQ(read_view(dir_).trials.rows, 10U);
  refresh_cache(dir_);
  EXPECT_FALSE(fs::exists(cache_path(dir_)));
}

TEST_F(ResultsCache, IsBroughtUpToTheLog) {
  make_cache();
  log([](journal::Writer& out) {
    for (int i = kTrials - 20; i < kTrials - 10; ++i) out.event(exit_of(i, end_of(i, "failed")));
    out.event({{"event", "begin"}, {"trial", id_of(3)}});
  });
  journal(3, [](journal::Writer& out) { out.event({{"event", "start"}}); });
  const std::string wanted = truth();
  EXPECT_EQ(shown(read_view(dir_)), wanted);
  refresh_cache(dir_);
  EXPECT_EQ(read_cache(dir_)->origin.log.size(), 2U);
  EXPECT_EQ(shown(read_view(dir_)), wanted);
  EXPECT_EQ(matching_rows(read_view(dir_).trials, "status = stopped"), std::vector<std::size_t>{3});
}

TEST_F(ResultsCache, SeesTrialsThatRunNow) {
  make_cache();
  journal::Writer begun(journal_path(dir_, id_of(kTrials - 1)));
  begun.event({{"event", "start"}});
  EXPECT_EQ(matching_rows(read_view(dir_).trials, "status = running"),
            std::vector<std::size_t>{kTrials - 1});
  EXPECT_EQ(shown(read_view(dir_)), truth());
  begun.event(end_of(5));
  EXPECT_EQ(shown(read_view(dir_)), truth());
}

TEST_F(ResultsCache, AnotherPlanANewMetricAndAKilledTrialAreRead) {
  make_cache();
  log([](journal::Writer& out) { out.event(plan(kTrials - 100)); });
  EXPECT_EQ(shown(read_view(dir_)), truth());
  make_cache();
  json end = end_of(kTrials - 1);
  end["final"]["valid.new"] = 3;
  log([&](journal::Writer& out) {
    out.event({{"event", "planned"}, {"variants", json::array()}, {"trials", {{3, 77, "added"}}}});
    out.event(exit_of(2, end));
  });
  EXPECT_EQ(shown(read_view(dir_)), truth());
  make_cache();
  log([&](journal::Writer& out) {
    json killed = exit_of(4);
    killed["signal"] = 9;
    out.event(killed);
  });
  EXPECT_EQ(shown(read_view(dir_)), truth());
  make_cache();
  journal(4, [](journal::Writer& out) { out.event({{"event", "start"}}); });
  EXPECT_EQ(shown(read_view(dir_)), truth()) << "what is behind a failed trial has changed";
}

TEST_F(ResultsCache, OfAnotherLogIsNotBelieved) {
  make_cache();
  const fs::path path = dir_ / "journal" / "study.log";
  fs::resize_file(path, fs::file_size(path) - 3000);
  EXPECT_EQ(shown(read_view(dir_)), truth()) << "cut short";
  make_cache();
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(fs::file_size(path) - 2000));
  file.put('!').flush();
  const std::string wanted = truth();
  EXPECT_NE(wanted.find("journal/study.log: a record's checksum does not fit"), std::string::npos);
  EXPECT_EQ(shown(read_view(dir_)), wanted) << "damaged before what the cache speaks of";
}

TEST_F(ResultsCache, CutOrFlippedAnywhereItIsIgnored) {
  make_cache();
  const std::string wanted = shown(read_cache(dir_)->view);
  std::ifstream in(cache_path(dir_), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const auto put = [&](std::string_view bytes) {
    std::ofstream(cache_path(dir_), std::ios::binary | std::ios::trunc) << bytes;
  };
  std::mt19937_64 random(5);
  int ignored = 0;
  for (int i = 0; i < 300; ++i) {
    put(std::string_view(whole).substr(0, random() % whole.size()));
    EXPECT_FALSE(read_cache(dir_)) << "cut";
    std::string flipped = whole;
    const std::size_t at = i < 100 ? static_cast<std::size_t>(i) : random() % whole.size();
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << random() % 8));
    put(flipped);
    const auto cached = read_cache(dir_);
    ignored += cached ? 0 : 1;
    EXPECT_EQ(cached ? shown(cached->view) : wanted, wanted) << "a byte that means nothing, " << at;
  }
  EXPECT_GT(ignored, 290) << "the rest is padding";
  put(std::string_view(whole).substr(0, whole.size() / 2));
  EXPECT_EQ(shown(read_view(dir_)), wanted);
  EXPECT_TRUE(read_cache(dir_)) << "made anew";
}

TEST_F(ResultsCache, ADirectoryThatCantBeWrittenIsReadAllTheSame) {
  fs::create_directory(cache_path(dir_));  // in the way of the rename, also for root
  EXPECT_EQ(shown(read_view(dir_)), truth());
  for (const auto& entry : fs::directory_iterator(dir_))
    EXPECT_FALSE(entry.path().filename().string().starts_with(".trials")) << entry.path();
}

}  // namespace
}  // namespace paribus::results
