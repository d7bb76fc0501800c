// SPDX-License-Identifier: Apache-2.0
#include "check_process.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>

#include "driver/engine.h"
#include "driver/files.h"
#include "study/spec_json.h"

namespace paribus::check {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t kSteps = 1100;  // 1,000 after a hundred in which caches fill
constexpr std::int64_t kSettled = 100;

std::optional<Finding> nothing_seen(const std::string& law, const json& reply) {
  const auto problem = reply.find("problem");
  if (problem == reply.end()) return std::nullopt;
  return Finding{law, Verdict::broken, problem->get<std::string>()};
}

}  // namespace

void write_request(const fs::path& file, const json& spec, const Subject& subject,
                   const registry::Catalog& catalog) {
  TrialSpec trial = trial_spec_from_json(spec);
  trial.data.workers = 0;  // one thread, so that all is in the same order each time
  trial.data.batch = 5;
  trial.train.epochs = kSteps;
  trial.threads = 1;
  json plugins = json::array();
  for (const auto& [kind, name] : driver::parts_of(trial)) {
    const registry::PartSchema& one = *catalog.find(kind, name);
    plugins.push_back({{"path", one.plugin.string()},
                       {"parts", {{{"kind", kind}, {"name", name}, {"symbol", one.symbol}}}}});
  }
  const driver::FilePaths files =
      driver::resolve_files(*catalog.find("dataset", trial.dataset.use), trial.dataset,
                            driver::FilePlaces::from_environment());
  std::ofstream(file) << json{{"spec", to_json(trial)},
                              {"files", files},
                              {"plugins", plugins},
                              {"part", {{"kind", subject.part.kind}, {"name", subject.part.name}}},
                              {"steps", kSteps},
                              {"seconds", subject.seconds}}
                      << std::flush;
}

json read_reply(const fs::path& file, const std::string& problem) {
  std::ifstream in(file);
  json reply = in ? json::parse(in, nullptr, /*allow_exceptions=*/false) : json();
  if (reply.is_object()) return reply;
  return {{"problem", problem.empty() ? "it ended the process" : problem}};
}

Finding state_law(const json& reply) {
  if (auto nothing = nothing_seen("state", reply)) return *nothing;
  const json state = reply.value("state", json::object());
  const std::string problem = state.value("problem", "");
  if (!problem.empty()) return {"state", Verdict::broken, problem};
  const int things = state.value("things", 0);
  if (things == 0) return {"state", Verdict::kept, "keeps none of its own"};
  return {"state", Verdict::kept,
          fmt::format("{} thing{} come back as they were", things, things == 1 ? "" : "s")};
}

/// The least of each quarter: what comes and goes with epochs is not growth.
Finding memory_law(const json& reply) {
  if (auto nothing = nothing_seen("memory", reply)) return *nothing;
  std::vector<std::pair<std::int64_t, std::int64_t>> seen;
  for (const json& point : reply.value("bytes", json::array())) {
    if (point[0] >= kSettled) seen.emplace_back(point[0], point[1]);
  }
  if (seen.size() < 8) return {"memory", Verdict::not_known, "too few steps in the time"};
  std::vector<std::int64_t> least;
  for (std::size_t quarter = 0; quarter < 4; ++quarter) {
    const auto by_bytes = [](const auto& a, const auto& b) { return a.second < b.second; };
    const auto from = seen.begin() + static_cast<std::ptrdiff_t>(quarter * seen.size() / 4);
    const auto to = seen.begin() + static_cast<std::ptrdiff_t>((quarter + 1) * seen.size() / 4);
    least.push_back(std::min_element(from, to, by_bytes)->second);
  }
  const std::int64_t steps = seen.back().first - seen.front().first;
  // Over the latter half: caches may still fill in the first.
  const double growth =
      static_cast<double>(least[3] - least[1]) / (0.5 * static_cast<double>(steps));
  const bool steady = least[0] < least[1] && least[1] <= least[2] && least[2] <= least[3];
  const std::string text = fmt::format("over {} steps", steps);
  if (steady && growth >= 4) {
    return {"memory", Verdict::broken,
            fmt::format("{:.0f} bytes more at each step, {}", growth, text)};
  }
  return {"memory", Verdict::kept, "no more in use " + text};
}

Finding threads_law(const json& reply) {
  if (auto nothing = nothing_seen("threads", reply)) return *nothing;
  const json& threads = reply.at("threads");
  const auto more = [&](std::size_t i) { return threads.at(i).size() - threads.at(0).size(); };
  const auto last = [&](std::size_t i) { return threads.at(i).back().get<std::string>(); };
  if (threads.at(1).size() > threads.at(0).size()) {
    return {"threads", Verdict::broken,
            fmt::format("{} started as the plugin is loaded, '{}'", more(1), last(1))};
  }
  if (threads.at(2).size() > threads.at(0).size()) {
    return {"threads", Verdict::broken,
            fmt::format("{} left when training is over, '{}'", more(2), last(2))};
  }
  return {"threads", Verdict::kept, "none left when training is over"};
}

}  // namespace paribus::check
