// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace paribus {

/// What goes wrong. The text reads `<kind>/<name>: what is wrong, got X, expected Y; what to
/// do`, lower case, without a final period; whoever knows the place in the study file adds it in
/// front, once.
class __attribute__((visibility("default"))) Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what) : std::runtime_error(what) {}
};

/// The disk, or what a study may take of it, is full. What was written before stays usable.
class __attribute__((visibility("default"))) NoSpace : public Error {
 public:
  using Error::Error;
};

}  // namespace paribus
