// SPDX-License-Identifier: Apache-2.0
#include "disk/checkpoints.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "disk/no_space.h"
#include "paribus/error.h"

namespace paribus::disk {
namespace {

namespace fs = std::filesystem;

fs::path pins_of(const fs::path& file) { return fs::path(file).replace_extension(".tensors"); }

std::optional<std::int64_t> step_of(const fs::path& file) {
  const std::string stem = file.stem().string();
  if (file.extension() != ".safetensors" || !stem.starts_with("step-")) return std::nullopt;
  const std::string digits = stem.substr(5);
  if (digits.empty() || digits.size() > 15 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return std::stoll(digits);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code none;
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, none)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_alone(const fs::path& object) {
  struct stat facts {};
  return ::stat(object.c_str(), &facts) == 0 && facts.st_nlink == 1;
}

void remove_object(const fs::path& object) {
  ::unlink(object.c_str());
  ::rmdir(object.parent_path().c_str());  // these two fail unless empty
  ::rmdir(object.parent_path().parent_path().c_str());
}

void remove_pins(const fs::path& folder) {
  const fs::path objects = folder.parent_path().parent_path() / kObjects;
  for (const fs::path& pin : entries_of(folder)) {
    const std::string sha256 = pin.filename().string();
    ::unlink(pin.c_str());
    const fs::path object = objects / sha256.substr(0, 2) / sha256;
    if (is_alone(object)) remove_object(object);
  }
  ::rmdir(folder.c_str());
}

void remove_leftovers(const fs::path& folder) {
  for (const fs::path& path : entries_of(folder)) {
    if (path.extension() == ".partial") ::unlink(path.c_str());
    if (path.extension() == ".tensors" &&
        !fs::exists(fs::path(path).replace_extension(".safetensors"))) {
      remove_pins(path);
    }
  }
}

/// Steps at which a checkpoint stands for points that the journal still has and counts.
std::set<std::int64_t> confirmed(const journal::Record& journal) {
  std::set<std::int64_t> steps;
  for (const nlohmann::json& event : journal.events) {
    const std::string what = event.value("event", "");
    if (what == "start") steps.clear();
    const auto step = event.find("step");
    if (step == event.end() || !step->is_number_integer()) continue;
    if (what == "resume") steps.erase(steps.upper_bound(step->get<std::int64_t>()), steps.end());
    if (what == "checkpoint" || what == "branch") steps.insert(step->get<std::int64_t>());
  }
  return steps;
}

/// What stays of a trial, by its own words; "" if it isn't done, or nobody can tell.
std::string kept(const fs::path& journal, bool finished) try {
  if (!fs::exists(journal) || journal::has_writer(journal)) return "";
  const journal::Record record = journal::read(journal);
  if (record.events.empty()) return "";
  const nlohmann::json& last = record.events.back();
  const std::string status = last.value("event", "") == "end" ? last.value("status", "") : "";
  const bool is_over = status == "done" || (finished && status == "paused");
  return is_over ? last.value("keep", "final") : "";
} catch (const std::exception&) {  // damaged: a matter for fsck
  return "";
}

bool is_branch(const fs::path& path) { return path.filename().string().starts_with("branch-"); }

bool has_leftovers(const fs::path& folder) {
  const auto entries = entries_of(folder);
  return std::any_of(entries.begin(), entries.end(), [](const fs::path& path) {
    return path.extension() == ".partial" || is_branch(path) ||
           path.filename().string().starts_with("step-");
  });
}

void sync(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

/// Whether a process of that number lives and is of this program.
bool is_one_of_us(const std::string& pid) {
  const auto name_of = [](const std::string& process) {
    std::string name;
    std::getline(std::ifstream("/proc/" + process + "/comm"), name);
    return name;
  };
  const bool is_number = !pid.empty() && pid.find_first_not_of("0123456789") == std::string::npos;
  return is_number && name_of(pid) == name_of("self");
}

void link(const fs::path& from, const fs::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0 || errno == EEXIST) return;
  std::error_code problem;  // no links here: a copy
  const fs::path partial = to.string() + ".partial";
  fs::copy_file(from, partial, fs::copy_options::overwrite_existing, problem);
  if (!problem) sync(partial);
  if (!problem) fs::rename(partial, to, problem);
  if (problem) fail(to.string() + ": can't write it", to, problem.value());
}

}  // namespace

std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  std::multimap<std::int64_t, fs::path, std::greater<>> by_step;
  for (const fs::path& path : entries_of(folder)) {
    if (const auto step = step_of(path)) by_step.emplace(*step, path);
  }
  std::vector<fs::path> files;
  for (const auto& [step, path] : by_step) files.push_back(path);
  return files;
}

bool prepare(const fs::path& folder, const journal::Record& journal) {
  remove_leftovers(folder);
  const std::set<std::int64_t> steps = confirmed(journal);
  bool any = false;
  for (const fs::path& file : checkpoints_in(folder)) {
    if (steps.contains(*step_of(file)))
      any = true;
    else
      remove_checkpoint(file);
  }
  return any;
}

void tidy(const fs::path& folder, const std::string& keep) {
  const std::vector<fs::path> all = checkpoints_in(folder);
  for (const fs::path& file : all) {
    if (keep != "all" || file != all.front()) remove_checkpoint(file);
  }
  remove_leftovers(folder);
  if (keep != "none") return;
  for (const fs::path& path : entries_of(folder)) {
    if (!is_branch(path)) fs::remove_all(path);
  }
  ::rmdir(folder.c_str());  // fails unless empty
}

void remove_checkpoint(const fs::path& file) {
  ::unlink(file.c_str());  // first: what names the pins must not outlive them
  remove_pins(pins_of(file));
}

void link_checkpoint(const fs::path& file, const fs::path& target) {
  const auto pins = entries_of(pins_of(file));
  if (!pins.empty()) fs::create_directories(pins_of(target));
  for (const fs::path& pin : pins) link(pin, pins_of(target) / pin.filename());
  sync(pins_of(target));
  link(file, target);
  sync(target.parent_path());
}

std::vector<fs::path> stale_drafts(const fs::path& study) {
  std::vector<fs::path> drafts;
  for (const fs::path& path : entries_of(study)) {
    const std::string name = path.filename().string();
    if (name == "study.toml.part" || name == "paribus.lock.part") drafts.push_back(path);
    for (const std::string_view prefix : {".results.h5.", ".report.html.", ".trials.cache."}) {
      if (name.starts_with(prefix) && !is_one_of_us(name.substr(prefix.size())))
        drafts.push_back(path);
    }
  }
  return drafts;
}

void tidy_study(const fs::path& study, bool finished) {
  for (const fs::path& draft : stale_drafts(study)) ::unlink(draft.c_str());
  for (const fs::path& folder : entries_of(study / "checkpoints")) {
    const std::string trial = folder.filename().string();
    if (trial == kObjects || !has_leftovers(folder)) continue;
    const std::string keep = kept(study / "journal" / (trial + ".log"), finished);
    if (keep.empty()) continue;
    tidy(folder, keep);
    for (const fs::path& path : entries_of(folder)) {
      if (finished && is_branch(path) && path.extension() == ".safetensors")
        remove_checkpoint(path);
    }
    ::rmdir(folder.c_str());  // fails unless nothing stays
  }
  for (const fs::path& group : entries_of(study / "checkpoints" / kObjects)) {
    if (!fs::is_directory(group)) ::unlink(group.c_str());
    for (const fs::path& object : entries_of(group)) {
      if (is_alone(object)) remove_object(object);
    }
  }
}

}  // namespace paribus::disk
