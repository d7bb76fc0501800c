// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a part describes itself: JSON text made at compile time, kept in the ELF section `.paribus`,
// one line per part. It is read from the file without running the plugin (see registry/).
// docs/manifest.md lists its keys.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "paribus/field.h"

namespace paribus {

template <class Kind>
class Part;

namespace manifest_detail {

/// Text of bounded size, since constexpr std::string can't outlive the evaluation in every compiler
/// we serve.
class Text {
 public:
  constexpr void raw(std::string_view text) {
    for (char c : text) put(c);
  }
  constexpr void quoted(std::string_view text) {
    put('"');
    for (char c : text) {
      if (c == '"' || c == '\\') put('\\');
      if (c == '\n') {
        raw("\\n");
      } else {
        put(c);
      }
    }
    put('"');
  }
  constexpr void integer(std::int64_t value) {
    if (value < 0) put('-');
    std::uint64_t rest =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    digits(rest);
  }
  constexpr void number(double value);
  constexpr void key(std::string_view name) {
    if (data_[size_ - 1] != '{') put(',');
    quoted(name);
    put(':');
  }
  constexpr void put(char c) {
    if (size_ == kCapacity) throw "the manifest of a part is longer than 16 KiB";
    data_[size_++] = c;
  }
  [[nodiscard]] constexpr std::size_t size() const { return size_; }
  [[nodiscard]] constexpr char at(std::size_t i) const { return data_[i]; }

 private:
  static constexpr std::size_t kCapacity = 16384;

  constexpr void decimal(std::uint64_t whole, int digit_count, int exponent);

  constexpr void digits(std::uint64_t value) {
    std::array<char, 20> buffer{};
    std::size_t n = 0;
    do buffer[n++] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    while (n != 0) put(buffer[--n]);
  }

  std::array<char, kCapacity> data_{};
  std::size_t size_ = 0;
};

/// The shortest decimal that reads back as `value`; good for what people write as defaults and
/// bounds (at most 17 digits, |exponent| <= 27 exactly). A test compares every shipped default with
/// what its manifest says.
constexpr void Text::number(double value) {
  if (value != value) return raw("\"nan\"");
  if (value == std::numeric_limits<double>::infinity()) return raw("\"inf\"");
  if (value == -std::numeric_limits<double>::infinity()) return raw("\"-inf\"");
  if (value < 0) put('-'), value = -value;
  if (value == 0) return raw("0.0");
  int exponent = 0;  // value = m * 10^exponent with 1 <= m < 10
  long double m = value;
  while (m >= 10) m /= 10, ++exponent;
  while (m < 1) m *= 10, --exponent;
  for (int count = 1; count <= 17; ++count) {
    const int shift = count - 1 - exponent;
    long double power = 1;
    for (int i = 0; i < (shift < 0 ? -shift : shift); ++i) power *= 10;
    const long double scaled = shift >= 0 ? value * power : value / power;
    const auto whole = static_cast<std::uint64_t>(scaled + 0.5L);  // NOLINT: no lround in constexpr
    const long double back = shift >= 0 ? whole / power : whole * power;
    if (static_cast<double>(back) != value && count != 17) continue;
    std::uint64_t end = 1;
    for (int i = 0; i < count; ++i) end *= 10;
    // 9.99...: rounded, it has a digit more.
    return whole == end ? decimal(whole / 10, count, exponent + 1)
                        : decimal(whole, count, exponent);
  }
}

/// `digit_count` significant digits with the point after the first, times 10^exponent, as people
/// write it.
constexpr void Text::decimal(std::uint64_t whole, int digit_count, int exponent) {
  std::array<char, 20> digit{};
  for (int i = digit_count; i-- > 0; whole /= 10)
    digit[static_cast<std::size_t>(i)] = static_cast<char>('0' + whole % 10);
  const bool plain = exponent >= -4 && exponent < 15;
  const int point = plain ? exponent : 0;  // the point stands after this digit
  for (int i = point < 0 ? point : 0; i < digit_count || i <= point; ++i) {
    put(i >= 0 && i < digit_count ? digit[static_cast<std::size_t>(i)] : '0');
    if (i == point && (plain || digit_count > 1)) put('.');
  }
  if (plain && digit_count <= point + 1) put('0');
  if (!plain) put('e'), integer(exponent);
}

template <class T>
struct IsSlot : std::false_type {};
template <class K>
struct IsSlot<Part<K>> : std::true_type {
  using Kind = K;
};
template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

template <class T>
constexpr std::string_view type_name() {
  if constexpr (std::is_same_v<T, bool>) return "bool";
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return "int";
  if constexpr (std::is_floating_point_v<T>) return "float";
  if constexpr (std::is_same_v<T, std::string_view>) return "string";
  if constexpr (IsSlot<T>::value) return "part";
  if constexpr (IsList<T>::value) return "list";
  if constexpr (IsOptional<T>::value) return type_name<typename T::value_type>();
}

template <class T>
constexpr void put_value(Text& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out.raw(value ? "true" : "false");
  } else if constexpr (std::is_integral_v<T>) {
    out.integer(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    out.number(value);
  } else if constexpr (IsSlot<T>::value) {
    out.quoted(value.default_use());
  } else if constexpr (IsOptional<T>::value) {
    if (value) {
      put_value(out, *value);
    } else {
      out.raw("null");
    }
  } else if constexpr (IsList<T>::value) {
    out.put('[');
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i != 0) out.put(',');
      put_value(out, value[i]);
    }
    out.put(']');
  } else {
    out.quoted(value);
  }
}

/// The range of an integer narrower than 64 bits (also within an optional), which a study must not
/// leave.
template <class T>
constexpr Range range() {
  if constexpr (IsOptional<T>::value) {
    return range<typename T::value_type>();
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool> && sizeof(T) < 8) {
    return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  } else {
    return {};
  }
}

template <class Params, class Owner, class T>
constexpr void put_field(Text& out, const Params& defaults, const Field<Owner, T>& field) {
  if (out.at(out.size() - 1) == '}') out.put(',');
  out.put('{');
  out.key("name"), out.quoted(field.name);
  out.key("type"), out.quoted(type_name<T>());
  if constexpr (IsList<T>::value) out.key("of"), out.quoted(type_name<typename T::value_type>());
  if constexpr (IsSlot<T>::value) out.key("of"), out.quoted(IsSlot<T>::Kind::kKind);
  if constexpr (IsOptional<T>::value) out.key("optional"), out.raw("true");
  out.key("default"), put_value(out, defaults.*field.member);
  constexpr Range kWhole = range<T>();
  if (field.low > kWhole.low) {
    out.key(field.low_open ? "above" : "min"), out.number(field.low);
  } else if (kWhole.low != Range{}.low) {
    out.key("min"), out.number(kWhole.low);
  }
  if (field.high < kWhole.high) {
    out.key(field.high_open ? "below" : "max"), out.number(field.high);
  } else if (kWhole.high != Range{}.high) {
    out.key("max"), out.number(kWhole.high);
  }
  if (field.choice_count != 0) {
    out.key("choices"), out.put('[');
    for (std::size_t i = 0; i < field.choice_count; ++i) {
      if (i != 0) out.put(',');
      out.quoted(field.choices[i]);
    }
    out.put(']');
  }
  if (!field.unit_text.empty()) out.key("unit"), out.quoted(field.unit_text);
  if (field.is_live) out.key("live"), out.raw("true");
  out.key("doc"), out.quoted(field.doc);
  out.put('}');
}

/// The instruction-set level that the compiler was told it may use, after the x86-64 psABI.
constexpr std::string_view cpu_baseline() {
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
  return "x86-64-v4";
#elif defined(__AVX2__) && defined(__FMA__)
  return "x86-64-v3";
#elif defined(__SSE4_2__)
  return "x86-64-v2";
#elif defined(__x86_64__)
  return "x86-64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "unknown";
#endif
}

constexpr std::string_view compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

struct Identity {
  std::string_view name, doc, symbol, abi, torch;
};

template <class T>
constexpr Text manifest(const Identity& who) {
  Text out;
  out.put('{');
  out.key("paribus"), out.integer(1);
  out.key("kind"), out.quoted(T::kKind);
  out.key("name"), out.quoted(who.name);
  out.key("doc"), out.quoted(who.doc);
  out.key("symbol"), out.quoted(who.symbol);
  out.key("abi"), out.quoted(who.abi);
  out.key("libtorch"), out.quoted(who.torch);
  out.key("compiler"), out.quoted(compiler());
  out.key("cpu"), out.quoted(cpu_baseline());
  T::describe(out, static_cast<const T*>(
                       nullptr));  // what only this kind has: files, goal, reads and writes
  out.key("params"), out.put('[');
  typename T::Params defaults{};  // not const: g++ 12 can't make a const vector at compile time
  std::apply([&](const auto&... field) { (put_field(out, defaults, field), ...); },
             T::Params::fields());
  out.raw("]}\n");
  return out;
}

}  // namespace manifest_detail
}  // namespace paribus
