// How notifications travel, and when.
#include "aceward/coap/observe/observations.h"

#include <gtest/gtest.h>

#include "aceward/coap/observe/observations_fixture.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap::testing_observations {

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

TEST_F(CoapObservations, WhatIsNeverFreshIsNotSentAgainAndAgain) {
  ObservableSettings settings;
  settings.refresh_before = 5s;
  start(settings, {});
  gauge.max_age = 0;
  const auto id = observe(alice);
  for (int i = 0; i < 5; ++i) {
    now += 1s;
    observations->on_timeout(now);
    run();
  }
  EXPECT_EQ(answers_to(id).size(), 1U);
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

}  // namespace aceward::coap::testing_observations
