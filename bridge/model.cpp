// SPDX-License-Identifier: Apache-2.0
#include "model.h"

#include <ATen/Context.h>

#include "views.h"

namespace paribus::python {
namespace {

NamedTensors named(const py::object& pairs) {
  NamedTensors all;
  for (const auto& pair : pairs) {
    const auto entry = pair.cast<py::tuple>();
    all.emplace_back(entry[0].cast<std::string>(), unwrap(entry[1], "a weight"));
  }
  return all;
}

}  // namespace

void PythonModel::build(const DataSpec& data) {
  on([&](py::object& adapter) { adapter.attr("build")(to_python(data)); });
}

Outputs PythonModel::outputs(const Batch& batch) {
  return on([&](py::object& adapter) {
    py::list inputs;
    for (const Typed& input : batch.inputs) inputs.append(wrap(input.data));
    return outputs_from(adapter.attr("outputs")(inputs), "what the model returns");
  });
}

NamedTensors PythonModel::weights() {
  return on([](py::object& adapter) { return named(adapter.attr("weights")()); });
}

NamedTensors PythonModel::buffers_by_name() {
  return on([](py::object& adapter) { return named(adapter.attr("buffers")()); });
}

void PythonModel::set_training(bool on_) {
  on([&](py::object& adapter) { adapter.attr("train")(on_); });
}

void PythonModel::move_to(const at::Device& device, bool channels_last) {
  on([&](py::object& adapter) { adapter.attr("move_to")(device.str(), channels_last); });
}

bool PythonModel::has_convolutions() const {
  return on([](py::object& adapter) { return adapter.attr("has_convolutions")().cast<bool>(); });
}

std::vector<std::string> PythonModel::layer_groups() const {
  return on([](py::object& adapter) {
    return adapter.attr("layer_groups")().cast<std::vector<std::string>>();
  });
}

py::object module_of(const Model& model) {
  const auto* ours_ = dynamic_cast<const PythonModel*>(&model);
  return ours_ == nullptr ? py::object() : ours_->module();
}

}  // namespace paribus::python
