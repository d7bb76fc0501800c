// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "registry/catalog.h"
#include "registry/schema.h"

namespace CLI {
class App;
}

namespace paribus {

/// `paribus plugins [--kind K] [--json]`, `paribus plugins show KIND/NAME [--json]`, `paribus
/// plugins check FILE.so`
struct PluginsRequest {
  std::string kind{};   // "": all
  std::string show{};   // "optimizer/sgd"; "": list
  std::string check{};  // a file to look at by itself
  bool json = false;
  std::vector<std::filesystem::path> folders{};  // before those that every command searches
};

/// Returns the exit status: 0, or 2 where the request was wrong. Results go to `out`, refusals and
/// errors to `err`; colours only on a terminal.
int run_plugins_command(const PluginsRequest& request, std::FILE* out, std::FILE* err);

/// The whole page of one part: parameters, origin, and lines that may stand in a study.
std::string describe(const registry::PartSchema& part);
/// The page without the lines.
std::string facts(const registry::PartSchema& part);
/// Values of parameters, as TOML has them, that stand instead of defaults.
using ExampleValues = std::map<std::string, std::string>;
/// The lines alone.
std::string toml_example(const registry::PartSchema& part, const ExampleValues& values = {});

/// By `KIND/NAME`; throws Error with what may have been meant, where there is none.
const registry::PartSchema& part_named(const registry::Catalog& catalog, const std::string& name);

/// Adds `plugins` with what only reads; when it is called, `exit_status` is set.
CLI::App& add_plugins_reading(CLI::App& app, int& exit_status);
/// And with what writes, builds and runs.
void add_plugins_command(CLI::App& app, int& exit_status);

}  // namespace paribus
