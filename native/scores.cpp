// SPDX-License-Identifier: Apache-2.0
// Losses, metrics and schedules on their own.
#include <ATen/core/grad_mode.h>

#include "paribus/loss.h"
#include "paribus/metric.h"
#include "paribus/schedule.h"
#include "parts.h"
#include "views.h"

namespace paribus::python {
namespace {

/// Class numbers of items or of points, else values.
const Type& type_of(const at::Tensor& target) {
  if (target.is_floating_point()) return kRegression;
  return target.dim() > 1 ? kMask : kCategory;
}

/// A batch of which a score sees the targets.
Batch batch_with(const py::handle& target) {
  Batch batch;
  const auto add = [&batch](const py::handle& one) {
    const at::Tensor tensor = unwrap(one, "the target");
    batch.targets.push_back({tensor, &type_of(tensor)});
  };
  if (py::isinstance<py::tuple>(target) || py::isinstance<py::list>(target)) {
    for (const auto& one : target.cast<py::sequence>()) add(one);
  } else {
    add(target);
  }
  if (batch.targets.empty()) throw py::value_error("there is no target");
  const at::Tensor& first = batch.target();
  batch.items.resize(first.dim() == 0 ? 1 : static_cast<std::size_t>(first.size(0)));
  return batch;
}

class Scorer {
 public:
  Scorer(const std::string& kind, const py::dict& table)
      : who_(kind + "/" + table["use"].cast<std::string>()),
        part_(Parts::here().made(kind, address(kind, table), table)) {}

 protected:
  template <class Kind, class Work>
  auto with(const Work& work) const {
    const py::gil_scoped_release others;
    return told(who_, [&] { return work(part_->as<Kind>()); });
  }

 private:
  /// As an entry of a list has it, where there is a list: it may have a name.
  static std::string address(const std::string& kind, const py::dict& table) {
    return kind == "metric" ? "metric." + table["use"].cast<std::string>() : kind;
  }

  std::string who_;
  std::unique_ptr<Instance> part_;
};

class AloneLoss : public Scorer {
 public:
  explicit AloneLoss(const py::dict& table) : Scorer("loss", table) {}

  [[nodiscard]] py::object call(const py::object& output, const py::object& target) const {
    const Outputs outputs = outputs_from(output, "the output");
    const Batch batch = batch_with(target);
    return wrap(with<Loss>([&](const Loss& loss) { return loss(outputs, batch); }));
  }
};

class AloneMetric : public Scorer {
 public:
  explicit AloneMetric(const py::dict& table) : Scorer("metric", table) { reset(); }

  void reset() {
    with<Metric>([](Metric& metric) { metric.reset(); });
  }
  void update(const py::object& output, const py::object& target, const py::object& loss) {
    const Outputs outputs = outputs_from(output, "the output");
    const Batch batch = batch_with(target);
    const at::Tensor mean = loss.is_none() ? at::Tensor() : unwrap(loss, "the loss");
    const at::NoGradGuard no_grad;
    with<Metric>([&](Metric& metric) { metric.update(outputs, batch, mean); });
  }
  [[nodiscard]] double value() const {
    return with<Metric>([](const Metric& metric) { return metric.value(); });
  }
};

class AloneSchedule : public Scorer {
 public:
  explicit AloneSchedule(const py::dict& table) : Scorer("schedule", table) {}

  [[nodiscard]] double at(double fraction, double inclusive, double epoch, std::int64_t epochs,
                          double base) const {
    const Progress progress{fraction, inclusive, epoch, epochs, base};
    return with<Schedule>([&](const Schedule& schedule) { return schedule.at(progress); });
  }
};

}  // namespace

void add_scores(py::module_& module) {
  py::class_<AloneLoss>(module, "Loss", py::module_local())
      .def(py::init<const py::dict&>())
      .def("__call__", &AloneLoss::call);
  py::class_<AloneMetric>(module, "Metric", py::module_local())
      .def(py::init<const py::dict&>())
      .def("reset", &AloneMetric::reset)
      .def("update", &AloneMetric::update)
      .def("value", &AloneMetric::value);
  py::class_<AloneSchedule>(module, "Schedule", py::module_local())
      .def(py::init<const py::dict&>())
      .def("at", &AloneSchedule::at);
}

}  // namespace paribus::python
