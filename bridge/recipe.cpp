// SPDX-License-Identifier: Apache-2.0
#include "recipe.h"

#include <ATen/ops/empty.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "paribus/error.h"
#include "paribus/state.h"

namespace paribus::python {
namespace {

using nlohmann::json;

// A descriptor's functions have no room for what they are about: each number has its own.
constexpr std::size_t kMostParts = 256, kMostFields = 64;

std::deque<Recipe>& recipes() {
  static std::deque<Recipe> all;
  return all;
}

template <std::size_t kIndex>
PartBase* create() {
  return made(recipes()[kIndex]);
}

template <std::size_t kIndex>
void set(PartBase& part, const Value& value) {
  dynamic_cast<Pythonic&>(part).set(kIndex, value);
}

template <std::size_t kIndex>
Value get(const PartBase& part) {
  return dynamic_cast<const Pythonic&>(part).get(kIndex);
}

template <std::size_t... kIndex>
constexpr auto makers(std::index_sequence<kIndex...>) {
  return std::array{&create<kIndex>...};
}

template <std::size_t... kIndex>
constexpr auto accesses(std::index_sequence<kIndex...>) {
  return std::array{FieldAccess{nullptr, &set<kIndex>, &get<kIndex>, nullptr}...};
}

constexpr auto kMakers = makers(std::make_index_sequence<kMostParts>());
constexpr auto kAccesses = accesses(std::make_index_sequence<kMostFields>());

FieldAccess access_to(std::size_t index, const json& param, const std::string& name) {
  FieldAccess access = kAccesses[index];
  access.name = name.c_str();
  access.live = param.value("live", false);
  const auto bound = [&](const char* closed, const char* open, double& into, bool& is_open) {
    is_open = param.contains(open);
    if (param.contains(closed) || is_open) into = param.at(is_open ? open : closed);
  };
  bound("min", "above", access.bounds.low, access.low_open);
  bound("max", "below", access.bounds.high, access.high_open);
  return access;
}

Recipe recipe_from(const json& made_from) {
  Recipe recipe;
  recipe.kind = made_from.at("kind"), recipe.name = made_from.at("name");
  recipe.thing = made_from.at("thing"), recipe.sha256 = made_from.at("sha256");
  made_from.at("reads").get_to(recipe.reads);
  made_from.at("writes").get_to(recipe.writes);
  recipe.maximize = made_from.at("goal") == "maximize";
  recipe.unit = made_from.at("unit");
  recipe.training_only = made_from.at("training_only");
  for (const json& param : made_from.at("params")) recipe.fields.push_back(param.at("name"));
  return recipe;
}

const PartDescriptor* descriptor_of(const json& made_from) {
  for (const Recipe& known : recipes()) {
    if (known.kind == made_from.at("kind") && known.name == made_from.at("name"))
      return &known.descriptor;
  }
  const std::size_t number = recipes().size();
  Recipe& recipe = recipes().emplace_back(recipe_from(made_from));
  if (number >= kMostParts || recipe.fields.size() > kMostFields) {
    throw Error(recipe.who() + ": more than " + std::to_string(kMostParts) +
                " Python parts, or more than " + std::to_string(kMostFields) + " parameters");
  }
  for (std::size_t i = 0; i < recipe.fields.size(); ++i)
    recipe.access.push_back(access_to(i, made_from.at("params").at(i), recipe.fields[i]));
  recipe.descriptor = {PARIBUS_ABI,     recipe.kind.c_str(),  recipe.name.c_str(),
                       kMakers[number], recipe.access.data(), recipe.access.size()};
  return &recipe.descriptor;
}

}  // namespace

py::object to_python(const Value& value) {
  return std::visit(
      []<class T>(const T& held) -> py::object {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return py::none();
        } else {
          return py::cast(held);
        }
      },
      value);
}

Pythonic::~Pythonic() {
  if (!adapter_) return;
  const Lock lock;
  adapter_ = py::object();
}

void Pythonic::set(std::size_t field, const Value& value) {
  if (values_[field] == value) return;
  values_[field] = value;
  if (!adapter_) return;
  on([&](py::object& adapter) { adapter.attr("set")(recipe_.fields[field], to_python(value)); });
}

py::object& Pythonic::adapter() const {
  if (adapter_) return adapter_;
  py::dict values;
  for (std::size_t i = 0; i < values_.size(); ++i)
    values[recipe_.fields[i].c_str()] = to_python(values_[i]);
  adapter_ = ours().attr("adapter")(recipe_.kind, recipe_.thing, recipe_.sha256, values);
  return adapter_;
}

double Pythonic::number(const std::string& field, double otherwise) const {
  const auto found = std::find(recipe_.fields.begin(), recipe_.fields.end(), field);
  if (found == recipe_.fields.end()) return otherwise;
  const Value& value = values_[static_cast<std::size_t>(found - recipe_.fields.begin())];
  const auto* real = std::get_if<double>(&value);
  return real == nullptr ? otherwise : *real;
}

void Pythonic::keep(State& state) const {
  at::Tensor bytes;
  if (!state.loading()) {
    on([&](py::object& adapter) {
      const py::object saved = adapter.attr("save")();
      if (saved.is_none()) return;
      const auto text = saved.cast<std::string_view>();
      bytes = at::empty({static_cast<std::int64_t>(text.size())}, at::kByte);
      std::memcpy(bytes.mutable_data_ptr(), text.data(), text.size());
    });
  }
  state.tensor("python", bytes);
  if (!state.loading() || !bytes.defined()) return;
  on([&](py::object& adapter) {
    adapter.attr("load")(py::bytes(static_cast<const char*>(bytes.const_data_ptr()),
                                   static_cast<std::size_t>(bytes.numel())));
  });
}

}  // namespace paribus::python

extern "C" {

/// The loader's (registry/loader): a descriptor that lives as long as the process. Throws Error.
__attribute__((visibility("default"))) const paribus::PartDescriptor* paribus_bridge_part(
    const char* made_from) {
  try {
    const auto object = nlohmann::json::parse(made_from);
    paribus::python::Setting setting;
    setting.program = object.at("python"), setting.package = object.at("package");
    object.at("path").get_to(setting.path);
    paribus::python::use(setting);
    return paribus::python::descriptor_of(object);
  } catch (const nlohmann::json::exception& problem) {
    throw paribus::Error(std::string("the bridge to Python was asked for nonsense: ") +
                         problem.what());
  }
}

/// The same: what all trials would do, before they fork.
__attribute__((visibility("default"))) void paribus_bridge_prepare() { paribus::python::start(); }
}
