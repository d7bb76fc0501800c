// SPDX-License-Identifier: Apache-2.0
// A model on its own: weights, buffers and a forward pass.
#include <pybind11/stl.h>

#include <optional>

#include "data.h"
#include "generator.h"
#include "paribus/model_base.h"
#include "paribus/random.h"
#include "views.h"

namespace paribus::python {
namespace {

py::list named_list(const NamedTensors& tensors) {
  py::list all;
  for (const auto& [name, tensor] : tensors) all.append(py::make_tuple(name, wrap(tensor)));
  return all;
}

class Network {
 public:
  /// `seed`: with the weights that a trial of this seed begins with, LibTorch's generator as it
  /// was; else drawn from that generator.
  Network(const py::dict& table, const py::dict& data, std::optional<std::uint64_t> seed)
      : who_("model/" + table["use"].cast<std::string>()),
        data_(spec_from(data)),
        part_(Parts::here().made("model", "model", table)) {
    std::optional<GeneratorKept> kept;
    if (seed) kept.emplace().seed(Stream(*seed, "model").seed(0, -1));
    told(who_, [this] { model().build(data_); });
  }

  [[nodiscard]] py::list weights() const { return named_list(model().weights()); }
  [[nodiscard]] py::list buffers() const { return named_list(model().buffers_by_name()); }
  void train(bool on) {
    training_ = on;
    model().set_training(on);
  }

  [[nodiscard]] py::object forward(const py::args& inputs) const {
    if (inputs.size() != data_.inputs.size()) {
      throw Error(who_ + ": got " + std::to_string(inputs.size()) + " inputs, expected " +
                  std::to_string(data_.inputs.size()));
    }
    Batch batch;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      batch.inputs.push_back({unwrap(inputs[i], "an input"), data_.inputs[i].type});
    const at::Tensor& first = batch.input();
    batch.items.resize(first.dim() == 0 ? 0 : static_cast<std::size_t>(first.size(0)));
    batch.split = training_ ? Split::train : Split::valid;
    Outputs outputs;
    {
      const py::gil_scoped_release others;
      outputs = told(who_, [&] { return model().outputs(batch); });
    }
    return to_python(outputs);
  }

 private:
  [[nodiscard]] Model& model() const { return part_->as<Model>(); }

  std::string who_;
  DataSpec data_;
  std::unique_ptr<Instance> part_;
  bool training_ = true;
};

}  // namespace

void add_network(py::module_& module) {
  py::class_<Network>(module, "Network", py::module_local())
      .def(py::init<const py::dict&, const py::dict&, std::optional<std::uint64_t>>())
      .def("weights", &Network::weights)
      .def("buffers", &Network::buffers)
      .def("train", &Network::train)
      .def("forward", &Network::forward);
}

}  // namespace paribus::python
