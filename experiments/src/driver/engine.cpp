// SPDX-License-Identifier: Apache-2.0
#include "driver/engine.h"

#include <fmt/core.h>

#include <fstream>

#include "registry/sha256.h"
#include "study/spec_json.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

void collect(const PartSpec& part, std::set<PartName>& names) {
  if (!part.use.empty()) names.emplace(part.kind, part.use);
  for (const auto& [name, slot] : part.slots) collect(slot, names);
}

json load_request(const std::filesystem::path& plugin, const registry::Catalog& catalog) {
  json parts = json::array();
  for (const registry::PartSchema& part : catalog.parts()) {
    if (part.plugin == plugin)
      parts.push_back({{"kind", part.kind}, {"name", part.name}, {"symbol", part.symbol}});
  }
  return {{"path", plugin.string()}, {"parts", std::move(parts)}};
}

}  // namespace

json to_json(const std::vector<SearchAxis>& axes) {
  json list = json::array();
  for (const SearchAxis& axis : axes) {
    list.push_back({{"addresses", axis.addresses},
                    {"count", axis.count},
                    {"low", axis.low},
                    {"high", axis.high},
                    {"log", axis.log},
                    {"integer", axis.integer}});
  }
  return list;
}

SearchPoint point_from(const json& choices) {
  SearchPoint point;
  for (const json& choice : choices) {
    SearchChoice made;
    made.index = choice.value("index", std::int64_t{-1});
    if (const auto value = choice.find("value"); value != choice.end())
      made.value = value->get<double>();
    point.push_back(made);
  }
  return point;
}

namespace {

std::vector<SearchPoint> points_from(const json& reply) {
  std::vector<SearchPoint> points;
  try {
    for (const json& choices : reply.at("points")) points.push_back(point_from(choices));
  } catch (const json::exception& problem) {
    throw Error(std::string("paribus-worker: its reply to 'search' is malformed: ") +
                problem.what());
  }
  return points;
}

}  // namespace

std::set<PartName> parts_of(const TrialSpec& spec) {
  std::set<PartName> names;
  for (const PartSpec* part : {&spec.dataset, &spec.model, &spec.loss, &spec.optimizer})
    collect(*part, names);
  for (const auto* list : {&spec.transforms, &spec.metrics, &spec.callbacks}) {
    for (const PartSpec& part : *list) collect(part, names);
  }
  for (const ScheduleSpec& schedule : spec.schedules) collect(schedule.part, names);
  return names;
}

Worker& Engine::worker() {
  if (!worker_) worker_ = std::make_unique<Worker>(Worker::program(), board_.fd());
  return *worker_;
}

const json& Engine::machine() {
  if (machine_.is_null()) machine_ = worker().call("hello");
  return machine_;
}

void Engine::load(const registry::Catalog& catalog, const std::set<PartName>& parts) {
  json plugins = json::array();
  std::set<std::filesystem::path> fresh;
  for (const auto& [kind, name] : parts) {
    const registry::PartSchema* schema = catalog.find(kind, name);
    if (schema == nullptr) throw Error(fmt::format("no plugin offers {}/{}", kind, name));
    if (loaded_.contains(schema->plugin) || !fresh.insert(schema->plugin).second) continue;
    plugins.push_back(load_request(schema->plugin, catalog));
  }
  if (plugins.empty()) return;
  make({"load", {{"plugins", std::move(plugins)}}});
  loaded_.merge(fresh);
}

void Engine::open(const json& spec, const FilePaths& files) {
  const json key = {spec.at("dataset"), files};
  if (opened_.insert(key.dump()).second) make({"open", {{"spec", spec}, {"files", files}}});
}

void Engine::make(std::pair<std::string, json> request) {
  worker().call(request.first, request.second);
  done_.push_back(std::move(request));
}

void Engine::restart() {
  worker_.reset();
  ++worker_number_;
  for (const auto& [op, arguments] : done_) worker().call(op, arguments);
}

Proposer Engine::proposer(const registry::Catalog& catalog) {
  return [this, &catalog](const PartSpec& part, const std::vector<SearchAxis>& axes,
                          std::uint64_t seed) {
    load(catalog, {{part.kind, part.use}});
    return points_from(worker().call(
        "search", {{"part", to_json(part)}, {"axes", to_json(axes)}, {"seed", seed}}));
  };
}

std::string Engine::sha256_of_library(const std::string& name) {
  std::ifstream maps(fmt::format("/proc/{}/maps", worker().pid()));
  for (std::string line; std::getline(maps, line);) {
    const std::size_t start = line.find('/');
    if (start == std::string::npos) continue;
    const std::filesystem::path file = line.substr(start);
    if (file.filename() == name) return registry::sha256_of_file(file);
  }
  return "";
}

}  // namespace paribus::driver
