// SPDX-License-Identifier: Apache-2.0
#include "confusion.h"

/// Of what was guessed to be of a class, the share that is.
struct Precision : paribus::metrics::ClassMetric<Precision> {
  static constexpr const char* kName = "precision";
  static std::pair<double, double> ratio(double right, double guessed, double /*actual*/) {
    return {right, guessed};
  }
};
PARIBUS_PART(Precision, "precision", "share of the guesses of a class that are right")
