// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace paribus {

/// Lines with aligned columns for a terminal. Cells are shown on one line, control characters as
/// '?'.
class TextTable {
 public:
  enum class Align { left, right };

  void add_column(std::string title, Align align = Align::left) {
    columns_.push_back({std::move(title), align});
  }
  /// As many cells as there are columns.
  void add_row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  void print(std::FILE* out) const;

 private:
  struct Column {
    std::string title;
    Align align;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Whether colours are welcome: a terminal, and no NO_COLOR.
bool is_colourful(std::FILE* out);
std::string bold(const std::string& text, std::FILE* out);

/// "seconds (s)"; the unit "1" is that of a plain number and isn't shown.
std::string with_unit(const std::string& name, const std::string& unit);

/// Text from a journal, safe to show on a terminal.
std::string safe_text(std::string_view text);

/// "12.3 s", "4 min 05 s", "2 h 03 min".
std::string duration(double seconds);

}  // namespace paribus
