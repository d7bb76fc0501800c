// SPDX-License-Identifier: Apache-2.0
#include "paribus/trainer.h"

#include <ATen/Context.h>
#include <ATen/Functions.h>

#include <algorithm>

#include "fingerprint.h"
#include "paribus/callback_order.h"

namespace paribus {
namespace {

constexpr std::size_t kLossesKeptOnGpu = 50;  // read back together: a synchronization each 50 steps

void seed_generator(const at::Device& device, std::uint64_t seed) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  generator.set_current_seed(seed);
}

/// The number in a tensor of one; read as it is where that can be, since the call of an operator
/// costs a small model half a percent of its step.
double number_in(const at::Tensor& one) {
  const bool plain = one.is_cpu() && one.scalar_type() == at::kFloat && one.numel() == 1 &&
                     !one.is_neg() && one.layout() == at::kStrided;
  return plain ? static_cast<double>(*one.const_data_ptr<float>()) : one.item<double>();
}

}  // namespace

Trainer::Trainer(const TrialSpec& spec, const Dataset& dataset, const PartFactory& factory,
                 Recorder& recorder, std::filesystem::path folder)
    : spec_(spec),
      dataset_(dataset),
      factory_(factory),
      recorder_(recorder),
      folder_(std::move(folder)),
      drives_(spec.schedules, factory),
      model_stream_(spec.seed, "model") {
  batches_ = std::make_unique<Batches>(spec_, dataset_, factory_, &drives_);
  drives_.set_lengths(spec_.train.epochs, batches_->count(Split::train));
  if (batches_->count(Split::train) == 0) {
    throw Error("data.batch: the training split has " +
                std::to_string(batches_->items(Split::train)) +
                " items, less than a batch; use a smaller batch or drop_last = false");
  }
  if (batches_->count(Split::valid) == 0) throw Error("data: the validation split is empty");
  build_parts(spec_);
  connect_fit();
}

Trainer::~Trainer() = default;

void Trainer::build_parts(const TrialSpec& spec) {
  fit_.data = batches_->output();
  model_ = std::make_unique<Instance>(spec.model, factory_);
  seed_generator(at::kCPU, model_stream_.seed(0, -1));
  auto& model = model_->as<Model>();
  try {
    model.build(fit_.data);
  } catch (const c10::Error& problem) {
    throw Error("model: " + spec.model.use +
                " can't be built for these data: " + problem.what_without_backtrace());
  }
  precision_ = Precision(spec.train, model);
  model.move_to(precision_.device(), precision_.channels_last());
  loss_ = std::make_unique<Instance>(spec.loss, factory_);
  optimizer_ = std::make_unique<Instance>(spec.optimizer, factory_);
  for (const PartSpec& metric : spec.metrics)
    metrics_.push_back(std::make_unique<Instance>(metric, factory_));
  for (const PartSpec& callback : spec.callbacks)
    callbacks_.push_back(std::make_unique<Instance>(callback, factory_));
  for (const auto* part : {&model_, &loss_, &optimizer_}) drives_.attach(**part);
  for (const auto& callback : callbacks_) drives_.attach(*callback);
  for (const std::string& target : drives_.unattached()) {
    throw Error("schedule." + target + ": no part of this trial has a number of that name" +
                known_numbers());
  }
  groups_ = std::make_unique<Groups>(model.weights(), model.layer_groups());
  optimizer_->each([this](PartBase& part) {
    const auto* optimizer = dynamic_cast<const Optimizer*>(&part);
    keeps_batches_ = keeps_batches_ || (optimizer != nullptr && optimizer->needs_passes());
  });
  if (keeps_batches_) {
    groups_->set_passes(
        [this](const PartBase& owner, const Group::Loss& loss) { return pass_again(owner, loss); });
  }
  fingerprinter_ = std::make_unique<Fingerprinter>(weights_and_buffers());
  order_callbacks();
}

/// For messages: ", expected one of optimizer.lr optimizer.momentum ...".
std::string Trainer::known_numbers() const {
  std::string text;
  const auto add = [&text](const Instance& part) {
    for (const std::string& address : part.numeric_addresses()) text += ' ' + address;
  };
  for (const auto* part : {&model_, &loss_, &optimizer_}) add(**part);
  for (const auto& callback : callbacks_) add(*callback);
  return text.empty() ? "; there is none" : ", expected one of" + text;
}

void Trainer::order_callbacks() {
  for (const auto& callback : callbacks_) order_.push_back(&callback->as<Callback>());
  order_ = ordered(std::move(order_));
  for (const ScheduleSpec& schedule : spec_.schedules) {
    for (const Callback* callback : order_) {
      const Callback::Words writes = callback->writes();
      if (std::find(writes.begin(), writes.end(), schedule.target) == writes.end()) continue;
      throw Error("schedule." + schedule.target + ": " + callback->address() +
                  " changes it too, so the result would hang on their order; keep one of them");
    }
  }
}

void Trainer::connect_fit() {
  fit_.epochs_ = spec_.train.epochs;
  fit_.batches = batches_->count(Split::train);
  fit_.model = &model_->as<Model>();
  fit_.groups = groups_.get();
  fit_.seed_ = spec_.seed;
  fit_.record_ = [this](std::string_view name, double value) { put_point(name, value); };
  fit_.histogram_ = [this](std::string_view name, const at::Tensor& values, std::int64_t bins) {
    put_histogram(name, values, bins);
  };
  fit_.picture_ = [this](std::string_view name, const at::Tensor& pixels) {
    put_picture(name, pixels);
  };
  fit_.table_ = [this](std::string_view name, const Columns& columns) { put_table(name, columns); };
  fit_.save_weights_ = [this](std::string_view name) { save_weights(std::string(name)); };
  const auto find = [this](std::string_view address) {
    const std::string wanted(address);
    for (const auto* part : {&model_, &loss_, &optimizer_}) {
      if (const auto parameter = (*part)->find(wanted)) return parameter;
    }
    for (const auto& callback : callbacks_) {
      if (const auto parameter = callback->find(wanted)) return parameter;
    }
    throw Error(wanted + ": no part of this trial has a parameter of that name" + known_numbers());
  };
  fit_.get_parameter_ = [find](std::string_view address) { return find(address).get(); };
  fit_.set_parameter_ = [find](std::string_view address, double value) {
    const Instance::Parameter parameter = find(address);
    if (!parameter.field->live) throw Error(std::string(address) + ": can't change in training");
    parameter.set(value);
  };
}

void Trainer::fire(Event event) {
  for (Callback* callback : order_) (callback->*event)(fit_);
}

void Trainer::fire_backwards(Event event) {  // what was put in last comes out first
  for (auto callback = order_.rbegin(); callback != order_.rend(); ++callback)
    ((*callback)->*event)(fit_);
}

Outcome Trainer::fit() {
  Outcome outcome;
  try {
    fire(&Callback::before_fit);
    if (!folder_.empty() && load_checkpoint()) {
      recorder_.resumed(fit_.step);
      // It may have been killed just before it was left here.
      const std::int64_t steps = fit_.epochs_ * fit_.batches;
      stop_asked_ = recorder_.progress(fit_.step, steps, fit_.epoch, last_loss_) == Wish::stop;
    }
    run();
    outcome = conclude();
  } catch (...) {
    clean_up();
    throw;
  }
  fire_backwards(&Callback::after_fit);
  return outcome;
}

/// After an error: losses that are still on the device are read, every callback cleans up, and what
/// failed first is what is told.
void Trainer::clean_up() {
  groups_->rest(false);
  try {
    drain_losses();
  } catch (const std::exception& also) {
    recorder_.message(std::string("losses up to the error: ") + also.what());
  }
  for (auto callback = order_.rbegin(); callback != order_.rend(); ++callback) {
    try {
      (*callback)->after_fit(fit_);
    } catch (const std::exception& also) {
      recorder_.message((*callback)->address() + ": after an error: " + also.what());
    }
  }
}

Outcome Trainer::conclude() {
  Outcome outcome;
  outcome.status = stop_asked_ ? Outcome::Status::stopped : Outcome::Status::done;
  outcome.message = fit_.reason_;
  outcome.steps = fit_.step;
  outcome.epochs = fit_.epoch;
  outcome.last = fit_.metrics;
  outcome.best = best_;
  if (!stop_asked_) {
    evaluation(true);
    save_weights("final");
    evaluation(false);
  }
  return outcome;
}

/// An epoch that has begun is closed, even if a checkpoint was written after a callback called it
/// off.
bool Trainer::epoch_is_left() const {
  return fit_.epoch < fit_.epochs_ && (start_batch_ > 0 || !wanted(Fit::Next::stop));
}

void Trainer::run() {
  stop_asked_ = stop_asked_ && epoch_is_left();
  while (epoch_is_left() && !stop_asked_) {
    if (start_batch_ == 0) {
      loss_sum_ = 0;
      loss_items_ = 0;
      fire(&Callback::before_epoch);
    }
    if (!train_epoch()) return;
    close_epoch();
    start_batch_ = 0;
    stop_asked_ = stop_asked_ && epoch_is_left();  // with nothing left to do it is done
    checkpoint_if_due(stop_asked_ || save_asked_);
  }
}

void Trainer::take_fingerprints() {
  if (precision_.device().is_cpu())  // else each step would wait for the GPU
    recorder_.fingerprint(fit_.step, fingerprinter_->window(fit_.step, last_loss_));
  if (recorder_.wants_fingerprints(fit_.step))
    recorder_.fingerprints(fit_.step, fingerprinter_->all());
}

void Trainer::heed(Wish wish) {
  stop_asked_ = stop_asked_ || wish == Wish::stop;
  save_asked_ = save_asked_ || wish == Wish::save;
}

/// False if it was left on request, to be resumed.
bool Trainer::train_epoch() {
  fit_.training = true;
  fit_.model->set_training(true);
  batches_->start(Split::train, fit_.epoch, start_batch_);
  for (std::int64_t index = start_batch_; index < fit_.batches && !wanted(Fit::Next::skip_epoch);
       ++index) {
    fit_.batch_index = index;
    fit_.batch = batches_->next();
    train_batch();
    take_fingerprints();
    heed(recorder_.progress(fit_.step, fit_.epochs_ * fit_.batches, fit_.epoch, last_loss_));
    start_batch_ = index + 1;
    if (start_batch_ == fit_.batches) break;  // the epoch's end saves itself, validated
    checkpoint_if_due(stop_asked_ || save_asked_);
    if (stop_asked_ && updates_pending_ == 0) return false;
  }
  finish_update();
  fit_.batch = {};
  return true;
}

void Trainer::train_batch() {
  fit_.step += 1;
  drive();
  precision_.place(fit_.batch);
  fire(&Callback::before_batch);
  if (!wanted(Fit::Next::skip_batch)) {
    seed_generators(fit_.epoch, fit_.batch_index);
    groups_->rest(true);
    forward();
    if (!wanted(Fit::Next::skip_batch)) fire(&Callback::after_loss);
    if (!wanted(Fit::Next::skip_batch)) backward_and_step();
    groups_->rest(false);  // where it was skipped
  }
  fire(&Callback::after_batch);
  if (fit_.next_ == Fit::Next::skip_batch) fit_.next_ = Fit::Next::go_on;
}

void Trainer::forward() {
  const Precision::Guard autocast(precision_);
  fit_.loss.reset();  // the last batch's graph makes room, still warm in the caches, for this one's
  fit_.outputs = {};
  fit_.outputs = fit_.model->outputs(fit_.batch);
  if (fit_.training) fire(&Callback::after_forward);
  if (fit_.training && wanted(Fit::Next::skip_batch)) return;
  fit_.loss = loss_->as<Loss>()(fit_.outputs, fit_.batch);
}

void Trainer::backward_and_step() {
  const bool at_hand = precision_.device().is_cpu();  // to be read at once, while it has its graph
  pending_losses_.push_back(
      {fit_.step, fit_.batch.size(), at_hand ? fit_.loss : fit_.loss.detach()});
  if (at_hand || pending_losses_.size() >= kLossesKeptOnGpu) drain_losses();
  at::Tensor loss = precision_.scaled(fit_.loss);
  if (spec_.train.accumulate > 1) loss = loss.div(static_cast<double>(spec_.train.accumulate));
  loss.backward();
  groups_->rest(false);
  ++updates_pending_;
  if (keeps_batches_) update_batches_.push_back(fit_.batch);
  fire(&Callback::after_backward);
  if (wanted(Fit::Next::skip_batch)) {
    forget_update();
  } else if (update_is_due()) {
    update();
  }
}

bool Trainer::update_is_due() const { return updates_pending_ >= spec_.train.accumulate; }

void Trainer::forget_update() {
  updates_pending_ = 0;
  update_batches_.clear();
  groups_->forget_gradients();
}

void Trainer::update() {
  const bool scaled = precision_.name() == "fp16";
  const bool clipped = spec_.train.clip_norm > 0 || spec_.train.clip_value > 0;
  bool good = true;
  if (scaled || clipped) {
    const std::vector<at::Tensor> gradients = groups_->gradients();
    good = precision_.unscale(gradients);
    clip(gradients, spec_.train.clip_norm, spec_.train.clip_value);
  }
  const Fit::Next before = fit_.next_;
  if (good) fire(&Callback::before_step);
  if (good && fit_.next_ == before) {
    groups_->step(optimizer_->as<Optimizer>());
    fire(&Callback::after_step);
  }
  forget_update();
}

void Trainer::finish_update() {
  if (updates_pending_ > 0) update();
}

/// Behind the losses that are not read yet, so that a journal has its steps in their order.
void Trainer::put_point(std::string_view series, double value) {
  if (pending_losses_.empty()) return recorder_.point(series, fit_.step, value);
  pending_losses_.back().behind.push_back({std::string(series), fit_.step, value});
}

void Trainer::drain_losses() {
  for (const PendingLoss& pending : pending_losses_) {
    last_loss_ = number_in(pending.loss);
    loss_sum_ += last_loss_ * static_cast<double>(pending.items);
    loss_items_ += pending.items;
    recorder_.point("train.batch_loss", pending.step, last_loss_);
    for (const Noted& noted : pending.behind)
      recorder_.point(noted.series, noted.step, noted.value);
  }
  pending_losses_.clear();
}

void Trainer::drive() {
  if (spec_.schedules.empty()) return;
  for (const auto* part : {&model_, &loss_, &optimizer_}) {
    drives_.drive(**part, fit_.epoch, fit_.batch_index);
    for (const auto& [target, value] : drives_.values(**part)) put_point(target, value);
  }
  for (const auto& callback : callbacks_) drives_.drive(*callback, fit_.epoch, fit_.batch_index);
}

void Trainer::close_epoch() {
  drain_losses();
  if (loss_items_ > 0) note("train.loss", loss_sum_ / static_cast<double>(loss_items_), false);
  const bool last = fit_.epoch + 1 == fit_.epochs_ || wanted(Fit::Next::stop);
  const bool due = last || (fit_.epoch + 1) % spec_.train.valid_every == 0;
  if (due) validate();
  recorder_.fingerprints(fit_.step, fingerprinter_->all());
  fire(&Callback::after_epoch);
  if (!due && wanted(Fit::Next::stop)) validate();  // results are those of the last weights
  if (fit_.next_ == Fit::Next::skip_epoch) fit_.next_ = Fit::Next::go_on;
  ++fit_.epoch;
}

void Trainer::evaluation(bool on) { groups_->evaluation(optimizer_->as<Optimizer>(), on); }

/// LibTorch's own generators (dropout, initialization) draw for this position, whatever was drawn
/// before.
void Trainer::seed_generators(std::int64_t epoch, std::int64_t index) const {
  const std::uint64_t seed = model_stream_.seed(epoch, index);
  seed_generator(at::kCPU, seed);
  if (precision_.device().is_cuda()) seed_generator(precision_.device(), seed);
}

}  // namespace paribus
