// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parts as trials get them: built plugins, through the loader.

#include <map>
#include <string>

#include "paribus/factory.h"
#include "registry/catalog.h"
#include "registry/loader/loader.h"

namespace paribus::bench {

/// All built-in parts; loaded once, kept until the program ends.
inline const registry::Loader& loader() {
  static const auto* const kLoader = [] {
    auto* made = new registry::Loader();
    const auto catalog = registry::Catalog::scan({PARIBUS_PLUGIN_DIR});
    for (const auto& part : catalog.parts()) made->load(part);
    return made;
  }();
  return *kLoader;
}

inline PartSpec part(const std::string& address, const std::string& use,
                     std::map<std::string, Value> params = {}) {
  const std::string place = address.substr(0, address.find('.'));
  const bool transform = address.starts_with("data.transforms.");
  return {transform         ? "transform"
          : place == "data" ? "dataset"
                            : place,
          use,
          address,
          std::move(params),
          {}};
}

}  // namespace paribus::bench
