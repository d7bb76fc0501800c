// SPDX-License-Identifier: Apache-2.0
#include "registry/loader/copy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "paribus/error.h"
#include "registry/sha256.h"

namespace paribus::registry {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kNoExec = 0x8;  // MFD_NOEXEC_SEAL of Linux 6.3: some systems take no other

[[noreturn]] void fail(const char* what) { throw Error(std::string(what) + std::strerror(errno)); }

/// Closes unless released.
class Open {
 public:
  explicit Open(int descriptor) : descriptor_(descriptor) {}
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
  ~Open() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }
  int release() {
    const int descriptor = descriptor_;
    descriptor_ = -1;
    return descriptor;
  }

 private:
  int descriptor_;
};

Open open_regular(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) fail("can't be opened: ");
  struct stat about {};
  if (::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode)) return Open(descriptor);
  ::close(descriptor);
  throw Error("is no regular file");
}

int memory_file(const std::string& name) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int descriptor = ::memfd_create(name.c_str(), flags | kNoExec);
  if (descriptor >= 0 || errno != EINVAL) return descriptor;
  return ::memfd_create(name.c_str(), flags);
}

void copy(int from, int to) {
  while (true) {
    const ssize_t count = ::sendfile(to, from, nullptr, 1 << 24);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("can't be copied into memory: ");
    if (count == 0) return;
  }
}

}  // namespace

SealedCopy::SealedCopy(const fs::path& file) {
  const Open original = open_regular(file);
  // The name is what stacks show of it.
  Open memory(memory_file(file.filename().string().substr(0, 200)));
  if (memory.get() < 0) fail("there is no memory file to copy it into: ");
  copy(original.get(), memory.get());
  if (::fcntl(memory.get(), F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    fail("its copy in memory can't be sealed: ");
  sha256_ = sha256_of_descriptor(memory.get());  // after the seal: these bytes are final
  descriptor_ = memory.release();
}

SealedCopy::~SealedCopy() {
  if (!kept_ && descriptor_ >= 0) ::close(descriptor_);
}

std::string SealedCopy::path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

}  // namespace paribus::registry
