// SPDX-License-Identifier: Apache-2.0
#include "driver/search_session.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "registry/nearest.h"
#include "study/spec_json.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

constexpr std::uint64_t kSearchSeed = 0;  // proposals don't depend on the trials' seeds
constexpr std::int64_t kMostJobs = 1024;  // side by side

[[noreturn]] void wrong(const AdaptiveSweep& sweep, const std::string& what) {
  throw Error(fmt::format("search/{}: {}", sweep.search().use, what));
}

}  // namespace

std::map<std::string, bool> goals_of(const CheckedStudy& checked) {
  std::map<std::string, bool> goals{{"train.loss", false}, {"valid.loss", false}};
  for (const PartSpec& metric : checked.study.trials.front().shape->spec.metrics) {
    const auto* schema = checked.catalog.find("metric", metric.use);
    goals["valid" + metric.address.substr(metric.address.find('.'))] =
        schema != nullptr && schema->goal == "maximize";
  }
  goals[checked.study.metric] = checked.study.goal == "maximize";
  return goals;
}

void check_search(const CheckedStudy& checked, Engine& engine) {
  const AdaptiveSweep& sweep = *checked.study.adaptive;
  try {
    engine.load(checked.catalog, {{"search", sweep.search().use}});
    const SearchSession session(sweep, checked.study.metric, goals_of(checked), engine);
  } catch (const WorkerLost&) {
    throw;
  } catch (const Error& problem) {
    throw StudyError({sweep.problem(problem.what())});
  }
}

SearchSession::SearchSession(const AdaptiveSweep& sweep, std::string metric,
                             const std::map<std::string, bool>& goals, Engine& engine)
    : sweep_(sweep), metric_(std::move(metric)), goals_(goals), engine_(engine) {
  open();
}

SearchSession::~SearchSession() {
  if (worker_ != engine_.worker_number()) return;
  try {
    engine_.worker().call_regardless("search_close", {{"session", session_}});
  } catch (const Error&) {  // it is gone with its worker
  }
}

void SearchSession::open() {
  json reply = engine_.worker().call_regardless("search_open", {{"part", to_json(sweep_.search())},
                                                                {"axes", to_json(sweep_.axes())},
                                                                {"seed", kSearchSeed},
                                                                {"epochs", sweep_.epochs()},
                                                                {"metric", metric_},
                                                                {"goals", goals_},
                                                                {"jobs", jobs_}});
  session_ = reply.at("session");
  at_once_ = reply.at("at_once");
  worker_ = engine_.worker_number();
  told_ = 0;
  if (at_once_ < 1 || at_once_ > kMostJobs)
    wrong(sweep_, fmt::format("wants {} jobs at once, expected 1 to {}", at_once_, kMostJobs));
  objectives_ = {metric_};
  for (const std::string objective : reply.at("objectives")) objectives_.push_back(objective);
}

void SearchSession::began(std::int64_t job) {
  happenings_.push_back({{"job", job}, {"ended", false}, {"values", json::array()}});
}

void SearchSession::ended(std::int64_t job, const std::vector<double>& values) {
  json list = json::array();
  for (const double value : values) list.push_back(std::isfinite(value) ? json(value) : json());
  happenings_.push_back({{"job", job}, {"ended", true}, {"values", std::move(list)}});
}

std::optional<SearchJob> SearchSession::next(std::int64_t points) {
  if (worker_ != engine_.worker_number()) open();
  json news = json::array();
  for (std::size_t i = told_; i < happenings_.size(); ++i) news.push_back(happenings_[i]);
  const json reply = engine_.worker().call_regardless(
      "search_next", {{"session", session_}, {"happenings", std::move(news)}});
  told_ = happenings_.size();
  const json& asked = reply.at("job");
  if (asked.is_null()) return std::nullopt;
  jobs_.push_back(asked);
  SearchJob job{asked.at("point"), asked.at("until"), asked.at("parent"),
                point_from(asked.at("choices"))};
  if (job.until == 0) job.until = sweep_.epochs();
  if (job.point < 0 || job.point > points || job.parent >= points || job.until < 1 ||
      job.until > sweep_.epochs()) {
    wrong(sweep_, fmt::format("asks for point {} of {} up to epoch {} of {}, which can't be",
                              job.point, points, job.until, sweep_.epochs()));
  }
  return job;
}

}  // namespace paribus::driver
