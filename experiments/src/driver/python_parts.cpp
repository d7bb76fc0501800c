// SPDX-License-Identifier: Apache-2.0
#include "driver/python_parts.h"

#include <fmt/core.h>

#include "driver/interrupt.h"
#include "driver/spawn.h"
#include "registry/verify.h"
#include "study/study.h"

namespace paribus::driver {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using registry::PartSchema;

constexpr std::string_view kPrefix = "python:";

/// What the bridge makes them from; the manifest says the rest as any other does.
PartSchema schema_of(json manifest, const std::string& name) {
  const registry::Host& host = registry::this_host();
  manifest.update({{"paribus", 1},
                   {"name", "part"},
                   {"symbol", "paribus_part_of_python"},
                   {"abi", host.abi},
                   {"libtorch", host.libtorch},
                   {"compiler", host.compiler},
                   {"cpu", host.cpu}});
  PartSchema schema = registry::schema_from_json(manifest);
  schema.name = name;
  return schema;
}

}  // namespace

PythonParts::PythonParts(fs::path study, std::vector<std::string> overrides)
    : study_(std::move(study)), overrides_(std::move(overrides)) {}

bool PythonParts::serves(std::string_view kind, std::string_view name) const {
  return name.starts_with(kPrefix) && kind != "tracker";
}

fs::path PythonParts::bridge() {
  const fs::path library =
      own_folder().parent_path() / "lib" / "paribus" / "bridge" / "python_bridge.so";
  std::error_code ignored;
  if (fs::exists(library, ignored)) return library;
  throw Error(fmt::format(
      "there is no bridge to Python at {}; build Paribus where Python's headers are (on Debian the "
      "package python3-dev), and install it again",
      library.string()));
}

const PartSchema& PythonParts::find(const std::string& kind, const std::string& name) {
  const auto [known, is_new] = known_.try_emplace({kind, name});
  Found& found = known->second;
  if (is_new) {
    try {
      found.schema = look(kind, name);
    } catch (const Interrupted&) {
      known_.erase(known);
      throw;
    } catch (const Error& problem) {
      found.refusal = problem.what();
    }
  }
  if (!found.refusal.empty()) throw Error(found.refusal);
  return found.schema;
}

std::vector<const PartSchema*> PythonParts::found() const {
  std::vector<const PartSchema*> all;
  for (const auto& [name, found] : known_) {
    if (found.refusal.empty()) all.push_back(&found.schema);
  }
  return all;
}

PartSchema PythonParts::look(const std::string& kind, const std::string& name) {
  const fs::path library = bridge();
  const std::string thing = name.substr(kPrefix.size());
  if (!describer_)
    describer_ = std::make_unique<PythonDescriber>(python_folders(study_, overrides_));
  check_trust(thing);
  const json reply = describer_->ask({{"op", "describe"}, {"kind", kind}, {"name", thing}});
  try {
    PartSchema schema = schema_of(reply.at("manifest"), name);
    schema.plugin = reply.at("file").get<std::string>();
    schema.sha256 = reply.at("sha256");
    schema.bridge = library;
    schema.made_from = {{"kind", kind},
                        {"name", name},
                        {"thing", thing},
                        {"sha256", schema.sha256},
                        {"params", reply.at("manifest").at("params")},
                        {"reads", schema.reads},
                        {"writes", schema.writes},
                        {"goal", schema.goal},
                        {"unit", schema.unit},
                        {"training_only", reply.at("training_only")},
                        {"python", PythonDescriber::python().string()},
                        {"package", PythonDescriber::package().string()},
                        {"path", reply.at("path")}};
    return schema;
  } catch (const json::exception& problem) {
    throw Error(fmt::format("what Python says of it can't be read: {}", problem.what()));
  }
}

/// Before any of it runs: neither its files nor the folder that Python would take others from may
/// be anyone's to write.
void PythonParts::check_trust(const std::string& thing) {
  const json reply = describer_->ask({{"op", "locate"}, {"name", thing}});
  const fs::path root = reply.at("root").get<std::string>();
  if (const auto objection = trust_.objection_to_folder(root))
    throw Error(fmt::format("{}: {}", root.string(), *objection));
  for (const json& entry : reply.at("files")) {
    const fs::path file = entry.get<std::string>();
    if (const auto objection = trust_.objection_to_file(file))
      throw Error(fmt::format("{}: {}", file.string(), *objection));
  }
}

}  // namespace paribus::driver
