// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <limits>
#include <optional>
#include <set>

#include "disk/no_space.h"
#include "journal/crc32c.h"
#include "journal/decode.h"
#include "journal/format.h"
#include "journal/journal.h"
#include "paribus/error.h"

namespace paribus::journal {
namespace {

constexpr std::size_t kMostTorn = 128 * 1024;  // by a kill: a writer's buffer and an event

std::string read_bytes(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    throw Error(fmt::format("journal {}: can't open: {}", path.string(), std::strerror(errno)));
  struct stat facts {};
  if (::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    ::close(file);
    throw Error(fmt::format("journal {}: is not a regular file", path.string()));
  }
  std::string bytes(static_cast<std::size_t>(facts.st_size), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const auto count = ::read(file, bytes.data() + got, bytes.size() - got);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    got += static_cast<std::size_t>(count);
  }
  ::close(file);
  bytes.resize(got);
  return bytes;
}

/// A step and fingerprints from there on.
struct Values {
  std::int64_t step = 0;
  std::vector<std::uint32_t> values;
};

std::optional<Values> take_values(std::string_view payload) {
  Values taken;
  constexpr std::size_t kEach = sizeof(std::uint32_t), kHead = sizeof taken.step;
  if (payload.size() < kHead || (payload.size() - kHead) % kEach != 0) return std::nullopt;
  taken.step = load<std::int64_t>(payload.data());
  taken.values.resize((payload.size() - kHead) / kEach);
  const auto count = static_cast<std::int64_t>(taken.values.size());
  if (taken.step > std::numeric_limits<std::int64_t>::max() - count) return std::nullopt;
  if (count > 0) std::memcpy(taken.values.data(), payload.data() + kHead, payload.size() - kHead);
  return taken;
}

struct Point {
  std::size_t series;
  std::int64_t step;
  double value;
};

/// Takes records in order and keeps what counts.
class Collector {
 public:
  /// `bytes`: of the whole journal.
  Collector(std::string_view bytes, Record& record, bool keeps_events)
      : bytes_(bytes), record_(record), keeps_events_(keeps_events) {}

  /// False, with nothing changed, if the payload makes no sense.
  bool add(std::uint8_t type, std::string_view payload) {
    switch (type) {
      case kEvent:
        return add_event(payload);
      case kSeries:
        return add_series(payload);
      case kPoints:
        return add_points(payload);
      case kChain:
        return add_chain(payload);
      case kTensors:
        return add_tensors(payload);
      case kFull:
        return add_full(payload);
      case kHistogram:
        return add_shown(record_.histograms, histogram_steps_, payload, take_histogram);
      case kPicture:
        return add_picture(payload);
      case kTable:
        return add_shown(record_.tables, table_steps_, payload, take_table);
      default:
        return false;
    }
  }

 private:
  using Steps = std::map<std::string, std::int64_t>;  // the last of each name

  bool add_event(std::string_view payload) {
    if (is_too_deep(payload)) return false;
    auto event = nlohmann::json::parse(payload, nullptr, false);
    if (!event.is_object()) return false;
    const auto name = event.find("event");
    if (name != event.end() && *name == "resume") resume(event);
    if (name != event.end() && *name == "start") restarted_ = true;
    if (keeps_events_) record_.events.push_back(std::move(event));
    return true;
  }

  bool add_series(std::string_view payload) {
    auto name = take_name(payload);
    if (!name || name->empty() || !names_.insert(*name).second) return false;
    record_.series.push_back({std::move(*name), std::string(payload), {}, {}});
    kept_.push_back(0);
    return true;
  }

  bool add_points(std::string_view payload) {
    points_.clear();
    std::uint64_t step = 0;
    while (!payload.empty()) {
      const auto tag = take_varint(payload);
      const auto move = take_varint(payload);
      if (!tag || !move || *tag / 2 >= record_.series.size()) return false;
      const auto value = *tag % 2 ? take_value<float>(payload) : take_value<double>(payload);
      if (!value) return false;
      step += (*move >> 1) ^ (0 - (*move & 1));
      points_.push_back({*tag / 2, static_cast<std::int64_t>(step), *value});
    }
    if (!points_.empty()) begin_anew_if_restarted();
    for (const Point& point : points_) add_point(point);
    record_.points_written += points_.size();
    return true;
  }

  bool add_chain(std::string_view payload) {
    const auto taken = take_values(payload);
    if (!taken) return false;
    begin_anew_if_restarted();
    Chain& chain = record_.chain;
    while (!chain.steps.empty() && chain.steps.back() >= taken->step)
      chain.steps.pop_back(), chain.values.pop_back();
    std::int64_t step = taken->step;
    for (const std::uint32_t value : taken->values)
      chain.steps.push_back(step++), chain.values.push_back(value);
    return true;
  }

  bool add_tensors(std::string_view payload) {
    std::vector<std::string> names;
    while (!payload.empty()) {
      auto name = take_name(payload);
      if (!name) return false;
      names.push_back(std::move(*name));
    }
    drop_full_from(std::numeric_limits<std::int64_t>::min());  // they were of other tensors
    record_.chain.tensors = std::move(names);
    return true;
  }

  bool add_full(std::string_view payload) {
    const auto taken = take_values(payload);
    Chain& chain = record_.chain;
    if (!taken || taken->values.size() != chain.tensors.size()) return false;
    begin_anew_if_restarted();
    drop_full_from(taken->step);
    chain.full_steps.push_back(taken->step);
    chain.full.insert(chain.full.end(), taken->values.begin(), taken->values.end());
    return true;
  }

  bool add_picture(std::string_view payload) {
    auto head = take_shown_head(payload);
    if (!head) return false;
    begin_anew_if_restarted();
    const auto at = static_cast<std::size_t>(payload.data() - bytes_.data());
    put(record_.pictures, picture_steps_, {std::move(head->name), head->step, at, payload.size()});
    return true;
  }

  /// `take`: what takes apart what stands behind the head.
  template <class T, class Take>
  bool add_shown(std::vector<T>& all, Steps& steps, std::string_view payload, Take take) {
    auto head = take_shown_head(payload);
    auto rest = take(payload);
    if (!head || !rest) return false;
    begin_anew_if_restarted();
    put(all, steps, {std::move(head->name), head->step, std::move(*rest)});
    return true;
  }

  /// What is made again takes the place of what was there, and of what came after it.
  template <class T>
  static void put(std::vector<T>& all, Steps& steps, T one) {
    const auto [last, is_new] = steps.try_emplace(one.name, one.step);
    if (!is_new && last->second >= one.step) {
      std::erase_if(all,
                    [&](const T& old) { return old.name == one.name && old.step >= one.step; });
    }
    last->second = one.step;
    all.push_back(std::move(one));
  }

  void drop_full_from(std::int64_t step) {
    Chain& chain = record_.chain;
    while (!chain.full_steps.empty() && chain.full_steps.back() >= step)
      chain.full_steps.pop_back();
    chain.full.resize(chain.full_steps.size() * chain.tensors.size());
  }

  void begin_anew_if_restarted() {
    if (restarted_) resume_from(std::numeric_limits<std::int64_t>::min());
  }

  void add_point(const Point& point) {
    Series& series = record_.series[point.series];
    std::size_t& kept = kept_[point.series];
    // Between checkpoint and kill, the step of the checkpoint itself may have been recorded; it is
    // made again.
    if (series.steps.size() == kept) {
      while (kept > 0 && series.steps[kept - 1] >= point.step) --kept;
      series.steps.resize(kept);
      series.values.resize(kept);
      kept = 0;
    }
    series.steps.push_back(point.step);
    series.values.push_back(point.value);
  }

  void resume(const nlohmann::json& event) {
    const auto step = event.find("step");
    if (step != event.end() && step->is_number_integer()) resume_from(step->get<std::int64_t>());
  }

  /// Points after `last` do not count any more.
  void resume_from(std::int64_t last) {
    restarted_ = false;
    for (std::size_t i = 0; i < record_.series.size(); ++i) {
      Series& series = record_.series[i];
      std::size_t kept = 0;
      for (std::size_t j = 0; j < series.steps.size(); ++j) {
        if (series.steps[j] > last) continue;
        series.steps[kept] = series.steps[j];
        series.values[kept++] = series.values[j];
      }
      series.steps.resize(kept);
      series.values.resize(kept);
      kept_[i] = kept;
    }
    Chain& chain = record_.chain;
    while (!chain.steps.empty() && chain.steps.back() > last)
      chain.steps.pop_back(), chain.values.pop_back();
    if (last < std::numeric_limits<std::int64_t>::max()) drop_full_from(last + 1);
    const auto is_later = [last](const auto& one) { return one.step > last; };
    std::erase_if(record_.histograms, is_later);
    std::erase_if(record_.pictures, is_later);
    std::erase_if(record_.tables, is_later);
  }

  const std::string_view bytes_;
  Record& record_;
  const bool keeps_events_;
  std::set<std::string, std::less<>> names_;
  std::vector<std::size_t>
      kept_;  // by series: points from before the resume, until the first one after it; else 0
  std::vector<Point> points_;
  Steps histogram_steps_, picture_steps_, table_steps_;
  bool restarted_ = false;
};

void stop_at(Record& record, Tail tail, std::string problem) {
  record.tail = tail;
  record.problem = std::move(problem);
}

/// Reads one record at `record.valid_bytes` and moves on; false at the end or at the first bad
/// byte.
bool read_record(std::string_view bytes, Record& record, Collector& collector) {
  const std::string_view rest = bytes.substr(record.valid_bytes);
  if (rest.empty()) return false;
  const std::size_t length = rest.size() < kHeader ? 0 : load<std::uint32_t>(rest.data());
  if (length > kMaxPayload) {
    stop_at(record, Tail::damaged, fmt::format("a record claims {} bytes", length));
    return false;
  }
  if (rest.size() < kHeader + length + kTrailer) {
    stop_at(record, Tail::torn, "the last record is cut short");
    return false;
  }
  const std::string_view checked = rest.substr(0, kHeader + length);
  if (crc32c(checked) != load<std::uint32_t>(rest.data() + checked.size())) {
    stop_at(record, Tail::damaged, "a record's checksum does not fit its bytes");
    return false;
  }
  if (!collector.add(static_cast<std::uint8_t>(rest[4]), checked.substr(kHeader))) {
    stop_at(record, Tail::damaged, "a record's checksum fits but its contents make no sense");
    return false;
  }
  record.valid_bytes += checked.size() + kTrailer;
  return true;
}

Record decode(std::string_view bytes, const std::filesystem::path& path, bool keeps_events = true) {
  Record record;
  if (bytes.size() < kMagic.size() && kMagic.starts_with(bytes)) {
    if (!bytes.empty()) stop_at(record, Tail::torn, "the head is cut short");
  } else if (!bytes.starts_with(kMagic)) {
    const bool is_ours = bytes.starts_with(kMagic.substr(0, 7));
    throw Error(fmt::format("journal {}: {}", path.string(),
                            is_ours
                                ? fmt::format("has format version {}, this program reads {}",
                                              static_cast<unsigned char>(bytes[7]), kMagic[7] + 0)
                                : "is not a journal: its first bytes are not 'paribus'"));
  } else {
    record.valid_bytes = kMagic.size();
    Collector collector(bytes, record, keeps_events);
    while (read_record(bytes, record, collector)) {
    }
  }
  record.torn_bytes = bytes.size() - record.valid_bytes;
  return record;
}

}  // namespace

const Series* Record::find(std::string_view name) const {
  for (const Series& one : series) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

const nlohmann::json* Record::last(std::string_view event) const {
  for (auto at = events.rbegin(); at != events.rend(); ++at) {
    const auto name = at->find("event");
    if (name != at->end() && name->is_string() && name->get_ref<const std::string&>() == event)
      return &*at;
  }
  return nullptr;
}

Record read(const std::filesystem::path& path) { return decode(read_bytes(path), path); }

Record read_without_events(const std::filesystem::path& path) {
  return decode(read_bytes(path), path, false);
}

std::string picture_in(const std::filesystem::path& path, const NamedPicture& picture) {
  std::ifstream in(path, std::ios::binary);
  std::string png(picture.size, '\0');
  in.seekg(static_cast<std::streamoff>(picture.at));
  in.read(png.data(), static_cast<std::streamsize>(png.size()));
  return in ? png : "";
}

bool has_writer(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return false;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool asked = ::fcntl(file, F_OFD_GETLK, &lock) == 0;
  ::close(file);
  return asked && lock.l_type != F_UNLCK;
}

std::size_t repair(const std::filesystem::path& path) {
  const std::string bytes = read_bytes(path);
  const Record record = decode(bytes, path);
  // Whole records may stand behind the damage: somebody may want to look. A record that only seems
  // cut short, since its length was damaged, leaves more behind than a kill can.
  if (record.tail == Tail::damaged || record.torn_bytes > kMostTorn) {
    auto kept = path;
    kept += ".cut";
    std::ofstream out(kept, std::ios::binary | std::ios::app);
    out << std::string_view(bytes).substr(record.valid_bytes) << std::flush;
    if (!out)
      disk::fail(fmt::format("{}: can't keep what is to be cut", kept.string()), kept, errno);
  }
  // A writer cuts what is torn when it opens the file, and keeps others from writing meanwhile.
  Writer writer(path);
  writer.sync();
  return writer.torn_bytes();
}

}  // namespace paribus::journal
