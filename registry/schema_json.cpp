// SPDX-License-Identifier: Apache-2.0
// Schemas and values as JSON, in the form that schema.cpp reads.

#include <limits>
#include <type_traits>

#include "registry/schema.h"

namespace paribus::registry {
namespace {

using nlohmann::json;

const char* type_name(FieldType type) {
  switch (type) {
    case FieldType::boolean:
      return "bool";
    case FieldType::integer:
      return "int";
    case FieldType::real:
      return "float";
    case FieldType::text:
      return "string";
    case FieldType::list:
      return "list";
    case FieldType::part:
      return "part";
  }
  return "";
}

json to_json(const FieldSchema& field) {
  json result{{"name", field.name}};
  result["type"] = type_name(field.type);
  if (!field.of.empty()) result["of"] = field.of;
  if (field.optional) result["optional"] = true;
  result["default"] = registry::to_json(field.default_value);
  const auto put_bound = [&result](const char* key, const std::optional<double>& bound) {
    if (bound) result[key] = registry::to_json(Value{*bound});
  };
  put_bound("min", field.min);
  put_bound("above", field.above);
  put_bound("max", field.max);
  put_bound("below", field.below);
  if (!field.choices.empty()) result["choices"] = field.choices;
  if (!field.unit.empty()) result["unit"] = field.unit;
  if (field.live) result["live"] = true;
  result["doc"] = field.doc;
  return result;
}

json to_json(const FileSchema& file) {
  return {{"name", file.name},     {"folder", file.folder},   {"url", file.url},
          {"sha256", file.sha256}, {"content", file.content}, {"bytes", file.bytes},
          {"unless", file.unless}};
}

json number_to_json(double number) {
  if (number != number) return "nan";
  if (number == std::numeric_limits<double>::infinity()) return "inf";
  if (number == -std::numeric_limits<double>::infinity()) return "-inf";
  return number;
}

}  // namespace

json to_json(const PartSchema& schema) {
  json result{{"paribus", 1},
              {"kind", schema.kind},
              {"name", schema.name},
              {"doc", schema.doc},
              {"symbol", schema.symbol},
              {"abi", schema.abi},
              {"libtorch", schema.libtorch},
              {"compiler", schema.compiler},
              {"cpu", schema.cpu}};
  if (!schema.goal.empty()) result["goal"] = schema.goal, result["unit"] = schema.unit;
  if (schema.kind == "callback") result["reads"] = schema.reads, result["writes"] = schema.writes;
  if (schema.kind == "search") result["adaptive"] = schema.adaptive;
  for (const FileSchema& file : schema.files) result["files"].push_back(to_json(file));
  result["params"] = json::array();
  for (const FieldSchema& field : schema.fields) result["params"].push_back(to_json(field));
  if (!schema.plugin.empty()) result["plugin"] = schema.plugin.string();
  return result;
}

json to_json(const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return nullptr;
  if (const auto* number = std::get_if<double>(&value)) return number_to_json(*number);
  if (const auto* list = std::get_if<std::vector<double>>(&value)) {
    json result = json::array();
    for (const double number : *list) result.push_back(number_to_json(number));
    return result;
  }
  return std::visit(
      [](const auto& held) -> json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else {
          return held;
        }
      },
      value);
}

}  // namespace paribus::registry
