// SPDX-License-Identifier: Apache-2.0
#include "plugins_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <utility>

#include "paribus/error.h"
#include "plugins_install.h"
#include "plugins_keys.h"
#include "plugins_lock.h"
#include "registry/catalog.h"
#include "registry/elf.h"
#include "registry/manifest.h"
#include "registry/nearest.h"
#include "registry/verify.h"

namespace paribus {
namespace {

using registry::Catalog;
using registry::PartSchema;

std::string bold(const std::string& text, std::FILE* out) {
  const bool terminal = ::isatty(::fileno(out)) == 1 && std::getenv("NO_COLOR") == nullptr;
  return terminal ? "\033[1m" + text + "\033[0m" : text;
}

/// Many files of a folder that are refused for one reason are one line.
void print_refusals(const Catalog& catalog, std::FILE* err) {
  constexpr std::size_t kMany = 5;
  std::map<std::pair<std::filesystem::path, std::string>, std::size_t> counts;
  for (const registry::Refusal& refusal : catalog.refusals())
    ++counts[{refusal.file.parent_path(), refusal.reason}];
  for (const registry::Refusal& refusal : catalog.refusals()) {
    std::size_t& count = counts[{refusal.file.parent_path(), refusal.reason}];
    if (count == 0) continue;  // told
    if (count < kMany) {
      fmt::print(err, "refused: {}: {}\n", refusal.file.string(), refusal.reason);
      continue;
    }
    fmt::print(err, "refused: {} and {} others beside it: {}\n", refusal.file.string(), count - 1,
               refusal.reason);
    count = 0;
  }
}

nlohmann::json to_json(const Catalog& catalog, const std::string& kind) {
  nlohmann::json result{{"parts", nlohmann::json::array()}, {"refused", nlohmann::json::array()}};
  for (const PartSchema& part : catalog.parts()) {
    if (kind.empty() || part.kind == kind) result["parts"].push_back(registry::to_json(part));
  }
  for (const registry::Refusal& refusal : catalog.refusals()) {
    result["refused"].push_back({{"file", refusal.file.string()}, {"reason", refusal.reason}});
  }
  return result;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void print_table(const Catalog& catalog, const std::string& kind, std::FILE* out) {
  std::size_t width = 0;
  for (const PartSchema& part : catalog.parts()) width = std::max(width, part.name.size());
  std::string last;
  for (const PartSchema& part : catalog.parts()) {
    if (!kind.empty() && part.kind != kind) continue;
    if (part.kind != last)
      fmt::print(out, "{}{}\n", last.empty() ? "" : "\n", bold(part.kind, out));
    last = part.kind;
    fmt::print(out, "  {:<{}}  {}\n", part.name, width, first_line(part.doc));
  }
}

std::string shown(const std::vector<std::filesystem::path>& folders) {
  std::string text;
  for (const auto& folder : folders) text += (text.empty() ? "" : ", ") + folder.string();
  return text.empty() ? "no folder" : text;
}

int list(const PluginsRequest& request, std::FILE* out, std::FILE* err) {
  const auto& kinds = registry::kinds();
  if (!request.kind.empty() && std::find(kinds.begin(), kinds.end(), request.kind) == kinds.end()) {
    throw Error(fmt::format("plugins: there is no kind '{}'{}", request.kind,
                            registry::did_you_mean(request.kind, kinds)));
  }
  const auto folders = Catalog::search_path(request.folders);
  const Catalog catalog = Catalog::scan(folders);
  if (request.json) {
    fmt::print(out, "{}\n", to_json(catalog, request.kind).dump(2));
    return 0;
  }
  print_table(catalog, request.kind, out);
  print_refusals(catalog, err);
  if (catalog.parts().empty()) {
    fmt::print(err, "no plugin found in {}; set PARIBUS_PLUGINS to the folder that holds yours\n",
               shown(folders));
  }
  return 0;
}

/// Full names that a person may have meant by `name`, or by `kind/name` if the kind is one.
std::vector<std::string> meant(const Catalog& catalog, const std::string& word) {
  const std::size_t slash = word.find('/');
  const std::string name = slash == std::string::npos ? word : word.substr(slash + 1);
  const std::string kind = slash == std::string::npos ? "" : word.substr(0, slash);
  std::vector<std::string> names = catalog.names(kind);
  const bool known_kind = !names.empty();
  if (!known_kind) {
    for (const PartSchema& part : catalog.parts()) names.push_back(part.name);
  }
  std::vector<std::string> result;
  for (const std::string& near : registry::nearest(name, names)) {
    for (const PartSchema& part : catalog.parts()) {
      if (part.name == near && (!known_kind || part.kind == kind))
        result.push_back(part.kind + "/" + part.name);
    }
  }
  return result;
}

int show(const PluginsRequest& request, std::FILE* out) {
  const Catalog catalog = Catalog::scan(Catalog::search_path(request.folders));
  const PartSchema& part = part_named(catalog, request.show);
  fmt::print(out, "{}", request.json ? registry::to_json(part).dump(2) + "\n" : describe(part));
  return 0;
}

int check(const PluginsRequest& request, std::FILE* out) {
  try {
    for (const PartSchema& part :
         registry::parse_manifests(registry::read_section(request.check).text)) {
      verify(part, registry::this_host());
      fmt::print(out, "{}/{}: fine, {} parameter{}, {}\n", part.kind, part.name, part.fields.size(),
                 part.fields.size() == 1 ? "" : "s", part.compiler);
    }
    return 0;
  } catch (const Error& problem) {
    throw Error(fmt::format("{}: {}", request.check, problem.what()));
  }
}

}  // namespace

const PartSchema& part_named(const Catalog& catalog, const std::string& name) {
  const std::size_t slash = std::min(name.find('/'), name.size());
  const std::string behind = slash == name.size() ? "" : name.substr(slash + 1);
  const PartSchema* part = catalog.find(name.substr(0, slash), behind);
  if (part != nullptr) return *part;
  print_refusals(catalog, stderr);  // it may be in one of them
  const std::string hint = registry::suggestion(meant(catalog, name));
  throw Error(fmt::format("there is no part '{}', expected KIND/NAME{}", name,
                          hint.empty() ? "; `paribus plugins` lists them" : hint));
}

int run_plugins_command(const PluginsRequest& request, std::FILE* out, std::FILE* err) {
  try {
    if (!request.check.empty()) return check(request, out);
    return request.show.empty() ? list(request, out, err) : show(request, out);
  } catch (const Error& problem) {
    fmt::print(err, "paribus: {}\n", problem.what());
    return 2;
  }
}

CLI::App& add_plugins_reading(CLI::App& app, int& exit_status) {
  const auto request = std::make_shared<PluginsRequest>();
  CLI::App* plugins =
      app.add_subcommand("plugins", "the parts at hand: list, show one, check a file");
  plugins->require_subcommand(0, 1);
  plugins->add_option("--kind", request->kind, "only this kind: dataset, model, optimizer, ...")
      ->type_name("KIND");
  plugins->add_flag("--json", request->json, "print JSON");

  CLI::App* show_part =
      plugins->add_subcommand("show", "parameters, origin and an example of one part");
  show_part->add_option("KIND/NAME", request->show, "e.g. optimizer/sgd")
      ->required()
      ->type_name("");
  show_part->add_flag("--json", request->json, "print JSON");

  add_plugins_install_command(*plugins, exit_status);
  add_plugins_keys_command(*plugins, exit_status);
  add_plugins_lock_command(*plugins, exit_status);

  plugins->callback([=, &exit_status] {  // those of the commands have been called before it
    const bool other = !plugins->get_subcommands().empty() && !*show_part;
    if (!other) exit_status = run_plugins_command(*request, stdout, stderr);
  });
  return *plugins;
}

}  // namespace paribus
