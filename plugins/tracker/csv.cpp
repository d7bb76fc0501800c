// SPDX-License-Identifier: Apache-2.0
#include <paribus/tracker/appended.h>

#include <charconv>
#include <cmath>
#include <map>
#include <optional>

/// A file per trial, `<trial>.csv`, with a line per point. Numbers are written so that they read
/// back as they were; NaN and infinities as `nan`, `inf`, `-inf`.
struct Csv : paribus::Tracker {
  struct Params {
    std::string_view folder;
    static constexpr auto fields() {
      return std::tuple{paribus::field(
          "folder", &Params::folder,
          "where to, seen from the study's directory; empty: trackers/ and the tracker's name")};
    }
  } params;

  void open(const paribus::TrackedStudy& study, paribus::Uplink& uplink) override {
    Tracker::open(study, uplink);
    folder_ = paribus::tracker::folder_of(params.folder, study, uplink);
  }

  void begin(paribus::TrackedTrial& trial) override {
    const auto path = folder_ / (trial.id + ".csv");
    files_.erase(trial.id);
    auto& file =
        files_.try_emplace(trial.id, path, paribus::tracker::length_in(trial.memo)).first->second;
    if (file.length() == 0) file.add("trial,arm,seed,metric,step,value,time\n");
    trial.memo = std::to_string(file.length());
  }

  void log(paribus::TrackedTrial& trial, std::span<const paribus::TrackedPoint> points) override {
    const std::string front =
        trial.id + ',' + quoted(trial.arm) + ',' + std::to_string(trial.seed) + ',';
    std::string lines;
    for (const paribus::TrackedPoint& point : points) {
      lines += front + quoted(point.metric) + ',' + std::to_string(point.step) + ',' +
               number(point.value) + ',' + number(std::round(point.time * 1e3) / 1e3) + '\n';
    }
    auto& file = files_.at(trial.id);
    file.go_back(paribus::tracker::length_in(trial.memo));
    file.add(lines);
    trial.memo = std::to_string(file.length());
  }

  void end(paribus::TrackedTrial& trial, const paribus::TrackedEnd& /*end*/) override {
    files_.at(trial.id).sync();
  }
  void leave(paribus::TrackedTrial& trial) override { files_.erase(trial.id); }

 private:
  static std::string number(double value) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
  }
  static std::string quoted(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string out = "\"";
    for (const char c : text) out.append(c == '"' ? 2 : 1, c);
    return out + '"';
  }

  std::filesystem::path folder_;
  std::map<std::string, paribus::tracker::Appended> files_;  // of trials under way
};
PARIBUS_PART(Csv, "csv", "a CSV file per trial, a line per point")
