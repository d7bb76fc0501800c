// SPDX-License-Identifier: Apache-2.0
#include "driver/board.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "disk/budget.h"
#include "paribus/error.h"

namespace paribus::driver {

namespace {

constexpr std::size_t kBytes = kAccountOffset + disk::Budget::kBytes;
static_assert(disk::Budget::kClaims == kProgressSlots);

}  // namespace

ProgressBoard::ProgressBoard() : memory_(::memfd_create("paribus-progress", MFD_CLOEXEC)) {
  void* memory = MAP_FAILED;
  if (memory_ && ::ftruncate(memory_.get(), kBytes) == 0) {
    memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
  }
  if (memory == MAP_FAILED)
    throw Error(fmt::format("can't make shared memory for progress: {}", std::strerror(errno)));
  slots_ = static_cast<ProgressSlot*>(memory);
  for (int i = kProgressSlots; i-- > 0;) free_.push_back(i);
}

ProgressBoard::~ProgressBoard() { ::munmap(slots_, kBytes); }

int ProgressBoard::take() {
  if (free_.empty()) throw Error(fmt::format("more than {} trials at once", kProgressSlots));
  const int index = free_.back();
  free_.pop_back();
  ::new (&slots_[index]) ProgressSlot();
  return index;
}

void ProgressBoard::give_back(int slot) { free_.push_back(slot); }

}  // namespace paribus::driver
