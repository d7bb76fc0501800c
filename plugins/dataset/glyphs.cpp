// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <paribus/dataset.h>
#include <paribus/random.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace {

constexpr std::int64_t kSide = 28;
constexpr std::int64_t kPixels = kSide * kSide;

struct Point {
  float x = 0, y = 0;  // in a glyph 0..1, right and down; on the canvas in pixels
};

/// A quadratic Bezier curve.
struct Curve {
  Point from, over, to;
};

constexpr Curve line(Point from, Point to) {
  return {from, {(from.x + to.x) / 2, (from.y + to.y) / 2}, to};
}

constexpr Curve kZero[] = {{{.50F, .04F}, {.84F, .04F}, {.84F, .50F}},
                           {{.84F, .50F}, {.84F, .96F}, {.50F, .96F}},
                           {{.50F, .96F}, {.16F, .96F}, {.16F, .50F}},
                           {{.16F, .50F}, {.16F, .04F}, {.50F, .04F}}};
constexpr Curve kOne[] = {line({.30F, .26F}, {.56F, .05F}), line({.56F, .05F}, {.56F, .96F})};
constexpr Curve kTwo[] = {{{.16F, .28F}, {.18F, .04F}, {.50F, .04F}},
                          {{.50F, .04F}, {.96F, .08F}, {.74F, .44F}},
                          {{.74F, .44F}, {.58F, .66F}, {.14F, .95F}},
                          line({.14F, .95F}, {.88F, .95F})};
constexpr Curve kThree[] = {{{.16F, .16F}, {.38F, .00F}, {.60F, .06F}},
                            {{.60F, .06F}, {1.0F, .30F}, {.42F, .46F}},
                            {{.42F, .46F}, {1.1F, .56F}, {.66F, .90F}},
                            {{.66F, .90F}, {.40F, 1.02F}, {.12F, .82F}}};
constexpr Curve kFour[] = {line({.60F, .04F}, {.12F, .66F}), line({.12F, .66F}, {.90F, .66F}),
                           line({.66F, .34F}, {.66F, .97F})};
constexpr Curve kFive[] = {line({.82F, .06F}, {.26F, .06F}),
                           line({.26F, .06F}, {.20F, .46F}),
                           {{.20F, .46F}, {.56F, .28F}, {.78F, .54F}},
                           {{.78F, .54F}, {.92F, .95F}, {.44F, .95F}},
                           {{.44F, .95F}, {.24F, .95F}, {.12F, .82F}}};
constexpr Curve kSix[] = {{{.74F, .05F}, {.30F, .14F}, {.18F, .62F}},
                          {{.18F, .62F}, {.16F, .96F}, {.50F, .96F}},
                          {{.50F, .96F}, {.86F, .94F}, {.82F, .68F}},
                          {{.82F, .68F}, {.72F, .42F}, {.42F, .48F}},
                          {{.42F, .48F}, {.22F, .54F}, {.18F, .70F}}};
constexpr Curve kSeven[] = {line({.12F, .06F}, {.86F, .06F}),
                            {{.86F, .06F}, {.54F, .44F}, {.42F, .96F}}};
constexpr Curve kEight[] = {
    {{.50F, .04F}, {.76F, .04F}, {.76F, .25F}}, {{.76F, .25F}, {.76F, .47F}, {.50F, .47F}},
    {{.50F, .47F}, {.24F, .47F}, {.24F, .25F}}, {{.24F, .25F}, {.24F, .04F}, {.50F, .04F}},
    {{.50F, .47F}, {.84F, .47F}, {.84F, .72F}}, {{.84F, .72F}, {.84F, .96F}, {.50F, .96F}},
    {{.50F, .96F}, {.16F, .96F}, {.16F, .72F}}, {{.16F, .72F}, {.16F, .47F}, {.50F, .47F}}};
constexpr Curve kNine[] = {{{.26F, .95F}, {.70F, .86F}, {.82F, .38F}},
                           {{.82F, .38F}, {.84F, .04F}, {.50F, .04F}},
                           {{.50F, .04F}, {.14F, .06F}, {.18F, .32F}},
                           {{.18F, .32F}, {.28F, .58F}, {.58F, .52F}},
                           {{.58F, .52F}, {.78F, .46F}, {.82F, .30F}}};
constexpr std::array<std::span<const Curve>, 10> kGlyphs{kZero, kOne, kTwo,   kThree, kFour,
                                                         kFive, kSix, kSeven, kEight, kNine};

/// Any of the values from low to high, equally likely.
float between(paribus::Draws& draws, double low, double high) {
  return static_cast<float>(low + (high - low) * draws.uniform());
}

/// How one writer's hand bends a glyph and where it lands: a polynomial of third degree, then turn,
/// shear, size, place. No function of libm but sqrt, so that every machine draws the same.
class Hand {
 public:
  Hand(paribus::Draws& draws, double distortion) {
    for (float& bend : bends_) bend = between(draws, -0.5 * distortion, 0.5 * distortion);
    const float half =
        between(draws, -0.22 * distortion, 0.22 * distortion);  // tangent of half the angle
    const float cosine = (1 - half * half) / (1 + half * half);
    const float sine = 2 * half / (1 + half * half);
    const float shear = between(draws, -0.3 * distortion, 0.3 * distortion);
    const float wide = between(draws, 20 - 6 * distortion, 20);
    const float high = between(draws, 22 - 7 * distortion, 22);
    xx_ = cosine * wide, xy_ = (cosine * shear - sine) * high;
    yx_ = sine * wide, yy_ = (sine * shear + cosine) * high;
    const double reach = 3 * distortion;
    x_ = between(draws, 13.5 - reach, 13.5 + reach);
    y_ = between(draws, 13.5 - reach, 13.5 + reach);
  }

  [[nodiscard]] Point operator()(Point p) const {
    const float u = p.x - 0.5F, v = p.y - 0.5F;
    const float bu =
        u + bends_[0] * u * u + bends_[1] * u * v + bends_[2] * v * v + bends_[3] * v * v * v;
    const float bv =
        v + bends_[4] * u * u + bends_[5] * u * v + bends_[6] * v * v + bends_[7] * u * u * u;
    return {x_ + xx_ * bu + xy_ * bv, y_ + yx_ * bu + yy_ * bv};
  }

 private:
  std::array<float, 8> bends_{};
  float xx_ = 0, xy_ = 0, yx_ = 0, yy_ = 0, x_ = 0, y_ = 0;
};

/// How much ink lies on each pixel, 0 to 1.
class Canvas {
 public:
  /// A straight stroke with round ends and soft edges.
  void stroke(Point a, Point b, float radius, float ink) {
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float length = std::max(dx * dx + dy * dy, 1e-6F);
    const float reach = radius + 1;
    for (std::int64_t y = pixel(std::min(a.y, b.y) - reach); y <= pixel(std::max(a.y, b.y) + reach);
         ++y) {
      for (std::int64_t x = pixel(std::min(a.x, b.x) - reach);
           x <= pixel(std::max(a.x, b.x) + reach); ++x) {
        const float px = static_cast<float>(x) - a.x, py = static_cast<float>(y) - a.y;
        const float along = std::clamp((px * dx + py * dy) / length, 0.0F, 1.0F);
        const float ex = px - along * dx, ey = py - along * dy;
        const float cover = std::clamp(radius + 0.5F - std::sqrt(ex * ex + ey * ey), 0.0F, 1.0F);
        float& old = ink_[static_cast<std::size_t>(y * kSide + x)];
        old = std::max(old, cover * ink);
      }
    }
  }

  void curve(const Curve& curve, float radius, float ink) {
    constexpr int kPieces = 6;
    Point last = curve.from;
    for (int i = 1; i <= kPieces; ++i) {
      const float t = static_cast<float>(i) / kPieces, s = 1 - t;
      const Point next{s * s * curve.from.x + 2 * s * t * curve.over.x + t * t * curve.to.x,
                       s * s * curve.from.y + 2 * s * t * curve.over.y + t * t * curve.to.y};
      stroke(last, next, radius, ink);
      last = next;
    }
  }

  [[nodiscard]] float at(std::int64_t pixel) const { return ink_[static_cast<std::size_t>(pixel)]; }

 private:
  static std::int64_t pixel(float place) {
    return static_cast<std::int64_t>(std::clamp(place, 0.0F, static_cast<float>(kSide - 1)));
  }

  std::array<float, kPixels> ink_{};
};

}  // namespace

/// Digits that the program draws itself: strokes bent, turned, shifted, of any thickness and
/// contrast, among strokes that mean nothing, under noise. Needs no file and is equal on all
/// machines. Item i is the same however many there are.
struct Glyphs : paribus::TensorDataset {
  struct Params {
    int items = 10000;
    int valid_items = 2000;
    double noise = 0.12;
    int clutter = 3;
    double distortion = 1;
    std::int64_t seed = 0;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("items", &Params::items, "training items").at_least(10).at_most(1'000'000),
          paribus::field("valid_items", &Params::valid_items, "validation items")
              .at_least(10)
              .at_most(1'000'000),
          paribus::field("noise", &Params::noise,
                         "standard deviation of each pixel's noise; white is 1")
              .at_least(0)
              .at_most(1),
          paribus::field("clutter", &Params::clutter, "most strokes per item that mean nothing")
              .at_least(0)
              .at_most(20),
          paribus::field("distortion", &Params::distortion,
                         "how far glyphs are bent and moved; 0: not at all")
              .at_least(0)
              .at_most(1.5),
          paribus::field("seed", &Params::seed,
                         "of the set itself; the trial's seed doesn't change it")};
    }
  } params;

  void open(const paribus::Files& /*files*/) override {
    train = drawn(paribus::Split::train, params.items);
    valid = drawn(paribus::Split::valid, params.valid_items);
    about.inputs = {{&paribus::kImage, {}}};
    about.targets = {{&paribus::kCategory, {}}};
    about.classes = static_cast<std::int64_t>(kGlyphs.size());
    about.class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    measure();
  }

 private:
  [[nodiscard]] Columns drawn(paribus::Split split, std::int64_t items) const {
    const paribus::Stream stream(static_cast<std::uint64_t>(params.seed), "dataset/glyphs");
    Columns columns{at::empty({items, 1, kSide, kSide}, at::kByte), at::empty({items}, at::kLong)};
    auto* pixels = columns.input.mutable_data_ptr<std::uint8_t>();
    auto* labels = columns.target.mutable_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < items; ++i) {
      labels[i] = i % static_cast<std::int64_t>(kGlyphs.size());
      paribus::Draws draws = stream.item(static_cast<std::int64_t>(split), i);
      draw(kGlyphs[static_cast<std::size_t>(labels[i])], draws, pixels + i * kPixels);
    }
    return columns;
  }

  void draw(std::span<const Curve> glyph, paribus::Draws& draws, std::uint8_t* pixels) const {
    const Hand hand(draws, params.distortion);
    const float radius = between(draws, 0.4, 1.5);
    const float ink = between(draws, 70, 215);
    const float base = between(draws, 0, 40);
    const float slope_x = between(draws, 0, 1.2), slope_y = between(draws, 0, 1.2);
    Canvas canvas;
    for (const Curve& curve : glyph)
      canvas.curve({hand(curve.from), hand(curve.over), hand(curve.to)}, radius, 1);
    scribble(canvas, draws, radius);
    const auto noise =
        static_cast<float>(params.noise * 255 / 147.80054);  // for the sum of four random bytes
    for (std::int64_t k = 0; k < kPixels; ++k) {
      const auto x = static_cast<float>(k % kSide), y = static_cast<float>(k / kSide);
      float value = base + slope_x * x + slope_y * y + ink * canvas.at(k);
      if (noise > 0) {
        const std::uint32_t bits = draws.bits32();
        const std::uint32_t sum =
            (bits & 255U) + (bits >> 8 & 255U) + (bits >> 16 & 255U) + (bits >> 24);
        value += noise * (static_cast<float>(sum) - 510);
      }
      pixels[k] = static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
    }
  }

  void scribble(Canvas& canvas, paribus::Draws& draws, float radius) const {
    const std::uint32_t strokes = draws.below(static_cast<std::uint32_t>(params.clutter) + 1);
    for (std::uint32_t i = 0; i < strokes; ++i) {
      const Point from{between(draws, 0, 27), between(draws, 0, 27)};
      const Point over{from.x + between(draws, -6, 6), from.y + between(draws, -6, 6)};
      const Point to{over.x + between(draws, -6, 6), over.y + between(draws, -6, 6)};
      canvas.curve({from, over, to}, radius, between(draws, 0.4, 1));
    }
  }

  /// Mean and standard deviation of the training pixels, in whole numbers until the end.
  void measure() {
    const auto* pixels = train.input.const_data_ptr<std::uint8_t>();
    std::uint64_t sum = 0, squares = 0;
    for (std::int64_t k = 0; k < train.input.numel(); ++k) {
      sum += pixels[k];
      squares += static_cast<std::uint64_t>(pixels[k]) * pixels[k];
    }
    const auto count = static_cast<double>(train.input.numel());
    const double mean = static_cast<double>(sum) / count;
    about.mean = {mean};
    about.std = {std::sqrt(static_cast<double>(squares) / count - mean * mean)};
  }
};

PARIBUS_PART(
    Glyphs, "glyphs",
    "digits drawn by the program: no file, 28 x 28 grey, hard enough to tell optimizers apart")
