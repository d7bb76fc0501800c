// SPDX-License-Identifier: Apache-2.0
#include "resnet.h"

/// Bottlenecks, 3, 4, 6, 3 of them; 25.6 million weights at 1000 classes.
struct ResNet50 : paribus::models::ResNet {
  ResNet50() : ResNet("resnet50", {3, 4, 6, 3}, true) {}
};
PARIBUS_PART(ResNet50, "resnet50", "residual network of 50 layers (He et al. 2015)")
