// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "paribus/error.h"
#include "paribus/field.h"
#include "paribus/value.h"

namespace paribus {

class State;

/// What every part of every kind has in common. A part is a struct with a member `params` of a
/// nested type `Params`; the kernel fills `params` before it calls anything else and changes its
/// live fields between steps.
class __attribute__((visibility("default"))) PartBase {
 public:
  PartBase() = default;
  PartBase(const PartBase&) = delete;
  PartBase& operator=(const PartBase&) = delete;
  virtual ~PartBase() = default;

  /// Names every tensor and number that a resumed run needs and that is not a function of the
  /// position: one function for saving and loading (see state.h). Most parts have none.
  virtual void state(State& /*state*/) {}

  /// The class that is really made of a part's class: a kind may add what only the part's statics
  /// tell.
  template <class T>
  using Whole = T;

  /// Where the part stands in the study: `optimizer`, `optimizer.inner`, `callback.ema`,
  /// `data.transforms.crop`. It names the part's random stream, its state in checkpoints and its
  /// place in messages.
  [[nodiscard]] const std::string& address() const { return address_; }
  void set_address(std::string address) { address_ = std::move(address); }

 private:
  std::string address_;
};

/// A slot: a parameter that holds another part, e.g. `paribus::Part<paribus::Optimizer>
/// inner{"sgd"};`. The text is the name of the default part; an empty one leaves the slot empty
/// unless the study fills it. The kernel builds and owns the inner part; it lives as long as its
/// holder.
template <class Kind>
class Part {
 public:
  constexpr Part() = default;
  constexpr explicit Part(std::string_view use) : use_(use) {}

  Kind* operator->() const { return part_; }
  Kind& operator*() const { return *part_; }
  explicit operator bool() const { return part_ != nullptr; }

  [[nodiscard]] constexpr std::string_view default_use() const { return use_; }
  void fill(Kind* part) { part_ = part; }

 private:
  std::string_view use_;
  Kind* part_ = nullptr;
};

}  // namespace paribus
