// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "begin.h"

namespace {

struct Thrower {
  Thrower() {
    show_that_it_ran();
    throw std::runtime_error("thrown as it is loaded");
  }
} thrower;

}  // namespace
