// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace paribus {

/// What a recorder asks of the trainer after a batch.
enum class Wish : std::uint8_t {
  go_on,
  save,  // a checkpoint as soon as no update is pending
  stop   // a checkpoint, and the end of this call of fit(); the training can be taken up again
};

/// Fingerprints of tensors by name.
using Fingerprints = std::vector<std::pair<std::string, std::uint32_t>>;

/// How values are spread: `counts` of as many equal bins from `low` to `high`, both of which count.
struct Histogram {
  double low = 0, high = 0;
  double sum = 0, squares = 0;   // of the values, and of their squares
  std::uint64_t not_finite = 0;  // values that are in no bin
  std::vector<std::uint64_t> counts;
};

/// A picture: its rows from the top, 1 byte (grey) or 3 (red, green, blue) of each point.
struct Pixels {
  std::int64_t height = 0, width = 0, channels = 1;
  std::string_view bytes;
};

/// A column of a table: numbers or texts.
struct Column {
  using Values =
      std::variant<std::vector<double>, std::vector<std::int64_t>, std::vector<std::string>>;
  std::string name;
  Values values;
};
using Columns = std::vector<Column>;

/// Where a trainer tells what happens; implemented by whoever runs it (a journal, a test, Python).
/// Called on the training thread; must be cheap.
class Recorder {
 public:
  virtual ~Recorder() = default;

  /// A number at a step. `step` counts batches since the start of training.
  virtual void point(std::string_view series, std::int64_t step, double value) = 0;
  virtual void message(std::string_view text) = 0;
  virtual void histogram(std::string_view /*name*/, std::int64_t /*step*/,
                         const Histogram& /*values*/) {}
  virtual void picture(std::string_view /*name*/, std::int64_t /*step*/, const Pixels& /*pixels*/) {
  }
  virtual void table(std::string_view /*name*/, std::int64_t /*step*/, const Columns& /*columns*/) {
  }
  /// Makes all points so far safe: called before a checkpoint that stands for them is written.
  virtual void flush() = 0;
  /// Training goes on from a checkpoint: points later than `step` recorded so far no longer count.
  virtual void resumed(std::int64_t step) = 0;
  /// Before about so many bytes are written as a checkpoint or as weights. Throws NoSpace to forbid
  /// it.
  virtual void before_write(std::int64_t /*bytes*/) {}
  /// A checkpoint is safely on disk.
  virtual void checkpointed(std::int64_t step, const std::string& file) = 0;
  /// After each batch; its cost is part of every step.
  virtual Wish progress(std::int64_t step, std::int64_t steps, std::int64_t epoch, double loss) = 0;
  /// After each batch on a CPU: a fingerprint of its loss and of a window of the weights that moves
  /// on with each step. Two runs whose fingerprints agree had the same bits there.
  virtual void fingerprint(std::int64_t /*step*/, std::uint32_t /*value*/) {}
  /// Whether it wants those of every weight and buffer at this step; it gets them at the end of
  /// each epoch anyway, on every device.
  [[nodiscard]] virtual bool wants_fingerprints(std::int64_t step) const { return step % 64 == 0; }
  virtual void fingerprints(std::int64_t /*step*/, const Fingerprints& /*tensors*/) {}
};

}  // namespace paribus
