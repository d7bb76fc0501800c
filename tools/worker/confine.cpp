// SPDX-License-Identifier: Apache-2.0
#include "confine.h"

#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <system_error>

#include "landlock.h"
#include "paribus/error.h"

namespace paribus::worker {
namespace {

namespace fs = std::filesystem;

/// Calls that fail from now on. What isn't named goes on as it did.
class Filter {
 public:
  Filter() : filter_(::seccomp_init(SCMP_ACT_ALLOW)) {
    if (!filter_) throw Error("confine: libseccomp has no memory");
  }

  /// Names that this machine's kernel, or libseccomp, doesn't know can't be called by name either.
  void refuse(std::initializer_list<const char*> calls, int error = EPERM) {
    for (const char* call : calls) {
      const int number = ::seccomp_syscall_resolve_name(call);
      if (number >= 0) add(number, error, {});
    }
  }
  void refuse(const char* call, int error, const std::vector<scmp_arg_cmp>& when) {
    const int number = ::seccomp_syscall_resolve_name(call);
    if (number >= 0) add(number, error, when);
  }

  void enforce() {
    const int failed = ::seccomp_load(filter_.get());
    if (failed != 0) {
      throw Error(std::string("confine: the kernel takes no filter of system calls: ") +
                  std::strerror(-failed));
    }
  }

 private:
  void add(int number, int error, const std::vector<scmp_arg_cmp>& when) {
    const int failed =
        ::seccomp_rule_add_array(filter_.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(error)),
                                 number, static_cast<unsigned>(when.size()), when.data());
    if (failed != 0)
      throw Error(std::string("confine: libseccomp takes no rule: ") + std::strerror(-failed));
  }

  struct Release {
    void operator()(void* filter) const { ::seccomp_release(filter); }
  };
  std::unique_ptr<void, Release> filter_;
};

scmp_arg_cmp is_not(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_NE, value, 0};
}

/// Landlock of before Linux 6.2 lets a file be emptied that may not be written.
void refuse_to_truncate(Filter& filter) {
  constexpr std::uint64_t kLooked = O_ACCMODE | O_TRUNC;
  filter.refuse({"truncate"});
  filter.refuse({"openat2"}, ENOSYS);  // its flags are in memory, where no filter looks
  filter.refuse("open", EACCES, {{1, SCMP_CMP_MASKED_EQ, kLooked, O_RDONLY | O_TRUNC}});
  filter.refuse("openat", EACCES, {{2, SCMP_CMP_MASKED_EQ, kLooked, O_RDONLY | O_TRUNC}});
}

/// /dev/null and its like, and graphics cards: computing on one is writing to it.
std::vector<fs::path> devices() {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const char* name : {"null", "zero", "full", "random", "urandom", "kfd"}) {
    const fs::path path = fs::path("/dev") / name;
    if (fs::exists(path, ignored)) found.push_back(path);
  }
  for (const auto& entry : fs::directory_iterator("/dev", ignored)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("nvidia") || name == "dri") found.push_back(entry.path());
  }
  return found;
}

}  // namespace

void confine(const std::vector<fs::path>& folders) {
  Landlock landlock(Landlock::Scope::files_and_signals);
  for (const fs::path& device : devices()) landlock.allow(device);
  for (const fs::path& folder : folders) landlock.allow(folder);
  Filter filter;
  // No way out by a socket of any kind: also those of the machine itself reach other programs.
  filter.refuse({"socket"}, EACCES);
  filter.refuse({"io_uring_setup", "io_uring_enter", "io_uring_register"}, ENOSYS);
  // Landlock says nothing of what belongs to a file besides its bytes and its name.
  filter.refuse({"chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown",
                 "fchownat", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr",
                 "fremovexattr", "utime", "utimes", "futimesat", "utimensat"});
  filter.refuse({"open_by_handle_at", "mount", "umount2", "pivot_root", "chroot", "move_mount",
                 "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "setns",
                 "unshare"});
  filter.refuse({"bpf",          "perf_event_open", "userfaultfd",   "add_key",
                 "keyctl",       "request_key",     "kexec_load",    "kexec_file_load",
                 "init_module",  "finit_module",    "delete_module", "swapon",
                 "swapoff",      "reboot",          "sethostname",   "setdomainname",
                 "iopl",         "ioperm",          "acct",          "quotactl",
                 "settimeofday", "clock_settime",   "clock_adjtime", "adjtimex",
                 "vhangup"});
  if (landlock.version() < 3) refuse_to_truncate(filter);
  landlock.enforce();
  filter.enforce();
}

void confine_trial(const fs::path& directory, const std::string& trial) {
  const fs::path own_folder = directory / "tmp" / trial;
  fs::create_directories(own_folder);
  fs::create_directories(directory / "checkpoints");
  ::setenv("TMPDIR", own_folder.c_str(), 1);
  const fs::path journal = directory / "journal" / (trial + ".log");
  // A rule needs a file that is there.
  const int file = ::open(journal.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) throw Error("confine: " + journal.string() + ": " + std::strerror(errno));
  ::close(file);

  Landlock landlock(Landlock::Scope::files);
  for (const fs::path& device : devices()) landlock.allow(device);
  landlock.allow(own_folder);
  landlock.allow(journal);
  landlock.allow(directory / "checkpoints");
  Filter filter;
  const auto self = static_cast<std::uint64_t>(::getpid());
  // One that crashed wakes the zygote by SIGCHLD, which hurts nobody.
  filter.refuse("kill", EPERM, {is_not(0, self), is_not(1, SIGCHLD)});
  for (const char* call : {"tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"})
    filter.refuse(call, EPERM, {is_not(0, self)});
  filter.refuse("prlimit64", EPERM, {is_not(0, 0)});
  filter.refuse({"tkill", "pidfd_send_signal", "pidfd_getfd", "ptrace", "process_vm_readv",
                 "process_vm_writev", "process_madvise", "kcmp", "setpriority", "ioprio_set"});
  landlock.enforce();
  filter.enforce();
}

}  // namespace paribus::worker
