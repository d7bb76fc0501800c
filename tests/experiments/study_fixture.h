// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "study/study.h"

namespace paribus::test {

namespace fs = std::filesystem;
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

/// A folder that goes with the test, and studies in it.
class StudyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "paribus-study-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  Study load(const std::string& text, const std::vector<std::string>& overrides = {},
             const Proposer& propose = {}) const {
    return load_study(write("s.toml", text), overrides, catalog(), propose);
  }
  /// What is wrong, one problem a line, files without their folder.
  std::string errors(const std::string& text,
                     const std::vector<std::string>& overrides = {}) const {
    return errors_of(write("s.toml", text), overrides);
  }
  std::string errors_of(const fs::path& path,
                        const std::vector<std::string>& overrides = {}) const {
    try {
      load_study(path, overrides, catalog(), {});
    } catch (const StudyError& error) {
      std::string said = error.what();
      const std::string here = folder_.string() + "/";
      for (std::size_t at = said.find(here); at != std::string::npos; at = said.find(here))
        said.erase(at, here.size());
      return said;
    }
    return "none";
  }

  fs::path folder_;
};

inline const std::string kBase = "model = \"mlp\"\ndata = \"digits\"\n";

}  // namespace paribus::test
