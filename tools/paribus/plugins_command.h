// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

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
/// The lines alone.
std::string toml_example(const registry::PartSchema& part);

/// Adds `plugins` with what only reads; when it is called, `exit_status` is set.
CLI::App& add_plugins_reading(CLI::App& app, int& exit_status);
/// And with what writes, builds and runs.
void add_plugins_command(CLI::App& app, int& exit_status);

}  // namespace paribus
