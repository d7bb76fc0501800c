// SPDX-License-Identifier: Apache-2.0
#include "table.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace paribus {
namespace {

/// Characters, which for the scripts of arms and messages is columns.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string padded(const std::string& text, std::size_t to, TextTable::Align align) {
  const std::string space(to - std::min(to, width(text)), ' ');
  return align == TextTable::Align::right ? space + text : text + space;
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

void TextTable::print(std::FILE* out) const {
  std::vector<std::vector<std::string>> cells(rows_.size());
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width(column.title));
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      cells[row].push_back(safe_text(rows_[row][i]));
      widths[i] = std::max(widths[i], width(cells[row][i]));
    }
  }
  std::string head;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    head += (i ? "  " : "") + padded(columns_[i].title, widths[i], columns_[i].align);
  }
  fmt::print(out, "{}\n", bold(trimmed(head), out));
  for (const auto& row : cells) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      line += (i ? "  " : "") + padded(row[i], widths[i], columns_[i].align);
    }
    fmt::print(out, "{}\n", trimmed(line));
  }
}

bool is_colourful(std::FILE* out) {
  return ::isatty(::fileno(out)) == 1 && std::getenv("NO_COLOR") == nullptr;
}

std::string bold(const std::string& text, std::FILE* out) {
  return is_colourful(out) ? "\033[1m" + text + "\033[0m" : text;
}

std::string with_unit(const std::string& name, const std::string& unit) {
  return unit.empty() || unit == "1" ? name : fmt::format("{} ({})", name, unit);
}

std::string safe_text(std::string_view text) {
  std::string safe(text);
  for (char& c : safe) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return safe;
}

std::string duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e12) return "?";
  if (seconds < 100) return fmt::format("{:.3g} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

}  // namespace paribus
