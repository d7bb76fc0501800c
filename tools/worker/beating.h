// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/progress.h"
#include "paribus/dataset.h"

namespace paribus::worker {

/// A data set each of whose fetches is a sign of life: a validation makes no step, but reads
/// batches.
class BeatingDataset final : public Dataset {
 public:
  BeatingDataset(const Dataset& inner, driver::ProgressSlot& slot) : inner_(inner), slot_(slot) {
    set_address(inner.address());
  }

  void open(const Files& /*files*/) override {}  // it is
  [[nodiscard]] DataSpec spec() const override { return inner_.spec(); }
  void fetch(Split split, std::span<const std::int64_t> items, Batch& batch) const override {
    slot_.beat.fetch_add(1, std::memory_order_relaxed);
    inner_.fetch(split, items, batch);
  }
  [[nodiscard]] std::uint64_t fingerprint() const override { return inner_.fingerprint(); }

 private:
  const Dataset& inner_;
  driver::ProgressSlot& slot_;
};

}  // namespace paribus::worker
