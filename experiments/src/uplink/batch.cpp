// SPDX-License-Identifier: Apache-2.0
#include "uplink/batch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "driver/handle.h"
#include "journal/crc32c.h"
#include "journal/decode.h"
#include "paribus/error.h"

namespace paribus::uplink {

namespace {

using nlohmann::json;

constexpr std::size_t kChunk = std::size_t{1} << 20;
constexpr std::size_t kLongest = std::size_t{64} << 20;  // a record of a trial's journal
constexpr std::size_t kMostShown = 256;                  // histograms or pictures of a batch
constexpr std::size_t kMostShownBytes = std::size_t{4} << 20;
constexpr std::size_t kLast = 16;  // bytes that `last` keeps

/// A journal, read in pieces.
class File {
 public:
  explicit File(const std::filesystem::path& path)
      : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)) {
    struct stat facts {};
    if (!file_ || ::fstat(file_.get(), &facts) != 0)
      throw Error(fmt::format("journal {}: can't open: {}", path.string(), std::strerror(errno)));
    if (!S_ISREG(facts.st_mode))
      throw Error(fmt::format("journal {}: is not a regular file", path.string()));
    size_ = static_cast<std::uint64_t>(facts.st_size);
    changed_ = static_cast<double>(facts.st_mtim.tv_sec) +
               static_cast<double>(facts.st_mtim.tv_nsec) * 1e-9;
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] double changed() const { return changed_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Of its first bytes as many as a journal begins with.
  std::string beginning() {
    std::string bytes(journal::kMagic.size(), '\0');
    return ::pread(file_.get(), bytes.data(), bytes.size(), 0) < 0 ? "" : bytes;
  }

  /// As many of `count` bytes as there are. Valid until the next call.
  std::string_view bytes(std::uint64_t at, std::size_t count) {
    if (at < start_ || at + count > start_ + buffer_.size()) {
      const std::uint64_t left = size_ - std::min(at, size_);
      buffer_.resize(
          std::max(count, static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunk))));
      start_ = at;
      buffer_.resize(read(at));
    }
    return std::string_view(buffer_).substr(static_cast<std::size_t>(at - start_), count);
  }

 private:
  std::size_t read(std::uint64_t at) {
    std::size_t got = 0;
    while (got < buffer_.size()) {
      const ssize_t n = ::pread(file_.get(), buffer_.data() + got, buffer_.size() - got,
                                static_cast<off_t>(at + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0)
        throw Error(
            fmt::format("journal {}: can't read: {}", path_.string(), std::strerror(errno)));
      if (n == 0) break;
      got += static_cast<std::size_t>(n);
    }
    return got;
  }

  const std::filesystem::path& path_;
  driver::Handle file_;
  std::uint64_t size_ = 0, start_ = 0;
  double changed_ = 0;
  std::string buffer_;
};

/// Whether the journal goes on from where it was left: it may have been made anew, or repaired.
bool goes_on(File& file, const Position& from) {
  if (from.at < journal::kMagic.size() || from.last.size() > from.at) return false;
  return file.size() >= from.at &&
         file.bytes(from.at - from.last.size(), from.last.size()) == from.last;
}

/// From here on, what comes with steps up to the greatest so far has been read before.
void raise_floors(Position& position) {
  for (Series& one : position.series) one.floor = one.mark;
  for (Series& one : position.shown) one.floor = one.mark;
}

/// Takes records one by one.
class Reader {
 public:
  Reader(File& file, Batch& batch) : file_(file), batch_(batch), begun_(batch.next.at) {}

  /// False at what ends the batch: the end of what is whole, or an `end` that has to wait.
  bool next() {
    const std::uint64_t at = batch_.next.at;
    const std::string_view head = file_.bytes(at, journal::kHeader);
    if (head.size() < journal::kHeader) return false;
    const std::size_t length = journal::load<std::uint32_t>(head.data());
    const auto type = static_cast<std::uint8_t>(head[4]);
    const std::size_t size = journal::kHeader + length + journal::kTrailer;
    if (at + size > file_.size()) return false;
    if (length > kLongest) {
      throw Error(
          fmt::format("journal {}: a record at byte {} claims {} bytes, expected at most {}",
                      file_.path().string(), at, length, kLongest));
    }
    const std::string_view record = file_.bytes(at, size);
    if (record.size() < size) return false;
    const std::string_view checked = record.substr(0, size - journal::kTrailer);
    const std::uint32_t sum = journal::load<std::uint32_t>(record.data() + checked.size());
    const bool is_last = at + size == file_.size();
    if (journal::crc32c(checked) != sum) return !is_last && damaged();
    if (!add(type, checked.substr(journal::kHeader))) return false;
    batch_.next.at += size;
    batch_.next.last = record.substr(size - std::min(size, kLast));
    return true;
  }

 private:
  /// What stands before it comes first: the next batch begins with it.
  bool damaged() {
    if (batch_.next.at == begun_) {
      throw Error(
          fmt::format("journal {}: is damaged at byte {}", file_.path().string(), batch_.next.at));
    }
    return false;
  }

  bool add(std::uint8_t type, std::string_view payload) {
    if (type == journal::kEvent) return add_event(payload);
    if (type == journal::kSeries) {
      const auto name = journal::take_name(payload);
      if (!name) return damaged();
      add_series(*name, payload);
    }
    if (type == journal::kHistogram || type == journal::kPicture) return add_shown(type, payload);
    return type != journal::kPoints || add_points(payload);
  }

  /// After a journal was made anew the series come again, perhaps in another order.
  void add_series(const std::string& name, std::string_view unit) {
    std::vector<Series>& all = batch_.next.series;
    const auto known =
        std::find_if(all.begin(), all.end(), [&](const Series& one) { return one.name == name; });
    batch_.next.order.push_back(static_cast<std::size_t>(known - all.begin()));
    if (known == all.end()) all.push_back({name, std::string(unit)});
  }

  bool add_event(std::string_view payload) {
    if (journal::is_too_deep(payload)) return damaged();
    json event = json::parse(payload, nullptr, false);
    if (!event.is_object()) return damaged();
    const json name = event.value("event", json());
    if (name == "start" || name == "resume") {
      raise_floors(batch_.next);
      batch_.next.ended = false;
      if (name == "start") batch_.next.started = started_of(event);
    }
    if (name != "end") return true;
    if (!is_empty() || batch_.end) return false;  // it comes by itself
    batch_.end = std::move(event);
    return true;
  }

  [[nodiscard]] bool is_empty() const {
    return batch_.points.empty() && batch_.histograms.empty() && batch_.pictures.empty();
  }

  bool add_shown(std::uint8_t type, std::string_view payload) {
    const bool is_picture = type == journal::kPicture;
    std::vector<BatchShown>& own = is_picture ? batch_.pictures : batch_.histograms;
    if (own.empty() && !is_empty()) return false;  // each kind comes by itself
    if (own.size() >= kMostShown || shown_bytes_ >= kMostShownBytes) return false;
    auto head = journal::take_shown_head(payload);
    if (!head) return damaged();
    BatchShown one{std::move(head->name), head->step, {}, {}};
    if (is_picture) {
      one.png = payload;
    } else if (auto values = journal::take_histogram(payload)) {
      one.values = std::move(*values);
    } else {
      return damaged();
    }
    std::vector<Series>& known = batch_.next.shown;
    const std::string kind = is_picture ? "picture" : "histogram";
    auto mark = std::find_if(known.begin(), known.end(), [&](const Series& series) {
      return series.name == one.name && series.unit == kind;
    });
    if (mark == known.end()) mark = known.insert(known.end(), {one.name, kind});
    batch_.next.ended = false;
    if (one.step <= mark->floor) return true;
    mark->mark = std::max(mark->mark, one.step);
    shown_bytes_ += payload.size();
    own.push_back(std::move(one));
    return true;
  }

  [[nodiscard]] double started_of(const json& event) const {
    const json time = event.value("time", json());
    std::tm utc{};
    if (time.is_number()) return time.get<double>();
    if (time.is_string() &&
        ::strptime(time.get_ref<const std::string&>().c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc))
      return static_cast<double>(::timegm(&utc));
    return file_.changed();
  }

  bool add_points(std::string_view payload) {
    if (batch_.points.empty() && !is_empty()) return false;
    const std::size_t before = batch_.points.size();
    std::uint64_t step = 0;
    while (!payload.empty()) {
      const auto tag = journal::take_varint(payload);
      const auto move = journal::take_varint(payload);
      if (!tag || !move || *tag / 2 >= batch_.next.order.size()) return refuse(before);
      const auto value =
          *tag % 2 ? journal::take_value<float>(payload) : journal::take_value<double>(payload);
      if (!value) return refuse(before);
      step += (*move >> 1) ^ (0 - (*move & 1));
      const std::size_t series = batch_.next.order[*tag / 2];
      if (static_cast<std::int64_t>(step) > batch_.next.series[series].floor)
        batch_.points.push_back({series, static_cast<std::int64_t>(step), *value});
    }
    for (std::size_t i = before; i < batch_.points.size(); ++i) {
      std::int64_t& mark = batch_.next.series[batch_.points[i].series].mark;
      mark = std::max(mark, batch_.points[i].step);
    }
    batch_.next.ended = false;
    return true;
  }

  bool refuse(std::size_t before) {
    batch_.points.resize(before);
    return damaged();
  }

  File& file_;
  Batch& batch_;
  const std::uint64_t begun_;
  std::size_t shown_bytes_ = 0;
};

}  // namespace

Batch read_batch(const std::filesystem::path& path, const Position& from, std::size_t most,
                 std::uint64_t until) {
  File file(path);
  Batch batch{
      .next = from, .points = {}, .end = {}, .size = file.size(), .changed = file.changed()};
  if (file.size() < journal::kMagic.size()) return batch;  // it is just being made
  if (file.beginning() != journal::kMagic)
    throw Error(fmt::format("journal {}: is not a journal of this version", path.string()));
  if (!goes_on(file, from)) {
    batch.next.order.clear();
    batch.next.at = journal::kMagic.size();
    batch.next.last = journal::kMagic;
    raise_floors(batch.next);
  }
  Reader reader(file, batch);
  while (batch.points.size() < most && !batch.end && (until == 0 || batch.next.at < until) &&
         reader.next()) {
  }
  return batch;
}

}  // namespace paribus::uplink
