// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "driver/meter.h"
#include "driver/plot.h"

namespace paribus::driver {
namespace {

TEST(DriverMeter, BarFillsInEighths) {
  EXPECT_EQ(bar(0, 4), "····");
  EXPECT_EQ(bar(0.5, 4), "██··");
  EXPECT_EQ(bar(0.53125, 4), "██▏·");
  EXPECT_EQ(bar(1, 4), "████");
  EXPECT_EQ(bar(7, 4), "████");
  EXPECT_EQ(bar(-1, 4), "····");
  EXPECT_EQ(bar(std::nan(""), 4), "····");
  EXPECT_EQ(bar(0.5, 4, true), "##..");
  EXPECT_EQ(bar(0.5, -3), "");
}

TEST(DriverMeter, DurationsReadAsPeopleSayThem) {
  EXPECT_EQ(duration(0), "0 ms");
  EXPECT_EQ(duration(0.25), "250 ms");
  EXPECT_EQ(duration(1), "1.0 s");
  EXPECT_EQ(duration(42.4), "42 s");
  EXPECT_EQ(duration(59.7), "1 min 00 s");
  EXPECT_EQ(duration(125), "2 min 05 s");
  EXPECT_EQ(duration(3780), "1 h 03 min");
  EXPECT_EQ(duration(200000), "2 d 07 h");
  EXPECT_EQ(duration(-1), "?");
  EXPECT_EQ(duration(INFINITY), "?");
  EXPECT_EQ(duration(std::nan("")), "?");
}

TEST(DriverMeter, BytesHaveBinaryUnits) {
  EXPECT_EQ(byte_count(12), "12 B");
  EXPECT_EQ(byte_count(1536), "1.5 KiB");
  EXPECT_EQ(byte_count(30.0 * (1 << 20)), "30.0 MiB");
}

TEST(DriverMeter, ClipCountsColumnsNotBytes) {
  EXPECT_EQ(clip("größe", 5), "größe");
  EXPECT_EQ(clip("größe", 4), "grö…");
  EXPECT_EQ(clip("日本語", 6), "日本語");
  EXPECT_EQ(clip("日本語", 5), "日本…");
  EXPECT_EQ(clip("日本語", 4), "日…") << "half a wide character is never shown";
  EXPECT_EQ(clip("e\u0301a", 2), "e\u0301a");
  EXPECT_EQ(clip("abc", 0), "");
  EXPECT_EQ(padded("日", 4), "日  ");
}

TEST(DriverMeter, ClipDefusesWhatWouldMoveTheCursor) {
  EXPECT_EQ(clip("\x1b[2Ja\tb\n", 20), "?[2Ja?b?");
  EXPECT_EQ(clip("a\xff\xc3", 20), "a??") << "no UTF-8";
  EXPECT_EQ(clip("\xc0\xaf", 20), "??") << "an overlong form";
  EXPECT_EQ(clip("\xed\xa0\x80", 20), "?") << "a surrogate";
  EXPECT_EQ(clip("\u202Eabc", 20), "?abc") << "right to left";
  EXPECT_EQ(clip("\u009b2J", 20), "?2J") << "a C1 control";
}

TEST(DriverPlot, PutsPointsWhereTheyBelong) {
  const std::string text = log_plot({{1e-3, 3}, {1e-2, 2}, {1e-1, 1}}, 1e-2, 30, 3);
  EXPECT_EQ(text,
            "       3 |*         |\n"
            "       2 |          *\n"
            "       1 |          |        *\n"
            "         +--------------------\n"
            "          1.0e-03      1.0e-01\n");
}

TEST(DriverPlot, LeavesOutWhatIsNotFinite) {
  EXPECT_EQ(log_plot({{0, 1}, {-1, 2}, {1, std::nan("")}, {1, INFINITY}}, 1, 40, 10), "");
  EXPECT_NE(log_plot({{1, 1}, {2, INFINITY}, {10, 1}}, std::nan(""), 40, 10).find('*'),
            std::string::npos);
}

}  // namespace
}  // namespace paribus::driver
