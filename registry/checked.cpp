// SPDX-License-Identifier: Apache-2.0
// Whether a value may stand in a field, and the words for it when it may not.

#include <fmt/format.h>

#include <cmath>

#include "paribus/error.h"
#include "registry/nearest.h"
#include "registry/schema.h"

namespace paribus::registry {
namespace {

constexpr std::size_t kShown = 60;  // bytes of a text that a message repeats
constexpr std::int64_t kExact = std::int64_t{1} << 53;

std::string shown(double value) { return fmt::format("{}", value); }
std::string shown(std::int64_t value) { return fmt::format("{}", value); }
std::string shown(bool value) { return value ? "true" : "false"; }
std::string shown(std::monostate /*nothing*/) { return "nothing"; }
std::string shown(const std::string& value) {
  if (value.size() <= kShown) return fmt::format("\"{}\"", value);
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U)
    --end;  // not within a character
  return fmt::format("\"{}...\"", value.substr(0, end));
}
template <class T>
std::string shown(const std::vector<T>& list) {
  std::string text = "[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i == 4) return text + fmt::format(", ... {} in all]", list.size());
    text += fmt::format("{}{}", i == 0 ? "" : ", ", shown(list[i]));
  }
  return text + "]";
}

std::string bounds_in_words(const FieldSchema& field) {
  std::string text;
  const auto add = [&](const char* words, const std::optional<double>& bound) {
    if (bound) text += fmt::format("{}{} {}", text.empty() ? " " : " and ", words, *bound);
  };
  add("of at least", field.min);
  add("above", field.above);
  add(field.min ? "at most" : "of at most", field.max);
  add("below", field.below);
  return text;
}

std::string choices_in_words(const FieldSchema& field) {
  std::string text = "one of ";
  for (std::size_t i = 0; i < field.choices.size(); ++i)
    text += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", field.choices[i]);
  return text;
}

std::string list_in_words(const FieldSchema& field) {
  const std::string bounds = bounds_in_words(field);
  const std::string each = bounds.empty() ? "" : ", each" + bounds;
  if (field.of == "int") return "a list of integers" + each;
  if (field.of == "float") return "a list of numbers" + each;
  return "a list of texts" + (field.choices.empty() ? "" : ", each " + choices_in_words(field));
}

std::string expected(const FieldSchema& field) {
  switch (field.type) {
    case FieldType::boolean:
      return "true or false";
    case FieldType::integer:
      return "an integer" + bounds_in_words(field);
    case FieldType::real:
      return "a number" + bounds_in_words(field);
    case FieldType::text:
      return field.choices.empty() ? "a text in quotes" : choices_in_words(field);
    case FieldType::list:
      return list_in_words(field);
    case FieldType::part:
      return fmt::format("the name of a part of kind {}, or a table with its `use`", field.of);
  }
  return "";
}

[[noreturn]] void refuse(const FieldSchema& field, const Value& value,
                         const std::string& hint = "") {
  const std::string got = std::visit([](const auto& held) { return shown(held); }, value);
  const auto* number = std::get_if<double>(&value);
  const bool is_endless = number != nullptr && !std::isfinite(*number);
  const std::string wanted = is_endless && field.type == FieldType::real
                                 ? "a finite number" + bounds_in_words(field)
                                 : expected(field);
  throw Error(fmt::format("got {}, expected {}{}", got, wanted, hint));
}

/// Whether the default isn't finite either, so that a study may repeat it; elsewhere NaN and
/// infinity are slips.
bool may_be(const FieldSchema& field, double value) {
  const auto* number = std::get_if<double>(&field.default_value);
  if (number == nullptr) return false;
  return std::isnan(value) ? std::isnan(*number) : *number == value;
}

template <class Number>
bool within(const FieldSchema& field, Number number) {
  const auto value = static_cast<long double>(number);  // holds every int64 and double exactly
  if (!std::isfinite(value)) return may_be(field, static_cast<double>(number));
  return !(field.min && value < *field.min) && !(field.above && value <= *field.above) &&
         !(field.max && value > *field.max) && !(field.below && value >= *field.below);
}

bool is_choice(const FieldSchema& field, const std::string& text) {
  if (field.choices.empty()) return true;
  for (const std::string& choice : field.choices) {
    if (choice == text) return true;
  }
  return false;
}

bool is_exact(std::int64_t number) { return number >= -kExact && number <= kExact; }

/// An empty list has no element type of its own: it fits every list.
bool is_empty_list(const Value& value) {
  const auto empty = []<class T>(const std::vector<T>* list) {
    return list != nullptr && list->empty();
  };
  return empty(std::get_if<std::vector<std::int64_t>>(&value)) ||
         empty(std::get_if<std::vector<double>>(&value)) ||
         empty(std::get_if<std::vector<std::string>>(&value));
}

Value checked_real(const FieldSchema& field, const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    if (!is_exact(*whole)) refuse(field, value, "; write it with a decimal point");
    return checked_real(field, static_cast<double>(*whole));
  }
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr || !within(field, *number)) refuse(field, value);
  return value;
}

Value checked_integers(const FieldSchema& field, const Value& value) {
  if (is_empty_list(value)) return std::vector<std::int64_t>{};
  const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
  if (list == nullptr) refuse(field, value);
  for (const std::int64_t element : *list) {
    if (!within(field, element)) refuse(field, value);
  }
  return value;
}

Value checked_reals(const FieldSchema& field, const Value& value) {
  if (is_empty_list(value)) return std::vector<double>{};
  std::vector<double> result;
  if (const auto* whole = std::get_if<std::vector<std::int64_t>>(&value)) {
    for (const std::int64_t element : *whole) {
      if (!is_exact(element)) refuse(field, value, "; write it with a decimal point");
      result.push_back(static_cast<double>(element));
    }
  } else if (const auto* list = std::get_if<std::vector<double>>(&value)) {
    result = *list;
  } else {
    refuse(field, value);
  }
  for (const double element : result) {
    if (!within(field, element)) refuse(field, value);
  }
  return result;
}

Value checked_texts(const FieldSchema& field, const Value& value) {
  if (is_empty_list(value)) return std::vector<std::string>{};
  const auto* list = std::get_if<std::vector<std::string>>(&value);
  if (list == nullptr) refuse(field, value);
  for (const std::string& element : *list) {
    if (!is_choice(field, element)) refuse(field, value, did_you_mean(element, field.choices));
  }
  return value;
}

Value checked_text(const FieldSchema& field, const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) refuse(field, value);
  if (!is_choice(field, *text)) refuse(field, value, did_you_mean(*text, field.choices));
  return value;
}

}  // namespace

Value checked(const FieldSchema& field, const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) {
    if (!field.optional) refuse(field, value);
    return value;
  }
  switch (field.type) {
    case FieldType::boolean:
      if (!std::holds_alternative<bool>(value)) refuse(field, value);
      return value;
    case FieldType::integer: {
      const auto* number = std::get_if<std::int64_t>(&value);
      if (number == nullptr || !within(field, *number)) refuse(field, value);
      return value;
    }
    case FieldType::real:
      return checked_real(field, value);
    case FieldType::text:
      return checked_text(field, value);
    case FieldType::list:
      if (field.of == "int") return checked_integers(field, value);
      return field.of == "float" ? checked_reals(field, value) : checked_texts(field, value);
    case FieldType::part:
      if (!std::holds_alternative<std::string>(value)) refuse(field, value);
      return value;
  }
  return value;
}

}  // namespace paribus::registry
