// SPDX-License-Identifier: Apache-2.0
// The pass over the validation split, and what is kept of its metrics.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "paribus/trainer.h"

namespace paribus {

void Trainer::validate() {
  fit_.training = false;
  evaluation(true);
  fire(&Callback::before_validate);
  fit_.model->set_training(false);
  for (const auto& metric : metrics_) metric->as<Metric>().reset();
  double loss_sum = 0;
  {
    const at::NoGradGuard no_grad;
    batches_->start(Split::valid, fit_.epoch);
    const std::int64_t count = batches_->count(Split::valid);
    for (std::int64_t index = 0; index < count; ++index) {
      fit_.batch_index = index;
      fit_.batch = batches_->next();
      precision_.place(fit_.batch);
      forward();
      loss_sum += fit_.loss.item<double>() * static_cast<double>(fit_.batch.size());
      for (const auto& metric : metrics_)
        metric->as<Metric>().update(fit_.outputs, fit_.batch, fit_.loss);
      fire(&Callback::after_valid_batch);
    }
  }
  note_validation(loss_sum / static_cast<double>(batches_->items(Split::valid)));
  fire_backwards(&Callback::after_validate);
  evaluation(false);
  fit_.training = true;
}

/// metric/loss, if it is there, takes the place of the loss that training uses.
void Trainer::note_validation(double loss) {
  const bool loss_is_a_metric =
      std::any_of(metrics_.begin(), metrics_.end(),
                  [](const auto& metric) { return metric->part().address() == "metric.loss"; });
  if (!loss_is_a_metric) note("valid.loss", loss, false);
  for (const auto& instance : metrics_) {
    const auto& metric = instance->as<Metric>();
    const std::string& address = metric.address();  // "metric.top_k" is the series "valid.top_k"
    note("valid." + address.substr(address.find('.') + 1), metric.value(),
         metric.goal() == Goal::maximize);
  }
}

void Trainer::note(const std::string& series, double value, bool maximize) {
  recorder_.point(series, fit_.step, value);
  fit_.metrics[series] = value;
  const auto found = best_.find(series);
  const bool better = found == best_.end() || std::isnan(found->second) ||
                      (maximize ? value > found->second : value < found->second);
  if (better) best_[series] = value;
}

}  // namespace paribus
