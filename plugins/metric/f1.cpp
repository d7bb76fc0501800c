// SPDX-License-Identifier: Apache-2.0
#include "confusion.h"

/// The harmonic mean of precision and recall of a class, 2 right / (guessed + actual).
struct F1 : paribus::metrics::ClassMetric<F1> {
  static constexpr const char* kName = "f1";
  static std::pair<double, double> ratio(double right, double guessed, double actual) {
    return {2 * right, guessed + actual};
  }
};
PARIBUS_PART(F1, "f1", "harmonic mean of precision and recall")
