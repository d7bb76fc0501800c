// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "colour.h"
#include "geometry.h"

namespace {

namespace colour = paribus::colour;
namespace geometry = paribus::geometry;

constexpr std::array<std::string_view, 14> kOperations{
    "identity",  "shear_x",    "shear_y",       "translate_x", "translate_y",
    "rotate",    "brightness", "saturation",    "contrast",    "sharpness",
    "posterize", "solarize",   "auto_contrast", "equalize"};
constexpr int kGreatest = 30;  // magnitude

/// One of them, as drawn for an item.
struct Step {
  std::string_view name;
  double strength = 0;  // from 0 to 1
  double sign = 1;
};

/// Where the image's pixels come from; nothing where it is no matter of places.
std::optional<geometry::Matrix> matrix_of(const Step& step, paribus::ImageSize size) {
  const double by = step.sign * step.strength;
  const auto pixels = [by](std::int64_t side) {
    return std::trunc(by * 150.0 / 331.0 * static_cast<double>(side));
  };
  if (step.name == "shear_x") return geometry::Matrix{{1, -0.3 * by, 0, 0, 1, 0, 0, 0, 1}};
  if (step.name == "shear_y") return geometry::Matrix{{1, 0, 0, -0.3 * by, 1, 0, 0, 0, 1}};
  if (step.name == "translate_x") return geometry::shift(pixels(size.width), 0);
  if (step.name == "translate_y") return geometry::shift(0, pixels(size.height));
  if (step.name == "rotate") return geometry::rotation(30 * by);
  return std::nullopt;
}

/// `number` of each of the 256 values in a plane.
template <class Number>
void look_up(std::uint8_t* plane, std::int64_t count, Number number) {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t k = 0; k < table.size(); ++k) table[k] = number(static_cast<int>(k));
  for (std::int64_t k = 0; k < count; ++k) plane[k] = table[plane[k]];
}

/// Its least value becomes 0, its greatest 255.
void stretch(std::uint8_t* plane, std::int64_t count) {
  const auto [least, most] = std::minmax_element(plane, plane + count);
  const auto low = static_cast<float>(*least), span = static_cast<float>(*most) - low;
  if (span == 0) return;
  look_up(plane, count,
          [&](int k) { return colour::byte((static_cast<float>(k) - low) * (255 / span)); });
}

/// All values become equally frequent, as far as whole numbers allow it (PIL's ImageOps.equalize).
void equalize(std::uint8_t* plane, std::int64_t count) {
  std::array<std::int64_t, 256> often{};
  for (std::int64_t k = 0; k < count; ++k) ++often[plane[k]];
  const auto last = std::find_if(often.rbegin(), often.rend(), [](auto n) { return n > 0; });
  const std::int64_t step = (count - *last) / 255;
  if (step == 0) return;
  std::array<std::int64_t, 256> below{};
  std::exclusive_scan(often.begin(), often.end(), below.begin(), std::int64_t{0});
  look_up(plane, count, [&](int k) {
    const std::int64_t n = (below[static_cast<std::size_t>(k)] + step / 2) / step;
    return static_cast<std::uint8_t>(std::min<std::int64_t>(n, 255));
  });
}

/// Away from, or towards, the mean of each pixel and its neighbours, of which it weighs 5 of 13;
/// the outermost pixels stay.
void sharpen(std::uint8_t* plane, paribus::ImageSize size, float part) {
  const std::vector<std::uint8_t> old(plane, plane + size.height * size.width);
  for (std::int64_t y = 1; y + 1 < size.height; ++y) {
    for (std::int64_t x = 1; x + 1 < size.width; ++x) {
      const std::uint8_t* at = old.data() + y * size.width + x;
      int sum = 4 * at[0];
      for (std::int64_t row = -1; row <= 1; ++row) {
        for (std::int64_t column = -1; column <= 1; ++column) sum += at[row * size.width + column];
      }
      plane[y * size.width + x] = colour::byte(part * static_cast<float>(at[0]) +
                                               (1 - part) * static_cast<float>(sum) / 13);
    }
  }
}

void recolour(const Step& step, const colour::Pixels& pixels, paribus::ImageSize size) {
  const auto part = static_cast<float>(1 + 0.9 * step.sign * step.strength);
  if (step.name == "brightness") {
    colour::blend(pixels, part, [](std::int64_t) { return 0.0F; });
  } else if (step.name == "contrast") {
    const float mean = colour::mean_grey(pixels);
    colour::blend(pixels, part, [mean](std::int64_t) { return mean; });
  } else if (step.name == "saturation" && pixels.channels == 3) {
    colour::blend(pixels, part, [&](std::int64_t k) { return pixels.grey(k); });
  }
  const long dropped = std::lround(4 * step.strength);  // bits
  const double threshold = 255 * (1 - step.strength);
  for (std::int64_t c = 0; c < pixels.channels; ++c) {
    std::uint8_t* plane = pixels.plane(c);
    if (step.name == "sharpness") sharpen(plane, size, part);
    if (step.name == "auto_contrast") stretch(plane, pixels.count);
    if (step.name == "equalize") equalize(plane, pixels.count);
    if (step.name == "posterize") {
      look_up(plane, pixels.count,
              [&](int k) { return static_cast<std::uint8_t>(k >> dropped << dropped); });
    } else if (step.name == "solarize") {
      look_up(plane, pixels.count,
              [&](int k) { return static_cast<std::uint8_t>(k >= threshold ? 255 - k : k); });
    }
  }
}

}  // namespace

/// RandAugment (Cubuk, Zoph, Shlens, Le 2020): `n` operations for each item, drawn from 14, all of
/// one magnitude, to one side or the other. Operations and strengths are torchvision's; but places
/// turn and lean about the middle, are interpolated, and what lies outside is reflected unless
/// `mode` says otherwise: 0 would be a class of masks. Masks move with their image and keep their
/// numbers, points and boxes move with it. On bytes, so before normalize.
struct RandAugment : paribus::Transform {
  struct Params {
    int n = 2;
    int magnitude = 9;
    std::string_view only;
    std::string_view mode = "reflect";

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("n", &Params::n, "operations for each item; 0: none")
              .at_least(0)
              .at_most(20)
              .live(),
          paribus::field("magnitude", &Params::magnitude,
                         "of all; 30: shear 0.3, shift 45 % of a side, 30 degrees, colours by 0.9")
              .at_least(0)
              .at_most(kGreatest)
              .live(),
          paribus::field("only", &Params::only, "one operation, to see what it does; empty: all"),
          paribus::field("mode", &Params::mode, "what lies outside the image")
              .one_of("reflect", "border", "zero")};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    colour::check(in, "transform/rand_augment", false);
    if (params.only.empty() ||
        std::find(kOperations.begin(), kOperations.end(), params.only) != kOperations.end())
      return in;
    std::string names;
    for (const std::string_view name : kOperations)
      names += (names.empty() ? "" : ", ") + std::string(name);
    throw paribus::Error("transform/rand_augment: only: no such operation, got '" +
                         std::string(params.only) + "', expected one of " + names);
  }
  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    if (params.n == 0) return;
    if (paribus::has_places(batch)) move_places(batch, stream);
    for (auto* side : {&batch.inputs, &batch.targets}) {
      for (paribus::Typed& typed : *side) {
        if (!typed.type->is(paribus::kImage)) continue;
        const bool mask = typed.type->is(paribus::kMask);
        if (!mask && typed.data.scalar_type() != at::kByte) {
          throw paribus::Error("transform/rand_augment: the images are of type " +
                               std::string(typed.data.dtype().name()) +
                               ", expected bytes from 0 to 255; put it before normalize");
        }
        const at::Device device = typed.data.device();
        const at::Tensor data = typed.data.cpu().contiguous();
        for (std::int64_t i = 0; i < batch.size(); ++i) {
          paribus::Draws draws = stream.item(batch.epoch, batch.items[static_cast<std::size_t>(i)]);
          for (int k = 0; k < params.n; ++k)
            change(data.narrow(0, i, 1), drawn(draws), mask, side == &batch.inputs);
        }
        typed.data = data.to(device);
      }
    }
  }

 private:
  /// All operations of an item at once: a box about a turned box would be larger than its thing.
  void move_places(paribus::Batch& batch, const paribus::Stream& stream) const {
    const paribus::ImageSize size = paribus::image_size(batch);
    std::vector<paribus::Origin> origins;
    for (const std::int64_t item : batch.items) {
      paribus::Draws draws = stream.item(batch.epoch, item);
      geometry::Matrix all;
      for (int k = 0; k < params.n; ++k)
        all = all * matrix_of(drawn(draws), size).value_or(geometry::Matrix{});
      origins.push_back(all.m);
    }
    paribus::move_places(batch, size, size, origins);
  }

  [[nodiscard]] Step drawn(paribus::Draws& draws) const {
    const std::string_view name = kOperations[draws.below(kOperations.size())];
    const double sign = draws.coin() ? 1 : -1;
    return {params.only.empty() ? name : params.only,
            static_cast<double>(params.magnitude) / kGreatest, sign};
  }

  /// One item, in place.
  void change(const at::Tensor& item, const Step& step, bool mask, bool input) const {
    const paribus::ImageSize size{item.size(2), item.size(3)};
    if (const auto matrix = matrix_of(step, size)) {
      if (*matrix == geometry::Matrix{}) return;
      geometry::resample(item.clone(), item, 0, *matrix, geometry::outside(params.mode), mask);
    } else if (input && !mask) {
      recolour(step,
               {item.mutable_data_ptr<std::uint8_t>(), item.size(1), size.height * size.width},
               size);
    }
  }
};

PARIBUS_PART(RandAugment, "rand_augment",
             "some operations of one magnitude, drawn for each item (Cubuk 2020)")
