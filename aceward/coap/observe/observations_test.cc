#include "aceward/coap/observe/observations.h"

#include <gtest/gtest.h>

#include <array>

#include "aceward/coap/observe/observe_test_support.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

// A value that can be read, later if so told, in any format and with any code.
class Gauge final : public Resource {
 public:
  void handle(ExchangeId id, const Peer& /*peer*/, const Request& request, Responder& responder) override {
    ++asked;
    last_request = request;
    if (later) return pending.push_back(id);
    responder.respond(id, make());
  }
  std::span<const Code> methods() const override { return methods_; }
  Response make() const {
    Response response{answer, {}, answer == code::content ? to_bytes(value) : Bytes{}};
    if (format) response.options.set_content_format(*format);
    if (max_age) response.options.set_uint(option::max_age, *max_age);
    return response;
  }

  std::string value = "1";
  Code answer = code::content;
  std::optional<ContentFormat> format = content_format::text_plain;
  std::optional<std::uint32_t> max_age;
  bool later = false;
  unsigned asked = 0;
  Request last_request;
  std::vector<ExchangeId> pending;

 private:
  std::array<Code, 3> methods_{code::get, code::fetch, code::post};
};

class CoapObservations : public ::testing::Test {
 protected:
  CoapObservations() { start({}, {}); }

  void start(const ObservableSettings& settings, const ObservationLimits& limits) {
    observations = std::make_unique<Observations>(below, random, limits);
    router = std::make_unique<Router>(*observations);
    router->add("/gauge", gauge);
    router->add("/plain", plain);
    observations->allow("/gauge", settings);
  }
  void run() {
    while (auto event = router->next_event(now)) others.push_back(*event);
  }
  /// Lets the time pass, with each timer at its time.
  void pass(Instant::duration time) {
    const auto end = now + time;
    run();
    while (const auto next = observations->next_timeout()) {
      if (*next > end) break;
      now = std::max(now, *next);
      observations->on_timeout(now);
      run();
    }
    now = end;
  }
  ExchangeId observe(const Peer& peer, Reliability reliability = Reliability::confirmable,
                     std::string_view path = "/gauge") {
    const auto id = below.arrive(peer, observe_request(path), reliability);
    run();
    return id;
  }
  void change(std::string_view value) {
    gauge.value = value;
    observations->changed("/gauge", now);
    run();
  }
  std::vector<RecordingLayer::Answered> answers_to(ExchangeId id) const {
    std::vector<RecordingLayer::Answered> found;
    for (const auto& one : below.answered) {
      if (one.id == id) found.push_back(one);
    }
    return found;
  }
  static std::optional<std::uint64_t> number_of(const RecordingLayer::Answered& answer) {
    return answer.response.options.find_uint(option::observe);
  }
  static std::string text_of(const RecordingLayer::Answered& answer) {
    return std::string(as_text(answer.response.payload));
  }
  static bool is_confirmable(const RecordingLayer::Answered& answer) {
    return answer.hint.reliability == Reliability::confirmable;
  }

  Instant now{1000s};
  SeededRandom random{7};
  RecordingLayer below;
  Gauge gauge;
  Gauge plain;
  std::unique_ptr<Observations> observations;
  std::unique_ptr<Router> router;
  std::vector<Event> others;
  const Peer alice = peer_at(1);
  const Peer bob = peer_at(2);
};

// Registration (section 4.1)

TEST_F(CoapObservations, ARegistrationIsAnsweredWithObserveAndKeptUpdated) {
  const auto id = observe(alice);
  ASSERT_EQ(below.answered.size(), 1U);
  EXPECT_TRUE(number_of(below.answered[0]));
  EXPECT_EQ(text_of(below.answered[0]), "1");
  EXPECT_EQ(observations->observers(path_of("/gauge")), 1U);

  change("2");
  ASSERT_EQ(answers_to(id).size(), 2U);
  EXPECT_EQ(text_of(answers_to(id)[1]), "2");
  EXPECT_TRUE(is_later_observe(static_cast<std::uint32_t>(*number_of(answers_to(id)[0])),
                               static_cast<std::uint32_t>(*number_of(answers_to(id)[1]))));
}

TEST_F(CoapObservations, AResourceThatWasNotAllowedAnswersWithoutObserve) {
  observe(alice, Reliability::confirmable, "/plain");
  ASSERT_EQ(below.answered.size(), 1U);
  EXPECT_FALSE(number_of(below.answered[0]));
  EXPECT_EQ(observations->observers(), 0U);
}

TEST_F(CoapObservations, AFetchIsObservedToo) {
  auto request = observe_request("/gauge");
  request.method = code::fetch;
  request.payload = to_bytes("select");
  const auto id = below.arrive(alice, request);
  run();
  change("2");
  EXPECT_EQ(answers_to(id).size(), 2U);
  EXPECT_EQ(as_text(gauge.last_request.payload), "select");
}

TEST_F(CoapObservations, APostWithObserveRegistersNobody) {
  auto request = observe_request("/gauge");
  request.method = code::post;
  below.arrive(alice, request);
  run();
  EXPECT_EQ(observations->observers(), 0U);
  EXPECT_FALSE(number_of(below.answered[0]));
}

TEST_F(CoapObservations, ARegistrationThatFailsAddsNobody) {
  gauge.answer = code::not_found;
  observe(alice);
  EXPECT_FALSE(number_of(below.answered[0]));
  EXPECT_EQ(observations->observers(), 0U);
}

TEST_F(CoapObservations, RegisteringAgainReplacesTheEntryAndItsNumbersGoOn) {
  const auto first = observe(alice);
  change("2");
  const auto second = observe(alice);
  EXPECT_EQ(observations->observers(), 1U);
  EXPECT_EQ(observations->counters().replaced, 1U);
  EXPECT_EQ(below.cancelled, std::vector{first});
  change("3");
  EXPECT_EQ(answers_to(first).size(), 2U);
  ASSERT_EQ(answers_to(second).size(), 2U);
  EXPECT_TRUE(is_later_observe(static_cast<std::uint32_t>(*number_of(answers_to(first)[1])),
                               static_cast<std::uint32_t>(*number_of(answers_to(second)[0]))));
}

TEST_F(CoapObservations, ANewSetOfETagsIsStillTheSameObservation) {
  observe(alice);
  auto again = observe_request("/gauge");
  again.options.add(option::etag, "a");
  below.arrive(alice, again);
  run();
  EXPECT_EQ(observations->observers(), 1U);
  change("2");
  EXPECT_TRUE(gauge.last_request.options.has(option::etag));
}

TEST_F(CoapObservations, AnotherQueryOrPeerOrSessionIsAnotherObservation) {
  observe(alice);
  auto query = observe_request("/gauge");
  query.options.add(option::uri_query, "above=42");
  below.arrive(alice, query);
  observe(bob);
  auto session = alice;
  session.session = 9;
  observe(session);
  EXPECT_EQ(observations->observers(), 4U);
  EXPECT_TRUE(below.cancelled.empty());
}

TEST_F(CoapObservations, DeregisteringRemovesTheEntryAndIsAnsweredWithoutObserve) {
  const auto id = observe(alice);
  observe(bob);
  below.arrive(alice, observe_request("/gauge", 1));
  run();
  EXPECT_FALSE(number_of(below.answered.back()));
  EXPECT_EQ(text_of(below.answered.back()), "1");
  EXPECT_EQ(observations->observers(), 1U);
  EXPECT_EQ(below.cancelled, std::vector{id});
  change("2");
  EXPECT_EQ(answers_to(id).size(), 1U);
}

TEST_F(CoapObservations, WhereTheHandlerSetsObserveItselfARefusalStillHasNone) {
  ObservationLimits limits;
  limits.overall = 0;
  start({}, limits);
  gauge.later = true;
  const auto id = observe(alice);
  auto response = gauge.make();
  response.options.set_uint(option::observe, 5);
  observations->respond(id, response, {}, now);
  EXPECT_FALSE(number_of(below.answered[0]));
}

// Limits

TEST_F(CoapObservations, BeyondALimitTheAnswerComesWithoutObserve) {
  ObservationLimits limits;
  limits.per_peer = 2;
  limits.per_resource = 3;
  start({}, limits);
  for (const auto* query : {"a", "b", "c"}) {
    auto request = observe_request("/gauge");
    request.options.add(option::uri_query, query);
    below.arrive(alice, request);
  }
  run();
  EXPECT_EQ(observations->observers(), 2U) << "of one peer";
  EXPECT_FALSE(number_of(below.answered[2]));
  EXPECT_EQ(text_of(below.answered[2]), "1") << "the GET itself is served";
  observe(bob);
  observe(peer_at(3));
  EXPECT_EQ(observations->observers(), 3U) << "of one resource";
  EXPECT_EQ(observations->counters().refused, 2U);
}

TEST_F(CoapObservations, OverallAndLongRequestsAreLimitedToo) {
  ObservationLimits limits;
  limits.overall = 1;
  limits.request_size = 20;
  start({}, limits);
  auto request = observe_request("/gauge");
  request.options.add(option::uri_query, "this query alone is longer than twenty octets");
  below.arrive(alice, request);
  run();
  EXPECT_EQ(observations->observers(), 0U);
  observe(alice);
  observe(bob);
  EXPECT_EQ(observations->observers(), 1U);
}

TEST_F(CoapObservations, RoomComesBack) {
  ObservationLimits limits;
  limits.overall = 1;
  start({}, limits);
  const auto id = observe(alice);
  below.lose(id, Error(reason::coap_not_acknowledged));
  run();
  const auto second = observe(bob);
  EXPECT_TRUE(number_of(answers_to(second)[0]));
}

// Notifications (section 4.2)

TEST_F(CoapObservations, AnErrorIsSentWithoutObserveAndEndsTheObservation) {
  const auto id = observe(alice);
  router->remove(path_of("/gauge"));
  observations->changed("/gauge", now);
  run();
  ASSERT_EQ(answers_to(id).size(), 2U);
  EXPECT_EQ(answers_to(id)[1].response.code, code::not_found);
  EXPECT_FALSE(number_of(answers_to(id)[1]));
  EXPECT_EQ(observations->observers(), 0U);
  EXPECT_EQ(observations->counters().ended_by_error, 1U);
}

TEST_F(CoapObservations, ClosingAResourceTellsItsObservers) {
  const auto id = observe(alice);
  observations->close(path_of("/gauge"), now);
  EXPECT_EQ(answers_to(id)[1].response.code, code::not_found);
  EXPECT_EQ(observations->observers(), 0U);
  EXPECT_FALSE(number_of(answers_to(observe(bob))[0]));
}

TEST_F(CoapObservations, AnotherContentFormatEndsTheObservationWith406) {
  const auto id = observe(alice);
  gauge.format = content_format::cbor;
  change("2");
  EXPECT_EQ(answers_to(id)[1].response.code, code::not_acceptable);
  EXPECT_FALSE(number_of(answers_to(id)[1]));
  EXPECT_EQ(observations->observers(), 0U);
}

TEST_F(CoapObservations, A203HasNoContentFormatAndStaysANotification) {
  const auto id = observe(alice);
  gauge.answer = code::valid;
  gauge.format.reset();
  change("2");
  EXPECT_EQ(answers_to(id)[1].response.code, code::valid);
  EXPECT_TRUE(number_of(answers_to(id)[1]));
  EXPECT_EQ(observations->observers(), 1U);
}

TEST_F(CoapObservations, NotificationsHaveAMaxAge) {
  ObservableSettings settings;
  settings.max_age = 15;
  start(settings, {});
  const auto id = observe(alice);
  gauge.max_age = 7;
  change("2");
  EXPECT_EQ(answers_to(id)[0].response.options.find_uint(option::max_age), 15U);
  EXPECT_EQ(answers_to(id)[1].response.options.find_uint(option::max_age), 7U);
}

TEST_F(CoapObservations, WhatNotifyMakesIsSentAndARefusalEndsThatObservationAlone) {
  gauge.format.reset();
  const auto first = observe(alice);
  const auto second = observe(bob);
  const auto asked = gauge.asked;
  observations->notify(
      path_of("/gauge"),
      [this](const Observer& observer) {
        return observer.peer == alice ? content("made") : make_response(code::forbidden);
      },
      now);
  run();
  EXPECT_EQ(gauge.asked, asked) << "the resource was not asked";
  EXPECT_EQ(text_of(answers_to(first)[1]), "made");
  EXPECT_TRUE(number_of(answers_to(first)[1]));
  EXPECT_EQ(answers_to(second)[1].response.code, code::forbidden);
  EXPECT_EQ(observations->observers(), 1U);
  change("2");
  EXPECT_EQ(text_of(answers_to(first)[2]), "2");
}

TEST_F(CoapObservations, OnlyThoseConcernedAreTold) {
  const auto first = observe(alice);
  auto request = observe_request("/gauge");
  request.options.add(option::uri_query, "fine");
  const auto second = below.arrive(alice, request);
  run();
  observations->changed(path_of("/gauge"), now, [](const Request& one) { return one.options.has(option::uri_query); });
  run();
  EXPECT_EQ(answers_to(first).size(), 1U);
  EXPECT_EQ(answers_to(second).size(), 2U);
}

// A handler that answers later

TEST_F(CoapObservations, AHandlerMayAnswerLaterEachTime) {
  gauge.later = true;
  const auto id = observe(alice);
  EXPECT_TRUE(below.answered.empty());
  observations->respond(gauge.pending[0], content("one"), {}, now);
  observations->changed("/gauge", now);
  run();
  ASSERT_EQ(gauge.pending.size(), 2U);
  EXPECT_EQ(gauge.pending[1], id);
  observations->respond(id, content("two"), {}, now + 5s);
  ASSERT_EQ(answers_to(id).size(), 2U);
  EXPECT_EQ(text_of(answers_to(id)[1]), "two");
}

TEST_F(CoapObservations, WhatChangesWhileTheHandlerIsAtWorkIsAskedForAfterwards) {
  gauge.later = true;
  const auto id = observe(alice);
  observations->changed("/gauge", now);
  observations->changed("/gauge", now);
  run();
  EXPECT_EQ(gauge.asked, 1U) << "one at a time";
  observations->respond(id, content("one"), {}, now);
  run();
  EXPECT_EQ(gauge.asked, 2U) << "two changes, one notification";
  observations->respond(id, content("two"), {}, now);
  run();
  EXPECT_EQ(gauge.asked, 2U);
  EXPECT_EQ(observations->counters().skipped, 1U);
}

TEST_F(CoapObservations, AHandlerThatNeverAnswersEndsTheObservation) {
  ObservationLimits limits;
  limits.answer_within = 30s;
  start({}, limits);
  const auto id = observe(alice);
  gauge.later = true;
  change("2");
  pass(29s);
  EXPECT_EQ(observations->observers(), 1U);
  pass(2s);
  EXPECT_EQ(answers_to(id)[1].response.code, code::service_unavailable);
  EXPECT_EQ(observations->observers(), 0U);
  EXPECT_EQ(observations->counters().answered_too_late, 1U);
}

// Who is no longer interested (section 4.5)

TEST_F(CoapObservations, AResetOrATimeOutRemovesTheObserver) {
  const auto first = observe(alice);
  const auto second = observe(bob);
  below.lose(first, Error(reason::coap_reset_by_peer));
  below.lose(second, Error(reason::coap_not_acknowledged));
  run();
  EXPECT_EQ(observations->observers(), 0U);
  EXPECT_EQ(observations->counters().lost, 2U);
  EXPECT_EQ(others.size(), 2U) << "the layers above learn it too";
  const auto asked = gauge.asked;
  change("2");
  EXPECT_EQ(gauge.asked, asked);
}

TEST_F(CoapObservations, AnObserverLostWhileItsTurnCameIsNotAskedFor) {
  const auto first = observe(alice);
  observe(bob);
  below.lose(first, Error(reason::coap_reset_by_peer));
  gauge.value = "2";
  observations->changed("/gauge", now);
  run();
  EXPECT_LE(answers_to(first).size(), 2U);
  EXPECT_EQ(observations->observers(), 1U);
}

// Confirmable and non-confirmable (sections 4.5, 7)

TEST_F(CoapObservations, NotificationsTravelAsTheRegistrationCame) {
  const auto first = observe(alice);
  const auto second = observe(bob, Reliability::non_confirmable);
  pass(3s);
  change("2");
  EXPECT_TRUE(is_confirmable(answers_to(first)[1]));
  EXPECT_FALSE(is_confirmable(answers_to(second)[1]));
}

TEST_F(CoapObservations, NonConfirmableNotificationsAreMixedWithConfirmableOnes) {
  ObservableSettings settings;
  settings.notifications = Reliability::non_confirmable;
  settings.non_confirmable_run = 4;
  settings.settled_after = 1h;
  start(settings, {});
  const auto id = observe(alice);
  for (int i = 0; i < 20; ++i) {
    pass(3s);
    change(std::to_string(i));
  }
  const auto answers = answers_to(id);
  ASSERT_EQ(answers.size(), 21U);
  unsigned run = 0;
  unsigned confirmable = 0;
  for (std::size_t i = 1; i < answers.size(); ++i) {
    run = is_confirmable(answers[i]) ? 0 : run + 1;
    confirmable += is_confirmable(answers[i]) ? 1 : 0;
    EXPECT_LE(run, 4U);
  }
  EXPECT_EQ(confirmable, 4U);
}

// Section 4.5: at least every 24 hours, whatever is configured.
TEST_F(CoapObservations, AConfirmableNotificationGoesAtLeastEvery24Hours) {
  ObservableSettings settings;
  settings.notifications = Reliability::non_confirmable;
  settings.non_confirmable_run = 1'000'000;
  settings.confirmable_after = 1000h;
  settings.settled_after = 1000h;
  start(settings, {});
  const auto id = observe(alice);
  auto last_confirmable = now;
  std::size_t seen = 1;
  for (int hour = 0; hour < 72; ++hour) {
    pass(1h);
    change(std::to_string(hour));
    const auto answers = answers_to(id);
    for (; seen < answers.size(); ++seen) {
      if (is_confirmable(answers[seen])) last_confirmable = now;
    }
    EXPECT_LE(now - last_confirmable, 24h);
  }
  EXPECT_GE(observations->counters().confirmable, 2U);
  EXPECT_LT(observations->counters().confirmable, 10U);
}

// Section 4.5: the latest state is observed in the end, though a non-confirmable notification may be lost.
TEST_F(CoapObservations, TheLastOfABurstIsRepeatedConfirmable) {
  ObservableSettings settings;
  settings.settled_after = 10s;
  start(settings, {});
  const auto id = observe(alice, Reliability::non_confirmable);
  pass(3s);
  change("2");
  pass(3s);
  change("3");
  ASSERT_EQ(answers_to(id).size(), 3U);
  pass(9s);
  EXPECT_EQ(answers_to(id).size(), 3U);
  pass(4s);
  const auto answers = answers_to(id);
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_TRUE(is_confirmable(answers[3]));
  EXPECT_EQ(text_of(answers[3]), "3");
  EXPECT_NE(number_of(answers[3]), number_of(answers[2])) << "each notification has a greater number";
  pass(1h);
  EXPECT_EQ(answers_to(id).size(), 4U) << "and then there is silence";
}

TEST_F(CoapObservations, AnAddressNotShownToBeReachableGetsAConfirmableNotificationFirst) {
  const ExchangeId id(900);
  below.events.push_back(RequestArrived{id, alice, observe_request("/gauge"), Reliability::non_confirmable, 136});
  run();
  pass(3s);
  change("2");
  EXPECT_TRUE(is_confirmable(answers_to(id)[1]));
  pass(3s);
  change("3");
  EXPECT_FALSE(is_confirmable(answers_to(id)[2]));
}

// Congestion (section 4.5.1)

TEST_F(CoapObservations, NonConfirmableNotificationsToOnePeerAreAsFarApartAsConfigured) {
  ObservableSettings settings;
  settings.notifications = Reliability::non_confirmable;
  settings.non_confirmable_run = 1000;
  ObservationLimits limits;
  limits.non_confirmable_apart = 3s;
  start(settings, limits);
  observations->allow("/plain", settings);
  observe(alice);
  observe(alice, Reliability::confirmable, "/plain");
  observe(bob);
  const auto before = below.answered.size();
  std::vector<Instant> at;
  for (int i = 0; i < 40; ++i) {
    gauge.value = std::to_string(i);
    const auto sent = observations->counters().notified;
    observations->changed("/gauge", now);
    observations->changed("/plain", now);
    pass(500ms);
    for (auto n = sent; n < observations->counters().notified; ++n) at.push_back(now);
  }
  // Twenty seconds: seven times for Alice, over both of her observations, and seven for Bob.
  EXPECT_GE(below.answered.size() - before, 12U);
  EXPECT_LE(below.answered.size() - before, 14U);
}

TEST_F(CoapObservations, StatesInBetweenAreSkippedAndTheLatestIsSent) {
  ObservableSettings settings;
  settings.at_least_apart = 10s;
  start(settings, {});
  const auto id = observe(alice);
  pass(10s);
  change("2");
  change("3");
  change("4");
  EXPECT_EQ(answers_to(id).size(), 2U);
  pass(10s);
  ASSERT_EQ(answers_to(id).size(), 3U);
  EXPECT_EQ(text_of(answers_to(id)[2]), "4");
  EXPECT_EQ(observations->counters().skipped, 1U);
}

TEST_F(CoapObservations, NumbersAreStrictlyIncreasingForEachObserver) {
  std::vector ids{observe(alice), observe(bob, Reliability::non_confirmable)};
  for (int i = 0; i < 50; ++i) {
    change(std::to_string(i));
    pass(std::chrono::seconds(i % 7));
    if (i == 25) ids.push_back(observe(peer_at(3)));
  }
  for (const auto id : ids) {
    const auto answers = answers_to(id);
    ASSERT_GT(answers.size(), 10U);
    for (std::size_t i = 1; i < answers.size(); ++i) {
      EXPECT_TRUE(is_later_observe(static_cast<std::uint32_t>(*number_of(answers[i - 1])),
                                   static_cast<std::uint32_t>(*number_of(answers[i]))));
    }
  }
}

// Freshness (section 4.3.1)

TEST_F(CoapObservations, TheUnchangedStateIsSentAgainBeforeMaxAgeEnds) {
  ObservableSettings settings;
  settings.max_age = 30;
  settings.refresh_before = 5s;
  start(settings, {});
  const auto id = observe(alice);
  pass(24s);
  EXPECT_EQ(answers_to(id).size(), 1U);
  pass(2s);
  ASSERT_EQ(answers_to(id).size(), 2U);
  EXPECT_EQ(text_of(answers_to(id)[1]), "1");
  pass(60s);
  EXPECT_EQ(answers_to(id).size(), 4U);
}

// The layer

TEST_F(CoapObservations, ALayerAboveThatGivesUpAnExchangeEndsItsObservation) {
  const auto id = observe(alice);
  observations->cancel(id);
  EXPECT_EQ(observations->observers(), 0U);
  EXPECT_EQ(below.cancelled, std::vector{id});
}

TEST_F(CoapObservations, AChangeIsDueAtOnce) {
  observe(alice);
  EXPECT_EQ(observations->next_timeout(), std::nullopt);
  observations->changed("/gauge", now);
  EXPECT_EQ(observations->next_timeout(), now);
}

TEST_F(CoapObservations, NeitherRequestsNorObserversKeepTheOtherWaiting) {
  for (std::uint8_t i = 1; i <= 20; ++i) observe(peer_at(i));
  for (std::uint8_t i = 1; i <= 20; ++i) below.arrive(peer_at(i), get_request("/plain"));
  observations->changed("/gauge", now);
  unsigned notifications = 0;
  unsigned requests = 0;
  for (int i = 0; i < 10; ++i) {
    const auto event = observations->next_event(now);
    ASSERT_TRUE(event);
    const auto& arrived = std::get<RequestArrived>(*event);
    ++(arrived.request.options.has(option::observe) ? notifications : requests);
  }
  EXPECT_EQ(notifications, 5U);
  EXPECT_EQ(requests, 5U);
}

}  // namespace
}  // namespace aceward::coap
