// SPDX-License-Identifier: Apache-2.0
// What a trainer does besides training: it finds what doesn't fit, and a learning rate.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "paribus/trainer.h"

namespace paribus {
namespace {

at::Tensor first_rows(const at::Tensor& data, std::int64_t rows) {
  return data.narrow(0, 0, std::min(rows, data.size(0)));
}

void shorten(Batch& batch, std::int64_t rows) {
  rows = std::min(rows, batch.size());
  for (Typed& input : batch.inputs) input.data = first_rows(input.data, rows);
  for (Typed& target : batch.targets) target.data = first_rows(target.data, rows);
  batch.items.resize(static_cast<std::size_t>(rows));
}

}  // namespace

Facts Trainer::inspect() {
  fire(&Callback::before_fit);
  batches_->start(Split::train, 0);
  fit_.batch = batches_->next();
  shorten(fit_.batch, 4);
  fit_.model->set_training(true);
  train_batch();
  drain_losses();
  note("train.loss", last_loss_, false);
  try_schedules();
  try_validation();
  Facts facts;
  for (const auto& [name, weight] : groups_->weights()) facts.parameters += weight.numel();
  facts.train_items = batches_->items(Split::train);
  facts.valid_items = batches_->items(Split::valid);
  facts.steps_per_epoch = fit_.batches;
  facts.device = precision_.device_name();
  facts.precision = precision_.name();
  facts.memory_format = precision_.memory_format();
  return facts;
}

/// What a schedule complains of, and values that its parameter doesn't allow, all over training.
void Trainer::try_schedules() {
  constexpr std::int64_t kPlaces = 64;
  for (std::int64_t i = 0; i <= kPlaces; ++i) {
    const std::int64_t step = fit_.epochs_ * fit_.batches * i / kPlaces;
    const std::int64_t epoch = step / fit_.batches, index = step % fit_.batches;
    for (const auto* part : {&model_, &loss_, &optimizer_}) drives_.drive(**part, epoch, index);
    for (const auto& callback : callbacks_) drives_.drive(*callback, epoch, index);
    for (const auto& transform : batches_->transforms()) drives_.drive(*transform, epoch, index);
  }
}

void Trainer::try_validation() {
  fit_.training = false;
  evaluation(true);
  fire(&Callback::before_validate);
  batches_->start(Split::valid, 0);
  fit_.model->set_training(false);
  const at::NoGradGuard no_grad;
  fit_.batch = batches_->next();
  shorten(fit_.batch, 4);
  precision_.place(fit_.batch);
  forward();
  for (const auto& metric : metrics_) {
    metric->as<Metric>().reset();
    metric->as<Metric>().update(fit_.outputs, fit_.batch, fit_.loss);
  }
  fire(&Callback::after_valid_batch);
  note_validation(fit_.loss.item<double>());
  fire_backwards(&Callback::after_validate);
  evaluation(false);
}

std::vector<std::pair<double, double>> Trainer::sweep_rate(const std::string& target, double low,
                                                           double high, std::int64_t steps) {
  constexpr double kSmoothing = 0.98;
  std::vector<std::pair<double, double>> points;
  double average = 0;
  double best = 0;
  fire(&Callback::before_fit);
  fit_.model->set_training(true);
  for (std::int64_t step = 0; step < steps; ++step) {
    fit_.epoch = step / fit_.batches;
    fit_.batch_index = step % fit_.batches;
    if (fit_.batch_index == 0) batches_->start(Split::train, fit_.epoch);
    fit_.batch = batches_->next();
    const double rate =
        low * std::pow(high / low, static_cast<double>(step) / static_cast<double>(steps - 1));
    fit_.set_parameter(target, rate);
    train_batch();
    drain_losses();
    average = kSmoothing * average + (1 - kSmoothing) * last_loss_;
    const double smooth = average / (1 - std::pow(kSmoothing, static_cast<double>(step + 1)));
    if (!std::isfinite(smooth) || (step > 0 && smooth > 4 * best)) break;
    best = step == 0 ? smooth : std::min(best, smooth);
    points.emplace_back(rate, smooth);
    if (recorder_.progress(step + 1, steps, 0, smooth) == Wish::stop) break;
  }
  return points;
}

}  // namespace paribus
