// SPDX-License-Identifier: Apache-2.0
// What is measured of points, and what callbacks make of them.
#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <set>

#include "data.h"
#include "paribus/loss.h"
#include "paribus/metric.h"

namespace paribus::test {
namespace {

/// Three items with two points each, in images of 20 x 40.
Batch batch_of_points() {
  Batch batch = batch_of(at::zeros({3, 1, 20, 40}), {0, 1, 2});
  batch.targets = {{at::tensor({0.0, 0.0, 0.5, -0.5,  //
                                -1.0, 1.0, 0.0, 0.0,  //
                                0.25, 0.25, 0.0, 0.0},
                               at::kFloat)
                        .view({3, 2, 2}),
                    &kPoints}};
  return batch;
}
/// Off by 3 pixels across and 4 down at one point, by 10 down at another, right at the others.
Outputs predictions() {
  return at::tensor({0.15, 0.4, 0.5, -0.5, -1.0, 0.0, 0.0, 0.0, 0.25, 0.25, 0.0, 0.0}, at::kFloat)
      .view({3, 4});
}

double measured(const std::string& name, const Batch& batch, const Outputs& outputs,
                const std::map<std::string, Value>& params = {}) {
  const Instance part = make("metric", name, params);
  auto& metric = part.as<Metric>();
  metric.reset();
  metric.update(outputs, batch, {});
  return metric.value();
}

TEST(Points, DistancesAreInPixels) {
  EXPECT_NEAR(measured("distance", batch_of_points(), predictions()), (5 + 10) / 6.0, 1e-5);
  const Instance part = make("metric", "distance");
  EXPECT_EQ(part.as<Metric>().unit(), "px");
  EXPECT_EQ(part.as<Metric>().goal(), Goal::minimize);
}

TEST(Points, WhatIsFoundIsWithinAPartOfTheLongerSide) {
  EXPECT_NEAR(measured("pck", batch_of_points(), predictions()), 4 / 6.0, 1e-9);
  EXPECT_NEAR(measured("pck", batch_of_points(), predictions(), {{"within", 0.13}}), 5 / 6.0, 1e-9);
  EXPECT_NEAR(measured("pck", batch_of_points(), predictions(), {{"within", 0.26}}), 1, 1e-9);
}

TEST(Points, OneBatchOrSeveralIsTheSame) {
  const Instance part = make("metric", "distance");
  auto& metric = part.as<Metric>();
  metric.reset();
  const Batch all = batch_of_points();
  for (std::int64_t i = 0; i < 3; ++i) {
    Batch one = batch_of(all.input().narrow(0, i, 1), {i});
    one.targets = {{all.target().narrow(0, i, 1), &kPoints}};
    metric.update(Outputs(predictions().main().narrow(0, i, 1)), one, {});
  }
  EXPECT_NEAR(metric.value(), 2.5, 1e-5);
}

TEST(Points, LossesOfRealValuesTakeThem) {
  for (const std::string name : {"mse", "l1", "huber"}) {
    const Instance part = make("loss", name);
    EXPECT_GT(part.as<Loss>()(predictions(), batch_of_points()).item<double>(), 0) << name;
  }
}

TEST(Points, OtherTargetsAreAnError) {
  Batch batch = batch_of_points();
  batch.targets.front() = {batch.target().view({3, 4}), &kRegression};
  EXPECT_EQ(error_of([&] { measured("distance", batch, predictions()); }),
            "metric/distance: the target is regression, expected points; for other real values "
            "take mae or rmse");
  batch = batch_of_points();
  EXPECT_NE(error_of([&] {
              measured("pck", batch, at::zeros({3, 3}));
            }).find("metric/pck: the model's output and the target don't fit"),
            std::string::npos);
  batch.inputs.front() = {at::zeros({3, 7}), &kTensor};
  EXPECT_EQ(error_of([&] { measured("pck", batch, predictions()); }),
            "metric/pck: the data hold no images, so points have no place in pixels; take mae");
}

TEST(Dots, PointsLieOnTheirColours) {
  const Instance part = make("dataset", "dots", {{"noise", 0.0}, {"items", std::int64_t{50}}});
  auto& dots = part.as<Dataset>();
  dots.open({});
  std::vector<std::int64_t> items(50);
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<std::int64_t>(i);
  Batch batch;
  dots.fetch(Split::train, items, batch);
  EXPECT_EQ(dots.spec().targets.at(0).shape, (std::vector<std::int64_t>{2, 2}));
  for (std::int64_t i = 0; i < 50; ++i) {
    for (std::int64_t k = 0; k < 2; ++k) {
      const at::Tensor place = (batch.target()[i][k] + 1) / 2;
      const auto x = static_cast<std::int64_t>(place[0].item<double>() * 32);
      const auto y = static_cast<std::int64_t>(place[1].item<double>() * 24);
      const at::Tensor pixel = batch.input()[i].select(1, y).select(1, x);
      EXPECT_EQ(pixel.argmax().item<std::int64_t>(), k) << i;
      EXPECT_GT(pixel[k].item<int>(), 180) << i;
    }
  }
}

TEST(Dots, BoxesHoldAllOfTheirDots) {
  const Instance part = make("dataset", "dots",
                             {{"noise", 0.0},
                              {"target", std::string("boxes")},
                              {"dots", std::int64_t{3}},
                              {"items", std::int64_t{80}}});
  auto& dots = part.as<Dataset>();
  dots.open({});
  EXPECT_EQ(dots.spec().class_names, (std::vector<std::string>{"red", "green", "blue"}));
  std::set<int> counts;
  for (std::int64_t i = 0; i < 80; ++i) {
    Batch batch;
    const std::vector<std::int64_t> item{i};
    dots.fetch(Split::train, item, batch);
    const at::Tensor boxes = batch.target()[0];
    const int count = boxes.select(1, 4).ge(0).sum().item<int>();
    counts.insert(count);
    at::Tensor rest = batch.input()[0].to(at::kInt).clone();
    const int ground = rest[0].median().item<int>();
    for (int k = 0; k < count; ++k) {
      const auto edge = [&](int side, double length) {
        return (boxes[k][side].item<double>() + 1) / 2 * length;
      };
      // Edges are soft: a pixel beyond may have some of the colour.
      const auto first = [&](int side, double length) {
        return std::max<std::int64_t>(0, static_cast<std::int64_t>(edge(side, length)) - 1);
      };
      const auto top = first(1, 24), left = first(0, 32);
      const auto bottom = static_cast<std::int64_t>(std::ceil(edge(3, 24))) + 1;
      const auto right = static_cast<std::int64_t>(std::ceil(edge(2, 32))) + 1;
      rest.slice(1, top, bottom).slice(2, left, right).fill_(ground);
    }
    EXPECT_EQ(rest.ne(ground).sum().item<int>(), 0) << i;
  }
  EXPECT_EQ(counts, (std::set<int>{1, 2, 3}));
}

}  // namespace
}  // namespace paribus::test
