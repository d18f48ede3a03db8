#include "app/records/hours_text.h"

#include <gtest/gtest.h>

namespace aceward::app {
namespace {

TEST(HoursText, IsReadAsItIsWritten) {
  const auto office = parse_hours("Mon-Fri 08:00-18:00");
  ASSERT_TRUE(office);
  EXPECT_EQ(office->days, 0x1f);
  EXPECT_EQ(office->from, 480);
  EXPECT_EQ(office->to, 1080);
  EXPECT_EQ(hours_text(*office), "Mon-Fri 08:00-18:00");
  for (const char* text : {"Mon-Sun 00:00-24:00", "Sat-Sun 10:30-12:00", "Mon,Wed-Thu,Sun 22:00-06:00"}) {
    const auto hours = parse_hours(text);
    ASSERT_TRUE(hours) << text;
    EXPECT_EQ(hours_text(*hours), text);
  }
  EXPECT_EQ(parse_hours("Sat,Sun"), (ace::as::Hours{.days = 0x60, .from = 0, .to = 1440}));
  EXPECT_EQ(parse_hours("22:00-06:00"), (ace::as::Hours{.days = 0x7f, .from = 1320, .to = 360}));
  EXPECT_EQ(parse_hours("Fri-Mon")->days, 0x71) << "over the end of the week";
}

TEST(HoursText, AnythingElseIsRefused) {
  for (const char* text :
       {"", "Mon-", "Mon-Fri 8:00-18:00", "Mon-Fri 08:00", "08:00-25:00", "08:60-09:00", "24:00-06:00", "08:00-00:00",
        "Mon Tue", "mon", "Mo-Fr", "Mon-Fri  08:00-18:00", "08:00-18:00 Mon", "Mon,", "Mon-Fri 08:00-18:00 "}) {
    EXPECT_FALSE(parse_hours(text)) << text;
  }
}

TEST(TimeText, IsADateOrAMoment) {
  const WallTime day = std::chrono::sys_days(std::chrono::year(2026) / 12 / 31);
  EXPECT_EQ(parse_time("2026-12-31"), day);
  EXPECT_EQ(parse_time("2026-12-31T18:30"), day + std::chrono::minutes(18 * 60 + 30));
  EXPECT_EQ(parse_time("2026-12-31T18:30:05Z"), day + std::chrono::seconds((18 * 60 + 30) * 60 + 5));
  for (const char* text :
       {"", "2026", "2026-13-01", "2026-02-30", "2026-12-31T", "2026-12-31 18:30", "2026-12-31T24:00",
        "2026-12-31T18:30:05", "2026-12-31T18:30:60Z", "31.12.2026", "2026/12/31"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

}  // namespace
}  // namespace aceward::app
