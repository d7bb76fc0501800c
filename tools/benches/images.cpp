// SPDX-License-Identifier: Apache-2.0
// Images in memory, cropped, mirrored and normalized into batches by the kernel's own loader.
// torch_images.py does the same item by item.
#include <ATen/Parallel.h>
#include <ATen/ops/randint.h>

#include "paribus/batches.h"
#include "parts.h"
#include "side.h"

namespace paribus::bench {
namespace {

class Pictures final : public TensorDataset {
 public:
  explicit Pictures(std::int64_t items) {
    set_address("data");
    train = {at::randint(256, {items, 1, 28, 28}, at::kByte), at::randint(10, {items}, at::kLong)};
    valid = {train.input.slice(0, 0, 1), train.target.slice(0, 0, 1)};
    about.inputs = {{&kImage, {}}};
    about.targets = {{&kCategory, {}}};
    about.classes = 10;
    about.mean = {72.94};
    about.std = {90.02};
  }
  void open(const Files& /*files*/) override {}
};

/// `count` passes over all items; the sum of a few pixels of each batch stands for its use.
nlohmann::json run(const Pictures& data, std::int64_t workers, std::int64_t count) {
  TrialSpec spec;
  spec.data.batch = 128;
  spec.data.workers = workers;
  spec.transforms = {part("data.transforms.crop", "crop", {{"padding", std::int64_t{2}}}),
                     part("data.transforms.flip", "flip"),
                     part("data.transforms.normalize", "normalize")};
  Batches batches(spec, data, loader(), nullptr);
  std::int64_t seen = 0;
  double sum = 0;
  const Clock clock;
  for (std::int64_t pass = 0; pass < count; ++pass) {
    batches.start(Split::train, pass);
    for (std::int64_t i = 0; i < batches.count(Split::train); ++i) {
      const Batch batch = batches.next();
      seen += batch.size();
      sum += batch.input().const_data_ptr<float>()[400];
    }
  }
  const double seconds = clock.seconds();
  return {{"seconds", seconds / static_cast<double>(seen)}, {"items", seen}, {"sum", sum}};
}

}  // namespace
}  // namespace paribus::bench

int main(int /*count*/, char** words) {
  using namespace paribus::bench;
  at::set_num_threads(1);
  const Pictures data(words[1] != nullptr ? std::atoll(words[1]) : 60000);
  return serve({{"in_line", [&](std::int64_t count) { return run(data, 0, count); }},
                {"one_worker", [&](std::int64_t count) { return run(data, 1, count); }},
                {"two_workers", [&](std::int64_t count) { return run(data, 2, count); }}});
}
