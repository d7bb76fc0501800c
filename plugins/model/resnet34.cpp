// SPDX-License-Identifier: Apache-2.0
#include "resnet.h"

/// Pairs of convolutions, 3, 4, 6, 3 of them; 21.8 million weights at 1000 classes.
struct ResNet34 : paribus::models::ResNet {
  ResNet34() : ResNet("resnet34", {3, 4, 6, 3}, false) {}
};
PARIBUS_PART(ResNet34, "resnet34", "residual network of 34 layers (He et al. 2015)")
