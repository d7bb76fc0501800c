// SPDX-License-Identifier: Apache-2.0
#pragma once

// What readers of journals take payloads apart with (format.h). Each takes from the front, and
// gives nothing where there isn't enough.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "journal/format.h"

namespace paribus::journal {

inline constexpr int kMaxDepth = 200;  // of JSON: what we write is shallow, its readers recurse

inline bool is_too_deep(std::string_view json) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text && c == '\\')
      ++i;
    else if (c == '"')
      in_text = !in_text;
    else if (!in_text && (c == '{' || c == '[') && ++depth > kMaxDepth)
      return true;
    else if (!in_text && (c == '}' || c == ']'))
      --depth;
  }
  return false;
}

inline std::optional<std::uint64_t> take_varint(std::string_view& from) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

inline std::optional<std::string> take_name(std::string_view& from) {
  if (from.size() < 2) return std::nullopt;
  const std::size_t length = load<std::uint16_t>(from.data());
  if (length > from.size() - 2) return std::nullopt;
  std::string name(from.substr(2, length));
  from.remove_prefix(2 + length);
  return name;
}

template <class T>
std::optional<double> take_value(std::string_view& from) {
  if (from.size() < sizeof(T)) return std::nullopt;
  const auto value = static_cast<double>(load<T>(from.data()));
  from.remove_prefix(sizeof(T));
  return value;
}

}  // namespace paribus::journal
