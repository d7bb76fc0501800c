// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace paribus {

using NamedTensor = std::pair<std::string, at::Tensor>;
using NamedTensors = std::vector<NamedTensor>;

/// One function saves and loads: a part names each thing it wants back, in `PartBase::state`. When
/// saving, the things are read; when loading, they are replaced by what the checkpoint holds under
/// that name (an Error if it holds none). An undefined tensor isn't saved, and one that wasn't is
/// undefined after loading.
///
///     void state(paribus::State& s) override { s.tensor("average", average_); s.number("best",
///     best_); }
class State {
 public:
  virtual ~State() = default;
  [[nodiscard]] virtual bool loading() const = 0;
  virtual void tensor(std::string_view name, at::Tensor& value) = 0;
  virtual void tensors(std::string_view name, std::vector<at::Tensor>& value) = 0;
  virtual void number(std::string_view name, double& value) = 0;
  virtual void number(std::string_view name, std::int64_t& value) = 0;
};

}  // namespace paribus
