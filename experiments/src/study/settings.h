// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "paribus/spec.h"
#include "registry/schema.h"
#include "study/study.h"

namespace paribus {

/// "90s", "5min", "2h", "1d" in seconds; "" is 0: no limit. Throws Error with what was expected.
double duration_of(const std::string& text);
/// "512MiB", "2GiB", "1TiB", also KB, MB, GB, TB (powers of 1000), in bytes; "" is 0: no limit.
std::int64_t bytes_of(const std::string& text);

/// What an hour of the machine costs.
struct Price {
  double amount = 0;
  std::string currency;  // "": no price is known
};

/// "0.90 USD"; "" is none. Throws Error with what was expected.
Price price_of(const std::string& text);

/// One key of a table that isn't a part: its schema, and where its value goes.
template <class Settings>
struct Setting {
  registry::FieldSchema schema;
  std::variant<bool Settings::*, std::int64_t Settings::*, double Settings::*,
               std::string Settings::*>
      member;

  void set(Settings& settings, const Value& value) const {
    std::visit([&]<class T>(T Settings::*pointer) { settings.*pointer = std::get<T>(value); },
               member);
  }
  [[nodiscard]] Value get(const Settings& settings) const {
    return std::visit([&](auto pointer) -> Value { return settings.*pointer; }, member);
  }
};

const std::vector<Setting<StudySettings>>& study_settings();
const std::vector<Setting<DataSettings>>& data_settings();
const std::vector<Setting<TrainSettings>>& train_settings();

/// The text for `seeds` that has them bought one by one.
inline constexpr std::string_view kUntilDecided = "until decided";

/// The schemas alone, in the order of the documentation: of [study] (with seeds, threads, plugins),
/// [data], [train].
const std::vector<registry::FieldSchema>& study_fields();
const std::vector<registry::FieldSchema>& data_fields();
const std::vector<registry::FieldSchema>& train_fields();

const registry::FieldSchema* find_field(const std::vector<registry::FieldSchema>& fields,
                                        std::string_view name);
std::vector<std::string> names_of(const std::vector<registry::FieldSchema>& fields);

/// The part that a place of the study holds where none is named; "" if one must be named.
std::string default_part(std::string_view address);

}  // namespace paribus
