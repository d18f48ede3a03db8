// Observation over a network that loses, repeats and reorders.
#include <gtest/gtest.h>

#include "aceward/coap/observe/observe_network.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap::testing_observe_network {

// Sections 1.3, 3.4, 4.5: whatever the weather, nobody goes back in time, and in the end everybody has the latest
// state.
TEST(CoapObserveNetwork, InAnyWeatherOrderHoldsAndTheLatestStateArrives) {
  unsigned complete = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom dice(seed ^ 0x0b5e);
    const ObserveWeather weather{static_cast<unsigned>(dice.below(50)), static_cast<unsigned>(dice.below(50)),
                                 std::chrono::milliseconds(1 + dice.below(dice.below(2) == 0 ? 100 : 20'000))};
    ObservableSettings settings;
    settings.settled_after = std::chrono::seconds(5 + dice.below(30));
    if (dice.below(2) == 0) settings.notifications = Reliability::non_confirmable;
    if (dice.below(3) == 0) settings.refresh_before = 10s;
    ObserveNetwork network(seed, weather, settings);
    network.observe(dice.below(2) == 0 ? Reliability::confirmable : Reliability::non_confirmable);
    for (int i = 0; i < 10; ++i) {
      network.pass(std::chrono::milliseconds(dice.below(15'000)));
      network.change();
      if (dice.below(20) == 0) network.restart_server();
    }
    network.pass(5min);
    // In fair weather again, the latest state arrives by itself.
    network.weather = {0, 0, 100ms};
    network.pass(20min);
    unsigned last = 0;
    for (const auto& [id, value] : network.heard) {
      ASSERT_GE(value, last);
      last = value;
    }
    if (network.gone.empty()) {
      ASSERT_EQ(last, network.counter.value);
      ASSERT_EQ(network.server->observations.observers(), 1U);
      ++complete;
    }
  }
  EXPECT_GT(complete, 280U) << "the weather must let most through, or nothing was tested";
}

// Section 4.5.1: not more than NSTART notifications are outstanding to one client.
TEST(CoapObserveNetwork, OneNotificationIsOutstandingAtATime) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.observe();
  network.pass(5s);
  network.weather.loss = 100;
  const auto before = network.sent.size();
  for (int i = 0; i < 10; ++i) {
    network.change();
    network.pass(100ms);
  }
  std::set<std::uint16_t> ids;
  for (std::size_t i = before; i < network.sent.size(); ++i) ids.insert(network.sent[i].second.message_id);
  EXPECT_EQ(ids.size(), 1U);
  network.weather.loss = 0;
  network.pass(2min);
  EXPECT_EQ(network.heard.back().second, 11U) << "and the latest state follows";
}

// RFC 7959 section 2.6: a notification in blocks is fetched whole.
TEST(CoapObserveNetwork, LargeRepresentationsAreObservedWhole) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.counter.size = 5000;
  network.observe();
  for (int i = 0; i < 5; ++i) {
    network.pass(5s);
    network.change();
  }
  network.pass(5s);
  ASSERT_EQ(network.heard.size(), 6U);
  EXPECT_EQ(network.heard.back().second, 6U);
  EXPECT_EQ(network.server->observations.observers(), 1U);
}

// RFC 9175 section 2.4: the answer became a challenge, so nobody observes.
TEST(CoapObserveNetwork, ARegistrationThatIsOnlyChallengedLeavesNothing) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.counter.size = 5000;
  for (std::uint8_t host = 100; host < 110; ++host) {
    Message registration{Type::confirmable, code::get, host, Token(to_bytes("t")), {}, {}};
    registration.options.add_path("/counter").set_uint(option::observe, 0);
    network.server->endpoint.receive(peer_at(host), serialize(registration), network.now);
    network.pass(1s);
  }
  EXPECT_EQ(network.server->endpoint.counters().challenged, 10U);
  EXPECT_EQ(network.server->observations.observers(), 0U);
}

TEST(CoapObserveNetwork, LargeRepresentationsInAnyWeather) {
  unsigned complete = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom dice(seed ^ 0xb10c);
    const ObserveWeather weather{static_cast<unsigned>(dice.below(25)), static_cast<unsigned>(dice.below(30)),
                                 std::chrono::milliseconds(1 + dice.below(3000))};
    ObserveNetwork network(seed, weather);
    network.counter.size = 3000;
    network.observe(dice.below(2) == 0 ? Reliability::confirmable : Reliability::non_confirmable);
    for (int i = 0; i < 6; ++i) {
      network.pass(std::chrono::milliseconds(dice.below(15'000)));
      network.change();
    }
    network.pass(5min);
    network.weather = {0, 0, 100ms};
    network.pass(20min);
    unsigned last = 0;
    for (const auto& [id, value] : network.heard) {
      ASSERT_GE(value, last);
      last = value;
    }
    if (!network.gone.empty()) continue;
    ASSERT_EQ(last, network.counter.value);
    ++complete;
  }
  EXPECT_GT(complete, 70U);
}

// Sections 4.4, 4.5.2: what is sent again has the current number, so it is the current state under a new Message ID.
TEST(CoapObserveNetwork, ARetransmissionIsOfTheLatestState) {
  ObserveNetwork network(1, {0, 0, 10ms});
  network.observe();
  network.pass(5s);
  network.weather.loss = 100;
  network.change();
  network.pass(100ms);
  network.change();
  network.change();
  network.pass(10s);
  std::vector<std::string> states;
  for (const auto& [to_server, message] : network.sent) {
    if (!to_server && message.type == Type::confirmable) states.emplace_back(as_text(message.payload));
  }
  ASSERT_GE(states.size(), 2U);
  EXPECT_EQ(states[0], "2 ");
  for (std::size_t i = 1; i < states.size(); ++i) EXPECT_EQ(states[i], "4 ");
  network.weather.loss = 0;
  network.pass(1min);
  EXPECT_EQ(network.heard.back().second, 4U);
}

TEST(CoapObserveNetwork, TheSameSeedRunsTheSame) {
  const auto run = [] {
    ObserveNetwork network(5, {30, 30, 5s});
    network.observe();
    for (int i = 0; i < 10; ++i) {
      network.pass(4s);
      network.change();
    }
    network.pass(5min);
    return std::pair(network.heard, network.sent);
  };
  EXPECT_EQ(run(), run());
}

}  // namespace aceward::coap::testing_observe_network
