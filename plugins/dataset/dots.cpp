// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <paribus/dataset.h>
#include <paribus/random.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace {

constexpr std::array<std::array<float, 3>, 6> kColours{
    {{220, 60, 50}, {60, 190, 80}, {70, 100, 230}, {225, 205, 60}, {200, 80, 210}, {80, 205, 215}}};
constexpr int kTries = 50;

/// Any of the values from low to high, equally likely.
float between(paribus::Draws& draws, double low, double high) {
  return static_cast<float>(low + (high - low) * draws.uniform());
}

/// In pixels from the image's left and upper edge; its sides are parallel to them.
struct Ellipse {
  float x, y, wide, high;  // the middle, and half of each side

  [[nodiscard]] bool is_clear_of(const Ellipse& other) const {
    return std::abs(x - other.x) > wide + other.wide || std::abs(y - other.y) > high + other.high;
  }
  /// The part of a pixel that it covers, nearly.
  [[nodiscard]] float cover(float at_x, float at_y) const {
    const float u = (at_x - x) / wide, v = (at_y - y) / high;
    return std::clamp((1 - std::sqrt(u * u + v * v)) * std::min(wide, high) + 0.5F, 0.0F, 1.0F);
  }
};

}  // namespace

/// Dots of colours that the program draws itself, on a grey ground under noise; the point to find
/// is the middle of each, in the order of the colours. Or boxes about them, from one dot to `dots`
/// of any of the colours. Dots keep clear of each other where there is room. Needs no file and is
/// equal on all machines. Item i is the same however many there are.
struct Dots : paribus::TensorDataset {
  struct Params {
    std::string_view target = "points";
    int dots = 2;
    int items = 2000;
    int valid_items = 500;
    int height = 24;
    int width = 32;
    double noise = 0.1;
    std::int64_t seed = 0;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("target", &Params::target, "what is to be found")
              .one_of("points", "boxes"),
          paribus::field("dots", &Params::dots, "in an image; of boxes the most")
              .at_least(1)
              .at_most(6),
          paribus::field("items", &Params::items, "training items").at_least(10).at_most(100'000),
          paribus::field("valid_items", &Params::valid_items, "validation items")
              .at_least(10)
              .at_most(100'000),
          paribus::field("height", &Params::height, "of the images")
              .at_least(12)
              .at_most(256)
              .unit("px"),
          paribus::field("width", &Params::width, "of the images")
              .at_least(12)
              .at_most(256)
              .unit("px"),
          paribus::field("noise", &Params::noise,
                         "standard deviation of each pixel's noise; white is 1")
              .at_least(0)
              .at_most(1),
          paribus::field("seed", &Params::seed,
                         "of the set itself; the trial's seed doesn't change it")};
    }
  } params;

  void open(const paribus::Files& /*files*/) override {
    const std::int64_t bytes =
        3LL * (params.items + params.valid_items) * params.height * params.width;
    if (bytes > kMostBytes) {
      throw paribus::Error("dataset/dots: the images take " + std::to_string(bytes >> 20) +
                           " MiB, expected at most " + std::to_string(kMostBytes >> 20) +
                           "; set fewer items or smaller ones");
    }
    train = drawn(paribus::Split::train, params.items);
    valid = drawn(paribus::Split::valid, params.valid_items);
    about.inputs = {{&paribus::kImage, {}}};
    about.targets = {{wants_boxes() ? &paribus::kBoxes : &paribus::kPoints, {}}};
    about.class_names = {"red", "green", "blue", "yellow", "purple", "cyan"};
    about.class_names.resize(static_cast<std::size_t>(params.dots));
    measure();
  }

 private:
  static constexpr std::int64_t kMostBytes = std::int64_t{4} << 30;
  [[nodiscard]] bool wants_boxes() const { return params.target == "boxes"; }

  [[nodiscard]] Columns drawn(paribus::Split split, std::int64_t items) const {
    const paribus::Stream stream(static_cast<std::uint64_t>(params.seed), "dataset/dots");
    Columns columns{at::empty({items, 3, params.height, params.width}, at::kByte),
                    at::zeros({items, params.dots, wants_boxes() ? 5 : 2}, at::kFloat)};
    if (wants_boxes()) columns.target.select(2, 4).fill_(-1);
    auto* pixels = columns.input.mutable_data_ptr<std::uint8_t>();
    auto* places = columns.target.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < items; ++i) {
      paribus::Draws draws = stream.item(static_cast<std::int64_t>(split), i);
      draw(draws, pixels + i * columns.input.stride(0), places + i * columns.target.stride(0));
    }
    return columns;
  }

  void draw(paribus::Draws& draws, std::uint8_t* pixels, float* place) const {
    const auto most = static_cast<std::uint32_t>(params.dots);
    const std::uint32_t count = wants_boxes() ? 1 + draws.below(most) : most;
    std::vector<Ellipse> ellipses;
    std::vector<std::uint32_t> colours;
    for (std::uint32_t k = 0; k < count; ++k) {
      ellipses.push_back(clear_one(draws, ellipses));
      colours.push_back(wants_boxes() ? draws.below(most) : k);
      place = put(place, ellipses.back(), colours.back());
    }
    paint(draws, ellipses, colours, pixels);
  }

  [[nodiscard]] Ellipse clear_one(paribus::Draws& draws, const std::vector<Ellipse>& others) const {
    Ellipse one{};
    for (int attempt = 0; attempt < kTries; ++attempt) {
      one.wide = between(draws, 2, 4), one.high = between(draws, 2, 4);
      one.x = between(draws, one.wide, params.width - one.wide);
      one.y = between(draws, one.high, params.height - one.high);
      if (std::all_of(others.begin(), others.end(),
                      [&](const Ellipse& other) { return one.is_clear_of(other); }))
        break;
    }
    return one;
  }

  float* put(float* place, const Ellipse& one, std::uint32_t colour) const {
    const auto x = [&](float at) { return 2 * at / static_cast<float>(params.width) - 1; };
    const auto y = [&](float at) { return 2 * at / static_cast<float>(params.height) - 1; };
    if (!wants_boxes()) {
      place[0] = x(one.x), place[1] = y(one.y);
      return place + 2;
    }
    place[0] = x(one.x - one.wide), place[1] = y(one.y - one.high);
    place[2] = x(one.x + one.wide), place[3] = y(one.y + one.high);
    place[4] = static_cast<float>(colour);
    return place + 5;
  }

  void paint(paribus::Draws& draws, const std::vector<Ellipse>& ellipses,
             const std::vector<std::uint32_t>& colours, std::uint8_t* pixels) const {
    const float ground = between(draws, 40, 130);
    const auto noise =
        static_cast<float>(params.noise * 255 / 147.80054);  // for the sum of four random bytes
    const std::int64_t plane = static_cast<std::int64_t>(params.height) * params.width;
    for (std::int64_t k = 0; k < plane; ++k) {
      const auto x = static_cast<float>(k % params.width) + 0.5F;
      const auto y = static_cast<float>(k / params.width) + 0.5F;
      std::array<float, 3> colour{ground, ground, ground};
      for (std::size_t i = 0; i < ellipses.size(); ++i) {
        const float cover = ellipses[i].cover(x, y);
        for (std::size_t c = 0; c < 3; ++c)
          colour[c] += cover * (kColours[colours[i]][c] - colour[c]);
      }
      for (std::size_t c = 0; c < 3; ++c) {
        float value = colour[c];
        if (noise > 0) {
          const std::uint32_t bits = draws.bits32();
          const std::uint32_t sum =
              (bits & 255U) + (bits >> 8 & 255U) + (bits >> 16 & 255U) + (bits >> 24);
          value += noise * (static_cast<float>(sum) - 510);
        }
        pixels[static_cast<std::int64_t>(c) * plane + k] =
            static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
      }
    }
  }

  /// Mean and standard deviation of each colour of the training pixels, in whole numbers until the
  /// end.
  void measure() {
    const std::int64_t plane = train.input.size(2) * train.input.size(3);
    const auto* pixels = train.input.const_data_ptr<std::uint8_t>();
    for (std::int64_t c = 0; c < 3; ++c) {
      std::uint64_t sum = 0, squares = 0;
      for (std::int64_t i = 0; i < train.input.size(0); ++i) {
        for (std::int64_t k = 0; k < plane; ++k) {
          const std::uint64_t value = pixels[(3 * i + c) * plane + k];
          sum += value, squares += value * value;
        }
      }
      const auto count = static_cast<double>(train.input.size(0) * plane);
      const double mean = static_cast<double>(sum) / count;
      about.mean.push_back(mean);
      about.std.push_back(std::sqrt(static_cast<double>(squares) / count - mean * mean));
    }
  }
};

PARIBUS_PART(Dots, "dots", "coloured dots drawn by the program, to be found: points, or boxes")
