#include "app/loadgen/schedule.h"

#include <gtest/gtest.h>

namespace aceward::app {
namespace {

using namespace std::chrono_literals;

const Instant schedule_start{100s};

TEST(MessageIdPace, Is265ConfirmableRequestsASecond) {
  EXPECT_EQ(most_requests_per_second(true), 265U);
  EXPECT_EQ(most_requests_per_second(false), 451U);
}

TEST(MessageIdPace, NoMessageIdComesAgainWithinItsLifetime) {
  EXPECT_GE(least_spacing(true) * 65'536, coap::Parameters{}.exchange_lifetime());
  EXPECT_LT((least_spacing(true) - 1ns) * 65'536, coap::Parameters{}.exchange_lifetime());
  EXPECT_GE(least_spacing(false) * 65'536, coap::Parameters{}.non_lifetime());
}

TEST(MessageIdPace, SaysHowManyEndpointsARateNeeds) {
  EXPECT_EQ(endpoints_needed(0.5, true), 1U);
  EXPECT_EQ(endpoints_needed(265, true), 1U);
  EXPECT_EQ(endpoints_needed(266, true), 2U);
  EXPECT_EQ(endpoints_needed(50'000, true), 189U);
  EXPECT_EQ(endpoints_needed(50'000, false), 111U);
}

TEST(Schedule, IsEvenWhateverHappens) {
  const Schedule schedule(schedule_start, 4);
  EXPECT_EQ(schedule.intended(0), schedule_start);
  EXPECT_EQ(schedule.intended(1), schedule_start + 250ms);
  EXPECT_EQ(schedule.intended(4'000'000), schedule_start + 1'000'000s);
}

TEST(Schedule, RoundingDoesNotAddUp) {
  const Schedule schedule(schedule_start, 3);
  EXPECT_EQ(schedule.intended(3'000'000), schedule_start + 1'000'000s);
}

TEST(Schedule, ABurstLeavesTogetherAtTheSameRate) {
  const Schedule schedule(schedule_start, 100, 10);
  EXPECT_EQ(schedule.intended(9), schedule_start);
  EXPECT_EQ(schedule.intended(10), schedule_start + 100ms);
  EXPECT_EQ(schedule.intended(19), schedule_start + 100ms);
  EXPECT_EQ(schedule.intended(1'000), schedule_start + 10s);
}

}  // namespace
}  // namespace aceward::app
