// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <string>

namespace paribus::registry {

/// What tells one state of a file from another without reading it.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  auto operator<=>(const FileIdentity&) const = default;
};

/// Follows symbolic links. Throws Error with the reason; the caller puts the file's name in front,
/// once.
FileIdentity identify(const std::filesystem::path& file);

/// The section `.paribus` of a shared library, and which state of the file it was read from.
struct ManifestSection {
  FileIdentity identity;
  std::string text;
};

/// Reads the section through libelf; the library isn't mapped and nothing of it runs. Only 64-bit
/// little-endian shared libraries for x86-64 and aarch64 are read; offsets and lengths that lie are
/// refused, as are sections above 1 MiB and libraries that need another C++ standard library than
/// libstdc++. Throws Error with the reason and what to do; the caller puts the file's name in
/// front, once.
ManifestSection read_section(const std::filesystem::path& file);

}  // namespace paribus::registry
