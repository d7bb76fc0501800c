// SPDX-License-Identifier: Apache-2.0
#include "crash.h"

#include <execinfo.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace paribus::worker {
namespace {

using driver::Distress;

constexpr int kMostWaits = 60;             // s until a trial that nobody looks at dies all the same
constexpr std::size_t kStack = 128 << 10;  // bytes for the handler, whose own stack may be used up
constexpr std::uint64_t kNearStack = 64 << 10;

Distress* distress = nullptr;
pid_t trial = 0, zygote = 0;

long futex(std::atomic<std::uint32_t>& word, int what, std::uint32_t value,
           const std::timespec* patience) {
  return ::syscall(SYS_futex, &word, what, value, patience, nullptr, 0);
}

struct Registers {
  std::uint64_t instruction = 0, stack = 0;
};

Registers registers_of(const void* context) {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return {static_cast<std::uint64_t>(machine.gregs[REG_RIP]),
          static_cast<std::uint64_t>(machine.gregs[REG_RSP])};
#elif defined(__aarch64__)
  return {machine.pc, machine.sp};
#else
  return {};
#endif
}

/// Where nobody may look at another process: what the thread sees of itself, from `first` on.
void give_own_view(std::uint64_t first) {
  std::array<void*, Distress::kFrames> seen{};
  const int count = ::backtrace(seen.data(), static_cast<int>(seen.size()));
  int begin = 0;
  for (int i = 0; i < count && begin == 0; ++i) {
    if (reinterpret_cast<std::uint64_t>(seen[static_cast<std::size_t>(i)]) == first) begin = i;
  }
  for (int i = begin; i < count; ++i) {
    distress->own_view[static_cast<std::size_t>(i - begin)] =
        reinterpret_cast<std::uint64_t>(seen[static_cast<std::size_t>(i)]);
  }
  distress->frames = static_cast<std::uint32_t>(count - begin);
  std::uint32_t expected = Distress::own_view_wanted;  // else it took too long
  distress->state.compare_exchange_strong(expected, Distress::own_view_given);
}

/// Until the zygote has seen enough, is gone, or took too long. System calls and atomics only.
void wait_to_be_heard(std::uint64_t instruction) {
  const std::timespec second{.tv_sec = 1, .tv_nsec = 0};
  for (int waits = 0; waits < kMostWaits && ::getppid() == zygote; ++waits) {
    if (distress->state == Distress::own_view_wanted) give_own_view(instruction);
    const std::uint32_t state = distress->state;
    if (state == Distress::heard) return;
    ::kill(zygote, SIGCHLD);  // wakes its loop; a repeated one does no harm
    futex(distress->state, FUTEX_WAIT, state, &second);
  }
}

/// False if another thread is at it already.
bool tell(int signal, std::uint64_t address, bool overflow) {
  static std::atomic<bool> told{false};
  if (told.exchange(true)) return false;
  distress->signal = signal;
  distress->thread = static_cast<std::int32_t>(::syscall(SYS_gettid));
  distress->address = address;
  distress->overflow = overflow;
  distress->state = Distress::told;
  return true;
}

void on_crash(int signal, siginfo_t* info, void* context) {
  if (::getpid() == trial) {
    const Registers registers = registers_of(context);
    const bool sent = info->si_code <= 0;  // by kill() or raise(): no address is meant
    const std::uint64_t address = sent ? 0 : reinterpret_cast<std::uint64_t>(info->si_addr);
    const bool overflow = !sent && signal == SIGSEGV && address + kNearStack > registers.stack &&
                          address < registers.stack + kNearStack;
    if (tell(signal, address, overflow)) {
      wait_to_be_heard(registers.instruction);
    } else if (::syscall(SYS_gettid) != distress->thread) {
      while (::getppid() == zygote) ::sleep(1);  // the first one's death takes this thread along
    }
  }
  struct sigaction nature {};
  nature.sa_handler = SIG_DFL;
  ::sigaction(signal, &nature, nullptr);
  ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), signal);  // delivered on return
}

/// A part has no business to end the process: its exit(0) would pass for a training that is done.
void on_exit_called(int status, void* /*nothing*/) {
  if (::getpid() != trial || distress->ended) return;
  if (tell(0, static_cast<std::uint64_t>(status), false)) wait_to_be_heard(0);
  std::fflush(nullptr);
  ::_exit(1);
}

}  // namespace

void tell_of_crashes(driver::Distress& where) {
  distress = &where;
  trial = ::getpid();
  zygote = ::getppid();
  stack_t own{};
  own.ss_size = kStack;
  own.ss_sp = ::mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (own.ss_sp != MAP_FAILED) ::sigaltstack(&own, nullptr);
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
    ::sigaction(signal, &action, nullptr);
  ::on_exit(on_exit_called, nullptr);
  std::at_quick_exit([] { on_exit_called(0, nullptr); });
}

void prepare_own_view() {
  std::array<void*, 4> seen{};
  static_cast<void>(::backtrace(seen.data(), static_cast<int>(seen.size())));
}

void answer(driver::Distress& where, driver::Distress::State state) {
  where.state = state;
  futex(where.state, FUTEX_WAKE, 1, nullptr);
}

}  // namespace paribus::worker
