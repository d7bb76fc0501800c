// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace paribus {

/// Where a trainer tells what happens; implemented by whoever runs it (a journal, a test, Python).
/// Called on the training thread; must be cheap.
class Recorder {
 public:
  virtual ~Recorder() = default;

  /// A number at a step. `step` counts batches since the start of training.
  virtual void point(std::string_view series, std::int64_t step, double value) = 0;
  virtual void message(std::string_view text) = 0;
  /// Makes all points so far safe: called before a checkpoint that stands for them is written.
  virtual void flush() = 0;
  /// Training goes on from a checkpoint: points later than `step` recorded so far no longer count.
  virtual void resumed(std::int64_t step) = 0;
  /// A checkpoint is safely on disk.
  virtual void checkpointed(std::int64_t step, const std::string& file) = 0;
  /// After each batch. Returns true to ask for a stop: the trainer checkpoints and returns.
  virtual bool progress(std::int64_t step, std::int64_t steps, std::int64_t epoch, double loss) = 0;
};

}  // namespace paribus
