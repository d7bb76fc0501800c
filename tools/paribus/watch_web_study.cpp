// SPDX-License-Identifier: Apache-2.0
#include "watch_web_study.h"

#include <fmt/format.h>

#include <bit>
#include <chrono>
#include <functional>
#include <utility>

#include "paribus/error.h"
#include "tools/report/report.h"
#include "tools/report/seen.h"
#include "watch_stop.h"

namespace paribus {
namespace {

using nlohmann::json;
using results::Status;
using results::Trial;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLongestRead{2};  // until what was read so far is shown

/// Tells whether anything of what went in is another than before.
class Mark {
 public:
  void add(std::uint64_t word) { value_ = (std::rotl(value_, 25) ^ word) * 0x9E37'79B9'7F4A'7C15; }
  void add(const std::string& text) { add(std::hash<std::string>()(text)); }
  void add(double value) { add(std::bit_cast<std::uint64_t>(value)); }
  void add(const std::filesystem::path& file) {
    const results::FileMark mark = results::mark_of(file);
    for (const std::uint64_t word : {mark.inode, mark.size}) add(word);
    add(static_cast<std::uint64_t>(mark.changed));
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 1;
};

/// Of all that the report shows but what running trials measure.
std::uint64_t results_mark(const WatchedStudy& study, const std::filesystem::path& dir) {
  Mark mark;
  const results::StudyRecord& record = study.record();
  for (const std::string* text : {&record.name, &record.question, &record.metric, &record.goal})
    mark.add(*text);
  for (const char* file : {"study.toml", "paribus.lock"}) mark.add(dir / file);
  for (const Trial& trial : record.trials) {
    for (const std::string* text : {&trial.id, &trial.arm, &trial.message}) mark.add(*text);
    mark.add(static_cast<std::uint64_t>(trial.seed));
    mark.add(static_cast<std::uint64_t>(trial.status));
    mark.add(static_cast<std::uint64_t>(trial.learned));
    mark.add(trial.seconds.value_or(-1));
    mark.add(static_cast<std::uint64_t>(trial.steps.value_or(-1)));
  }
  for (const std::string& problem : study.problems()) mark.add(problem);
  return mark.value();
}

std::uint64_t running_mark(const WatchedStudy& study) {
  Mark mark;
  for (std::size_t row = 0; row < study.record().trials.size(); ++row) {
    const WatchedTrial* one = study.followed(row);
    if (!one) continue;
    mark.add(row);
    for (const auto& [name, series] : one->series()) {
      mark.add(series.curve.points);
      mark.add(static_cast<std::uint64_t>(series.last_step));
    }
  }
  return mark.value();
}

/// Takes the elements of an array out, which become parts of their own: nulls stay in their places.
json taken_out(json& array) {
  json taken = std::move(array);
  array = json::array();
  for (std::size_t i = 0; i < taken.size(); ++i) array.push_back(nullptr);
  return taken;
}

}  // namespace

void WebStudy::take_results() {
  record_ = study_.record();
  record_.problems = study_.problems();
  json fresh = report::results_of(record_);
  fresh["seen"] = report::seen_of(record_);
  if (data_.is_object()) {
    fresh["trials"] = std::move(data_["trials"]);
    fresh["curves"] = std::move(data_["curves"]);
  }
  data_ = std::move(fresh);
}

/// As `read_study` has them.
void WebStudy::take_running() {
  for (std::size_t row = 0; row < record_.trials.size(); ++row) {
    const WatchedTrial* one =
        record_.trials[row].status == Status::running ? study_.followed(row) : nullptr;
    if (!one) continue;
    for (const auto& [name, series] : one->series()) {
      if (series.last) record_.trials[row].last[name] = *series.last;
      record_.units.try_emplace(name, series.unit);
    }
  }
  data_["trials"] = report::trials_of(record_);
}

std::vector<report::Curve> WebStudy::curves_of(const Trial& trial, std::size_t most) {
  if (*is_ending_) throw Error("it is to end");
  const auto narrowed = [&](const std::string& name, const std::string& unit, report::Thin points) {
    report::narrow(points, most);
    return report::Curve{name, unit, std::move(points)};
  };
  const auto row = static_cast<std::size_t>(&trial - record_.trials.data());
  std::vector<report::Curve> curves;
  const WatchedTrial* one = trial.status == Status::running ? study_.followed(row) : nullptr;
  if (one) {
    for (const auto& [name, series] : one->series()) {
      if (series.curve.points > 0) curves.push_back(narrowed(name, series.unit, series.curve));
    }
    return curves;
  }
  const std::int64_t mark = results::journal_mark(results::journal_path(dir_, trial.id));
  Kept& kept = kept_[trial.id];
  kept.look = looks_;
  if (mark != kept.mark || mark == Trial::kBeingWritten || kept.most < most)
    kept = {mark, most, report::read_curves(record_, trial, most), looks_};
  for (const report::Curve& curve : kept.curves)
    curves.push_back(narrowed(curve.name, curve.unit, curve.points));
  return curves;
}

void WebStudy::take_curves() {
  data_["curves"] = report::curves_of(
      record_, [&](const Trial& trial, std::size_t most) { return curves_of(trial, most); });
  std::erase_if(kept_, [&](const auto& one) { return one.second.look != looks_; });
}

/// Only what became another since the look before gets this one's version.
std::vector<WebPiece> WebStudy::pieces_of_data() {
  std::map<std::string, WebPiece> fresh;
  std::vector<WebPiece> all;
  bool is_news = false;
  const auto add = [&](const json& path, const json& value) {
    const std::string place = path.dump();
    auto text =
        std::make_shared<const std::string>("[" + place + "," + report::script_json(value) + "]");
    const auto before = pieces_.find(place);
    WebPiece piece{version_ + 1, std::move(text)};
    if (before != pieces_.end() && *before->second.text == *piece.text)
      piece = before->second;
    else
      is_news = true;
    fresh[place] = piece;
    all.push_back(piece);
  };
  for (const auto& [key, value] : data_.items()) {
    if (key != "curves" && key != "trials") add({key}, value);
  }
  json trials = data_.at("trials");
  const json columns = taken_out(trials.at("columns"));
  add({"trials"}, trials);
  for (std::size_t i = 0; i < columns.size(); ++i) add({"trials", "columns", i}, columns[i]);
  json curves = data_.at("curves");
  std::vector<json> arms;
  for (json& metric : curves.at("metrics")) arms.push_back(taken_out(metric.at("arms")));
  add({"curves"}, curves);
  for (std::size_t i = 0; i < arms.size(); ++i) {
    for (std::size_t k = 0; k < arms[i].size(); ++k)
      add({"curves", "metrics", i, "arms", k}, arms[i][k]);
  }
  is_news = is_news || fresh.size() != pieces_.size();
  pieces_ = std::move(fresh);
  version_ += is_news;
  return all;
}

std::string WebStudy::state_now(const std::string& problem) const {
  const std::size_t waiting =
      study_.count(Status::planned) + study_.count(Status::running) + study_.count(Status::stopped);
  const double left = study_.seconds_left();
  return report::script_json({{"at", std::chrono::duration_cast<std::chrono::milliseconds>(
                                         std::chrono::system_clock::now().time_since_epoch())
                                         .count()},
                              {"driven", study_.is_driven()},
                              {"over", waiting == 0},
                              {"fraction", study_.fraction()},
                              {"left", left > 0 ? json(left) : json()},
                              {"problem", problem}});
}

std::shared_ptr<const WebLook> WebStudy::look() {
  const auto began = Clock::now();
  auto found = std::make_shared<WebLook>();
  std::string problem;
  ++looks_;
  try {
    do {
      found->is_whole = study_.refresh();
    } while (!found->is_whole && !*is_ending_ && Clock::now() - began < kLongestRead);
    const std::uint64_t results = results_mark(study_, dir_), running = running_mark(study_);
    const bool is_new = results != results_mark_;
    if (is_new || running != running_mark_) {
      if (is_new) take_results();
      results_mark_ = running_mark_ = 0;  // whatever fails from here on is done again
      take_running();
      take_curves();
      results_mark_ = results;
      running_mark_ = running;
      found->pieces = pieces_of_data();
    } else {
      for (const auto& [place, piece] : pieces_) found->pieces.push_back(piece);
    }
  } catch (const std::exception& error) {
    problem = error.what();
    for (const auto& [place, piece] : pieces_) found->pieces.push_back(piece);
  }
  found->version = version_;
  found->state = state_now(problem);
  found->seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return found;
}

std::string WebStudy::stop(const std::string& trial) {
  const auto& trials = study_.record().trials;
  for (std::size_t row = 0; row < trials.size(); ++row) {
    if (trials[row].id != trial) continue;
    const WatchedTrial* one = study_.followed(row);
    if (trials[row].status == Status::running && one != nullptr)
      return stop_trial(results::journal_path(dir_, trial), one->pid());
  }
  return "no trial of that id runs";
}

std::string WebStudy::page() const {
  if (version_ == 0) throw Error("the study can't be read");
  json data = data_;
  data["live"] = {{"version", version_}, {"control", has_control_}};
  return report::page_of(data, report::Kind::live);
}

}  // namespace paribus
