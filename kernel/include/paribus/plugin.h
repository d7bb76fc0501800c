// SPDX-License-Identifier: Apache-2.0
#pragma once

// What stands behind PARIBUS_PART. Authors need only the macro; each kind's header includes this
// file.

#include <torch/version.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "paribus/abi.h"
#include "paribus/manifest.h"
#include "paribus/part.h"

namespace paribus {

/// How the kernel reaches one parameter of a part of unknown type. A text set by `set` is referred
/// to, not copied: the Value must outlive the part. `fill` is null but for slots.
struct FieldAccess {
  const char* name;
  void (*set)(PartBase& part, const Value& value);
  Value (*get)(const PartBase& part);
  void (*fill)(PartBase& part, PartBase* inner);
  bool live = false;  // may change during training
  manifest_detail::Range bounds{};
  bool low_open = false, high_open = false;
};

/// The one thing that a plugin exports for each part, under the name that its manifest gives as
/// `symbol`.
struct PartDescriptor {
  const char* abi;
  const char* kind;
  const char* name;
  PartBase* (*create)();  // the caller owns it
  const FieldAccess* fields;
  std::size_t field_count;
};

namespace plugin_detail {

template <class T>
T from_value(const Value& value) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return std::get<std::string>(value);
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return static_cast<T>(std::get<std::int64_t>(value));
  } else if constexpr (manifest_detail::IsOptional<T>::value) {
    if (std::holds_alternative<std::monostate>(value)) return std::nullopt;
    return from_value<typename T::value_type>(value);
  } else {
    return std::get<T>(value);
  }
}

template <class T>
Value to_value(const T& value) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return std::string(value);
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (manifest_detail::IsOptional<T>::value) {
    return value ? to_value(*value) : Value{};
  } else if constexpr (manifest_detail::IsSlot<T>::value) {
    return std::string(value.default_use());
  } else {
    return value;
  }
}

template <class T, std::size_t kIndex>
constexpr FieldAccess access() {
  constexpr auto kField = std::get<kIndex>(T::Params::fields());
  using Member =
      std::remove_reference_t<decltype(std::declval<typename T::Params&>().*kField.member)>;
  FieldAccess result{
      kField.name.data(),        nullptr,         nullptr,         nullptr, kField.is_live,
      {kField.low, kField.high}, kField.low_open, kField.high_open};
  result.get = [](const PartBase& part) {
    return to_value(static_cast<const T&>(part).params.*
                    std::get<kIndex>(T::Params::fields()).member);
  };
  if constexpr (manifest_detail::IsSlot<Member>::value) {
    using Kind = typename manifest_detail::IsSlot<Member>::Kind;
    result.fill = [](PartBase& part, PartBase* inner) {
      (static_cast<T&>(part).params.*std::get<kIndex>(T::Params::fields()).member)
          .fill(dynamic_cast<Kind*>(inner));
    };
  } else {
    result.set = [](PartBase& part, const Value& value) {
      static_cast<T&>(part).params.*std::get<kIndex>(T::Params::fields()).member =
          from_value<Member>(value);
    };
  }
  return result;
}

template <class T>
inline constexpr auto kAccess = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
  return std::array<FieldAccess, sizeof...(kIndex)>{access<T, kIndex>()...};
}
(std::make_index_sequence<std::tuple_size_v<decltype(T::Params::fields())>>());

}  // namespace plugin_detail
}  // namespace paribus

/// Makes `Class` a part: `PARIBUS_PART(Lookahead, "lookahead", "k steps forward, one step back")`,
/// last in the file. Its kind is that of the base class; name, macro and file bear one name, in
/// lower snake_case.
#define PARIBUS_PART(Class, part_name, part_doc)                                                   \
  namespace {                                                                                      \
  [[gnu::used, gnu::section(".paribus")]] constexpr auto paribus_manifest_of_##Class = [] {        \
    constexpr paribus::manifest_detail::Identity kWho{part_name, part_doc, "paribus_part_" #Class, \
                                                      PARIBUS_ABI, TORCH_VERSION};                 \
    constexpr std::size_t kSize = paribus::manifest_detail::manifest<Class>(kWho).size();          \
    const auto text = paribus::manifest_detail::manifest<Class>(kWho);                             \
    std::array<char, kSize> bytes{};                                                               \
    for (std::size_t i = 0; i < kSize; ++i) bytes[i] = text.at(i);                                 \
    return bytes;                                                                                  \
  }();                                                                                             \
  }                                                                                                \
  extern "C" {                                                                                     \
  __attribute__((                                                                                  \
      visibility("default"))) extern const paribus::PartDescriptor paribus_part_##Class;           \
  const paribus::PartDescriptor paribus_part_##Class{                                              \
      PARIBUS_ABI,                                                                                 \
      Class::kKind.data(),                                                                         \
      part_name,                                                                                   \
      []() -> paribus::PartBase* { return std::make_unique<Class::Whole<Class>>().release(); },    \
      paribus::plugin_detail::kAccess<Class>.data(),                                               \
      paribus::plugin_detail::kAccess<Class>.size()};                                              \
  }
