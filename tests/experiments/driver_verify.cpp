// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "driver/verify_compare.h"

namespace paribus::driver {
namespace {

using nlohmann::json;

/// Ten steps of two series; every tensor at steps 4, 8 and 10.
journal::Record good() {
  journal::Record record;
  record.series = {{"loss", "", {}, {}}, {"rate", "", {}, {}}};
  for (std::int64_t step = 1; step <= 10; ++step) {
    for (auto& series : record.series) {
      series.steps.push_back(step);
      series.values.push_back(static_cast<double>(step) / 8);
    }
    record.chain.steps.push_back(step);
    record.chain.values.push_back(static_cast<std::uint32_t>(100 + step));
  }
  record.chain.tensors = {"weight", "bias"};
  record.chain.full_steps = {4, 8, 10};
  record.chain.full = {1, 2, 3, 4, 5, 6};
  record.events = {{{"event", "end"},
                    {"status", "done"},
                    {"steps", 10},
                    {"seconds", 1.5},
                    {"final", {{"valid.loss", 0.5}, {"valid.accuracy", nullptr}}},
                    {"best", json::object()},
                    {"weights_sha256", "ab"}}};
  return record;
}

TEST(DriverVerify, EqualRecordsAreEqualButForTheTimeTheyTook) {
  journal::Record other = good();
  other.events[0]["seconds"] = 99.0;
  const Comparison found = compare(good(), other);
  EXPECT_TRUE(found.equal());
  EXPECT_EQ(found.first_step(), std::nullopt);
  EXPECT_EQ(found.points, 20U);
  EXPECT_EQ(found.windows, 10U);
  EXPECT_EQ(found.fulls, 3U);
  EXPECT_EQ(found.last_equal_full, 10);
}

TEST(DriverVerify, TheFirstPointOfAllSeriesIsNamed) {
  journal::Record other = good();
  other.series[0].values[7] = 5;
  other.series[1].values[4] = 6;
  const Comparison found = compare(good(), other);
  ASSERT_TRUE(found.point);
  EXPECT_EQ(found.point->series, "rate");
  EXPECT_EQ(found.point->step, 5);
  EXPECT_EQ(found.point->one, 0.625);
  EXPECT_EQ(found.point->other, 6);
  EXPECT_EQ(found.first_step(), 5);
  EXPECT_TRUE(compare(good(), other, 4).equal());
}

TEST(DriverVerify, EveryBitOfAPointCounts) {
  for (const auto& [one, other, equal] :
       {std::tuple{0.0, -0.0, false}, {NAN, NAN, true}, {NAN, -NAN, false}, {1.0, 1.0, true}}) {
    journal::Record a = good(), b = good();
    a.series[0].values[2] = one;
    b.series[0].values[2] = other;
    EXPECT_EQ(compare(a, b).equal(), equal) << one << " and " << other;
  }
}

TEST(DriverVerify, WhatOnlyOneHasIsADifferenceBothWays) {
  journal::Record shorter = good();
  shorter.series[0].steps.resize(6);
  shorter.series[0].values.resize(6);
  Comparison found = compare(good(), shorter);
  EXPECT_EQ(found.point->step, 7);
  EXPECT_EQ(found.point->one, 0.875);
  EXPECT_EQ(found.point->other, std::nullopt);
  found = compare(shorter, good());
  EXPECT_EQ(found.point->step, 7);
  EXPECT_EQ(found.point->one, std::nullopt);
  EXPECT_EQ(found.point->other, 0.875);
  EXPECT_TRUE(compare(shorter, good(), 6).equal());

  journal::Record gap = good();
  gap.series[1].steps.erase(gap.series[1].steps.begin() + 2);
  gap.series[1].values.erase(gap.series[1].values.begin() + 2);
  EXPECT_EQ(compare(good(), gap).point->step, 3);
  EXPECT_EQ(compare(gap, good()).point->step, 3);

  journal::Record more = good();
  more.series.push_back({"third", "", {9}, {1.0}});
  EXPECT_EQ(compare(good(), more).point->series, "third");
  EXPECT_EQ(compare(more, good()).point->step, 9);
}

TEST(DriverVerify, FingerprintsAreComparedWhereBothHaveThem) {
  journal::Record other = good();
  other.chain.full_steps = {1, 2, 4, 6, 8};
  other.chain.full = {9, 9, 9, 9, 1, 2, 9, 9, 3, 7};
  other.chain.steps = {5, 6, 7, 8};
  other.chain.values = {105, 106, 17, 18};
  const Comparison found = compare(good(), other);
  EXPECT_EQ(found.window->step, 7);
  EXPECT_EQ(found.window->one, 107U);
  EXPECT_EQ(found.window->other, 17U);
  EXPECT_EQ(found.windows, 3U);
  EXPECT_EQ(found.last_equal_full, 4);
  EXPECT_EQ(found.full_step, 8);
  ASSERT_EQ(found.tensors.size(), 1U);
  EXPECT_EQ(found.tensors[0].tensor, "bias");
  EXPECT_EQ(found.tensors[0].one, 4U);
  EXPECT_EQ(found.tensors[0].other, 7U);
  EXPECT_EQ(found.first_step(), 7);
  other.chain = {};
  EXPECT_TRUE(compare(good(), other).equal()) << "a record without them";
}

TEST(DriverVerify, EndsAreComparedIfThereAreTwo) {
  journal::Record other = good();
  other.events[0]["weights_sha256"] = "cd";
  other.events[0]["final"] = {{"valid.loss", 0.25}, {"valid.accuracy", nullptr}};
  const Comparison found = compare(good(), other);
  ASSERT_EQ(found.ends.size(), 2U);
  EXPECT_EQ(found.ends[0].what, "final valid.loss");
  EXPECT_EQ(found.ends[0].one, "0.5");
  EXPECT_EQ(found.ends[0].other, "0.25");
  EXPECT_EQ(found.ends[1].what, "weights_sha256");
  EXPECT_FALSE(found.equal());
  EXPECT_EQ(found.first_step(), std::nullopt);
  other.events[0]["status"] = "paused";
  EXPECT_TRUE(compare(good(), other).equal());
}

}  // namespace
}  // namespace paribus::driver
