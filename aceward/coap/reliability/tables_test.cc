// The tables that the endpoint is made of, each by itself.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "aceward/base/random.h"
#include "aceward/coap/reliability/deduplication.h"
#include "aceward/coap/reliability/message_ids.h"
#include "aceward/coap/reliability/timers.h"
#include "aceward/coap/reliability/transmissions.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

const Instant start{1000s};

TEST(CoapParameters, DerivedTimesAreThoseOfSection482) {
  const Parameters parameters;
  EXPECT_EQ(parameters.max_transmit_span(), 45s);
  EXPECT_EQ(parameters.max_transmit_wait(), 93s);
  EXPECT_EQ(parameters.processing_delay(), 2s);
  EXPECT_EQ(parameters.max_rtt(), 202s);
  EXPECT_EQ(parameters.exchange_lifetime(), 247s);
  EXPECT_EQ(parameters.non_lifetime(), 145s);
}

TEST(CoapMessageIds, AreSequentialAndWrap) {
  MessageIds ids(65534, 247s);
  EXPECT_EQ(ids.take(start), 65534);
  EXPECT_EQ(ids.take(start), 65535);
  EXPECT_EQ(ids.take(start), 0);
}

TEST(CoapMessageIds, NoneIsReusedWithinTheLifetime) {
  MessageIds ids(9, 247s);
  for (int i = 0; i < 65536; ++i) ASSERT_TRUE(ids.take(start + i * 1ms));
  const auto last = start + 65535 * 1ms;
  EXPECT_FALSE(ids.available(last));
  EXPECT_FALSE(ids.take(last));
  // The first was used at `start`; the record of its second ends just before start + 1 s.
  EXPECT_FALSE(ids.take(start + 247s));
  EXPECT_EQ(ids.take(start + 248s), 9);
}

TEST(CoapMessageIds, TellWhenOneIsFree) {
  MessageIds ids(9, 247s);
  EXPECT_EQ(ids.available_at(start), start);
  for (int i = 0; i < 65536; ++i) ASSERT_TRUE(ids.take(start + i * 100us));
  const auto free = ids.available_at(start + 10s);
  EXPECT_GE(free, start + 247s);
  EXPECT_LE(free, start + 248s);
  EXPECT_FALSE(ids.take(free - 1ns));
  EXPECT_EQ(ids.take(free), 9);
}

TEST(CoapMessageIds, TellWhenNothingIsHeldBack) {
  MessageIds ids(0, 10s);
  EXPECT_EQ(ids.free_at(start), std::nullopt);
  (void)ids.take(start);
  EXPECT_EQ(ids.free_at(start + 1s), start + 10s);
  EXPECT_EQ(ids.free_at(start + 10s), std::nullopt);
}

TEST(CoapSharedMessageIds, NoPeerGetsOneTwiceWhoeverElseAsks) {
  SeededRandom random(5);
  SharedMessageIds ids(random, 247s);
  std::map<std::uint16_t, std::set<std::uint16_t>> of_peer;
  for (int i = 0; i < 60'000; ++i) {
    const auto port = static_cast<std::uint16_t>(i % 3);
    const auto id = ids.take(Address::v4(192, 0, 2, 1, port), start + i * 1ms);
    ASSERT_TRUE(id);
    ASSERT_TRUE(of_peer[port].insert(*id).second) << i;
  }
}

TEST(CoapSharedMessageIds, ARowThatIsUsedUpIsRefusedUntilItsLifetimeIsOver) {
  SeededRandom random(5);
  SharedMessageIds ids(random, 247s);
  const auto greedy = Address::v4(192, 0, 2, 1, 1);
  std::optional<std::uint16_t> first;
  for (int i = 0; i < 65536; ++i) {
    const auto id = ids.take(greedy, start);
    ASSERT_TRUE(id);
    if (!first) first = id;
  }
  EXPECT_FALSE(ids.available(greedy, start));
  EXPECT_FALSE(ids.take(greedy, start + 246s));
  unsigned hit = 0;
  for (std::uint16_t port = 0; port < 1000; ++port) hit += !ids.available(Address::v4(192, 0, 2, 2, port), start);
  EXPECT_LT(hit, 20U) << "one greedy peer takes others of its own row along, no more";
  EXPECT_EQ(ids.take(greedy, start + 247s), first);
}

TEST(CoapSharedMessageIds, OnePeersIdsTellNothingOfAnothers) {
  SeededRandom random(5);
  SharedMessageIds ids(random, 247s);
  // Among ports of one address, which offset two counters of one row have varies from pair to pair.
  std::set<std::uint16_t> first;
  for (std::uint16_t port = 0; port < 2000; ++port) first.insert(*ids.take(Address::v4(192, 0, 2, 1, port), start));
  EXPECT_GT(first.size(), 1900U);
}

using Outcome = Deduplication::Outcome;

Deduplication::Bounds bounds(std::size_t per_peer, std::size_t overall) { return {per_peer, overall, 247s, 145s}; }

TEST(CoapDeduplication, RemembersTheAnswerForTheLifetimeOfTheMessage) {
  Deduplication memory(bounds(10, 10));
  EXPECT_EQ(memory.remember({1, 7}, true, false, start), Outcome::remembered);
  EXPECT_EQ(memory.remember({1, 8}, false, false, start), Outcome::remembered);
  EXPECT_FALSE(memory.has({2, 7}));
  EXPECT_EQ(memory.answer({1, 7}), nullptr);
  memory.store_answer({1, 7}, Bytes{1, 2});
  EXPECT_EQ(*memory.answer({1, 7}), (Bytes{1, 2}));
  memory.store_answer({1, 7}, Bytes{3});
  EXPECT_EQ(*memory.answer({1, 7}), Bytes{3});
  memory.expire(start + 145s);
  EXPECT_FALSE(memory.has({1, 8}));
  EXPECT_TRUE(memory.has({1, 7}));
  memory.expire(start + 247s);
  EXPECT_EQ(memory.size(), 0U);
  EXPECT_EQ(memory.take_released(), std::vector<PeerNumber>{1});
}

TEST(CoapDeduplication, WhatMustNotActTwiceIsNeverForgottenEarly) {
  Deduplication memory(bounds(3, 100));
  for (std::uint16_t id = 0; id < 3; ++id) {
    EXPECT_EQ(memory.remember({1, id}, true, false, start), Outcome::remembered);
    memory.store_answer({1, id}, Bytes{1});
  }
  EXPECT_EQ(memory.remember({1, 3}, true, true, start), Outcome::peer_full);
  EXPECT_FALSE(memory.has({1, 3}));
  EXPECT_EQ(memory.remember({2, 3}, true, false, start), Outcome::remembered);
  EXPECT_EQ(memory.forgotten_early(), 0U);
  EXPECT_EQ(memory.remember({1, 3}, true, false, start + 247s), Outcome::remembered);
}

TEST(CoapDeduplication, TellsWhenAPeerHasRoomAgain) {
  Deduplication memory(bounds(2, 100));
  EXPECT_EQ(memory.room_at(1, start), start);
  EXPECT_EQ(memory.remember({1, 0}, true, false, start), Outcome::remembered);
  EXPECT_EQ(memory.remember({1, 1}, true, false, start + 10s), Outcome::remembered);
  EXPECT_EQ(memory.room_at(1, start + 20s), start + 247s);
  memory.expire(start + 247s);
  EXPECT_EQ(memory.room_at(1, start + 247s), start + 257s);
}

TEST(CoapDeduplication, TheHarmlessAndAnsweredMakeRoomInOrderOfTheirAnswers) {
  Deduplication memory(bounds(3, 100));
  for (std::uint16_t id = 0; id < 3; ++id) EXPECT_EQ(memory.remember({1, id}, true, true, start), Outcome::remembered);
  EXPECT_EQ(memory.remember({1, 3}, true, true, start), Outcome::peer_full) << "none is answered yet";
  memory.store_answer({1, 2}, {});
  memory.store_answer({1, 0}, {});
  EXPECT_EQ(memory.remember({1, 3}, true, true, start), Outcome::remembered);
  EXPECT_FALSE(memory.has({1, 2}));
  EXPECT_EQ(memory.remember({1, 4}, true, true, start), Outcome::remembered);
  EXPECT_FALSE(memory.has({1, 0}));
  EXPECT_TRUE(memory.has({1, 1}));
  EXPECT_EQ(memory.forgotten_early(), 2U);
}

TEST(CoapDeduplication, TheBoundOverAllPeersHoldsToo) {
  Deduplication memory(bounds(10, 4));
  EXPECT_EQ(memory.remember({1, 0}, true, true, start), Outcome::remembered);
  memory.store_answer({1, 0}, {});
  for (PeerNumber peer = 2; peer < 5; ++peer)
    EXPECT_EQ(memory.remember({peer, 0}, true, false, start), Outcome::remembered);
  EXPECT_EQ(memory.remember({9, 0}, true, false, start), Outcome::remembered);
  EXPECT_EQ(memory.take_released(), std::vector<PeerNumber>{1});
  EXPECT_EQ(memory.remember({10, 0}, true, false, start), Outcome::full);
  EXPECT_EQ(memory.remember({10, 0}, true, false, start + 246s), Outcome::full)
      << "nothing is forgotten before its time";
  EXPECT_EQ(memory.size(), 4U);
}

TEST(CoapDeduplication, ForgettingAPeerTakesAllItsEntries) {
  Deduplication memory(bounds(10, 10));
  for (std::uint16_t id = 0; id < 4; ++id) {
    EXPECT_EQ(memory.remember({1, id}, id % 2 == 0, true, start), Outcome::remembered);
    if (id < 2) memory.store_answer({1, id}, {});
  }
  EXPECT_EQ(memory.remember({2, 0}, true, true, start), Outcome::remembered);
  memory.forget_peer(1);
  EXPECT_EQ(memory.size(), 1U);
  EXPECT_EQ(memory.size_of(1), 0U);
  EXPECT_FALSE(memory.make_room());
  memory.expire(start + 247s);
  EXPECT_EQ(memory.size(), 0U);
}

enum class Bell : std::uint8_t { one, two };

TEST(CoapTimers, RingInOrderOnceEach) {
  Timers<Bell> timers;
  timers.set(Bell::one, 1, start + 3s);
  timers.set(Bell::two, 1, start + 1s);
  timers.set(Bell::one, 2, start + 2s);
  timers.set(Bell::one, 2, start + 4s);  // moved
  timers.set(Bell::two, 9, start + 1s);
  timers.clear(Bell::two, 9);
  timers.clear(Bell::two, 77);
  EXPECT_EQ(timers.next(), start + 1s);
  EXPECT_FALSE(timers.take_due(start));
  auto due = timers.take_due(start + 10s);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->kind, Bell::two);
  EXPECT_EQ(timers.take_due(start + 10s)->id, 1U);
  EXPECT_EQ(timers.take_due(start + 10s)->id, 2U);
  EXPECT_FALSE(timers.take_due(start + 10s));
  EXPECT_EQ(timers.size(), 0U);
}

TEST(CoapTransmissions, TheTimeoutStartsAtRandomAndDoubles) {
  const Parameters parameters;
  SeededRandom random(1);
  Transmissions transmissions(parameters, random);
  auto shortest = Instant::duration::max();
  auto longest = Instant::duration::min();
  for (std::uint16_t id = 0; id < 500; ++id) {
    const auto due = transmissions.start_confirmable({1, id}, ExchangeId(1), {}, start);
    shortest = std::min(shortest, due - start);
    longest = std::max(longest, due - start);
  }
  EXPECT_GE(shortest, 2s);
  EXPECT_LT(shortest, 2050ms);
  EXPECT_LE(longest, 3s);
  EXPECT_GT(longest, 2950ms);

  auto* one = transmissions.find({1, 0});
  const auto initial = one->timeout;
  auto now = start + initial;
  for (int doubled = 1; doubled <= 4; ++doubled) {
    const auto next = transmissions.retransmit(*one, now);
    ASSERT_TRUE(next);
    EXPECT_EQ(*next - now, initial * (1 << doubled));
    now = *next;
  }
  EXPECT_FALSE(transmissions.retransmit(*one, now));
  EXPECT_LE(now - start, parameters.max_transmit_wait());
}

TEST(CoapTransmissions, ALateTimerDoesNotLeaveMaxTransmitSpan) {
  const Parameters parameters;
  SeededRandom random(1);
  Transmissions transmissions(parameters, random);
  (void)transmissions.start_confirmable({1, 0}, ExchangeId(1), {}, start);
  auto* one = transmissions.find({1, 0});
  EXPECT_TRUE(transmissions.retransmit(*one, start + 45s));
  EXPECT_FALSE(transmissions.retransmit(*one, start + 45s + 1ns));
}

TEST(CoapTransmissions, AMessageIdThatWentToAnotherExchangeIsItsOwn) {
  const Parameters parameters;
  SeededRandom random(1);
  Transmissions transmissions(parameters, random);
  transmissions.start_non_confirmable({1, 0}, ExchangeId(1), start);
  (void)transmissions.start_confirmable({1, 0}, ExchangeId(2), {}, start + 1h);
  transmissions.erase({1, 0}, ExchangeId(1));
  ASSERT_NE(transmissions.find({1, 0}), nullptr) << "else it would never be retransmitted, nor end";
  EXPECT_EQ(transmissions.find({1, 0})->exchange, ExchangeId(2));
  transmissions.erase({1, 0}, ExchangeId(2));
  EXPECT_EQ(transmissions.find({1, 0}), nullptr);
}

}  // namespace
}  // namespace aceward::coap
