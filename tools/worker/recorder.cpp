// SPDX-License-Identifier: Apache-2.0
#include "recorder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>

#include "branch.h"
#include "png.h"

namespace paribus::worker {
namespace {

std::atomic<bool> stop_wanted{false};
void ask_to_stop(int /*signal*/) { stop_wanted = true; }

/// The step that the environment names; none: no step comes so late.
std::int64_t step_to_hold_at() {
  const char* step = std::getenv("PARIBUS_HOLD_AT");
  return step == nullptr ? std::numeric_limits<std::int64_t>::max()
                         : std::strtoll(step, nullptr, 10);
}

constexpr std::int64_t kLookEvery = 50'000'000;  // ns
constexpr std::int64_t kMostLog = 1 << 20;

}  // namespace

JournalRecorder::JournalRecorder(const std::filesystem::path& file, std::string metric,
                                 driver::ProgressSlot& slot, Marks marks)
    : journal_(file),
      metric_(std::move(metric)),
      slot_(slot),
      marks_(std::move(marks)),
      hold_at_(step_to_hold_at()) {
  next_mark_ = marks_.until > 0 ? marks_.until : std::numeric_limits<std::int64_t>::max();
  if (marks_.every > 0) next_mark_ = std::min(next_mark_, marks_.every);
  if (!marks_.save_at.empty()) next_mark_ = std::min(next_mark_, *marks_.save_at.begin());
}

void JournalRecorder::point(std::string_view series, std::int64_t step, double value) {
  auto found = series_.find(series);
  if (found == series_.end()) {
    found = series_.emplace(std::string(series), journal_.series(series)).first;
  }
  journal_.point(found->second, step, value);
  if (series != metric_) return;
  slot_.metric = value;
  slot_.has_metric = true;
}

void JournalRecorder::message(std::string_view text) {
  ++slot_.beat;
  journal_.event({{"event", "message"}, {"text", text}});
}

void JournalRecorder::histogram(std::string_view name, std::int64_t step, const Histogram& values) {
  journal_.histogram(name, step, values);
}

void JournalRecorder::picture(std::string_view name, std::int64_t step, const Pixels& pixels) {
  journal_.picture(name, step, png_of(pixels));
}

void JournalRecorder::table(std::string_view name, std::int64_t step, const Columns& columns) {
  journal_.table(name, step, columns);
}

void JournalRecorder::resumed(std::int64_t step) {
  slot_.resumed_at = static_cast<std::uint64_t>(step);
  if (const auto known = seconds_at_.find(step); known != seconds_at_.end())
    seconds_before_ = known->second;
  journal_.event({{"event", "resume"}, {"step", step}, {"time", utc_now()}, {"pid", ::getpid()}});
}

void JournalRecorder::checkpointed(std::int64_t step, const std::string& file) {
  journal_.event({{"event", "checkpoint"},
                  {"step", step},
                  {"seconds", seconds()},
                  {"file", std::filesystem::path(file).filename().string()}});
  journal_.sync();
  ++slot_.beat;
  if (budget_ != nullptr) budget_->written();
  if (marks_.save_at.contains(step)) keep_branch(file, step);
  if (step >= hold_at_) ::raise(SIGSTOP);
}

double JournalRecorder::seconds() const {
  const std::chrono::duration<double> own = std::chrono::steady_clock::now() - start_;
  return seconds_before_ + own.count();
}

void JournalRecorder::keep_to(disk::Budget& budget) {
  budget_ = &budget;
  // Sealing makes up to three bytes of results.h5 of each.
  journal_.ask_before_writing([this](std::size_t bytes) {
    budget_->add(4 * static_cast<std::int64_t>(bytes), "the journal of a trial");
  });
}

void JournalRecorder::before_write(std::int64_t bytes) {
  if (budget_ != nullptr) budget_->reserve(bytes, "a checkpoint or weights");
}

/// What a plugin prints fills no disk.
void JournalRecorder::look_at_log() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const std::int64_t time = now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  if (time < next_look_) return;
  next_look_ = time + kLookEvery;
  struct stat facts {};
  if (::fstat(STDOUT_FILENO, &facts) != 0 || !S_ISREG(facts.st_mode)) return;
  if (budget_ != nullptr && facts.st_size > log_bytes_) {
    const std::int64_t grown = facts.st_size - log_bytes_;
    log_bytes_ = facts.st_size;
    budget_->add(grown, "the log of a trial");
  }
  if (facts.st_size < kMostLog) return;
  std::fprintf(stderr, "\nthis log ends here: it has reached 1 MiB\n");
  std::fflush(nullptr);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  ::close(nowhere);
}

Wish JournalRecorder::progress(std::int64_t step, std::int64_t steps, std::int64_t epoch,
                               double loss) {
  slot_.step.store(static_cast<std::uint64_t>(step), std::memory_order_relaxed);
  slot_.steps.store(static_cast<std::uint64_t>(steps), std::memory_order_relaxed);
  slot_.epoch.store(static_cast<std::uint64_t>(epoch), std::memory_order_relaxed);
  slot_.loss.store(loss, std::memory_order_relaxed);
  look_at_log();
  if (stop_wanted.load(std::memory_order_relaxed)) return Wish::stop;
  if (step < next_mark_) return Wish::go_on;
  if (marks_.until > 0 && step >= marks_.until) return Wish::stop;
  const bool is_end = marks_.every > 0 && step % marks_.every == 0;
  return is_end || marks_.save_at.contains(step) ? Wish::save : Wish::go_on;
}

void JournalRecorder::fingerprint(std::int64_t step, std::uint32_t value) {
  journal_.fingerprint(step, value);
}

bool JournalRecorder::wants_fingerprints(std::int64_t step) const {
  if (marks_.first_full <= step && step <= marks_.last_full) return true;
  return marks_.always_full && Recorder::wants_fingerprints(step);
}

void JournalRecorder::fingerprints(std::int64_t step, const Fingerprints& tensors) {
  journal_.fingerprints(step, tensors);
}

void stop_on_sigterm() { ::signal(SIGTERM, ask_to_stop); }

bool stop_was_asked() { return stop_wanted; }

std::string utc_now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

}  // namespace paribus::worker
