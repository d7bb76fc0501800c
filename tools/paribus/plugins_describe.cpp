// SPDX-License-Identifier: Apache-2.0
// What `paribus plugins show` prints about one part.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "plugins_command.h"

namespace paribus {
namespace {

using registry::FieldSchema;
using registry::FieldType;
using registry::PartSchema;

std::string toml_number(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  return nlohmann::json(number).dump();  // keeps the point of a whole number
}

/// JSON's texts, integers and lists are TOML's, too.
std::string toml(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return toml_number(*number);
  if (const auto* list = std::get_if<std::vector<double>>(&value)) {
    std::vector<std::string> words;
    for (const double number : *list) words.push_back(toml_number(number));
    return fmt::format("[{}]", fmt::join(words, ", "));
  }
  return registry::to_json(value).dump();
}

std::string type_words(const FieldSchema& field) {
  const std::string ending = field.optional ? " or none" : "";
  switch (field.type) {
    case FieldType::boolean:
      return "bool" + ending;
    case FieldType::integer:
      return "int" + ending;
    case FieldType::real:
      return "float" + ending;
    case FieldType::text:
      return "string" + ending;
    case FieldType::list:
      return fmt::format("list of {}", field.of) + ending;
    case FieldType::part:
      return fmt::format("{} (part)", field.of) + ending;
  }
  return "";
}

bool is_empty_slot(const FieldSchema& field) {
  return field.type == FieldType::part && field.default_value == Value{std::string()};
}

std::string default_words(const FieldSchema& field) {
  if (std::holds_alternative<std::monostate>(field.default_value) || is_empty_slot(field))
    return "none";
  return toml(field.default_value);
}

std::string allowed_words(const FieldSchema& field) {
  if (!field.choices.empty()) return fmt::format("{}", fmt::join(field.choices, " | "));
  std::vector<std::string> bounds;
  // What an int can hold bounds nothing that a reader must know.
  const bool from_all = field.min == std::numeric_limits<std::int32_t>::min();
  const bool to_all = field.max == std::numeric_limits<std::int32_t>::max();
  if (field.min && !from_all) bounds.push_back(fmt::format(">= {}", *field.min));
  if (field.above) bounds.push_back(fmt::format("> {}", *field.above));
  if (field.max && !to_all) bounds.push_back(fmt::format("<= {}", *field.max));
  if (field.below) bounds.push_back(fmt::format("< {}", *field.below));
  return fmt::format("{}", fmt::join(bounds, ", "));
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

using Row = std::array<std::string, 7>;

std::string parameter_table(const PartSchema& part) {
  if (part.fields.empty()) return "No parameters.\n";
  std::vector<Row> rows{{"parameter", "type", "default", "allowed", "unit", "live", "what"}};
  for (const FieldSchema& field : part.fields) {
    rows.push_back({field.name, type_words(field), default_words(field), allowed_words(field),
                    field.unit, field.live ? "live" : "", one_line(field.doc)});
  }
  std::array<std::size_t, 7> width{};
  for (std::size_t column = 0; column < width.size(); ++column) {
    const bool headed_only = std::all_of(rows.begin() + 1, rows.end(),
                                         [&](const Row& row) { return row[column].empty(); });
    if (headed_only) continue;  // a column without entries isn't shown
    for (const Row& row : rows) width[column] = std::max(width[column], row[column].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < width.size(); ++column) {
      if (width[column] != 0) line += fmt::format("{:<{}}  ", row[column], width[column]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string of_its_kind(const PartSchema& part) {
  std::string text;
  if (part.kind == "metric") {
    const std::string unit = part.unit == "1" ? "" : ", unit " + part.unit;
    text += fmt::format("goal       {}{}\n", part.goal, unit);
  }
  if (!part.reads.empty()) text += fmt::format("reads      {}\n", fmt::join(part.reads, ", "));
  if (!part.writes.empty()) text += fmt::format("writes     {}\n", fmt::join(part.writes, ", "));
  for (const registry::FileSchema& file : part.files) {
    text += fmt::format("file       {}{}{}, {} bytes{}{}\n", file.folder,
                        file.folder.empty() ? "" : "/", file.name, file.bytes,
                        file.url.empty() ? "" : " from ", file.url);
  }
  return text;
}

/// `key = value` of every parameter that has a default to show.
std::vector<std::pair<std::string, const FieldSchema*>> assignments(const PartSchema& part,
                                                                    const ExampleValues& values) {
  std::vector<std::pair<std::string, const FieldSchema*>> result;
  for (const FieldSchema& field : part.fields) {
    const auto given = values.find(field.name);
    if (given == values.end() && default_words(field) == "none") continue;
    const std::string value = given != values.end() ? given->second : toml(field.default_value);
    const bool slot = given == values.end() && field.type == FieldType::part;
    result.emplace_back(
        fmt::format("{} = {}", field.name, slot ? fmt::format("{{ use = {} }}", value) : value),
        &field);
  }
  return result;
}

std::string inline_table(const PartSchema& part, const ExampleValues& values) {
  std::string text = fmt::format("{{ use = \"{}\"", part.name);
  for (const auto& [assignment, field] : assignments(part, values)) text += ", " + assignment;
  return text + " }";
}

std::string section(const std::string& header, const PartSchema& part,
                    const ExampleValues& values) {
  std::string text = fmt::format("{}\nuse = \"{}\"\n", header, part.name);
  std::size_t width = 0;
  for (const auto& [assignment, field] : assignments(part, values))
    width = std::max(width, assignment.size());
  for (const auto& [assignment, field] : assignments(part, values)) {
    text += fmt::format("{:<{}}  # {}\n", assignment, width, one_line(field->doc));
  }
  return text;
}

/// These go through values, and can't draw from a range.
bool takes_lists(const PartSchema& part) { return part.name == "grid" || part.name == "zip"; }

}  // namespace

std::string toml_example(const PartSchema& part, const ExampleValues& values) {
  const std::string one = inline_table(part, values);
  if (part.kind == "transform") return fmt::format("[data]\ntransforms = [{}]\n", one);
  if (part.kind == "schedule") return fmt::format("[schedule]\n\"optimizer.lr\" = {}\n", one);
  if (part.kind == "search") {
    const char* axis = takes_lists(part) ? "[0.01, 0.1, 1.0]" : "{ log = [0.01, 1.0] }";
    return fmt::format("[sweep]\n\"optimizer.lr\" = {}\nsearch = {}\n", axis, one);
  }
  if (part.kind == "dataset") return section("[data]", part, values);
  const bool several = part.kind == "callback" || part.kind == "tracker" || part.kind == "metric";
  const std::string header = several ? "[[" + part.kind + "]]" : "[" + part.kind + "]";
  return section(header, part, values);
}

std::string facts(const PartSchema& part) {
  return fmt::format(
      "{}/{}: {}\n\n{}\n{}plugin     {}\ncompiler   {}\nLibTorch   {}\nCPU        {}\n\n",
      part.kind, part.name, part.doc, parameter_table(part), of_its_kind(part),
      part.plugin.string(), part.compiler, part.libtorch, part.cpu);
}

std::string describe(const PartSchema& part) {
  return facts(part) + "In a study:\n\n" + toml_example(part);
}

}  // namespace paribus
