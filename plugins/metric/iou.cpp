// SPDX-License-Identifier: Apache-2.0
#include "confusion.h"

/// Intersection over union of the guessed and the true places of a class (Jaccard), over the whole
/// split.
struct Iou : paribus::metrics::ClassMetric<Iou> {
  static constexpr const char* kName = "iou";
  static std::pair<double, double> ratio(double right, double guessed, double actual) {
    return {right, guessed + actual - right};
  }
};
PARIBUS_PART(Iou, "iou", "intersection over union of each class")
