// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "registry/signature.h"

namespace paribus::registry {

struct NamedKey {
  std::string name;  // its text where it has none
  PublicKey key;
};

/// The public keys that the user knows by name: `NAME.pub`, as minisign writes them, in a folder
/// that nobody else may write.
class Keyring {
 public:
  /// `$XDG_CONFIG_HOME/paribus/keys`, or below `~/.config`. Throws Error where neither is set.
  static std::filesystem::path default_folder();
  /// Empty where there is no such folder. Throws Error where one of its keys can't be read, or
  /// where others may write it.
  explicit Keyring(std::filesystem::path folder = default_folder());

  [[nodiscard]] const std::vector<NamedKey>& keys() const { return keys_; }  // by name
  /// A name or the text of a key itself. Throws Error where there is no such name.
  [[nodiscard]] NamedKey find(std::string_view name_or_text) const;

  /// Whole or not at all. Throws Error where the name is none, or another key has it.
  void add(const std::string& name, const PublicKey& key);
  /// Throws Error where there is no such name.
  void remove(const std::string& name);

 private:
  [[nodiscard]] std::filesystem::path file_of(const std::string& name) const;
  [[nodiscard]] const NamedKey* named(std::string_view name) const;

  std::filesystem::path folder_;
  std::vector<NamedKey> keys_;
};

/// Of a file, or of the key's own text. Throws Error.
PublicKey public_key_from(const std::string& text_or_file);

/// All of a plugin's file, at most 1 GiB; throws Error naming it.
std::string read_plugin(const std::filesystem::path& file);

/// Who signed a plugin.
struct Signed {
  std::string by;       // the key's name
  std::string comment;  // its owner's, without what a terminal would take for orders
};

/// Which of some keys signed the bytes of a file, by the text of its signature. Throws Error with
/// the reason where none did.
Signed signed_by(std::string_view bytes, std::string_view signature,
                 const std::vector<NamedKey>& keys);

/// The same by the signature beside the file.
Signed signed_beside(const std::filesystem::path& file, std::string_view bytes,
                     const std::vector<NamedKey>& keys);

}  // namespace paribus::registry
