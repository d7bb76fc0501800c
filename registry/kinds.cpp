// SPDX-License-Identifier: Apache-2.0
#include "registry/catalog.h"

namespace paribus::registry {

const std::vector<std::string>& kinds() {
  static const std::vector<std::string> kKinds{"dataset", "transform", "model",    "loss",
                                               "metric",  "optimizer", "schedule", "callback",
                                               "tracker", "search"};
  return kKinds;
}

}  // namespace paribus::registry
