// What the follower asks, and what it concludes from each answer.
#include "aceward/ace/revocation/follower.h"

#include <gtest/gtest.h>

#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/resource/answers.h"

namespace aceward::ace::revocation {
namespace {

using namespace std::chrono_literals;

coap::Response list_answer(std::string_view diagnostic) {
  return coap::make_response(coap::code::content, coap::content_format::ace_trl_cbor,
                             cbor::from_diagnostic(diagnostic).value());
}

struct FollowedList {
  SeededRandom random{1};
  Follower follower;
  Instant now{1000s};

  explicit FollowedList(FollowerSettings settings = {}) : follower(std::move(settings), random) { follower.start(now); }
  static FollowerSettings full() {
    FollowerSettings settings;
    settings.diff_entries = 0;
    return settings;
  }

  /// The next request as `GET? observe? query`, and its number.
  std::string ask() {
    const auto ask = follower.next_ask(now);
    if (!ask) return "nothing";
    number = ask->number;
    EXPECT_EQ(ask->request.method, coap::code::get);
    EXPECT_EQ(ask->request.options.find_uint(coap::option::observe).has_value(), ask->observe);
    std::string text = ask->observe ? "observe" : "get";
    for (const std::string_view query : ask->request.options.queries()) text += " " + std::string(query);
    return text;
  }
  void answer(std::string_view diagnostic, bool last = true) { answer_to(number, diagnostic, last); }
  void answer_to(std::uint64_t to, std::string_view diagnostic, bool last) {
    follower.answered(to, list_answer(diagnostic), last, now);
  }
  /// `+0101 -0102`: revoked and expired, in order.
  std::string changes() {
    std::string text;
    while (const auto change = follower.next()) {
      if (!text.empty()) text += ' ';
      text += (change->kind == Revocation::Kind::revoked ? '+' : '-') + to_hex(change->token_hash);
    }
    return text;
  }
  void pass(Instant::duration time) { now += time; }

  std::uint64_t number = 0;
};

/// One that has read the full set with cursor 5 and observes diff entries.
struct ObservedList : FollowedList {
  ObservedList() {
    EXPECT_EQ(ask(), "get");
    answer("{0: [h'0101'], 2: 5}");
    EXPECT_EQ(changes(), "+0101");
    EXPECT_EQ(ask(), "observe diff=3");
    observation = number;
    notify("{1: [[[], [h'0101']]], 2: 5, 3: false}");
    EXPECT_EQ(changes(), "");
    EXPECT_EQ(ask(), "nothing");
  }
  void notify(std::string_view diagnostic) { answer_to(observation, diagnostic, false); }
  std::uint64_t observation = 0;
};

TEST(Follower, ReadsAllAndObservesWhatComes) {
  ObservedList list;
  list.notify("{1: [[[], [h'0102']], [[], [h'0101']]], 2: 6, 3: false}");
  EXPECT_EQ(list.changes(), "+0102");
  list.notify("{1: [[[h'0101'], []], [[], [h'0102']], [[], [h'0101']]], 2: 7, 3: false}");
  EXPECT_EQ(list.changes(), "-0101");
  EXPECT_TRUE(list.follower.is_revoked(Bytes{1, 2}));
  EXPECT_FALSE(list.follower.is_revoked(Bytes{1, 1}));
  EXPECT_EQ(list.ask(), "nothing");
}

TEST(Follower, TakesSeveralUpdatesAtOnceInTheirOrder) {
  ObservedList list;
  list.notify("{1: [[[h'0102'], [h'0103']], [[], [h'0102']], [[], [h'0101']]], 2: 7, 3: false}");
  EXPECT_EQ(list.changes(), "+0102 -0102 +0103");
}

TEST(Follower, ARepeatedNotificationTellsNothingNew) {
  ObservedList list;
  list.notify("{1: [[[], [h'0102']]], 2: 6, 3: false}");
  EXPECT_EQ(list.changes(), "+0102");
  list.notify("{1: [[[], [h'0102']]], 2: 6, 3: false}");
  EXPECT_EQ(list.changes(), "");
}

TEST(Follower, AsksForUpdatesThatItMissed) {
  ObservedList list;
  list.notify("{1: [[[], [h'0109']], [[], [h'0108']], [[], [h'0107']]], 2: 11, 3: false}");
  EXPECT_EQ(list.changes(), "") << "not before what came earlier";
  EXPECT_EQ(list.follower.counters().gaps, 1U);
  EXPECT_EQ(list.ask(), "get diff=0 cursor=5");
  list.answer("{1: [[[h'0101'], []], [[], [h'0102']]], 2: 7, 3: true}");
  EXPECT_EQ(list.changes(), "+0102 -0101");
  EXPECT_EQ(list.ask(), "get diff=0 cursor=7");
  list.answer("{1: [[[], [h'0109']], [[], [h'0108']], [[], [h'0107']], [[], [h'0106']]], 2: 11, 3: false}");
  EXPECT_EQ(list.changes(), "+0106 +0107 +0108 +0109");
  EXPECT_EQ(list.ask(), "nothing");
}

TEST(Follower, ReadsAllWhereTheServerLostWhatItAsksFor) {
  ObservedList list;
  list.pass(2min);
  EXPECT_EQ(list.ask(), "get diff=0 cursor=5");
  list.answer("{1: [], 2: null, 3: true}");
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: [h'0102'], 2: 3}");
  EXPECT_EQ(list.changes(), "-0101 +0102");
  EXPECT_EQ(list.follower.counters().started_over, 1U);
}

TEST(Follower, ReadsAllWhereItsCursorIsOutOfBound) {
  ObservedList list;
  list.pass(2min);
  EXPECT_EQ(list.ask(), "get diff=0 cursor=5");
  list.follower.answered(list.number, make_trl_error({TrlErrorId::cursor_out_of_bound, {}}, ""), true, list.now);
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: [], 2: null}");
  EXPECT_EQ(list.changes(), "-0101");
}

TEST(Follower, ReadsAllWhereTheServerSuddenlyHasNoUpdates) {
  ObservedList list;
  list.notify("{1: [], 2: null, 3: false}");
  EXPECT_EQ(list.changes(), "");
  EXPECT_EQ(list.ask(), "get");
}

TEST(Follower, TheFirstUpdateOfAllIsTakenWhenNothingCanBeMissing) {
  FollowedList list;
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: [], 2: null}");
  EXPECT_EQ(list.ask(), "observe diff=3");
  list.answer("{1: [], 2: null, 3: false}", false);
  list.answer("{1: [[[], [h'0101']]], 2: 77, 3: false}", false);
  EXPECT_EQ(list.changes(), "+0101");
  EXPECT_EQ(list.ask(), "nothing");
}

TEST(Follower, IndicesMayWrapAround) {
  ObservedList list;
  list.notify("{1: [[[], [h'0102']]], 2: 0, 3: false}");
  EXPECT_EQ(list.changes(), "");
  EXPECT_EQ(list.ask(), "get diff=0 cursor=5");
  list.answer("{1: [[[], [h'0102']]], 2: 0, 3: false}");
  EXPECT_EQ(list.changes(), "+0102");
  list.notify("{1: [[[], [h'0103']], [[], [h'0102']]], 2: 1, 3: false}");
  EXPECT_EQ(list.changes(), "+0103");
}

TEST(Follower, ObservesTheFullSetWhereNoCursorIsOffered) {
  FollowedList list;
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: []}");
  EXPECT_EQ(list.ask(), "observe");
  list.answer("{0: [h'0101']}", false);
  EXPECT_EQ(list.changes(), "+0101");
}

TEST(Follower, AFullSetThatLacksAHashIsConfirmedBeforeItCountsAsExpired) {
  FollowedList list(FollowedList::full());
  EXPECT_EQ(list.ask(), "observe");
  const auto observation = list.number;
  list.answer("{0: [h'0101', h'0102']}", false);
  EXPECT_EQ(list.changes(), "+0101 +0102");
  list.answer_to(observation, "{0: [h'0103']}", false);
  EXPECT_EQ(list.changes(), "+0103") << "it could be a late notification";
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: [h'0102', h'0103']}");
  EXPECT_EQ(list.changes(), "-0101");
}

TEST(Follower, ALateNotificationTakesNoRevocationBack) {
  FollowedList list(FollowedList::full());
  EXPECT_EQ(list.ask(), "observe");
  const auto observation = list.number;
  list.answer("{0: [], 2: null}", false);
  list.pass(2min);
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: [h'0101', h'0102'], 2: 8}");
  EXPECT_EQ(list.changes(), "+0101 +0102");
  list.answer_to(observation, "{0: [h'0101'], 2: 7}", false);
  EXPECT_EQ(list.changes(), "");
  EXPECT_TRUE(list.follower.is_revoked(Bytes{1, 2}));
}

TEST(Follower, AnAnswerThatANotificationOvertookTakesNoRevocationBack) {
  FollowedList list(FollowedList::full());
  EXPECT_EQ(list.ask(), "observe");
  const auto observation = list.number;
  list.answer("{0: [], 2: null}", false);
  list.pass(2min);
  EXPECT_EQ(list.ask(), "get");
  const auto poll = list.number;
  list.answer_to(observation, "{0: [h'0101'], 2: 7}", false);
  EXPECT_EQ(list.changes(), "+0101");
  list.answer_to(poll, "{0: [], 2: null}", true);
  EXPECT_EQ(list.changes(), "");
  EXPECT_TRUE(list.follower.is_revoked(Bytes{1, 1}));
  EXPECT_EQ(list.ask(), "get") << "it is asked again";
}

TEST(Follower, ALateDiffNotificationChangesNothing) {
  ObservedList list;
  list.notify("{1: [[[h'0101'], []], [[], [h'0102']]], 2: 7, 3: false}");
  EXPECT_EQ(list.changes(), "+0102 -0101");
  list.notify("{1: [[[], [h'0102']], [[], [h'0101']]], 2: 6, 3: false}");
  EXPECT_EQ(list.changes(), "");
}

TEST(Follower, OnlyAnswersToItsOwnRequestsCount) {
  ObservedList list;
  list.answer_to(999, "{0: [h'0109'], 2: 6}", true);
  list.answer_to(list.observation + 1, "{1: [[[], [h'0109']]], 2: 6, 3: false}", false);
  list.follower.failed(999, list.now);
  EXPECT_EQ(list.changes(), "");
  EXPECT_EQ(list.follower.counters().unanswered, 0U);
}

TEST(Follower, NothingIsConcludedFromAnswersThatCannotBeUsed) {
  for (const auto* payload : {"{}", "{0: [], 1: []}", "[]", "{0: [h'01']}"}) {
    ObservedList list;
    const auto until = list.follower.current_until();
    list.pass(2min);
    EXPECT_EQ(list.ask(), "get diff=0 cursor=5");
    list.answer(payload);
    EXPECT_EQ(list.changes(), "");
    EXPECT_EQ(list.follower.counters().malformed, 1U);
    EXPECT_EQ(list.follower.current_until(), until);
    EXPECT_EQ(list.ask(), "nothing");
  }
  ObservedList list;
  list.pass(2min);
  EXPECT_EQ(list.ask(), "get diff=0 cursor=5");
  list.follower.answered(list.number,
                         coap::make_response(coap::code::content, coap::content_format::cbor,
                                             cbor::from_diagnostic("{1: [[[h'0101'], []]], 2: 6, 3: false}").value()),
                         true, list.now);
  EXPECT_EQ(list.changes(), "");
}

TEST(Follower, AnErrorOrSilenceChangesNothingButTheNextTry) {
  FollowedList list;
  const auto until_next_try = [&] { return *list.follower.next_timeout() - list.now; };
  EXPECT_EQ(list.ask(), "get");
  list.follower.failed(list.number, list.now);
  EXPECT_GE(until_next_try(), 2s);
  EXPECT_LE(until_next_try(), 3s);
  EXPECT_EQ(list.ask(), "nothing");
  list.pass(3s);
  EXPECT_EQ(list.ask(), "get");
  list.follower.answered(list.number, coap::make_response(coap::code::internal_server_error), true, list.now);
  EXPECT_GE(until_next_try(), 4s);
  EXPECT_LE(until_next_try(), 6s);
  list.pass(6s);
  EXPECT_EQ(list.ask(), "get");
  coap::Response busy = coap::make_response(coap::code::service_unavailable);
  coap::set_max_age(busy.options, 100s);
  list.follower.answered(list.number, busy, true, list.now);
  EXPECT_GE(until_next_try(), 100s);
  EXPECT_EQ(list.follower.counters().refused, 2U);
  EXPECT_FALSE(list.follower.is_current(list.now));
  for (int i = 0; i < 20; ++i) {
    list.now = *list.follower.next_timeout();
    ASSERT_EQ(list.ask(), "get");
    list.follower.failed(list.number, list.now);
    EXPECT_LE(until_next_try(), 450s);
  }
}

TEST(Follower, SaysHowLongItsStateIsCurrent) {
  ObservedList list;
  EXPECT_TRUE(list.follower.is_current(list.now + 5min - 1ns));
  EXPECT_FALSE(list.follower.is_current(list.now + 5min));
  list.pass(4min);
  list.notify("{1: [[[], [h'0102']]], 2: 6, 3: false}");
  EXPECT_EQ(list.follower.current_until(), list.now + 5min);
  list.follower.stop();
  EXPECT_TRUE(list.follower.is_current(list.now)) << "what was heard is still true for a while";
}

TEST(Follower, AGapIsNotTheCurrentState) {
  ObservedList list;
  const auto until = list.follower.current_until();
  list.pass(1min);
  list.notify("{1: [[[], [h'0109']]], 2: 11, 3: false}");
  EXPECT_EQ(list.follower.current_until(), until);
}

TEST(Follower, DoesNotRelyOnNotificationsAlone) {
  ObservedList list;
  EXPECT_EQ(list.follower.next_timeout(), list.now + 2min);
  list.pass(2min);
  EXPECT_EQ(list.ask(), "get diff=0 cursor=5");
  list.answer("{1: [], 2: 5, 3: false}");
  EXPECT_EQ(list.ask(), "nothing");
  for (int i = 0; i < 6 * 30; ++i) {
    list.pass(2min);
    const std::string asked = list.ask();
    if (asked == "get") {
      EXPECT_GE(i, 6 * 30 - 2) << "the full set, every six hours";
      list.answer("{0: [h'0101'], 2: 5}");
      return;
    }
    ASSERT_EQ(asked, "get diff=0 cursor=5");
    list.answer("{1: [], 2: 5, 3: false}");
  }
  FAIL() << "the full set was never read again";
}

TEST(Follower, PollsWhereTheServerKeepsNoObservers) {
  FollowedList list;
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: [], 2: 5}");
  EXPECT_EQ(list.ask(), "observe diff=3");
  list.answer("{1: [[[], [h'0101']], [[], []]], 2: 6, 3: false}", true);
  EXPECT_EQ(list.changes(), "+0101");
  EXPECT_EQ(list.ask(), "nothing");
  list.pass(2min);
  EXPECT_EQ(list.ask(), "get diff=0 cursor=6");
}

TEST(Follower, ObservesTheFullSetWhereADiffMayNotBeObserved) {
  FollowedList list;
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: [], 2: 5}");
  EXPECT_EQ(list.ask(), "observe diff=3");
  list.follower.answered(list.number, make_trl_error({TrlErrorId::invalid_parameter_value, {}}, ""), true, list.now);
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: [], 2: 5}");
  EXPECT_EQ(list.ask(), "observe");
}

TEST(Follower, AServerWithoutDiffQueriesIsObservedInFull) {
  FollowedList list;
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: [], 2: 5}");
  EXPECT_EQ(list.ask(), "observe diff=3");
  const auto unwanted = list.number;
  list.answer("{0: []}", false);
  EXPECT_EQ(list.follower.next_cancelled(), unwanted);
  list.pass(10s);
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: []}");
  EXPECT_EQ(list.ask(), "observe");
}

TEST(Follower, ObservesAgainWhatWasLost) {
  ObservedList list;
  list.follower.failed(list.observation, list.now);
  EXPECT_EQ(list.ask(), "nothing");
  list.pass(3s);
  EXPECT_EQ(list.ask(), "observe diff=3");
}

TEST(Follower, ANewChannelGoesOnWhereTheOldOneEnded) {
  ObservedList list;
  list.follower.stop();
  EXPECT_EQ(list.ask(), "nothing");
  EXPECT_FALSE(list.follower.next_timeout());
  list.notify("{1: [[[], [h'0102']]], 2: 6, 3: false}");
  EXPECT_EQ(list.changes(), "") << "of a channel that is gone";
  list.follower.start(list.now);
  EXPECT_EQ(list.ask(), "get diff=0 cursor=5");
  list.answer("{1: [[[], [h'0102']]], 2: 6, 3: false}");
  EXPECT_EQ(list.changes(), "+0102");
  EXPECT_EQ(list.ask(), "observe diff=3");
}

TEST(Follower, ReadsAtOnceWhenTold) {
  ObservedList list;
  list.follower.refresh(list.now);
  EXPECT_EQ(list.ask(), "get diff=0 cursor=5");
  list.follower.refresh(list.now);
  EXPECT_EQ(list.ask(), "nothing") << "it is being read";
}

TEST(Follower, RemembersNoMoreThanItsLimit) {
  FollowerSettings settings;
  settings.max_hashes = 2;
  FollowedList list(settings);
  EXPECT_EQ(list.ask(), "get");
  list.answer("{0: [h'0101', h'0102', h'0103'], 2: 5}");
  EXPECT_EQ(list.changes(), "+0101 +0102 +0103") << "each is told";
  EXPECT_EQ(list.follower.size(), 2U);
  EXPECT_EQ(list.follower.counters().forgotten, 1U);
  EXPECT_FALSE(list.follower.is_revoked(Bytes{1, 1})) << "the earliest is forgotten";
  EXPECT_TRUE(list.follower.is_revoked(Bytes{1, 3}));
}

}  // namespace
}  // namespace aceward::ace::revocation
