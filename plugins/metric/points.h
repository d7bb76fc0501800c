// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ops/tensor.h>
#include <paribus/images.h>

#include "errors.h"

namespace paribus::metrics {

/// How far each predicted point is from its own, N K, in pixels of the images that the model sees.
inline at::Tensor distances(const std::string& who, const Outputs& outputs, const Batch& batch,
                            ImageSize size) {
  if (!batch.targets.front().type->is(kPoints)) {
    throw Error("metric/" + who + ": the target is " +
                std::string(batch.targets.front().type->name) +
                ", expected points; for other real values take mae or rmse");
  }
  const auto [output, target] = real_values(who, outputs, batch);
  const at::Tensor half =
      at::tensor({static_cast<double>(size.width) / 2, static_cast<double>(size.height) / 2},
                 output.options());
  return output.sub(target).mul(half).square().sum(-1).sqrt();
}

/// Of the batch's images. Throws Error where it has none.
inline ImageSize pixels(const std::string& who, const Batch& batch) {
  const ImageSize size = image_size(batch);
  if (size.height > 0) return size;
  throw Error("metric/" + who +
              ": the data hold no images, so points have no place in pixels; "
              "take mae");
}

}  // namespace paribus::metrics
