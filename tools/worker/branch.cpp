// SPDX-License-Identifier: Apache-2.0
#include "branch.h"

#include <string>
#include <system_error>

#include "paribus/error.h"

namespace paribus::worker {
namespace {

namespace fs = std::filesystem;

fs::path branch_file(const fs::path& folder, std::int64_t step) {
  return folder / ("branch-" + std::to_string(step) + ".safetensors");
}

/// The same bytes under a second name; a file that is there already is the same one.
bool link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code problem;
  fs::create_hard_link(from, to, problem);
  if (problem && !fs::exists(to)) fs::copy_file(from, to, problem);  // no links on this disk
  return fs::exists(to);
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

}  // namespace

void keep_branch(const fs::path& checkpoint, std::int64_t step) {
  link_or_copy(checkpoint, branch_file(checkpoint.parent_path(), step));
}

bool begin_with(const Beginning& other, journal::Writer& journal, const fs::path& folder) {
  const fs::path file = branch_file(other.folder, other.step);
  if (!fs::exists(file) || !fs::exists(other.journal)) return false;
  journal::Record record;
  try {
    record = journal::read(other.journal);
  } catch (const Error&) {  // it is told of where that trial's results are read
    return false;
  }
  const journal::Series* losses = record.find("train.batch_loss");
  if (losses == nullptr || losses->steps.empty() || losses->steps.back() < other.step) return false;
  for (const journal::Series& series : record.series) {
    if (series.steps.empty() || series.steps.front() > other.step) continue;
    const auto id = journal.series(series.name, series.unit);
    for (std::size_t i = 0; i < series.steps.size() && series.steps[i] <= other.step; ++i)
      journal.point(id, series.steps[i], series.values[i]);
  }
  copy_fingerprints(record.chain, other.step, journal);
  journal.sync();
  return link_or_copy(file, folder / ("step-" + std::to_string(other.step) + ".safetensors"));
}

}  // namespace paribus::worker
