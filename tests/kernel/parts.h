// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the kernel share: a factory that offers a few shipped parts, compiled into the
// test, beside parts of the tests' own; a small trial; a recorder that keeps everything.

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../errors.h"
#include "paribus/checkpoint.h"
#include "paribus/dataset.h"
#include "paribus/factory.h"
#include "paribus/record.h"
#include "paribus/trainer.h"

namespace paribus::test {

namespace fs = std::filesystem;

/// What PARIBUS_PART makes of a class, without an exported symbol.
template <class T>
PartDescriptor described(const char* name) {
  return {PARIBUS_ABI,
          T::kKind.data(),
          name,
          []() -> PartBase* { return std::make_unique<typename T::template Whole<T>>().release(); },
          plugin_detail::kAccess<T>.data(),
          plugin_detail::kAccess<T>.size()};
}

/// Offers model/mlp, optimizer/sgd, loss/cross_entropy, metric/accuracy, schedule/linear and what a
/// test adds.
class Factory final : public PartFactory {
 public:
  Factory();
  template <class T>
  Factory& add(const char* name) {
    parts_[std::string(T::kKind) + "/" + name] = described<T>(name);
    return *this;
  }
  [[nodiscard]] const PartDescriptor& descriptor(const std::string& kind,
                                                 const std::string& name) const override;

 private:
  std::map<std::string, PartDescriptor> parts_;
};

PartSpec part(const std::string& kind, const std::string& use,
              std::map<std::string, Value> params = {}, const std::string& address = "");

/// 8 numbers an item, 3 classes that a linear model can nearly tell apart.
class Dots final : public TensorDataset {
 public:
  explicit Dots(std::int64_t train_items = 48, std::int64_t valid_items = 20);
  void open(const Files& /*files*/) override {}
  [[nodiscard]] const Columns& training() const { return train; }
  void call_sorted() { about.is_sorted = true; }
};

/// An mlp on Dots: 3 epochs of 6 batches, SGD with momentum, accuracy, no loader threads.
TrialSpec small_trial();

/// Keeps what a trainer tells.
class Notes final : public Recorder {
 public:
  void point(std::string_view series, std::int64_t step, double value) override;
  void message(std::string_view text) override { events.push_back("message " + std::string(text)); }
  void flush() override { events.emplace_back("flush"); }
  void resumed(std::int64_t step) override;
  void checkpointed(std::int64_t step, const std::string& file) override;
  Wish progress(std::int64_t step, std::int64_t steps, std::int64_t epoch, double loss) override;

  std::vector<std::string> events;
  std::map<std::string, std::map<std::int64_t, double>> points;  // by series and step
  std::int64_t stop_at = -1;                                     // asks for a stop at this step
  std::int64_t save_at = -1;     // asks for a checkpoint at this step
  bool files_were_there = true;  // each checkpoint, when told of
};

/// A folder of the test's own, removed with it.
class Folder {
 public:
  Folder();
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] std::vector<std::string> names() const;  // sorted

 private:
  fs::path path_;
};

std::string bytes_of(const fs::path& file);
void write_bytes(const fs::path& file, const std::string& bytes);

bool same_bits(const at::Tensor& a, const at::Tensor& b);

}  // namespace paribus::test
