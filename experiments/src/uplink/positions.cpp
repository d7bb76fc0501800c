// SPDX-License-Identifier: Apache-2.0
#include "uplink/positions.h"

#include <fmt/format.h>
#include <sodium/utils.h>

#include "journal/events.h"
#include "paribus/error.h"

namespace paribus::uplink {

namespace {

using nlohmann::json;

constexpr std::uintmax_t kCompactFrom = 4 << 20;  // bytes of what may no longer be true

std::string hex(const std::string& bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  ::sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                   bytes.size());
  text.pop_back();
  return text;
}

std::string unhex(const std::string& text) {
  std::string bytes(text.size() / 2, '\0');
  if (::sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                       text.size(), nullptr, nullptr, nullptr) != 0)
    throw Error("a position among those delivered is not in hexadecimal digits");
  return bytes;
}

json to_json(const std::vector<Series>& list) {
  json all = json::array();
  for (const Series& one : list) all.push_back({one.name, one.unit, one.mark, one.floor});
  return all;
}

std::vector<Series> series_of(const json& list) {
  std::vector<Series> all;
  for (const json& one : list) all.push_back({one.at(0), one.at(1), one.at(2), one.at(3)});
  return all;
}

json to_json(const Position& position) {
  return {{"at", position.at},
          {"last", hex(position.last)},
          {"sent", position.sent},
          {"started", position.started},
          {"time", position.time},
          {"series", to_json(position.series)},
          {"order", position.order},
          {"memo", position.memo},
          {"ended", position.ended},
          {"system", position.system},
          {"output", position.output},
          {"lines", position.lines},
          {"shown", to_json(position.shown)}};
}

Position position_of(const json& from) {
  Position position;
  position.at = from.at("at");
  position.last = unhex(from.at("last").get<std::string>());
  position.sent = from.at("sent");
  position.started = from.at("started");
  position.time = from.at("time");
  position.series = series_of(from.at("series"));
  position.shown = series_of(from.value("shown", json::array()));
  position.order = from.at("order").get<std::vector<std::size_t>>();
  position.memo = from.at("memo").get<std::string>();
  position.ended = from.at("ended");
  position.system = from.value("system", std::int64_t{0});
  position.output = from.value("output", std::uint64_t{0});
  position.lines = from.value("lines", std::int64_t{0});
  return position;
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json record_of(const std::string& trial, const Intent& intent) {
  json record{
      {"event", "intent"}, {"trial", trial}, {"until", intent.until}, {"time", intent.time}};
  if (intent.source == Source::journal) return record;
  record[intent.source == Source::system ? "system" : "output"] = true;
  record["started"] = intent.started;
  return record;
}

Intent intent_of(const json& record) {
  const Source source = record.value("system", false)   ? Source::system
                        : record.value("output", false) ? Source::output
                                                        : Source::journal;
  return {record.at("until"), record.at("time"), source, record.value("started", 0.0)};
}

json record_of(const std::string& trial, const std::string& position) {
  return {{"event", "position"}, {"trial", trial}, {"position", position}};
}

}  // namespace

Positions::Positions(const std::filesystem::path& file,
                     std::function<std::string(std::string)> masked)
    : file_(file), masked_(std::move(masked)) {
  log_ = std::make_unique<journal::Writer>(file);
  load();
  if (std::filesystem::file_size(file_) > kCompactFrom) compact();
}

/// On file before it returns. The file stays within about twice of what it has to hold.
void Positions::add(const json& record) {
  log_->event(record);
  if (std::filesystem::file_size(file_) > kCompactFrom + 2 * whole_) compact();
}

void Positions::load() {
  journal::EventReader reader(file_);
  for (json event; reader.next(event);) {
    const std::string name = event.value("event", ""), trial = event.value("trial", "");
    if (name == "intent") intents_[trial] = intent_of(event);
    if (name == "forget") by_trial_.erase(trial);
    if (name == "forget all") by_trial_.clear(), intents_.clear();
    if (name == "position") by_trial_[trial].position = event.at("position").get<std::string>();
    if (name != "intent") intents_.erase(trial);
  }
  for (auto& [trial, known] : by_trial_) {
    known.sent = json::parse(known.position).at("sent");
    sent_ += known.sent;
  }
}

/// What is no longer true fills the file: it is written anew, and takes the other's place whole.
void Positions::compact() {
  std::filesystem::path fresh = file_;
  fresh += ".part";
  std::filesystem::remove(fresh);
  auto log = std::make_unique<journal::Writer>(fresh);
  for (const auto& [trial, known] : by_trial_) log->event(record_of(trial, known.position));
  for (const auto& [trial, intent] : intents_) log->event(record_of(trial, intent));
  log->sync();
  std::filesystem::rename(fresh, file_);
  log_ = std::move(log);
  whole_ = std::filesystem::file_size(file_);
}

Position Positions::of(const std::string& trial) const {
  const auto known = by_trial_.find(trial);
  return known == by_trial_.end() ? Position{} : position_of(json::parse(known->second.position));
}

std::optional<Intent> Positions::intent(const std::string& trial) const {
  const auto known = intents_.find(trial);
  return known == intents_.end() ? std::nullopt : std::optional(known->second);
}

void Positions::intend(const std::string& trial, const Intent& intent) {
  intents_[trial] = intent;
  add(record_of(trial, intent));
}

void Positions::put(const std::string& trial, const Position& position) {
  Position kept = position;
  kept.memo = masked_(kept.memo);
  std::string text = dump(to_json(kept));
  const json record = record_of(trial, text);
  Known& known = by_trial_[trial];
  sent_ += position.sent - known.sent;
  known = {std::move(text), position.sent};
  intents_.erase(trial);
  add(record);
}

void Positions::forget(const std::string& trial) {
  const auto known = by_trial_.find(trial);
  if (known != by_trial_.end()) {
    sent_ -= known->second.sent;
    by_trial_.erase(known);
  }
  intents_.erase(trial);
  add({{"event", "forget"}, {"trial", trial}});
}

void Positions::forget_all() {
  by_trial_.clear();
  intents_.clear();
  sent_ = 0;
  add({{"event", "forget all"}});
}

}  // namespace paribus::uplink
