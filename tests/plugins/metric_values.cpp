// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "paribus/metric.h"
#include "parts.h"

namespace paribus::testing {
namespace {

const at::Tensor kNoLoss = at::zeros({});

Batch batch_of(const at::Tensor& target) {
  Batch batch;
  batch.targets = {{target, &kCategory}};
  batch.items.resize(static_cast<std::size_t>(target.size(0)));
  return batch;
}
at::Tensor classes(std::vector<std::int64_t> numbers) { return at::tensor(numbers); }

double value_of(const PartSpec& spec, const at::Tensor& scores, const at::Tensor& target) {
  const Made<Metric> metric(spec);
  metric->reset();
  metric->update(Outputs(scores), batch_of(target), kNoLoss);
  return metric->value();
}

// Rows: class 0 first, then 2; 1 first; all equal; 3, then 2, 1, 0.
const at::Tensor kScores =
    at::tensor({9., 1., 5., 0., 0., 7., 6., 5., 1., 1., 1., 1., 0., 1., 2., 3.}).view({4, 4});

TEST(MetricAccuracy, CountsTheHighestScore) {
  EXPECT_EQ(value_of(part("metric", "accuracy"), kScores, classes({0, 2, 0, 3})), 0.75);
  const at::Tensor soft = at::one_hot(classes({0, 2, 0, 3}), 4).to(at::kFloat) * 0.7 + 0.1;
  EXPECT_EQ(value_of(part("metric", "accuracy"), kScores, soft), 0.75);
}

TEST(MetricAccuracy, DoesntDependOnTheBatches) {
  const Made<Metric> metric(part("metric", "accuracy"));
  metric->reset();
  metric->update(Outputs(kScores.slice(0, 0, 1)), batch_of(classes({1})), kNoLoss);
  metric->update(Outputs(kScores.slice(0, 1, 4)), batch_of(classes({1, 0, 3})), kNoLoss);
  EXPECT_EQ(metric->value(), 0.75);
  metric->reset();
  EXPECT_TRUE(std::isnan(metric->value()));
}

TEST(MetricTopK, CountsTheKHighestAndTiesByClass) {
  const auto top = [](std::int64_t k, std::vector<std::int64_t> target) {
    return value_of(part("metric", "top_k", {{"k", k}}), kScores, classes(std::move(target)));
  };
  EXPECT_EQ(top(1, {0, 2, 0, 3}), 0.75);  // accuracy
  EXPECT_EQ(top(2, {2, 2, 1, 1}), 0.75);  // of four equal scores, classes 0 and 1 are the first two
  EXPECT_EQ(top(2, {2, 2, 2, 2}), 0.75);
  EXPECT_EQ(top(4, {3, 0, 3, 0}), 1);
}

TEST(MetricTopK, NanIsNeverRight) {
  const at::Tensor nan = at::full({2, 6}, std::nan(""));
  EXPECT_EQ(value_of(part("metric", "top_k", {{"k", std::int64_t{6}}}), nan, classes({0, 5})), 0);
}

TEST(MetricLoss, WeighsBatchesByTheirSize) {
  const Made<Metric> metric(part("metric", "loss"));
  metric->reset();
  metric->update(Outputs(kScores), batch_of(classes({0, 0, 0})),
                 at::scalar_tensor(1.0F, at::kFloat));
  metric->update(Outputs(kScores), batch_of(classes({0})), at::scalar_tensor(3.0F, at::kFloat));
  EXPECT_EQ(metric->value(), 1.5);
}

TEST(MetricErrors, SayWhatDoesntFit) {
  EXPECT_EQ(error_of([] {
              value_of(part("metric", "accuracy"), kScores, classes({1, 2}));
            }),
            "metric/accuracy: the model's output and the target don't fit, got [4, 4] and [2], "
            "expected [N, K] and class "
            "numbers [N] or probabilities [N, K]");
  EXPECT_EQ(error_of([] {
              value_of(part("metric", "top_k"), kScores, classes({1, 2, 3, 0}));
            }),
            "metric/top_k: the model's output and the target don't fit, got [4, 4] and [4], "
            "expected [N, K] with K >= k = 5 "
            "and class numbers [N] or probabilities [N, K]");
}

TEST(MetricManifests, SayWhichWayIsBetter) {
  const auto catalog = registry::Catalog::scan({PARIBUS_PLUGIN_DIR});
  EXPECT_EQ(catalog.find("metric", "accuracy")->goal, "maximize");
  EXPECT_EQ(catalog.find("metric", "top_k")->goal, "maximize");
  EXPECT_EQ(catalog.find("metric", "loss")->goal, "minimize");
}

}  // namespace
}  // namespace paribus::testing
