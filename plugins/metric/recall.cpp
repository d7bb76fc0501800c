// SPDX-License-Identifier: Apache-2.0
#include "confusion.h"

/// Of what is of a class, the share that was found; of one class it is that class's accuracy, and
/// the macro average is balanced accuracy.
struct Recall : paribus::metrics::ClassMetric<Recall> {
  static constexpr const char* kName = "recall";
  static std::pair<double, double> ratio(double right, double /*guessed*/, double actual) {
    return {right, actual};
  }
};
PARIBUS_PART(Recall, "recall", "share of the items of a class that are found (balanced accuracy)")
