// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace paribus::results {

/// One value; `monostate` is "not known".
using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

enum class ColumnType : std::uint8_t { boolean, integer, real, text };

/// Values side by side, its own or those of somebody else's memory, which then must live as long.
template <class T>
class Packed {
 public:
  Packed() = default;
  explicit Packed(std::span<const T> lent) : lent_(lent), is_own_(false) {}

  [[nodiscard]] std::span<const T> view() const {
    return is_own_ ? std::span<const T>(own_) : lent_;
  }
  [[nodiscard]] std::size_t size() const { return view().size(); }
  const T& operator[](std::size_t i) const { return view()[i]; }
  /// To be changed: what was lent is copied first.
  std::vector<T>& own() {
    if (!is_own_) own_.assign(lent_.begin(), lent_.end());
    is_own_ = true;
    return own_;
  }

 private:
  std::vector<T> own_;
  std::span<const T> lent_;
  bool is_own_ = true;
};

/// A column's values, packed by type: 100,000 trials with all their metrics fit into some 30 MB,
/// and a condition goes through one array. What is not known has a value of its own in it.
class Column {
 public:
  std::string name, unit;
  ColumnType type = ColumnType::text;

  Column() = default;
  Column(std::string column_name, std::string column_unit, ColumnType column_type)
      : name(std::move(column_name)), unit(std::move(column_unit)), type(column_type) {}

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] Cell cell(std::size_t row) const;
  /// REQUIRES: a cell of the column's type, or unknown; an integer may be given to a real column.
  void add(const Cell& cell);
  void set(std::size_t row, const Cell& cell);

  /// Of a real, integer, boolean (0, 1, kUnknownFlag) or text column.
  Packed<double> reals;
  Packed<std::int64_t> integers;
  Packed<std::uint8_t> flags;
  Packed<std::uint32_t> codes;  // of a row's text among `text(0)`, `text(1)`, ..., or kUnknownCode
  Packed<std::uint64_t> text_ends;  // of each text in `letters`
  Packed<char> letters;

  [[nodiscard]] std::size_t texts() const { return text_ends.size(); }
  [[nodiscard]] std::string_view text(std::uint32_t code) const;
  /// The text of a row; "" where it is not known.
  [[nodiscard]] std::string_view text_at(std::size_t row) const;

  static bool is_unknown(double value);  // as opposed to a measured NaN
  static constexpr std::int64_t kUnknownInteger = INT64_MIN;
  static constexpr std::uint8_t kUnknownFlag = 2;
  static constexpr std::uint32_t kUnknownCode = UINT32_MAX;

 private:
  std::uint32_t code_of(const std::string& text);

  std::unordered_map<std::string, std::uint32_t> known_;  // texts by code, those looked for
};

/// As people and CSV get it: full precision, "" where unknown.
std::string to_text(const Cell& cell);

}  // namespace paribus::results
