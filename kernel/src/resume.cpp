// SPDX-License-Identifier: Apache-2.0
// What a trainer saves, and how it finds its place again.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "checkpoint_file.h"
#include "paribus/trainer.h"

namespace paribus {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void copy_into(const NamedTensors& to, const TensorMap& saved, const std::string& prefix) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : to) {
    const auto found = saved.find(prefix + name);
    if (found == saved.end() || found->second.sizes() != tensor.sizes()) {
      throw Error("checkpoint: '" + prefix + name +
                  "' is missing or has another shape than the model's");
    }
    tensor.detach().copy_(found->second);
  }
}

}  // namespace

void Trainer::visit_states(const std::function<void(PartBase&)>& visit) {
  for (const auto* part : {&model_, &loss_, &optimizer_}) (*part)->each(visit);
  for (const auto& metric : metrics_) metric->each(visit);
  for (const auto& callback : callbacks_) callback->each(visit);
}

void Trainer::place_state(State& state) {
  state.number("epoch", fit_.epoch);
  state.number("step", fit_.step);
  state.number("start_batch", start_batch_);
  state.number("loss_sum", loss_sum_);
  state.number("loss_items", loss_items_);
  state.number("last_loss", last_loss_);
  place_requests(state);
  precision_.state(state);
}

/// A callback's request to leave the epoch or the training outlives a kill.
void Trainer::place_requests(State& state) {
  auto next = static_cast<std::int64_t>(fit_.next_);
  at::Tensor reason = at::empty({static_cast<std::int64_t>(fit_.reason_.size())}, at::kByte);
  std::copy(fit_.reason_.begin(), fit_.reason_.end(), reason.mutable_data_ptr<std::uint8_t>());
  state.number("next", next);
  state.tensor("reason", reason);
  if (!state.loading() || next <= static_cast<std::int64_t>(fit_.next_)) return;
  fit_.next_ = next >= static_cast<std::int64_t>(Fit::Next::stop) ? Fit::Next::stop
                                                                  : static_cast<Fit::Next>(next);
  const auto* text = reason.const_data_ptr<std::uint8_t>();
  fit_.reason_.assign(text, text + reason.numel());
}

void Trainer::checkpoint_if_due(bool force) {
  if (folder_.empty() || updates_pending_ > 0) return;
  if (last_checkpoint_ == 0) last_checkpoint_ = seconds_now();
  if (!force && seconds_now() - last_checkpoint_ < spec_.train.checkpoint_seconds) return;
  save_checkpoint();
  save_asked_ = false;
  last_checkpoint_ = seconds_now();
}

void Trainer::save_checkpoint() {
  drain_losses();
  NamedTensors tensors;
  for (const auto& [name, weight] : groups_->weights())
    tensors.emplace_back("weights/" + name, weight);
  for (const auto& [name, buffer] : fit_.model->buffers_by_name())
    tensors.emplace_back("buffers/" + name, buffer);
  groups_->save(tensors);
  visit_states([&](PartBase& part) {
    SaveState state(tensors, "part/" + part.address() + "/");
    part.state(state);
  });
  SaveState place(tensors, "fit/");
  place_state(place);
  for (auto& [name, value] : fit_.metrics) place.number("metric/" + name, value);
  for (auto& [name, value] : best_) place.number("best/" + name, value);
  recorder_
      .flush();  // the points that this checkpoint stands for must not be lost when it survives
  const auto file = folder_ / ("step-" + std::to_string(fit_.step) + ".safetensors");
  write_checkpoint(file, tensors, [this](std::int64_t bytes) { recorder_.before_write(bytes); });
  recorder_.checkpointed(fit_.step, file.string());
  for (const auto& other : checkpoints_in(folder_)) {
    if (other != file) remove_checkpoint(other);
  }
}

/// From the newest checkpoint that is whole; where there were some and none is, from the start.
bool Trainer::load_checkpoint() {
  remove_leftovers(folder_);
  const auto [file, saved, damage] = newest_checkpoint(folder_);
  if (!damage.empty()) {
    recorder_.message(damage +
                      (file.empty() ? "training begins anew" : "training goes on from " + file));
  }
  if (file.empty()) return !damage.empty();  // at step 0, what was recorded before counts no more
  copy_into(groups_->weights(), saved, "weights/");
  copy_into(fit_.model->buffers_by_name(), saved, "buffers/");
  groups_->load(saved);
  visit_states([&](PartBase& part) {
    LoadState state(saved, "part/" + part.address() + "/");
    part.state(state);
  });
  LoadState place(saved, "fit/");
  place_state(place);
  for (const auto& [key, tensor] : saved) {
    if (key.starts_with("fit/metric/")) fit_.metrics[key.substr(11)] = tensor.item<double>();
    if (key.starts_with("fit/best/")) best_[key.substr(9)] = tensor.item<double>();
  }
  return true;
}

NamedTensors Trainer::weights_and_buffers() const {
  NamedTensors all = groups_->weights();
  std::set<std::string> names;
  for (const NamedTensor& weight : all) names.insert(weight.first);
  for (const NamedTensor& buffer : model_->as<Model>().buffers_by_name()) {
    // A weight that is frozen just now wants no gradient, as buffers do.
    if (!names.contains(buffer.first)) all.push_back(buffer);
  }
  return all;
}

void Trainer::save_weights(const std::string& name) {
  if (folder_.empty()) return;
  write_weights(folder_ / (name + ".safetensors"), weights_and_buffers(),
                [this](std::int64_t bytes) { recorder_.before_write(bytes); });
}

}  // namespace paribus
