// SPDX-License-Identifier: Apache-2.0
#include "views.h"

#include <pybind11/stl.h>

#include <algorithm>

#include "model.h"
#include "paribus/groups.h"

namespace paribus::python {
namespace {

Fit& training(const FitView& view) {
  if (view.fit != nullptr) return *view.fit;
  throw std::runtime_error("this training is over: what `fit` shows is gone");
}

Batch& batch_of(const BatchView& view) {
  if (view.batch != nullptr) return *view.batch;
  throw std::runtime_error("this batch is gone");
}

py::dict named(const NamedTensors& tensors) {
  py::dict all;
  for (const auto& [name, tensor] : tensors) all[name.c_str()] = wrap(tensor);
  return all;
}

py::list tensors_of(const std::vector<Typed>& all) {
  py::list list;
  for (const Typed& each : all) list.append(wrap(each.data));
  return list;
}

at::Tensor& place_in(std::vector<Typed>& all, std::size_t index) {
  if (index < all.size()) return all[index].data;
  throw py::index_error("there are " + std::to_string(all.size()));
}

void add_batch(py::module_& module) {
  using B = BatchView;
  py::class_<B, std::shared_ptr<B>>(module, "Batch", py::module_local())
      .def_property_readonly("inputs", [](const B& b) { return tensors_of(batch_of(b).inputs); })
      .def_property_readonly("targets", [](const B& b) { return tensors_of(batch_of(b).targets); })
      .def_property(
          "input", [](const B& b) { return wrap(batch_of(b).input()); },
          [](const B& b, const py::object& x) {
            place_in(batch_of(b).inputs, 0) = unwrap(x, "batch.input");
          })
      .def_property(
          "target", [](const B& b) { return wrap(batch_of(b).target()); },
          [](const B& b, const py::object& x) {
            place_in(batch_of(b).targets, 0) = unwrap(x, "batch.target");
          })
      .def("set_input",
           [](const B& b, std::size_t i, const py::object& x) {
             place_in(batch_of(b).inputs, i) = unwrap(x, "an input");
           })
      .def("set_target",
           [](const B& b, std::size_t i, const py::object& x) {
             place_in(batch_of(b).targets, i) = unwrap(x, "a target");
           })
      .def_property_readonly("items", [](const B& b) { return batch_of(b).items; })
      .def_property_readonly("training", [](const B& b) { return batch_of(b).training(); })
      .def_property_readonly("epoch", [](const B& b) { return batch_of(b).epoch; })
      .def_property_readonly("index", [](const B& b) { return batch_of(b).index; })
      .def("__len__", [](const B& b) { return batch_of(b).size(); });
}

/// A Python model is the module itself; any other has its weights and buffers by name.
py::object model_of(const FitView& view) {
  Fit& fit = training(view);
  if (py::object module = module_of(*fit.model)) return module;
  return py::module_::import("types").attr("SimpleNamespace")(
      py::arg("weights") = named(fit.model->weights()),
      py::arg("buffers") = named(fit.model->buffers_by_name()));
}

template <class Class>
void add_place(Class& fit) {
  using F = FitView;
  fit.def_property_readonly("epoch", [](const F& f) { return training(f).epoch; })
      .def_property_readonly("batch_index", [](const F& f) { return training(f).batch_index; })
      .def_property_readonly("batches", [](const F& f) { return training(f).batches; })
      .def_property_readonly("step", [](const F& f) { return training(f).step; })
      .def_property_readonly("training", [](const F& f) { return training(f).training; })
      .def_property_readonly("device",
                             [](const F& f) {
                               const auto& weights = training(f).groups->weights();
                               return weights.empty() ? std::string("cpu")
                                                      : weights.front().second.device().str();
                             })
      .def_property_readonly("epochs", [](const F& f) { return f.owner->epochs(training(f)); })
      .def_property_readonly("metrics",
                             [](const F& f) {
                               py::dict all;
                               for (const auto& [name, value] : training(f).metrics)
                                 all[name.c_str()] = value;
                               return all;
                             })
      .def_property_readonly(
          "data", [](const F& f) { return ours().attr("Data")(to_python(training(f).data)); });
}

template <class Class>
void add_tensors(Class& fit) {
  using F = FitView;
  fit.def_property_readonly("batch", [](const F& f) { return BatchView{&training(f).batch}; })
      .def_property(
          "loss",
          [](const F& f) -> py::object {
            return training(f).loss.defined() ? wrap(training(f).loss) : py::none();
          },
          [](const F& f, const py::object& loss) { training(f).loss = unwrap(loss, "fit.loss"); })
      .def_property(
          "output", [](const F& f) { return wrap(training(f).outputs.main()); },
          [](const F& f, const py::object& x) {
            training(f).outputs.main() = unwrap(x, "fit.output");
          })
      .def_property(
          "outputs", [](const F& f) { return named(training(f).outputs.items()); },
          [](const F& f, const py::object& x) {
            training(f).outputs = outputs_from(x, "fit.outputs");
          })
      .def_property_readonly("weights",
                             [](const F& f) { return named(training(f).groups->weights()); })
      .def_property_readonly("model", &model_of);
}

/// A full disk stops the trial, to be resumed; it is no failure of the part.
template <class Work>
void keeping_no_space(const FitView& view, const Work& work) {
  try {
    work();
  } catch (const NoSpace&) {
    view.no_space = std::current_exception();
    throw;
  }
}

/// Numbers or texts, of a list, a tensor or an array.
Column::Values column_values(const std::string& name, py::handle given) {
  const py::object listed = py::hasattr(given, "tolist")
                                ? given.attr("tolist")()
                                : py::reinterpret_borrow<py::object>(given);
  const py::list values(listed);
  const auto all = [&values](auto is) {
    return std::all_of(values.begin(), values.end(), [&](py::handle one) { return is(one); });
  };
  const auto is_text = [](py::handle one) { return py::isinstance<py::str>(one); };
  const auto is_whole = [](py::handle one) { return py::isinstance<py::int_>(one); };
  const auto is_number = [&](py::handle one) {
    return is_whole(one) || py::isinstance<py::float_>(one);
  };
  if (all(is_whole)) return py::cast<std::vector<std::int64_t>>(values);
  if (all(is_number)) return py::cast<std::vector<double>>(values);
  if (all(is_text)) return py::cast<std::vector<std::string>>(values);
  throw Error("fit.table: column '" + name + "' wants numbers alone or texts alone");
}

Columns columns_of(const py::dict& given) {
  Columns columns;
  for (const auto& [name, values] : given) {
    const auto text = py::cast<std::string>(name);
    columns.push_back({text, column_values(text, values)});
  }
  return columns;
}

template <class Class>
void add_requests(Class& fit) {
  using F = FitView;
  fit.def("skip_batch", [](const F& f) { training(f).skip_batch(); })
      .def("skip_epoch", [](const F& f) { training(f).skip_epoch(); })
      .def("stop", [](const F& f, std::string reason) { training(f).stop(std::move(reason)); })
      .def("record",
           [](const F& f, const std::string& name, double value) {
             keeping_no_space(f, [&] { training(f).record(name, value); });
           })
      .def(
          "histogram",
          [](const F& f, const std::string& name, const py::object& values, std::int64_t bins) {
            const at::Tensor tensor = unwrap(values, "fit.histogram");
            keeping_no_space(f, [&] { training(f).histogram(name, tensor, bins); });
          },
          py::arg("name"), py::arg("values"), py::arg("bins") = 64)
      .def("picture",
           [](const F& f, const std::string& name, const py::object& pixels) {
             const at::Tensor tensor = unwrap(pixels, "fit.picture");
             keeping_no_space(f, [&] { training(f).picture(name, tensor); });
           })
      .def("table",
           [](const F& f, const std::string& name, const py::dict& given) {
             const Columns columns = columns_of(given);
             keeping_no_space(f, [&] { training(f).table(name, columns); });
           })
      .def("save_weights",
           [](const F& f, const std::string& name) {
             keeping_no_space(f, [&] { training(f).save_weights(name); });
           })
      .def("parameter",
           [](const F& f, const std::string& address) { return training(f).parameter(address); })
      .def("set_parameter", [](const F& f, const std::string& address,
                               double value) { training(f).set_parameter(address, value); })
      .def("rng", [](const F& f) {
        const Fit& fit_now = training(f);
        const std::uint64_t seed =
            fit_now.stream(*f.owner).seed(fit_now.epoch, fit_now.batch_index);
        return py::module_::import("random").attr("Random")(seed);
      });
}

}  // namespace

void add_views(py::module_& module) {
  add_batch(module);
  py::class_<FitView, std::shared_ptr<FitView>> fit(module, "Fit", py::module_local());
  add_place(fit);
  add_tensors(fit);
  add_requests(fit);
}

py::dict to_python(const DataSpec& data) {
  const auto specs = [](const std::vector<Spec>& all) {
    py::list list;
    for (const Spec& each : all) {
      py::dict spec;
      spec["shape"] = py::tuple(py::cast(each.shape));
      spec["type"] = std::string(each.type->name);
      list.append(spec);
    }
    return list;
  };
  py::dict all;
  all["inputs"] = specs(data.inputs), all["targets"] = specs(data.targets);
  all["train_items"] = data.train_items, all["valid_items"] = data.valid_items;
  all["classes"] = data.classes, all["class_names"] = data.class_names;
  all["mean"] = data.mean, all["std"] = data.std;
  return all;
}

void take_shapes(const py::handle& data, DataSpec& into) {
  const auto take = [&data](const char* name, std::vector<Spec>& specs) {
    const py::list list = data.attr(name);
    if (list.size() != specs.size())
      throw py::value_error(std::string("setup changed the number of ") + name);
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const auto type = list[i].attr("type").cast<std::string>();
      if (type != specs[i].type->name) {
        throw py::value_error(std::string("setup changed the type of ") + name + "[" +
                              std::to_string(i) + "], got '" + type + "', expected '" +
                              std::string(specs[i].type->name) + "' as before");
      }
      specs[i].shape = list[i].attr("shape").cast<std::vector<std::int64_t>>();
    }
  };
  take("inputs", into.inputs), take("targets", into.targets);
  into.mean = data.attr("mean").cast<std::vector<double>>();
  into.std = data.attr("std").cast<std::vector<double>>();
}

py::object to_python(const Outputs& outputs) {
  if (outputs.items().size() == 1) return wrap(outputs.main());
  return named(outputs.items());
}

Outputs outputs_from(const py::handle& object, const char* what) {
  NamedTensors items;
  if (py::isinstance<py::dict>(object)) {
    for (const auto& [name, tensor] : object.cast<py::dict>())
      items.emplace_back(name.cast<std::string>(), unwrap(tensor, what));
  } else if (py::isinstance<py::tuple>(object) || py::isinstance<py::list>(object)) {
    for (const auto& tensor : object.cast<py::sequence>()) {
      std::string name = items.empty() ? "main" : std::to_string(items.size());
      items.emplace_back(std::move(name), unwrap(tensor, what));
    }
  } else {
    return {unwrap(object, what)};
  }
  if (items.empty()) throw py::value_error(std::string(what) + " is empty");
  return Outputs(std::move(items));
}

}  // namespace paribus::python
