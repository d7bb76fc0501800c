// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "paribus/model_base.h"
#include "recipe.h"

namespace paribus::python {

/// A torch.nn.Module. Its parameters are the tensors that the optimizer steps.
class PythonModel final : public Model, public Pythonic {
 public:
  using Pythonic::Pythonic;

  void build(const DataSpec& data) override;
  [[nodiscard]] Outputs outputs(const Batch& batch) override;
  [[nodiscard]] NamedTensors weights() override;
  [[nodiscard]] NamedTensors buffers_by_name() override;
  void set_training(bool on) override;
  void move_to(const at::Device& device, bool channels_last) override;
  [[nodiscard]] bool has_convolutions() const override;
  [[nodiscard]] std::vector<std::string> layer_groups() const override;
  void state(State& state) override { keep(state); }

  /// REQUIRES: a Lock is held.
  [[nodiscard]] py::object module() const { return adapter().attr("module"); }
};

/// The module of a Python model; nothing of any other. REQUIRES: a Lock is held.
py::object module_of(const Model& model);

}  // namespace paribus::python
