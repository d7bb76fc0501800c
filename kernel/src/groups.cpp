// SPDX-License-Identifier: Apache-2.0
#include "paribus/groups.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace paribus {
namespace {

at::Tensor made(const at::Tensor& weight, Group::Init init) {
  const at::Tensor detached = weight.detach();
  return init == Group::Init::copy ? detached.clone() : at::zeros_like(detached);
}

std::string slot_key(const PartBase& owner, std::string_view name) {
  return owner.address() + "/" + std::string(name);
}

std::string step_name(std::size_t group) { return "optimizer/" + std::to_string(group) + "/steps"; }

}  // namespace

const std::vector<at::Tensor>& Group::slot(const PartBase& owner, std::string_view name,
                                           Init init) {
  Slot& slot = slots_[slot_key(owner, name)];
  slot.all.resize(all_.size());
  if (active_.empty()) {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (!slot.all[i].defined()) slot.all[i] = made(all_[i], init);
    }
    return slot.all;
  }
  slot.active.clear();
  for (const std::size_t i : active_) {
    if (!slot.all[i].defined()) slot.all[i] = made(all_[i], init);
    slot.active.push_back(slot.all[i]);
  }
  return slot.active;
}

bool Group::has_slot(const PartBase& owner, std::string_view name) const {
  return slots_.contains(slot_key(owner, name));
}

const std::vector<at::Tensor>& Group::step_tensors() {
  step_tensors_.resize(weights.size());
  std::map<std::int64_t, at::Tensor> by_count;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    at::Tensor& shared = by_count[steps[i]];
    if (!shared.defined()) {
      const auto options = at::TensorOptions().dtype(at::kFloat).device(weights[i].device());
      shared = at::full({}, static_cast<double>(steps[i]), options);
    }
    step_tensors_[i] = shared;
  }
  return step_tensors_;
}

Groups::Groups(NamedTensors weights) : weights_(std::move(weights)), groups_(1) {
  Group& group = groups_.front();
  for (const auto& [name, weight] : weights_) {
    group.all_.push_back(weight);
    group.names_.push_back(name);
  }
  group.all_steps_.resize(group.all_.size(), 0);
}

void Groups::step(Optimizer& optimizer) {
  const at::NoGradGuard no_grad;
  for (Group& group : groups_) {
    group.grads.clear();
    group.active_.clear();
    for (std::size_t i = 0; i < group.all_.size(); ++i) {
      const at::Tensor& gradient = group.all_[i].grad();
      if (!gradient.defined()) continue;
      group.grads.push_back(gradient);
      group.active_.push_back(i);
    }
    if (group.grads.empty()) continue;
    const bool whole = group.active_.size() == group.all_.size();
    group.weights.clear();
    group.steps.clear();
    for (const std::size_t i : group.active_) {
      group.weights.push_back(group.all_[i]);
      group.steps.push_back(++group.all_steps_[i]);
    }
    if (whole) group.active_.clear();
    ++group.step;
    optimizer.step(group);
    group.grads.clear();  // or the next backward would need memory for a second set
  }
}

void Groups::evaluation(Optimizer& optimizer, bool on) {
  const at::NoGradGuard no_grad;
  for (Group& group : groups_) {
    group.active_.clear();
    group.grads.clear();
    group.weights = group.all_;
    group.steps = group.all_steps_;
    optimizer.evaluation(group, on);
  }
}

void Groups::forget_gradients() {
  for (const auto& [name, weight] : weights_) weight.mutable_grad().reset();
}

std::vector<at::Tensor> Groups::gradients() const {
  std::vector<at::Tensor> gradients;
  for (const auto& [name, weight] : weights_) {
    if (weight.grad().defined()) gradients.push_back(weight.grad());
  }
  return gradients;
}

void Groups::save(NamedTensors& out) const {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    auto counts = group.all_steps_;
    counts.push_back(group.step);
    out.emplace_back(step_name(g), at::tensor(counts, at::kLong));
    for (const auto& [key, slot] : group.slots_) {
      for (std::size_t i = 0; i < slot.all.size(); ++i) {
        if (!slot.all[i].defined()) continue;
        out.emplace_back("optimizer/" + std::to_string(g) + "/slot/" + key + "/" + group.names_[i],
                         slot.all[i]);
      }
    }
  }
}

void Groups::load(const TensorMap& saved) {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    const auto counts = saved.find(step_name(g));
    if (counts == saved.end() || counts->second.scalar_type() != at::kLong ||
        counts->second.numel() != static_cast<std::int64_t>(group.all_.size()) + 1) {
      throw Error("checkpoint: the optimizer's step counts don't fit the model's weights");
    }
    const auto* count = counts->second.const_data_ptr<std::int64_t>();
    for (std::size_t i = 0; i < group.all_.size(); ++i) group.all_steps_[i] = count[i];
    group.step = count[group.all_.size()];
    group.slots_.clear();
    const std::string prefix = "optimizer/" + std::to_string(g) + "/slot/";
    for (auto entry = saved.lower_bound(prefix);
         entry != saved.end() && entry->first.starts_with(prefix); ++entry) {
      const std::string rest =
          entry->first.substr(prefix.size());  // <part's address>/<slot>/<weight>
      const auto cut = rest.find('/', rest.find('/') + 1);
      const auto weight = std::find(group.names_.begin(), group.names_.end(), rest.substr(cut + 1));
      const auto i = static_cast<std::size_t>(weight - group.names_.begin());
      if (weight == group.names_.end() || entry->second.sizes() != group.all_[i].sizes()) {
        throw Error("checkpoint: '" + entry->first + "' doesn't fit the model's weights");
      }
      Group::Slot& slot = group.slots_[rest.substr(0, cut)];
      slot.all.resize(group.all_.size());
      // Into a tensor made like the weight, so that memory format and device are those of an
      // undisturbed run.
      slot.all[i] = at::zeros_like(group.all_[i].detach());
      slot.all[i].copy_(entry->second);
    }
  }
}

}  // namespace paribus
