// Two whole stacks, observing and observed, on a network with a seed: for tests.
#pragma once

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

namespace aceward::coap::testing_observe_network {

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

inline void know_blocks(Endpoint& endpoint) {
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

inline bool is_reset(const Message& message) { return message.type == Type::reset; }
inline bool is_notification(const Message& message) {
  return message.code.is_success() && message.options.has(option::observe);
}

}  // namespace aceward::coap::testing_observe_network
