// SPDX-License-Identifier: Apache-2.0
// A good plugin by its manifest; each poisoned one is this with something added, or some bytes
// changed.
#include <ATen/ops/_foreach_add.h>
#include <paribus/optimizer.h>

#include <array>
#include <cstring>
#include <memory>
#include <string_view>

namespace {

volatile int zero = 0;

/// Not a tail call: each level keeps a page of its own.
__attribute__((noinline)) int go_deeper(int depth) {
  std::array<volatile char, 4096> page{};
  page[static_cast<std::size_t>(depth) % page.size()] = 1;
  return zero != 0 ? depth : go_deeper(depth + 1) + page[0];
}

/// The allocator notices when it meets what was written over its lists.
__attribute__((noinline)) void write_after_free() {
  std::array<char*, 64> blocks{};
  for (char*& block : blocks) block = new char[64];
  for (char* block : blocks) {
    char* volatile gone = block;
    delete[] block;
    std::memset(gone, 0x41, 64);
  }
  for (char*& block : blocks) block = new char[64];
}

}  // namespace

struct Sick : paribus::Optimizer {
  struct Params {
    double lr = 0.1;
    std::string_view how = "";
    int at = 1;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{field("lr", &Params::lr, "learning rate").live(),
                        field("how", &Params::how, "what goes wrong in its step")
                            .one_of("", "stack_overflow", "write_after_free"),
                        field("at", &Params::at, "step in which it does")};
    }
  } params;

  void step(paribus::Group& g) override {
    if (g.step == params.at && params.how == "stack_overflow") go_deeper(0);
    if (g.step == params.at && params.how == "write_after_free") write_after_free();
    at::_foreach_add_(g.weights, g.grads, -params.lr);
  }
};
PARIBUS_PART(Sick, "sick", "gradient descent, and what goes wrong in it")
