// SPDX-License-Identifier: Apache-2.0
#include "plugins_check.h"

#include <fmt/core.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "check_laws.h"
#include "paribus/error.h"
#include "plugins_command.h"
#include "registry/elf.h"
#include "registry/manifest.h"
#include "registry/nearest.h"
#include "registry/verify.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;
using check::Finding;
using check::Report;
using check::Subject;
using check::Verdict;
using nlohmann::json;
using registry::PartSchema;

struct CheckRequest {
  fs::path file, base;
  std::vector<std::string> off, with;
  int seconds = 20;
  bool read = false, json = false;
};

std::vector<PartSchema> parts_of(const fs::path& file) {
  try {
    std::vector<PartSchema> parts = registry::parse_manifests(registry::read_section(file).text);
    for (PartSchema& part : parts) {
      verify(part, registry::this_host());
      part.plugin = file;
    }
    return parts;
  } catch (const Error& problem) {
    throw Error(fmt::format("{}: {}", file.string(), problem.what()));
  }
}

/// `KEY=VALUE`, of a part that has the parameter.
check::Settings settings_for(const PartSchema& part, const std::vector<std::string>& words,
                             const char* option) {
  check::Settings result;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    if (equals == std::string::npos || equals == 0)
      throw Error(fmt::format("plugins check: got {} {}, expected KEY=VALUE", option, word));
    if (part.field(key) == nullptr) {
      std::vector<std::string> names;
      for (const registry::FieldSchema& field : part.fields) names.push_back(field.name);
      throw Error(fmt::format("plugins check: {} {}: {}/{} has no parameter '{}'{}", option, word,
                              part.kind, part.name, key, registry::did_you_mean(key, names)));
    }
    result.emplace_back(key, word.substr(equals + 1));
  }
  return result;
}

/// What stands beside a plugin, in the file of its name with `.off` for `.so`.
std::vector<std::string> lines_beside(fs::path file) {
  std::vector<std::string> lines;
  std::ifstream in(file.replace_extension(".off"));
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

Subject subject_of(const PartSchema& part, const CheckRequest& request) {
  const auto& off = request.off.empty() ? lines_beside(request.file) : request.off;
  return {part, settings_for(part, request.with, "-s"), settings_for(part, off, "--off"),
          request.base, request.seconds};
}

void print(const Report& report, const PartSchema& part) {
  fmt::print("{}: {} parameter{}, {}\n", report.part, part.fields.size(),
             part.fields.size() == 1 ? "" : "s", part.compiler);
  for (const Finding& finding : report.findings)
    fmt::print("  {:<10} {:<10} {}\n", finding.law, check::to_text(finding.verdict), finding.seen);
  const std::size_t broken = report.count(Verdict::broken);
  fmt::print("{}: {} kept, {} broken, {} not known ({:.1f} s)\n", report.part,
             report.count(Verdict::kept), broken, report.count(Verdict::not_known), report.seconds);
  std::fflush(stdout);
}

json to_json(const Report& report) {
  json laws = json::array();
  for (const Finding& finding : report.findings) {
    laws.push_back(
        {{"law", finding.law},
         {"verdict", finding.verdict == Verdict::broken ? "broken"
                     : finding.verdict == Verdict::none ? "none"
                                                        : check::to_text(finding.verdict)},
         {"seen", finding.seen}});
  }
  return {{"part", report.part},
          {"plugin", report.plugin.string()},
          {"laws", laws},
          {"broken", report.count(Verdict::broken)},
          {"seconds", report.seconds}};
}

int check_file(const CheckRequest& request) {
  if (request.read) return run_plugins_command({.check = request.file.string()}, stdout, stderr);
  try {
    json reports = json::array();
    std::size_t broken = 0;
    for (const PartSchema& part : parts_of(request.file)) {
      const Report report = check::examine(subject_of(part, request));
      broken += report.count(Verdict::broken);
      request.json ? reports.push_back(to_json(report)) : print(report, part);
    }
    if (request.json) {
      fmt::print("{}\n", json{{"parts", reports}, {"broken", broken}}.dump(
                             2, ' ', false, json::error_handler_t::replace));
    }
    return broken == 0 ? 0 : 1;
  } catch (const Error& problem) {
    if (request.json) {
      fmt::print("{}\n", json{{"parts", json::array()}, {"problem", problem.what()}}.dump(2));
    } else {
      fmt::print(stderr, "paribus: {}\n", problem.what());
    }
    return 2;
  }
}

}  // namespace

bool hold_to_laws(const std::vector<fs::path>& plugins) {
  bool fine = true;
  for (const fs::path& plugin : plugins) {
    CheckRequest request;
    request.file = plugin;
    fine = check_file(request) == 0 && fine;
  }
  return fine;
}

void add_plugins_check_command(CLI::App& plugins, int& exit_status) {
  CLI::App* command = plugins.add_subcommand("check", "hold the parts of a file to the laws");
  const auto request = std::make_shared<CheckRequest>();
  command->add_option("FILE.so", request->file, "a plugin")->required()->type_name("");
  command
      ->add_option("--off", request->off,
                   "a parameter's value by which the part does nothing; may be given again")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command
      ->add_option("-s,--set", request->with,
                   "a parameter's value other than its default; may be given again")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command->add_option("--base", request->base, "a study without arms to put the part in")
      ->type_name("STUDY.toml");
  command
      ->add_option("--seconds", request->seconds,
                   "the most for the 1,000 steps in which memory is watched (default: 20)")
      ->check(CLI::Range(1, 3600))
      ->type_name("N");
  command->add_flag("--read", request->read,
                    "only whether this Paribus would take it; runs nothing");
  command->add_flag("--json", request->json, "print JSON");
  command->callback([request, &exit_status] { exit_status = check_file(*request); });
}

}  // namespace paribus
