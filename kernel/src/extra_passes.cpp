// SPDX-License-Identifier: Apache-2.0
// Another look at the batches of an update, for optimizers that ask for one (Group::pass_again).
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "paribus/trainer.h"

namespace paribus {
namespace {

/// Running statistics are of the batches that were trained, each counted once.
class HeldBuffers {
 public:
  explicit HeldBuffers(Model& model) {
    const at::NoGradGuard no_grad;
    for (const auto& [name, buffer] : model.buffers_by_name())
      held_.emplace_back(buffer, buffer.detach().clone());
  }
  ~HeldBuffers() = default;
  void put_back() {
    const at::NoGradGuard no_grad;
    for (auto& [buffer, before] : held_) buffer.detach().copy_(before);
  }

 private:
  std::vector<std::pair<at::Tensor, at::Tensor>> held_;
};

}  // namespace

/// Those alone that make the outputs or the loss what they are: others have seen the batch.
void Trainer::fire_writers(std::string_view word, Event event) {
  for (Callback* callback : order_) {
    const Callback::Words writes = callback->writes();
    if (std::find(writes.begin(), writes.end(), word) != writes.end()) (callback->*event)(fit_);
  }
}

/// Draws are addressed by the batch, so model and callbacks make the same ones again.
at::Tensor Trainer::loss_again(const Batch& batch, const PartBase& owner, const Group::Loss& loss) {
  fit_.batch = batch;
  fit_.batch_index = batch.index;
  seed_generators(batch.epoch, batch.index);
  {
    const Precision::Guard autocast(precision_);
    fit_.outputs = fit_.model->outputs(fit_.batch);
    fire_writers("outputs", &Callback::after_forward);
    if (loss) {
      Draws draws = fit_.stream(owner).step(batch.epoch, batch.index);
      return loss(fit_.outputs, fit_.batch, draws);
    }
    fit_.loss = loss_->as<Loss>()(fit_.outputs, fit_.batch);
  }
  fire_writers("loss", &Callback::after_loss);
  return fit_.loss;
}

bool Trainer::pass_again(const PartBase& owner, const Group::Loss& loss) {
  const at::AutoGradMode with_gradients(true);
  HeldBuffers buffers(*fit_.model);
  const Batch batch = fit_.batch;
  const Outputs outputs = fit_.outputs;
  const at::Tensor first_loss = fit_.loss;
  const std::int64_t index = fit_.batch_index;
  groups_->rest(true);
  for (const Batch& again : update_batches_) {
    at::Tensor scaled = precision_.scaled(loss_again(again, owner, loss));
    if (spec_.train.accumulate > 1)
      scaled = scaled.div(static_cast<double>(spec_.train.accumulate));
    scaled.backward();
  }
  groups_->rest(false);
  fit_.batch = batch, fit_.outputs = outputs, fit_.loss = first_loss, fit_.batch_index = index;
  buffers.put_back();
  const std::vector<at::Tensor> gradients = groups_->gradients();
  const bool good = precision_.unscale(gradients);
  if (!loss) clip(gradients, spec_.train.clip_norm, spec_.train.clip_value);
  return good;
}

}  // namespace paribus
