// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/where.h>
#include <paribus/callback.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

/// Puts a rectangle of another item's image into each image, and mixes targets by its area (Yun,
/// Han, Oh, Chun, Choe, Yoo 2019). The rectangle has the image's shape and 1 - l of its area, l
/// from Beta(alpha, alpha), about a place that is drawn evenly; what would lie outside is cut off.
/// One for the batch, as in the paper, or one for each item. alpha = 0 cuts nothing.
struct Cutmix : paribus::Callback {
  struct Params {
    double alpha = 1;
    std::string_view per = "batch";
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("alpha", &Params::alpha, "of the Beta distribution; 0: off, 1: uniform")
              .at_least(0)
              .live(),
          paribus::field("per", &Params::per, "what has a rectangle of its own")
              .one_of("batch", "item")};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"batch"}}; }

  void before_batch(paribus::Fit& fit) override {
    if (!fit.training || params.alpha == 0) return;
    paribus::Batch& batch = fit.batch;
    check(batch, fit.data);
    const paribus::Stream stream = fit.stream(*this);
    const at::Device device = batch.input().device();
    const std::int64_t height = batch.input().size(2), width = batch.input().size(3);
    const Boxes boxes = drawn(batch, stream, height, width);
    const auto each = [](const at::Tensor& edge) { return edge.view({-1, 1, 1, 1}); };
    const at::Tensor y = at::arange(height, device).view({1, 1, -1, 1});
    const at::Tensor x = at::arange(width, device).view({1, 1, 1, -1});
    const at::Tensor inside = y.ge(each(boxes.top))
                                  .logical_and(y.lt(each(boxes.bottom)))
                                  .logical_and(x.ge(each(boxes.left)))
                                  .logical_and(x.lt(each(boxes.right)));
    for (auto* side : {&batch.inputs, &batch.targets}) {
      for (paribus::Typed& typed : *side) {
        if (typed.type->is(paribus::kImage))
          typed.data = at::where(inside, typed.data.index_select(0, boxes.partner), typed.data);
      }
    }
    for (paribus::Typed& target : batch.targets) {
      if (!target.type->is(paribus::kImage))
        target.data = mixed(fit, target.data, boxes.partner, boxes.share);
    }
  }

 private:
  /// Of each item, on the batch's device: the rectangle in pixels, which item's it shows, and its
  /// part of the image.
  struct Boxes {
    at::Tensor top, bottom, left, right, partner, share;
  };

  static void check(const paribus::Batch& batch, const paribus::DataSpec& data) {
    if (!batch.inputs.front().type->is(paribus::kImage)) {
      throw paribus::Error("callback/cutmix: the input is of the type " +
                           std::string(batch.inputs.front().type->name) +
                           ", expected an image; for others take mixup");
    }
    for (const paribus::Typed& target : batch.targets) {
      if (target.type->is(paribus::kPoints) || target.type->is(paribus::kBoxes)) {
        throw paribus::Error("callback/cutmix: a target is " + std::string(target.type->name) +
                             ", which can't be mixed by area; for points take mixup");
      }
      if (!target.type->is(paribus::kImage) && !target.data.is_floating_point() &&
          data.classes <= 0) {
        throw paribus::Error(
            "callback/cutmix: a target is neither a class, a float nor a mask, it can't be mixed");
      }
    }
  }

  [[nodiscard]] Boxes drawn(const paribus::Batch& batch, const paribus::Stream& stream,
                            std::int64_t height, std::int64_t width) const {
    const std::vector<std::int64_t> partners = shuffled(batch, stream);
    // All in one tensor, that one copy brings them to the device; doubles hold whole numbers
    // exactly.
    at::Tensor all = at::empty({6, batch.size()}, at::kDouble);
    auto rows = all.accessor<double, 2>();
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const std::int64_t item = batch.items[static_cast<std::size_t>(i)];
      paribus::Draws draws =
          stream.item(batch.epoch, params.per == "item" ? item : batch.items.front());
      const double side = std::sqrt(1 - draws.beta(params.alpha, params.alpha));
      const auto [top, bottom] = edges(draws.uniform(), side, height);
      const auto [left, right] = edges(draws.uniform(), side, width);
      const std::array whole{top, bottom, left, right, partners[static_cast<std::size_t>(i)]};
      for (std::size_t row = 0; row < whole.size(); ++row)
        rows[static_cast<std::int64_t>(row)][i] = static_cast<double>(whole[row]);
      rows[5][i] = static_cast<double>((bottom - top) * (right - left)) /
                   static_cast<double>(height * width);
    }
    const at::Tensor there = all.to(batch.input().device());
    const at::Tensor whole = there.slice(0, 0, 5).to(at::kLong);
    return {whole[0], whole[1], whole[2], whole[3], whole[4], there[5].to(at::kFloat)};
  }

  /// From and to, about a middle from 0 to 1 of the length.
  static std::pair<std::int64_t, std::int64_t> edges(double middle, double side,
                                                     std::int64_t length) {
    const auto whole = static_cast<std::int64_t>(side * static_cast<double>(length));
    const auto at = static_cast<std::int64_t>(middle * static_cast<double>(length));
    return {std::max<std::int64_t>(0, at - whole / 2), std::min(length, at - whole / 2 + whole)};
  }

  static std::vector<std::int64_t> shuffled(const paribus::Batch& batch,
                                            const paribus::Stream& stream) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(batch.size()));
    std::iota(order.begin(), order.end(), 0);
    paribus::Draws draws = stream.step(batch.epoch, batch.index);
    paribus::shuffle(draws, order);
    return order;
  }

  static at::Tensor mixed(const paribus::Fit& fit, const at::Tensor& target,
                          const at::Tensor& partner, const at::Tensor& share) {
    const at::Tensor own =
        target.is_floating_point() ? target : at::one_hot(target, fit.data.classes).to(at::kFloat);
    std::vector<std::int64_t> per_item(static_cast<std::size_t>(own.dim()), 1);
    per_item[0] = -1;
    return at::lerp(own, own.index_select(0, partner), share.to(own.scalar_type()).view(per_item));
  }
};
PARIBUS_PART(Cutmix, "cutmix", "puts a piece of another image into each (Yun et al. 2019)")
