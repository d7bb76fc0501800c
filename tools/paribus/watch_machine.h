// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace paribus {

/// What the machine does, as /proc says; what can't be read is absent.
struct MachineReading {
  std::optional<double> busy;  // part of all cores' time since the reading before
  long cores = 0;
  std::optional<double> memory_used, memory;  // bytes
};

class Machine {
 public:
  MachineReading read();

 private:
  std::uint64_t idle_ = 0, all_ = 0;
};

}  // namespace paribus
