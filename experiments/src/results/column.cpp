// SPDX-License-Identifier: Apache-2.0
#include "results/column.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

namespace paribus::results {
namespace {

// A NaN that no arithmetic makes.
constexpr std::uint64_t kUnknownBits = 0x7FF8'706C'616E'6E65;

/// Where a column has more texts than this, one that is new is not looked for among them.
constexpr std::size_t kFewTexts = 4096;

double packed(double value) {
  return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

double real_of(const Cell& cell) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
  const auto* value = std::get_if<double>(&cell);
  return value ? packed(*value) : std::bit_cast<double>(kUnknownBits);
}

template <class T>
T or_unknown(const Cell& cell, T unknown) {
  const T* value = std::get_if<T>(&cell);
  return value ? *value : unknown;
}

std::uint8_t flag_of(const Cell& cell) {
  const bool* flag = std::get_if<bool>(&cell);
  return flag ? static_cast<std::uint8_t>(*flag) : Column::kUnknownFlag;
}

}  // namespace

bool Column::is_unknown(double value) {
  return std::bit_cast<std::uint64_t>(value) == kUnknownBits;
}

std::size_t Column::size() const {
  switch (type) {
    case ColumnType::boolean:
      return flags.size();
    case ColumnType::integer:
      return integers.size();
    case ColumnType::real:
      return reals.size();
    case ColumnType::text:
      break;
  }
  return codes.size();
}

std::string_view Column::text(std::uint32_t code) const {
  const std::size_t start = code == 0 ? 0 : text_ends[code - 1];
  return {letters.view().data() + start, text_ends[code] - start};
}

std::string_view Column::text_at(std::size_t row) const {
  return codes[row] == kUnknownCode ? std::string_view() : text(codes[row]);
}

Cell Column::cell(std::size_t row) const {
  switch (type) {
    case ColumnType::boolean:
      return flags[row] == kUnknownFlag ? Cell() : Cell(flags[row] != 0);
    case ColumnType::integer:
      return integers[row] == kUnknownInteger ? Cell() : Cell(integers[row]);
    case ColumnType::real:
      return is_unknown(reals[row]) ? Cell() : Cell(reals[row]);
    case ColumnType::text:
      break;
  }
  return codes[row] == kUnknownCode ? Cell() : Cell(std::string(text(codes[row])));
}

std::uint32_t Column::code_of(const std::string& text) {
  const bool is_complete = known_.size() == texts();
  if (!is_complete && texts() <= kFewTexts) {
    for (std::uint32_t code = 0; code < texts(); ++code)
      known_.try_emplace(std::string(this->text(code)), code);
  }
  const auto [entry, is_new] = known_.try_emplace(text, static_cast<std::uint32_t>(texts()));
  if (!is_new) return entry->second;
  letters.own().insert(letters.own().end(), text.begin(), text.end());
  text_ends.own().push_back(letters.size());
  return entry->second;
}

void Column::add(const Cell& cell) {
  switch (type) {
    case ColumnType::boolean:
      return flags.own().push_back(flag_of(cell));
    case ColumnType::integer:
      return integers.own().push_back(or_unknown(cell, kUnknownInteger));
    case ColumnType::real:
      return reals.own().push_back(real_of(cell));
    case ColumnType::text:
      break;
  }
  const auto* text = std::get_if<std::string>(&cell);
  codes.own().push_back(text ? code_of(*text) : kUnknownCode);
}

void Column::set(std::size_t row, const Cell& cell) {
  switch (type) {
    case ColumnType::boolean:
      flags.own()[row] = flag_of(cell);
      return;
    case ColumnType::integer:
      integers.own()[row] = or_unknown(cell, kUnknownInteger);
      return;
    case ColumnType::real:
      reals.own()[row] = real_of(cell);
      return;
    case ColumnType::text:
      break;
  }
  const auto* text = std::get_if<std::string>(&cell);
  const std::uint32_t code = text ? code_of(*text) : kUnknownCode;
  codes.own()[row] = code;
}

std::string to_text(const Cell& cell) {
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return "";
}

}  // namespace paribus::results
