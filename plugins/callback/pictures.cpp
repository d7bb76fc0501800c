// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/cat.h>
#include <ATen/ops/minimum.h>

#include <cmath>
#include <string>

#include "tiles.h"

namespace {

using paribus::callbacks::colours;
using paribus::callbacks::framed;
using paribus::callbacks::row;
using paribus::callbacks::sized;

/// A colour for each class number of N 1 H W, far from its neighbours'.
at::Tensor painted(const at::Tensor& mask) {
  const at::Tensor hue = (mask.to(at::kFloat) * 0.61803398875).frac() * 6;
  std::vector<at::Tensor> channels;
  for (const double shift : {5.0, 3.0, 1.0}) {
    const at::Tensor k = (hue + shift).remainder(6);
    channels.push_back(at::minimum(k, 4 - k).clamp(0, 1).mul(-200).add(235));
  }
  return at::cat(channels, 1);
}

}  // namespace

/// Records a picture of some items of the validation split, always the same ones, with what the
/// model makes of them: framed green where it names the right class and orange where not; of masks
/// the true one in a second row and the model's in a third.
struct Pictures : paribus::Callback {
  struct Params {
    int items = 8, every = 1;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("items", &Params::items, "the most: they are the first of the split's last batch")
              .at_least(1)
              .at_most(30),
          field("every", &Params::every, "from one to the next").at_least(1).unit("epoch")};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<2, 0>{{"batch", "outputs"}, {}}; }

  void before_fit(paribus::Fit& fit) override {
    if (!paribus::callbacks::is_image(fit.data.inputs.front()))
      throw paribus::Error("callback/pictures: the data set's first input is no image");
  }

  void after_validate(paribus::Fit& fit) override {
    if ((fit.epoch + 1) % params.every != 0) return;
    const at::Tensor& input = fit.batch.input();
    const std::int64_t n = std::min<std::int64_t>(params.items, input.size(0));
    const at::Tensor output = fit.outputs.main().detach().cpu();
    const paribus::Typed& target = fit.batch.targets.front();
    const at::Tensor truth = target.data.narrow(0, 0, n).cpu();
    const bool has_classes = output.dim() >= 2 && output.size(1) > 1;
    at::Tensor taken, good;
    if (has_classes) taken = output.narrow(0, 0, n).argmax(1);
    if (has_classes && target.type->is(paribus::kCategory) && truth.dim() == 1)
      good = taken.eq(truth);
    const at::Tensor shown = sized(colours(input.narrow(0, 0, n).cpu()), true);
    std::vector<at::Tensor> rows{row(framed(shown, good))};
    if (target.type->is(paribus::kMask) && has_classes && output.dim() == 4) {
      for (const at::Tensor& mask :
           {truth.view({n, 1, truth.size(-2), truth.size(-1)}), taken.unsqueeze(1)})
        rows.push_back(row(framed(sized(painted(mask), false), {})));
    }
    fit.picture("valid.pictures", paribus::callbacks::pixels(at::cat(rows)));
  }
};
PARIBUS_PART(Pictures, "pictures", "records pictures of what the model makes of some items")
