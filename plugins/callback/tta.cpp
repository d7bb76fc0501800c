// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/reflection_pad2d.h>
#include <ATen/ops/tensor.h>
#include <paribus/callback.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using paribus::Batch;
using paribus::Model;
using paribus::NamedTensors;
using paribus::Outputs;

/// A model that looks at each image several times, and says the mean.
class Looking final : public Model {
 public:
  Looking(Model& model, bool mirror, std::int64_t shift)
      : model_(model), mirror_(mirror), shift_(shift) {}

  [[nodiscard]] Outputs outputs(const Batch& batch) override {
    Outputs plain = seen(batch);
    if (shift_ == 0) return plain;
    if (plain.main().dim() == 4 || says_points(batch)) {
      throw paribus::Error(
          "callback/tta: the model says something of each place of an image, which shifts would "
          "move; expected shift = 0");
    }
    const std::vector<Outputs> shifted{seen(moved(batch, 0)), seen(moved(batch, 2 * shift_))};
    return mean({std::move(plain), mean(shifted)});
  }

  void build(const paribus::DataSpec& data) override { model_.build(data); }
  [[nodiscard]] NamedTensors weights() override { return model_.weights(); }
  [[nodiscard]] NamedTensors buffers_by_name() override { return model_.buffers_by_name(); }
  void set_training(bool on) override { model_.set_training(on); }
  void move_to(const at::Device& device, bool channels_last) override {
    model_.move_to(device, channels_last);
  }
  [[nodiscard]] bool has_convolutions() const override { return model_.has_convolutions(); }
  [[nodiscard]] at::Tensor features_of(const at::Tensor& input) override {
    return model_.features_of(input);
  }
  [[nodiscard]] at::Tensor scores_of(const at::Tensor& features) override {
    return model_.scores_of(features);
  }
  [[nodiscard]] std::vector<std::string> layer_groups() const override {
    return model_.layer_groups();
  }

 private:
  /// Of all outputs by name: what isn't numbers stays as the first has it.
  static Outputs mean(const std::vector<Outputs>& all) {
    NamedTensors items = all.front().items();
    for (std::size_t i = 0; i < items.size(); ++i) {
      at::Tensor& item = items[i].second;
      if (!item.is_floating_point()) continue;
      for (std::size_t k = 1; k < all.size(); ++k) item = item + all[k].items()[i].second;
      item = item / static_cast<double>(all.size());
    }
    return Outputs(std::move(items));
  }

  static bool says_points(const Batch& batch) {
    if (batch.targets.empty()) return false;
    const paribus::Type& type = *batch.targets.front().type;
    if (!type.is(paribus::kBoxes)) return type.is(paribus::kPoints);
    throw paribus::Error("callback/tta: boxes of several views have no mean; remove it");
  }

  static Batch with(const Batch& batch, at::Tensor input) {
    Batch other = batch;
    other.inputs.front().data = std::move(input);
    return other;
  }

  /// The window at `from`, `from` of the image with its edges reflected.
  [[nodiscard]] Batch moved(const Batch& batch, std::int64_t from) const {
    const at::Tensor& input = batch.input();
    const at::Tensor wide = at::reflection_pad2d(input, {shift_, shift_, shift_, shift_});
    return with(batch, wide.narrow(2, from, input.size(2)).narrow(3, from, input.size(3)));
  }

  /// As it is and, where asked for, in a mirror; what is said of places is turned back.
  [[nodiscard]] Outputs seen(const Batch& batch) const {
    Outputs plain = model_.outputs(batch);
    if (!mirror_) return plain;
    NamedTensors items = model_.outputs(with(batch, at::flip(batch.input(), {3}))).items();
    for (auto& [name, item] : items) {
      if (item.dim() == 4) item = at::flip(item, {3});
    }
    if (says_points(batch)) {
      at::Tensor& points = items.front().second;
      const at::Tensor back = at::tensor({-1.0, 1.0}, points.options());
      points = points.reshape({points.size(0), -1, 2}).mul(back).view_as(points);
    }
    return mean({std::move(plain), Outputs(std::move(items))});
  }

  Model& model_;
  bool mirror_;
  std::int64_t shift_;
};

}  // namespace

/// Test-time augmentation: validates on the mean of what the model says of several views of each
/// image. `flip`: the image and its mirror image. `shift`: half of the weight goes to the image
/// moved by so many pixels up and left, and down and right, with edges reflected, each with its
/// mirror image if `flip` is on (Jordan 2024, arXiv 2404.00498, section 3.5). Means of scores,
/// before any softmax. Training and the weights that it ends with are what they are without it.
struct Tta : paribus::Callback {
  struct Params {
    bool flip = true;
    int shift = 0;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{field("flip", &Params::flip, "the mirror image, too"),
                        field("shift", &Params::shift, "how far images are moved; 0: not")
                            .at_least(0)
                            .at_most(64)
                            .unit("px")};
    }
  } params;
  static constexpr auto touches() {
    return paribus::Touches<2, 1>{{"batch", "evaluation_weights"}, {"outputs"}};
  }

  void before_fit(paribus::Fit& fit) override {
    const paribus::Spec& input = fit.data.inputs.front();
    const bool is_image = input.type->is(paribus::kImage) && input.shape.size() == 3;
    if (!is_image) throw paribus::Error("callback/tta: the data set's first input is no image");
    if (params.shift >= input.shape[1] || params.shift >= input.shape[2]) {
      throw paribus::Error("callback/tta: shift is " + std::to_string(params.shift) +
                           ", expected less than the images' height and width");
    }
  }
  void before_validate(paribus::Fit& fit) override {
    if (!params.flip && params.shift == 0) return;
    model_ = fit.model;
    looking_ = std::make_unique<Looking>(*model_, params.flip, params.shift);
    fit.model = looking_.get();
  }
  void after_validate(paribus::Fit& fit) override {
    if (!looking_) return;
    fit.model = model_;
    looking_.reset();
  }

 private:
  Model* model_ = nullptr;
  std::unique_ptr<Looking> looking_;
};
PARIBUS_PART(Tta, "tta", "validates on the mean over several views of each image")
