// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of errors and their texts share.

#include <gtest/gtest.h>

#include <string>

#include "paribus/error.h"

namespace paribus::test {

/// The text of the Error that `act` throws; a failure if it throws none.
template <class Act>
std::string error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
#define EXPECT_TEXT(text, part)                    \
  EXPECT_TRUE(paribus::test::contains(text, part)) \
      << "got: " << (text) << "\nexpected in it: " << (part)

}  // namespace paribus::test
