// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a model makes of items of the validation split that have a class each.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/log_softmax.h>
#include <paribus/callback.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

namespace paribus::callbacks {

/// Throws Error unless the first target is one of several classes.
inline void require_classes(const std::string& who, const DataSpec& data, std::int64_t most) {
  const Spec& target = data.targets.front();
  if (!target.type->is(kCategory) || data.classes < 2) {
    throw Error("callback/" + who + ": the data set's first target is " +
                std::string(target.type->name) + " of " + std::to_string(data.classes) +
                " classes, expected a category of at least two");
  }
  if (data.classes > most) {
    throw Error("callback/" + who + ": the data set has " + std::to_string(data.classes) +
                " classes, expected at most " + std::to_string(most));
  }
}

/// Of each item of a batch, on the CPU: int64 classes and doubles.
struct Judgements {
  at::Tensor truth, taken, loss, confidence;  // loss: -log of the true class's probability
};

/// Those of targets that are no class (void ones, that the loss ignores) have the truth -1.
inline Judgements judge(const std::string& who, const Fit& fit) {
  const at::Tensor& scores = fit.outputs.main();
  const at::Tensor& target = fit.batch.target();
  const bool fits = scores.dim() == 2 && scores.size(1) == fit.data.classes &&
                    scores.size(0) == target.size(0) && target.dim() <= 2;
  if (!fits) {
    std::ostringstream text;
    text << "callback/" << who << ": the model's output and the target don't fit, got "
         << scores.sizes() << " and " << target.sizes() << ", expected [N, " << fit.data.classes
         << "] and class numbers [N] or probabilities [N, " << fit.data.classes << "]";
    throw Error(text.str());
  }
  const at::Tensor chances = at::log_softmax(scores.detach().to(at::kDouble), 1);
  const at::Tensor truth = target.dim() == 2 ? target.argmax(1) : target;
  const at::Tensor is_class = truth.ge(0).logical_and(truth.lt(fit.data.classes));
  const at::Tensor place = truth.clamp(0, fit.data.classes - 1).unsqueeze(1);
  const auto [greatest, taken] = chances.max(1);
  return {truth.masked_fill(is_class.logical_not(), -1).cpu().contiguous(),
          taken.cpu().contiguous(),
          at::gather(chances, 1, place).squeeze(1).neg().cpu().contiguous(),
          greatest.exp().cpu().contiguous()};
}

/// An item with what the model makes of it.
struct Judged {
  std::int64_t item = 0, truth = 0, taken = 0;
  double loss = 0, confidence = 0;
  at::Tensor input;  // 1 ..., its own: no view of a batch; undefined where it isn't wanted
};

/// The items of the greatest loss, or the first ones: at most so many are held at a time. Of equal
/// losses the earlier item; a loss that is no number is the greatest.
class Chosen {
 public:
  void begin(std::int64_t most, bool is_worst, bool with_inputs) {
    most_ = static_cast<std::size_t>(most), is_worst_ = is_worst, with_inputs_ = with_inputs;
    rows_.clear();
  }

  void add(const Batch& batch, const Judgements& judged) {
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      if (most_ == 0 || (!is_worst_ && rows_.size() == most_)) return;
      Judged one{batch.items[static_cast<std::size_t>(i)],
                 judged.truth.const_data_ptr<std::int64_t>()[i],
                 judged.taken.const_data_ptr<std::int64_t>()[i],
                 judged.loss.const_data_ptr<double>()[i],
                 judged.confidence.const_data_ptr<double>()[i],
                 {}};
      if (one.truth < 0 || (rows_.size() == most_ && !is_worse(one, rows_.back()))) continue;
      if (with_inputs_) one.input = batch.input().narrow(0, i, 1).clone();
      const auto at =
          is_worst_ ? std::upper_bound(rows_.begin(), rows_.end(), one, is_worse) : rows_.end();
      rows_.insert(at, std::move(one));
      if (rows_.size() > most_) rows_.pop_back();
    }
  }

  [[nodiscard]] const std::vector<Judged>& rows() const { return rows_; }
  /// REQUIRES: there are some, with inputs.
  [[nodiscard]] at::Tensor inputs() const {
    std::vector<at::Tensor> all;
    for (const Judged& one : rows_) all.push_back(one.input);
    return at::cat(all);
  }
  /// Whether each is taken for what it is: what frames are drawn by.
  [[nodiscard]] at::Tensor right() const {
    at::Tensor all = at::empty({static_cast<std::int64_t>(rows_.size())}, at::kBool);
    for (std::size_t i = 0; i < rows_.size(); ++i)
      all.mutable_data_ptr<bool>()[i] = rows_[i].truth == rows_[i].taken;
    return all;
  }

 private:
  static bool is_worse(const Judged& a, const Judged& b) {
    if (std::isnan(a.loss) || std::isnan(b.loss)) return std::isnan(a.loss) && !std::isnan(b.loss);
    return a.loss > b.loss;
  }

  std::size_t most_ = 0;
  bool is_worst_ = true, with_inputs_ = false;
  std::vector<Judged> rows_;
};

/// The class's name, or its number where it has none; a long one is cut between its letters.
inline std::string class_name(const DataSpec& data, std::int64_t number) {
  constexpr std::size_t kMost = 200;
  const auto at = static_cast<std::size_t>(number);
  if (at >= data.class_names.size() || data.class_names[at].empty()) return std::to_string(number);
  const std::string& name = data.class_names[at];
  std::size_t end = std::min(name.size(), kMost);
  while (end < name.size() && end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80)
    --end;
  return name.substr(0, end);
}

}  // namespace paribus::callbacks
