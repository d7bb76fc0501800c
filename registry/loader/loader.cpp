// SPDX-License-Identifier: Apache-2.0
#include "registry/loader/loader.h"

#include <boost/dll/shared_library.hpp>
#include <cstring>

#include "paribus/abi.h"

namespace paribus::registry {

struct Loader::Libraries {
  std::map<std::filesystem::path, boost::dll::shared_library> by_path;
};

Loader::Loader() : libraries_(std::make_unique<Libraries>()) {}
Loader::~Loader() {
  // Plugins stay mapped until the process ends: parts, types and thread-local data may point into
  // them.
  static_cast<void>(libraries_.release());
}

void Loader::load(const PartSchema& part) {
  const std::string who = part.kind + "/" + part.name + " in " + part.plugin.string();
  auto& library = libraries_->by_path[part.plugin];
  if (!library.is_loaded()) {
    try {
      library.load(part.plugin.string(),
                   boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    } catch (const std::exception& problem) {
      throw Error(who + ": can't be loaded: " + problem.what());
    }
  }
  if (!library.has(part.symbol)) {
    throw Error(who + ": the manifest names the symbol '" + part.symbol +
                "', the file has none; rebuild the plugin");
  }
  const auto& descriptor = library.get<const PartDescriptor>(part.symbol);
  if (std::strcmp(descriptor.abi, PARIBUS_ABI) != 0 || part.kind != descriptor.kind ||
      part.name != descriptor.name) {
    throw Error(who + ": manifest and code disagree on kind, name or ABI; rebuild the plugin");
  }
  descriptors_[{part.kind, part.name}] = &descriptor;
}

const PartDescriptor& Loader::descriptor(const std::string& kind, const std::string& name) const {
  const auto found = descriptors_.find({kind, name});
  if (found == descriptors_.end()) throw Error(kind + "/" + name + ": not loaded");
  return *found->second;
}

}  // namespace paribus::registry
