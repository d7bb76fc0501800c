// SPDX-License-Identifier: Apache-2.0
#include "driver/directory.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "disk/checkpoints.h"
#include "disk/no_space.h"
#include "journal/journal.h"
#include "paribus/error.h"
#include "results/trial_log.h"
#include "study/study.h"

namespace paribus::driver {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* what, const fs::path& path) {
  disk::fail(fmt::format("can't {} {}", what, path.string()), path, errno);
}

/// After a write that failed: the old file stays, nothing half-written does.
[[noreturn]] void discard(const fs::path& temporary, const fs::path& target) {
  const int why = errno;
  ::unlink(temporary.c_str());
  errno = why;
  fail("write", target);
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return in ? std::move(text).str() : "";
}

}  // namespace

fs::path default_directory(const fs::path& study) { return fs::path("runs") / study_name(study); }

StudyDirectory::StudyDirectory(const fs::path& path)
    : path_(fs::absolute(path).lexically_normal()) {
  if (path_.filename().empty()) path_ = path_.parent_path();
  if (fs::exists(path_) && !fs::is_directory(path_)) {
    throw Error(fmt::format(
        "{} is a file, expected a folder for the study; name another with --dir", path_.string()));
  }
  if (fs::exists(path_) && !fs::is_empty(path_) && !fs::exists(path_ / "journal")) {
    throw Error(fmt::format("{} holds other things than a study; name another folder with --dir",
                            path_.string()));
  }
  std::error_code problem;
  for (const char* folder : {"journal", "logs", "checkpoints"}) {
    fs::create_directories(path_ / folder, problem);
    if (problem) errno = problem.value(), fail("make", path_ / folder);
  }
  lock_ = Handle(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_) fail("open", path_);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) {
    disk::tidy_study(path_);
    return;
  }
  if (errno != EWOULDBLOCK) fail("lock", path_);
  throw Error(fmt::format(
      "{} is being run by another process; wait for it, or name another folder with --dir",
      path_.string()));
}

fs::path StudyDirectory::journal(const std::string& trial) const {
  return path_ / "journal" / (trial + ".log");
}
fs::path StudyDirectory::log(const std::string& trial) const {
  return results::trial_log_path(path_, trial);
}

fs::path StudyDirectory::branch(const std::string& trial, std::int64_t step) const {
  return path_ / "checkpoints" / trial / fmt::format("branch-{}.safetensors", step);
}

void StudyDirectory::keep_branch(const std::string& trial, std::int64_t step) const {
  const fs::path now = path_ / "checkpoints" / trial / fmt::format("step-{}.safetensors", step);
  // Without it, who would have begun with it begins at the start.
  if (!fs::exists(branch(trial, step)) && fs::exists(now))
    disk::link_checkpoint(now, branch(trial, step));
}

void StudyDirectory::drop_branches(const std::string& trial) const { drop(trial, {"branch-"}); }

void StudyDirectory::drop_checkpoints(const std::string& trial) const {
  drop(trial, {"branch-", "step-"});
}

void StudyDirectory::drop(const std::string& trial,
                          const std::vector<std::string_view>& prefixes) const {
  std::error_code gone;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path_ / "checkpoints" / trial, gone)) {
    const std::string name = entry.path().filename();
    const bool is_named = std::any_of(prefixes.begin(), prefixes.end(),
                                      [&](std::string_view one) { return name.starts_with(one); });
    if (is_named && entry.path().extension() == ".safetensors") files.push_back(entry.path());
  }
  for (const fs::path& file : files) disk::remove_checkpoint(file);
}

void StudyDirectory::write(const std::string& name, const std::string& text) const {
  const fs::path target = path_ / name;
  if (fs::exists(target) && text_of(target) == text) return;
  fs::path temporary = target;
  temporary += ".part";
  const Handle file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) fail("write", temporary);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(file.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) discard(temporary, target);
    done += static_cast<std::size_t>(n);
  }
  if (::fsync(file.get()) != 0 || ::rename(temporary.c_str(), target.c_str()) != 0)
    discard(temporary, target);
  ::fsync(lock_.get());
}

std::optional<nlohmann::json> StudyDirectory::end_of(const std::string& trial) const {
  const fs::path path = journal(trial);
  if (!fs::exists(path)) return std::nullopt;
  const journal::Record record = journal::read(path);
  if (record.events.empty() || record.events.back().value("event", "") != "end")
    return std::nullopt;
  return record.events.back();
}

std::string StudyDirectory::status(const std::string& trial) const {
  const fs::path path = journal(trial);
  if (!fs::exists(path)) return "";
  const journal::Record record = journal::read(path);
  if (record.events.empty()) return "";
  const nlohmann::json& last = record.events.back();
  return last.value("event", "") == "end" ? last.value("status", "begun") : "begun";
}

void StudyDirectory::forget(const std::string& trial) const {
  fs::remove(journal(trial));
  fs::remove(log(trial));
  disk::tidy(path_ / "checkpoints" / trial, "none");
}

}  // namespace paribus::driver
