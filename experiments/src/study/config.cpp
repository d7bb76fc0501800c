// SPDX-License-Identifier: Apache-2.0
#include "study/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace paribus {
namespace {

std::string toml_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", value);  // the shortest that reads back as `value`
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

template <class T>
bool is_a(const Config& value) {
  if constexpr (std::is_same_v<T, std::int64_t>) return value.as_integer() != nullptr;
  if constexpr (std::is_same_v<T, double>) return value.is_number();
  if constexpr (std::is_same_v<T, std::string>) return value.as_text() != nullptr;
}

template <class T>
T get(const Config& value) {
  if constexpr (std::is_same_v<T, std::int64_t>) return *value.as_integer();
  if constexpr (std::is_same_v<T, double>) return value.number();
  if constexpr (std::is_same_v<T, std::string>) return *value.as_text();
}

template <class T>
bool to_list(const Config::List& list, Value& value) {
  if (!std::all_of(list.begin(), list.end(), is_a<T>)) return false;
  std::vector<T> result;
  result.reserve(list.size());
  for (const Config& element : list) result.push_back(get<T>(element));
  value = std::move(result);
  return true;
}

}  // namespace

std::string Place::text() const {
  if (!file) return "default";
  return line == 0 ? *file : fmt::format("{}:{}:{}", *file, line, column);
}

double Config::number() const {
  if (const auto* whole = as_integer()) return static_cast<double>(*whole);
  return *as_real();
}

const Config::Entry* Config::entry(std::string_view key) const {
  const Table* table = as_table();
  if (table == nullptr) return nullptr;
  const auto found = std::find_if(table->begin(), table->end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == table->end() ? nullptr : &*found;
}

const Config* Config::find(std::string_view key) const {
  const Entry* found = entry(key);
  return found == nullptr ? nullptr : &found->value;
}

Config* Config::find(std::string_view key) {
  return const_cast<Config*>(std::as_const(*this).find(key));
}

Config& Config::set(std::string key, Place key_place, Config value) {
  if (auto* found = const_cast<Entry*>(entry(key))) {
    found->key_place = std::move(key_place);
    found->value = std::move(value);
    return found->value;
  }
  Table& table = std::get<Table>(held_);
  table.push_back({std::move(key), std::move(key_place), std::move(value)});
  return table.back().value;
}

void Config::erase(std::string_view key) {
  std::erase_if(std::get<Table>(held_), [&](const Entry& entry) { return entry.key == key; });
}

const std::string* Config::use() const {
  if (const auto* word = as_text()) return word;
  const Config* use = find("use");
  return use == nullptr ? nullptr : use->as_text();
}

bool Config::to_value(Value& value) const {
  if (const auto* flag = as_bool()) return value = *flag, true;
  if (const auto* whole = as_integer()) return value = *whole, true;
  if (const auto* real = as_real()) return value = *real, true;
  if (const auto* word = as_text()) return value = *word, true;
  const List* list = as_list();
  if (list == nullptr) return false;
  return to_list<std::int64_t>(*list, value) || to_list<double>(*list, value) ||
         to_list<std::string>(*list, value);
}

const char* Config::what() const {
  if (as_table() != nullptr) return "a table";
  if (as_list() != nullptr) return "a list";
  if (as_text() != nullptr) return "a text";
  if (as_bool() != nullptr) return *as_bool() ? "true" : "false";
  return is_number() ? "a number" : "a date or time";
}

std::string Config::toml() const {
  if (const auto* flag = as_bool()) return *flag ? "true" : "false";
  if (const auto* whole = as_integer()) return fmt::format("{}", *whole);
  if (const auto* real = as_real()) return toml_real(*real);
  if (const auto* word = as_text()) return toml_text(*word);
  std::string text;
  if (const List* list = as_list()) {
    for (const Config& element : *list)
      text += fmt::format("{}{}", text.empty() ? "" : ", ", element.toml());
    return fmt::format("[{}]", text);
  }
  const Table* table = as_table();
  if (table == nullptr) return "1970-01-01";  // refused wherever it is read
  if (table->empty()) return "{}";
  for (const Entry& entry : *table)
    text += fmt::format("{}{}", text.empty() ? "" : ", ",
                        toml_key(entry.key) + " = " + entry.value.toml());
  return fmt::format("{{ {} }}", text);
}

std::size_t Config::size() const {
  std::size_t total = 1;
  if (const List* list = as_list()) {
    for (const Config& element : *list) total += element.size();
  }
  if (const Table* table = as_table()) {
    for (const Entry& entry : *table) total += entry.value.size();
  }
  return total;
}

std::string toml_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\', result += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\u{:04X}", byte);
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string toml_key(std::string_view key) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), bare) ? std::string(key)
                                                                   : toml_text(key);
}

std::string toml_value(const Value& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return "";
        } else if constexpr (std::is_same_v<T, bool>) {
          return held ? "true" : "false";
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          return fmt::format("{}", held);
        } else if constexpr (std::is_same_v<T, double>) {
          return toml_real(held);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return toml_text(held);
        } else {
          std::string text;
          for (const auto& element : held)
            text += fmt::format("{}{}", text.empty() ? "" : ", ", toml_value(Value{element}));
          return fmt::format("[{}]", text);
        }
      },
      value);
}

}  // namespace paribus
