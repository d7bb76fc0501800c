// SPDX-License-Identifier: Apache-2.0
#include "folds.h"

#include <algorithm>
#include <map>
#include <span>
#include <string>

#include "paribus/error.h"
#include "paribus/random.h"

namespace paribus {
namespace {

constexpr std::size_t kChunk = 1024;  // items whose classes are read at once

/// Items by class; all in one where they have none.
std::map<std::int64_t, std::vector<std::int64_t>> by_class(const Dataset& dataset,
                                                           std::span<const std::int64_t> items) {
  const Spec target = dataset.spec().targets.at(0);
  if (!target.type->is(kCategory) || !target.shape.empty())
    return {{0, {items.begin(), items.end()}}};
  std::map<std::int64_t, std::vector<std::int64_t>> classes;
  for (; !items.empty(); items = items.subspan(std::min(kChunk, items.size()))) {
    const auto some = items.first(std::min(kChunk, items.size()));
    Batch batch;
    dataset.fetch(Split::train, some, batch);
    const at::Tensor numbers = batch.target().to(at::kCPU, at::kLong).contiguous();
    for (std::size_t i = 0; i < some.size(); ++i)
      classes[numbers.const_data_ptr<std::int64_t>()[i]].push_back(some[i]);
  }
  return classes;
}

}  // namespace

std::vector<std::int64_t> hold_out(const Dataset& dataset, const DataSettings& settings,
                                   std::vector<std::int64_t>& train) {
  const auto count = [](std::int64_t n) { return std::to_string(n); };
  if (settings.folds < 2 || settings.folds > std::ssize(train))
    throw Error("data.folds is " + count(settings.folds) + ": expected 2 to " +
                count(std::ssize(train)) + ", the number of training items");
  if (settings.fold < 0 || settings.fold >= settings.folds)
    throw Error("data.fold is " + count(settings.fold) + ": of " + count(settings.folds) +
                " folds expected 0 to " + count(settings.folds - 1));
  const Stream stream(0, "data.folds");
  std::int64_t next = 0;
  std::vector<std::int64_t> rest, held;
  for (auto& [number, items] : by_class(dataset, train)) {
    Draws draws = stream.step(number, 0);
    shuffle(draws, items);
    for (const std::int64_t item : items)
      (next++ % settings.folds == settings.fold ? held : rest).push_back(item);
  }
  std::sort(rest.begin(), rest.end());
  std::sort(held.begin(), held.end());
  train = std::move(rest);
  return held;
}

}  // namespace paribus
