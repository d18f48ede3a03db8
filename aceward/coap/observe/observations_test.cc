#include "aceward/coap/observe/observations.h"

#include <gtest/gtest.h>

#include "aceward/coap/observe/observations_fixture.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap::testing_observations {

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

TEST_F(CoapObservations, WhoMayNotObserveAnyMoreIsToldThoughNothingChanged) {
  const auto of_alice = observe(alice);
  const auto of_bob = observe(bob);
  observations->end([&](const Observer& observer) { return observer.peer == alice; }, now, code::unauthorized);
  ASSERT_EQ(answers_to(of_alice).size(), 2U);
  EXPECT_EQ(answers_to(of_alice)[1].response.code, code::unauthorized);
  EXPECT_FALSE(number_of(answers_to(of_alice)[1]));
  EXPECT_EQ(observations->counters().ended_by_error, 1U);
  change("2");
  EXPECT_EQ(answers_to(of_alice).size(), 2U);
  EXPECT_EQ(answers_to(of_bob).size(), 2U);
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

}  // namespace aceward::coap::testing_observations
