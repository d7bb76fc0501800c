// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "paribus/value.h"

namespace paribus {

/// Where something was written. `file` may also be "-s key=value" (then `line` is 0) and is null
/// for what is nowhere written: a default.
struct Place {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;

  [[nodiscard]] std::string text() const;  // "study.toml:3:7", "-s optimizer.lr=0.1", "default"
};

/// A study file as a tree: tables keep the order in which they are written, and every key and value
/// knows its place.
class Config {
 public:
  struct Entry;
  using List = std::vector<Config>;
  using Table = std::vector<Entry>;
  struct Moment {};  // a date or time: TOML has them, no parameter does

  using Held = std::variant<bool, std::int64_t, double, std::string, List, Table, Moment>;

  Config();
  Config(Held held, Place place);
  static Config table(Place place);
  static Config text(std::string word, Place place);

  [[nodiscard]] const Place& place() const { return place_; }

  [[nodiscard]] const bool* as_bool() const { return std::get_if<bool>(&held_); }
  [[nodiscard]] const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&held_); }
  [[nodiscard]] const std::string* as_text() const { return std::get_if<std::string>(&held_); }
  [[nodiscard]] const List* as_list() const { return std::get_if<List>(&held_); }
  [[nodiscard]] List* as_list() { return std::get_if<List>(&held_); }
  [[nodiscard]] const Table* as_table() const { return std::get_if<Table>(&held_); }
  [[nodiscard]] Table* as_table() { return std::get_if<Table>(&held_); }
  /// An integer or a float.
  [[nodiscard]] const double* as_real() const { return std::get_if<double>(&held_); }
  [[nodiscard]] bool is_number() const { return as_integer() != nullptr || as_real() != nullptr; }
  [[nodiscard]] double number() const;
  [[nodiscard]] bool is_false() const { return as_bool() != nullptr && !*as_bool(); }

  /// The value of a key, or null; null too where this is no table.
  [[nodiscard]] const Config* find(std::string_view key) const;
  [[nodiscard]] Config* find(std::string_view key);
  [[nodiscard]] const Entry* entry(std::string_view key) const;
  /// Sets a key, keeping its position among the others if it is there already. REQUIRES: a table.
  Config& set(std::string key, Place key_place, Config value);
  /// REQUIRES: a table.
  void erase(std::string_view key);

  /// The name of the part that this value names: a text, or the `use` of a table. Null if none.
  [[nodiscard]] const std::string* use() const;
  /// As a parameter's value; false where it can't be one (a table, a date, a list of mixed or
  /// nested things).
  [[nodiscard]] bool to_value(Value& value) const;
  /// "a table", "a list", ...: for messages.
  [[nodiscard]] const char* what() const;
  /// As TOML on one line.
  [[nodiscard]] std::string toml() const;
  /// Values in this tree, itself included.
  [[nodiscard]] std::size_t size() const;

 private:
  Held held_;
  Place place_;
};

struct Config::Entry {
  std::string key;
  Place key_place;
  Config value;
};

inline Config::Config() : held_(Table{}) {}
inline Config::Config(Held held, Place place) : held_(std::move(held)), place_(std::move(place)) {}
inline Config Config::table(Place place) { return {Table{}, std::move(place)}; }
inline Config Config::text(std::string word, Place place) {
  return {std::move(word), std::move(place)};
}

/// TOML for a text, a key and a value.
std::string toml_text(std::string_view text);
std::string toml_key(std::string_view key);
std::string toml_value(const Value& value);

}  // namespace paribus
