// SPDX-License-Identifier: Apache-2.0
#include "paribus/manifest.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace paribus {
namespace {

std::string written(double value) {
  manifest_detail::Text text;
  text.number(value);
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) result += text.at(i);
  return result;
}

TEST(ManifestNumbers, AreWrittenAsPeopleWriteThem) {
  EXPECT_EQ(written(0.9), "0.9");
  EXPECT_EQ(written(1e-6), "1e-6") << "a double just below it";
  EXPECT_EQ(written(-0.0001), "-0.0001");
  EXPECT_EQ(written(1500), "1500.0");
  EXPECT_EQ(written(1e20), "1e20");
}

TEST(ManifestNumbers, ReadBackAsTheyWere) {
  for (int exponent = -20; exponent <= 20; ++exponent) {
    for (int digits = 1; digits < 1000; ++digits) {
      const std::string decimal = std::to_string(digits) + "e" + std::to_string(exponent);
      const double value = std::strtod(decimal.c_str(), nullptr);
      EXPECT_EQ(std::strtod(written(value).c_str(), nullptr), value) << decimal;
    }
  }
}

}  // namespace
}  // namespace paribus
