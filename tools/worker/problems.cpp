// SPDX-License-Identifier: Apache-2.0
#include "problems.h"

#include <algorithm>
#include <vector>

namespace paribus::worker {
namespace {

void add_with_slots(std::vector<const PartSpec*>& all, const PartSpec& part) {
  all.push_back(&part);
  for (const auto& [name, inner] : part.slots) add_with_slots(all, inner);
}

std::vector<const PartSpec*> parts_of(const TrialSpec& spec) {
  std::vector<const PartSpec*> all;
  for (const PartSpec* part : {&spec.dataset, &spec.model, &spec.loss, &spec.optimizer})
    add_with_slots(all, *part);
  for (const auto* list : {&spec.transforms, &spec.metrics, &spec.callbacks}) {
    for (const PartSpec& part : *list) add_with_slots(all, part);
  }
  for (const ScheduleSpec& schedule : spec.schedules) add_with_slots(all, schedule.part);
  return all;
}

bool is_at(const std::string& address, const std::string& part) {
  return address == part || address.starts_with(part + ".");
}

/// Erases the part that `address` lies in, with the schedules that drive it.
bool erase_part(TrialSpec& spec, std::vector<PartSpec>& parts, const std::string& address) {
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const PartSpec& part) {
    return is_at(address, part.address);
  });
  if (found == parts.end()) return false;
  std::erase_if(spec.schedules, [&](const ScheduleSpec& schedule) {
    return is_at(schedule.target, found->address);
  });
  parts.erase(found);
  return true;
}

bool set_back(std::string& setting, const std::string& neutral) {
  if (setting == neutral) return false;
  setting = neutral;
  return true;
}

}  // namespace

std::string with_address(const TrialSpec& spec, const std::string& text) {
  for (const PartSpec* part : parts_of(spec)) {
    if (text.starts_with(part->kind + "/" + part->use + ": ")) return part->address + ": " + text;
  }
  return text;
}

bool leave_out(TrialSpec& spec, const std::string& address) {
  if (address == "train.device") return set_back(spec.train.device, "cpu");
  if (address == "train.precision") return set_back(spec.train.precision, "fp32");
  if (erase_part(spec, spec.callbacks, address) || erase_part(spec, spec.metrics, address))
    return true;
  return std::erase_if(spec.schedules, [&](const ScheduleSpec& schedule) {
           return is_at(address, "schedule." + schedule.target);
         }) > 0;
}

}  // namespace paribus::worker
