// SPDX-License-Identifier: Apache-2.0
#include "paribus/factory.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <span>

namespace paribus {
namespace {

const FieldAccess& field_of(const PartDescriptor& descriptor, const std::string& name,
                            const PartSpec& spec) {
  for (const FieldAccess& field : std::span(descriptor.fields, descriptor.field_count)) {
    if (name == field.name) return field;
  }
  throw Error(spec.address + ": " + spec.kind + "/" + spec.use + " has no parameter '" + name +
              "'");
}

std::string shortest(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

bool allows(const FieldAccess& field, double value) {
  const auto [low, high] = field.bounds;
  return (field.low_open ? value > low : value >= low) &&
         (field.high_open ? value < high : value <= high);
}

std::string out_of_bounds(const PartBase& part, const FieldAccess& field, double value) {
  std::string text = part.address() + "." + field.name + ": got " + shortest(value) + ", expected";
  const auto [low, high] = field.bounds;
  const bool has_low = std::isfinite(low), has_high = std::isfinite(high);
  if (has_low) text += (field.low_open ? " above " : " at least ") + shortest(low);
  if (has_low && has_high) text += " and";
  if (has_high) text += (field.high_open ? " below " : " at most ") + shortest(high);
  return text + (has_low || has_high ? "" : " a number");
}

}  // namespace

Instance::Instance(const PartSpec& spec, const PartFactory& factory)
    : descriptor_(&factory.descriptor(spec.kind, spec.use)), part_(descriptor_->create()) {
  part_->set_address(spec.address);
  for (const auto& [name, value] : spec.params) {
    const FieldAccess& field = field_of(*descriptor_, name, spec);
    if (field.set == nullptr)
      throw Error(spec.address + "." + name + ": a slot can't take a plain value");
    try {
      field.set(*part_, values_.emplace_back(value));
    } catch (const std::bad_variant_access&) {
      throw Error(spec.address + "." + name +
                  ": the value given has another type than the parameter");
    }
    if (std::holds_alternative<std::int64_t>(value) && field.get(*part_) != value)
      throw Error(spec.address + "." + name + ": got " +
                  std::to_string(std::get<std::int64_t>(value)) +
                  ", which is more than the parameter can hold");
  }
  for (const auto& [name, slot] : spec.slots) {
    const FieldAccess& field = field_of(*descriptor_, name, spec);
    if (field.fill == nullptr) throw Error(spec.address + "." + name + ": not a slot for a part");
    inner_.push_back(std::make_unique<Instance>(slot, factory));
    field.fill(*part_, &inner_.back()->part());
  }
}

Instance::Parameter Instance::find(const std::string& address) const {
  const std::string& own = part_->address();
  if (address.size() <= own.size() || address.compare(0, own.size(), own) != 0 ||
      address[own.size()] != '.')
    return {};
  for (const auto& inner : inner_) {
    if (const Parameter found = inner->find(address)) return found;
  }
  const std::string name = address.substr(own.size() + 1);
  for (const FieldAccess& field : std::span(descriptor_->fields, descriptor_->field_count)) {
    if (name == field.name && field.set != nullptr) return {part_.get(), &field};
  }
  return {};
}

void Instance::each(const std::function<void(PartBase&)>& visit) const {
  visit(*part_);
  for (const auto& inner : inner_) inner->each(visit);
}

std::vector<std::string> Instance::numeric_addresses() const {
  std::vector<std::string> addresses;
  for (const FieldAccess& field : std::span(descriptor_->fields, descriptor_->field_count)) {
    const Value value = field.get(*part_);
    if (std::holds_alternative<double>(value) || std::holds_alternative<std::int64_t>(value)) {
      addresses.push_back(part_->address() + "." + field.name);
    }
  }
  for (const auto& inner : inner_) {
    for (std::string& address : inner->numeric_addresses()) addresses.push_back(std::move(address));
  }
  return addresses;
}

void Instance::Parameter::set(double value) const {
  if (!std::holds_alternative<std::int64_t>(field->get(*part))) {
    if (!allows(*field, value)) throw Error(out_of_bounds(*part, *field, value));
    return field->set(*part, value);
  }
  const std::int64_t before = std::get<std::int64_t>(field->get(*part));
  const bool fits = std::abs(value) < 0x1p62;  // false for NaN, too
  const Value whole = fits ? std::int64_t{std::llround(value)} : std::int64_t{0};
  if (fits) field->set(*part, whole);
  const bool holds = fits && field->get(*part) == whole;
  if (holds && allows(*field, std::round(value))) return;
  field->set(*part, before);
  if (holds) throw Error(out_of_bounds(*part, *field, value));
  throw Error(part->address() + "." + field->name + ": got " + std::to_string(value) +
              ", which an integer parameter can't hold");
}

double Instance::Parameter::get() const {
  const Value value = field->get(*part);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  throw Error(part->address() + "." + field->name + ": not a number");
}

}  // namespace paribus
