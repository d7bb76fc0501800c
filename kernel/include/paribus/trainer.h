// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "paribus/batches.h"
#include "paribus/callback.h"
#include "paribus/drives.h"
#include "paribus/fit.h"
#include "paribus/groups.h"
#include "paribus/loss.h"
#include "paribus/metric.h"
#include "paribus/precision.h"
#include "paribus/record.h"

namespace paribus {

class Fingerprinter;

/// What is known of a trial once its parts have been built and one small batch has gone through
/// them.
struct Facts {
  std::int64_t parameters = 0;  // elements of all weights
  std::int64_t train_items = 0, valid_items = 0;
  std::int64_t steps_per_epoch = 0;
  std::string device, precision, memory_format;  // what "auto" came to
};

/// How a training ended.
struct Outcome {
  enum class Status { done, stopped };
  Status status = Status::done;  // stopped: on request, checkpointed, to be resumed
  std::string message;           // why a callback ended it early, or empty
  std::int64_t steps = 0;        // batches in all, over all processes
  std::int64_t epochs = 0;       // epochs ended
  std::map<std::string, double, std::less<>> last, best;  // final and best value of each metric
};

/// One training: builds the parts of a spec and runs the loop of docs/training_loop.md. Use it on
/// one thread.
class Trainer {
 public:
  /// Throws Error where a part can't be built or data and model don't fit. `folder`: for
  /// checkpoints; empty: keep none.
  Trainer(const TrialSpec& spec, const Dataset& dataset, const PartFactory& factory,
          Recorder& recorder, std::filesystem::path folder);
  ~Trainer();

  /// Sends one small batch forward and backward and through the metrics, to find what doesn't fit;
  /// leaves no trace that a later `fit` of another Trainer could see. Throws Error.
  Facts inspect();
  /// Trains, from the newest checkpoint in the folder if there is one.
  Outcome fit();

  /// One learning-rate sweep from `low` to `high` over `steps` batches, exponential; stops when the
  /// smoothed loss exceeds four times its best. Pairs of rate and smoothed loss. (fastai's lr_find;
  /// the trainer is used up by it.)
  std::vector<std::pair<double, double>> sweep_rate(const std::string& target, double low,
                                                    double high, std::int64_t steps);

 private:
  using Event = void (Callback::*)(Fit&);

  void build_parts(const TrialSpec& spec);
  void order_callbacks();
  void fire(Event event);
  void fire_backwards(Event event);
  void clean_up();
  void connect_fit();
  Outcome conclude();
  void run();
  bool train_epoch();
  void train_batch();
  void forward();
  void backward_and_step();
  void update();
  void finish_update();
  bool pass_again(const PartBase& owner, const Group::Loss& loss);
  at::Tensor loss_again(const Batch& batch, const PartBase& owner, const Group::Loss& loss);
  void fire_writers(std::string_view word, Event event);
  void forget_update();
  void validate();
  void close_epoch();
  void put_point(std::string_view series, double value);
  void put_histogram(std::string_view name, const at::Tensor& values, std::int64_t bins);
  void put_picture(std::string_view name, const at::Tensor& pixels);
  void put_table(std::string_view name, const Columns& columns);
  void drain_losses();
  void note(const std::string& series, double value, bool maximize);
  void note_validation(double loss);
  void heed(Wish wish);
  void take_fingerprints();
  void drive();
  void evaluation(bool on);
  void seed_generators(std::int64_t epoch, std::int64_t index) const;
  [[nodiscard]] bool wanted(Fit::Next level) const { return fit_.next_ >= level; }
  [[nodiscard]] bool update_is_due() const;
  [[nodiscard]] bool epoch_is_left() const;
  [[nodiscard]] std::string known_numbers() const;
  void try_schedules();
  void try_validation();

  void checkpoint_if_due(bool force);
  void save_checkpoint();
  bool load_checkpoint();
  void visit_states(const std::function<void(PartBase&)>& visit);
  void place_state(State& state);
  void place_requests(State& state);
  void save_weights(const std::string& name);
  [[nodiscard]] NamedTensors weights_and_buffers() const;

  const TrialSpec spec_;
  const Dataset& dataset_;
  const PartFactory& factory_;
  Recorder& recorder_;
  const std::filesystem::path folder_;

  Drives drives_;
  std::unique_ptr<Batches> batches_;
  std::unique_ptr<Instance> model_, loss_, optimizer_;
  std::vector<std::unique_ptr<Instance>> metrics_, callbacks_;
  std::vector<Callback*> order_;
  std::unique_ptr<Groups> groups_;
  Precision precision_;
  Stream model_stream_;

  Fit fit_;
  struct Noted {
    std::string series;
    std::int64_t step;
    double value;
  };
  struct PendingLoss {
    std::int64_t step, items;
    at::Tensor loss;
    std::vector<Noted> behind{};  // points that came before the next one
  };
  std::vector<PendingLoss> pending_losses_;  // on a GPU, read some steps later, all at once
  double last_loss_ = 0;
  double loss_sum_ = 0;  // over the items of this epoch's batches so far
  std::int64_t loss_items_ = 0;
  std::int64_t updates_pending_ = 0;  // batches whose gradients wait for an update
  bool keeps_batches_ = false;        // the optimizer wants to pass them again
  std::vector<Batch> update_batches_;
  std::int64_t start_batch_ = 0;  // of the first epoch after a resume
  std::map<std::string, double, std::less<>> best_;
  double last_checkpoint_ = 0;  // seconds, monotonic
  bool stop_asked_ = false;
  bool save_asked_ = false;
  std::unique_ptr<Fingerprinter> fingerprinter_;
};

}  // namespace paribus
