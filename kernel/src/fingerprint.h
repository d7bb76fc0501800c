// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "paribus/record.h"
#include "paribus/state.h"

namespace paribus {

/// Cheap evidence of which bits a training held at each step, so that two runs can be compared.
class Fingerprinter {
 public:
  /// `tensors`: weights and buffers, whose memory is read anew each time.
  explicit Fingerprinter(NamedTensors tensors);

  /// Of the loss and of one window of the tensors on the CPU, the next one with each step.
  [[nodiscard]] std::uint32_t window(std::int64_t step, double loss) const;
  /// Of every tensor, whole.
  [[nodiscard]] Fingerprints all() const;

 private:
  NamedTensors tensors_;
  std::vector<std::size_t> windows_;  // up to and with each tensor
};

}  // namespace paribus
