// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "driver/verify.h"

namespace paribus {

/// A trial as `paribus verify` judged it.
struct Judged {
  driver::Verified verified;
  std::optional<driver::Bisection> bisection;
};

/// "bit-identical", or from where on it differs, or why it failed.
std::string verdict_of(const driver::Verified& verified);

/// A table of all trials, then what differs where, then one line that counts.
void print_judged(const driver::Verification& verification, const std::vector<Judged>& judged);

nlohmann::json to_json(const driver::Verification& verification, const std::vector<Judged>& judged);

}  // namespace paribus
