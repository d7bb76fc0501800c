// SPDX-License-Identifier: Apache-2.0
// Every optimizer gives each weight the rate and the decay that are its own.
#include <cmath>

#include "paribus/groups.h"
#include "paribus/random.h"
#include "paribus/types.h"
#include "parts.h"

namespace paribus::testing {
namespace {

at::Tensor numbers(const std::vector<std::int64_t>& shape, int seed) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  float* out = tensor.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i)
    out[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i * i + 1) + 0.3 * seed));
  return tensor;
}

/// Two of each shape, so that a weight of every kind has either rate; the last matrix is Muon's
/// exception.
NamedTensors weights() {
  NamedTensors list;
  for (const char* half : {"body", "head"}) {
    const int seed = half[0] == 'b' ? 0 : 10;
    const std::string name = std::string(half) + ".";
    list.emplace_back(name + "filter", numbers({3, 2, 2, 2}, seed).requires_grad_());
    list.emplace_back(name + "matrix", numbers({4, 3}, seed + 1).requires_grad_());
    list.emplace_back(name + "vector", numbers({5}, seed + 2).requires_grad_());
  }
  return list;
}

/// Some steps; gradients of another pass, which SAM and Sophia ask for, are set ones.
std::vector<at::Tensor> trained(Optimizer& optimizer, double body, double head, bool of_decay) {
  Groups groups(weights());
  const std::vector<double> scales{body, body, body, head, head, head};
  const std::vector<double> ones(6, 1);
  groups.scale(of_decay ? ones : scales, of_decay ? scales : ones);
  int count = 0;
  const auto give = [&](int more) {
    int seed = 100 * count + more;
    for (const auto& [name, weight] : groups.weights())
      weight.mutable_grad() = numbers(weight.sizes().vec(), ++seed);
  };
  groups.set_passes([&](const PartBase&, const Group::Loss& loss) {
    Batch batch;
    batch.items.resize(6);
    Draws draws(static_cast<std::uint64_t>(count), 0, 0);
    if (loss) loss(Outputs(numbers({6, 3}, count)), batch, draws);
    give(50);
    return true;
  });
  for (count = 1; count <= 12; ++count) {
    give(0);
    groups.step(optimizer);
  }
  groups.evaluation(optimizer, true);
  std::vector<at::Tensor> result;
  for (const auto& [name, weight] : groups.weights()) result.push_back(weight.detach());
  return result;
}

struct Method {
  PartSpec spec;
  std::vector<std::string> rates;  // addresses
  std::vector<std::string> decays;
};

PartSpec inner_sgd() {
  return part("optimizer", "sgd", {{"momentum", 0.9}, {"weight_decay", 0.25}, {"lr", 0.125}});
}

/// All that ship, with decay.
std::vector<Method> methods() {
  std::vector<Method> list;
  const auto catalog = registry::Catalog::scan({PARIBUS_PLUGIN_DIR});
  for (const auto& schema : catalog.parts()) {
    if (schema.kind != "optimizer") continue;
    Method method{part("optimizer", schema.name), {}, {}};
    for (const auto& field : schema.fields) {
      if (field.name == "lr") method.rates.emplace_back("optimizer.lr");
      if (field.name == "lr") method.spec.params["lr"] = 0.125;
      if (field.name == "weight_decay") method.decays.emplace_back("optimizer.weight_decay");
      if (field.name == "weight_decay") method.spec.params["weight_decay"] = 0.25;
      if (field.name == "momentum") method.spec.params["momentum"] = 0.9;
      if (field.type != registry::FieldType::part) continue;
      PartSpec slot = inner_sgd();
      slot.address = "optimizer." + field.name;
      method.rates.push_back(slot.address + ".lr");
      method.decays.push_back(slot.address + ".weight_decay");
      method.spec.slots.emplace(field.name, std::move(slot));
    }
    list.push_back(std::move(method));
  }
  return list;
}

/// The same with every rate, or every decay, times a factor.
PartSpec times(const Method& method, const std::vector<std::string>& addresses, double factor) {
  PartSpec spec = method.spec;
  for (const std::string& address : addresses) {
    const std::size_t dot = address.rfind('.');
    const std::string name = address.substr(dot + 1), holder = address.substr(0, dot);
    PartSpec& owner = holder == "optimizer" ? spec : spec.slots.at(holder.substr(10));
    owner.params[name] = std::get<double>(owner.params[name]) * factor;
  }
  return spec;
}

std::vector<at::Tensor> plain(const PartSpec& spec) {
  const Made<Optimizer> optimizer(spec);
  return trained(*optimizer, 1, 1, false);
}

void expect_each_its_own(const Method& method, bool of_decay, double factor) {
  const Made<Optimizer> optimizer(method.spec);
  const auto got = trained(*optimizer, factor, 1, of_decay);
  const auto body = plain(times(method, of_decay ? method.decays : method.rates, factor));
  const auto head = plain(method.spec);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(bitwise_equal(got[i], i < 3 ? body[i] : head[i])) << weights()[i].first;
    EXPECT_TRUE(got[i].isfinite().all().item<bool>());
  }
  EXPECT_FALSE(bitwise_equal(body[0], head[0])) << "the factor does nothing";
}

TEST(OptimizerRates, EachWeightIsSteppedAtItsOwnRate) {
  const auto list = methods();
  ASSERT_GE(list.size(), 17U);
  for (const Method& method : list) {
    SCOPED_TRACE(method.spec.use);
    expect_each_its_own(method, /*of_decay=*/false, 0.5);
    expect_each_its_own(method, /*of_decay=*/false, 0);
  }
}

TEST(OptimizerRates, EachWeightDecaysByItsOwnShare) {
  for (const Method& method : methods()) {
    SCOPED_TRACE(method.spec.use);
    expect_each_its_own(method, /*of_decay=*/true, 0);
    expect_each_its_own(method, /*of_decay=*/true, 0.5);
  }
}

TEST(OptimizerRates, FactorsThatAllAgreeAreARate) {
  for (const Method& method : methods()) {
    SCOPED_TRACE(method.spec.use);
    const Made<Optimizer> optimizer(method.spec);
    const auto got = trained(*optimizer, 0.5, 0.5, false);
    const auto expected = plain(times(method, method.rates, 0.5));
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(bitwise_equal(got[i], expected[i]));
  }
}

}  // namespace
}  // namespace paribus::testing
