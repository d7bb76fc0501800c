// SPDX-License-Identifier: Apache-2.0
#include "plugins_build.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "child.h"
#include "driver/spawn.h"
#include "paribus/error.h"
#include "plugins_check.h"
#include "registry/elf.h"
#include "registry/manifest.h"
#include "registry/verify.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

bool in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (fs::exists(fs::path(rest.substr(0, end)) / program)) return true;
    rest.erase(0, end + 1);
  }
  return false;
}

void say(const char* what, double seconds) { fmt::print("{:<11} {:6.1f} s", what, seconds); }

/// What a program said, as it said it.
void repeat(const Ended& ended) {
  fmt::print("\n");
  std::fflush(stdout);
  fmt::print(stderr, "{}", ended.output);
}

bool configured(const fs::path& project, const fs::path& build) {
  std::vector<std::string> command{"cmake", "-S", project.string(), "-B", build.string()};
  if (!fs::exists(build / "CMakeCache.txt")) {
    if (in_path("ninja")) command.insert(command.end(), {"-G", "Ninja"});
    command.insert(command.end(),
                   {"-DCMAKE_BUILD_TYPE=Release",
                    "-DCMAKE_PREFIX_PATH=" + driver::own_folder().parent_path().string()});
  }
  const Ended ended = run_program(command);
  say("configured", ended.seconds);
  ended.fine() ? fmt::print("\n") : repeat(ended);
  return ended.fine();
}

bool compiled(const fs::path& build) {
  const Ended ended = run_program({"cmake", "--build", build.string(), "--parallel"});
  say("compiled", ended.seconds);
  ended.fine() ? fmt::print("\n") : repeat(ended);
  return ended.fine();
}

std::vector<fs::path> plugins_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".so") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool manifests_are_read_back(const std::vector<fs::path>& plugins) {
  bool fine = true;
  for (const fs::path& plugin : plugins) {
    try {
      for (const registry::PartSchema& part :
           registry::parse_manifests(registry::read_section(plugin).text)) {
        verify(part, registry::this_host());
        fmt::print("{:<20} {}/{}, {} parameter{}: {}\n", "manifest", part.kind, part.name,
                   part.fields.size(), part.fields.size() == 1 ? "" : "s", plugin.string());
      }
    } catch (const Error& problem) {
      fmt::print(stderr, "{}: {}\n", plugin.string(), problem.what());
      fine = false;
    }
  }
  return fine;
}

bool tests_pass(const fs::path& build) {
  const Ended ended = run_program(
      {"ctest", "--test-dir", build.string(), "--output-on-failure", "--timeout", "60"});
  if (ended.output.find("No tests were found") != std::string::npos) {
    fmt::print("{:<20} none; paribus_add_plugin_test(KIND NAME) adds one\n", "tested");
    return true;
  }
  say("tested", ended.seconds);
  ended.fine() ? fmt::print("\n") : repeat(ended);
  return ended.fine();
}

int build(const fs::path& project) {
  try {
    const std::vector<fs::path> plugins = compile_plugins(project);
    const bool fine = !plugins.empty() && manifests_are_read_back(plugins) &&
                      tests_pass(project / "build") && hold_to_laws(plugins);
    return fine ? 0 : 1;
  } catch (const Error& problem) {
    fmt::print(stderr, "paribus: {}\n", problem.what());
    return 2;
  }
}

}  // namespace

std::vector<fs::path> compile_plugins(const fs::path& project) {
  if (!fs::exists(project / "CMakeLists.txt")) {
    throw Error(
        fmt::format("plugins build: {} holds no CMakeLists.txt, expected the folder of a "
                    "plugin; `paribus plugins new KIND NAME` makes one",
                    project.string()));
  }
  const fs::path folder = project / "build";
  if (!configured(project, folder) || !compiled(folder)) return {};
  std::vector<fs::path> plugins = plugins_in(folder);
  if (plugins.empty()) {
    throw Error(
        fmt::format("plugins build: {} was built and holds no plugin; "
                    "paribus_add_plugin(KIND NAME) in CMakeLists.txt makes one",
                    folder.string()));
  }
  return plugins;
}

void add_plugins_build_command(CLI::App& plugins, int& exit_status) {
  CLI::App* command =
      plugins.add_subcommand("build", "compile a folder of plugins, test them, hold to the laws");
  const auto project = std::make_shared<fs::path>();
  command->add_option("DIR", *project, "the folder, e.g. of `plugins new`")
      ->required()
      ->type_name("");
  command->callback([project, &exit_status] { exit_status = build(*project); });
}

}  // namespace paribus
