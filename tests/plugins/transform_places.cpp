// SPDX-License-Identifier: Apache-2.0
// Points and boxes stay on what is drawn in their image, under every transform that moves pixels.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <paribus/images.h>

#include "data.h"

namespace paribus::test {
namespace {

using Params = std::map<std::string, Value>;

const Stream kStream(7, "data.transforms.test");
constexpr std::int64_t kItems = 150, kHeight = 41, kWidth = 56;

struct Case {
  std::string name;
  Params params;
};

Params all_of(Params params, const Params& more) {
  params.insert(more.begin(), more.end());
  return params;
}

/// Each that ships and moves pixels; what lies outside is nothing, so that nothing is there twice.
std::vector<Case> cases() {
  const Params zero{{"mode", std::string("zero")}};
  const auto whole = [](std::int64_t n) { return Value{n}; };
  std::vector<Case> all{{"flip", {}},
                        {"dihedral", {}},
                        {"crop", all_of({{"padding", whole(9)}}, zero)},
                        {"crop", all_of({{"padding", whole(2)}, {"size", whole(31)}}, zero)},
                        {"resize", {{"size", whole(67)}}},
                        {"resize", {{"size", whole(30)}, {"mode", std::string("bilinear")}}},
                        {"rotate", all_of({{"max", 180.0}}, zero)},
                        {"zoom", all_of({{"min", 0.5}, {"max", 1.6}}, zero)},
                        {"warp", all_of({{"max", 0.3}}, zero)},
                        {"affine", all_of({{"rotate", 90.0},
                                           {"zoom_min", 0.7},
                                           {"zoom_max", 1.3},
                                           {"shear", 20.0},
                                           {"shift", 0.2},
                                           {"warp", 0.2},
                                           {"p", 1.0}},
                                          zero)}};
  for (const std::string only : {"shear_x", "shear_y", "rotate"})
    all.push_back({"rand_augment", all_of({{"only", only}, {"n", whole(2)}}, zero)});
  // Once: what the first one moves out, the second would bring back as nothing.
  for (const std::string only : {"translate_x", "translate_y"})
    all.push_back({"rand_augment", all_of({{"only", only}, {"n", whole(1)}}, zero)});
  return all;
}

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> items;
  for (std::int64_t i = 0; i < count; ++i) items.push_back(3 * i);
  return items;
}

/// After `setup`.
Batch applied(const Case& one, Batch batch) {
  const Instance part = make("transform", one.name, one.params);
  part.as<Transform>().setup(spec_of(batch.input().sizes().slice(1).vec()));
  part.as<Transform>().apply(batch, kStream);
  return batch;
}

/// Middles of pixels along a side, from its first edge.
at::Tensor middles(std::int64_t length) { return at::arange(length, at::kDouble) + 0.5; }
/// From -1 to 1 over a side, in pixels from its first edge.
double pixels(const at::Tensor& share, std::int64_t length) {
  return (share.item<double>() + 1) / 2 * static_cast<double>(length);
}

/// A soft white dot on black at each item's point.
Batch dots() {
  const at::Tensor places = at::rand({kItems, 1, 2}) * 1.4 - 0.7;
  at::Tensor images = at::zeros({kItems, 3, kHeight, kWidth}, at::kByte);
  for (std::int64_t i = 0; i < kItems; ++i) {
    const at::Tensor x = middles(kWidth) - pixels(places[i][0][0], kWidth);
    const at::Tensor y = middles(kHeight) - pixels(places[i][0][1], kHeight);
    const at::Tensor far = y.square().unsqueeze(1) + x.square().unsqueeze(0);
    images[i] = (at::exp(far / -4.5) * 255).round().to(at::kByte).unsqueeze(0);
  }
  Batch batch = batch_of(images, numbers(kItems));
  batch.targets = {{places, &kPoints}};
  return batch;
}

TEST(Places, PointsStayOnTheirDots) {
  const Batch before = dots();
  for (const Case& one : cases()) {
    Batch own = before;
    own.inputs.front().data = before.input().clone();
    own.targets.front().data = before.target().clone();
    const Batch after = applied(one, own);
    const std::int64_t height = after.input().size(2), width = after.input().size(3);
    int compared = 0, moved = 0;
    for (std::int64_t i = 0; i < kItems; ++i) {
      const at::Tensor point = after.target()[i][0];
      const double x = pixels(point[0], width), y = pixels(point[1], height);
      moved += at::equal(point, before.target()[i][0]) ? 0 : 1;
      if (std::min({x, y, static_cast<double>(width) - x, static_cast<double>(height) - y}) < 9)
        continue;  // part of the dot may be cut off
      ++compared;
      const at::Tensor light = after.input()[i][0].to(at::kDouble);
      const double sum = light.sum().item<double>();
      ASSERT_GT(sum, 100) << one.name << " " << i << ": there is no dot";
      EXPECT_NEAR((light.sum(0) * middles(width)).sum().item<double>() / sum, x, 0.35) << one.name;
      EXPECT_NEAR((light.sum(1) * middles(height)).sum().item<double>() / sum, y, 0.35) << one.name;
    }
    EXPECT_GT(compared, kItems / 10) << one.name;
    if (one.name != "resize") {
      EXPECT_GT(moved, kItems / 4) << one.name;
    }
  }
}

/// A white rectangle on black in each item, with its box and room for another.
Batch rectangles() {
  at::Tensor images = at::zeros({kItems, 3, kHeight, kWidth}, at::kByte);
  at::Tensor boxes = at::zeros({kItems, 2, 5});
  boxes.select(2, 4).fill_(-1);
  for (std::int64_t i = 0; i < kItems; ++i) {
    Draws draws = Stream(3, "rectangles").item(0, i);
    const auto left = static_cast<std::int64_t>(draws.below(kWidth - 16));
    const auto top = static_cast<std::int64_t>(draws.below(kHeight - 16));
    const std::int64_t right = left + 8 + draws.below(8), bottom = top + 8 + draws.below(8);
    images[i].slice(1, top, bottom).slice(2, left, right).fill_(255);
    const auto w = static_cast<double>(kWidth), h = static_cast<double>(kHeight);
    boxes[i][0] =
        at::tensor({2.0 * static_cast<double>(left) / w - 1, 2.0 * static_cast<double>(top) / h - 1,
                    2.0 * static_cast<double>(right) / w - 1,
                    2.0 * static_cast<double>(bottom) / h - 1, static_cast<double>(i % 3)});
  }
  Batch batch = batch_of(images, numbers(kItems));
  batch.targets = {{boxes, &kBoxes}};
  return batch;
}

/// The first and last place of what is true, as edges: {0, 0} where nothing is.
std::pair<double, double> stretch(const at::Tensor& is_there) {
  const at::Tensor places = is_there.nonzero();
  if (places.numel() == 0) return {0, 0};
  return {static_cast<double>(places.min().item<std::int64_t>()),
          static_cast<double>(places.max().item<std::int64_t>() + 1)};
}

TEST(Places, BoxesStayAboutTheirRectangles) {
  for (const Case& one : cases()) {
    const Batch before = rectangles();
    const at::Tensor classes = before.target().clone();
    const Batch after = applied(one, before);
    const std::int64_t height = after.input().size(2), width = after.input().size(3);
    int compared = 0;
    for (std::int64_t i = 0; i < kItems; ++i) {
      const at::Tensor box = after.target()[i][0];
      const at::Tensor bright = after.input()[i][0].gt(110);
      const auto [left, right] = stretch(bright.any(0));
      const auto [top, bottom] = stretch(bright.any(1));
      if (box[4].item<double>() < 0) {
        EXPECT_LE(std::min(right - left, bottom - top), 1) << one.name << " " << i;
        EXPECT_TRUE(at::equal(box.slice(0, 0, 4), at::zeros({4})));
        continue;
      }
      EXPECT_EQ(box[4].item<double>(), classes[i][0][4].item<double>());
      EXPECT_LE(box.slice(0, 0, 4).abs().max().item<double>(), 1.0);
      if (right - left < 3 || bottom - top < 3) continue;
      ++compared;
      // A corner that stands on its tip fades before it ends.
      EXPECT_NEAR(pixels(box[0], width), left, 1.8) << one.name << " " << i;
      EXPECT_NEAR(pixels(box[1], height), top, 1.8) << one.name << " " << i;
      EXPECT_NEAR(pixels(box[2], width), right, 1.8) << one.name << " " << i;
      EXPECT_NEAR(pixels(box[3], height), bottom, 1.8) << one.name << " " << i;
    }
    EXPECT_GT(compared, kItems / 2) << one.name;
  }
}

TEST(Places, OffIsNothing) {
  const Batch before = dots();
  const std::vector<Case> off{{"flip", {{"p", 0.0}}},
                              {"dihedral", {{"p", 0.0}}},
                              {"crop", {{"padding", std::int64_t{0}}}},
                              {"rotate", {{"max", 0.0}}},
                              {"zoom", {{"max", 1.0}}},
                              {"warp", {{"max", 0.0}}},
                              {"affine", {{"p", 0.0}}},
                              {"affine", {{"rotate", 0.0}, {"zoom_max", 1.0}, {"warp", 0.0}}},
                              {"rand_augment", {{"magnitude", std::int64_t{0}}}},
                              {"resize", {{"size", std::int64_t{20}}}},
                              {"brightness", {}},
                              {"cutout", {{"fill", 0.0}}}};
  for (const Case& one : off) {
    Batch own = before;
    own.inputs.front().data = before.input().clone();
    own.targets.front().data = before.target().clone();
    EXPECT_TRUE(at::equal(applied(one, own).target(), before.target())) << one.name;
  }
}

TEST(Places, AnItemDoesNotDependOnItsBatch) {
  const Batch before = dots();
  for (const Case& one : cases()) {
    Batch whole = before;
    whole.targets.front().data = before.target().clone();
    whole.inputs.front().data = before.input().clone();
    const at::Tensor together = applied(one, whole).target();
    for (const std::int64_t i : {0, 11, 149}) {
      Batch alone = batch_of(before.input().narrow(0, i, 1).clone(), {3 * i});
      alone.targets = {{before.target().narrow(0, i, 1).clone(), &kPoints}};
      EXPECT_TRUE(at::equal(applied(one, alone).target()[0], together[i])) << one.name;
    }
  }
}

Batch with_boxes(const at::Tensor& boxes) {
  Batch batch = batch_of(at::zeros({boxes.size(0), 1, 10, 20}, at::kByte), numbers(boxes.size(0)));
  batch.targets = {{boxes, &kBoxes}};
  return batch;
}

TEST(Places, BoxesThatAreGoneLeaveTheOthersFirst) {
  Batch batch = with_boxes(
      at::tensor({-1.0, -1.0, -0.8, 0.0, 4.0, 0.0, 0.0, 0.5, 0.5, 2.0, 0.0, 0.0, 0.0, 0.0, -1.0},
                 at::kFloat)
          .view({1, 3, 5}));
  const std::vector<Origin> right{{1, 0, 5, 0, 1, 0, 0, 0, 1}};  // five pixels to the left
  move_places(batch, {10, 20}, {10, 20}, right);
  const at::Tensor expected =
      at::tensor({-0.5, 0.0, 0.0, 0.5, 2.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0},
                 at::kFloat)
          .view({1, 3, 5});
  EXPECT_TRUE(at::equal(batch.target(), expected)) << batch.target();
}

TEST(Places, OfABoxThatIsTurnedPartlyOutOnlyWhatIsSeenCounts) {
  // A diamond whose left half is outside: its box ends where the edge cuts it, not at its tips.
  Batch batch = with_boxes(at::tensor({-1.0, -0.4, -0.8, 0.0, 1.0}, at::kFloat).view({1, 1, 5}));
  const double c = std::sqrt(0.5);
  // By 45 degrees about (-9, -1), the box's middle; then a pixel to the left.
  const std::vector<Origin> turned{{c, -c, -9 + 10 * c - c, c, c, -1 + 10 * c + c, 0, 0, 1}};
  move_places(batch, {10, 20}, {10, 20}, turned);
  const at::Tensor box = batch.target()[0][0];
  EXPECT_FLOAT_EQ(box[0].item<float>(), -1);
  EXPECT_NEAR(box[2].item<double>() * 10, -10 + std::sqrt(2.0), 1e-4);
  EXPECT_NEAR(box[3].item<double>() * 5 - box[1].item<double>() * 5, 2 * std::sqrt(2.0), 1e-4);
}

TEST(Places, ATypeOfOnesOwnMovesAsItsParentDoes) {
  static constexpr Type kCell{"cell", &kPoints}, kCar{"car", &kBoxes};
  const Batch before = dots();
  const Case turn{"rotate", {{"max", 90.0}, {"p", 1.0}}};
  Batch points = before, cells = before;
  points.targets = {{before.target().clone(), &kPoints}};
  cells.targets = {{before.target().clone(), &kCell}};
  const at::Tensor moved = applied(turn, cells).target();
  EXPECT_TRUE(at::equal(moved, applied(turn, points).target()));
  EXPECT_FALSE(at::equal(moved, before.target()));
  Batch cars = rectangles();
  const at::Tensor boxes = cars.target().clone();
  cars.targets.front().type = &kCar;
  EXPECT_FALSE(at::equal(applied(turn, cars).target(), boxes));
}

TEST(Places, WrongShapesAreAnError) {
  const std::vector<Origin> origins{{-1, 0, 0, 0, 1, 0, 0, 0, 1}};
  const auto moving = [&](const at::Tensor& data, const Type& type) {
    return error_of([&] {
      Batch batch = batch_of(at::zeros({1, 1, 8, 8}, at::kByte), {0});
      batch.targets = {{data, &type}};
      move_places(batch, {8, 8}, {8, 8}, origins);
    });
  };
  EXPECT_EQ(moving(at::zeros({1, 4}), kPoints),
            "points: got Float [1, 4], expected Float [1, K, 2]");
  EXPECT_EQ(moving(at::zeros({1, 3, 4}), kBoxes),
            "boxes: got Float [1, 3, 4], expected Float [1, M, 5]");
  EXPECT_EQ(moving(at::zeros({1, 1, 2}, at::kLong), kPoints),
            "points: got Long [1, 1, 2], expected Float [1, K, 2]");
  Batch batch = with_boxes(at::zeros({1, 1, 5}));
  const std::vector<Origin> flat{{1, 0, 0, 2, 0, 0, 0, 0, 1}};
  EXPECT_EQ(error_of([&] {
              move_places(batch, {10, 20}, {10, 20}, flat);
            }),
            "an image is moved to a line or a point, its places can't follow");
}

}  // namespace
}  // namespace paribus::test
