// SPDX-License-Identifier: Apache-2.0
// The trainer is a loop that anyone could write: the one below ends with the same bits.
#include <ATen/Functions.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/utils.h>

#include "paribus/random.h"
#include "parts.h"

namespace paribus::test {
namespace {

std::vector<at::Tensor> plain_loop(const at::Tensor& inputs, const at::Tensor& targets) {
  torch::manual_seed(Stream(7, "model").seed(0, -1));
  torch::nn::Sequential model;
  model->push_back(torch::nn::Linear(8, 16));  // one after the other: each draws its weights
  model->push_back(torch::nn::ReLU());
  model->push_back(torch::nn::Linear(16, 3));
  const std::vector<at::Tensor> weights = model->parameters();
  std::vector<at::Tensor> gradients, velocity;
  for (const at::Tensor& weight : weights) velocity.push_back(at::zeros_like(weight.detach()));
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (std::int64_t at = 0; at < inputs.size(0); at += 8) {
      const auto output = model->forward(inputs.slice(0, at, at + 8));
      const auto loss = torch::nn::functional::cross_entropy(output, targets.slice(0, at, at + 8));
      loss.backward();
      gradients.clear();
      for (const at::Tensor& weight : weights) gradients.push_back(weight.grad());
      const torch::NoGradGuard no_grad;
      // torch::optim::SGD rounds between its two operations; this is Python's SGD(fused=True).
      at::_fused_sgd_(weights, gradients, velocity, /*weight_decay=*/0, /*momentum=*/0.9,
                      /*lr=*/0.1,
                      /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                      /*is_first_step=*/epoch + at == 0);
      model->zero_grad();
    }
  }
  return weights;
}

TEST(PlainLoop, EndsWithTheSameBits) {
  Factory factory;
  TrialSpec spec = small_trial();
  spec.data.shuffle = false;
  const Dots dots(44);  // the last batch of an epoch has 4 items
  const Folder folder;
  Notes notes;
  Trainer(spec, dots, factory, notes, folder.path()).fit();
  const TensorMap trained = read_safetensors(folder / "final.safetensors");
  const auto plain = plain_loop(dots.training().input, dots.training().target);
  ASSERT_EQ(trained.size(), plain.size());
  const char* const names[] = {"layers.0.weight", "layers.0.bias", "layers.1.weight",
                               "layers.1.bias"};
  for (std::size_t i = 0; i < plain.size(); ++i)
    EXPECT_TRUE(same_bits(trained.at(names[i]), plain[i])) << names[i];
}

}  // namespace
}  // namespace paribus::test
