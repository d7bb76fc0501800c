// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <paribus/tracker/answers.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <sstream>

/// What trackers share that keep runs on a server.
namespace paribus::tracker {

using Json = nlohmann::json;

inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The server's address: as the study says, else as the environment does, without a last slash.
inline std::string address_of(std::string_view given, const char* name, const std::string& fallback,
                              const std::string& who) {
  std::string address = given.empty() ? variable(name) : std::string(given);
  if (address.empty()) address = fallback;
  while (address.ends_with('/')) address.pop_back();
  if (address.starts_with("http://") || address.starts_with("https://")) return address;
  if (address.find('@') != std::string::npos) address = "one with '@' in it";
  throw Error(who + ": its server's address is " + (address.empty() ? "not given" : address) +
              ", expected one that begins with http:// or https://; set " + name);
}

/// `host` of `https://host:port/path`.
inline std::string host_of(const std::string& address) {
  const std::size_t from = address.find("://") + 3;
  return address.substr(from, address.find_first_of(":/", from) - from);
}

/// As it stands in an address; `keep`: what else stays as it is.
inline std::string escaped(std::string_view text, std::string_view keep = "") {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~' ||
                          keep.find(c) != std::string_view::npos;
    const auto byte = static_cast<unsigned char>(c);
    out += is_plain ? std::string(1, c) : std::string{'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

/// JSON has none but finite ones.
inline Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

inline std::string compact(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Null where the text is no JSON.
inline Json parsed(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json() : json;
}

/// The member `name` of an object, as text; "" where there is none.
inline std::string text_in(const Json& object, const char* name) {
  if (!object.is_object()) return "";
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The text at a JSON pointer, that an answer can't do without.
inline std::string need(const Json& answer, const char* where, const std::string& who) {
  const Json::json_pointer pointer(where);
  if (answer.contains(pointer) && answer[pointer].is_string()) return answer[pointer];
  throw Error(who + ": the server's answer has no text at " + where + ": " +
              compact(answer).substr(0, 200));
}

/// By which a server tells this study's directory from any other: drawn once, kept in a file.
inline std::string key_of(const std::filesystem::path& folder) {
  const auto file = folder / "key.txt";
  std::string key;
  if (std::ifstream(file) >> key) return key;
  std::random_device chance;
  for (int i = 0; i < 10; ++i)
    key += "0123456789abcdefghijklmnopqrstuvwxyz"[std::uniform_int_distribution(0, 35)(chance)];
  const auto part = folder / "key.txt.part";
  if (!(std::ofstream(part) << key << std::endl)) throw TryLater("can't write " + part.string());
  std::filesystem::rename(part, file);
  return key;
}

inline std::string name_of(const TrackedTrial& trial) {
  return trial.arm + ", seed " + std::to_string(trial.seed);
}

/// How a trial ended, as a file beside its run.
inline std::string result_of(const TrackedTrial& trial, const TrackedEnd& end) {
  Json last = Json::object(), best = Json::object();
  for (const auto& [metric, value] : end.final_values) last[metric] = number(value);
  for (const auto& [metric, value] : end.best_values) best[metric] = number(value);
  const Json result{{"trial", trial.id},      {"arm", trial.arm},   {"seed", trial.seed},
                    {"status", end.status},   {"steps", end.steps}, {"seconds", end.seconds},
                    {"message", end.message}, {"final", last},      {"best", best}};
  return result.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace paribus::tracker
