// SPDX-License-Identifier: Apache-2.0
#include "show_results.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "paribus/batches.h"
#include "paribus/checkpoint.h"
#include "paribus/drives.h"
#include "paribus/error.h"
#include "paribus/loss.h"
#include "paribus/model_base.h"
#include "paribus/precision.h"
#include "show.h"
#include "shown_items.h"
#include "study/spec_json.h"

namespace paribus::worker {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostClasses = 1000;  // of a confusion matrix

/// Every tensor of the model from the file, by name. Throws Error where they aren't the same ones.
void take_weights(Model& model, const std::string& file) {
  TensorMap saved = read_safetensors(file);
  const auto take = [&](const NamedTensors& own) {
    for (const auto& [name, tensor] : own) {
      const auto found = saved.find(name);
      if (found == saved.end() || found->second.sizes() != tensor.sizes())
        throw Error(file + ": has no tensor '" + name + "' of this model's shape");
      tensor.copy_(found->second);
      saved.erase(found);
    }
  };
  take(model.weights());
  take(model.buffers_by_name());
  if (!saved.empty())
    throw Error(file + ": this model has no tensor '" + saved.begin()->first + "'");
}

Typed row(const Typed& typed, std::int64_t at) { return {typed.data.narrow(0, at, 1), typed.type}; }

Batch row(const Batch& batch, std::int64_t at) {
  Batch one;
  for (const Typed& input : batch.inputs) one.inputs.push_back(row(input, at));
  for (const Typed& target : batch.targets) one.targets.push_back(row(target, at));
  one.items = {batch.items[static_cast<std::size_t>(at)]};
  one.split = batch.split;
  one.epoch = batch.epoch;
  one.index = batch.index;
  return one;
}

Outputs row(const Outputs& outputs, std::int64_t at, std::int64_t size) {
  NamedTensors some;
  for (const auto& [name, tensor] : outputs.items()) {
    const bool of_items = tensor.dim() > 0 && tensor.size(0) == size;
    some.emplace_back(name, of_items ? tensor.narrow(0, at, 1) : tensor);
  }
  return Outputs(std::move(some));
}

/// An item with what the model says of it.
struct Judged {
  Batch item;
  at::Tensor output;
  double loss = 0;
};

/// A number that isn't one is the worst.
bool is_worse(const Judged& a, const Judged& b) {
  if (std::isnan(a.loss) || std::isnan(b.loss)) return std::isnan(a.loss) && !std::isnan(b.loss);
  return a.loss > b.loss;
}

bool has_classes(const Batch& batch, const at::Tensor& output) {
  const Typed& target = batch.targets.front();
  return target.type->is(kCategory) && target.data.dim() == 1 && output.dim() == 2 &&
         output.size(1) > 1;
}

bool has_masks(const Batch& batch, const at::Tensor& output) {
  return batch.targets.front().type->is(kMask) && output.dim() == 4 && output.size(1) > 1;
}

bool has_points(const Batch& batch, const at::Tensor& output) {
  const Typed& target = batch.targets.front();
  return target.type->is(kPoints) && output.numel() == target.data.numel();
}

/// What the model takes an item for: a class with its probability, a mask, points, or numbers.
json prediction(const Judged& judged) {
  json told = {{"loss", judged.loss}};
  if (has_classes(judged.item, judged.output)) {
    const at::Tensor chances = judged.output.to(at::kDouble).softmax(1)[0];
    const auto best = chances.argmax().item<std::int64_t>();
    told["class"] = best;
    told["probability"] = chances[best].item<double>();
  } else if (has_masks(judged.item, judged.output)) {
    told["mask"] = ShownItems::json_of({judged.output.argmax(1, /*keepdim=*/true), &kMask});
  } else if (has_points(judged.item, judged.output)) {
    const at::Tensor& target = judged.item.target();
    told["points"] = ShownItems::json_of({judged.output.reshape(target.sizes()), &kPoints});
  } else {
    told["values"] = ShownItems::json_of({judged.output, &kTensor});
  }
  return told;
}

/// One batch of the rows of several.
Batch joined(const std::vector<Judged>& rows) {
  Batch all = rows.front().item;
  for (std::size_t i = 0; i < all.inputs.size(); ++i) {
    std::vector<at::Tensor> parts;
    for (const Judged& one : rows) parts.push_back(one.item.inputs[i].data);
    all.inputs[i].data = at::cat(parts);
  }
  for (std::size_t i = 0; i < all.targets.size(); ++i) {
    std::vector<at::Tensor> parts;
    for (const Judged& one : rows) parts.push_back(one.item.targets[i].data);
    all.targets[i].data = at::cat(parts);
  }
  all.items.clear();
  for (const Judged& one : rows) all.items.push_back(one.item.items.front());
  return all;
}

/// Counts of (class, class that the model takes it for).
class Confusion {
 public:
  void add(const Batch& batch, const at::Tensor& output) {
    if (!has_classes(batch, output) || output.size(1) > kMostClasses) return;
    const std::int64_t classes = output.size(1);
    if (!counts_.defined()) counts_ = at::zeros({classes, classes}, at::kLong);
    const at::Tensor taken = output.argmax(1).contiguous(), is = batch.target().contiguous();
    auto* counts = counts_.mutable_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const std::int64_t truth = is.const_data_ptr<std::int64_t>()[i];
      if (truth < 0 || truth >= classes) continue;  // a class that the loss ignores
      ++counts[truth * classes + taken.const_data_ptr<std::int64_t>()[i]];
    }
  }

  [[nodiscard]] json to_json() const {
    if (!counts_.defined()) return nullptr;
    json rows = json::array();
    for (std::int64_t i = 0; i < counts_.size(0); ++i) {
      const auto* begin = counts_.const_data_ptr<std::int64_t>() + i * counts_.size(1);
      rows.push_back(std::vector<std::int64_t>(begin, begin + counts_.size(1)));
    }
    return rows;
  }

 private:
  at::Tensor counts_;
};

/// As training validates, then brought back to the CPU as float32.
Outputs outputs_of(Model& model, const Precision& precision, const Batch& batch) {
  Batch placed = batch;
  precision.place(placed);
  NamedTensors results;
  {
    const Precision::Guard guard(precision);
    results = model.outputs(placed).items();
  }
  for (auto& [name, tensor] : results) {
    tensor = tensor.cpu();
    if (tensor.is_floating_point()) tensor = tensor.to(at::kFloat);
  }
  return Outputs(std::move(results));
}

/// The items to show: the first, or those of the greatest loss.
class Chosen {
 public:
  Chosen(std::size_t most, bool worst) : most_(most), worst_(worst) {}

  void add(const Batch& batch, const Outputs& outputs, const Loss& loss) {
    if (!worst_ && rows_.size() >= most_) return;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      if (!worst_ && rows_.size() >= most_) return;
      Judged one{row(batch, i), outputs.main().narrow(0, i, 1), 0};
      one.loss = loss(row(outputs, i, batch.size()), one.item).item<double>();
      if (worst_ && rows_.size() >= most_ && !is_worse(one, rows_.back())) continue;
      own(one);
      if (!worst_) {
        rows_.push_back(std::move(one));
        continue;
      }
      rows_.insert(std::upper_bound(rows_.begin(), rows_.end(), one, is_worse), std::move(one));
      if (rows_.size() > most_) rows_.pop_back();
    }
  }

  [[nodiscard]] const std::vector<Judged>& rows() const { return rows_; }

 private:
  /// Not a view, which would keep the whole batch.
  static void own(Judged& one) {
    for (Typed& input : one.item.inputs) input.data = input.data.clone();
    for (Typed& target : one.item.targets) target.data = target.data.clone();
    one.output = one.output.clone();
  }

  std::size_t most_;
  bool worst_;
  std::vector<Judged> rows_;
};

}  // namespace

json show_results(const json& request, const Dataset& dataset, const PartFactory& factory) {
  TrialSpec spec = trial_spec_from_json(request.at("spec"));
  const json& options = request.at("options");
  at::set_num_threads(static_cast<int>(spec.threads));
  spec.data.workers = 0;
  Drives drives(spec.schedules, factory);
  Batches batches(spec, dataset, factory, &drives);
  if (batches.items(Split::valid) == 0) throw Error("the validation split has no items to show");
  const std::int64_t steps = batches.count(Split::train);
  drives.set_lengths(spec.train.epochs, steps);

  const at::NoGradGuard no_grad;
  Instance model_part(spec.model, factory), loss_part(spec.loss, factory);
  auto& model = model_part.as<Model>();
  model.build(batches.output());
  const Precision precision(spec.train, model);
  model.move_to(precision.device(), precision.channels_last());
  take_weights(model, options.at("weights"));
  model.set_training(false);
  for (const Instance* part : {&model_part, &loss_part}) {
    drives.attach(*part);
    drives.drive(*part, spec.train.epochs - 1, steps - 1);
  }

  Chosen chosen(options.at("items").get<std::size_t>(), options.at("worst"));
  Confusion confusion;
  batches.start(Split::valid, spec.train.epochs - 1);
  for (std::int64_t i = 0; i < batches.count(Split::valid); ++i) {
    const Batch batch = batches.next();
    const Outputs outputs = outputs_of(model, precision, batch);
    confusion.add(batch, outputs.main());
    chosen.add(batch, outputs, loss_part.as<Loss>());
  }
  json predictions = json::array();
  for (const Judged& one : chosen.rows()) predictions.push_back(prediction(one));
  const DataSpec in = dataset.spec();
  json reply = ShownItems(in, batches.output(), comes_as_bytes(dataset, Split::valid))
                   .json_of(joined(chosen.rows()));
  reply.update({{"ok", true},
                {"split", "valid"},
                {"of", batches.items(Split::valid)},
                {"predictions", std::move(predictions)},
                {"confusion", confusion.to_json()}});
  return reply;
}

}  // namespace paribus::worker
