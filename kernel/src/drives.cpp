// SPDX-License-Identifier: Apache-2.0
#include "paribus/drives.h"

#include <algorithm>

#include "paribus/error.h"

namespace paribus {

Drives::Drives(const std::vector<ScheduleSpec>& schedules, const PartFactory& factory) {
  for (const ScheduleSpec& schedule : schedules) {
    drives_.push_back(
        {schedule.target, std::make_unique<Instance>(schedule.part, factory), 0, false});
  }
}

void Drives::attach(const Instance& instance) {
  for (Drive& drive : drives_) {
    const Instance::Parameter parameter = instance.find(drive.target);
    if (!parameter) continue;
    if (!parameter.field->live)
      throw Error("schedule." + drive.target + ": the parameter can't change in training");
    drive.base = parameter.get();
    drive.attached = true;
  }
}

Progress Drives::progress(std::int64_t epochs, std::int64_t batches, std::int64_t epoch,
                          std::int64_t index) {
  const auto total = static_cast<double>(std::max<std::int64_t>(epochs * batches, 1));
  const auto step = static_cast<double>(epoch * batches + index);
  return {.fraction = step / total,
          .inclusive = total > 1 ? step / (total - 1) : 1,
          .epoch = step / static_cast<double>(std::max<std::int64_t>(batches, 1)),
          .epochs = epochs,
          .base = 0};
}

void Drives::drive(const Instance& instance, std::int64_t epoch, std::int64_t index) const {
  if (drives_.empty()) return;
  Progress now = progress(epochs_, batches_, epoch, index);
  for (const Drive& drive : drives_) {
    const Instance::Parameter parameter = instance.find(drive.target);
    if (!parameter) continue;
    now.base = drive.base;
    const double value = drive.schedule->as<Schedule>().at(now);
    try {
      parameter.set(value);
    } catch (const Error& problem) {
      throw Error("schedule." + drive.target + ": in epoch " + std::to_string(epoch + 1) + ", " +
                  problem.what());
    }
  }
}

std::vector<std::string> Drives::unattached() const {
  std::vector<std::string> targets;
  for (const Drive& drive : drives_) {
    if (!drive.attached) targets.push_back(drive.target);
  }
  return targets;
}

std::vector<std::pair<std::string, double>> Drives::values(const Instance& instance) const {
  std::vector<std::pair<std::string, double>> values;
  for (const Drive& drive : drives_) {
    if (const Instance::Parameter parameter = instance.find(drive.target))
      values.emplace_back(drive.target, parameter.get());
  }
  return values;
}

}  // namespace paribus
