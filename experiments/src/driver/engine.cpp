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

json load_request(const std::filesystem::path& plugin, const registry::Catalog& catalog,
                  const std::string& sha256, bool sealed) {
  json parts = json::array();
  std::filesystem::path bridge;
  for (const registry::PartSchema* part : catalog.parts_of(plugin)) {
    parts.push_back({{"kind", part->kind}, {"name", part->name}, {"symbol", part->symbol}});
    if (part->bridge.empty()) continue;
    bridge = part->bridge;
    parts.back()["made_from"] = part->made_from;
  }
  if (!bridge.empty())  // the parts' sources are its to check
    return {{"path", bridge.string()},
            {"sha256", registry::sha256_of_file(bridge)},
            {"parts", std::move(parts)}};
  return {{"path", plugin.string()},
          {"sha256", sha256},
          {"sealed", sealed},
          {"parts", std::move(parts)}};
}

bool is_built_in(const std::filesystem::path& file) {
  const auto folder = registry::built_in_folder();
  std::error_code problem;
  return folder && std::filesystem::equivalent(file.parent_path(), *folder, problem) && !problem &&
         !std::filesystem::is_symlink(file, problem);
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
  if (!worker_) start();
  return *worker_;
}

void Engine::start() {
  worker_ = std::make_unique<Worker>(Worker::program(), board_.fd());
  if (!demands_.confine) return;
  json folders = json::array();
  for (const std::filesystem::path& folder : writable_) folders.push_back(folder.string());
  try {
    worker_->call("confine", {{"folders", folders}});
  } catch (const Refused&) {
    worker_.reset();  // or it would be used as it is
    throw;
  }
}

void Engine::confine_to(std::vector<std::filesystem::path> folders) {
  if (!demands_.confine) return;
  writable_ = std::move(folders);
  restart();
}

const json& Engine::machine() {
  if (machine_.is_null()) machine_ = worker().call("hello");
  return machine_;
}

void Engine::load(const registry::Catalog& catalog, const std::set<PartName>& parts) {
  std::map<std::filesystem::path, std::vector<std::string>> wanted;
  for (const auto& [kind, name] : parts) {
    const registry::PartSchema* schema = catalog.find(kind, name);
    if (schema == nullptr) throw Error(fmt::format("no plugin offers {}/{}", kind, name));
    if (!plugins_.contains(schema->plugin.string()))
      wanted[schema->plugin].push_back(kind + "/" + name);
  }
  if (wanted.empty()) return;
  if (lock_) check_library();
  json plugins = json::array();
  std::vector<Problem> problems;
  std::map<std::string, std::string> sums;
  for (const auto& [file, names] : wanted) {
    const registry::PartSchema& first = *catalog.parts_of(file).front();
    const std::string sum =
        first.bridge.empty() ? admit(file, names, problems) : admit_source(first, names, problems);
    sums[file.string()] = sum;
    plugins.push_back(load_request(file, catalog, sum, lock_ || demands_.trust));
  }
  if (!problems.empty()) throw Refused(std::move(problems));
  make({"load", {{"plugins", std::move(plugins)}}});
  plugins_.merge(sums);
}

Engine::Vouched Engine::vouch(const registry::Catalog& catalog, const PartName& part) const {
  const auto& [kind, name] = part;
  const registry::PartSchema* schema = catalog.find(kind, name);
  if (schema == nullptr) throw Error(fmt::format("no plugin offers {}/{}", kind, name));
  std::vector<Problem> problems;
  const std::string sum = admit(schema->plugin, {kind + "/" + name}, problems);
  if (!problems.empty()) throw Refused(std::move(problems));
  return {schema->plugin, schema->symbol, sum, lock_ || demands_.trust};
}

/// The sum of a plugin's bytes; and why they may not be loaded, where they may not.
std::string Engine::admit(const std::filesystem::path& file, const std::vector<std::string>& parts,
                          std::vector<Problem>& problems) const {
  const bool must_be_signed = demands_.trust && !is_built_in(file);
  const std::string bytes = must_be_signed ? registry::read_plugin(file) : "";
  std::string sum = must_be_signed ? registry::sha256(bytes) : registry::sha256_of_file(file);
  if (must_be_signed) {
    try {
      static_cast<void>(registry::signed_beside(file, bytes, *demands_.trust));
    } catch (const Error& problem) {
      problems.push_back({"study.trust", fmt::format("{}: {}", file.string(), problem.what())});
    }
  }
  if (lock_) {
    for (const std::string& text : lock_->objections(parts, sum))
      problems.push_back({"", fmt::format("{}: {}", file.string(), text)});
  }
  return sum;
}

/// The same of a part's source, which can be pinned but carries no signature.
std::string Engine::admit_source(const registry::PartSchema& part,
                                 const std::vector<std::string>& parts,
                                 std::vector<Problem>& problems) const {
  if (demands_.trust) {
    problems.push_back({"study.trust", fmt::format("{}: is source, which carries no signature; "
                                                   "leave it out, or leave out `trust`",
                                                   part.plugin.string())});
  }
  if (lock_) {
    for (const std::string& text : lock_->objections(parts, part.sha256))
      problems.push_back({"", fmt::format("{}: {}", part.plugin.string(), text)});
  }
  return part.sha256;
}

/// The worker has mapped it by now, and nothing but it.
void Engine::check_library() {
  const std::string sum = sha256_of_library("libparibus.so");
  if (sum == lock_->libparibus) return;
  throw Refused(
      {{"", fmt::format("libparibus: the installed one has sha256 {}, {} pins {}; install "
                        "that Paribus again, or pin this one with: paribus plugins lock "
                        "STUDY.toml",
                        sum.empty() ? "none" : sum, lock_->file.string(), lock_->libparibus)}});
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
  machine();  // it answers once it has mapped what it runs with
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
