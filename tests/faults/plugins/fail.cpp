// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/ones.h>
#include <paribus/callback.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

volatile int zero = 0, seven = 7;
int* volatile nowhere = nullptr;

__attribute__((noinline)) void write_to_nothing(int* where) { *where = 1; }

__attribute__((noinline)) void throw_it() { throw std::runtime_error("nobody catches this"); }

/// Not a tail call: each level keeps a page of its own.
__attribute__((noinline)) int go_deeper(int depth) {
  std::array<volatile char, 4096> page{};
  page[static_cast<std::size_t>(depth) % page.size()] = 1;
  return zero != 0 ? depth : go_deeper(depth + 1) + page[0];
}

void touch_beyond_the_end() {
  const int file = ::memfd_create("short", MFD_CLOEXEC);
  auto* bytes = static_cast<volatile char*>(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0));
  std::printf("%d\n", bytes[0]);
}

void throw_where_none_may() noexcept {
  if (zero == 0) throw_it();
}

void leak_tensors() {
  static std::vector<at::Tensor> kept;
  while (true) kept.push_back(at::ones({1 << 20}));
}

void leak_bytes() {
  static std::vector<std::unique_ptr<std::string>> kept;
  while (true) kept.push_back(std::make_unique<std::string>(1 << 22, 'x'));
}

/// One in the trial's session, one that leaves it, and one whose parent is gone.
void leave_processes() {
  [[maybe_unused]] const int status =
      std::system("sleep 4321 & setsid sleep 4321 & (setsid sleep 4321 &)");
}

}  // namespace

/// Goes wrong, in a way to be chosen, at a step of the training.
struct Fail : paribus::Callback {
  struct Params {
    std::string_view how = "nothing";
    int step = 3;
    static constexpr auto fields() {
      return std::tuple{paribus::field("how", &Params::how, "it goes wrong; nothing: it doesn't"),
                        paribus::field("step", &Params::step, "it does so").at_least(2)};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 0>{{}, {}}; }

  void before_batch(paribus::Fit& fit) override {
    if (fit.step != params.step) return;
    std::printf("about to: %s\n", std::string(params.how).c_str());
    std::fflush(stdout);
    go_wrong(params.how);
  }

 private:
  static void go_wrong(std::string_view how) {
    if (how == "segv") write_to_nothing(nowhere);
    if (how == "bus") touch_beyond_the_end();
    if (how == "ill") __builtin_trap();
    if (how == "fpe") std::printf("%d\n", seven / zero);
    if (how == "abort") std::abort();
    if (how == "terminate") throw_where_none_may();
    if (how == "thread") std::thread(write_to_nothing, nowhere).join();
    if (how == "overflow") std::printf("%d\n", go_deeper(0));
    if (how == "exit") std::exit(0);
    if (how == "_exit") ::_exit(0);
    if (how == "kill") ::raise(SIGKILL);
    if (how == "stop") ::raise(SIGSTOP);
    if (how == "sleep") wait_for_nothing();
    if (how == "spin") spin();
    if (how == "leak_tensors") leak_tensors();
    if (how == "leak_bytes") leak_bytes();
    if (how == "processes") leave_processes();
  }

  __attribute__((noinline)) static void wait_for_nothing() {
    while (true) ::sleep(1000);
  }

  __attribute__((noinline)) static void spin() {
    while (zero == 0) {
    }
  }
};

PARIBUS_PART(Fail, "fail", "goes wrong")
