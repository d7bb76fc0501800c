// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>

namespace paribus {

/// One parameter of a part: name, member, one-line doc, and what its value may be. Everything in it
/// ends in the plugin's manifest, where the study is checked against it without running the plugin.
///
/// Types: bool, int, int64_t, double, std::string_view, std::vector of int64_t or double,
/// std::optional of a number, and Part<Kind>. A string_view given by a study lives as long as the
/// part.
///
///     static constexpr auto fields() {
///       return std::tuple{paribus::field("lr", &Params::lr, "learning rate").above(0).live(),
///                         paribus::field("inner", &Params::inner, "the optimizer that makes the
///                         steps")};
///     }
template <class Owner, class T>
struct Field {
  static constexpr std::size_t kMaxChoices = 8;

  std::string_view name;
  T Owner::*member;
  std::string_view doc;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool high_open = false;
  bool is_live = false;
  std::string_view unit_text{};
  std::array<std::string_view, kMaxChoices> choices{};
  std::size_t choice_count = 0;

  /// Bounds; for lists they hold for every element.
  [[nodiscard]] constexpr Field at_least(double bound) const {
    return with([&](Field& f) { f.low = bound; });
  }
  [[nodiscard]] constexpr Field at_most(double bound) const {
    return with([&](Field& f) { f.high = bound; });
  }
  [[nodiscard]] constexpr Field above(double bound) const {
    return with([&](Field& f) { f.low = bound, f.low_open = true; });
  }
  [[nodiscard]] constexpr Field below(double bound) const {
    return with([&](Field& f) { f.high = bound, f.high_open = true; });
  }
  /// A schedule may change it during training.
  [[nodiscard]] constexpr Field live() const {
    return with([](Field& f) { f.is_live = true; });
  }
  [[nodiscard]] constexpr Field unit(std::string_view text) const {
    return with([&](Field& f) { f.unit_text = text; });
  }
  /// For string_view: the only texts allowed.
  template <class... Text>
  [[nodiscard]] constexpr Field one_of(Text... text) const {
    static_assert(sizeof...(Text) <= kMaxChoices);
    return with([&](Field& f) {
      f.choices = {std::string_view(text)...}, f.choice_count = sizeof...(Text);
    });
  }

 private:
  template <class Change>
  [[nodiscard]] constexpr Field with(Change change) const {
    Field copy = *this;
    change(copy);
    return copy;
  }
};

template <class Owner, class T>
constexpr Field<Owner, T> field(std::string_view name, T Owner::*member, std::string_view doc) {
  return {.name = name, .member = member, .doc = doc};
}

/// For a part without parameters: `struct Params { static constexpr auto fields() { return
/// paribus::no_fields(); } }`.
constexpr std::tuple<> no_fields() { return {}; }

}  // namespace paribus
