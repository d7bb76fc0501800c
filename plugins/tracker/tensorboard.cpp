// SPDX-License-Identifier: Apache-2.0
#include <paribus/tracker/appended.h>

#include <array>
#include <bit>
#include <charconv>
#include <map>

#include "protobuf.h"

namespace {

using namespace paribus::tracker::protobuf;

constexpr std::array<std::uint32_t, 256> kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t sum = i;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (sum & 1 ? 0x82F63B78U : 0U);
    table[i] = sum;
  }
  return table;
}();

/// CRC-32C as the format stores it.
std::uint32_t masked_crc(std::string_view data) {
  std::uint32_t sum = ~0U;
  for (const char c : data) sum = kTable[(sum ^ static_cast<unsigned char>(c)) & 255] ^ (sum >> 8);
  return std::rotr(~sum, 15) + 0xA282EAD8U;
}

std::string record(const std::string& event) {
  const std::string length = raw(static_cast<std::uint64_t>(event.size()));
  return length + raw(masked_crc(length)) + event + raw(masked_crc(event));
}

/// `values`: those of a Summary.
std::string summary(double time, std::int64_t step, const std::string& values) {
  return record(real(1, time) + whole(2, step) + bytes(5, values));
}
std::string scalar(std::string_view tag, double value) {
  return bytes(1, bytes(1, tag) + single(2, value));
}

std::string histogram(std::string_view tag, const paribus::Histogram& values) {
  const auto bins = static_cast<double>(values.counts.size());
  std::uint64_t count = 0;
  std::string limits, counts;
  for (std::size_t i = 0; i < values.counts.size(); ++i) {
    count += values.counts[i];
    limits += raw(values.low + (values.high - values.low) * static_cast<double>(i + 1) / bins);
    counts += raw(static_cast<double>(values.counts[i]));
  }
  const std::string proto = real(1, values.low) + real(2, values.high) +
                            real(3, static_cast<double>(count)) + real(4, values.sum) +
                            real(5, values.squares) + bytes(6, limits) + bytes(7, counts);
  return bytes(1, bytes(1, tag) + bytes(5, proto));
}

std::string image(const paribus::TrackedPicture& picture) {
  constexpr int kRgb = 3;  // of the colours: the file knows its own
  const std::string proto =
      whole(1, picture.height) + whole(2, picture.width) + whole(3, kRgb) + bytes(4, picture.png);
  return bytes(1, bytes(1, picture.name) + bytes(4, proto));
}

/// A value that the HParams page reads: what it says stands in its metadata.
std::string hparams(std::string_view tag, const std::string& content) {
  const std::string nothing = whole(1, 1) + bytes(2, "") + single(5, 0);  // a tensor, float scalar
  return bytes(1, bytes(1, tag) + bytes(9, bytes(1, bytes(1, "hparams") + bytes(2, content))) +
                      bytes(8, nothing));
}

struct ToText {
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const {
    std::array<char, 32> digits{};  // as many as it takes to read it back
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    return {digits.data(), end};
  }
  template <class T>
  std::string operator()(const std::vector<T>& list) const {
    std::string text;
    for (const T& one : list) text += (text.empty() ? "" : ", ") + (*this)(one);
    return '[' + text + ']';
  }
};

/// google.protobuf.Value
struct ToProto {
  std::string operator()(std::monostate) const { return whole(1, 0); }
  std::string operator()(bool value) const { return whole(4, value); }
  std::string operator()(std::int64_t value) const { return real(2, static_cast<double>(value)); }
  std::string operator()(double value) const { return real(2, value); }
  std::string operator()(const std::string& value) const { return bytes(3, value); }
  template <class T>
  std::string operator()(const std::vector<T>& value) const {
    return bytes(3, ToText()(value));
  }
};

std::string name_of(const paribus::TrackedTrial& trial) {
  std::string name = trial.arm.substr(0, 80);
  for (char& c : name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '=' || c == '-';
    if (!is_plain) c = '_';
  }
  return name + "-seed" + std::to_string(trial.seed) + '-' + trial.id.substr(0, 12);
}

constexpr int kSuccess = 1, kFailure = 2, kRunning = 3;  // of a session

}  // namespace

/// An event file per trial, in a folder of its own: scalars, histograms, images, and the trial's
/// parameters for the HParams page. TensorBoard's scalars are float32; the journal keeps every bit.
struct TensorBoard : paribus::Tracker {
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
    // Not of its time: a trial that begins anew goes on in the same file.
    const std::string file = "events.out.tfevents.0000000000.paribus." + trial.id;
    const auto path = folder_ / name_of(trial) / file;
    files_.erase(trial.id);
    auto& events =
        files_.try_emplace(trial.id, path, paribus::tracker::length_in(trial.memo)).first->second;
    if (events.length() == 0) {
      events.add(record(real(1, trial.started) + bytes(3, "brain.Event:2") +
                        bytes(10, bytes(1, "paribus"))) +
                 summary(trial.started, 0, start_of(trial)));
    }
    trial.memo = std::to_string(events.length());
  }

  void log(paribus::TrackedTrial& trial, std::span<const paribus::TrackedPoint> points) override {
    std::string records;
    for (std::size_t i = 0; i < points.size();) {
      const paribus::TrackedPoint& first = points[i];
      std::string values;
      for (; i < points.size() && points[i].step == first.step; ++i)
        values += scalar(points[i].metric, points[i].value);
      records += summary(first.time, first.step, values);
    }
    append(trial, records);
  }

  void log_histograms(paribus::TrackedTrial& trial,
                      std::span<const paribus::TrackedHistogram> histograms) override {
    std::string records;
    for (const paribus::TrackedHistogram& one : histograms)
      records += summary(one.time, one.step, histogram(one.name, one.values));
    append(trial, records);
  }

  void log_pictures(paribus::TrackedTrial& trial,
                    std::span<const paribus::TrackedPicture> pictures) override {
    std::string records;
    for (const paribus::TrackedPicture& one : pictures)
      records += summary(one.time, one.step, image(one));
    append(trial, records);
  }

  void end(paribus::TrackedTrial& trial, const paribus::TrackedEnd& end) override {
    const int status = end.status == "done"     ? kSuccess
                       : end.status == "failed" ? kFailure
                                                : kRunning;
    const std::string info = bytes(4, whole(1, status) + real(2, end.time));
    append(trial, summary(end.time, end.steps, hparams("_hparams_/session_end_info", info)));
    files_.at(trial.id).sync();
  }
  void leave(paribus::TrackedTrial& trial) override { files_.erase(trial.id); }

 private:
  static std::string start_of(const paribus::TrackedTrial& trial) {
    std::string info;
    const auto add = [&](const std::string& name, const paribus::Value& value) {
      info += bytes(1, bytes(1, name) + bytes(2, std::visit(ToProto(), value)));
    };
    for (const auto& [address, value] : trial.parameters) add(address, value);
    add("arm", trial.arm);
    add("seed", static_cast<std::int64_t>(trial.seed));
    info += bytes(4, trial.arm) + real(5, trial.started);
    return hparams("_hparams_/session_start_info", bytes(3, info));
  }

  void append(paribus::TrackedTrial& trial, const std::string& records) {
    auto& events = files_.at(trial.id);
    events.go_back(paribus::tracker::length_in(trial.memo));
    events.add(records);
    trial.memo = std::to_string(events.length());
  }

  std::filesystem::path folder_;
  std::map<std::string, paribus::tracker::Appended> files_;  // of trials under way
};
PARIBUS_PART(TensorBoard, "tensorboard",
             "TensorBoard's event files: scalars, histograms, images and hparams")
