// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "judged.h"
#include "tiles.h"

namespace {

using paribus::callbacks::Judged;

constexpr std::size_t kMostRows = 50'000;  // of the table

/// 0..1 as colours 0..255 from black over violet and orange to light yellow: N 3 H W of N 1 H W.
at::Tensor heat_colours(const at::Tensor& heat) {
  constexpr std::array<std::array<double, 5>, 3> kStops{
      {{0, 87, 188, 249, 252}, {0, 16, 55, 142, 255}, {4, 110, 84, 9, 164}}};
  std::vector<at::Tensor> channels;
  for (const auto& stops : kStops) {
    at::Tensor level = heat.mul(0).add(stops[0]);
    for (std::size_t i = 0; i + 1 < stops.size(); ++i) {
      const at::Tensor within = heat.mul(4).sub(static_cast<double>(i)).clamp(0, 1);
      level = level.add(within.mul(stops[i + 1] - stops[i]));
    }
    channels.push_back(level);
  }
  return at::cat(channels, 1);
}

}  // namespace

/// Grad-CAM (Selvaraju et al. 2017): where the model looks, by its last feature map A. The weight
/// of a channel is the mean over its places of the gradient of the class's score, a_k = mean_ij
/// dy / dA_kij; the map is ReLU(sum_k a_k A_k). Records the items of the greatest loss, or the
/// first ones, with the map over them, bright where it is great, as the picture `valid.grad_cam`;
/// and the map itself as a table of that name, of the first items if it would have more than 50,000
/// rows. For models that hand out their features: convnet, resnet9, resnet18, resnet34, resnet50,
/// squeezenet1_1.
struct GradCam : paribus::Callback {
  struct Params {
    int items = 8, every = 1;
    std::string_view of = "taken", choose = "worst";
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("items", &Params::items, "how many").at_least(1).at_most(30),
          field("of", &Params::of, "whose score is looked at: the class taken, or the true one")
              .one_of("taken", "true"),
          field("choose", &Params::choose, "items of the greatest loss, or the split's first")
              .one_of("worst", "first"),
          field("every", &Params::every, "from one to the next").at_least(1).unit("epoch")};
    }
  } params;
  static constexpr auto touches() {
    return paribus::Touches<3, 0>{{"batch", "outputs", "evaluation_weights"}, {}};
  }

  void before_fit(paribus::Fit& fit) override {
    constexpr std::int64_t kMostClasses = 1 << 20;
    paribus::callbacks::require_classes("grad_cam", fit.data, kMostClasses);
    if (!paribus::callbacks::is_image(fit.data.inputs.front()))
      throw paribus::Error("callback/grad_cam: the data set's first input is no image");
  }

  void before_validate(paribus::Fit& /*fit*/) override {
    chosen_.begin(params.items, params.choose == "worst", /*with_inputs=*/true);
  }

  void after_valid_batch(paribus::Fit& fit) override {
    const paribus::callbacks::Judgements judged = paribus::callbacks::judge("grad_cam", fit);
    if (!was_tried_) (void)features_of(*fit.model, fit.batch.input().narrow(0, 0, 1));
    was_tried_ = true;
    if (is_due(fit)) chosen_.add(fit.batch, judged);
  }

  void after_validate(paribus::Fit& fit) override {
    if (chosen_.rows().empty()) return;
    const at::Tensor map = maps(*fit.model).cpu();
    record_picture(fit, map);
    record_table(fit, map);
    chosen_.begin(0, true, false);
  }

 private:
  [[nodiscard]] bool is_due(const paribus::Fit& fit) const {
    return (fit.epoch + 1) % params.every == 0;
  }
  [[nodiscard]] std::int64_t class_of(const Judged& one) const {
    return params.of == "true" ? one.truth : one.taken;
  }

  static at::Tensor features_of(paribus::Model& model, const at::Tensor& inputs) {
    const at::NoGradGuard no_grad;
    const at::Tensor features = model.features_of(inputs);
    if (features.defined() && features.dim() == 4) return features.detach();
    throw paribus::Error(
        "callback/grad_cam: the model hands out no feature map; expected convnet, resnet9, "
        "resnet18, resnet34, resnet50, squeezenet1_1, or one of your own with features_of and "
        "scores_of (paribus/model_base.h)");
  }

  /// N H W, float32. The gradient goes to the features alone: no weight gets one.
  [[nodiscard]] at::Tensor maps(paribus::Model& model) const {
    at::Tensor features = features_of(model, chosen_.inputs());
    const at::AutoGradMode with_gradients(true);
    features.requires_grad_(true);
    std::vector<std::int64_t> classes;
    for (const Judged& one : chosen_.rows()) classes.push_back(class_of(one));
    const at::Tensor wanted =
        at::from_blob(classes.data(), {features.size(0), 1}, at::kLong).to(features.device());
    const at::Tensor scores = model.scores_of(features).to(at::kFloat);
    const std::array<at::Tensor, 1> inputs{features};
    at::gather(scores, 1, wanted).sum().backward({}, std::nullopt, false, inputs);
    const at::NoGradGuard no_grad;
    const at::Tensor weights = features.grad().to(at::kFloat).mean({2, 3}, /*keepdim=*/true);
    return weights.mul(features.detach()).sum(1).relu();
  }

  void record_picture(paribus::Fit& fit, const at::Tensor& maps) const {
    using namespace paribus::callbacks;
    const at::Tensor shown = sized(colours(chosen_.inputs().cpu()), true);
    const at::Tensor map = maps.nan_to_num(0, 0, 0).unsqueeze(1);
    const at::Tensor heat = map.div(map.amax({1, 2, 3}, true).clamp_min(1e-30));
    const at::Tensor fine = at::upsample_bilinear2d(heat, {kSide, kSide}, false);
    const at::Tensor over = shown.mean(1, true).mul(0.45).add(heat_colours(fine).mul(0.55));
    fit.picture("valid.grad_cam",
                pixels(at::cat({row(framed(shown, chosen_.right())), row(framed(over, {}))})));
  }

  void record_table(paribus::Fit& fit, const at::Tensor& maps) const {
    std::vector<std::int64_t> item, of, rows, columns;
    std::vector<double> values;
    const std::int64_t height = maps.size(1), width = maps.size(2);
    const at::Tensor flat = maps.contiguous();
    const auto* value = flat.const_data_ptr<float>();
    for (const Judged& one : chosen_.rows()) {
      if (values.size() + static_cast<std::size_t>(height * width) > kMostRows) break;
      for (std::int64_t at = 0; at < height * width; ++at) {
        item.push_back(one.item), of.push_back(class_of(one));
        rows.push_back(at / width), columns.push_back(at % width);
        values.push_back(*value++);
      }
    }
    fit.table(
        "valid.grad_cam",
        {{"item", item}, {"class", of}, {"row", rows}, {"column", columns}, {"value", values}});
  }

  paribus::callbacks::Chosen chosen_;
  bool was_tried_ = false;  // whether the model has features: told before the first step
};
PARIBUS_PART(GradCam, "grad_cam", "records where in an image the model looks (Selvaraju 2017)")
