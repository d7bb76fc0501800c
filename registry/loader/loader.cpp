// SPDX-License-Identifier: Apache-2.0
#include "registry/loader/loader.h"

#include <boost/dll/shared_library.hpp>
#include <cstring>

#include "paribus/abi.h"
#include "paribus/error.h"
#include "registry/loader/copy.h"
#include "registry/sha256.h"

namespace paribus::registry {

namespace {

constexpr auto kMode = boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local;

/// Maps `path`; what the dynamic linker says of it is said of `file`, which people know.
void map(boost::dll::shared_library& library, const std::string& path, const std::string& file) {
  try {
    library.load(path, kMode);
  } catch (const std::exception& problem) {
    std::string text = problem.what();
    for (auto at = text.find(path); at != std::string::npos; at = text.find(path, at + file.size()))
      text.replace(at, path.size(), file);
    throw Error(file + ": can't be loaded: " + text);
  }
}

std::unique_ptr<SealedCopy> copy_of(const std::filesystem::path& file) {
  try {
    return std::make_unique<SealedCopy>(file);
  } catch (const Error& problem) {
    throw Error(file.string() + ": " + problem.what());
  }
}

}  // namespace

struct Loader::Libraries {
  struct Library {
    boost::dll::shared_library mapped;
    std::string name;  // the dynamic linker's
    std::string sha256;
  };
  std::map<std::filesystem::path, Library> by_path;
};

Loader::Loader() : libraries_(std::make_unique<Libraries>()) {}
Loader::~Loader() {
  // Plugins stay mapped until the process ends: parts, types and thread-local data may point into
  // them.
  static_cast<void>(libraries_.release());
}

std::string Loader::load_file(const std::filesystem::path& file, const std::string& sha256,
                              bool sealed) {
  auto& library = libraries_->by_path[file];
  const auto must_be = [&](const std::string& got) {
    if (got == sha256) return;
    throw Error(file.string() + ": has changed since it was checked: its sha256 is " + got +
                ", expected " + sha256 + "; run the command again");
  };
  if (library.mapped.is_loaded()) {
    must_be(library.sha256);
    return library.name;
  }
  if (!sealed) {
    must_be(sha256_of_file(file));
    library.name = file.string();
    map(library.mapped, library.name, file.string());
  } else {
    const auto copy = copy_of(file);
    must_be(copy->sha256());
    library.name = copy->path();
    map(library.mapped, library.name, file.string());
    copy->keep();  // were its number given to another, the linker would take that for it
  }
  library.sha256 = sha256;
  return library.name;
}

void Loader::load(const PartSchema& part) {
  const std::string who = part.kind + "/" + part.name + " in " + part.plugin.string();
  auto& library = libraries_->by_path[part.plugin].mapped;
  if (!library.is_loaded()) {
    try {
      library.load(part.plugin.string(), kMode);
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

void Loader::make(const PartSchema& part, const std::string& made_from) {
  using Maker = const PartDescriptor*(const char* made_from);
  const auto& bridge = libraries_->by_path[part.plugin].mapped;
  if (!bridge.is_loaded() || !bridge.has("paribus_bridge_part"))
    throw Error(part.plugin.string() + ": is no bridge to another language");
  const PartDescriptor* made = bridge.get<Maker>("paribus_bridge_part")(made_from.c_str());
  if (std::strcmp(made->abi, PARIBUS_ABI) != 0)
    throw Error(part.plugin.string() + ": was built for another Paribus; install it again");
  descriptors_[{part.kind, part.name}] = made;
}

void Loader::prepare(const std::filesystem::path& bridge) const {
  const auto library = libraries_->by_path.find(bridge);
  if (library == libraries_->by_path.end()) return;
  if (library->second.mapped.has("paribus_bridge_prepare"))
    library->second.mapped.get<void()>("paribus_bridge_prepare")();
}

const PartDescriptor& Loader::descriptor(const std::string& kind, const std::string& name) const {
  const auto found = descriptors_.find({kind, name});
  if (found == descriptors_.end()) throw Error(kind + "/" + name + ": not loaded");
  return *found->second;
}

}  // namespace paribus::registry
