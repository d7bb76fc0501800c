// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "paribus/checkpoint.h"
#include "parts.h"

namespace paribus::python {
namespace {

constexpr const char* kAddress = "optimizer";

/// An optimizer on one group of somebody's weights.
class Stepper {
 public:
  Stepper(const py::dict& table, const std::vector<std::string>& names, const py::list& weights)
      : part_(Parts::here().made(kAddress, kAddress, table)), groups_(named(names, weights)) {
    part_->each([this](PartBase& part) {
      const auto* optimizer = dynamic_cast<const Optimizer*>(&part);
      needs_passes_ = needs_passes_ || (optimizer != nullptr && optimizer->needs_passes());
    });
  }

  [[nodiscard]] bool needs_passes() const { return needs_passes_; }

  /// The numbers that may change as training goes on, by their address within the optimizer; the
  /// nearest learning rate is "lr", whichever optimizer of a wrapper has it.
  [[nodiscard]] py::dict numbers() const {
    py::dict all;
    for (const std::string& address : part_->numeric_addresses()) {
      const Instance::Parameter parameter = part_->find(address);
      if (parameter.field->live) all[name_of(address).c_str()] = parameter.get();
    }
    return all;
  }

  void set(const py::dict& numbers) const {
    for (const auto& [name, value] : numbers) {
      const Instance::Parameter parameter = part_->find(address_of(name.cast<std::string>()));
      const auto number = value.cast<double>();
      if (parameter && parameter.get() != number) parameter.set(number);
    }
  }

  /// `again`: sends the batch forward and backward once more; None where nobody can.
  void step(const py::object& again) {
    groups_.set_passes({});
    if (!again.is_none()) {
      groups_.set_passes([this, &again](const PartBase& owner, const Group::Loss& loss) {
        return pass(owner, loss, again);
      });
    }
    const py::gil_scoped_release others;
    told(who(), [this] { groups_.step(part_->as<Optimizer>()); });
  }

  void evaluation(bool on) {
    const py::gil_scoped_release others;
    groups_.evaluation(part_->as<Optimizer>(), on);
  }

  /// All that it keeps, by name; the tensors themselves.
  [[nodiscard]] py::dict state() const {
    NamedTensors kept;
    groups_.save(kept);
    part_->each([&](PartBase& part) {
      SaveState state(kept, prefix_of(part));
      part.state(state);
    });
    py::dict all;
    for (const auto& [name, tensor] : kept) all[name.c_str()] = wrap(tensor);
    return all;
  }

  /// Copies of these.
  void load(const py::dict& state) {
    TensorMap saved;
    for (const auto& [name, tensor] : state)
      saved[name.cast<std::string>()] = unwrap(tensor, "what an optimizer kept");
    groups_.load(saved);
    part_->each([&](PartBase& part) {
      LoadState loading(saved, prefix_of(part));
      part.state(loading);
    });
  }

 private:
  static NamedTensors named(const std::vector<std::string>& names, const py::list& weights) {
    NamedTensors all;
    for (std::size_t i = 0; i < names.size(); ++i)
      all.emplace_back(names[i], unwrap(weights[i], "a parameter"));
    return all;
  }

  static std::string prefix_of(const PartBase& part) { return "part/" + part.address() + "/"; }
  [[nodiscard]] std::string who() const { return kAddress; }

  /// The address of the nearest learning rate, "" if there is none.
  [[nodiscard]] std::string rate() const {
    std::string holder = kAddress;
    for (; part_->find(holder + ".lr").field == nullptr; holder += ".inner") {
      const std::vector<std::string> all = part_->numeric_addresses();
      const bool is_wrapper = std::any_of(all.begin(), all.end(), [&](const std::string& address) {
        return address.starts_with(holder + ".inner.");
      });
      if (!is_wrapper) return "";
    }
    return holder + ".lr";
  }
  [[nodiscard]] std::string name_of(const std::string& address) const {
    return address == rate() ? "lr" : address.substr(std::string_view(kAddress).size() + 1);
  }
  [[nodiscard]] std::string address_of(const std::string& name) const {
    return name == "lr" ? rate() : std::string(kAddress) + "." + name;
  }

  static bool pass(const PartBase& owner, const Group::Loss& loss, const py::object& again) {
    if (loss) {
      throw Error(owner.address() +
                  ": it wants the gradients of a loss of its own, for which a closure is not "
                  "enough; use it within a paribus.Trainer");
    }
    const py::gil_scoped_acquire lock;
    const at::AutoGradMode with_grad(true);
    again();
    return true;
  }

  std::unique_ptr<Instance> part_;
  Groups groups_;
  bool needs_passes_ = false;
};

}  // namespace

void add_optimizer(py::module_& module) {
  py::class_<Stepper>(module, "Stepper", py::module_local())
      .def(py::init<const py::dict&, const std::vector<std::string>&, const py::list&>())
      .def_property_readonly("needs_passes", &Stepper::needs_passes)
      .def("numbers", &Stepper::numbers)
      .def("set", &Stepper::set)
      .def("step", &Stepper::step)
      .def("evaluation", &Stepper::evaluation)
      .def("state", &Stepper::state)
      .def("load", &Stepper::load);
}

}  // namespace paribus::python
