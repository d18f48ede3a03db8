// Observation between two whole stacks.
#include <gtest/gtest.h>

#include "aceward/coap/observe/observe_network.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap::testing_observe_network {

TEST(CoapObserveNetwork, EachChangeArrivesInCalmWeather) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.observe();
  for (int i = 0; i < 5; ++i) {
    network.pass(5s);
    network.change();
  }
  network.pass(5s);
  ASSERT_EQ(network.heard.size(), 6U);
  for (unsigned i = 0; i < 6; ++i) EXPECT_EQ(network.heard[i].second, i + 1);
}

// Sections 3.2, 4.2: the token of the registration is that of each notification.
TEST(CoapObserveNetwork, NotificationsCarryTheTokenOfTheRegistration) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.observe();
  network.pass(5s);
  const auto token = network.sent.front().second.token;
  network.change();
  network.pass(5s);
  network.change();
  network.pass(5s);
  EXPECT_EQ(network.count(false, [&](const Message& one) { return is_notification(one) && one.token == token; }), 3U);
}

// Section 3.5: a notification that the client knows is acknowledged.
TEST(CoapObserveNetwork, AConfirmableNotificationIsAcknowledged) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.observe();
  network.pass(5s);
  network.change();
  network.pass(20s);
  const auto notification = std::ranges::find_if(network.sent, [](const auto& one) {
    return is_notification(one.second) && one.second.type == Type::confirmable;
  });
  ASSERT_NE(notification, network.sent.end());
  EXPECT_EQ(network.count(true,
                          [&](const Message& one) {
                            return one.type == Type::acknowledgement &&
                                   one.message_id == notification->second.message_id;
                          }),
            1U);
}

// Section 3.6: the Reset that answers a forgotten observation ends it at the server.
TEST(CoapObserveNetwork, AForgottenObservationIsRejectedAndRemoved) {
  for (const auto reliability : {Reliability::confirmable, Reliability::non_confirmable}) {
    ObserveNetwork network(1, {0, 0, 10ms});
    const auto id = network.observe(reliability);
    network.pass(5s);
    network.client->observations.cancel(id);
    EXPECT_EQ(network.server->observations.observers(), 1U);
    network.change();
    network.pass(5s);
    EXPECT_EQ(network.count(true, is_reset), 1U);
    EXPECT_EQ(network.server->observations.observers(), 0U);
    network.change();
    network.pass(60s);
    EXPECT_EQ(network.heard.size(), 1U);
  }
}

TEST(CoapObserveNetwork, DeregisteringUsesTheTokenOfTheRegistration) {
  ObserveNetwork network(1, {0, 0, 10ms});
  const auto id = network.observe();
  network.pass(5s);
  network.change();
  network.pass(5s);
  network.client->observations.deregister(id, network.now);
  network.pass(5s);
  EXPECT_EQ(network.server->observations.observers(), 0U);
  const auto& registration = network.sent.front().second;
  EXPECT_EQ(network.count(true,
                          [&](const Message& one) {
                            return one.token == registration.token && one.options.find_uint(option::observe) == 1U;
                          }),
            1U);
  network.change();
  network.pass(60s);
  EXPECT_EQ(network.count(true, is_reset), 0U) << "nothing had to be rejected";
  EXPECT_EQ(network.heard.size(), 2U);
}

TEST(CoapObserveNetwork, RegisteringAgainKeepsTheTokenAndOneEntry) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.observe();
  network.pass(100s);
  const auto& registration = network.sent.front().second;
  EXPECT_EQ(network.count(true,
                          [&](const Message& one) {
                            return one.token == registration.token && one.options.find_uint(option::observe) == 0U;
                          }),
            2U);
  EXPECT_EQ(network.server->observations.observers(), 1U);
  EXPECT_EQ(network.heard.size(), 2U);
  network.change();
  network.pass(5s);
  EXPECT_EQ(network.heard.back().second, 2U);
}

// Section 1.2, figure 5: the client restarted and knows the token no more.
TEST(CoapObserveNetwork, AClientThatRestartedRejectsAndIsRemoved) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.observe();
  network.pass(5s);
  network.restart_client();
  network.change();
  network.pass(5s);
  EXPECT_EQ(network.server->observations.observers(), 0U);
  EXPECT_EQ(network.server->observations.counters().lost, 1U);
  EXPECT_TRUE(network.heard.empty());
}

TEST(CoapObserveNetwork, AClientThatWentAwayIsRemovedWhenItsNotificationTimesOut) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.observe(Reliability::non_confirmable);
  network.pass(5s);
  network.weather.loss = 100;
  network.change();
  network.pass(3min);
  EXPECT_EQ(network.server->observations.observers(), 0U);
  EXPECT_EQ(network.server->endpoint.occupancy().answers, 0U);
}

// A server that lost its list says nothing: the client finds out when Max-Age passed, whatever the new numbers.
TEST(CoapObserveNetwork, AServerThatRestartedIsObservedAgain) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    ObserveNetwork network(seed, {0, 0, 10ms});
    network.observe();
    network.pass(5s);
    network.restart_server();
    network.change();
    network.pass(90s);
    ASSERT_EQ(network.server->observations.observers(), 1U);
    EXPECT_EQ(network.heard.back().second, 2U);
    network.change();
    network.pass(5s);
    EXPECT_EQ(network.heard.back().second, 3U);
  }
}

TEST(CoapObserveNetwork, ANotificationFromElsewhereOrWithAGuessedTokenIsNotHeard) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.observe();
  network.pass(5s);
  auto forged =
      Message{Type::non_confirmable, code::content, 999, network.sent.front().second.token, {}, to_bytes("66")};
  forged.options.set_uint(option::observe, 0x7fffff);
  network.client->endpoint.receive(peer_at(66, 5683), serialize(forged), network.now);
  forged.token = Token(to_bytes("guess"));
  forged.message_id = 1000;
  network.client->endpoint.receive(network.server_address, serialize(forged), network.now);
  network.pass(5s);
  EXPECT_EQ(network.heard.size(), 1U);
}

TEST(CoapObserveNetwork, AResetFromElsewhereRemovesNobody) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.observe();
  network.pass(5s);
  network.weather.loss = 100;
  network.change();
  network.pass(1s);
  const auto& notification = network.sent.back().second;
  ASSERT_TRUE(is_notification(notification));
  const Message reset{Type::reset, code::empty, notification.message_id, {}, {}, {}};
  network.server->endpoint.receive(peer_at(66), serialize(reset), network.now);
  network.pass(1s);
  EXPECT_EQ(network.server->observations.observers(), 1U);
}

}  // namespace aceward::coap::testing_observe_network
