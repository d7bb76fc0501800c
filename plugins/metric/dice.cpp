// SPDX-License-Identifier: Apache-2.0
#include "confusion.h"

/// 2 |A and B| / (|A| + |B|), A and B the guessed and the true places of a class, over the whole
/// split; for items it is F1.
struct DiceScore : paribus::metrics::ClassMetric<DiceScore> {
  static constexpr const char* kName = "dice";
  static std::pair<double, double> ratio(double right, double guessed, double actual) {
    return {2 * right, guessed + actual};
  }
};
PARIBUS_PART(DiceScore, "dice", "overlap of the guessed and the true places of each class")
