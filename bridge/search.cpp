// SPDX-License-Identifier: Apache-2.0
#include "search.h"

#include <pybind11/stl.h>

#include <cmath>
#include <memory>
#include <optional>
#include <tuple>

#include "paribus/search/told.h"

namespace paribus::python {
namespace {

py::list in_python(const std::vector<Axis>& axes) {
  py::list all;
  for (const Axis& axis : axes) {
    py::dict told;
    told["addresses"] = axis.addresses, told["count"] = axis.count;
    told["low"] = axis.low, told["high"] = axis.high;
    told["log"] = axis.log, told["integer"] = axis.integer;
    all.append(told);
  }
  return all;
}

class PythonSearch final : public search::Told, public Pythonic {
 public:
  using Pythonic::Pythonic;

  void check(const std::vector<Axis>& axes, std::int64_t epochs) const override {
    on([&](py::object& adapter) { adapter.attr("check")(in_python(axes), epochs); });
  }
  [[nodiscard]] std::int64_t at_once() const override {
    return on([](py::object& adapter) { return adapter.attr("at_once")().cast<std::int64_t>(); });
  }
  [[nodiscard]] std::vector<std::string> objectives() const override {
    return on([](py::object& adapter) {
      return adapter.attr("objectives")().cast<std::vector<std::string>>();
    });
  }

 protected:
  void begin() override {
    on([&](py::object& adapter) {
      adapter.attr("begin")(in_python(axes()), epochs(), maximize(), stream().seed(0, 0));
    });
  }
  void tell(const search::Event& event) override {
    on([&](py::object& adapter) {
      if (!event.ended) {
        adapter.attr("began")(event.job.point, numbers(event.job.choices), event.epochs);
        return;
      }
      std::optional<double> score;
      if (!std::isnan(event.score)) score = event.score;
      adapter.attr("ended")(event.job.point, event.epochs, score, event.happening.values);
    });
  }
  [[nodiscard]] std::optional<Job> ask() override {
    using Asked = std::tuple<std::int64_t, std::vector<double>, std::int64_t>;
    const auto asked =
        on([](py::object& adapter) { return adapter.attr("ask")().cast<std::optional<Asked>>(); });
    if (!asked) return std::nullopt;
    const auto& [point, choices, until] = *asked;
    Job job = go_on(point, until);
    for (std::size_t i = 0; i < choices.size(); ++i) {
      job.choices.push_back(axes()[i].count > 0
                                ? Choice{.index = static_cast<std::int64_t>(choices[i])}
                                : Choice{.value = choices[i]});
    }
    return job;
  }

 private:
  static std::vector<double> numbers(const Point& point) {
    std::vector<double> all;
    for (const Choice& choice : point)
      all.push_back(choice.index >= 0 ? static_cast<double>(choice.index) : choice.value);
    return all;
  }
};

}  // namespace

PartBase* made_search(const Recipe& recipe) {
  return std::make_unique<PythonSearch>(recipe).release();
}

}  // namespace paribus::python
