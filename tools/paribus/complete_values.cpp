// SPDX-License-Identifier: Apache-2.0
#include "complete_values.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "command_table.h"
#include "complete_keys.h"
#include "complete_paths.h"
#include "paribus/error.h"
#include "registry/catalog.h"
#include "registry/keyring.h"
#include "results/view.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;
using registry::Catalog;

constexpr std::size_t kMostTrials = 10'000;

/// The study's directory that is named on the line.
fs::path directory_of(const Asked& asked) { return path_meant(asked.value_of("DIR")); }

Answer words(const std::vector<std::string>& all) {
  Answer answer;
  for (const std::string& word : all) answer.candidates.push_back({word});
  return answer;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Answer parts() {
  const Catalog catalog = Catalog::scan(Catalog::search_path({}));
  Answer answer;
  for (const registry::PartSchema& part : catalog.parts())
    answer.candidates.push_back({part.kind + "/" + part.name, first_line(part.doc)});
  return answer;
}

Answer trials(const Asked& asked) {
  std::set<std::string> names;
  std::error_code problem;
  fs::directory_iterator at(directory_of(asked) / "journal", problem);
  for (const fs::directory_iterator end; !problem && at != end && names.size() < kMostTrials;
       at.increment(problem)) {
    const fs::path& file = at->path();
    const std::string name = file.stem().string();
    if (file.extension() == ".log" && name != "study" && name != "system") names.insert(name);
  }
  return words({names.begin(), names.end()});
}

Answer metrics(const Asked& asked) {
  const results::StudyView view = results::read_view(directory_of(asked));
  Answer answer;
  for (const results::Column& column : view.trials.columns) {
    const bool is_metric = column.name.starts_with("train.") || column.name.starts_with("valid.");
    if (is_metric) answer.candidates.push_back({column.name});
  }
  return answer;
}

Answer names(const Asked& asked) {
  if (asked.command->get_name() == "sync")
    return words(tracker_names(directory_of(asked) / "study.toml"));
  if (asked.command->get_name() != "remove") return {};  // a new name is the user's to find
  Answer answer;
  const registry::Keyring keyring;
  for (const registry::NamedKey& key : keyring.keys()) answer.candidates.push_back({key.name});
  return answer;
}

Answer keys(const Asked& asked) {
  const std::string plugin = asked.value_of("FILE.so");
  if (!plugin.empty()) return plugin_keys(path_meant(plugin), asked.value);
  return study_keys(path_meant(asked.value_of("STUDY.toml")), asked.values_of("--set"),
                    asked.value);
}

/// Of `paribus plugins` it is where plugins are made; else a study's.
Answer directories(const Asked& asked) {
  const CLI::App* above = asked.command->get_parent();
  const bool makes = above != nullptr && above->get_name() == "plugins";
  return makes ? folders(asked.value) : study_directories(asked.value);
}

void add_commands(const CLI::App& command, Answer& answer) {
  for (const CLI::App* one : commands_of(command))
    answer.candidates.push_back({one->get_name(), one->get_description()});
}

/// What `paribus help` tells of: commands, of one that is named its own; parts and their kinds.
Answer topics(const CLI::App& app, const Asked& asked) {
  Answer answer;
  const CLI::App* command = &app;
  for (const std::string& word : asked.values_of("TOPIC")) {
    command = command_of(*command, word);
    if (command == nullptr) return answer;
  }
  add_commands(*command, answer);
  if (command != &app) return answer;
  for (const std::string& kind : registry::kinds()) answer.candidates.push_back({kind, "a kind"});
  const Answer all = parts();
  answer.candidates.insert(answer.candidates.end(), all.candidates.begin(), all.candidates.end());
  return answer;
}

Answer options(const Asked& asked) {
  Answer answer;
  for (const CLI::Option* option : options_of(*asked.command)) {
    const bool given = std::any_of(asked.given.begin(), asked.given.end(),
                                   [&](const auto& one) { return one.first == option; });
    if (given && !may_repeat(*option)) continue;
    for (const std::string& name : names_of(*option))
      answer.candidates.push_back({name, option->get_description()});
  }
  return answer;
}

Answer value(const CLI::App& app, const Asked& asked) {
  using Values = Answer (*)(const Asked&);
  static const std::map<std::string, Values> kValues{
      {"STUDY.toml", [](const Asked& it) { return study_files(it.value); }},
      {"DIR", directories},
      {"KEY=VALUE", keys},
      {"TRIAL", trials},
      {"METRIC", metrics},
      {"NAME", names},
      {"KIND/NAME", [](const Asked&) { return parts(); }},
      {"KIND", [](const Asked&) { return words(registry::kinds()); }}};
  static const std::set<std::string> kFiles{"FILE", "FILE.so", "FILE|URL", "KEY"};
  const std::string name = value_name(*asked.option);
  const std::vector<std::string> choices = choices_of(*asked.option);
  if (!choices.empty()) return words(choices);
  if (kFiles.contains(name)) return {Answer::Form::files};
  if (name == "TOPIC") return topics(app, asked);
  const auto found = kValues.find(name);
  return found == kValues.end() ? Answer{} : found->second(asked);
}

}  // namespace

Answer answer(const CLI::App& app, const Asked& asked) {
  if (asked.is_option) return options(asked);
  Answer result;
  try {
    if (asked.option != nullptr) result = value(app, asked);
  } catch (const Error&) {  // no study there, a file that is damaged: nothing to offer
  }
  if (asked.may_be_command && result.form == Answer::Form::words)
    add_commands(*asked.command, result);
  return result;
}

}  // namespace paribus
