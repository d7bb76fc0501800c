// SPDX-License-Identifier: Apache-2.0
// A class for each kind: what the kernel calls becomes a call of its adapter in paribus.bridge.
#include <ATen/Functions.h>
#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <utility>

#include "dataset.h"
#include "model.h"
#include "paribus/callback.h"
#include "paribus/error.h"
#include "paribus/loss.h"
#include "paribus/metric.h"
#include "paribus/optimizer.h"
#include "paribus/schedule.h"
#include "paribus/transform.h"
#include "search.h"
#include "views.h"

namespace paribus::python {
namespace {

class PythonCallback final : public Callback, public Pythonic {
 public:
  using Pythonic::Pythonic;
  ~PythonCallback() override {
    if (!view_) return;
    const Lock lock;
    view_->fit = nullptr;
    seen_ = py::object(), handlers_ = {};
  }

  void before_fit(Fit& fit) override {
    view_ = std::make_shared<FitView>(FitView{&fit, this});
    on([&](py::object& adapter) {
      seen_ = py::cast(view_);
      const py::dict handlers = adapter.attr("handlers")();
      for (std::size_t i = 0; i < kEvents.size(); ++i) {
        if (handlers.contains(kEvents[i])) handlers_[i] = handlers[kEvents[i]];
      }
    });
    fire(0);
  }
  void before_epoch(Fit& /*fit*/) override { fire(1); }
  void before_batch(Fit& /*fit*/) override { fire(2); }
  void after_forward(Fit& /*fit*/) override { fire(3); }
  void after_loss(Fit& /*fit*/) override { fire(4); }
  void after_backward(Fit& /*fit*/) override { fire(5); }
  void before_step(Fit& /*fit*/) override { fire(6); }
  void after_step(Fit& /*fit*/) override { fire(7); }
  void after_batch(Fit& /*fit*/) override { fire(8); }
  void before_validate(Fit& /*fit*/) override { fire(9); }
  void after_validate(Fit& /*fit*/) override { fire(10); }
  void after_epoch(Fit& /*fit*/) override { fire(11); }
  void after_fit(Fit& /*fit*/) override { fire(12); }
  void after_valid_batch(Fit& /*fit*/) override { fire(13); }

  [[nodiscard]] Words reads() const override {
    return {recipe().reads.begin(), recipe().reads.end()};
  }
  [[nodiscard]] Words writes() const override {
    return {recipe().writes.begin(), recipe().writes.end()};
  }
  void state(State& state) override { keep(state); }

 private:
  static constexpr std::array kEvents{
      "before_fit",     "before_epoch", "before_batch", "after_forward",    "after_loss",
      "after_backward", "before_step",  "after_step",   "after_batch",      "before_validate",
      "after_validate", "after_epoch",  "after_fit",    "after_valid_batch"};

  /// Events that the class doesn't override cost nothing.
  void fire(std::size_t event) {
    if (!handlers_[event]) return;
    try {
      locked(recipe().who(), [&] { handlers_[event](seen_); });
    } catch (const Error&) {
      if (const auto full = std::exchange(view_->no_space, nullptr)) std::rethrow_exception(full);
      throw;
    }
  }

  std::shared_ptr<FitView> view_;
  py::object seen_;
  std::array<py::object, kEvents.size()> handlers_;
};

class PythonLoss final : public Loss, public Pythonic {
 public:
  using Pythonic::Pythonic;

  [[nodiscard]] at::Tensor operator()(const Outputs& outputs, const Batch& batch) const override {
    return on([&](py::object& adapter) {
      return unwrap(adapter.attr("loss")(to_python(outputs), targets(batch)),
                    "what the loss returns");
    });
  }
  void state(State& state) override { keep(state); }

  static py::object targets(const Batch& batch) {
    if (batch.targets.size() == 1) return wrap(batch.target());
    py::tuple all(batch.targets.size());
    for (std::size_t i = 0; i < batch.targets.size(); ++i) all[i] = wrap(batch.targets[i].data);
    return all;
  }
};

class PythonMetric final : public Metric, public Pythonic {
 public:
  using Pythonic::Pythonic;

  void reset() override {
    on([](py::object& adapter) { adapter.attr("part").attr("reset")(); });
  }
  void update(const Outputs& outputs, const Batch& batch, const at::Tensor& /*loss*/) override {
    on([&](py::object& adapter) {
      adapter.attr("part").attr("update")(to_python(outputs), PythonLoss::targets(batch));
    });
  }
  [[nodiscard]] double value() const override {
    return on([](py::object& adapter) { return adapter.attr("value")().cast<double>(); });
  }
  [[nodiscard]] Goal goal() const override {
    return recipe().maximize ? Goal::maximize : Goal::minimize;
  }
  [[nodiscard]] std::string_view unit() const override { return recipe().unit; }
  void state(State& state) override { keep(state); }
};

class PythonSchedule final : public Schedule, public Pythonic {
 public:
  using Pythonic::Pythonic;

  [[nodiscard]] double at(const Progress& p) const override {
    return on([&](py::object& adapter) {
      return adapter.attr("at")(p.fraction, p.inclusive, p.epoch, p.epochs, p.base).cast<double>();
    });
  }
};

class PythonTransform final : public Transform, public Pythonic {
 public:
  using Pythonic::Pythonic;

  void apply(Batch& batch, const Stream& stream) const override {
    on([&](py::object& adapter) {
      const auto view = std::make_shared<BatchView>(BatchView{&batch});
      const py::object shown = py::cast(view);
      adapter.attr("apply")(shown, stream.seed(batch.epoch, batch.index));
      view->batch = nullptr;
    });
  }
  DataSpec setup(DataSpec in) override {
    on([&](py::object& adapter) { take_shapes(adapter.attr("setup")(to_python(in)), in); });
    return in;
  }
  [[nodiscard]] bool training_only() const override { return recipe().training_only; }
};

/// A torch.optim.Optimizer over the very weights. What it keeps for a weight stays with the
/// weight's number, which is the same after a resume, whichever weights have gradients then.
class PythonOptimizer final : public Optimizer, public Pythonic {
 public:
  using Pythonic::Pythonic;

  void step(Group& group) override {
    group.by_rates([&] { step_listed(group); });
  }
  [[nodiscard]] double rate() const override { return number("lr", 1); }
  void state(State& state) override {
    state.number("next", next_);
    keep(state);
  }

 private:
  void step_listed(Group& group) {
    const auto& numbers = group.slot(*this, "number", [this](const at::Tensor& /*weight*/) {
      return at::scalar_tensor(next_++, at::kLong);
    });
    on([&](py::object& adapter) {
      py::list weights;
      for (std::size_t i = 0; i < group.weights.size(); ++i) {
        weights.append(py::make_tuple(numbers[i].item<std::int64_t>(), wrap(group.weights[i]),
                                      wrap(group.grads[i])));
      }
      adapter.attr("step")(weights, group.lr_scale, group.decay_scale);
    });
  }

  std::int64_t next_ = 0;
};

}  // namespace

PartBase* made(const Recipe& recipe) {
  const std::string& kind = recipe.kind;
  if (kind == "callback") return std::make_unique<PythonCallback>(recipe).release();
  if (kind == "model") return std::make_unique<PythonModel>(recipe).release();
  if (kind == "loss") return std::make_unique<PythonLoss>(recipe).release();
  if (kind == "metric") return std::make_unique<PythonMetric>(recipe).release();
  if (kind == "optimizer") return std::make_unique<PythonOptimizer>(recipe).release();
  if (kind == "schedule") return std::make_unique<PythonSchedule>(recipe).release();
  if (kind == "transform") return std::make_unique<PythonTransform>(recipe).release();
  if (kind == "dataset") return std::make_unique<PythonDataset>(recipe).release();
  if (kind == "search") return made_search(recipe);
  throw Error(recipe.who() + ": parts of this kind can't be written in Python");
}

}  // namespace paribus::python
