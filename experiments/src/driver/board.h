// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "driver/handle.h"
#include "driver/progress.h"

namespace paribus::driver {

/// The shared memory of progress slots; the worker gets it as fd 4.
class ProgressBoard {
 public:
  ProgressBoard();
  ProgressBoard(const ProgressBoard&) = delete;
  ProgressBoard& operator=(const ProgressBoard&) = delete;
  ~ProgressBoard();

  [[nodiscard]] int fd() const { return memory_.get(); }
  /// A slot of its own, zeroed; there are kProgressSlots of them.
  int take();
  void give_back(int slot);
  [[nodiscard]] ProgressSlot& slot(int index) { return slots_[index]; }

 private:
  Handle memory_;
  ProgressSlot* slots_ = nullptr;
  std::vector<int> free_;
};

}  // namespace paribus::driver
