// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "check_laws.h"
#include "paribus/error.h"
#include "registry/catalog.h"

namespace paribus::check {
namespace {

using registry::FieldSchema;
using registry::FieldType;
using registry::PartSchema;

bool is_name(const std::string& text) {
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

/// Whether any number fits between the bounds.
bool is_empty(const FieldSchema& field) {
  const auto low = field.min ? field.min : field.above;
  const auto high = field.max ? field.max : field.below;
  if (!low || !high) return false;
  return field.above || field.below ? *low >= *high : *low > *high;
}

std::string problem_of(const FieldSchema& field) {
  if (!is_name(field.name)) return "its name isn't lower snake_case";
  if (field.doc.empty()) return "it says nothing about what it is";
  if (is_empty(field)) return "no value lies within its bounds";
  const auto& kinds = registry::kinds();
  if (field.type == FieldType::part) {
    return std::find(kinds.begin(), kinds.end(), field.of) != kinds.end()
               ? ""
               : fmt::format("it holds a part of no kind, '{}'", field.of);
  }
  const bool left_out = std::holds_alternative<std::monostate>(field.default_value);
  if (left_out) return field.optional ? "" : "it has no default";
  try {
    static_cast<void>(registry::checked(field, field.default_value));
  } catch (const Error& problem) {
    return fmt::format("its default is one that no study may give: {}", problem.what());
  }
  return "";
}

std::string problem_of(const PartSchema& part) {
  const auto& kinds = registry::kinds();
  if (std::find(kinds.begin(), kinds.end(), part.kind) == kinds.end())
    return fmt::format("there is no kind '{}'", part.kind);
  if (!is_name(part.name)) return "its name isn't lower snake_case";
  if (part.doc.empty()) return "it says nothing about what it is";
  std::set<std::string> seen;
  for (const FieldSchema& field : part.fields) {
    if (!seen.insert(field.name).second) return fmt::format("it has two '{}'", field.name);
    const std::string problem = problem_of(field);
    if (!problem.empty()) return fmt::format("'{}': {}", field.name, problem);
  }
  return "";
}

}  // namespace

Finding schema_law(const PartSchema& part) {
  const std::string problem = problem_of(part);
  if (!problem.empty()) return {"schema", Verdict::broken, problem};
  std::string names;
  for (const FieldSchema& field : part.fields) names += (names.empty() ? "" : ", ") + field.name;
  if (names.empty()) names = "no parameters";
  return {"schema", Verdict::kept, names + "; names, docs, bounds and defaults agree"};
}

}  // namespace paribus::check
