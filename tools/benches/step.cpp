// SPDX-License-Identifier: Apache-2.0
// The trainer's steps and those of a raw LibTorch loop, block by block in turns: a 784-64-10 MLP,
// batch 64, SGD with momentum, the same items in the same order from the same first weights.
#include <ATen/Parallel.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/zeros_like.h>
#include <paribus/model.h>
#include <paribus/random.h>

#include <cstring>
#include <numeric>
#include <optional>
#include <utility>

#include "../worker/recorder.h"
#include "paribus/checkpoint.h"
#include "paribus/trainer.h"
#include "parts.h"
#include "side.h"

namespace paribus::bench {
namespace {

constexpr std::int64_t kBatch = 64;
constexpr std::int64_t kBlock = 40;         // steps of one side before it is the other's turn
constexpr std::int64_t kBlocksInEpoch = 5;  // the first warms up and is not counted
constexpr std::int64_t kStepsInEpoch = kBlock * kBlocksInEpoch;
constexpr std::int64_t kEpochs = 4;
constexpr double kRate = 0.01, kMomentum = 0.9;
constexpr std::uint64_t kSeed = 1;

class Pixels final : public TensorDataset {
 public:
  Pixels() {
    set_address("data");
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    generator.set_current_seed(kSeed);
    train = columns(kBatch * kStepsInEpoch);
    valid = columns(kBatch);
    about.inputs = {{&kTensor, {}}};
    about.targets = {{&kCategory, {}}};
    about.classes = 10;
  }
  void open(const Files& /*files*/) override {}
  [[nodiscard]] const Columns& training() const { return train; }

 private:
  static Columns columns(std::int64_t items) {
    return {at::rand({items, 784}), at::randint(10, {items}, at::kLong)};
  }
};

/// What one writes by hand: no schedule, no record, nothing that one could leave out. Gradients
/// are dropped, not zeroed, and the update is LibTorch's fused one.
class RawLoop {
 public:
  explicit RawLoop(const Pixels& data) : data_(data.training()) {
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    generator.set_current_seed(Stream(kSeed, "model").seed(0, -1));
    first_ = torch::nn::Linear(784, 64);
    second_ = torch::nn::Linear(64, 10);
    weights_ = {first_->weight, first_->bias, second_->weight, second_->bias};
    for (const at::Tensor& weight : weights_) velocity_.push_back(at::zeros_like(weight.detach()));
    order_.resize(static_cast<std::size_t>(kBatch * kStepsInEpoch));
  }

  void block(std::int64_t epoch, std::int64_t index) {
    if (index == 0) shuffle(epoch);
    for (std::int64_t i = 0; i < kBlock; ++i) step(index * kBlock + i);
  }

  [[nodiscard]] const std::vector<at::Tensor>& weights() const { return weights_; }

 private:
  void shuffle(std::int64_t epoch) {  // as Batches does
    std::iota(order_.begin(), order_.end(), 0);
    Draws draws = Stream(kSeed, "data.shuffle").step(epoch, 0);
    for (std::size_t i = order_.size(); i > 1; --i)
      std::swap(order_[i - 1], order_[draws.below(static_cast<std::uint32_t>(i))]);
  }

  void step(std::int64_t index) {
    const at::Tensor input = at::empty({kBatch, 784}, at::kFloat);
    const at::Tensor target = at::empty({kBatch}, at::kLong);
    gather(data_.input.const_data_ptr<float>(), input.mutable_data_ptr<float>(), 784, index);
    gather(data_.target.const_data_ptr<std::int64_t>(), target.mutable_data_ptr<std::int64_t>(), 1,
           index);
    const at::Tensor scores = second_->forward(at::relu(first_->forward(input)));
    at::cross_entropy_loss(scores, target).backward();
    const at::NoGradGuard no_grad;
    for (const at::Tensor& weight : weights_) gradients_.push_back(weight.grad());
    at::_fused_sgd_(weights_, gradients_, velocity_, 0, kMomentum, kRate, 0, false, false,
                    std::exchange(is_first_, false));
    gradients_.clear();
    for (at::Tensor& weight : weights_) weight.mutable_grad().reset();
  }

  template <class T>
  void gather(const T* from, T* to, std::int64_t width, std::int64_t index) const {
    for (std::int64_t i = 0; i < kBatch; ++i) {
      const std::int64_t item = order_[static_cast<std::size_t>(index * kBatch + i)];
      std::memcpy(to + i * width, from + item * width, static_cast<std::size_t>(width) * sizeof(T));
    }
  }

  const TensorDataset::Columns& data_;
  torch::nn::Linear first_{nullptr}, second_{nullptr};
  std::vector<at::Tensor> weights_, velocity_, gradients_;
  std::vector<std::int64_t> order_;
  bool is_first_ = true;
};

struct Watch {
  Clock wall;
  CpuClock cpu;
};

/// Seconds a step, of each block.
struct Times {
  std::vector<double> wall, cpu;
  void add(const Watch& watch) {
    wall.push_back(watch.wall.seconds() / kBlock);
    cpu.push_back(watch.cpu.seconds() / kBlock);
  }
};

/// Records as a trial does, and after each block of the trainer's steps runs one of the raw loop's.
class Turns final : public Recorder {
 public:
  Turns(worker::JournalRecorder& recorder, std::optional<RawLoop>& raw, Times& ours, Times& rival)
      : recorder_(recorder), raw_(raw), ours_(ours), rival_(rival) {}

  void point(std::string_view series, std::int64_t step, double value) override {
    recorder_.point(series, step, value);
  }
  void message(std::string_view text) override { recorder_.message(text); }
  void flush() override { recorder_.flush(); }
  void resumed(std::int64_t step) override { recorder_.resumed(step); }
  void checkpointed(std::int64_t step, const std::string& file) override {
    recorder_.checkpointed(step, file);
  }
  void fingerprint(std::int64_t step, std::uint32_t value) override {
    recorder_.fingerprint(step, value);
  }
  [[nodiscard]] bool wants_fingerprints(std::int64_t step) const override {
    return recorder_.wants_fingerprints(step);
  }
  void fingerprints(std::int64_t step, const Fingerprints& tensors) override {
    recorder_.fingerprints(step, tensors);
  }
  Wish progress(std::int64_t step, std::int64_t steps, std::int64_t epoch, double loss) override {
    const Wish wish = recorder_.progress(step, steps, epoch, loss);
    if (step % kBlock != 0) return wish;
    const std::int64_t block = (step - 1) % kStepsInEpoch / kBlock;
    if (block > 0) ours_.add(*watch_);
    const Watch watch;
    raw_->block(epoch, block);
    if (block > 0) rival_.add(watch);
    watch_.emplace();
    return wish;
  }

 private:
  worker::JournalRecorder& recorder_;
  std::optional<RawLoop>& raw_;
  Times& ours_;
  Times& rival_;
  std::optional<Watch> watch_;
};

bool same_weights(const std::filesystem::path& file, const RawLoop& raw) {
  const auto saved = read_safetensors(file);
  if (saved.size() != raw.weights().size()) return false;
  std::size_t i = 0;  // "layers.0.bias", "layers.0.weight", "layers.1.bias", ...
  for (const auto& [name, tensor] : saved) {
    if (!at::equal(tensor, raw.weights()[i ^ 1U].detach())) return false;
    ++i;
  }
  return true;
}

TrialSpec trial(std::int64_t workers) {
  TrialSpec spec;
  spec.seed = kSeed;
  spec.model = part("model", "mlp");
  spec.loss = part("loss", "cross_entropy");
  spec.optimizer = part("optimizer", "sgd", {{"lr", kRate}, {"momentum", kMomentum}});
  spec.metrics = {part("metric.accuracy", "accuracy")};
  spec.data.workers = workers;
  spec.data.batch = kBatch;
  spec.train.epochs = kEpochs;
  spec.train.device = "cpu";
  return spec;
}

/// Memory that shifts what is allocated after it: where weights come to lie favours one side or the
/// other by some percent, so each training is laid out anew.
std::vector<at::Tensor> padding(std::int64_t training) {
  Draws draws = Stream(kSeed, "padding").step(0, training);
  std::vector<at::Tensor> pieces;
  for (std::uint32_t i = draws.below(16); i > 0; --i)
    pieces.push_back(at::empty({1 + draws.below(1U << 16)}, at::kByte));
  return pieces;
}

/// `count` trainings; at every other one the raw loop's memory is allocated first.
nlohmann::json run(const Pixels& data, std::int64_t workers, std::int64_t count) {
  Times ours, rival;
  bool equal = true;
  for (std::int64_t i = 0; i < count; ++i) {
    const Folder folder;
    const auto held = padding(i);
    driver::ProgressSlot slot;
    worker::JournalRecorder recorder(folder.path() / "trial.log", "valid.accuracy", slot, {});
    std::optional<RawLoop> raw;
    if (i % 2 == 0) raw.emplace(data);
    Turns turns(recorder, raw, ours, rival);
    Trainer trainer(trial(workers), data, loader(), turns, folder.path());
    if (i % 2 == 1) raw.emplace(data);
    trainer.fit();
    equal = equal && same_weights(folder.path() / "final.safetensors", *raw);
  }
  return {{"ours", ours.wall},
          {"rival", rival.wall},
          {"ours_cpu", ours.cpu},
          {"rival_cpu", rival.cpu},
          {"equal", equal}};
}

}  // namespace
}  // namespace paribus::bench

int main() {
  using namespace paribus::bench;
  at::set_num_threads(1);
  const Pixels data;
  return serve({{"in_line", [&](std::int64_t count) { return run(data, 0, count); }},
                {"loader_thread", [&](std::int64_t count) { return run(data, 1, count); }}});
}
