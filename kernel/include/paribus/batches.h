// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "paribus/dataset.h"
#include "paribus/factory.h"
#include "paribus/spec.h"
#include "paribus/transform.h"

namespace paribus {

class Drives;

/// A chain of transforms as one loader thread uses it: own instances, since live parameters change
/// from batch to batch. Images that are bytes after the last one become floats, divided by 255.
class Pipeline {
 public:
  /// Builds the transforms and lets each see the data as the ones before it leave them.
  Pipeline(const std::vector<PartSpec>& transforms, const PartFactory& factory, DataSpec data,
           std::uint64_t seed);

  [[nodiscard]] const DataSpec& output() const { return output_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Instance>>& instances() const {
    return instances_;
  }
  void apply(Batch& batch) const;

 private:
  struct Step {
    Transform* transform;
    Stream stream;
  };
  std::vector<std::unique_ptr<Instance>> instances_;
  std::vector<Step> steps_;
  DataSpec output_;
};

/// Batches of an epoch in a fixed order, made ahead of time by threads. The order and each batch's
/// content are functions of (seed, epoch, index) alone: the number of threads, and where a run was
/// resumed, change nothing.
class Batches {
 public:
  Batches(const TrialSpec& spec, const Dataset& dataset, const PartFactory& factory,
          Drives* drives);
  ~Batches();
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;

  /// What the model sees.
  [[nodiscard]] const DataSpec& output() const { return pipelines_.front()->output(); }
  /// Those of the first loader thread. REQUIRES: no pass is under way.
  [[nodiscard]] const std::vector<std::unique_ptr<Instance>>& transforms() const {
    return pipelines_.front()->instances();
  }
  /// Batches of one pass over a split.
  [[nodiscard]] std::int64_t count(Split split) const;
  [[nodiscard]] std::int64_t items(Split split) const;

  /// Starts a pass at batch `first`; a pass that is under way is dropped.
  void start(Split split, std::int64_t epoch, std::int64_t first = 0);
  /// The next batch of the pass. REQUIRES: fewer than count() taken. Rethrows what a loader thread
  /// met.
  Batch next();

 private:
  struct Slot {
    Batch batch;
    std::exception_ptr failure;
    bool ready = false;
  };

  /// Items of the data set, in its order.
  [[nodiscard]] const std::vector<std::int64_t>& numbers(Split split) const {
    return split == Split::train ? train_ : valid_;
  }
  [[nodiscard]] std::int64_t batch_size(Split split) const;
  [[nodiscard]] Batch make(std::int64_t index, std::size_t worker) const;
  void work(std::size_t worker);

  const DataSettings settings_;
  const Dataset& dataset_;
  Drives* drives_;
  DataSpec data_;
  std::vector<std::int64_t> train_, valid_;  // numbers of items
  Stream shuffle_;
  std::vector<std::unique_ptr<Pipeline>> pipelines_;  // one per thread

  // The pass under way; changed only while all threads wait.
  Split split_ = Split::train;
  std::int64_t epoch_ = 0;
  std::int64_t total_ = 0;
  std::vector<std::int64_t> order_;

  std::mutex mutex_;
  std::condition_variable room_, ready_;
  std::vector<Slot> slots_;
  std::int64_t taken_ = 0;     // next batch that a thread will make
  std::int64_t consumed_ = 0;  // next batch that `next` will return
  std::int64_t busy_ = 0;      // threads making a batch now
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace paribus
