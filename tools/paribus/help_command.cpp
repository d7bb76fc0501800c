// SPDX-License-Identifier: Apache-2.0
#include "help_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "command_table.h"
#include "help_example.h"
#include "paribus/error.h"
#include "plugins_command.h"
#include "registry/catalog.h"
#include "registry/nearest.h"
#include "study_reader.h"

namespace paribus {
namespace {

using nlohmann::json;
using registry::Catalog;
using registry::PartSchema;

struct Request {
  std::vector<std::string> topic;
  bool as_json = false;
};

json to_json(const CLI::Option& option) {
  json result{{"names", names_of(option)},         {"value", value_name(option)},
              {"about", option.get_description()}, {"choices", choices_of(option)},
              {"required", option.get_required()}, {"repeats", may_repeat(option)}};
  return result;
}

json to_json(const CLI::App& command) {
  json result{{"command", path_of(command)},
              {"about", command.get_description()},
              {"positionals", json::array()},
              {"options", json::array()},
              {"commands", json::array()}};
  for (const CLI::Option* one : positionals_of(command))
    result["positionals"].push_back(to_json(*one));
  for (const CLI::Option* one : options_of(command)) result["options"].push_back(to_json(*one));
  for (const CLI::App* one : commands_of(command)) result["commands"].push_back(to_json(*one));
  return result;
}

int show_command(const CLI::App& command, bool as_json) {
  if (as_json) {
    print_json(to_json(command));
  } else {
    // Not help(): that is the text of the command that was called, which is `help`.
    const auto normal = CLI::AppFormatMode::Normal;
    fmt::print("{}", command.get_formatter()->make_help(&command, path_of(command), normal));
  }
  return 0;
}

int show_part(const PartSchema& part, bool as_json) {
  const std::string example = study_example(part);
  if (as_json) {
    json result = registry::to_json(part);
    result["example"] = example;
    print_json(result);
  } else {
    fmt::print("{}A study with it:\n\n{}", facts(part), example);
  }
  return 0;
}

/// The command that the words name; of `plugins shwo` the Error says what was meant.
const CLI::App* command_at(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    const CLI::App* inner = command_of(*command, word);
    if (inner == nullptr && command == &app) return nullptr;
    if (inner == nullptr) {
      std::vector<std::string> names;
      for (const CLI::App* one : commands_of(*command)) names.push_back(one->get_name());
      throw Error(fmt::format("help: {} has no command '{}'{}", path_of(*command), word,
                              registry::did_you_mean(word, names)));
    }
    command = inner;
  }
  return command;
}

/// Of a command, a kind, or a part with its kind or without.
std::string hint_for(const CLI::App& app, const Catalog& catalog, const std::string& word) {
  std::vector<std::string> names = registry::kinds();
  for (const CLI::App* one : commands_of(app)) names.push_back(one->get_name());
  for (const PartSchema& part : catalog.parts()) {
    names.push_back(part.kind + "/" + part.name);
    names.push_back(part.name);
  }
  const std::string hint = registry::did_you_mean(word, names);
  return hint.empty() ? "; `paribus help` lists commands, `paribus plugins` parts" : hint;
}

int show_named(const CLI::App& app, const std::string& word, bool as_json) {
  const Catalog catalog = Catalog::scan(Catalog::search_path({}));
  if (word.find('/') != std::string::npos) return show_part(part_named(catalog, word), as_json);
  const auto& kinds = registry::kinds();
  if (std::find(kinds.begin(), kinds.end(), word) != kinds.end())
    return run_plugins_command({.kind = word, .json = as_json}, stdout, stderr);
  std::vector<const PartSchema*> found;
  for (const PartSchema& part : catalog.parts()) {
    if (part.name == word) found.push_back(&part);
  }
  if (found.size() == 1) return show_part(*found.front(), as_json);
  if (found.empty()) {
    throw Error(fmt::format("help: there is no command, kind or part '{}'{}", word,
                            hint_for(app, catalog, word)));
  }
  std::string all;
  for (const PartSchema* part : found)
    all += fmt::format("{}{}/{}", all.empty() ? "" : ", ", part->kind, part->name);
  throw Error(
      fmt::format("help: several parts are named '{}': {}; name one with its kind", word, all));
}

int show(const CLI::App& app, const Request& request) {
  if (const CLI::App* command = command_at(app, request.topic))
    return show_command(*command, request.as_json);
  if (request.topic.size() > 1) {
    const std::string& word = request.topic.front();
    std::vector<std::string> names;
    for (const CLI::App* one : commands_of(app)) names.push_back(one->get_name());
    throw Error(
        fmt::format("help: there is no command '{}'{}", word, registry::did_you_mean(word, names)));
  }
  return show_named(app, request.topic.front(), request.as_json);
}

}  // namespace

void add_help_command(CLI::App& app, int& exit_status) {
  const auto request = std::make_shared<Request>();
  CLI::App* command = app.add_subcommand("help", "a command, or a part with a study that uses it");
  command
      ->add_option("TOPIC", request->topic,
                   "a command, a kind, or KIND/NAME; nothing: all commands")
      ->type_name("");
  command->add_flag("--json", request->as_json, "print JSON");
  command->callback([&app, request, &exit_status] {
    exit_status = guarded([&] { return show(app, *request); });
  });
}

}  // namespace paribus
