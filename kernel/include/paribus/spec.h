// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "paribus/value.h"

namespace paribus {

/// A part as it is to be built: every parameter explicit, defaults filled in, slots resolved. The
/// kernel neither knows nor cares in which file or language the part is written.
struct PartSpec {
  std::string kind;     // "optimizer"
  std::string use;      // "lookahead"
  std::string address;  // "optimizer", "optimizer.inner", "callback.ema", "data.transforms.crop"
  std::map<std::string, Value> params;
  std::map<std::string, PartSpec> slots;  // filled slots only
};

/// `schedule."optimizer.lr" = {...}`: the part drives the live parameter at `target`.
struct ScheduleSpec {
  std::string target;
  PartSpec part;
};

/// The keys of [data] that are the kernel's, not the data set's.
struct DataSettings {
  std::int64_t batch = 64;
  std::int64_t valid_batch = 0;  // 0: four times `batch`, but no more than 1024 or `batch`; changes
                                 // no number but through batch-wise kernels
  std::int64_t workers = 1;      // loader threads; 0: load between steps. Changes no number
  bool shuffle = true;
  bool drop_last = false;  // of the training split
  std::int64_t limit = 0;  // use so many training items, the first or, where they are sorted, some
                           // at even distances; 0: all
  std::int64_t valid_limit = 0;
  std::int64_t folds = 0;  // 0: validate on the data set's own validation items
  std::int64_t fold = 0;   // else on this part of the training items, 0 to folds - 1
};

/// The keys of [train].
struct TrainSettings {
  std::int64_t epochs = 5;
  std::string device = "auto";         // auto, cpu, cuda
  std::string precision = "auto";      // auto, fp32, bf16, fp16
  std::string memory_format = "auto";  // auto, contiguous, channels_last
  std::int64_t accumulate = 1;         // batches per update
  double clip_norm = 0;                // of all gradients together; 0: off
  double clip_value = 0;               // of each element; 0: off
  std::int64_t valid_every = 1;    // epochs between validations; the last epoch is always validated
  double checkpoint_seconds = 30;  // at most this much work is lost to a kill; changes no number
};

/// One fully resolved configuration with one seed: all that a trial's result depends on, together
/// with the bytes of data, plugins, kernel and LibTorch.
struct TrialSpec {
  PartSpec dataset, model, loss, optimizer;
  std::vector<PartSpec> transforms, metrics, callbacks;
  std::vector<ScheduleSpec> schedules;
  DataSettings data;
  TrainSettings train;
  std::uint64_t seed = 0;
  std::int64_t threads = 1;  // of LibTorch's kernels within the trial
};

}  // namespace paribus
