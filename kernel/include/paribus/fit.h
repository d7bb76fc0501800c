// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "paribus/model_base.h"
#include "paribus/optimizer.h"
#include "paribus/random.h"
#include "paribus/record.h"
#include "paribus/types.h"

namespace paribus {

class Groups;

/// The state of a training that callbacks read and change. Valid between before_fit and after_fit,
/// on one thread.
class Fit {
 public:
  // Where training stands.
  std::int64_t epoch = 0;        // from 0; how many there will be: Callback::epochs
  std::int64_t batch_index = 0;  // within the epoch and split
  std::int64_t batches = 0;      // of an epoch of training
  std::int64_t step = 0;  // batches trained or skipped since the start: the x of every series
  bool training = true;   // false while validating

  // What it holds.
  Batch batch;
  Outputs outputs;
  at::Tensor loss;
  Model* model = nullptr;
  Groups* groups = nullptr;  // weights, gradients and the optimizer's memory of them
  DataSpec data;
  /// Latest values: "train.loss", "valid.accuracy", ...
  std::map<std::string, double, std::less<>> metrics;

  // What comes next. A request holds until the kernel has acted on it, after the event in which it
  // was made; the larger one wins. Of a batch that is left, after_batch is the next event. In
  // after_backward and before_step its gradients are forgotten, and those accumulated before it,
  // since they are one sum.
  void skip_batch() { next_ = std::max(next_, Next::skip_batch); }
  void skip_epoch() { next_ = std::max(next_, Next::skip_epoch); }
  /// Ends training after this event, cleanly: batch and epoch are left as above, the epoch is
  /// validated unless it has been, results count. The reason is recorded.
  void stop(std::string reason) { next_ = Next::stop, reason_ = std::move(reason); }

  /// Adds a point to the series `name` ("callback.ema.distance") at the present step.
  void record(std::string_view name, double value) { record_(name, value); }
  /// Records how the numbers in a tensor of any shape are spread, in at most 4096 equal bins. It
  /// waits for the device.
  void histogram(std::string_view name, const at::Tensor& values, std::int64_t bins = 64) {
    histogram_(name, values, bins);
  }
  /// Records a picture: uint8, H W (grey) or H W 3 (red, green, blue), of at most 4096 points a
  /// side. Throws Error for anything else.
  void picture(std::string_view name, const at::Tensor& pixels) { picture_(name, pixels); }
  /// Records a table: at most 100 columns of one length, each with a name of its own, of at most 4
  /// MiB in all, where each text counts as the longest of its column. Throws Error for others.
  void table(std::string_view name, const Columns& columns) { table_(name, columns); }
  /// Keeps the present weights and buffers as `checkpoints/<trial>/<name>.safetensors`, by atomic
  /// replacement.
  void save_weights(std::string_view name) { save_weights_(name); }
  /// A number among the parameters of model, loss, optimizer and callbacks, by its address
  /// ("optimizer.lr"); only a live one can be set. Throws Error naming all there are if there is
  /// none.
  [[nodiscard]] double parameter(std::string_view address) const { return get_parameter_(address); }
  void set_parameter(std::string_view address, double value) { set_parameter_(address, value); }
  /// The random stream of a part of this trial.
  [[nodiscard]] Stream stream(const PartBase& part) const { return {seed_, part.address()}; }

 private:
  friend class Trainer;
  friend class Callback;
  enum class Next : std::uint8_t { go_on, skip_batch, skip_epoch, stop };

  std::int64_t epochs_ = 0;
  Next next_ = Next::go_on;
  std::string reason_;
  std::uint64_t seed_ = 0;
  std::function<void(std::string_view, double)> record_;
  std::function<void(std::string_view, const at::Tensor&, std::int64_t)> histogram_;
  std::function<void(std::string_view, const at::Tensor&)> picture_;
  std::function<void(std::string_view, const Columns&)> table_;
  std::function<void(std::string_view)> save_weights_;
  std::function<double(std::string_view)> get_parameter_;
  std::function<void(std::string_view, double)> set_parameter_;
};

}  // namespace paribus
