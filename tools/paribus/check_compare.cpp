// SPDX-License-Identifier: Apache-2.0
#include "check_compare.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "driver/verify_compare.h"
#include "journal/journal.h"
#include "paribus/error.h"

namespace paribus::check {
namespace {

namespace fs = std::filesystem;
using driver::Comparison;

/// "train.batch_loss at step 3: 2.3 and 2.1".
std::string first_difference(const Comparison& found) {
  if (found.point && found.first_step() == found.point->step) {
    const auto text = [](const std::optional<double>& value) {
      return value ? fmt::format("{}", *value) : std::string("nothing");
    };
    return fmt::format("{} at step {}: {} and {}", found.point->series, found.point->step,
                       text(found.point->one), text(found.point->other));
  }
  if (found.window) return fmt::format("the weights differ at step {}", found.window->step);
  if (!found.tensors.empty())
    return fmt::format("{} differs at step {}", found.tensors.front().tensor, found.full_step);
  if (!found.ends.empty()) {
    const driver::EndDifference& end = found.ends.front();
    return fmt::format("{}: {} and {}", end.what, end.one, end.other);
  }
  return "";
}

std::string counted(std::size_t points, std::size_t fingerprints) {
  return fmt::format("{} points, {} fingerprints, weights", points, fingerprints);
}

}  // namespace

Finding compare_studies(const std::string& law, const results::StudyRecord& one,
                        const fs::path& directory, const std::string& other) {
  const results::StudyRecord second = results::read_study(directory);
  std::map<std::string, const results::Trial*> trials;
  for (const results::Trial& trial : second.trials) trials[trial.id] = &trial;
  std::size_t points = 0, fingerprints = 0;
  for (const results::Trial& trial : one.trials) {
    const auto match = trials.find(trial.id);
    if (match == trials.end() || match->second->status != trial.status) {
      return {
          law, Verdict::broken,
          fmt::format("trial {} is {} here and {} there", trial.id, results::to_text(trial.status),
                      match == trials.end() ? "not" : results::to_text(match->second->status))};
    }
    if (trial.status == results::Status::planned) continue;
    const Comparison found =
        driver::compare(journal::read(results::journal_path(one.dir, trial.id)),
                        journal::read(results::journal_path(directory, trial.id)));
    if (!found.equal())
      return {law, Verdict::broken, fmt::format("{} differs: {}", other, first_difference(found))};
    points += found.points, fingerprints += found.windows + found.fulls;
  }
  if (second.trials.size() != one.trials.size()) {
    return {law, Verdict::broken,
            fmt::format("{} trials here, {} there", one.trials.size(), second.trials.size())};
  }
  return {law, Verdict::kept, other + " is equal: " + counted(points, fingerprints)};
}

Finding compare_off(const results::StudyRecord& study, const std::string& setting) {
  std::map<std::string, journal::Record> arms;
  for (const results::Trial& trial : study.trials)
    arms[trial.arm] = journal::read(results::journal_path(study.dir, trial.id));
  if (!arms.contains(kOffArm) || !arms.contains(kWithoutArm))
    return {"off", Verdict::not_known, "the study has no arm without it"};
  const journal::Record& without = arms[kWithoutArm];
  journal::Record off = arms[kOffArm];
  std::erase_if(off.series, [&](const journal::Series& series) {
    return without.find(series.name) == nullptr;  // what only the part adds
  });
  Comparison found = driver::compare(off, without);
  std::erase_if(found.ends, [](const driver::EndDifference& end) {
    return end.one.empty() || end.other.empty() || end.what == "message";
  });
  if (!found.equal()) {
    return {"off", Verdict::broken,
            fmt::format("{}it isn't as if it weren't there: {}", setting, first_difference(found))};
  }
  return {
      "off", Verdict::kept,
      setting + "as if it weren't there: " + counted(found.points, found.windows + found.fulls)};
}

std::int64_t newest_checkpoint(const fs::path& directory) {
  std::int64_t newest = -1;
  std::error_code gone;  // a file may vanish while we look
  for (fs::recursive_directory_iterator entry(directory / "checkpoints", gone), end;
       !gone && entry != end; entry.increment(gone)) {
    const std::string name = entry->path().filename().string();
    std::int64_t step = 0;
    if (!name.starts_with("step-") || !name.ends_with(".safetensors")) continue;
    std::from_chars(name.data() + 5, name.data() + name.size(), step);
    newest = std::max(newest, step);
  }
  return newest;
}

}  // namespace paribus::check
