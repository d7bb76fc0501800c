// SPDX-License-Identifier: Apache-2.0
#include "watch_trial.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>

#include "driver/handle.h"
#include "journal/crc32c.h"
#include "journal/decode.h"
#include "paribus/error.h"

namespace paribus {
namespace {

using nlohmann::json;

constexpr std::size_t kMostBuckets = 512;                // of a curve
constexpr std::size_t kMostSeries = 32;                  // whose curves are kept
constexpr std::size_t kChunk = std::size_t{256} << 10;   // read at once
constexpr std::size_t kLongest = std::size_t{64} << 20;  // a record of a trial's journal
constexpr std::size_t kLast = 16;                        // bytes that `last_` keeps
constexpr std::uint64_t kMostPid = 1 << 22;              // as Linux has it
constexpr double kWindow = 10;                           // s over which a rate is taken

std::string bytes_at(int file, std::uint64_t at, std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t got = 0;
  while (got < count) {
    const ssize_t n = ::pread(file, bytes.data() + got, count - got, static_cast<off_t>(at + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

double seconds_of(const json& time, double otherwise) {
  std::tm utc{};
  if (time.is_number()) return time.get<double>();
  if (time.is_string() &&
      ::strptime(time.get_ref<const std::string&>().c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc))
    return static_cast<double>(::timegm(&utc));
  return otherwise;
}

/// A callback may record series by the thousand.
bool is_measured(std::string_view series) {
  return series.starts_with("train.") || series.starts_with("valid.") ||
         series.starts_with("test.");
}

/// The payload of the record that `bytes` begin with, and its whole size; size 0 where it is not
/// all there or was damaged.
struct Taken {
  std::uint8_t type = 0;
  std::string_view payload;
  std::size_t size = 0, wanted = 0;
};

Taken take_record(std::string_view bytes) {
  Taken taken;
  taken.wanted = journal::kHeader;
  if (bytes.size() < taken.wanted) return taken;
  const std::size_t length = journal::load<std::uint32_t>(bytes.data());
  taken.wanted = journal::kHeader + length + journal::kTrailer;
  if (bytes.size() < taken.wanted) return taken;
  const std::string_view checked = bytes.substr(0, journal::kHeader + length);
  if (journal::crc32c(checked) != journal::load<std::uint32_t>(checked.data() + checked.size()))
    return taken;
  taken.type = static_cast<std::uint8_t>(bytes[4]);
  taken.payload = checked.substr(journal::kHeader);
  taken.size = taken.wanted;
  return taken;
}

}  // namespace

void WatchedSeries::add(const std::vector<std::int64_t>& steps, const std::vector<double>& values) {
  journal::Series fresh;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if ((curve.points > 0 || !fresh.steps.empty()) && steps[i] <= last_step) continue;
    fresh.steps.push_back(last_step = steps[i]);
    fresh.values.push_back(values[i]);
  }
  if (fresh.steps.empty()) return;
  report::Thin more = report::thin(fresh, kMostBuckets);
  report::coarsen(more, curve.shift);
  report::coarsen(curve, more.shift);
  curve.buckets.insert(curve.buckets.end(), more.buckets.begin(), more.buckets.end());
  curve.points += more.points;
  curve.not_finite += more.not_finite;
  while (curve.buckets.size() > kMostBuckets) report::coarsen(curve, curve.shift + 1);
  last = fresh.values.back();
}

const WatchedSeries* WatchedTrial::find(std::string_view name) const {
  const auto found = series_.find(name);
  return found == series_.end() || !found->second.last ? nullptr : &found->second;
}

void WatchedTrial::begin_anew() {
  at_ = 0;
  last_.clear();
  names_.clear();
  series_.clear();
  seen_.clear();
  steps_per_epoch_.reset();
  step_ = first_step_ = 0;
  began_ = 0;
  problem_.clear();
}

bool WatchedTrial::read_on(std::size_t most) {
  const driver::Handle file(::open(journal_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    throw Error(fmt::format("journal {}: can't be read: {}", journal_.string(),
                            file ? "is not a regular file" : std::strerror(errno)));
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const bool goes_on = inode_ == facts.st_ino && size >= at_ &&
                       bytes_at(file.get(), at_ - last_.size(), last_.size()) == last_;
  if (!goes_on) begin_anew();
  inode_ = facts.st_ino;
  changed_ =
      static_cast<double>(facts.st_mtim.tv_sec) + static_cast<double>(facts.st_mtim.tv_nsec) * 1e-9;
  const std::uint64_t end = at_ + most;
  std::size_t wanted = 0;
  problem_.clear();
  while (at_ < size && at_ < end) {
    const std::string bytes = bytes_at(file.get(), at_, std::max(kChunk, wanted));
    std::string_view rest = bytes;
    if (at_ == 0) {
      if (!rest.starts_with(journal::kMagic)) {
        if (journal::kMagic.starts_with(rest)) return false;  // it is just being made
        throw Error(fmt::format("journal {}: is not a journal of this version", journal_.string()));
      }
      rest.remove_prefix(journal::kMagic.size());
    }
    for (Taken one = take_record(rest);; one = take_record(rest)) {
      if (one.size == 0) {
        wanted = one.wanted > rest.size() ? one.wanted : 0;
        break;
      }
      take(one.type, one.payload);
      rest.remove_prefix(one.size);
    }
    const std::size_t taken = bytes.size() - rest.size();
    at_ += taken;
    if (taken > 0) last_ = bytes.substr(taken - std::min(taken, kLast), std::min(taken, kLast));
    const bool is_cut = wanted > kLongest || at_ + wanted > size;  // or the writer is not done yet
    const bool is_bad = !is_cut && taken == 0 && wanted <= bytes.size();
    if (is_bad || wanted > kLongest)
      problem_ =
          fmt::format("{}: what stands from byte {} on makes no sense", journal_.string(), at_);
    if (is_cut || is_bad) break;
  }
  if (step_ > 0 && (seen_.empty() || seen_.back().second != step_)) {
    seen_.emplace_back(changed_, step_);
    while (seen_.size() > 2 && seen_[1].first < changed_ - kWindow) seen_.pop_front();
  }
  return at_ >= end && at_ < size;
}

void WatchedTrial::take(std::uint8_t type, std::string_view payload) {
  if (type == journal::kEvent) return take_event(payload);
  if (type == journal::kPoints) return take_points(payload);
  if (type != journal::kSeries) return;
  const auto name = journal::take_name(payload);
  names_.push_back(name.value_or(""));
  const std::string& kept = names_.back();
  if (kept != metric_ && (!is_measured(kept) || series_.size() >= kMostSeries)) return;
  WatchedSeries& series = series_[names_.back()];
  series.name = names_.back();
  series.unit = payload;
}

void WatchedTrial::take_event(std::string_view payload) {
  if (journal::is_too_deep(payload)) return;
  const json event = json::parse(payload, nullptr, false);
  if (!event.is_object()) return;
  const json name = event.value("event", json());
  if (name != "start" && name != "resume") return;
  seen_.clear();
  began_ = seconds_of(event.value("time", json()), changed_);
  first_step_ = 0;
  const json pid = event.value("pid", json());
  pid_ = pid.is_number_unsigned() && pid.get<std::uint64_t>() < kMostPid ? pid.get<int>() : 0;
  if (name == "start") {  // what stands before it does not count
    for (auto& [key, series] : series_) {
      series.curve = {};
      series.last.reset();
      series.last_step = 0;
    }
    const json facts = event.value("facts", json::object());
    const json per_epoch = facts.is_object() ? facts.value("steps_per_epoch", json()) : json();
    if (per_epoch.is_number() && per_epoch.get<double>() > 0)
      steps_per_epoch_ = per_epoch.get<double>();
  } else if (const json step = event.value("step", json()); step.is_number_integer()) {
    first_step_ = step.get<std::int64_t>();  // what it makes again has the same bits
  }
  step_ = first_step_;
}

void WatchedTrial::take_points(std::string_view payload) {
  std::map<std::size_t, std::pair<std::vector<std::int64_t>, std::vector<double>>> fresh;
  std::uint64_t step = 0;
  while (!payload.empty()) {
    const auto tag = journal::take_varint(payload);
    const auto move = journal::take_varint(payload);
    if (!tag || !move || *tag / 2 >= names_.size()) return;
    const auto value =
        *tag % 2 ? journal::take_value<float>(payload) : journal::take_value<double>(payload);
    if (!value) return;
    step += (*move >> 1) ^ (0 - (*move & 1));
    auto& [steps, values] = fresh[*tag / 2];
    steps.push_back(static_cast<std::int64_t>(step));
    values.push_back(*value);
  }
  for (const auto& [number, points] : fresh) {
    step_ = std::max(step_, points.first.back());
    const auto series = series_.find(names_[number]);
    if (series != series_.end()) series->second.add(points.first, points.second);
  }
}

double WatchedTrial::rate() const {
  if (seen_.empty()) return 0;
  const auto over = [](double seconds, std::int64_t steps) {
    return seconds > 0.2 && steps > 0 ? static_cast<double>(steps) / seconds : 0;
  };
  const double lately =
      over(seen_.back().first - seen_.front().first, seen_.back().second - seen_.front().second);
  return lately > 0 ? lately : over(seen_.back().first - began_, step_ - first_step_);
}

}  // namespace paribus
