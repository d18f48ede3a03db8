#include "aceward/coap/observe/observation_client.h"

#include <gtest/gtest.h>

#include <set>

#include "aceward/coap/observe/observe_test_support.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

class CoapObservationClient : public ::testing::Test {
 protected:
  void start(const ObservationSettings& settings) {
    client = std::make_unique<ObservationClient>(below, random, settings);
  }
  ExchangeId observe(std::string_view path = "/gauge") {
    return client->request(server, observe_request(path), {}, now).value();
  }
  /// A notification to the registration that is under way.
  void notify(std::uint64_t number, std::string_view text, std::optional<std::uint32_t> max_age = std::nullopt,
              std::string_view etag = {}) {
    auto response = content(text);
    response.options.set_uint(option::observe, number);
    if (max_age) response.options.set_uint(option::max_age, *max_age);
    if (!etag.empty()) response.options.add(option::etag, etag);
    below.answer(below.asked.back().id, server, std::move(response), false);
    run();
  }
  void notify_valid(std::uint64_t number, std::string_view etag) {
    Response response{code::valid, {}, {}};
    response.options.set_uint(option::observe, number).add(option::etag, etag);
    below.answer(below.asked.back().id, server, std::move(response), false);
    run();
  }
  void run() {
    while (auto event = client->next_event(now)) {
      if (const auto* arrived = std::get_if<ResponseArrived>(&*event)) {
        heard.push_back(*arrived);
      } else if (const auto* lost = std::get_if<ExchangeGone>(&*event)) {
        gone.push_back(*lost);
      }
    }
  }
  void pass(Instant::duration time) {
    const auto end = now + time;
    run();
    while (const auto next = client->next_timeout()) {
      if (*next > end) break;
      now = std::max(now, *next);
      client->on_timeout(now);
      run();
    }
    now = end;
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> found;
    for (const auto& one : heard) found.emplace_back(as_text(one.response.payload));
    return found;
  }
  using Texts = std::vector<std::string>;

  Instant now{1000s};
  SeededRandom random{7};
  RecordingLayer below;
  std::unique_ptr<ObservationClient> client = std::make_unique<ObservationClient>(below, random);
  std::vector<ResponseArrived> heard;
  std::vector<ExchangeGone> gone;
  const Peer server = peer_at(9, 5683);
};

// Registering (section 3.1)

TEST_F(CoapObservationClient, RegistersWithObserve0AndDeliversUnderOneId) {
  const auto id = observe();
  ASSERT_EQ(below.asked.size(), 1U);
  EXPECT_EQ(below.asked[0].request.options.find_uint(option::observe), 0U);
  EXPECT_FALSE(client->status(id, now)->established);
  notify(5, "one");
  notify(6, "two");
  EXPECT_EQ(texts(), (Texts{"one", "two"}));
  for (const auto& one : heard) {
    EXPECT_EQ(one.id, id);
    EXPECT_FALSE(one.final);
  }
  EXPECT_TRUE(client->status(id, now)->established);
  EXPECT_EQ(client->status(id, now)->notifications, 2U);
}

TEST_F(CoapObservationClient, OtherRequestsPass) {
  const auto id = client->request(server, get_request("/gauge"), {}, now).value();
  EXPECT_EQ(id, below.asked[0].id);
  below.answer(id, server, content("plain"));
  run();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].id, id);
  client->cancel(id);
  EXPECT_EQ(below.cancelled, std::vector{id});
}

TEST_F(CoapObservationClient, ASecondRequestForTheSameTargetJoins) {
  const auto first = observe();
  notify(5, "one", 60);
  const auto second = observe();
  run();
  EXPECT_EQ(below.asked.size(), 1U) << "nobody registers twice";
  EXPECT_EQ(texts(), (Texts{"one", "one"}));
  EXPECT_EQ(heard[1].id, second);
  notify(6, "two");
  EXPECT_EQ(texts(), (Texts{"one", "one", "two", "two"}));
  client->cancel(first);
  EXPECT_TRUE(below.cancelled.empty());
  notify(7, "three");
  EXPECT_EQ(heard.size(), 5U);
  EXPECT_EQ(heard.back().id, second);
  client->cancel(second);
  EXPECT_EQ(below.cancelled, std::vector{below.asked[0].id});
  EXPECT_EQ(client->observations(), 0U);
}

TEST_F(CoapObservationClient, AnotherQueryOrAcceptOrServerIsAnotherTarget) {
  observe();
  auto query = observe_request("/gauge");
  query.options.add(option::uri_query, "q");
  auto accept = observe_request("/gauge");
  accept.options.set_accept(content_format::cbor);
  ASSERT_TRUE(client->request(server, query, {}, now));
  ASSERT_TRUE(client->request(server, accept, {}, now));
  ASSERT_TRUE(client->request(peer_at(8), observe_request("/gauge"), {}, now));
  EXPECT_EQ(client->observations(), 4U);
  EXPECT_EQ(below.asked.size(), 4U);
}

TEST_F(CoapObservationClient, AnAnswerWithoutObserveIsTheOnlyOne) {
  const auto id = observe();
  below.answer(below.asked[0].id, server, content("plain"));
  run();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_TRUE(heard[0].final);
  EXPECT_EQ(heard[0].id, id);
  EXPECT_EQ(client->counters().not_observable, 1U);
  EXPECT_EQ(client->observations(), 0U);
  pass(1h);
  EXPECT_EQ(below.asked.size(), 1U);
}

TEST_F(CoapObservationClient, AnErrorEndsTheObservation) {
  observe();
  notify(5, "one");
  below.answer(below.asked[0].id, server, {code::not_found, {}, {}});
  run();
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_TRUE(heard[1].final);
  EXPECT_EQ(heard[1].response.code, code::not_found);
  pass(1h);
  EXPECT_EQ(below.asked.size(), 1U);
}

TEST_F(CoapObservationClient, TheNumberOfObservationsIsLimited) {
  start({.observations = 1});
  observe();
  const auto refused = client->request(server, observe_request("/other"), {}, now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), reason::coap_too_many_requests);
}

TEST_F(CoapObservationClient, WhatTheLayerBelowRefusesIsRefused) {
  below.refuse = Error(reason::coap_too_many_peers);
  EXPECT_FALSE(client->request(server, observe_request("/gauge"), {}, now));
  EXPECT_EQ(client->observations(), 0U);
  below.refuse.reset();
  observe();
  EXPECT_EQ(client->observations(), 1U);
}

// Order (section 3.4)

TEST_F(CoapObservationClient, LateAndRepeatedNotificationsAreDropped) {
  observe();
  notify(5, "one");
  notify(8, "three");
  notify(7, "two");
  notify(8, "three");
  notify(9, "four");
  EXPECT_EQ(texts(), (Texts{"one", "three", "four"}));
  EXPECT_EQ(client->counters().stale, 2U);
}

TEST_F(CoapObservationClient, TheNumberWrapsAround) {
  observe();
  notify(0xffffff, "one");
  notify(0, "two");
  notify(0xffffff, "one again");
  EXPECT_EQ(texts(), (Texts{"one", "two"}));
}

TEST_F(CoapObservationClient, After128SecondsTheNumberDoesNotMatter) {
  observe();
  notify(500, "one", 1000);
  now += 129s;
  notify(3, "two", 1000);
  EXPECT_EQ(texts(), (Texts{"one", "two"}));
}

TEST_F(CoapObservationClient, OrderOfASecurityContextIsThatOfItsOwnNumbers) {
  auto peer = server;
  peer.context = 4;
  ASSERT_TRUE(client->request(peer, observe_request("/gauge"), {}, now));
  const auto arrive = [&](std::uint64_t order) {
    below.events.push_back(ResponseArrived{below.asked[0].id, peer, content("x"), order, false});
    run();
  };
  arrive(0xffffff);
  arrive(0x1000000);
  arrive(0);  // in 24 bits it would follow
  EXPECT_EQ(heard.size(), 2U);
}

// Freshness (section 3.3.1)

TEST_F(CoapObservationClient, RegistersAgainBetweenFiveAndFifteenSecondsAfterMaxAge) {
  std::set<Instant> times;
  for (int i = 0; i < 20; ++i) {
    const auto id = observe("/gauge" + std::to_string(i));
    notify(5, "one", 20);
    const auto at = client->next_timeout();
    ASSERT_TRUE(at);
    EXPECT_GE(*at, now + 25s);
    EXPECT_LE(*at, now + 35s);
    times.insert(*at);
    client->cancel(id);
  }
  EXPECT_GT(times.size(), 10U) << "the time is random";
}

TEST_F(CoapObservationClient, TheNewRegistrationIsTheSameRequestWithTheSameToken) {
  auto request = observe_request("/gauge");
  request.options.add(option::uri_query, "q").set_accept(content_format::cbor);
  ASSERT_TRUE(client->request(server, request, {}, now));
  notify(5, "one", 20);
  pass(36s);
  ASSERT_EQ(below.asked.size(), 2U);
  EXPECT_EQ(below.asked[1].request, below.asked[0].request);
  EXPECT_EQ(below.asked[1].delivery.token_of, below.asked[0].id);
  notify(6, "two", 20);
  EXPECT_EQ(texts(), (Texts{"one", "two"}));
  EXPECT_EQ(client->counters().reregistered, 1U);
}

TEST_F(CoapObservationClient, EachNotificationPutsTheNewRegistrationOff) {
  const auto id = observe();
  for (unsigned i = 0; i < 30; ++i) {
    notify(i, "x", 20);
    pass(19s);
  }
  EXPECT_EQ(below.asked.size(), 1U);
  EXPECT_TRUE(client->status(id, now)->fresh);
  pass(2s);
  EXPECT_FALSE(client->status(id, now)->fresh) << "not to be taken for the state of the resource";
}

TEST_F(CoapObservationClient, WithoutMaxAgeItIsSixtySeconds) {
  observe();
  notify(5, "one");
  pass(64s);
  EXPECT_EQ(below.asked.size(), 1U);
  pass(12s);
  EXPECT_EQ(below.asked.size(), 2U);
}

TEST_F(CoapObservationClient, AStaleNotificationDoesNotMakeFresh) {
  const auto id = observe();
  notify(5, "one", 20);
  pass(15s);
  notify(4, "zero", 1000);
  EXPECT_EQ(client->status(id, now)->fresh_until, Instant{1020s});
}

// A server that restarted counts anew: its answer looks late, so a token of its own decides.
TEST_F(CoapObservationClient, AServerThatCountsAnewIsHeardAfterARegistrationOfItsOwnToken) {
  observe();
  notify(500, "before", 20);
  pass(36s);
  ASSERT_EQ(below.asked.size(), 2U);
  notify(3, "after", 20);
  EXPECT_EQ(texts(), (Texts{"before"}));
  ASSERT_EQ(below.asked.size(), 3U);
  EXPECT_EQ(below.asked[2].delivery.token_of.value, 0U);
  EXPECT_EQ(below.cancelled.back(), below.asked[1].id) << "what comes for the old token is rejected";
  notify(4, "after", 20);
  EXPECT_EQ(texts(), (Texts{"before", "after"}));
}

TEST_F(CoapObservationClient, NothingOfAReplacedRegistrationIsHeard) {
  observe();
  notify(5, "one", 20);
  const auto old = below.asked[0].id;
  pass(36s);
  notify(6, "two", 20);
  EXPECT_EQ(below.cancelled.front(), old);
}

// Validation (section 3.3.2)

TEST_F(CoapObservationClient, OffersWhatItKeepsAndA203BecomesIt) {
  observe();
  notify(5, "one", 20, "a");
  notify(6, "two", 20, "b");
  pass(36s);
  ASSERT_EQ(below.asked.size(), 2U);
  EXPECT_EQ(below.asked[1].request.options.all_text(option::etag).size(), 2U);
  notify_valid(7, "a");
  ASSERT_EQ(texts(), (Texts{"one", "two", "one"}));
  EXPECT_EQ(heard.back().response.code, code::content);
  EXPECT_EQ(heard.back().response.options.find_uint(option::observe), 7U);
  EXPECT_EQ(client->counters().validated, 1U);
}

TEST_F(CoapObservationClient, A203WithoutMaxAgeMeansSixtySecondsNotTheOldValue) {
  const auto id = observe();
  notify(5, "one", 20, "a");
  pass(36s);
  notify_valid(7, "a");
  EXPECT_EQ(client->status(id, now)->fresh_until, now + 60s);
}

TEST_F(CoapObservationClient, WhatWasOfferedIsKeptUntilTheNextRegistration) {
  start({.candidates = 2});
  observe();
  notify(1, "one", 20, "a");
  pass(36s);
  notify(2, "two", 20, "b");
  notify(3, "three", 20, "c");
  notify(4, "four", 20, "d");
  notify_valid(5, "a");
  EXPECT_EQ(texts().back(), "one");
  pass(76s);
  ASSERT_EQ(below.asked.size(), 3U);
  EXPECT_EQ(below.asked[2].request.options.all_text(option::etag).size(), 2U) << "bounded";
}

TEST_F(CoapObservationClient, A203ThatNamesNothingIsNotDeliveredAndNothingIsOfferedNext) {
  observe();
  notify(1, "one", 20, "a");
  pass(36s);
  notify_valid(2, "zzz");
  EXPECT_EQ(heard.size(), 1U);
  pass(20s);
  ASSERT_EQ(below.asked.size(), 3U);
  EXPECT_FALSE(below.asked[2].request.options.has(option::etag));
  notify(3, "two", 20);
  EXPECT_EQ(texts(), (Texts{"one", "two"}));
}

TEST_F(CoapObservationClient, ETagsOfTheCallerStayHis) {
  auto request = observe_request("/gauge");
  request.options.add(option::etag, "mine");
  ASSERT_TRUE(client->request(server, request, {}, now));
  notify_valid(1, "mine");
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].response.code, code::valid);
}

// Losses

TEST_F(CoapObservationClient, AFirstRegistrationThatIsLostIsReported) {
  const auto id = observe();
  below.lose(below.asked[0].id, Error(reason::coap_not_acknowledged));
  run();
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].id, id);
  EXPECT_EQ(gone[0].reason, reason::coap_not_acknowledged);
  EXPECT_EQ(client->observations(), 0U);
}

TEST_F(CoapObservationClient, ALostServerIsAskedAgainLessAndLessOftenAndThenGivenUp) {
  start({.retries = 4, .retry_min = 10s, .retry_max = 40s});
  const auto id = observe();
  notify(5, "one", 20);
  std::vector<Instant::duration> waits;
  auto last = now;
  below.lose(below.asked.back().id, Error(reason::coap_not_acknowledged));
  run();
  EXPECT_FALSE(client->status(id, now)->established);
  for (int i = 0; i < 4; ++i) {
    const auto before = below.asked.size();
    while (below.asked.size() == before) {
      now = client->next_timeout().value();
      client->on_timeout(now);
    }
    waits.push_back(now - last);
    last = now;
    EXPECT_TRUE(gone.empty());
    below.lose(below.asked.back().id, Error(reason::coap_not_acknowledged));
    run();
  }
  EXPECT_GE(waits[0], 10s);
  EXPECT_GE(waits[1], 20s);
  EXPECT_GE(waits[2], 40s);
  EXPECT_GE(waits[3], 40s);
  EXPECT_LE(waits[3], 60s);
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(client->next_timeout(), std::nullopt);
}

TEST_F(CoapObservationClient, AServerThatComesBackIsHeardWhateverItsNumbers) {
  observe();
  notify(500, "one", 20);
  below.lose(below.asked.back().id, Error(reason::coap_reset_by_peer));
  pass(8s);
  ASSERT_EQ(below.asked.size(), 2U);
  notify(1, "two", 20);
  EXPECT_EQ(texts(), (Texts{"one", "two"}));
  EXPECT_TRUE(gone.empty());
}

TEST_F(CoapObservationClient, ARefusalBelowWhenRegisteringAgainIsALossToo) {
  start({.retries = 1});
  observe();
  notify(5, "one", 20);
  below.refuse = Error(reason::coap_too_many_requests);
  pass(2min);
  EXPECT_EQ(gone.size(), 1U);
}

// Cancellation (section 3.6)

TEST_F(CoapObservationClient, CancellingForgetsWithoutAMessage) {
  const auto id = observe();
  notify(5, "one", 20);
  below.answer(below.asked[0].id, server, content("two"), false);
  client->cancel(id);
  EXPECT_EQ(below.asked.size(), 1U);
  EXPECT_EQ(below.cancelled, std::vector{below.asked[0].id});
  pass(1h);
  EXPECT_EQ(below.asked.size(), 1U);
  EXPECT_FALSE(client->status(id, now));
}

TEST_F(CoapObservationClient, NothingFollowsACancel) {
  const auto id = observe();
  auto response = content("one");
  response.options.set_uint(option::observe, 1);
  below.answer(below.asked[0].id, server, response, false);
  const auto second = observe();
  // The event is pulled from below, and waits for the second member when that leaves.
  ASSERT_TRUE(client->next_event(now));
  client->cancel(second);
  EXPECT_FALSE(client->next_event(now));
  EXPECT_TRUE(client->status(id, now));
}

TEST_F(CoapObservationClient, DeregisteringAsksWithObserve1AndTheTokenOfTheObservation) {
  auto request = observe_request("/gauge");
  request.options.add(option::uri_query, "q");
  const auto id = client->request(server, request, {}, now).value();
  notify(5, "one", 20, "a");
  client->deregister(id, now);
  ASSERT_EQ(below.asked.size(), 2U);
  EXPECT_EQ(below.asked[1].request.options.find_uint(option::observe), 1U);
  EXPECT_EQ(below.asked[1].request.options.find_text(option::uri_query), "q");
  EXPECT_EQ(below.asked[1].delivery.token_of, below.asked[0].id);
  EXPECT_EQ(client->observations(), 0U);
  below.answer(below.asked[1].id, server, content("farewell"));
  run();
  EXPECT_EQ(heard.size(), 1U) << "its answer is nobody's business";
}

TEST_F(CoapObservationClient, ADeregistrationThatCannotBeSentFallsBackToForgetting) {
  const auto id = observe();
  notify(5, "one", 20);
  below.refuse = Error(reason::coap_too_many_requests);
  client->deregister(id, now);
  EXPECT_EQ(below.cancelled, std::vector{below.asked[0].id});
  EXPECT_EQ(client->observations(), 0U);
}

}  // namespace
}  // namespace aceward::coap
