// SPDX-License-Identifier: Apache-2.0
#include "driver/verified.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "driver/handle.h"
#include "paribus/error.h"
#include "registry/sha256.h"

namespace paribus::driver {

namespace {

constexpr std::uintmax_t kMostMemory = 4u << 20;  // bytes; begun anew beyond it

/// One line of the memory: the file's identity and the pins that it met.
std::string identity(const std::filesystem::path& file, const registry::FileSchema& pin) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0)
    throw Error(fmt::format("can't read {}: {}", file.string(), std::strerror(errno)));
  return fmt::format("{} {} {} {}.{:09} {}.{:09} {} {}", info.st_dev, info.st_ino, info.st_size,
                     info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec,
                     info.st_ctim.tv_nsec, pin.sha256.empty() ? "-" : pin.sha256,
                     pin.content.empty() ? "-" : pin.content);
}

bool remembers(const std::filesystem::path& memory, const std::string& line) {
  std::ifstream in(memory);
  for (std::string known; std::getline(in, known);) {
    if (known == line) return true;
  }
  return false;
}

/// A memory that can't be written costs time and nothing else.
void remember(const std::filesystem::path& memory, const std::string& line) {
  std::error_code ignored;
  std::filesystem::create_directories(memory.parent_path(), ignored);
  const bool full = std::filesystem::file_size(memory, ignored) > kMostMemory && !ignored;
  const Handle file(::open(memory.c_str(),
                           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (full ? O_TRUNC : 0), 0644));
  const std::string record = line + '\n';
  if (file) [[maybe_unused]]
    const ssize_t n = ::write(file.get(), record.data(), record.size());
}

}  // namespace

void verify(const std::filesystem::path& file, const registry::FileSchema& pin) {
  if (pin.sha256.empty() && pin.content.empty()) return;
  std::string got;
  if (!pin.content.empty()) {
    got = registry::sha256_of_content(file);
    if (got == pin.content) return;
  }
  if (!pin.sha256.empty()) {
    got = registry::sha256_of_file(file);
    if (got == pin.sha256) return;
  }
  throw Error(fmt::format("{} is not the file that is wanted: got sha256 {}, expected {}",
                          file.string(), got,
                          pin.sha256.empty() ? pin.content + " of what is in it" : pin.sha256));
}

VerifiedFiles::VerifiedFiles(std::filesystem::path memory) : memory_(std::move(memory)) {}

void VerifiedFiles::verify(const std::filesystem::path& file, const registry::FileSchema& pin) {
  const std::string line = identity(file, pin);
  if (remembers(memory_, line)) return;
  driver::verify(file, pin);
  if (identity(file, pin) == line)
    remember(memory_, line);  // else it was changed while it was read
}

}  // namespace paribus::driver
