// SPDX-License-Identifier: Apache-2.0
#include "paribus/groups.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <tuple>

namespace paribus {
namespace {

at::Tensor made(const at::Tensor& weight, Group::Init init) {
  return init == Group::Init::copy ? weight.clone() : at::zeros_like(weight);
}

std::string slot_key(const PartBase& owner, std::string_view name) {
  return owner.address() + "/" + std::string(name);
}

/// What is shaped as its weight is checked when it is read, other things when they are used.
std::string slot_prefix(std::size_t group, bool shaped_as_weights) {
  return "optimizer/" + std::to_string(group) + (shaped_as_weights ? "/slot/" : "/made/");
}

/// The last module: the first part of names in which the last weight differs from another. "" where
/// all weights lie in one module.
std::string last_module(const NamedTensors& weights) {
  const std::string& last = weights.back().first;
  std::size_t begin = 0;  // what all names share, up to a dot
  for (std::size_t dot = last.find('.'); dot != std::string::npos; dot = last.find('.', begin)) {
    const auto inside = [&](const NamedTensor& weight) {
      return weight.first.starts_with(std::string_view(last).substr(0, dot + 1));
    };
    if (!std::all_of(weights.begin(), weights.end(), inside)) return last.substr(0, dot);
    begin = dot + 1;
  }
  return "";
}

/// The layer group of each weight.
std::vector<std::size_t> layers_of(const NamedTensors& weights, std::vector<std::string> begins) {
  if (begins.empty() && !weights.empty()) begins.push_back(last_module(weights));
  if (begins == std::vector<std::string>{""}) begins.clear();
  std::vector<std::size_t> layers;
  std::size_t layer = 0;
  for (const auto& [name, weight] : weights) {
    if (layer < begins.size() && (name == begins[layer] || name.starts_with(begins[layer] + ".")))
      ++layer;
    layers.push_back(layer);
  }
  if (layer == begins.size()) return layers;
  throw Error("model: a layer group is said to begin at '" + begins[layer] +
              "', where there is no weight" + (layer == 0 ? "" : " after the one before it"));
}

std::string step_name(std::size_t group) { return "optimizer/" + std::to_string(group) + "/steps"; }

}  // namespace

const std::vector<at::Tensor>& Group::listed(Slot& slot, const Make& make) {
  slot.all.resize(all_.size());
  slot.loaded.resize(all_.size());
  const auto settle = [&](std::size_t i) {
    if (slot.all[i].defined()) return;
    slot.all[i] = make(all_[i].detach());
    if (!slot.loaded[i].defined()) return;
    if (slot.loaded[i].sizes() != slot.all[i].sizes()) {
      throw Error("checkpoint: what the optimizer kept of '" + names_[i] +
                  "' has another shape than it should; was it written by another version of it?");
    }
    slot.all[i].copy_(slot.loaded[i]);
    slot.loaded[i].reset();
  };
  if (active_.empty()) {
    for (std::size_t i = 0; i < all_.size(); ++i) settle(i);
    return slot.all;
  }
  slot.active.clear();
  for (const std::size_t i : active_) {
    settle(i);
    slot.active.push_back(slot.all[i]);
  }
  return slot.active;
}

const std::vector<at::Tensor>& Group::slot(const PartBase& owner, std::string_view name,
                                           Init init) {
  return listed(slots_[slot_key(owner, name)],
                [init](const at::Tensor& weight) { return made(weight, init); });
}

const std::vector<at::Tensor>& Group::slot(const PartBase& owner, std::string_view name,
                                           const Make& make) {
  Slot& slot = slots_[slot_key(owner, name)];
  slot.shaped_as_weights = false;
  return listed(slot, make);
}

bool Group::has_slot(const PartBase& owner, std::string_view name) const {
  const auto found = slots_.find(slot_key(owner, name));
  if (found == slots_.end()) return false;
  const Slot& slot = found->second;
  const auto is_there = [&](std::size_t i) {
    return slot.all[i].defined() || slot.loaded[i].defined();
  };
  const std::size_t count = active_.empty() ? all_.size() : active_.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (is_there(place(i))) return true;
  }
  return false;
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

void Group::among(const std::vector<std::size_t>& places, const std::function<void()>& act) {
  if (places.empty()) return;
  if (places.size() == weights.size()) return act();
  Group part;  // what is listed, while the rest steps aside
  for (const std::size_t place : places) {
    part.active_.push_back(this->place(place));
    part.weights.push_back(weights[place]);
    if (!grads.empty()) part.grads.push_back(grads[place]);
    part.steps.push_back(steps[place]);
  }
  const auto exchange = [&] {
    std::swap(active_, part.active_);
    std::swap(weights, part.weights);
    std::swap(grads, part.grads);
    std::swap(steps, part.steps);
  };
  exchange();
  act();
  exchange();
}

void Group::by_rates(const std::function<void()>& act) {
  if (lr_scales_.empty()) return act();
  const auto before = std::pair(lr_scale, decay_scale);  // of those that are listed
  std::map<std::pair<double, double>, std::vector<std::size_t>> sets;
  for (std::size_t i = 0; i < weights.size(); ++i)
    sets[{lr_scales_[place(i)], decay_scales_[place(i)]}].push_back(i);
  for (const auto& [scales, places] : sets) {
    std::tie(lr_scale, decay_scale) = scales;
    among(places, act);
  }
  std::tie(lr_scale, decay_scale) = before;
}

bool Group::pass_again(const PartBase& owner, const Loss& loss) {
  if (!pass_again_) {
    throw Error(owner.address() +
                ": this optimizer needs another pass over the batch, and there is none to be had "
                "here; does it say so in needs_passes()?");
  }
  return pass_again_(owner, loss);
}

Groups::Groups(NamedTensors weights, const std::vector<std::string>& begins)
    : weights_(std::move(weights)), layers_(layers_of(weights_, begins)), groups_(1) {
  Group& group = groups_.front();
  for (const auto& [name, weight] : weights_) {
    group.all_.push_back(weight);
    group.names_.push_back(name);
  }
  group.all_steps_.resize(group.all_.size(), 0);
}

/// Where all are alike there is one list of weights, as without scales.
void Groups::scale(std::vector<double> lr, std::vector<double> decay) {
  Group& group = groups_.front();
  const auto even = [](const std::vector<double>& list) {
    return std::adjacent_find(list.begin(), list.end(), std::not_equal_to<>()) == list.end();
  };
  group.lr_scale = group.decay_scale = 1;
  group.lr_scales_.clear(), group.decay_scales_.clear();
  if (lr.empty()) return;
  if (even(lr) && even(decay)) {
    group.lr_scale = lr.front(), group.decay_scale = decay.front();
  } else {
    group.lr_scales_ = std::move(lr), group.decay_scales_ = std::move(decay);
  }
}

void Groups::freeze(const std::vector<bool>& frozen) {
  frozen_.clear();
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (frozen[i]) frozen_.push_back(weights_[i].second);
  }
}

void Groups::rest(bool on) {
  for (const at::Tensor& weight : frozen_) weight.set_requires_grad(!on);
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
    if (passes_) {
      group.pass_again_ = [this, &group](const PartBase& owner, const Group::Loss& loss) {
        return pass_again(group, owner, loss);
      };
    }
    optimizer.step(group);
    group.grads.clear();  // or the next backward would need memory for a second set
  }
}

/// The gradients of before are what everyone but the optimizer goes on seeing.
bool Groups::pass_again(Group& group, const PartBase& owner, const Group::Loss& loss) const {
  std::vector<at::Tensor> before;
  for (const auto& [name, weight] : weights_) {
    before.push_back(weight.grad());
    weight.mutable_grad().reset();
  }
  const bool good = passes_(owner, loss);
  for (std::size_t i = 0; i < group.weights.size(); ++i) {
    const at::Tensor& weight = group.all_[group.active_.empty() ? i : group.active_[i]];
    group.grads[i] = weight.grad().defined() ? weight.grad() : at::zeros_like(weight.detach());
  }
  for (std::size_t i = 0; i < weights_.size(); ++i) weights_[i].second.mutable_grad() = before[i];
  return good;
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
      const std::string prefix = slot_prefix(g, slot.shaped_as_weights) + key + "/";
      for (std::size_t i = 0; i < slot.all.size(); ++i) {
        const at::Tensor& kept = slot.all[i].defined() ? slot.all[i] : slot.loaded[i];
        if (kept.defined()) out.emplace_back(prefix + group.names_[i], kept);
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
    for (const bool shaped : {true, false}) {
      const std::string prefix = slot_prefix(g, shaped);
      for (auto entry = saved.lower_bound(prefix);
           entry != saved.end() && entry->first.starts_with(prefix); ++entry) {
        group.load_slot(entry->first.substr(prefix.size()), *entry, shaped);
      }
    }
  }
}

/// `rest`: <part's address>/<slot>/<weight>.
void Group::load_slot(const std::string& rest,
                      const std::pair<const std::string, at::Tensor>& saved, bool shaped) {
  const auto cut = rest.find('/', rest.find('/') + 1);
  const auto weight = std::find(names_.begin(), names_.end(), rest.substr(cut + 1));
  const auto i = static_cast<std::size_t>(weight - names_.begin());
  if (weight == names_.end() || (shaped && saved.second.sizes() != all_[i].sizes()))
    throw Error("checkpoint: '" + saved.first + "' doesn't fit the model's weights");
  Slot& slot = slots_[rest.substr(0, cut)];
  slot.shaped_as_weights = shaped;
  slot.all.resize(all_.size());
  slot.loaded.resize(all_.size());
  if (!shaped) {
    slot.loaded[i] = saved.second;
    return;
  }
  // Into a tensor made like the weight, so that memory format and device are those of an
  // undisturbed run.
  slot.all[i] = at::zeros_like(all_[i].detach());
  slot.all[i].copy_(saved.second);
}

}  // namespace paribus
