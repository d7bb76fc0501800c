// SPDX-License-Identifier: Apache-2.0
#include "resnet.h"

/// Pairs of convolutions, 2, 2, 2, 2 of them; 11.7 million weights at 1000 classes.
struct ResNet18 : paribus::models::ResNet {
  ResNet18() : ResNet("resnet18", {2, 2, 2, 2}, false) {}
};
PARIBUS_PART(ResNet18, "resnet18", "residual network of 18 layers (He et al. 2015)")
