#include "aceward/coap/observe/sequence.h"

#include <gtest/gtest.h>

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

constexpr Instant sequence_start{1000s};

// RFC 7641 section 3.4, the first two conditions at their borders.
TEST(CoapObserveOrder, SerialNumbersCompareModulo24Bits) {
  EXPECT_TRUE(is_later_observe(0, 1));
  EXPECT_FALSE(is_later_observe(1, 0));
  EXPECT_FALSE(is_later_observe(7, 7));
  EXPECT_TRUE(is_later_observe(0, (1U << 23) - 1));
  EXPECT_FALSE(is_later_observe(0, 1U << 23));
  EXPECT_FALSE(is_later_observe(1U << 23, 0));
  EXPECT_FALSE(is_later_observe(0, (1U << 23) + 1));
  EXPECT_TRUE(is_later_observe(0xffffff, 0));
  EXPECT_TRUE(is_later_observe((1U << 23) + 1, 0));
}

TEST(CoapObserveOrder, OnlyTheMostRecentIsAccepted) {
  NotificationOrder order;
  EXPECT_TRUE(order.accept(500, sequence_start));
  EXPECT_FALSE(order.accept(500, sequence_start)) << "repeated";
  EXPECT_FALSE(order.accept(499, sequence_start)) << "late";
  EXPECT_TRUE(order.accept(501, sequence_start));
  EXPECT_FALSE(order.accept(500, sequence_start + 100s));
}

TEST(CoapObserveOrder, ValuesWrapAround) {
  NotificationOrder order;
  EXPECT_TRUE(order.accept(0xfffffe, sequence_start));
  EXPECT_TRUE(order.accept(0xffffff, sequence_start));
  EXPECT_TRUE(order.accept(0, sequence_start));
  EXPECT_FALSE(order.accept(0xffffff, sequence_start));
  EXPECT_TRUE(order.accept(3, sequence_start));
}

// The third condition: strictly more than 128 seconds after the freshest.
TEST(CoapObserveOrder, After128SecondsAnyValueIsNewer) {
  NotificationOrder order;
  EXPECT_TRUE(order.accept(500, sequence_start));
  EXPECT_FALSE(order.accept(400, sequence_start + 128s));
  EXPECT_TRUE(order.accept(400, sequence_start + 128s + 1ns));
  EXPECT_FALSE(order.accept(300, sequence_start + 129s)) << "the time counts from the one accepted last";
}

TEST(CoapObserveOrder, NumbersOfASecurityContextOnlyGrow) {
  NotificationOrder order(NotificationOrder::Key::increasing);
  EXPECT_TRUE(order.accept(5, sequence_start));
  EXPECT_TRUE(order.accept(0x1'0000'0000, sequence_start));
  EXPECT_FALSE(order.accept(6, sequence_start + 1h));
}

TEST(CoapObserveNumbers, IncreaseByOneAndWrap) {
  ObserveNumbers numbers(0xfffffe);
  EXPECT_EQ(numbers.next(sequence_start), 0xffffffU);
  EXPECT_EQ(numbers.next(sequence_start), 0U);
  EXPECT_EQ(numbers.current(), 0U);
  EXPECT_EQ(numbers.sequence(), 1U << 24);
}

TEST(CoapObserveNumbers, ThoseOfARestartedServerComeAfterThoseOfBefore) {
  ObserveNumbers before;
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(before.next(sequence_start));
  ObserveNumbers after;
  ASSERT_TRUE(after.next(sequence_start + 1s));
  EXPECT_TRUE(is_later_observe(before.current(), after.current()));
}

// RFC 7641 section 4.4: not by more than 2^23 within less than 256 seconds, wherever those begin.
TEST(CoapObserveNumbers, DoNotGrowByMoreThanHalfTheRangeWithin256Seconds) {
  ObserveNumbers numbers(0);
  ASSERT_TRUE(numbers.next(sequence_start));
  const auto first = numbers.sequence();
  const auto exhaust = [&numbers](Instant now) {
    while (numbers.next(now)) {
    }
  };
  exhaust(sequence_start + 255s);
  EXPECT_FALSE(numbers.next(sequence_start + 255s));
  EXPECT_EQ(numbers.free_at(), sequence_start + 256s);
  exhaust(sequence_start + 256s);
  EXPECT_LE(numbers.sequence() - first, 1U << 23);
  EXPECT_FALSE(numbers.next(sequence_start + 510s));
}

// Anybody can register, again and again: that must not silence the resource.
TEST(CoapObserveNumbers, RegistrationsLeaveHalfOfThemToNotifications) {
  ObserveNumbers numbers;
  std::uint32_t registrations = 0;
  while (numbers.next(sequence_start, NumberUse::registration)) ++registrations;
  EXPECT_EQ(registrations, 1U << 20);
  for (std::uint32_t i = 0; i < registrations; ++i) ASSERT_TRUE(numbers.next(sequence_start + 255s));
  EXPECT_FALSE(numbers.next(sequence_start + 255s));
  EXPECT_TRUE(numbers.next(sequence_start + 256s, NumberUse::registration));
}

}  // namespace
}  // namespace aceward::coap
