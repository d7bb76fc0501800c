// SPDX-License-Identifier: Apache-2.0
#include "branch.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

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

struct Point {
  std::int64_t step;
  std::uint32_t series;
  double value;
};

/// In the order of their steps, as a trial writes them.
class Copy {
 public:
  void add(Point point) { points_.push_back(point); }
  void add(std::int64_t step, std::function<void()> write) {
    shown_.emplace_back(step, std::move(write));
  }

  void write(journal::Writer& journal) {
    const auto earlier = [](const auto& a, const auto& b) { return step_of(a) < step_of(b); };
    std::stable_sort(points_.begin(), points_.end(), earlier);
    std::stable_sort(shown_.begin(), shown_.end(), earlier);
    auto next = points_.begin();
    const auto write_up_to = [&](std::int64_t step) {
      for (; next != points_.end() && next->step <= step; ++next)
        journal.point(next->series, next->step, next->value);
    };
    for (const auto& [step, write] : shown_) write_up_to(step), write();
    write_up_to(std::numeric_limits<std::int64_t>::max());
  }

 private:
  using Shown = std::pair<std::int64_t, std::function<void()>>;
  static std::int64_t step_of(const Point& point) { return point.step; }
  static std::int64_t step_of(const Shown& shown) { return shown.first; }

  std::vector<Point> points_;
  std::vector<Shown> shown_;
};

void add_shown(const fs::path& from, const journal::Record& record, std::int64_t last,
               journal::Writer& journal, Copy& copy) {
  for (const journal::NamedHistogram& one : record.histograms) {
    if (one.step <= last)
      copy.add(one.step, [&] { journal.histogram(one.name, one.step, one.values); });
  }
  for (const journal::NamedPicture& one : record.pictures) {
    if (one.step <= last)
      copy.add(one.step,
               [&] { journal.picture(one.name, one.step, journal::picture_in(from, one)); });
  }
  for (const journal::NamedTable& one : record.tables) {
    if (one.step <= last)
      copy.add(one.step, [&] { journal.table(one.name, one.step, one.columns); });
  }
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
  Copy copy;
  for (const journal::Series& series : record.series) {
    if (series.steps.empty() || series.steps.front() > other.step) continue;
    const auto id = journal.series(series.name, series.unit);
    for (std::size_t i = 0; i < series.steps.size() && series.steps[i] <= other.step; ++i)
      copy.add({series.steps[i], id, series.values[i]});
  }
  for (const auto& [target, values] : other.driven) {
    if (record.find(target) != nullptr) continue;
    const auto id = journal.series(target);
    for (std::size_t i = 0; i < values.size(); ++i)
      copy.add({static_cast<std::int64_t>(i) + 1, id, values[i]});
  }
  add_shown(other.journal, record, other.step, journal, copy);
  copy.write(journal);
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
