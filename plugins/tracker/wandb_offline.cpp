// SPDX-License-Identifier: Apache-2.0
#include <paribus/tracker/appended.h>

#include <ctime>

#include "protobuf.h"
#include "wandb_run.h"

namespace {

using namespace paribus;
using namespace paribus::tracker::protobuf;
using tracker::Json;

// Field numbers of a Record.
constexpr unsigned kHistory = 2, kSummary = 3, kFiles = 6, kStats = 7, kOutput = 13, kRun = 17,
                   kExit = 18, kHeader = 21;
constexpr std::size_t kBlock = 32768;
const std::string kMagic{":W&B\xE1\xBE\0", 7};

constexpr std::array<std::uint32_t, 256> kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t sum = i;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (sum & 1 ? 0xEDB88320U : 0U);
    table[i] = sum;
  }
  return table;
}();

/// CRC-32 as zlib has it.
std::uint32_t crc(std::string_view data) {
  std::uint32_t sum = ~0U;
  for (const char c : data) sum = kTable[(sum ^ static_cast<unsigned char>(c)) & 255] ^ (sum >> 8);
  return ~sum;
}

/// A record in the chunks of LevelDB's log: blocks are counted from the beginning of the file.
std::string chunks(std::uint64_t at, std::string_view record) {
  static constexpr std::size_t kHead = 7;
  std::string out;
  for (bool is_first = true, is_last = false; !is_last; is_first = false) {
    std::size_t room = kBlock - (at + out.size()) % kBlock;
    if (room < kHead) {
      out.append(room, '\0');
      room = kBlock;
    }
    const std::string_view piece = record.substr(0, room - kHead);
    record.remove_prefix(piece.size());
    is_last = record.empty();
    const char type = is_first && is_last ? 1 : is_first ? 2 : is_last ? 4 : 3;
    out += raw(crc(type + std::string(piece))) + raw(static_cast<std::uint16_t>(piece.size()));
    out += type;
    out += piece;
  }
  return out;
}

std::string timestamp(double time) {
  const auto seconds = static_cast<std::int64_t>(time);
  return whole(1, seconds) +
         whole(2, static_cast<std::int64_t>((time - static_cast<double>(seconds)) * 1e9));
}

std::string stamp_of(double time) {
  const auto whole = static_cast<std::time_t>(time);
  std::tm utc{};
  ::gmtime_r(&whole, &utc);
  char stamp[20];
  std::strftime(stamp, sizeof stamp, "%Y%m%d_%H%M%S", &utc);
  return stamp;
}

std::string items(unsigned field, const tracker::WandbItems& list) {
  std::string out;
  for (const auto& [name, value] : list) out += bytes(field, bytes(1, name) + bytes(16, value));
  return out;
}

}  // namespace

/// The record files that W&B's own client writes without a network: `wandb sync` in the folder
/// brings them to a server.
struct WandbOffline : paribus::Tracker {
  struct Params {
    std::string_view folder, entity, project, group, job_type = "train", tags, notes;
    bool console = true;
    static constexpr auto fields() {
      return std::tuple_cat(
          tracker::wandb_fields<Params>(),
          std::tuple{field("folder", &Params::folder,
                           "where to, seen from the study's directory; empty: trackers/ and the "
                           "tracker's name"),
                     field("console", &Params::console, "whether what a trial prints goes, too")});
    }
  } params;

  void open(const TrackedStudy& study, Uplink& uplink) override {
    Tracker::open(study, uplink);
    names_.emplace(params, study);
    key_ = tracker::key_of(uplink.folder());
    folder_ = tracker::folder_of(params.folder, study, uplink);
    toml_ = study.directory / "study.toml";
  }

  void begin(TrackedTrial& trial) override {
    tracker::WandbRows rows(trial.memo);
    const std::string id = tracker::wandb_id(trial, key_);
    if (rows.stamp.empty()) rows.stamp = stamp_of(trial.started);
    const auto run = folder_ / ("offline-run-" + rows.stamp + "-" + id);
    files_.erase(trial.id);
    auto& file =
        files_.try_emplace(trial.id, run / ("run-" + id + ".wandb"), rows.bytes).first->second;
    if (file.length() == 0) {
      file.add(kMagic);
      const std::string versions = bytes(1, "0.20.0") + bytes(2, "0.9.0");  // made as by, read from
      add(file, rows, kHeader, bytes(1, versions));
      add(file, rows, kRun, run_of(trial, id));
      copy_files(file, rows, run / "files");
    }
    keep(trial, file, rows);
  }

  void log(TrackedTrial& trial, std::span<const TrackedPoint> points) override {
    tracker::WandbRows rows(trial.memo);
    auto& file = back(trial, rows);
    const tracker::WandbPoints sorted(points);
    for (const tracker::WandbRow& sample : sorted.samples)
      add(file, rows, kStats, bytes(2, timestamp(sample.time)) + items(3, values_of(sample)));
    add_rows(file, rows, rows.take(sorted.measured), trial);
    keep(trial, file, rows);
  }

  void log_histograms(TrackedTrial& trial, std::span<const TrackedHistogram> histograms) override {
    tracker::WandbRows rows(trial.memo);
    auto& file = back(trial, rows);
    add_rows(file, rows, rows.take(histograms), trial);
    keep(trial, file, rows);
  }
  void log_pictures(TrackedTrial& trial, std::span<const TrackedPicture> pictures) override {
    tracker::WandbRows rows(trial.memo);
    auto& file = back(trial, rows);
    for (const TrackedPicture& one : pictures) {
      const std::string path = tracker::wandb_path(one);
      File(file.path().parent_path() / "files" / path, 0).add(one.png);
      add(file, rows, kFiles, file_item(path));
    }
    add_rows(file, rows, rows.take(pictures), trial);
    keep(trial, file, rows);
  }

  [[nodiscard]] bool takes_output() const override { return params.console; }

  void output(TrackedTrial& trial, std::span<const TrackedLine> lines) override {
    tracker::WandbRows rows(trial.memo);
    auto& file = back(trial, rows);
    for (const TrackedLine& line : lines) add_output(file, rows, true, line.time, line.text);
    keep(trial, file, rows);
  }

  void end(TrackedTrial& trial, const TrackedEnd& end) override {
    tracker::WandbRows rows(trial.memo);
    auto& file = back(trial, rows);
    add_rows(file, rows, rows.take_open(), trial);
    add(file, rows, kSummary, items(1, tracker::wandb_summary(rows, trial.started, &end)));
    if (!end.message.empty()) add_output(file, rows, end.status != "failed", end.time, end.message);
    // Nothing may stand after this one; without it, a sync has the run as failed.
    if (end.status == "done" || end.status == "failed")
      add(file, rows, kExit,
          whole(1, tracker::wandb_exit(end)) + whole(2, std::llround(end.seconds)));
    file.sync();
    keep(trial, file, rows);
  }

  void leave(TrackedTrial& trial) override { files_.erase(trial.id); }

 private:
  using File = tracker::Appended;

  static void add(File& file, tracker::WandbRows& rows, unsigned kind, const std::string& body) {
    ++rows.records;
    file.add(chunks(file.length(),
                    whole(1, static_cast<std::int64_t>(rows.records)) + bytes(kind, body)));
  }
  /// Of stdout, else of stderr.
  static void add_output(File& file, tracker::WandbRows& rows, bool out, double time,
                         const std::string& line) {
    add(file, rows, kOutput,
        whole(1, out ? 1 : 0) + bytes(2, timestamp(time)) + bytes(3, line + "\n"));
  }
  static tracker::WandbItems values_of(const tracker::WandbRow& sample) {
    tracker::WandbItems list;
    for (const auto& [name, value] : sample.values)
      list.emplace_back(name, tracker::wandb_text(value));
    return list;
  }
  static void add_rows(File& file, tracker::WandbRows& rows,
                       const std::vector<tracker::WandbRow>& list, const TrackedTrial& trial) {
    for (const tracker::WandbRow& row : list) {
      add(file, rows, kHistory,
          items(1, tracker::wandb_items(row, trial.started)) + bytes(2, whole(1, row.step)));
      ++rows.lines;
    }
  }
  File& back(const TrackedTrial& trial, const tracker::WandbRows& rows) {
    File& file = files_.at(trial.id);
    file.go_back(rows.bytes);
    return file;
  }
  static void keep(TrackedTrial& trial, const File& file, tracker::WandbRows& rows) {
    rows.bytes = file.length();
    trial.memo = rows.memo();
  }

  std::string run_of(const TrackedTrial& trial, const std::string& id) const {
    const Json config = tracker::wandb_config(trial);
    tracker::WandbItems list;
    for (const auto& [name, value] : config.items())
      if (name != "_wandb") list.emplace_back(name, tracker::compact(value));
    std::string run = bytes(1, id) + bytes(3, names_->project) + bytes(4, items(1, list)) +
                      bytes(6, names_->group) + bytes(7, names_->job_type) +
                      bytes(8, tracker::name_of(trial)) + bytes(9, names_->notes) +
                      bytes(17, timestamp(trial.started));
    if (!names_->entity.empty()) run += bytes(2, names_->entity);
    for (const std::string& tag : names_->tags) run += bytes(10, tag);
    return run;
  }

  static std::string file_item(const std::string& path) {
    return bytes(1, bytes(1, path) + whole(2, 1));
  }

  void copy_files(File& file, tracker::WandbRows& rows, const std::filesystem::path& to) const {
    std::filesystem::create_directories(to);
    if (!std::filesystem::exists(toml_)) return;
    std::filesystem::copy_file(toml_, to / "study.toml",
                               std::filesystem::copy_options::overwrite_existing);
    add(file, rows, kFiles, file_item("study.toml"));
  }

  std::optional<tracker::WandbNames> names_;
  std::string key_;
  std::filesystem::path folder_, toml_;
  std::map<std::string, File> files_;  // of trials under way
};
PARIBUS_PART(WandbOffline, "wandb_offline",
             "record files that `wandb sync` brings to Weights & Biases later")
