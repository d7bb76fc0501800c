// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "paribus/factory.h"
#include "registry/schema.h"

namespace paribus::registry {

/// Loads plugins and makes their parts. A plugin is loaded once, with RTLD_NOW | RTLD_LOCAL, and
/// never unloaded.
class Loader : public PartFactory {
 public:
  Loader();
  ~Loader() override;

  /// Loads a plugin's file if its bytes have this sum, and from now on those bytes stand for it.
  /// `sealed`: a copy of them that nobody can change is what is checked and mapped, so that no
  /// instant lies between; else the file itself, for debuggers and profilers to find. Returns the
  /// name by which the dynamic linker knows it. Throws Error with the reason; a file that has been
  /// loaded must have had this sum.
  std::string load_file(const std::filesystem::path& file, const std::string& sha256, bool sealed);

  /// Loads the plugin that holds `part` (its schema comes from the catalog, verified) and keeps its
  /// descriptor. Throws Error with the dynamic linker's reason, or when the descriptor isn't what
  /// the manifest says.
  void load(const PartSchema& part);
  /// The same of a part that its plugin, a bridge to another language, makes of `made_from`.
  void make(const PartSchema& part, const std::string& made_from);

  /// Lets a bridge that has been loaded do what all trials would do, before they fork. Nothing for
  /// other plugins. Throws Error.
  void prepare(const std::filesystem::path& bridge) const;

  [[nodiscard]] const PartDescriptor& descriptor(const std::string& kind,
                                                 const std::string& name) const override;

 private:
  struct Libraries;
  std::unique_ptr<Libraries> libraries_;
  std::map<std::pair<std::string, std::string>, const PartDescriptor*> descriptors_;
};

}  // namespace paribus::registry
