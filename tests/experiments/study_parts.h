// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parts made for tests, of which only the schemas exist.

#include <string>
#include <utility>
#include <vector>

#include "registry/catalog.h"

namespace paribus::test {

using registry::FieldSchema;
using registry::FieldType;
using registry::PartSchema;

inline FieldSchema real(const std::string& name, double value, bool live = true) {
  FieldSchema field;
  field.name = name, field.type = FieldType::real, field.default_value = value, field.min = 0,
  field.live = live;
  return field;
}
inline FieldSchema whole(const std::string& name, std::int64_t value, bool live = false) {
  FieldSchema field;
  field.name = name, field.type = FieldType::integer, field.default_value = value, field.min = 0,
  field.live = live;
  return field;
}
inline FieldSchema word(const std::string& name, const std::string& value,
                        std::vector<std::string> choices = {}) {
  FieldSchema field;
  field.name = name, field.default_value = value, field.choices = std::move(choices);
  return field;
}
inline FieldSchema slot(const std::string& name, const std::string& kind, const std::string& use) {
  FieldSchema field;
  field.name = name, field.type = FieldType::part, field.of = kind, field.default_value = use;
  return field;
}
inline FieldSchema maybe(FieldSchema field) {
  field.optional = true, field.default_value = Value{}, field.min.reset();
  return field;
}
inline FieldSchema widths() {
  FieldSchema field;
  field.name = "widths", field.type = FieldType::list, field.of = "int";
  field.default_value = std::vector<std::int64_t>{32, 64};
  return field;
}
inline PartSchema schema(const std::string& kind, const std::string& name,
                         std::vector<FieldSchema> fields = {}) {
  PartSchema part;
  part.kind = kind, part.name = name, part.fields = std::move(fields);
  if (kind == "metric") part.goal = name == "error" ? "minimize" : "maximize";
  return part;
}

/// Parts made for these tests: what ships may change.
inline const registry::Catalog& catalog() {
  static const registry::Catalog kCatalog = registry::Catalog::of(
      {schema("dataset", "digits", {whole("items", 100)}),
       schema("dataset", "photos", {word("root", "")}),
       schema("transform", "crop", {whole("padding", 4, true)}),
       schema("transform", "flip", {real("p", 0.5)}),
       schema("model", "mlp", {widths(), word("act", "relu", {"relu", "gelu"})}),
       schema("model", "convnet"),
       schema("loss", "cross_entropy", {real("smoothing", 0)}),
       schema("metric", "accuracy"),
       schema("metric", "error"),
       schema("optimizer", "sgd",
              {real("lr", 0.01), real("momentum", 0), maybe(real("dampening", 0))}),
       schema("optimizer", "adam", {real("lr", 0.001), real("beta1", 0.9)}),
       schema("optimizer", "lookahead",
              {slot("inner", "optimizer", "sgd"), whole("k", 5), real("alpha", 0.5)}),
       schema("optimizer", "wild", {slot("inner", "optimizer", "wild")}),
       schema("schedule", "one_cycle", {maybe(real("max", 0, false)), real("rise", 0.25, false)}),
       schema("schedule", "cosine", {real("to", 0, false)}),
       schema("callback", "ema", {real("decay", 0.999), slot("guard", "callback", "")}),
       schema("callback", "mixup", {real("alpha", 0.4)}),
       schema("search", "grid"),
       schema("search", "random", {whole("trials", 10)}),
       schema("tracker", "log", {word("uri", "")})});
  return kCatalog;
}

}  // namespace paribus::test
