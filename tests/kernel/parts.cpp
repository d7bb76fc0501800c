// SPDX-License-Identifier: Apache-2.0
#include "parts.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "paribus/random.h"

extern "C" {
extern const paribus::PartDescriptor paribus_part_Mlp;
extern const paribus::PartDescriptor paribus_part_Sgd;
extern const paribus::PartDescriptor paribus_part_CrossEntropy;
extern const paribus::PartDescriptor paribus_part_Accuracy;
extern const paribus::PartDescriptor paribus_part_Linear;
}

namespace paribus::test {
namespace {

// OpenMP's threads wait spinning: on a busy machine they would make small steps a hundred times
// slower.
[[maybe_unused]] const bool kOneThread = (at::set_num_threads(1), true);

}  // namespace

Factory::Factory() {
  for (const auto* shipped : {&paribus_part_Mlp, &paribus_part_Sgd, &paribus_part_CrossEntropy,
                              &paribus_part_Accuracy, &paribus_part_Linear}) {
    parts_[std::string(shipped->kind) + "/" + shipped->name] = *shipped;
  }
}

const PartDescriptor& Factory::descriptor(const std::string& kind, const std::string& name) const {
  const auto found = parts_.find(kind + "/" + name);
  if (found == parts_.end()) throw Error(kind + "/" + name + ": there is no such part");
  return found->second;
}

PartSpec part(const std::string& kind, const std::string& use, std::map<std::string, Value> params,
              const std::string& address) {
  return {kind, use, address.empty() ? kind : address, std::move(params), {}};
}

Dots::Dots(std::int64_t train_items, std::int64_t valid_items) {
  set_address("dataset");
  const Stream stream(1, "dots");
  const auto fill = [&](Columns& columns, std::int64_t items, std::int64_t epoch) {
    columns.input = at::empty({items, 8});
    columns.target = at::empty({items}, at::kLong);
    auto* inputs = columns.input.mutable_data_ptr<float>();
    auto* targets = columns.target.mutable_data_ptr<std::int64_t>();
    for (std::int64_t item = 0; item < items; ++item) {
      Draws draws = stream.item(epoch, item);
      for (int i = 0; i < 8; ++i) inputs[item * 8 + i] = static_cast<float>(draws.normal());
      const float* x = inputs + item * 8;
      targets[item] = x[0] + x[1] > 0 ? 0 : x[2] - x[3] > 0 ? 1 : 2;
    }
  };
  fill(train, train_items, 0);
  fill(valid, valid_items, 1);
  about.inputs = {{&kTensor, {}}};
  about.targets = {{&kCategory, {}}};
  about.classes = 3;
}

TrialSpec small_trial() {
  TrialSpec spec;
  spec.model = part("model", "mlp", {{"hidden", std::vector<std::int64_t>{16}}});
  spec.loss = part("loss", "cross_entropy");
  spec.optimizer = part("optimizer", "sgd", {{"lr", 0.1}, {"momentum", 0.9}});
  spec.metrics = {part("metric", "accuracy", {}, "metric.accuracy")};
  spec.data.batch = 8;
  spec.data.workers = 0;
  spec.train.epochs = 3;
  spec.train.device = "cpu";
  spec.train.precision = "fp32";
  spec.train.checkpoint_seconds = 1e9;
  spec.seed = 7;
  return spec;
}

void Notes::point(std::string_view series, std::int64_t step, double value) {
  points[std::string(series)][step] = value;
}

void Notes::resumed(std::int64_t step) {
  events.push_back("resumed " + std::to_string(step));
  for (auto& [name, series] : points) series.erase(series.upper_bound(step), series.end());
}

void Notes::checkpointed(std::int64_t step, const std::string& file) {
  events.push_back("checkpointed " + std::to_string(step));
  files_were_there = files_were_there && fs::is_regular_file(file);
}

Wish Notes::progress(std::int64_t step, std::int64_t /*steps*/, std::int64_t /*epoch*/,
                     double /*loss*/) {
  return step == stop_at ? Wish::stop : step == save_at ? Wish::save : Wish::go_on;
}

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "paribus-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw Error("no temporary folder");
  path_ = name;
}

std::vector<std::string> Folder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string bytes_of(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream(file, std::ios::binary).rdbuf();
  return out.str();
}

void write_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) return false;
  const at::Tensor x = a.detach().contiguous();
  const at::Tensor y = b.detach().contiguous();
  return x.numel() == 0 || std::memcmp(x.const_data_ptr(), y.const_data_ptr(), x.nbytes()) == 0;
}

}  // namespace paribus::test
