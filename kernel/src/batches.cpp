// SPDX-License-Identifier: Apache-2.0
#include "paribus/batches.h"

#include <omp.h>

#include <algorithm>
#include <numeric>

#include "folds.h"
#include "paribus/drives.h"
#include "paribus/error.h"

namespace paribus {
namespace {

std::vector<std::int64_t> all(std::int64_t n) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

/// So many of them: the first, or at even distances where the first would be of one class.
std::vector<std::int64_t> some(std::vector<std::int64_t> items, std::int64_t limit, bool sorted) {
  const auto n = std::ssize(items);
  if (limit <= 0 || limit >= n) return items;
  for (std::int64_t i = 0; sorted && i < limit; ++i)
    items[static_cast<std::size_t>(i)] = items[static_cast<std::size_t>(i * n / limit)];
  items.resize(static_cast<std::size_t>(limit));
  return items;
}

}  // namespace

Pipeline::Pipeline(const std::vector<PartSpec>& transforms, const PartFactory& factory,
                   DataSpec data, std::uint64_t seed)
    : output_(std::move(data)) {
  for (const PartSpec& spec : transforms) {
    instances_.push_back(std::make_unique<Instance>(spec, factory));
    auto& transform = instances_.back()->as<Transform>();
    try {
      output_ = transform.setup(std::move(output_));
    } catch (const Error& problem) {  // there may be two of a name
      throw Error(spec.address + ": " + problem.what());
    }
    steps_.push_back({&transform, Stream(seed, spec.address)});
  }
}

void Pipeline::apply(Batch& batch) const {
  for (const Step& step : steps_) {
    if (batch.training() || !step.transform->training_only())
      step.transform->apply(batch, step.stream);
  }
  for (Typed& input : batch.inputs) {
    if (input.data.scalar_type() == at::kByte && input.type->is(kImage) && !input.type->is(kMask))
      input.data = input.data.to(at::kFloat).div_(255);
  }
}

Batches::Batches(const TrialSpec& spec, const Dataset& dataset, const PartFactory& factory,
                 Drives* drives)
    : settings_(spec.data),
      dataset_(dataset),
      drives_(drives),
      data_(dataset.spec()),
      shuffle_(spec.seed, "data.shuffle") {
  train_ = some(all(data_.train_items), settings_.limit, data_.is_sorted);
  valid_ = settings_.folds > 0 ? hold_out(dataset, settings_, train_) : all(data_.valid_items);
  valid_ = some(std::move(valid_), settings_.valid_limit, data_.is_sorted);
  data_.train_items = std::ssize(train_), data_.valid_items = std::ssize(valid_);
  const auto threads = static_cast<std::size_t>(settings_.workers);
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    pipelines_.push_back(std::make_unique<Pipeline>(spec.transforms, factory, data_, spec.seed));
    if (drives_ == nullptr) continue;
    for (const auto& transform : pipelines_.back()->instances()) drives_->attach(*transform);
  }
  slots_.resize(threads * 2 +
                1);  // enough that no thread waits for a consumer that is one batch late
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { work(i); });
}

Batches::~Batches() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::int64_t Batches::items(Split split) const {
  return split == Split::train ? data_.train_items : data_.valid_items;
}

std::int64_t Batches::batch_size(Split split) const {
  if (split == Split::train) return settings_.batch;
  if (settings_.valid_batch > 0) return settings_.valid_batch;
  return std::min<std::int64_t>(settings_.batch * 4, std::max<std::int64_t>(settings_.batch, 1024));
}

std::int64_t Batches::count(Split split) const {
  const std::int64_t size = batch_size(split);
  const bool drop = split == Split::train && settings_.drop_last;
  return drop ? items(split) / size : (items(split) + size - 1) / size;
}

void Batches::start(Split split, std::int64_t epoch, std::int64_t first) {
  std::unique_lock lock(mutex_);
  total_ = 0;
  ready_.wait(lock, [this] { return busy_ == 0; });
  split_ = split;
  epoch_ = epoch;
  order_ = numbers(split);
  if (split == Split::train && settings_.shuffle) {
    Draws draws = shuffle_.step(epoch, 0);
    shuffle(draws, order_);
  }
  for (Slot& slot : slots_) slot = {};
  taken_ = consumed_ = first;
  total_ = count(split);
  room_.notify_all();
}

Batch Batches::make(std::int64_t index, std::size_t worker) const {
  const std::int64_t size = batch_size(split_);
  const auto begin = static_cast<std::size_t>(index * size);
  const auto end = std::min(begin + static_cast<std::size_t>(size), order_.size());
  Batch batch;
  batch.items.assign(order_.begin() + static_cast<std::ptrdiff_t>(begin),
                     order_.begin() + static_cast<std::ptrdiff_t>(end));
  batch.split = split_;
  batch.epoch = epoch_;
  batch.index = index;
  dataset_.fetch(settings_.folds > 0 ? Split::train : split_, batch.items, batch);
  const Pipeline& pipeline = *pipelines_[worker];
  if (drives_ != nullptr) {  // a validation sees the data as they stand at the epoch's end
    const std::int64_t position = batch.training() ? index : count(Split::train);
    for (const auto& transform : pipeline.instances()) drives_->drive(*transform, epoch_, position);
  }
  pipeline.apply(batch);
  return batch;
}

Batch Batches::next() {
  if (threads_.empty()) return make(consumed_++, 0);
  std::unique_lock lock(mutex_);
  Slot& slot = slots_[static_cast<std::size_t>(consumed_) % slots_.size()];
  ready_.wait(lock, [&slot] { return slot.ready; });
  if (slot.failure) std::rethrow_exception(slot.failure);
  Batch batch = std::move(slot.batch);
  slot = {};
  ++consumed_;
  lock.unlock();
  room_.notify_one();
  return batch;
}

void Batches::work(std::size_t worker) {
  omp_set_num_threads(1);  // of this thread only: a loader must not wake a second pool of threads
  std::unique_lock lock(mutex_);
  while (true) {
    room_.wait(lock, [this] {
      return closing_ ||
             (taken_ < total_ && taken_ < consumed_ + static_cast<std::int64_t>(slots_.size()));
    });
    if (closing_) return;
    const std::int64_t index = taken_++;
    ++busy_;
    lock.unlock();
    Slot made;
    try {
      made.batch = make(index, worker);
    } catch (...) {
      made.failure = std::current_exception();
    }
    made.ready = true;
    lock.lock();
    --busy_;
    if (total_ != 0) slots_[static_cast<std::size_t>(index) % slots_.size()] = std::move(made);
    ready_.notify_all();
  }
}

}  // namespace paribus
