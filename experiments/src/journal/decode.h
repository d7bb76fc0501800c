// SPDX-License-Identifier: Apache-2.0
#pragma once

// What readers of journals take payloads apart with (format.h). Each takes from the front, and
// gives nothing where there isn't enough.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "journal/format.h"
#include "paribus/record.h"

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

/// What a histogram, a picture or a table begins with.
struct ShownHead {
  std::string name;
  std::int64_t step = 0;
};

inline std::optional<ShownHead> take_shown_head(std::string_view& from) {
  auto name = take_name(from);
  if (!name || name->empty() || from.size() < sizeof(std::int64_t)) return std::nullopt;
  const auto step = load<std::int64_t>(from.data());
  from.remove_prefix(sizeof step);
  return ShownHead{std::move(*name), step};
}

/// What stands behind its head.
inline std::optional<Histogram> take_histogram(std::string_view from) {
  constexpr std::size_t kEach = 8, kNumbers = 5 * kEach;
  if (from.size() < kNumbers || from.size() % kEach != 0) return std::nullopt;
  if (from.size() > kNumbers + kMaxBins * kEach) return std::nullopt;
  Histogram out;
  const char* at = from.data();
  for (double* one : {&out.low, &out.high, &out.sum, &out.squares})
    *one = load<double>(at), at += kEach;
  out.not_finite = load<std::uint64_t>(at);
  out.counts.resize((from.size() - kNumbers) / kEach);
  if (!out.counts.empty())
    std::memcpy(out.counts.data(), from.data() + kNumbers, from.size() - kNumbers);
  return out;
}

template <class T>
std::optional<std::vector<T>> take_numbers(std::string_view& from, std::size_t rows) {
  if (from.size() / sizeof(T) < rows) return std::nullopt;
  std::vector<T> values(rows);
  if (rows > 0) std::memcpy(values.data(), from.data(), rows * sizeof(T));
  from.remove_prefix(rows * sizeof(T));
  return values;
}

inline std::optional<std::vector<std::string>> take_texts(std::string_view& from,
                                                          std::size_t rows) {
  std::vector<std::string> texts;
  std::size_t longest = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    constexpr std::size_t kLength = sizeof(std::uint32_t);
    if (from.size() < kLength) return std::nullopt;
    const std::size_t length = load<std::uint32_t>(from.data());
    from.remove_prefix(kLength);
    if (length > from.size()) return std::nullopt;
    longest = std::max(longest, length);
    texts.emplace_back(from.substr(0, length));
    from.remove_prefix(length);
  }
  if (longest * rows > kMaxTable) return std::nullopt;
  return texts;
}

inline std::optional<Column> take_column(std::string_view& from, std::size_t rows) {
  if (from.empty()) return std::nullopt;
  const auto of_what = static_cast<std::uint8_t>(from.front());
  from.remove_prefix(1);
  auto name = take_name(from);
  if (!name || name->empty() || name->size() > kMaxColumnName) return std::nullopt;
  if (name->find('\0') != std::string::npos) return std::nullopt;
  std::optional<Column::Values> values;
  if (of_what == kFloats) values = take_numbers<double>(from, rows);
  if (of_what == kIntegers) values = take_numbers<std::int64_t>(from, rows);
  if (of_what == kTexts) values = take_texts(from, rows);
  if (!values) return std::nullopt;
  return Column{std::move(*name), std::move(*values)};
}

/// What stands behind its head: columns of one length, none with the name of another.
inline std::optional<Columns> take_table(std::string_view from) {
  if (from.size() < sizeof(std::uint32_t) || from.size() > kMaxTable) return std::nullopt;
  const std::size_t rows = load<std::uint32_t>(from.data());
  from.remove_prefix(sizeof(std::uint32_t));
  Columns columns;
  std::set<std::string> names;
  while (!from.empty()) {
    auto column = take_column(from, rows);
    if (!column || !names.insert(column->name).second) return std::nullopt;
    columns.push_back(std::move(*column));
  }
  if (columns.empty() || columns.size() > kMaxColumns) return std::nullopt;
  return columns;
}

}  // namespace paribus::journal
