// SPDX-License-Identifier: Apache-2.0
#include "plugins_lock.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "driver/check.h"
#include "driver/provenance.h"
#include "paribus/error.h"
#include "registry/sha256.h"
#include "study/adaptive.h"

namespace paribus {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Request {
  std::vector<fs::path> studies;
  bool as_json = false;
};

/// Every part that a study is expanded to, its search included; nothing of them is loaded.
std::set<driver::PartName> parts_of(const Study& study) {
  std::set<driver::PartName> parts;
  const TrialShape* last = nullptr;
  for (const PlannedTrial& trial : study.trials) {
    if (trial.shape.get() != last) parts.merge(driver::parts_of(trial.shape->spec));
    last = trial.shape.get();
  }
  if (study.adaptive) parts.emplace("search", study.adaptive->search().use);
  return parts;
}

/// Where the study lies is its own business, and so are the machine and the state of a git tree.
json pins_of(driver::CheckedStudy& checked, driver::Engine& engine) {
  checked.plugins = engine.plugins();  // of a search that was asked
  for (const auto& [kind, name] : parts_of(checked.study)) {
    const registry::PartSchema* schema = checked.catalog.find(kind, name);
    if (schema == nullptr) throw Error(fmt::format("no plugin offers {}/{}", kind, name));
    std::string& sum = checked.plugins[schema->plugin.string()];
    if (sum.empty())
      sum = schema->bridge.empty() ? registry::sha256_of_file(schema->plugin) : schema->sha256;
  }
  const json machine = engine.machine();
  checked.libparibus = engine.sha256_of_library("libparibus.so");
  json lock = driver::lock_of(checked, machine);
  for (const char* key : {"cpu", "devices", "git", "machine"}) lock.erase(key);
  for (json& plugin : lock["plugins"])
    plugin["file"] = fs::path(plugin["file"].get<std::string>()).filename().string();
  return lock;
}

void merge(json& lock, const json& more) {
  if (lock.is_null()) {
    lock = more;
    return;
  }
  json& plugins = lock["plugins"];
  for (const json& plugin : more.at("plugins")) {
    if (std::find(plugins.begin(), plugins.end(), plugin) == plugins.end())
      plugins.push_back(plugin);
  }
}

/// Whole or not at all.
void write(const fs::path& file, const std::string& text) {
  const fs::path draft = fmt::format("{}.{}", file.string(), ::getpid());
  std::ofstream out(draft, std::ios::binary);
  out << text;
  out.close();
  std::error_code problem;
  if (out) fs::rename(draft, file, problem);
  if (out && !problem) return;
  fs::remove(draft, problem);
  throw Error(fmt::format("{}: can't be written; check its folder's permissions and the disk",
                          file.string()));
}

void lock_all(const Request& request) {
  const fs::path file = driver::lock_beside(request.studies.front());
  json lock;
  for (const fs::path& study : request.studies) {
    if (driver::lock_beside(study) != file) {
      throw Error(fmt::format(
          "plugins lock: {} and {} are in different folders, each of which has a lock of its own; "
          "lock them one after the other",
          request.studies.front().string(), study.string()));
    }
    driver::Engine engine;
    driver::CheckedStudy checked = driver::read_study(study, {}, engine);
    merge(lock, pins_of(checked, engine));
  }
  const std::string text = lock.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
  write(file, text);
  if (request.as_json) {
    fmt::print("{}", text);
    return;
  }
  fmt::print(
      "{}: {} plugins and libparibus are pinned; use them alone with: paribus run --locked "
      "{}\n",
      file.string(), lock["plugins"].size(), request.studies.front().string());
}

}  // namespace

void add_plugins_lock_command(CLI::App& plugins, int& exit_status) {
  const auto request = std::make_shared<Request>();
  CLI::App* command = plugins.add_subcommand(
      "lock", "pin the plugins that studies use, for --locked, in paribus.lock beside them");
  command->add_option("STUDY.toml", request->studies, "studies of one folder")
      ->required()
      ->type_name("");
  command->add_flag("--json", request->as_json, "print the lock");
  command->callback([request, &exit_status] {
    lock_all(*request);
    exit_status = 0;
  });
}

}  // namespace paribus
