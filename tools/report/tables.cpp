// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "paribus/error.h"
#include "report.h"

namespace paribus::report {
namespace {

using nlohmann::json;

constexpr std::size_t kMostRows = 20;  // of a sweep's points, the best
constexpr std::size_t kLongestCell = 200;

struct Rows {
  std::string caption;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> body;  // the first cell is a text, the last may be
};

std::string shown(const json& value, const char* format = "{:.4g}") {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() ? fmt::format(fmt::runtime(format), value.get<double>()) : "-";
}

std::string interval(const json& row) {
  if (!row.at("low").is_number()) return "-";
  return fmt::format("[{:+.3g}, {:+.3g}]", row.at("low").get<double>(),
                     row.at("high").get<double>());
}

std::string with_unit(const json& of) {
  const std::string unit = of.at("unit");
  return of.at("metric").get<std::string>() +
         (unit.empty() || unit == "1" ? "" : " (" + unit + ")");
}

Rows rows_of_effects(const json& comparison) {
  Rows rows{
      with_unit(comparison), {"effect", "n", "estimate", "interval", "p (Holm)", "verdict"}, {}};
  for (const json& row : comparison.at("effects")) {
    rows.body.push_back({row.at("effect"), shown(row.at("n")), shown(row.at("estimate"), "{:+.4g}"),
                         interval(row), shown(row.at("p_holm"), "{:.3g}"), row.at("verdict")});
  }
  return rows;
}

/// Of several studies: each arm has a baseline of its own.
Rows rows_across(const json& comparison) {
  Rows rows{with_unit(comparison),
            {"arm", "n", comparison.at("baseline"), "mean", "difference", "interval", "p (Holm)",
             "verdict"},
            {}};
  for (const json& row : comparison.at("arms")) {
    rows.body.push_back({row.at("arm"), shown(row.at("n")), shown(row.at("baseline_mean")),
                         shown(row.at("arm_mean")), shown(row.at("difference"), "{:+.4g}"),
                         interval(row), shown(row.at("p_holm"), "{:.3g}"), row.at("verdict")});
  }
  return rows;
}

Rows rows_of_comparison(const json& comparison) {
  Rows rows{with_unit(comparison),
            {"arm", "n", "mean", "difference", "interval", "p (Holm)", "verdict"},
            {}};
  const std::string baseline = comparison.at("baseline");
  const json& first = comparison.at("arms").front();
  rows.body.push_back({baseline, shown(first.at("n")), shown(first.at("baseline_mean")), "-", "-",
                       "-", "baseline"});
  for (const json& row : comparison.at("arms")) {
    rows.body.push_back({row.at("arm"), shown(row.at("n")), shown(row.at("arm_mean")),
                         shown(row.at("difference"), "{:+.4g}"), interval(row),
                         shown(row.at("p_holm"), "{:.3g}"), row.at("verdict")});
  }
  return rows;
}

/// Of a sweep its best points; else the one arm there is.
Rows rows_of_arms(const json& data) {
  Rows rows{with_unit(data.at("study")), {"point", "n", "mean", "sd", "least", "greatest"}, {}};
  std::vector<json> arms = data.at("arms");
  std::erase_if(arms, [](const json& arm) { return !arm.at("rank").is_number(); });
  std::sort(arms.begin(), arms.end(),
            [](const json& a, const json& b) { return a.at("rank") < b.at("rank"); });
  if (arms.size() > kMostRows) arms.resize(kMostRows);
  for (const json& arm : arms) {
    rows.body.push_back({arm.at("arm"), shown(arm.at("n")), shown(arm.at("mean")),
                         shown(arm.at("sd")), shown(arm.at("least")), shown(arm.at("greatest"))});
  }
  return rows;
}

Rows rows_of(const json& data) {
  const json& comparison = data.at("comparison");
  if (comparison.is_null() || !data.at("sweep").is_null()) return rows_of_arms(data);
  if (comparison.contains("across")) return rows_across(comparison);
  return comparison.at("effects").empty() ? rows_of_comparison(comparison)
                                          : rows_of_effects(comparison);
}

/// One line without control characters, of a bearable length.
std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    if (line.size() >= kLongestCell && (static_cast<unsigned char>(c) & 0xC0) != 0x80)
      return line + "...";
    line.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c);
  }
  return line;
}

std::string markdown_text(const std::string& text) {
  std::string safe;
  for (const char c : one_line(text)) {
    if (c == '<') {
      safe += "&lt;";
      continue;
    }
    if (std::string_view("\\`*_|[]&").find(c) != std::string_view::npos) safe.push_back('\\');
    safe.push_back(c);
  }
  return safe;
}

std::string latex_text(const std::string& text) {
  std::string safe;
  for (const char c : one_line(text)) {
    switch (c) {
      case '\\':
        safe += "\\textbackslash{}";
        break;
      case '~':
        safe += "\\textasciitilde{}";
        break;
      case '^':
        safe += "\\textasciicircum{}";
        break;
      case '<':
        safe += "\\textless{}";
        break;
      case '>':
        safe += "\\textgreater{}";
        break;
      case '{':
      case '}':
      case '$':
      case '&':
      case '#':
      case '_':
      case '%':
        safe.push_back('\\');
        [[fallthrough]];
      default:
        safe.push_back(c);
    }
  }
  return safe;
}

/// The minus of a number is one.
std::string latex_cell(const std::string& text) {
  const bool is_number = text.find_first_of("0123456789") != std::string::npos &&
                         text.find_first_not_of("0123456789+-.e[], ") == std::string::npos;
  return is_number ? "$" + text + "$" : latex_text(text);
}

std::string latex(const Rows& rows) {
  std::string text = "% " + one_line(rows.caption) + "\n\\begin{tabular}{l" +
                     std::string(rows.head.size() - 1, 'r') + "}\n\\toprule\n";
  const auto line = [&](const std::vector<std::string>& cells, bool is_body) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) text += " & ";
      text += is_body && i > 0 ? latex_cell(cells[i]) : latex_text(cells[i]);
    }
    text += " \\\\\n";
  };
  line(rows.head, false);
  text += "\\midrule\n";
  for (const auto& cells : rows.body) line(cells, true);
  return text + "\\bottomrule\n\\end{tabular}\n";
}

std::string markdown(const Rows& rows) {
  std::string text;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (const std::string& cell : cells) text += "| " + markdown_text(cell) + " ";
    text += "|\n";
  };
  line(rows.head);
  text += "|---";
  for (std::size_t i = 1; i < rows.head.size(); ++i) text += "|--:";
  text += "|\n";
  for (const auto& cells : rows.body) line(cells);
  return text;
}

}  // namespace

std::string table_of(const json& data, const std::string& format) {
  if (format == "latex") return latex(rows_of(data));
  if (format == "markdown") return markdown(rows_of(data));
  throw Error("there is no format '" + format + "' of a table; there are latex and markdown");
}

}  // namespace paribus::report
