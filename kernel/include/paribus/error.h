// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace paribus {

/// The one error type. The text reads `<kind>/<name>: what is wrong, got X, expected Y; what to
/// do`, lower case, without a final period; whoever knows the place in the study file adds it in
/// front, once.
class __attribute__((visibility("default"))) Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what) : std::runtime_error(what) {}
};

}  // namespace paribus
