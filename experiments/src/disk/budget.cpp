// SPDX-License-Identifier: Apache-2.0
#include "disk/budget.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "disk/no_space.h"
#include "paribus/error.h"

namespace paribus::disk {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kAhead = 64 * 1024;
constexpr std::int64_t kMargin = 64 * 1024;  // for study.log, names of files, a last message
constexpr std::int64_t kSealing = 3;  // results.h5 takes up to so many bytes per byte of journal

std::int64_t& place_of(Usage& usage, const fs::path& top) {
  if (top == "checkpoints") return usage.checkpoints;
  if (top == "journal") return usage.journals;
  return top == "logs" ? usage.logs : usage.other;
}

/// What results.h5 will need beside the old one, too.
std::int64_t with_sealing(const Usage& usage) {
  return usage.total() + kSealing * usage.recorded + kMargin;
}

bool is_alive(std::int64_t pid) {
  return pid > 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH);
}

}  // namespace

std::string Usage::text() const {
  return fmt::format("checkpoints {}, journals {}, logs {}, the rest {}", bytes_text(checkpoints),
                     bytes_text(journals), bytes_text(logs), bytes_text(other));
}

Usage measure(const fs::path& study) {
  Usage usage;
  std::set<ino_t> linked;
  std::error_code gone;  // files come and go meanwhile
  for (auto entry = fs::recursive_directory_iterator(study, gone);
       entry != fs::recursive_directory_iterator(); entry.increment(gone)) {
    struct stat facts {};
    const fs::path& path = entry->path();
    if (::lstat(path.c_str(), &facts) != 0) continue;
    if (S_ISREG(facts.st_mode) && facts.st_nlink > 1 && !linked.insert(facts.st_ino).second)
      continue;
    const std::int64_t bytes = std::max<std::int64_t>(facts.st_size, facts.st_blocks * 512);
    const fs::path top = *path.lexically_relative(study).begin();
    place_of(usage, top) += bytes;
    if (top == "journal") usage.recorded += facts.st_size;
  }
  return usage;
}

struct Budget::Account {
  std::int64_t measured = 0;  // with what sealing will take; 0: not yet
  std::array<Claim, kClaims> claims;

  [[nodiscard]] std::int64_t taken() const {
    std::int64_t bytes = measured;
    for (const Claim& claim : claims) bytes += claim.done + claim.now + claim.ahead;
    return bytes;
  }
};

/// The account, held by one process at a time; a lock that a dead process doesn't keep.
class Budget::Open {
 public:
  Open(int file, std::int64_t offset) : file_(file), offset_(offset) {
    static_assert(sizeof(Account) == kBytes);
    lock(F_WRLCK);
    if (::pread(file_, &account, sizeof account, offset_) != static_cast<ssize_t>(sizeof account))
      account = {};
  }
  ~Open() {
    (void)!::pwrite(file_, &account, sizeof account, offset_);
    lock(F_UNLCK);
  }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

  Account account;

 private:
  void lock(short type) const {
    struct flock all {};
    all.l_type = type;
    all.l_whence = SEEK_SET;
    while (::fcntl(file_, F_OFD_SETLKW, &all) != 0 && errno == EINTR) {
    }
  }
  int file_;
  std::int64_t offset_;
};

Budget::Budget(fs::path study, std::int64_t limit, const fs::path& account, std::int64_t offset,
               int claim)
    : study_(std::move(study)), limit_(limit), offset_(offset), claim_(claim) {
  if (limit_ == 0) return;
  file_ = driver::Handle(::open(account.c_str(), O_RDWR | O_CLOEXEC));
  if (!file_) {
    throw Error(fmt::format("study.disk: can't open the account {}: {}", account.string(),
                            std::strerror(errno)));
  }
  Open open(file_.get(), offset_);
  Claim& own = open.account.claims.at(static_cast<std::size_t>(claim_));
  own = {.pid = ::getpid(), .done = own.done + own.now + own.ahead};
}

void Budget::reserve(std::int64_t bytes, std::string_view what) {
  if (limit_ > 0) ask(bytes, what, &Claim::now);
}

void Budget::written() {
  if (limit_ == 0) return;
  Open open(file_.get(), offset_);
  Claim& own = open.account.claims.at(static_cast<std::size_t>(claim_));
  own.done += own.now;
  own.now = 0;
}

void Budget::add(std::int64_t bytes, std::string_view what) {
  if (limit_ == 0) return;
  if (left_ < bytes) {
    try {
      ask(bytes + kAhead, what, &Claim::ahead);
      left_ = bytes + kAhead;
    } catch (const NoSpace&) {
      ask(bytes, what, &Claim::ahead);
      left_ = bytes;
    }
  }
  left_ -= bytes;
}

void Budget::ask(std::int64_t bytes, std::string_view what, std::int64_t Claim::*kind) {
  Open open(file_.get(), offset_);
  Account& account = open.account;
  Claim& own = account.claims.at(static_cast<std::size_t>(claim_));
  own.done += own.*kind;
  own.*kind = 0;
  Usage usage;
  if (account.measured == 0 || account.taken() + bytes > limit_) {
    usage = measure(study_);
    account.measured = with_sealing(usage);
    for (Claim& claim : account.claims) {
      claim.done = 0;
      if (!is_alive(claim.pid)) claim = {};
    }
  }
  if (account.taken() + bytes <= limit_) {
    own.*kind = bytes;
    return;
  }
  throw NoSpace(fmt::format(
      "study.disk: {} of {} finds no room in {}, which holds {} of the {} allowed ({}) and needs "
      "{} "
      "more for results.h5 and for trials that are writing; raise it, keep less (study.keep = "
      "\"none\", no callback/checkpoint) or run fewer trials at once (-j), and resume",
      what, bytes_text(bytes), study_.string(), bytes_text(usage.total()), bytes_text(limit_),
      usage.text(), bytes_text(account.taken() - usage.total())));
}

}  // namespace paribus::disk
