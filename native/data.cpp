// SPDX-License-Identifier: Apache-2.0
// Data on their own: what a data set holds, and a pass over it in batches.
#include "data.h"

#include <pybind11/stl.h>

#include <array>

#include "driver/files.h"
#include "study/resolve.h"
#include "study/spec_json.h"
#include "views.h"

namespace paribus::python {
namespace {

constexpr std::array kTypes{&kTensor, &kImage, &kMask, &kCategory, &kRegression, &kPoints, &kBoxes};

Split split_of(const std::string& name) {
  if (name == "train") return Split::train;
  if (name == "valid") return Split::valid;
  throw Error("there is no split '" + name + "', expected 'train' or 'valid'");
}

const Type* type_called(const std::string& name) {
  for (const Type* type : kTypes) {
    if (type->name == name) return type;
  }
  throw Error("there is no type '" + name +
              "' of data, expected tensor, image, mask, category, regression, points or "
              "boxes");
}

struct Owned {
  Batch batch;
  BatchView view{&batch};
};

/// The batches of one pass over a split, made ahead on loader threads.
class Pass {
 public:
  Pass(const TrialSpec& spec, std::shared_ptr<Instance> dataset, Split split, std::int64_t epoch)
      : dataset_(std::move(dataset)),
        batches_(std::make_unique<Batches>(spec, dataset_->as<Dataset>(), Parts::here().loader(),
                                           nullptr)),
        left_(batches_->count(split)) {
    batches_->start(split, epoch);
  }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;
  ~Pass() { close(); }

  std::shared_ptr<BatchView> next() {
    if (left_ == 0) throw py::stop_iteration();
    auto owned = std::make_shared<Owned>();
    {
      const py::gil_scoped_release others;
      owned->batch = batches_->next();
    }
    --left_;
    return {owned, &owned->view};
  }

  /// Its threads have ended when this returns.
  void close() {
    left_ = 0;
    const py::gil_scoped_release others;  // a transform in Python may be waiting for the lock
    batches_.reset();
  }

 private:
  std::shared_ptr<Instance> dataset_;
  std::unique_ptr<Batches> batches_;
  std::int64_t left_;
};

/// A data set with its transforms.
class Source {
 public:
  Source(const py::dict& table, std::uint64_t seed) : spec_(data_of(table)) {
    spec_.seed = seed;
    dataset_ = opened(spec_.dataset, Parts::here().catalog());
    TrialSpec alone = spec_;
    alone.data.workers = 0;
    about_ =
        std::make_unique<Batches>(alone, dataset_->as<Dataset>(), Parts::here().loader(), nullptr);
  }

  [[nodiscard]] py::dict data() const { return to_python(about_->output()); }
  [[nodiscard]] std::int64_t count(const std::string& split) const {
    return about_->count(split_of(split));
  }
  [[nodiscard]] std::unique_ptr<Pass> pass(const std::string& split, std::int64_t epoch) const {
    return std::make_unique<Pass>(spec_, dataset_, split_of(split), epoch);
  }

 private:
  TrialSpec spec_;
  std::shared_ptr<Instance> dataset_;
  std::unique_ptr<Batches> about_;
};

}  // namespace

TrialSpec data_of(const py::handle& table) {
  Problems problems("");
  Config root;
  root.set("data", {}, config_of(table));
  TrialSpec spec;
  Resolver(Parts::here().catalog(), problems).dataset(root, spec);
  problems.raise();
  for (const PartSpec& transform : spec.transforms)
    Parts::here().load(transform, Parts::here().catalog());
  return spec;
}

std::shared_ptr<Instance> opened(const PartSpec& dataset, const registry::Catalog& catalog) {
  static auto* all = new std::map<std::string, std::weak_ptr<Instance>>;
  Parts::here().load(dataset, catalog);
  const registry::PartSchema* schema = catalog.find("dataset", dataset.use);
  const driver::FilePaths paths =
      driver::resolve_files(*schema, dataset, driver::FilePlaces::from_environment());
  const std::string key = to_json(dataset).dump() + nlohmann::json(paths).dump();
  if (!schema->made_from.is_null()) (*all)[key].reset();  // a class that may have changed since
  if (auto known = (*all)[key].lock()) return known;
  auto made = std::make_shared<Instance>(dataset, Parts::here().loader());
  {
    const py::gil_scoped_release others;
    made->as<Dataset>().open({paths.begin(), paths.end()});
  }
  (*all)[key] = made;
  return made;
}

DataSpec spec_from(const py::dict& data) {
  const auto specs = [&data](const char* name) {
    std::vector<Spec> all;
    for (const auto& each : data[name].cast<py::sequence>()) {
      const auto one = each.cast<py::dict>();
      all.push_back({type_called(one["type"].cast<std::string>()),
                     one["shape"].cast<std::vector<std::int64_t>>()});
    }
    if (all.empty()) throw Error(std::string("the data have no ") + name);
    return all;
  };
  DataSpec spec;
  spec.inputs = specs("inputs"), spec.targets = specs("targets");
  spec.train_items = data["train_items"].cast<std::int64_t>();
  spec.valid_items = data["valid_items"].cast<std::int64_t>();
  spec.classes = data["classes"].cast<std::int64_t>();
  spec.class_names = data["class_names"].cast<std::vector<std::string>>();
  spec.mean = data["mean"].cast<std::vector<double>>();
  spec.std = data["std"].cast<std::vector<double>>();
  return spec;
}

void add_data(py::module_& module) {
  py::class_<Pass>(module, "Pass", py::module_local())
      .def("__iter__", [](const py::object& self) { return self; })
      .def("__next__", &Pass::next)
      .def("close", &Pass::close);
  py::class_<Source>(module, "Source", py::module_local())
      .def(py::init<const py::dict&, std::uint64_t>())
      .def("data", &Source::data)
      .def("count", &Source::count)
      .def("pass_over", &Source::pass);
}

}  // namespace paribus::python
