// SPDX-License-Identifier: Apache-2.0
#include "store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <vector>

#include "atomic_file.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunk = std::size_t{1} << 20;

bool holds(const fs::path& file, const void* data, std::size_t size) {
  std::error_code problem;
  if (fs::file_size(file, problem) != size || problem) return false;
  std::ifstream in(file, std::ios::binary);
  std::vector<char> chunk(std::min(kChunk, size));
  for (std::size_t at = 0; at < size;) {
    const std::size_t part = std::min(kChunk, size - at);
    if (!in.read(chunk.data(), static_cast<std::streamsize>(part))) return false;
    if (std::memcmp(chunk.data(), static_cast<const char*>(data) + at, part) != 0) return false;
    at += part;
  }
  return true;
}

}  // namespace

fs::path Store::object(const std::string& sha256) const {
  return objects_ / sha256.substr(0, 2) / sha256;
}

bool Store::has(const std::string& sha256, std::size_t size) const {
  std::error_code problem;
  return fs::file_size(object(sha256), problem) == size && !problem;
}

void Store::pin(const fs::path& folder, const std::string& sha256, const void* data,
                std::size_t size) const {
  const fs::path pin = folder / sha256;
  const fs::path shared = object(sha256);
  if (holds(pin, data, size)) return;
  ::unlink(pin.c_str());  // damaged
  if (holds(shared, data, size) && ::link(shared.c_str(), pin.c_str()) == 0) return;
  AtomicFile out(pin);
  out.write(data, size);
  out.commit_unsynced();
  ::chmod(pin.c_str(), 0444);  // written to in place, it would change for all who share it
  offer(pin, shared);
}

/// What fails here costs room at most: the pin is whole by itself.
void Store::offer(const fs::path& pin, const fs::path& object) const {
  std::error_code ignored;
  for (int attempt = 0; attempt < 2; ++attempt) {  // an emptied folder may be removed just now
    fs::create_directories(object.parent_path(), ignored);
    // Over an object that is damaged, too: it is in nobody's way, since its pins read themselves.
    const fs::path name = pin.string() + ".link" + kPartial;
    ::unlink(name.c_str());
    if (::link(pin.c_str(), name.c_str()) != 0) return;
    if (::rename(name.c_str(), object.c_str()) == 0) {
      ::unlink(name.c_str());  // still there if `object` is the same file already
      return;
    }
    ::unlink(name.c_str());
  }
}

void Store::unpin(const fs::path& pin) const {
  const fs::path shared = object(pin.filename().string());
  ::unlink(pin.c_str());
  struct stat facts {};
  if (::stat(shared.c_str(), &facts) != 0 || facts.st_nlink > 1) return;
  ::unlink(shared.c_str());
  ::rmdir(shared.parent_path().c_str());  // these two fail unless empty
  ::rmdir(objects_.c_str());
}

bool same_bytes(const fs::path& one, const fs::path& other) {
  std::ifstream a(one, std::ios::binary), b(other, std::ios::binary);
  std::vector<char> left(kChunk), right(kChunk);
  while (a && b) {
    a.read(left.data(), kChunk), b.read(right.data(), kChunk);
    const auto size = static_cast<std::size_t>(a.gcount());
    if (a.gcount() != b.gcount() || std::memcmp(left.data(), right.data(), size) != 0) return false;
  }
  return a.eof() && b.eof();
}

}  // namespace paribus
