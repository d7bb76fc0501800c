// SPDX-License-Identifier: Apache-2.0
#include "landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "paribus/error.h"

namespace paribus::worker {
namespace {

/// As of version 6: this system's header may be older than its kernel. What an older kernel doesn't
/// know must be zero.
struct Rules {
  std::uint64_t files = 0, network = 0, scopes = 0;
};

constexpr int kLeast = 2;
constexpr std::uint64_t kRefer = 1U << 13, kTruncate = 1U << 14;  // of versions 2 and 3
constexpr std::uint64_t kConnectAndBind = 3;                      // 4
constexpr std::uint64_t kAbstractSocketsAndSignals = 3;           // 6
constexpr std::uint64_t kOfFiles = LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
constexpr std::uint64_t kWrites =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | kRefer;

std::uint64_t writes_of(int version) { return version >= 3 ? kWrites | kTruncate : kWrites; }

[[noreturn]] void fail(const std::string& what) {
  throw Error("confine: " + what + ": " + std::strerror(errno));
}

}  // namespace

Landlock::Landlock(Scope scope)
    : version_(static_cast<int>(
          ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION))) {
  if (version_ < kLeast) {
    throw Error(
        std::string("this kernel can't confine trials: ") +
        (version_ < 0 ? "it has no Landlock, or doesn't use it" : "its Landlock is too old") +
        "; boot Linux 5.19 or newer with `landlock` among the security modules (lsm=), or take "
        "`confine` out of [study]");
  }
  Rules rules;
  rules.files = writes_of(version_);
  if (version_ >= 4) rules.network = kConnectAndBind;
  if (version_ >= 6 && scope == Scope::files_and_signals) rules.scopes = kAbstractSocketsAndSignals;
  const std::size_t size = version_ >= 6   ? sizeof rules
                           : version_ >= 4 ? offsetof(Rules, scopes)
                                           : offsetof(Rules, network);
  rules_ = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, size, 0));
  if (rules_ < 0) fail("the kernel takes no rules");
}

Landlock::~Landlock() {
  if (rules_ >= 0) ::close(rules_);
}

void Landlock::allow(const std::filesystem::path& path) {
  struct stat about {};
  landlock_path_beneath_attr rule{};
  rule.parent_fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (rule.parent_fd < 0 || ::fstat(rule.parent_fd, &about) != 0)
    fail(path.string() + " can't be opened");
  rule.allowed_access = writes_of(version_) & (S_ISDIR(about.st_mode) ? ~0ULL : kOfFiles);
  const long failed =
      ::syscall(SYS_landlock_add_rule, rules_, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  ::close(rule.parent_fd);
  if (failed != 0) fail("the kernel takes no rule for " + path.string());
}

void Landlock::enforce() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("new rights can't be ruled out");
  if (::syscall(SYS_landlock_restrict_self, rules_, 0) != 0) fail("the rules can't be enforced");
}

}  // namespace paribus::worker
