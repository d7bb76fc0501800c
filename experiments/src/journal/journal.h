// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "paribus/record.h"

/// The append-only, checksummed record of a trial or of the driver: series of points and JSON
/// events.
///
/// What is on disk. After SIGKILL of the writer: every event, and every point but those that were
/// still in the buffer, which is written when it is full and by the first call a second or more
/// after the last write; a trial that resumes makes those again, bit for bit. After loss of power:
/// everything up to the last sync(), which the trial calls at each checkpoint and at its end. A
/// record cut short is found by its checksum and cut off when the file is next written.
///
/// On a full disk these throw NoSpace: what was written stays whole, the rest stays in the buffer
/// and is tried again by the next call.
namespace paribus::journal {

/// Writes one journal. One thread, one writer per file: a second one, of any process, is refused.
///
///     journal::Writer log(dir / "journal" / (id + ".log"));
///     const auto loss = log.series("train.loss", "nat");
///     log.event({{"event", "start"}, {"seed", 1}});
///     log.point(loss, step, value);
///     log.sync();
class Writer {
 public:
  /// Creates the file or opens it to append, and cuts a torn tail. Throws Error if it can't, if
  /// another writer has the file open, or if the file isn't a journal (which is then left as it
  /// is).
  explicit Writer(const std::filesystem::path& path);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// The number by which points name this series; defined once per file, also over several
  /// openings. Throws Error if the file has the series with another unit.
  std::uint32_t series(std::string_view name, std::string_view unit = {});
  /// Buffered: no system call as a rule, well under 1 us.
  void point(std::uint32_t series, std::int64_t step, double value);
  /// Points of one step, by series, written to the file before it returns: at once, so that whoever
  /// reads it has all of them or none, up to some thousand.
  void points(std::int64_t step, const std::vector<std::pair<std::uint32_t, double>>& values);
  /// Of the state after a step; buffered likewise.
  void fingerprint(std::int64_t step, std::uint32_t value);
  /// Of every tensor. Their names are written once per file.
  void fingerprints(std::int64_t step, const Fingerprints& tensors);
  /// Written to the file before they return, after all points before them.
  void histogram(std::string_view name, std::int64_t step, const Histogram& values);
  void picture(std::string_view name, std::int64_t step, std::string_view png);
  void table(std::string_view name, std::int64_t step, const Columns& columns);
  /// Written to the file before it returns, after all points before it.
  void event(const nlohmann::json& event);
  /// The same where there may be no room any more: without the points that are still in the buffer,
  /// in the last 8 KiB, which are kept free for it.
  void last_words(const nlohmann::json& event);
  /// Hands everything to the system: it survives the death of this process.
  void flush();
  /// And to the disk: it survives loss of power.
  void sync();
  /// Asked before bytes are added to the file, but for last words; what it throws keeps them in the
  /// buffer.
  void ask_before_writing(std::function<void(std::size_t bytes)> permit) {
    permit_ = std::move(permit);
  }

  /// Bytes that were cut from the end of the file when it was opened.
  [[nodiscard]] std::size_t torn_bytes() const { return torn_bytes_; }

 private:
  void open_file();
  void make_room(std::size_t kept);
  void write_out(std::size_t kept);
  void load_existing();
  void add_point(std::uint32_t series, std::int64_t step, double value);
  void begin_block();
  void seal_block();
  void seal_chain();
  void append_record(std::uint8_t type, std::string_view payload);
  void append_large(std::uint8_t type, std::string_view payload);

  std::filesystem::path path_;
  int file_ = -1;
  std::size_t end_ = 0;        // of what is whole in the file
  std::size_t allocated_ = 0;  // up to here the disk has room for it
  std::function<void(std::size_t)> permit_;
  std::size_t torn_bytes_ = 0;
  std::map<std::string, std::uint32_t, std::less<>> ids_;
  std::vector<std::string> units_;  // by id
  std::string buffer_;              // whole records, then perhaps an open block of points
  std::size_t used_ = 0;
  std::size_t block_ = 0;  // where the open block starts, if `in_block_`
  bool in_block_ = false;
  std::int64_t last_step_ = 0;        // of the open block
  std::vector<std::uint32_t> chain_;  // fingerprints of successive steps, not yet in the buffer
  std::int64_t chain_step_ = 0;       // of the first of them
  std::string tensors_;               // names as the file has them
  std::int64_t last_write_ = 0;       // coarse monotonic nanoseconds
};

/// One series as read: steps and values have one length.
struct Series {
  std::string name, unit;
  std::vector<std::int64_t> steps;
  std::vector<double> values;
};

/// More than a number, at a step.
struct NamedHistogram {
  std::string name;
  std::int64_t step = 0;
  Histogram values;
};
struct NamedPicture {
  std::string name;
  std::int64_t step = 0;
  std::size_t at = 0, size = 0;  // where the journal has its PNG file
};

struct NamedTable {
  std::string name;
  std::int64_t step = 0;
  Columns columns;
};

/// How a journal's end looks. `torn`: its last record is cut short, as after a kill. `damaged`:
/// bytes were changed.
enum class Tail : std::uint8_t { whole, torn, damaged };

/// Fingerprints as read: evidence of which bits a trial held (paribus/record.h).
struct Chain {
  std::vector<std::int64_t> steps;
  std::vector<std::uint32_t> values;     // of each of these steps
  std::vector<std::string> tensors;      // names
  std::vector<std::int64_t> full_steps;  // at which every tensor has one
  std::vector<std::uint32_t> full;       // by step, then by tensor
};

/// The longest valid prefix of a journal.
struct Record {
  std::vector<nlohmann::json> events;  // in order, all of them
  std::vector<Series> series;          // in order of definition; what a resume made void is gone
  Chain chain;                         // likewise
  std::vector<NamedHistogram> histograms;  // likewise
  std::vector<NamedPicture> pictures;      // likewise
  std::vector<NamedTable> tables;          // likewise
  std::size_t points_written = 0;          // with those that a resume made void
  Tail tail = Tail::whole;
  std::size_t valid_bytes = 0;  // the first bad offset, or the file's size
  std::size_t torn_bytes = 0;   // after it
  std::string problem;          // "" if whole: what is wrong at `valid_bytes`

  [[nodiscard]] const Series* find(std::string_view name) const;
  /// The last event of that name (its key "event"), or null.
  [[nodiscard]] const nlohmann::json* last(std::string_view event) const;
};

/// Reads a journal, also while it is being written. A point does not count if a `resume` event
/// stands after it and goes back to an earlier step, or if the resumed trial made the same step
/// again; a second `start` makes all points before it void. Throws Error if the file can't be read
/// or isn't a journal.
Record read(const std::filesystem::path& path);

/// The same but for `events`, which are checked and let go: those of a study's log may be 100,000.
Record read_without_events(const std::filesystem::path& path);

/// The PNG file of a picture that `read` told of; "" where the journal is another by now.
std::string picture_in(const std::filesystem::path& path, const NamedPicture& picture);

/// Whether a process has the journal open to write, on this machine or where the file system shares
/// locks.
bool has_writer(const std::filesystem::path& path);

/// Cuts what `read` called torn or damaged off the file, and syncs it; what was damaged, or is more
/// than a kill leaves, is added to `path`.cut. Returns the bytes cut.
std::size_t repair(const std::filesystem::path& path);

}  // namespace paribus::journal
