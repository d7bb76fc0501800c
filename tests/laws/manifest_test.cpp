// SPDX-License-Identifier: Apache-2.0
// What a manifest says of a part is what its code does, for every part that ships: the study is
// checked against the one and trained with the other.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>

#include "paribus/factory.h"
#include "registry/catalog.h"
#include "registry/loader/loader.h"

namespace paribus {
namespace {

using registry::FieldSchema;
using registry::FieldType;
using registry::PartSchema;

constexpr double kVast = 0x1p62;  // no int holds it

const registry::Catalog& catalog() {
  static const registry::Catalog kCatalog = registry::Catalog::scan({PARIBUS_PLUGIN_DIR});
  return kCatalog;
}

const registry::Loader& loader() {
  static const registry::Loader* const kLoader = [] {
    auto made = std::make_unique<registry::Loader>();
    for (const PartSchema& part : catalog().parts()) made->load(part);
    return made.release();
  }();
  return *kLoader;
}

/// A part as a study without a word about it would have it.
class Subject {
 public:
  explicit Subject(const PartSchema& part)
      : part_(part), instance_({part.kind, part.name, "part", {}, {}}, loader()) {}

  [[nodiscard]] const std::vector<FieldSchema>& fields() const { return part_.fields; }
  [[nodiscard]] const Instance& instance() const { return instance_; }
  [[nodiscard]] std::span<const FieldAccess> accesses() const {
    const PartDescriptor& descriptor = loader().descriptor(part_.kind, part_.name);
    return {descriptor.fields, descriptor.field_count};
  }
  [[nodiscard]] const FieldAccess& access(const FieldSchema& field) const {
    for (const FieldAccess& access : accesses()) {
      if (field.name == access.name) return access;
    }
    throw Error("the code has no parameter '" + field.name + "'");
  }
  [[nodiscard]] Value get(const FieldSchema& field) const {
    return access(field).get(instance_.part());
  }

  /// That a study may give this value, and that it reaches the part as it is.
  void expect_arrives(const FieldSchema& field, const Value& value) const {
    SCOPED_TRACE(field.name + " = " + registry::to_json(value).dump());
    const Value taken = registry::checked(field, value);
    access(field).set(instance_.part(), taken);
    EXPECT_EQ(get(field), value);
    access(field).set(instance_.part(), field.default_value);  // a text must outlive the part
  }

 private:
  const PartSchema& part_;
  Instance instance_;
};

void expect_refused(const FieldSchema& field, const Value& value) {
  EXPECT_THROW(registry::checked(field, value), Error)
      << field.name << " = " << registry::to_json(value).dump();
}

/// Each parameter of each part.
template <class Visit>
void each_field(Visit visit) {
  for (const PartSchema& part : catalog().parts()) {
    SCOPED_TRACE(part.kind + '/' + part.name);
    const Subject subject(part);
    for (const FieldSchema& field : part.fields) visit(subject, field);
  }
}

/// A number as the field's type writes it; a list of one number for lists.
Value as_value(const FieldSchema& field, double number) {
  const bool list = field.type == FieldType::list;
  const bool whole = field.of == "int" || field.type == FieldType::integer;
  const auto rounded = static_cast<std::int64_t>(number);
  if (list && whole) return std::vector<std::int64_t>{rounded};
  if (list) return std::vector<double>{number};
  if (whole) return rounded;
  return number;
}

bool is_number(const FieldSchema& field) {
  return field.type == FieldType::integer || field.type == FieldType::real ||
         (field.type == FieldType::list && field.of != "string");
}

/// Just inside and just outside an open bound, at and beyond a closed one.
double step_from(const FieldSchema& field, double bound, double towards) {
  const bool whole = field.type == FieldType::integer || field.of == "int";
  return whole ? bound + (towards > bound ? 1 : -1) : std::nextafter(bound, towards);
}

TEST(Manifest, NamesTheParametersOfTheCodeInTheirOrder) {
  for (const PartSchema& part : catalog().parts()) {
    std::vector<std::string> stated, coded;
    for (const FieldSchema& field : part.fields) stated.push_back(field.name);
    for (const FieldAccess& access : Subject(part).accesses()) coded.emplace_back(access.name);
    EXPECT_EQ(stated, coded) << part.kind << '/' << part.name;
  }
}

TEST(Manifest, StatesTheDefaultsOfTheCode) {
  each_field([](const Subject& part, const FieldSchema& field) {
    EXPECT_EQ(part.get(field), field.default_value)
        << field.name << ": the manifest says " << registry::to_json(field.default_value)
        << ", the code " << registry::to_json(part.get(field));
  });
}

TEST(Manifest, StatesDefaultsThatAStudyMayGive) {
  each_field([](const Subject& part, const FieldSchema& field) {
    const bool left_out = std::holds_alternative<std::monostate>(field.default_value);
    EXPECT_FALSE(left_out && !field.optional) << field.name;
    if (field.type != FieldType::part && !left_out) part.expect_arrives(field, field.default_value);
  });
}

TEST(Manifest, StatesSlotsThatTheCodeHas) {
  each_field([](const Subject& part, const FieldSchema& field) {
    const bool slot = field.type == FieldType::part;
    EXPECT_EQ(part.access(field).fill != nullptr, slot) << field.name;
    EXPECT_EQ(part.access(field).set == nullptr, slot) << field.name;
    if (!slot) return;
    const std::string use = std::get<std::string>(field.default_value);
    EXPECT_TRUE(use.empty() || catalog().find(field.of, use) != nullptr)
        << field.name << ": no part " << field.of << '/' << use << " ships";
  });
}

TEST(Manifest, StatesTypesThatTheCodeTakes) {
  each_field([](const Subject& part, const FieldSchema& field) {
    if (field.type == FieldType::boolean) {
      part.expect_arrives(field, true);
      part.expect_arrives(field, false);
    } else if (field.type == FieldType::text && field.choices.empty()) {
      part.expect_arrives(field, std::string("some text"));
    } else if (field.type == FieldType::list && field.of == "string") {
      part.expect_arrives(field, std::vector<std::string>{"a", "b"});
    }
    for (const std::string& choice : field.choices) part.expect_arrives(field, choice);
    if (!field.choices.empty()) expect_refused(field, std::string("no such choice"));
    if (is_number(field)) expect_refused(field, std::string("no number"));
  });
}

void expect_lower_bound(const Subject& part, const FieldSchema& field) {
  const double infinity = std::numeric_limits<double>::infinity();
  if (field.min) {
    part.expect_arrives(field, as_value(field, *field.min));
    expect_refused(field, as_value(field, step_from(field, *field.min, -infinity)));
  } else if (field.above) {
    part.expect_arrives(field, as_value(field, step_from(field, *field.above, infinity)));
    expect_refused(field, as_value(field, *field.above));
  } else {
    part.expect_arrives(field, as_value(field, -kVast));
  }
}

void expect_upper_bound(const Subject& part, const FieldSchema& field) {
  const double infinity = std::numeric_limits<double>::infinity();
  if (field.max) {
    part.expect_arrives(field, as_value(field, *field.max));
    expect_refused(field, as_value(field, step_from(field, *field.max, infinity)));
  } else if (field.below) {
    part.expect_arrives(field, as_value(field, step_from(field, *field.below, -infinity)));
    expect_refused(field, as_value(field, *field.below));
  } else {
    part.expect_arrives(field, as_value(field, kVast));
  }
}

/// What the manifest allows, the code must be able to hold: a narrow integer needs a bound.
TEST(Manifest, StatesBoundsThatTheCodeCanHold) {
  each_field([](const Subject& part, const FieldSchema& field) {
    if (!is_number(field)) return;
    expect_lower_bound(part, field);
    expect_upper_bound(part, field);
  });
}

TEST(Manifest, StatesLiveParametersThatAScheduleCanDrive) {
  each_field([](const Subject& part, const FieldSchema& field) {
    if (!field.live) return;
    const Instance::Parameter parameter = part.instance().find("part." + field.name);
    ASSERT_TRUE(parameter) << field.name;
    const double inside = field.max.value_or(field.min.value_or(field.above.value_or(0) + 0.5));
    parameter.set(inside);
    EXPECT_EQ(parameter.get(), inside) << field.name;
  });
}

TEST(Manifest, StandsInEveryFileOfTheBuiltInFolder) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PARIBUS_PLUGIN_DIR))
    files += entry.path().extension() == ".so" ? 1 : 0;
  EXPECT_GT(files, 20U);
  EXPECT_EQ(catalog().parts().size(), files);
  EXPECT_TRUE(catalog().refusals().empty());
}

}  // namespace
}  // namespace paribus
