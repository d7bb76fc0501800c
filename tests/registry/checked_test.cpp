// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "registry/schema.h"
#include "temporary.h"

namespace paribus::registry {
namespace {

using test::error_of;
using Ints = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Texts = std::vector<std::string>;

FieldSchema of_type(FieldType type, const std::string& of = "") {
  FieldSchema field;
  field.name = "x";
  field.type = type;
  field.of = of;
  return field;
}

std::string refusal(const FieldSchema& field, const Value& value) {
  return error_of([&] { static_cast<void>(checked(field, value)); });
}

TEST(Checked, TakesWhatFits) {
  EXPECT_EQ(checked(of_type(FieldType::boolean), true), Value(true));
  EXPECT_EQ(checked(of_type(FieldType::integer), std::int64_t{3}), Value(std::int64_t{3}));
  EXPECT_EQ(checked(of_type(FieldType::real), 0.5), Value(0.5));
  EXPECT_EQ(checked(of_type(FieldType::text), std::string("a")), Value(std::string("a")));
  EXPECT_EQ(checked(of_type(FieldType::list, "string"), Texts{"a"}), Value(Texts{"a"}));
  EXPECT_EQ(checked(of_type(FieldType::part, "optimizer"), std::string("sgd")),
            Value(std::string("sgd")));
}

TEST(Checked, TakesAnIntegerWhereARealIsWanted) {
  EXPECT_EQ(checked(of_type(FieldType::real), std::int64_t{3}), Value(3.0));
  EXPECT_EQ(checked(of_type(FieldType::list, "float"), Ints{1, 2}), Value(Reals{1.0, 2.0}));
}

TEST(Checked, GivesAnEmptyListTheFieldsType) {
  EXPECT_EQ(checked(of_type(FieldType::list, "int"), Reals{}), Value(Ints{}));
  EXPECT_EQ(checked(of_type(FieldType::list, "float"), Ints{}), Value(Reals{}));
  EXPECT_EQ(checked(of_type(FieldType::list, "string"), Ints{}), Value(Texts{}));
}

TEST(Checked, BendsNothingElse) {
  EXPECT_EQ(refusal(of_type(FieldType::integer), 1.0), "got 1, expected an integer");
  EXPECT_EQ(refusal(of_type(FieldType::integer), true), "got true, expected an integer");
  EXPECT_EQ(refusal(of_type(FieldType::boolean), std::int64_t{1}), "got 1, expected true or false");
  EXPECT_EQ(refusal(of_type(FieldType::real), std::string("1")), "got \"1\", expected a number");
  EXPECT_EQ(refusal(of_type(FieldType::text), std::int64_t{1}), "got 1, expected a text in quotes");
  EXPECT_EQ(refusal(of_type(FieldType::list, "int"), Reals{1.5}),
            "got [1.5], expected a list of integers");
  EXPECT_EQ(refusal(of_type(FieldType::list, "int"), std::int64_t{1}),
            "got 1, expected a list of integers");
  EXPECT_EQ(refusal(of_type(FieldType::part, "optimizer"), 1.0),
            "got 1, expected the name of a part of kind optimizer, or a table with its `use`");
}

TEST(Checked, RefusesAnIntegerThatNoDoubleHolds) {
  const std::int64_t odd = (std::int64_t{1} << 53) + 1;
  EXPECT_EQ(refusal(of_type(FieldType::real), odd),
            "got 9007199254740993, expected a number; write it with a decimal point");
}

TEST(Checked, HoldsBounds) {
  FieldSchema field = of_type(FieldType::integer);
  field.min = 1;
  EXPECT_EQ(checked(field, std::int64_t{1}), Value(std::int64_t{1}));
  EXPECT_EQ(refusal(field, 1.5), "got 1.5, expected an integer of at least 1");
  EXPECT_EQ(refusal(field, std::int64_t{0}), "got 0, expected an integer of at least 1");
  field.max = 5;
  EXPECT_EQ(refusal(field, std::int64_t{6}),
            "got 6, expected an integer of at least 1 and at most 5");

  FieldSchema real = of_type(FieldType::real);
  real.above = 0;
  real.below = 1;
  EXPECT_EQ(checked(real, 0.5), Value(0.5));
  EXPECT_EQ(refusal(real, 0.0), "got 0, expected a number above 0 and below 1");
  EXPECT_EQ(refusal(real, std::int64_t{1}), "got 1, expected a number above 0 and below 1");

  FieldSchema list = of_type(FieldType::list, "float");
  list.max = 1;
  EXPECT_EQ(refusal(list, Reals{0.5, 1.5}),
            "got [0.5, 1.5], expected a list of numbers, each of at most 1");
}

TEST(Checked, BoundsAreExactForGreatIntegers) {
  FieldSchema field = of_type(FieldType::integer);
  field.max = 9007199254740992.0;  // 2^53: the next integer equals it once made a double
  EXPECT_NE(refusal(field, (std::int64_t{1} << 53) + 1), "no error");
  EXPECT_EQ(refusal(field, std::int64_t{1} << 53), "no error");
}

TEST(Checked, TakesNanAndInfinityOnlyWhereTheyAreTheDefault) {
  FieldSchema field = of_type(FieldType::real);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refusal(field, nan), "got nan, expected a finite number");
  field.default_value = nan;
  EXPECT_EQ(refusal(field, nan), "no error");
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal(field, infinity), "got inf, expected a finite number");
  field.default_value = infinity;
  EXPECT_EQ(refusal(field, infinity), "no error");
  EXPECT_EQ(refusal(field, -infinity), "got -inf, expected a finite number");
  EXPECT_EQ(refusal(field, nan), "got nan, expected a finite number");
}

TEST(Checked, HoldsChoicesAndNamesTheNearest) {
  FieldSchema field = of_type(FieldType::text);
  field.choices = {"mean", "sum"};
  EXPECT_EQ(checked(field, std::string("sum")), Value(std::string("sum")));
  EXPECT_EQ(refusal(field, std::string("maen")),
            "got \"maen\", expected one of \"mean\", \"sum\"; did you mean 'mean'?");
}

TEST(Checked, TakesNothingOnlyForOptionals) {
  FieldSchema field = of_type(FieldType::real);
  EXPECT_EQ(refusal(field, {}), "got nothing, expected a number");
  field.optional = true;
  EXPECT_EQ(checked(field, {}), Value());
}

TEST(Checked, ShowsLongValuesInShort) {
  const std::string long_text(1000, 'a');
  EXPECT_LT(refusal(of_type(FieldType::real), long_text).size(), 120U);
  EXPECT_EQ(refusal(of_type(FieldType::real), Reals(1000, 0.5)),
            "got [0.5, 0.5, 0.5, 0.5, ... 1000 in all], expected a number");
}

}  // namespace
}  // namespace paribus::registry
