// Observation whole: two message layers, both layers of observation, a router, and a network that loses, repeats,
// delays and reorders.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include "aceward/coap/blockwise/blockwise.h"
#include "aceward/coap/freshness/freshness.h"
#include "aceward/coap/observe/observation_client.h"
#include "aceward/coap/observe/observations.h"
#include "aceward/coap/observe/observe_test_support.h"
#include "aceward/coap/reliability/endpoint.h"
#include "aceward/coap/resource/router.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

struct ObserveWeather {
  unsigned loss = 0;         // percent
  unsigned duplication = 0;  // percent
  Instant::duration longest_delay = 0ms;
};

class CountedResource final : public Resource {
 public:
  void handle(ExchangeId id, const Peer& /*peer*/, const Request& /*request*/, Responder& responder) override {
    auto text = std::to_string(value) + ' ';
    text.resize(std::max(text.size(), size), static_cast<char>('a' + value % 26));
    auto response = content(text);
    response.options.set_uint(option::max_age, 60);
    responder.respond(id, std::move(response));
  }
  std::span<const Code> methods() const override { return methods_; }
  unsigned value = 1;
  std::size_t size = 0;  // octets of the body, at least

 private:
  std::array<Code, 1> methods_{code::get};
};

void know_blocks(Endpoint& endpoint) {
  auto in_requests = KnownOptions::in_requests();
  auto in_responses = KnownOptions::in_responses();
  Blockwise::add_known_options(in_requests);
  Blockwise::add_known_options(in_responses);
  endpoint.set_known_options(in_requests, in_responses);
}

// One end of the wire each; replaced as a whole when it restarts.
struct ObservingClient {
  explicit ObservingClient(Random& random)
      : endpoint({}, {}, random),
        freshness(endpoint),
        blockwise(freshness, {}, {}, random),
        observations(blockwise, random) {
    know_blocks(endpoint);
  }
  Endpoint endpoint;
  Freshness freshness;
  Blockwise blockwise;
  ObservationClient observations;
};
struct ObservedServer {
  ObservedServer(Random& random, CountedResource& resource, const ObservableSettings& settings)
      : endpoint({}, {}, random),
        blockwise(endpoint, {}, {}, random),
        observations(blockwise, random),
        router(observations) {
    know_blocks(endpoint);
    router.add("/counter", resource);
    observations.allow("/counter", settings);
  }
  Endpoint endpoint;
  Blockwise blockwise;
  Observations observations;
  Router router;
};

class ObserveNetwork {
 public:
  ObserveNetwork(std::uint64_t seed, ObserveWeather conditions, const ObservableSettings& how = {})
      : weather(conditions), settings(how), random(seed), client(std::make_unique<ObservingClient>(random)) {
    restart_server();
  }

  void restart_server() { server = std::make_unique<ObservedServer>(random, counter, settings); }
  void restart_client() {
    client = std::make_unique<ObservingClient>(random);
    heard.clear();
  }
  ExchangeId observe(Reliability reliability = Reliability::confirmable) {
    return client->observations.request(server_address, observe_request("/counter"), {reliability, 0s}, now).value();
  }
  void change() {
    ++counter.value;
    server->observations.changed("/counter", now);
  }

  void pass(Instant::duration time) {
    const auto end = now + time;
    while (true) {
      exchange();
      std::optional<Instant> next;
      const auto sooner = [&next](std::optional<Instant> at) {
        if (at && (!next || *at < *next)) next = at;
      };
      sooner(client->observations.next_timeout());
      sooner(server->observations.next_timeout());
      if (!flying_.empty()) sooner(flying_.begin()->first);
      if (!next || *next > end) break;
      now = std::max(now, *next);
      client->observations.on_timeout(now);
      server->observations.on_timeout(now);
      while (!flying_.empty() && flying_.begin()->first <= now) {
        const auto [to_server, datagram] = flying_.begin()->second;
        flying_.erase(flying_.begin());
        if (to_server) {
          server->endpoint.receive(client_address, datagram, now);
        } else {
          client->endpoint.receive(server_address, datagram, now);
        }
      }
    }
    now = end;
  }

  /// Sent so far, in either direction, that look like this.
  template <class Is>
  unsigned count(bool to_server, Is is) const {
    unsigned found = 0;
    for (const auto& [direction, message] : sent) found += direction == to_server && is(message) ? 1U : 0U;
    return found;
  }

  ObserveWeather weather;
  ObservableSettings settings;
  SeededRandom random;
  Instant now{1000s};
  CountedResource counter;
  Peer client_address = peer_at(1);
  Peer server_address = peer_at(2, 5683);
  std::unique_ptr<ObservingClient> client;
  std::unique_ptr<ObservedServer> server;
  std::vector<std::pair<ExchangeId, unsigned>> heard;  // the values
  std::vector<ExchangeGone> gone;
  std::vector<std::pair<bool, Message>> sent;

 private:
  void exchange() {
    while (server->router.next_event(now)) {
    }
    while (auto event = client->observations.next_event(now)) {
      if (const auto* arrived = std::get_if<ResponseArrived>(&*event)) {
        const auto text = std::string(as_text(arrived->response.payload));
        const auto value = static_cast<unsigned>(std::stoul("0" + text));
        // Not a mixture of two states.
        if (text.size() >= counter.size && !text.ends_with(static_cast<char>('a' + value % 26)) && counter.size > 20) {
          ADD_FAILURE() << "mixed: " << text.substr(0, 10);
        }
        heard.emplace_back(arrived->id, value);
      } else if (const auto* lost = std::get_if<ExchangeGone>(&*event)) {
        gone.push_back(*lost);
      }
    }
    while (auto out = client->endpoint.next_datagram()) fly(true, std::move(out->datagram));
    while (auto out = server->endpoint.next_datagram()) fly(false, std::move(out->datagram));
  }
  void fly(bool to_server, Bytes datagram) {
    sent.emplace_back(to_server, parse(datagram).value());
    const unsigned copies =
        (random.below(100) >= weather.loss ? 1U : 0U) + (random.below(100) < weather.duplication ? 1U : 0U);
    for (unsigned copy = 0; copy < copies; ++copy) {
      const auto delay = Instant::duration(
          static_cast<Instant::rep>(random.below(static_cast<std::uint64_t>(weather.longest_delay.count()) + 1)));
      flying_.emplace(now + delay, std::pair(to_server, datagram));
    }
  }

  std::multimap<Instant, std::pair<bool, Bytes>> flying_;
};

bool is_reset(const Message& message) { return message.type == Type::reset; }
bool is_notification(const Message& message) {
  return message.code.is_success() && message.options.has(option::observe);
}

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

}  // namespace
}  // namespace aceward::coap
