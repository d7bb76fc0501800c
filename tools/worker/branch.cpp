// SPDX-License-Identifier: Apache-2.0
#include "branch.h"

#include <string>

#include "disk/checkpoints.h"
#include "paribus/error.h"

namespace paribus::worker {
namespace {

namespace fs = std::filesystem;

fs::path branch_file(const fs::path& folder, std::int64_t step) {
  return folder / ("branch-" + std::to_string(step) + ".safetensors");
}

void copy_fingerprints(const journal::Chain& chain, std::int64_t last, journal::Writer& journal) {
  for (std::size_t i = 0; i < chain.steps.size() && chain.steps[i] <= last; ++i)
    journal.fingerprint(chain.steps[i], chain.values[i]);
  auto value = chain.full.begin();
  for (const std::int64_t step : chain.full_steps) {
    if (step > last) return;
    Fingerprints tensors;
    for (const std::string& name : chain.tensors) tensors.emplace_back(name, *value++);
    journal.fingerprints(step, tensors);
  }
}

void copy_shown(const fs::path& from, const journal::Record& record, std::int64_t last,
                journal::Writer& journal) {
  for (const journal::NamedHistogram& one : record.histograms)
    if (one.step <= last) journal.histogram(one.name, one.step, one.values);
  for (const journal::NamedPicture& one : record.pictures)
    if (one.step <= last) journal.picture(one.name, one.step, journal::picture_in(from, one));
}

}  // namespace

void keep_branch(const fs::path& checkpoint, std::int64_t step) {
  disk::link_checkpoint(checkpoint, branch_file(checkpoint.parent_path(), step));
}

std::map<std::int64_t, double> seconds_of(const journal::Record& record) {
  std::map<std::int64_t, double> seconds;
  for (const nlohmann::json& event : record.events) {
    const std::string what = event.value("event", "");
    const auto step = event.find("step"), took = event.find("seconds");
    const bool is_one = (what == "checkpoint" || what == "branch") && step != event.end() &&
                        took != event.end() && step->is_number_integer() && took->is_number();
    if (is_one) seconds[step->get<std::int64_t>()] = took->get<double>();
  }
  return seconds;
}

std::optional<double> begin_with(const Beginning& other, journal::Writer& journal,
                                 const fs::path& folder) {
  const fs::path file = branch_file(other.folder, other.step);
  if (!fs::exists(file) || !fs::exists(other.journal)) return std::nullopt;
  journal::Record record;
  try {
    record = journal::read(other.journal);
  } catch (const Error&) {  // it is told of where that trial's results are read
    return std::nullopt;
  }
  const journal::Series* losses = record.find("train.batch_loss");
  if (losses == nullptr || losses->steps.empty() || losses->steps.back() < other.step)
    return std::nullopt;
  for (const journal::Series& series : record.series) {
    if (series.steps.empty() || series.steps.front() > other.step) continue;
    const auto id = journal.series(series.name, series.unit);
    for (std::size_t i = 0; i < series.steps.size() && series.steps[i] <= other.step; ++i)
      journal.point(id, series.steps[i], series.values[i]);
  }
  for (const auto& [target, values] : other.driven) {
    if (record.find(target) != nullptr) continue;
    const auto id = journal.series(target);
    for (std::size_t i = 0; i < values.size(); ++i)
      journal.point(id, static_cast<std::int64_t>(i) + 1, values[i]);
  }
  copy_shown(other.journal, record, other.step, journal);
  copy_fingerprints(record.chain, other.step, journal);
  journal.sync();
  const auto own = folder / ("step-" + std::to_string(other.step) + ".safetensors");
  disk::link_checkpoint(file, own);
  if (!fs::exists(own)) return std::nullopt;
  const auto seconds = seconds_of(record);
  const auto found = seconds.find(other.step);
  return found == seconds.end() ? 0 : found->second;
}

}  // namespace paribus::worker
