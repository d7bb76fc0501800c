// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes the parts that were built beside the tests, as a trial does: from their manifests, through
// the loader.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "../errors.h"
#include "paribus/factory.h"
#include "registry/catalog.h"
#include "registry/loader/loader.h"
#include "study/spec_json.h"

namespace paribus::testing {

inline const registry::Loader& loader() {
  static const registry::Loader* const kLoader = [] {
    auto made = std::make_unique<registry::Loader>();
    const auto catalog = registry::Catalog::scan({PARIBUS_PLUGIN_DIR});
    for (const auto& part : catalog.parts()) made->load(part);
    return made.release();
  }();
  return *kLoader;
}

inline PartSpec part(const std::string& kind, const std::string& use,
                     std::map<std::string, Value> params = {},
                     std::map<std::string, PartSpec> slots = {}) {
  for (auto& [name, slot] : slots) slot.address = kind + "." + name;
  return {kind, use, kind, std::move(params), std::move(slots)};
}

/// A part of a trial, with the parts in its slots.
template <class Kind>
class Made {
 public:
  explicit Made(const PartSpec& spec) : instance_(spec, loader()) {}
  Kind* operator->() const { return &instance_.as<Kind>(); }
  Kind& operator*() const { return instance_.as<Kind>(); }
  void set(const std::string& address, double value) const { instance_.find(address).set(value); }

 private:
  Instance instance_;
};

/// A section of golden.json, which golden.py writes.
inline nlohmann::json golden(const char* section) {
  std::ifstream file(PARIBUS_TEST_DIR "/golden.json");
  return nlohmann::json::parse(file).at(section);
}

using test::error_of;

inline bool bitwise_equal(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() &&
         std::memcmp(a.contiguous().const_data_ptr(), b.contiguous().const_data_ptr(),
                     a.nbytes()) == 0;
}

}  // namespace paribus::testing
