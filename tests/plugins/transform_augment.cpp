// SPDX-License-Identifier: Apache-2.0
// Augmentations of images against LibTorch's grid sampler, torchvision's formulas, or by hand.
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/full.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/meshgrid.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "data.h"

namespace paribus::test {
namespace {

using Params = std::map<std::string, Value>;

const Stream kStream(11, "data.transforms.test");

at::Tensor bytes(std::int64_t items, std::int64_t channels, std::int64_t height,
                 std::int64_t width) {
  return at::randint(0, 256, {items, channels, height, width}, at::kByte);
}

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> items;
  for (std::int64_t i = 0; i < count; ++i) items.push_back(i);
  return items;
}

/// After `setup` for data of mean 100 and standard deviation 50.
Batch applied(const std::string& name, const Params& params, const at::Tensor& images,
              std::int64_t epoch = 2) {
  const Instance part = make("transform", name, params);
  const auto channels = static_cast<std::size_t>(images.size(1));
  part.as<Transform>().setup(spec_of(images.sizes().slice(1).vec(),
                                     std::vector<double>(channels, 100),
                                     std::vector<double>(channels, 50)));
  Batch batch = batch_of(images, numbers(images.size(0)));
  batch.epoch = epoch;
  part.as<Transform>().apply(batch, kStream);
  return batch;
}

double symmetric(Draws& draws, double most) { return most * (2 * draws.uniform() - 1); }

/// LibTorch's picture of an image [1, C, H, W] whose pixel (u, v) from the middle comes from
/// `from(u, v)`. Mode 0 is bilinear, 1 nearest; padding 0 zero, 1 border, 2 reflection.
template <class From>
at::Tensor sampled(const at::Tensor& image, From from, int mode, int padding) {
  const double height = static_cast<double>(image.size(2) - 1) / 2;
  const double width = static_cast<double>(image.size(3) - 1) / 2;
  const auto axes = at::meshgrid({at::arange(image.size(2), at::kDouble) - height,
                                  at::arange(image.size(3), at::kDouble) - width},
                                 "ij");
  const auto [x, y] = from(axes[1], axes[0]);
  const at::Tensor grid = at::stack({x / width, y / height}, -1).unsqueeze(0);
  return at::grid_sampler(image.to(at::kDouble), grid, mode, padding, /*align_corners=*/true);
}

using Places = std::pair<at::Tensor, at::Tensor>;

const std::vector<std::pair<std::string, int>> kModes{{"zero", 0}, {"border", 1}, {"reflect", 2}};

TEST(Rotate, IsLibTorchsGridSampler) {
  const at::Tensor images = at::rand({6, 2, 9, 12}) * 255;
  for (const auto& [mode, padding] : kModes) {
    const at::Tensor output =
        applied("rotate", {{"max", 60.0}, {"p", 0.7}, {"mode", mode}}, images).input();
    for (std::int64_t i = 0; i < 6; ++i) {
      Draws draws = kStream.item(2, i);
      at::Tensor expected = images.narrow(0, i, 1);
      if (draws.uniform() < 0.7) {
        const double angle = symmetric(draws, 60.0) * M_PI / 180;
        expected = sampled(
            expected,
            [&](const at::Tensor& u, const at::Tensor& v) {
              return Places{u * std::cos(angle) - v * std::sin(angle),
                            u * std::sin(angle) + v * std::cos(angle)};
            },
            0, padding);
      }
      EXPECT_TRUE(at::allclose(output.narrow(0, i, 1).to(at::kDouble), expected.to(at::kDouble),
                               1e-4, 1e-2))
          << mode << " " << i;
    }
  }
}

TEST(Rotate, AQuarterIsCounterClockwise) {
  // The corner at the top right comes to the top left.
  at::Tensor images = at::zeros_like(bytes(200, 1, 3, 3));
  images.select(2, 0).select(2, 2).fill_(200);
  const at::Tensor output = applied("rotate", {{"max", 180.0}, {"p", 1.0}}, images).input();
  for (std::int64_t i = 0; i < 200; ++i) {
    Draws draws = kStream.item(2, i);
    static_cast<void>(draws.uniform());
    if (std::abs(symmetric(draws, 180.0) - 90) < 3) {
      EXPECT_GT(output[i][0][0][0].item<int>(), 150) << i;
    }
  }
}

TEST(Zoom, IsLibTorchsGridSampler) {
  const at::Tensor images = at::rand({8, 1, 10, 7}) * 255;
  const at::Tensor output =
      applied("zoom", {{"min", 0.5}, {"max", 2.0}, {"p", 1.0}}, images).input();
  for (std::int64_t i = 0; i < 8; ++i) {
    Draws draws = kStream.item(2, i);
    static_cast<void>(draws.uniform());
    const double factor = 0.5 + 1.5 * draws.uniform();
    const double x = (draws.uniform() - 0.5) * 7, y = (draws.uniform() - 0.5) * 10;
    const at::Tensor expected = sampled(
        images.narrow(0, i, 1),
        [&](const at::Tensor& u, const at::Tensor& v) {
          return Places{(u - x) / factor + x, (v - y) / factor + y};
        },
        0, 2);
    EXPECT_TRUE(at::allclose(output.narrow(0, i, 1).to(at::kDouble), expected, 1e-4, 1e-2)) << i;
  }
}

TEST(Warp, DividesByTheDepth) {
  const at::Tensor images = at::rand({8, 3, 8, 8}) * 255;
  const at::Tensor output = applied("warp", {{"max", 0.4}, {"p", 1.0}}, images).input();
  for (std::int64_t i = 0; i < 8; ++i) {
    Draws draws = kStream.item(2, i);
    static_cast<void>(draws.uniform());
    const double a = symmetric(draws, 0.4), b = symmetric(draws, 0.4);
    const at::Tensor expected = sampled(
        images.narrow(0, i, 1),
        [&](const at::Tensor& u, const at::Tensor& v) {
          const at::Tensor depth = u * (a / 4) + v * (b / 4) + 1;
          return Places{u / depth, v / depth};
        },
        0, 2);
    EXPECT_TRUE(at::allclose(output.narrow(0, i, 1).to(at::kDouble), expected, 1e-4, 1e-2)) << i;
  }
}

TEST(Affine, IsOneInterpolationOfAllItsSteps) {
  const at::Tensor images = at::rand({10, 1, 12, 12}) * 255;
  const at::Tensor output = applied("affine",
                                    {{"rotate", 30.0},
                                     {"zoom_min", 0.8},
                                     {"zoom_max", 1.5},
                                     {"shear", 20.0},
                                     {"shift", 0.2},
                                     {"warp", 0.3},
                                     {"p", 1.0}},
                                    images)
                                .input();
  for (std::int64_t i = 0; i < 10; ++i) {
    Draws draws = kStream.item(2, i);
    static_cast<void>(draws.uniform());
    const double angle = symmetric(draws, 30) * M_PI / 180;
    const double factor = 0.8 + 0.7 * draws.uniform();
    const double x = (draws.uniform() - 0.5) * 12, y = (draws.uniform() - 0.5) * 12;
    const double lean = std::tan(symmetric(draws, 20) * M_PI / 180);
    const double right = symmetric(draws, 0.2) * 12, down = symmetric(draws, 0.2) * 12;
    const double a = symmetric(draws, 0.3) / 6, b = symmetric(draws, 0.3) / 6;
    const at::Tensor expected = sampled(
        images.narrow(0, i, 1),
        [&](at::Tensor u, at::Tensor v) {
          const at::Tensor depth = u * a + v * b + 1;
          u = u / depth - right, v = v / depth - down;
          u = u - v * lean;
          u = (u - x) / factor + x, v = (v - y) / factor + y;
          return Places{u * std::cos(angle) - v * std::sin(angle),
                        u * std::sin(angle) + v * std::cos(angle)};
        },
        0, 2);
    EXPECT_TRUE(at::allclose(output.narrow(0, i, 1).to(at::kDouble), expected, 1e-4, 1e-2)) << i;
  }
}

TEST(Affine, WithOneStepIsTheTransformOfThatName) {
  const at::Tensor images = bytes(10, 3, 9, 9);
  const Params turned{{"rotate", 45.0}, {"zoom_max", 1.0}, {"warp", 0.0}, {"p", 0.5}};
  EXPECT_TRUE(at::equal(applied("affine", turned, images).input(),
                        applied("rotate", {{"max", 45.0}, {"p", 0.5}}, images).input()));
}

TEST(Augment, MasksStayOnTheirThings) {
  // A picture of coarse squares, its mask says where it is white: after the transform the mask is
  // still where it is white, but for pixels that lie across an edge.
  const at::Tensor coarse = at::randint(0, 2, {12, 1, 5, 5}, at::kByte);
  const at::Tensor truth = coarse.repeat_interleave(8, 2).repeat_interleave(8, 3).contiguous();
  const std::vector<std::pair<std::string, Params>> all{
      {"rotate", {{"max", 90.0}}},
      {"zoom", {{"max", 2.0}}},
      {"warp", {{"max", 0.4}}},
      {"affine", {{"shear", 20.0}, {"shift", 0.2}}},
      {"dihedral", {}}};
  for (const std::string mode : {"reflect", "border", "zero"}) {
    for (auto [name, params] : all) {
      if (name != "dihedral") params["mode"] = mode;
      const Instance part = make("transform", name, params);
      Batch batch = batch_of(truth * 255, numbers(12));
      batch.targets = {{truth.to(at::kLong), &kMask}};
      part.as<Transform>().apply(batch, kStream);
      const at::Tensor& image = batch.input();
      const at::Tensor sure = image.eq(0).logical_or(image.eq(255));
      const at::Tensor wrong =
          image.eq(255).to(at::kLong).ne(batch.target()).logical_and(sure).sum();
      EXPECT_EQ(wrong.item<std::int64_t>(), 0) << name << " " << mode;
      EXPECT_GT(sure.to(at::kFloat).mean().item<float>(), 0.6) << name;
      EXPECT_FALSE(at::equal(batch.target(), truth.to(at::kLong))) << name;
      EXPECT_EQ(batch.target().scalar_type(), at::kLong);
    }
  }
}

TEST(Dihedral, DrawsTheEightPositions) {
  const at::Tensor images = bytes(400, 2, 4, 4);
  const at::Tensor output = applied("dihedral", {}, images).input();
  std::vector<int> seen(8);
  for (std::int64_t i = 0; i < 400; ++i) {
    Draws draws = kStream.item(2, i);
    static_cast<void>(draws.uniform());
    const std::uint32_t position = draws.below(8);
    ++seen[position];
    at::Tensor expected = (position & 4U) != 0 ? images[i].transpose(1, 2) : images[i];
    if ((position & 1U) != 0) expected = at::flip(expected, {2});
    if ((position & 2U) != 0) expected = at::flip(expected, {1});
    EXPECT_TRUE(at::equal(output[i], expected)) << i << " position " << position;
  }
  for (const int count : seen) EXPECT_NEAR(count, 50, 25);
  const at::Tensor wide = bytes(100, 1, 3, 5);
  EXPECT_EQ(applied("dihedral", {}, wide).input().sizes(), wide.sizes());
}

// What torchvision.transforms.functional does with floats, rounded at the end.

at::Tensor grey_of(const at::Tensor& image) {
  return (image[0] * 0.2989 + image[1] * 0.587 + image[2] * 0.114).unsqueeze(0);
}
at::Tensor blended(const at::Tensor& image, const at::Tensor& other, double ratio) {
  return (image * ratio + other * (1 - ratio)).clamp(0, 255);
}

TEST(Colour, IsTorchvisions) {
  const at::Tensor images = bytes(30, 3, 6, 5);
  for (const std::string name : {"brightness", "contrast", "saturation"}) {
    const at::Tensor output = applied(name, {{"max", 0.8}, {"p", 0.7}}, images).input();
    for (std::int64_t i = 0; i < 30; ++i) {
      Draws draws = kStream.item(2, i);
      const at::Tensor image = images[i].to(at::kDouble);
      at::Tensor expected = image;
      if (draws.uniform() < 0.7) {
        const double ratio = 1 + symmetric(draws, 0.8);
        at::Tensor other = at::zeros_like(image);
        if (name == "contrast") other = grey_of(image).mean();
        if (name == "saturation") other = grey_of(image);
        expected = blended(image, other, ratio);
      }
      const double off = (output[i].to(at::kDouble) - expected).abs().max().item<double>();
      EXPECT_LE(off, 0.51) << name << " " << i;
    }
  }
}

/// Python's colorsys: to hue (0 to 1), saturation and value, and back by sectors.
std::array<double, 3> turned(std::array<double, 3> rgb, double turn) {
  const auto [r, g, b] = rgb;
  const double v = std::max({r, g, b}), least = std::min({r, g, b});
  if (v == least) return rgb;
  const double s = (v - least) / v;
  const double rc = (v - r) / (v - least), gc = (v - g) / (v - least), bc = (v - b) / (v - least);
  double h = r == v ? bc - gc : g == v ? 2 + rc - bc : 4 + gc - rc;
  h = std::fmod(std::fmod(h / 6 + turn, 1.0) + 1, 1.0);
  const double f = h * 6 - std::floor(h * 6);
  const double p = v * (1 - s), q = v * (1 - s * f), t = v * (1 - s * (1 - f));
  const std::array<std::array<double, 3>, 6> sectors{
      {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}}};
  return sectors[static_cast<std::size_t>(h * 6) % 6];
}

TEST(Colour, HueIsColorsyss) {
  at::Tensor images = bytes(20, 3, 8, 8);
  images[0] = images[0][0].unsqueeze(0).expand({3, 8, 8}).clone();  // grey
  const at::Tensor output = applied("hue", {{"max", 0.5}, {"p", 1.0}}, images).input();
  EXPECT_TRUE(at::equal(output[0], images[0]));
  for (std::int64_t i = 0; i < 20; ++i) {
    Draws draws = kStream.item(2, i);
    static_cast<void>(draws.uniform());
    const double turn = symmetric(draws, 0.5);
    for (std::int64_t k = 0; k < 64; ++k) {
      std::array<double, 3> rgb{};
      for (std::int64_t c = 0; c < 3; ++c)
        rgb[static_cast<std::size_t>(c)] = images[i][c].flatten()[k].item<double>();
      const auto expected = turned(rgb, turn);
      for (std::int64_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(output[i][c].flatten()[k].item<double>(), expected[static_cast<std::size_t>(c)],
                    0.52);
      }
    }
  }
}

TEST(Colour, GreyImagesHaveNoColours) {
  const at::Tensor grey = bytes(9, 1, 4, 4);
  EXPECT_FALSE(at::equal(applied("brightness", {}, grey).input(), grey));
  EXPECT_FALSE(at::equal(applied("contrast", {}, grey).input(), grey));
  for (const std::string name : {"saturation", "hue"}) {
    EXPECT_EQ(error_of([&] { applied(name, {}, bytes(9, 1, 4, 4)); }),
              "transform/" + name +
                  ": the images have 1 channels, expected 3; remove it from the transforms");
  }
}

TEST(Colour, FloatsAreAnError) {
  for (const std::string name : {"brightness", "contrast", "saturation", "hue"}) {
    EXPECT_EQ(error_of([&] {
                applied(name, {}, at::rand({2, 3, 4, 4}));
              }),
              "transform/" + name +
                  ": the images are of type float, expected bytes from 0 to 255; put it before "
                  "normalize");
  }
}

TEST(Erase, CoversARectangleWithinTheImage) {
  const at::Tensor images = at::full({300, 1, 20, 30}, 7, at::kByte);
  const at::Tensor output =
      applied("erase",
              {{"p", 0.6}, {"area_min", 0.1}, {"area_max", 0.4}, {"fill", std::string("mean")}},
              images)
          .input();
  int covered = 0;
  for (std::int64_t i = 0; i < 300; ++i) {
    const at::Tensor there = output[i][0].eq(100);
    EXPECT_TRUE(there.logical_or(output[i][0].eq(7)).all().item<bool>());
    const auto count = there.sum().item<std::int64_t>();
    if (count == 0) continue;
    ++covered;
    const auto rows = there.any(1).sum().item<std::int64_t>();
    const auto columns = there.any(0).sum().item<std::int64_t>();
    EXPECT_EQ(count, rows * columns) << "a rectangle";
    EXPECT_GE(count, 40)
        << i;  // a tenth is 60 pixels; sides are rounded, and cut where they don't fit
    EXPECT_LE(count, 270) << i;
  }
  EXPECT_NEAR(covered, 180, 40);
}

TEST(Erase, NoiseHasTheDatasMeanAndDeviation) {
  const at::Tensor images = at::full({400, 1, 16, 16}, -1000.0, at::kFloat);
  const at::Tensor output = applied("erase", {{"p", 1.0}}, images).input();
  const at::Tensor noise = output.masked_select(output.ne(-1000));
  EXPECT_NEAR(noise.mean().item<double>(), 100, 2);
  EXPECT_NEAR(noise.std().item<double>(), 50, 2);
}

TEST(Noise, HasTheDeviationAskedFor) {
  const at::Tensor images = at::full({50, 2, 16, 16}, 120.0, at::kFloat);
  const at::Tensor output = applied("noise", {{"sd", 0.2}}, images).input();
  EXPECT_NEAR(output.mean().item<double>(), 120, 0.5);
  EXPECT_NEAR(output.std().item<double>(), 10, 0.3);
  const at::Tensor rounded = applied("noise", {{"sd", 0.2}}, images.to(at::kByte)).input();
  EXPECT_LE((rounded.to(at::kFloat) - output).abs().max().item<float>(), 0.501);
}

TEST(Augment, SaysWhatIsWrong) {
  EXPECT_EQ(error_of([] {
              applied("zoom", {{"min", 2.0}}, bytes(1, 1, 4, 4));
            }),
            "transform/zoom: min is above max, got 2.000000 and 1.100000");
  EXPECT_EQ(error_of([] {
              applied("affine", {{"zoom_min", 2.0}}, bytes(1, 1, 4, 4));
            }),
            "transform/affine: zoom_min is above zoom_max, got 2.000000 and 1.100000");
  EXPECT_EQ(error_of([] {
              applied("erase", {{"area_min", 0.5}}, bytes(1, 1, 4, 4));
            }),
            "transform/erase: area_min is above area_max, got 0.500000 and 0.300000");
  const Instance erase = make("transform", "erase");
  EXPECT_EQ(error_of([&] {
              erase.as<Transform>().setup(spec_of({3, 4, 4}));
            }),
            "transform/erase: the data state mean and std for 0 and 0 channels, expected 3; take "
            "cutout with fill = 0");
  const Instance noise = make("transform", "noise");
  EXPECT_EQ(error_of([&] {
              noise.as<Transform>().setup(spec_of({3, 4, 4}));
            }),
            "transform/noise: the data state a standard deviation for 0 channels, expected 3; put "
            "normalize with mean and std before it");
}

}  // namespace
}  // namespace paribus::test
