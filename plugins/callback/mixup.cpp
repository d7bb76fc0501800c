// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/lerp.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/tensor.h>
#include <paribus/callback.h>

#include <algorithm>
#include <numeric>

/// Trains on mixtures of two items, x = l x_i + (1 - l) x_j, and of their targets (Zhang, Cisse,
/// Dauphin, Lopez-Paz 2018); l is drawn from Beta(alpha, alpha), for each item, as in fastai, or
/// for each batch. alpha = 0 mixes nothing.
struct Mixup : paribus::Callback {
  struct Params {
    double alpha = 0.4;
    std::string_view per = "item";
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("alpha", &Params::alpha, "of the Beta distribution; 0: off, 1: uniform")
              .at_least(0)
              .live(),
          paribus::field("per", &Params::per, "what has a share of its own")
              .one_of("item", "batch")};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"batch"}}; }

  void before_batch(paribus::Fit& fit) override {
    if (!fit.training || params.alpha == 0) return;
    paribus::Batch& batch = fit.batch;
    if (!batch.input().is_floating_point()) {
      throw paribus::Error("callback/mixup: the input is of type " +
                           std::string(batch.input().dtype().name()) +
                           ", expected floats; put normalize among the transforms");
    }
    if (!batch.target().is_floating_point() && fit.data.classes <= 0) {
      throw paribus::Error(
          "callback/mixup: the target is neither a class nor a float, it can't be mixed");
    }
    for (const paribus::Typed& target : batch.targets) {
      if (target.type->is(paribus::kBoxes))
        throw paribus::Error("callback/mixup: the target is boxes, they can't be mixed");
    }
    const paribus::Stream stream = fit.stream(*this);
    const at::Device device = batch.input().device();
    const at::Tensor partner = at::tensor(shuffled(batch, stream)).to(device);
    const at::Tensor other = at::tensor(shares(batch, stream), at::kFloat).to(device);
    for (paribus::Typed& input : batch.inputs) input.data = mixed(input.data, partner, other);
    for (paribus::Typed& target : batch.targets) {
      if (!target.data.is_floating_point())
        target.data = at::one_hot(target.data, fit.data.classes).to(at::kFloat);
      target.data = mixed(target.data, partner, other);
    }
  }

 private:
  static std::vector<std::int64_t> shuffled(const paribus::Batch& batch,
                                            const paribus::Stream& stream) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(batch.size()));
    std::iota(order.begin(), order.end(), 0);
    paribus::Draws draws = stream.step(batch.epoch, batch.index);
    paribus::shuffle(draws, order);
    return order;
  }
  /// The partner's share of each item; at most a half, so that an item stays mainly itself.
  [[nodiscard]] std::vector<double> shares(const paribus::Batch& batch,
                                           const paribus::Stream& stream) const {
    std::vector<double> result;
    for (const std::int64_t item : batch.items) {
      paribus::Draws draws =
          stream.item(batch.epoch, params.per == "item" ? item : batch.items.front());
      const double share = draws.beta(params.alpha, params.alpha);
      result.push_back(std::min(share, 1 - share));
    }
    return result;
  }
  static at::Tensor mixed(const at::Tensor& data, const at::Tensor& partner,
                          const at::Tensor& other) {
    std::vector<std::int64_t> per_item(static_cast<std::size_t>(data.dim()), 1);
    per_item[0] = -1;
    return at::lerp(data, data.index_select(0, partner),
                    other.to(data.scalar_type()).view(per_item));
  }
};
PARIBUS_PART(Mixup, "mixup", "trains on mixtures of two items (Zhang et al. 2018)")
