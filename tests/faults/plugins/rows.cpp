// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <paribus/dataset.h>
#include <paribus/random.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

/// Rows of numbers in a file that it keeps open, read through one descriptor whose offset all would
/// share: what a careless data set does. May also be slow, and start a thread where it must not.
struct Rows : paribus::Dataset {
  struct Params {
    double valid_pause = 0;
    bool thread = false;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("valid_pause", &Params::valid_pause, "seconds of a validation batch")
              .at_least(0),
          paribus::field("thread", &Params::thread, "starts a thread while it opens")};
    }
  } params;

  void open(const paribus::Files& /*files*/) override {
    file_ = std::tmpfile();
    for (std::int64_t item = 0; item < kItems; ++item) {
      paribus::Draws draws = paribus::Stream(0, "dataset/rows").item(0, item);
      for (float& number : row_) number = static_cast<float>(draws.normal());
      std::fwrite(row_.data(), sizeof row_, 1, file_);
    }
    std::fflush(file_);
    if (params.thread)
      std::thread([] {
        while (true) ::sleep(1000);
      }).detach();
  }

  [[nodiscard]] paribus::DataSpec spec() const override {
    paribus::DataSpec spec;
    spec.inputs = {{&paribus::kTensor, {kColumns}}};
    spec.targets = {{&paribus::kRegression, {1}}};
    spec.train_items = kItems;
    spec.valid_items = kItems;
    return spec;
  }

  void fetch(paribus::Split split, std::span<const std::int64_t> items,
             paribus::Batch& batch) const override {
    if (split == paribus::Split::valid && params.valid_pause > 0)
      std::this_thread::sleep_for(std::chrono::duration<double>(params.valid_pause));
    const auto count = static_cast<std::int64_t>(items.size());
    at::Tensor inputs = at::empty({count, kColumns}), targets = at::empty({count, 1});
    for (std::int64_t i = 0; i < count; ++i) {
      auto* row = inputs.mutable_data_ptr<float>() + i * kColumns;
      ::lseek(::fileno(file_), items[static_cast<std::size_t>(i)] * sizeof row_, SEEK_SET);
      if (::read(::fileno(file_), row, sizeof row_) != sizeof row_)
        throw paribus::Error("rows: the file ended early");
      targets.mutable_data_ptr<float>()[i] = row[0] + row[1];
    }
    batch.inputs.push_back({inputs, &paribus::kTensor});
    batch.targets.push_back({targets, &paribus::kRegression});
  }

  [[nodiscard]] std::uint64_t fingerprint() const override { return 1; }

 private:
  static constexpr std::int64_t kItems = 256, kColumns = 4;
  std::array<float, kColumns> row_{};
  std::FILE* file_ = nullptr;
};

PARIBUS_PART(Rows, "rows", "rows of numbers in a file")
