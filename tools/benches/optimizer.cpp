// SPDX-License-Identifier: Apache-2.0
// Optimizer steps on ready gradients, through the kernel's own groups. torch_optimizer.py does the
// same with torch.optim, from the same numbers.
#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>

#include "paribus/groups.h"
#include "parts.h"
#include "shapes.h"
#include "side.h"

namespace paribus::bench {
namespace {

/// Weights and gradients drawn in turn by LibTorch's generator, as torch_optimizer.py draws them.
NamedTensors made_weights(const std::vector<Shape>& shapes) {
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  generator.set_current_seed(0);
  NamedTensors weights;
  for (const Shape& shape : shapes) {
    at::Tensor weight = at::randn(shape);
    const at::Tensor gradient = at::randn(shape);
    weight.requires_grad_();
    weight.mutable_grad() = gradient;
    weights.emplace_back(std::to_string(weights.size()), weight);
  }
  return weights;
}

class Stepped {
 public:
  Stepped(const PartSpec& spec, const std::vector<Shape>& shapes)
      : instance_(spec, loader()), groups_(made_weights(shapes)) {}

  nlohmann::json run(std::int64_t steps) {
    auto& optimizer = instance_.as<Optimizer>();
    const Clock clock;
    for (std::int64_t i = 0; i < steps; ++i) groups_.step(optimizer);
    const double seconds = clock.seconds();
    return {{"seconds", seconds / static_cast<double>(steps)}, {"check", checksum()}};
  }

 private:
  /// The XOR of all words of the weights: equal for equal bits, cheap enough for every turn.
  [[nodiscard]] std::uint32_t checksum() const {
    std::uint32_t all = 0;
    for (const auto& [name, weight] : groups_.weights()) {
      const at::Tensor flat = weight.detach();
      const auto* words = reinterpret_cast<const std::uint32_t*>(flat.const_data_ptr<float>());
      for (std::int64_t i = 0; i < flat.numel(); ++i) all ^= words[i];
    }
    return all;
  }

  Instance instance_;
  Groups groups_;
};

PartSpec optimizer_spec(const std::string& name) {
  if (name != "sgd" && name != "lookahead") return part("optimizer", name, {{"lr", 1e-4}});
  const std::map<std::string, Value> sgd{{"lr", 1e-4}, {"momentum", 0.9}};
  if (name == "sgd") return part("optimizer", "sgd", sgd);
  PartSpec spec = part("optimizer", "lookahead");
  spec.slots["inner"] = part("optimizer.inner", "sgd", sgd);
  spec.slots["inner"].kind = "optimizer";
  return spec;
}

}  // namespace
}  // namespace paribus::bench

int main(int /*count*/, char** words) {
  using namespace paribus::bench;
  at::set_num_threads(words[1] != nullptr ? std::atoi(words[1]) : 1);
  std::map<std::string, std::unique_ptr<Stepped>> made;
  std::map<std::string, Variant> variants;
  for (const std::string optimizer : {"sgd", "adamw", "lookahead", "radam", "rmsprop", "lion"}) {
    for (const auto& [list, shapes] : shape_lists()) {
      const std::string name = optimizer + "/" + list;
      variants[name] = [&made, name, optimizer, &shapes = shapes](std::int64_t steps) {
        auto& stepped = made[name];
        if (!stepped) stepped = std::make_unique<Stepped>(optimizer_spec(optimizer), shapes);
        return stepped->run(steps);
      };
    }
  }
  return serve(variants);
}
