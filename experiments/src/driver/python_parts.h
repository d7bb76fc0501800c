// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "driver/python_describer.h"
#include "registry/catalog.h"
#include "registry/trust.h"

namespace paribus::driver {

/// Parts written in Python, `use = "python:module:Name"`. This program runs none of their code: a
/// child, started when the first one is named, says what they are (docs/python_parts.md).
class PythonParts final : public registry::PartSource {
 public:
  /// The study's file says where modules are looked for before the interpreter's own; it is asked
  /// when the first part is.
  explicit PythonParts(std::filesystem::path study, std::vector<std::string> overrides = {});

  [[nodiscard]] bool serves(std::string_view kind, std::string_view name) const override;
  const registry::PartSchema& find(const std::string& kind, const std::string& name) override;
  [[nodiscard]] std::vector<const registry::PartSchema*> found() const override;

  /// Where the packages of this program and the bridge lie. Throws Error if there is none.
  static std::filesystem::path bridge();

 private:
  struct Found {
    registry::PartSchema schema;
    std::string refusal;  // "": there is none
  };
  registry::PartSchema look(const std::string& kind, const std::string& name);
  void check_trust(const std::string& name);

  std::filesystem::path study_;
  std::vector<std::string> overrides_;
  std::unique_ptr<PythonDescriber> describer_;
  registry::Trust trust_;
  std::map<std::pair<std::string, std::string>, Found> known_;
};

}  // namespace paribus::driver
