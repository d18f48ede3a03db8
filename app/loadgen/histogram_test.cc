#include "app/loadgen/histogram.h"

#include <gtest/gtest.h>

namespace aceward::app {
namespace {

using std::chrono::nanoseconds;

TEST(LatencyHistogram, SaysNothingOfNothing) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds(0));
  EXPECT_EQ(histogram.mean(), nanoseconds(0));
}

TEST(LatencyHistogram, IsExactForSmallValues) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.record(nanoseconds(i));
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds(50));
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds(99));
  EXPECT_EQ(histogram.quantile(0.991), nanoseconds(100));
  EXPECT_EQ(histogram.quantile(0), nanoseconds(1));
  EXPECT_EQ(histogram.min(), nanoseconds(1));
  EXPECT_EQ(histogram.max(), nanoseconds(100));
  EXPECT_EQ(histogram.mean(), nanoseconds(50));  // 50.5, cut
}

TEST(LatencyHistogram, NeverSaysLessAndHardlyMoreThanWhatWasRecorded) {
  for (std::int64_t value = 1; value < std::int64_t{1} << 39; value = value * 5 / 4 + 1) {
    LatencyHistogram histogram;
    histogram.record(nanoseconds(value));
    histogram.record(nanoseconds(std::int64_t{1} << 39));  // so that max() does not help
    const auto said = histogram.quantile(0.5).count();
    EXPECT_GE(said, value);
    EXPECT_LE(static_cast<double>(said), static_cast<double>(value) * 1.008) << value;
  }
}

TEST(LatencyHistogram, AQuantileIsNeverMoreThanTheLargest) {
  LatencyHistogram histogram;
  histogram.record(nanoseconds(1'000'001));
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds(1'000'001));
  EXPECT_EQ(histogram.quantile(1), nanoseconds(1'000'001));
}

TEST(LatencyHistogram, HoldsWhatIsBeyondItsRange) {
  LatencyHistogram histogram;
  histogram.record(nanoseconds(-5));
  histogram.record(std::chrono::hours(24));
  EXPECT_EQ(histogram.min(), nanoseconds(0));
  EXPECT_EQ(histogram.max(), nanoseconds((std::int64_t{1} << 40) - 1));
  EXPECT_EQ(histogram.count(), 2U);
}

TEST(LatencyHistogram, StartsAnewAfterClear) {
  LatencyHistogram histogram;
  histogram.record(std::chrono::seconds(1));
  histogram.clear();
  histogram.record(nanoseconds(7));
  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.min(), nanoseconds(7));
  EXPECT_EQ(histogram.quantile(1), nanoseconds(7));
}

}  // namespace
}  // namespace aceward::app
