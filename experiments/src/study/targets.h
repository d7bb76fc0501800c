// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "paribus/spec.h"
#include "registry/catalog.h"

namespace paribus {

/// What a schedule drives, or why it can't.
struct Target {
  std::string address;
  std::string problem;
};

/// Finds the live parameter at an address of a trial. Where the part at that address has no
/// parameter of that name but wraps a part of its own kind that has (lookahead around sgd), the
/// inner one's is meant.
Target live_target(const std::string& address, const TrialSpec& trial,
                   const registry::Catalog& catalog);

/// The part at an address; null if there is none.
const PartSpec* part_at(const TrialSpec& trial, const std::string& address);

/// The value of a parameter or setting at an address; null if there is none, or if the address is
/// that of a part.
const Value* param_at(const TrialSpec& trial, const std::string& address);

/// The same of a parameter or of a key of [data] or [train]; nothing if there is none.
std::optional<Value> value_at(const TrialSpec& trial, const std::string& address);
/// Puts a value of the type that stands there. REQUIRES: there is one.
void set_value(TrialSpec& trial, const std::string& address, const Value& value);

/// Of a parameter or setting at an address; null where there is none.
const registry::FieldSchema* field_at(const TrialSpec& trial, const std::string& address,
                                      const registry::Catalog& catalog);

}  // namespace paribus
