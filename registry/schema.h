// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "paribus/value.h"

namespace paribus::registry {

enum class FieldType : std::uint8_t { boolean, integer, real, text, list, part };

/// One parameter, as its manifest (or the kernel's own table of [data] and [train] keys) states it.
struct FieldSchema {
  std::string name;
  FieldType type = FieldType::text;
  std::string of;  // element type of a list ("int", "float"), kind of a part slot ("optimizer")
  bool optional = false;
  bool live = false;
  Value default_value;  // of a slot: the name of the default part, "" if it stays empty
  std::optional<double> min, above, max, below;
  std::vector<std::string> choices;
  std::string unit, doc;
};

/// A file that a data set needs (paribus/dataset.h).
struct FileSchema {
  std::string name, folder, url, sha256, content;
  std::int64_t bytes = 0;
  std::string unless;  // the file isn't needed where this parameter of the data set isn't empty
};

/// One part, as its manifest states it: all that is known without loading the plugin.
struct PartSchema {
  std::string kind, name, doc;
  std::string symbol, abi, libtorch, compiler, cpu;
  std::vector<FieldSchema> fields;
  std::vector<FileSchema> files;           // datasets
  std::string goal, unit;                  // metrics: "maximize" or "minimize"
  std::vector<std::string> reads, writes;  // callbacks
  bool adaptive = false;                   // searches that look at results
  std::filesystem::path plugin;            // the .so; of a part in another language, its source

  // Of such a part alone: the library that makes parts of that language, what it makes this one
  // from, and the hash of all of its sources.
  std::filesystem::path bridge;
  nlohmann::json made_from;
  std::string sha256;

  [[nodiscard]] const FieldSchema* field(const std::string& field_name) const;
};

/// Reads one manifest line. Throws Error saying which key is missing or wrong. Bounded: hostile
/// input is refused.
PartSchema schema_from_json(const nlohmann::json& manifest);
nlohmann::json to_json(const PartSchema& schema);
nlohmann::json to_json(const Value& value);

/// Checks and converts a value for a field: an integer is taken where a real is wanted, nothing
/// else is bent. Returns the converted value, or throws Error with what was expected ("got 1.5,
/// expected an integer of at least 1"). Slots are the caller's business.
Value checked(const FieldSchema& field, const Value& value);

}  // namespace paribus::registry
