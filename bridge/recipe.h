// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "interpreter.h"
#include "paribus/plugin.h"

namespace paribus::python {

/// What one Python part is made from, as the driver read it.
struct Recipe {
  std::string kind, name;  // "callback", "python:module:Name"
  std::string thing;       // "module:Name"
  std::string sha256;      // of its sources
  std::vector<std::string> reads, writes;
  bool maximize = false, training_only = false;
  std::string unit;
  std::vector<std::string> fields;

  std::vector<FieldAccess> access;
  PartDescriptor descriptor{};

  [[nodiscard]] std::string who() const { return kind + "/" + name; }
};

/// Our side of a part in Python; the object itself is made when it is first needed, since only then
/// all its parameters are there.
class Pythonic {
 public:
  explicit Pythonic(const Recipe& recipe) : recipe_(recipe), values_(recipe.fields.size()) {}
  Pythonic(const Pythonic&) = delete;
  Pythonic& operator=(const Pythonic&) = delete;
  virtual ~Pythonic();

  void set(std::size_t field, const Value& value);
  [[nodiscard]] const Value& get(std::size_t field) const { return values_[field]; }
  [[nodiscard]] const Recipe& recipe() const { return recipe_; }

 protected:
  /// The object of class paribus.bridge.<Kind> that speaks for the part. REQUIRES: a Lock is held.
  py::object& adapter() const;
  /// Runs `work` on it; what Python raises is told in the part's name.
  template <class Work>
  auto on(const Work& work) const {
    return locked(recipe_.who(), [&] { return work(adapter()); });
  }
  /// The adapter's state as bytes.
  void keep(State& state) const;
  /// Of a field of that name, or `otherwise`.
  [[nodiscard]] double number(const std::string& field, double otherwise) const;

 private:
  const Recipe& recipe_;
  std::vector<Value> values_;
  mutable py::object adapter_;
};

py::object to_python(const Value& value);

/// A new part of this recipe's kind.
PartBase* made(const Recipe& recipe);

}  // namespace paribus::python
