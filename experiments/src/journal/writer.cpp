// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bit>
#include <cerrno>

#include "disk/no_space.h"
#include "journal/crc32c.h"
#include "journal/format.h"
#include "journal/journal.h"
#include "paribus/error.h"

namespace paribus::journal {
namespace {

constexpr std::size_t kCapacity = 64 * 1024;
constexpr std::int64_t kFlushAfter = 1'000'000'000;  // ns
constexpr std::size_t kMaxChain = 4096;              // fingerprints in a record
constexpr std::size_t kLastWords = 8 * 1024;         // kept free for them
constexpr std::size_t kAhead = 16 * 1024;            // of the file, asked of the system at once

/// The coarse clock never leaves user space, and its 4 ms grain is fine enough here.
std::int64_t coarse_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view doing) {
  disk::fail(fmt::format("journal {}: can't {}", path.string(), doing), path, errno);
}

char* put_varint(char* to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

std::uint64_t zigzag(std::uint64_t difference) {
  return (difference << 1) ^ (0 - (difference >> 63));
}

void append_name(std::string& to, std::string_view name) {
  name = name.substr(0, kMaxName);
  const std::size_t at = to.size();
  to.append(2, '\0');
  store(to.data() + at, static_cast<std::uint16_t>(name.size()));
  to.append(name);
}

template <class T>
void append_value(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string shown_head(std::string_view name, std::int64_t step) {
  std::string head;
  append_name(head, name);
  append_value(head, step);
  return head;
}

/// u32 rows, then the columns.
std::string table_body(const Columns& columns) {
  const auto rows =
      std::visit([](const auto& values) { return values.size(); }, columns.front().values);
  std::string body;
  append_value(body, static_cast<std::uint32_t>(rows));
  for (const Column& column : columns) {
    append_value(body, static_cast<std::uint8_t>(column.values.index()));
    append_name(body, column.name);
    if (const auto* texts = std::get_if<kTexts>(&column.values)) {
      for (const std::string& text : *texts) {
        append_value(body, static_cast<std::uint32_t>(text.size()));
        body.append(text);
      }
    } else if (const auto* whole = std::get_if<kIntegers>(&column.values)) {
      for (const std::int64_t value : *whole) append_value(body, value);
    } else {
      for (const double value : std::get<kFloats>(column.values)) append_value(body, value);
    }
  }
  return body;
}

bool is_narrow(double value) {
  return std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<float>(value))) ==
         std::bit_cast<std::uint64_t>(value);
}

/// Without this, a new file's name may be gone after loss of power though its bytes were synced.
void sync_folder(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

void lock_or_fail(int file, const std::filesystem::path& path) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(file, F_OFD_SETLK, &lock) == 0) return;
  if (errno != EAGAIN && errno != EACCES) return;  // a file system without locks
  throw Error(fmt::format("journal {}: another process is writing it; wait for it or stop it",
                          path.string()));
}

}  // namespace

Writer::Writer(const std::filesystem::path& path) : path_(path), buffer_(kCapacity, '\0') {
  open_file();
  try {
    lock_or_fail(file_, path_);
    load_existing();
  } catch (...) {
    ::close(file_);
    throw;
  }
  chain_.reserve(kMaxChain);
  last_write_ = coarse_now();
}

Writer::~Writer() {
  try {
    flush();
  } catch (const Error&) {
    // The loss is the same as that of a kill here, and is made up for by a resume.
  }
  // Gives back what was asked for ahead; if that fails, it stays until the file is opened again.
  if (allocated_ > end_) (void)!::ftruncate(file_, static_cast<off_t>(end_));
  ::close(file_);
}

void Writer::open_file() {
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) fail(path_, "open");
}

void Writer::load_existing() {
  const Record record = read_without_events(path_);
  end_ = record.valid_bytes;
  torn_bytes_ = record.torn_bytes;
  if (torn_bytes_ > 0 && ::ftruncate(file_, static_cast<off_t>(end_)) != 0)
    fail(path_, "cut its torn tail");
  for (const Series& series : record.series) {
    ids_.emplace(series.name, static_cast<std::uint32_t>(units_.size()));
    units_.push_back(series.unit);
  }
  for (const std::string& name : record.chain.tensors) append_name(tensors_, name);
  if (end_ > 0) return;
  std::memcpy(buffer_.data(), kMagic.data(), kMagic.size());
  used_ = kMagic.size();
  flush();
  sync_folder(path_);
}

std::uint32_t Writer::series(std::string_view name, std::string_view unit) {
  if (const auto known = ids_.find(name); known != ids_.end()) {
    if (units_[known->second] == unit) return known->second;
    throw Error(
        fmt::format("journal {}: series '{}' has the unit '{}', got '{}'; a series keeps its unit",
                    path_.string(), name, units_[known->second], unit));
  }
  if (name.empty() || name.size() > kMaxName || unit.size() > kMaxName) {
    throw Error(fmt::format(
        "journal {}: the name of a series has 1 to {} bytes and its unit at most that, got {} and "
        "{}",
        path_.string(), kMaxName, name.size(), unit.size()));
  }
  std::string payload;
  append_name(payload, name);
  append_record(kSeries, payload.append(unit));
  const auto id = static_cast<std::uint32_t>(units_.size());
  ids_.emplace(name, id);
  units_.emplace_back(unit);
  return id;
}

void Writer::add_point(std::uint32_t series, std::int64_t step, double value) {
  if (series >= units_.size()) {
    throw Error(fmt::format("journal {}: point of series {}, which is not defined", path_.string(),
                            series));
  }
  if (!in_block_) begin_block();
  char* at = buffer_.data() + used_;
  const bool narrow = is_narrow(value);
  at = put_varint(at, std::uint64_t{series} * 2 + (narrow ? 1 : 0));
  at = put_varint(
      at, zigzag(static_cast<std::uint64_t>(step) - static_cast<std::uint64_t>(last_step_)));
  last_step_ = step;
  if (narrow) {
    store(at, static_cast<float>(value));
    at += sizeof(float);
  } else {
    store(at, value);
    at += sizeof(double);
  }
  used_ = static_cast<std::size_t>(at - buffer_.data());
  if (used_ + kMaxPoint + kTrailer > kCapacity) flush();
}

void Writer::point(std::uint32_t series, std::int64_t step, double value) {
  add_point(series, step, value);
  if (coarse_now() - last_write_ >= kFlushAfter) flush();
}

void Writer::points(std::int64_t step,
                    const std::vector<std::pair<std::uint32_t, double>>& values) {
  flush();
  for (const auto& [series, value] : values) add_point(series, step, value);
  flush();
}

void Writer::fingerprint(std::int64_t step, std::uint32_t value) {
  if (chain_.size() == kMaxChain) flush();
  if (!chain_.empty() && step != chain_step_ + static_cast<std::int64_t>(chain_.size()))
    seal_chain();
  if (chain_.empty()) chain_step_ = step;
  chain_.push_back(value);
}

void Writer::fingerprints(std::int64_t step, const Fingerprints& tensors) {
  std::string names, payload(sizeof step + tensors.size() * sizeof(std::uint32_t), '\0');
  store(payload.data(), step);
  char* to = payload.data() + sizeof step;
  for (const auto& [name, value] : tensors) {
    append_name(names, name);
    store(to, value);
    to += sizeof value;
  }
  if (names != tensors_) append_record(kTensors, names);
  tensors_ = std::move(names);
  append_record(kFull, payload);
  if (used_ > kCapacity) flush();
}

void Writer::histogram(std::string_view name, std::int64_t step, const Histogram& values) {
  std::string payload = shown_head(name, step);
  for (const double one : {values.low, values.high, values.sum, values.squares})
    append_value(payload, one);
  append_value(payload, values.not_finite);
  for (const std::uint64_t count : values.counts) append_value(payload, count);
  seal_chain();
  append_record(kHistogram, payload);
  flush();
}

void Writer::picture(std::string_view name, std::int64_t step, std::string_view png) {
  if (png.size() > kMaxPicture) {
    throw Error(fmt::format("journal {}: picture '{}' has {} bytes, at most {} are kept",
                            path_.string(), name, png.size(), kMaxPicture));
  }
  append_large(kPicture, shown_head(name, step).append(png));
}

void Writer::table(std::string_view name, std::int64_t step, const Columns& columns) {
  const std::string body = table_body(columns);
  if (body.size() > kMaxTable) {
    throw Error(fmt::format("journal {}: table '{}' has {} bytes, at most {} are kept",
                            path_.string(), name, body.size(), kMaxTable));
  }
  append_large(kTable, shown_head(name, step).append(body));
}

/// Written at once; its room isn't kept.
void Writer::append_large(std::uint8_t type, std::string_view payload) {
  seal_chain();
  append_record(type, payload);
  flush();
  buffer_.resize(std::max(kCapacity, used_));
  buffer_.shrink_to_fit();
}

void Writer::event(const nlohmann::json& event) {
  seal_chain();
  append_record(kEvent, event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  flush();
}

void Writer::last_words(const nlohmann::json& event) {
  used_ = 0;  // points that found no room are made again by a resume
  chain_.clear();
  in_block_ = false;
  append_record(kEvent, event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  write_out(0);
}

void Writer::flush() {
  seal_chain();
  seal_block();
  if (used_ == 0) return;
  if (permit_) permit_(used_);
  write_out(kLastWords);
}

/// Room for what is in the buffer and for `kept` bytes behind it, where the file system can
/// promise.
void Writer::make_room(std::size_t kept) {
  const std::size_t wanted = end_ + used_ + kept;
  if (wanted <= allocated_) return;
  for (const std::size_t ahead : {kAhead, std::size_t{0}}) {
    const std::size_t size = wanted + ahead - end_;
    if (::fallocate(file_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(end_),
                    static_cast<off_t>(size)) == 0) {
      allocated_ = end_ + size;
      return;
    }
    if (!disk::is_no_space(errno)) return;  // it can't promise: then the write itself tells
  }
  fail(path_, "write");
}

void Writer::write_out(std::size_t kept) {
  make_room(kept);
  std::size_t written = 0;
  while (written < used_) {
    const auto count = ::write(file_, buffer_.data() + written, used_ - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int why = errno;
      // A half-written record would make what is appended later unreadable.
      if (::ftruncate(file_, static_cast<off_t>(end_)) != 0) used_ = 0;
      allocated_ = end_;
      errno = why;
      fail(path_, "write");
    }
    written += static_cast<std::size_t>(count);
  }
  end_ += used_;
  used_ = 0;
  last_write_ = coarse_now();
}

void Writer::sync() {
  flush();
  if (::fdatasync(file_) != 0) fail(path_, "sync");
}

void Writer::begin_block() {
  if (used_ + kHeader + kMaxPoint + kTrailer > kCapacity) flush();
  block_ = used_;
  used_ += kHeader;
  last_step_ = 0;
  in_block_ = true;
}

void Writer::seal_block() {
  if (!in_block_) return;
  char* start = buffer_.data() + block_;
  store(start, static_cast<std::uint32_t>(used_ - block_ - kHeader));
  start[4] = static_cast<char>(kPoints);
  store(buffer_.data() + used_, crc32c({start, used_ - block_}));
  used_ += kTrailer;
  in_block_ = false;
}

void Writer::seal_chain() {
  if (chain_.empty()) return;
  std::string payload(sizeof chain_step_ + chain_.size() * sizeof(std::uint32_t), '\0');
  store(payload.data(), chain_step_);
  std::memcpy(payload.data() + sizeof chain_step_, chain_.data(),
              chain_.size() * sizeof(std::uint32_t));
  append_record(kChain, payload);
  chain_.clear();
}

void Writer::append_record(std::uint8_t type, std::string_view payload) {
  if (payload.size() > kMaxPayload) {
    throw Error(fmt::format("journal {}: a record has at most {} bytes, got {}", path_.string(),
                            kMaxPayload, payload.size()));
  }
  seal_block();
  const std::size_t size = kHeader + payload.size() + kTrailer;
  if (buffer_.size() < used_ + size) buffer_.resize(used_ + size);
  char* start = buffer_.data() + used_;
  store(start, static_cast<std::uint32_t>(payload.size()));
  start[4] = static_cast<char>(type);
  std::memcpy(start + kHeader, payload.data(), payload.size());
  store(start + kHeader + payload.size(), crc32c({start, kHeader + payload.size()}));
  used_ += size;
}

}  // namespace paribus::journal
