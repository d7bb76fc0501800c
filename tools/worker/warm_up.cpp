// SPDX-License-Identifier: Apache-2.0
#include "warm_up.h"

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "registry/sha256.h"

namespace paribus::worker {

void warm_up() {
  static_cast<void>(registry::sha256(""));  // OpenSSL reads its configuration
  const at::Tensor input = at::ones({16, 64});
  const at::Tensor target = at::zeros({16}, at::kLong);
  std::vector<at::Tensor> weights{at::ones({32, 64}), at::zeros({32}), at::ones({10, 32}),
                                  at::zeros({10})};
  for (at::Tensor& weight : weights) weight.requires_grad_();
  const at::Tensor hidden = at::relu(at::linear(input.flatten(1), weights[0], weights[1]));
  const at::Tensor scores = at::linear(hidden, weights[2], weights[3]);
  const at::Tensor loss = at::cross_entropy_loss(scores, target);
  if (at::hasCUDA()) return;  // backward would start a thread for each GPU
  loss.backward();
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients, velocity;
  for (const at::Tensor& weight : weights) {
    gradients.push_back(weight.grad());
    velocity.push_back(at::zeros_like(weight.detach()));
  }
  at::_fused_sgd_(weights, gradients, velocity, 0, 0.9, 0.1, 0, false, false, true);
  static_cast<void>(scores.argmax(1).eq(target).sum().item<double>());
  static_cast<void>(loss.item<double>());
}

}  // namespace paribus::worker
