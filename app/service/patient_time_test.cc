#include "app/service/patient_time.h"

#include <gtest/gtest.h>

namespace aceward::app {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Instant patient_start{hours(5)};
constexpr WallTime patient_wall{seconds(1'700'000'000)};

TEST(PatientTime, FollowsAClockThatMovesAsTimeDoes) {
  PatientTime time;
  for (int hour = 0; hour < 100; ++hour)
    EXPECT_EQ(time.at(patient_start + hours(hour), patient_wall + hours(hour)), patient_wall + hours(hour));
  EXPECT_EQ(time.at(patient_start + hours(100), patient_wall), patient_wall) << "set back";
}

TEST(PatientTime, DoesNotDeleteOnTheWordOfAClockThatJumped) {
  PatientTime time;
  EXPECT_EQ(time.at(patient_start, patient_wall), patient_wall);
  const auto years = hours(24 * 3650);
  for (int hour = 1; hour < 24; ++hour)
    EXPECT_EQ(time.at(patient_start + hours(hour), patient_wall + hours(hour) + years), patient_wall + hours(hour));
  EXPECT_EQ(time.at(patient_start + hours(23), patient_wall + hours(23)), patient_wall + hours(23)) << "set right";
  EXPECT_EQ(time.at(patient_start + hours(24), patient_wall + hours(24) + years), patient_wall + hours(24))
      << "the next jump is waited out from its own beginning";
}

TEST(PatientTime, BelievesAClockThatStaysWhereItJumpedTo) {
  PatientTime time;
  time.at(patient_start, patient_wall);
  const auto year = hours(24 * 365);
  EXPECT_EQ(time.at(patient_start + hours(1), patient_wall + hours(1) + year), patient_wall + hours(1));
  EXPECT_EQ(time.at(patient_start + hours(25), patient_wall + hours(25) + year), patient_wall + hours(25) + year);
  EXPECT_EQ(time.at(patient_start + hours(26), patient_wall + hours(26) + year), patient_wall + hours(26) + year);
}

}  // namespace
}  // namespace aceward::app
