// SPDX-License-Identifier: Apache-2.0
#include "registry/index.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace paribus::registry {
namespace {

// magic | CRC-32 of the rest, 8 hexadecimal digits | entries: identity, length, bytes; integers
// little-endian
constexpr std::string_view kMagic = "paribus plugin index 2\n";
constexpr std::size_t kDigest = 8;
constexpr std::size_t kMaxFile = 64 << 20;
constexpr std::size_t kMaxSection = 1 << 20;
constexpr std::int64_t kSettled =
    2'000'000'000;  // nanoseconds; the coarsest clock of a file system we serve

/// Against accidents: who can write here can write plugins.
std::string checksum(std::string_view bytes) {
  const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  return fmt::format("{:08x}", ::crc32_z(0, data, bytes.size()));
}

/// The whole of a regular file, or "" where it can't be had.
std::string read_all(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return "";
  struct stat status {};
  std::string bytes;
  const bool fits = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
                    static_cast<std::uint64_t>(status.st_size) <= kMaxFile;
  if (fits) bytes.resize(static_cast<std::size_t>(status.st_size));
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::read(descriptor, bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  ::close(descriptor);
  bytes.resize(have);
  return bytes;
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

void put_number(std::string& out, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>((number >> shift) & 0xFFU);
}

bool take_number(std::string_view& bytes, std::uint64_t& number) {
  if (bytes.size() < 8) return false;
  number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  bytes.remove_prefix(8);
  return true;
}

bool take_entry(std::string_view& bytes, std::map<FileIdentity, std::string>& sections) {
  FileIdentity identity;
  std::uint64_t modified = 0;
  std::uint64_t length = 0;
  const bool whole = take_number(bytes, identity.device) && take_number(bytes, identity.inode) &&
                     take_number(bytes, identity.size) && take_number(bytes, modified) &&
                     take_number(bytes, length);
  if (!whole || length > kMaxSection || length > bytes.size()) return false;
  identity.modified = static_cast<std::int64_t>(modified);
  sections.insert_or_assign(identity, std::string(bytes.substr(0, length)));
  bytes.remove_prefix(length);
  return true;
}

void put_entry(std::string& out, const FileIdentity& identity, const std::string& text) {
  constexpr std::size_t kHead = 40;
  if (out.size() + kHead + text.size() > kMaxFile - kMagic.size() - kDigest) return;
  put_number(out, identity.device);
  put_number(out, identity.inode);
  put_number(out, identity.size);
  put_number(out, static_cast<std::uint64_t>(identity.modified));
  put_number(out, text.size());
  out += text;
}

std::optional<std::filesystem::path> absolute_from(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value != '/')
    return std::nullopt;  // the XDG specification: ignore relative paths
  return value;
}

}  // namespace

std::optional<std::filesystem::path> SectionIndex::default_file() {
  if (const auto cache = absolute_from("XDG_CACHE_HOME"))
    return *cache / "paribus" / "plugins.index";
  if (const auto home = absolute_from("HOME"))
    return *home / ".cache" / "paribus" / "plugins.index";
  return std::nullopt;
}

SectionIndex SectionIndex::load(const std::filesystem::path& file) {
  SectionIndex index;
  const std::string bytes = read_all(file);
  std::string_view rest = bytes;
  if (!rest.starts_with(kMagic) || rest.size() < kMagic.size() + kDigest) return index;
  const std::string_view digest = rest.substr(kMagic.size(), kDigest);
  rest.remove_prefix(kMagic.size() + kDigest);
  if (checksum(rest) != digest) return index;
  while (!rest.empty()) {
    if (!take_entry(rest, index.sections_)) return {};
  }
  return index;
}

const std::string* SectionIndex::find(const FileIdentity& identity) {
  const auto found = sections_.find(identity);
  if (found == sections_.end()) return nullptr;
  used_.insert(identity);
  return &found->second;
}

void SectionIndex::put(const ManifestSection& section) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t age = std::chrono::nanoseconds(now).count() - section.identity.modified;
  if (age < kSettled) return;
  sections_.insert_or_assign(section.identity, section.text);
  used_.insert(section.identity);
  changed_ = true;
}

void SectionIndex::save(const std::filesystem::path& file) const {
  if (!changed_) return;
  std::string entries;
  for (const FileIdentity& identity : used_) put_entry(entries, identity, sections_.at(identity));
  for (const auto& [identity, text] : sections_) {
    if (!used_.contains(identity)) put_entry(entries, identity, text);
  }
  std::error_code ignored;  // a folder that can't be made shows itself below
  std::filesystem::create_directories(file.parent_path(), ignored);
  std::string temporary = file.string() + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return;
  const bool written = write_all(descriptor, kMagic) && write_all(descriptor, checksum(entries)) &&
                       write_all(descriptor, entries);
  const bool closed = ::close(descriptor) == 0;
  if (written && closed && ::rename(temporary.c_str(), file.c_str()) == 0) return;
  ::unlink(temporary.c_str());
}

}  // namespace paribus::registry
