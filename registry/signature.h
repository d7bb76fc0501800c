// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace paribus::registry {

/// Whoever has the other half can sign. As minisign has them: Ed25519, with a number of its own.
struct PublicKey {
  std::array<unsigned char, 8> number{};
  std::array<unsigned char, 32> point{};

  /// "RWQf6LRC...", as minisign prints and takes it.
  [[nodiscard]] std::string text() const;
  /// "E7620F1842B4E81F", as minisign calls it.
  [[nodiscard]] std::string id() const;
  bool operator==(const PublicKey&) const = default;
};

/// Of its text alone or of the two lines of a .pub file. Throws Error with the reason.
PublicKey parse_public_key(std::string_view text);

/// A detached signature: the four lines of a .minisig file.
struct Signature {
  bool prehashed = false;  // of the file's BLAKE2b, as minisign signs today; else of the file
  std::array<unsigned char, 8> key{};
  std::array<unsigned char, 64> of_file{};
  std::array<unsigned char, 64> of_comment{};  // of the two: `of_file` and `comment`
  std::string comment;                         // what the signer says of it, signed like the file

  [[nodiscard]] std::string key_id() const;
};

/// Throws Error with the reason.
Signature parse_signature(std::string_view text);

/// Whether the bytes, and the comment, are what the key's owner signed. Throws Error with the
/// reason if they aren't.
void verify(const Signature& signature, std::string_view bytes, const PublicKey& key);

/// Where the signature of a file is looked for: `FILE.minisig`.
std::filesystem::path signature_of(const std::filesystem::path& file);

}  // namespace paribus::registry
