// SPDX-License-Identifier: Apache-2.0
#include "named_files.h"

#include <filesystem>

#include "registry/sha256.h"

namespace paribus::worker {

namespace {

void add(nlohmann::json& files, const PartSpec& part) {
  for (const auto& [name, value] : part.params) {
    const auto* text = std::get_if<std::string>(&value);
    std::error_code none;
    if (text != nullptr && !text->empty() && std::filesystem::is_regular_file(*text, none))
      files[part.address + "." + name] = registry::sha256_of_file(*text);
  }
  for (const auto& [name, inner] : part.slots) add(files, inner);
}

}  // namespace

nlohmann::json named_files(const TrialSpec& spec) {
  nlohmann::json files = nlohmann::json::object();
  for (const PartSpec* part : {&spec.model, &spec.loss, &spec.optimizer}) add(files, *part);
  for (const auto* parts : {&spec.transforms, &spec.metrics, &spec.callbacks}) {
    for (const PartSpec& part : *parts) add(files, part);
  }
  for (const ScheduleSpec& schedule : spec.schedules) add(files, schedule.part);
  return files;
}

}  // namespace paribus::worker
