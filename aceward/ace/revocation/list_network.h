// An authorization server's revocation list and its followers, on a network with a seed: for tests. Plain CoAP: the
// directory knows addresses as channels would know sessions.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "aceward/ace/as/revocation_resource.h"
#include "aceward/ace/as/revocation_test_world.h"
#include "aceward/ace/revocation/layer_follower.h"
#include "aceward/coap/observe/observe_network.h"

namespace aceward::ace::revocation {

using namespace std::chrono_literals;
using as::RevocationWorld;

class KnownAddresses final : public as::ChannelDirectory {
 public:
  std::map<coap::Peer, as::AuthenticatedClient> clients;
  std::map<coap::Peer, as::AuthenticatedServer> servers;

  std::optional<as::AuthenticatedClient> client_of(const coap::Peer& peer) const override {
    const auto found = clients.find(peer);
    return found == clients.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<as::AuthenticatedServer> server_of(const coap::Peer& peer) const override {
    const auto found = servers.find(peer);
    return found == servers.end() ? std::nullopt : std::optional(found->second);
  }
};

class ListNetwork {
 public:
  /// A resource server or client that follows the list.
  struct Follows {
    Follows(const coap::Peer& own, Random& random, const FollowerSettings& settings)
        : address(own), client(random), follower(settings, client.observations, random) {}
    coap::Peer address;
    coap::testing_observe_network::ObservingClient client;
    LayerFollower follower;
    std::vector<Revocation> changes;
    std::set<Bytes> revoked;  ///< as told: added by a revocation, removed when it expired
  };

  explicit ListNetwork(std::uint64_t seed, coap::testing_observe_network::ObserveWeather conditions = {0, 0, 10ms})
      : weather(conditions), random(seed) {
    restart_as();
  }

  Instant time() const { return world.clock.now(); }

  Follows& add_server(std::size_t i, const FollowerSettings& settings = {}) {
    Follows& one = add(settings);
    directory.servers.emplace(one.address, as::AuthenticationMint::server(world.servers.at(i)));
    return one;
  }
  Follows& add_client(std::size_t i, const FollowerSettings& settings = {}) {
    Follows& one = add(settings);
    directory.clients.emplace(one.address, as::AuthenticationMint::with_pre_shared_key(world.clients.at(i)));
    return one;
  }

  /// The AS loses all but its ledger.
  void restart_as() {
    server.reset();
    world.start(as::RevocationListConfig{});
    server = std::make_unique<Server>(*this);
    server->resource.update().value();
  }
  as::TokenNumber revoke(std::size_t client, std::size_t server_index, std::chrono::seconds lifetime = 1h) {
    const as::TokenNumber number = world.issue(client, server_index, lifetime);
    world.ledger.revoke(number);
    server->resource.update().value();
    return number;
  }

  void pass(Instant::duration length) {
    const Instant end = time() + length;
    while (true) {
      exchange();
      std::optional<Instant> next;
      const auto sooner = [&next](std::optional<Instant> at) {
        if (at && (!next || *at < *next)) next = at;
      };
      for (const auto& one : followers) {
        sooner(one->client.observations.next_timeout());
        sooner(one->follower.next_timeout());
      }
      sooner(server->observations.next_timeout());
      sooner(server->resource.next_update());
      if (!flying_.empty()) sooner(flying_.begin()->first);
      if (!next || *next > end) break;
      if (*next > time()) world.clock.advance(*next - time());
      for (const auto& one : followers) {
        one->client.observations.on_timeout(time());
        one->follower.on_timeout(time());
      }
      server->observations.on_timeout(time());
      if (const auto due = server->resource.next_update(); due && *due <= time()) server->resource.update().value();
      deliver();
    }
    if (end > time()) world.clock.advance(end - time());
  }

  struct Server {
    explicit Server(ListNetwork& network)
        : endpoint({}, {}, network.random),
          blockwise(endpoint, {}, {}, network.random),
          observations(blockwise, network.random),
          router(observations),
          resource(*network.world.list, network.directory, observations, network.world.clock) {
      coap::testing_observe_network::know_blocks(endpoint);
      router.add(resource.path(), resource);
    }
    coap::Endpoint endpoint;
    coap::Blockwise blockwise;
    coap::Observations observations;
    coap::Router router;
    as::RevocationResource resource;
  };

  coap::testing_observe_network::ObserveWeather weather;
  SeededRandom random;
  RevocationWorld world;
  KnownAddresses directory;
  coap::Peer as_address = coap::peer_at(1, 5683);
  std::unique_ptr<Server> server;
  std::vector<std::unique_ptr<Follows>> followers;
  std::vector<std::pair<coap::Peer, Bytes>> from_as;  ///< every datagram, with whom it was for

 private:
  Follows& add(const FollowerSettings& settings) {
    const auto own = coap::peer_at(static_cast<std::uint8_t>(10 + followers.size()));
    followers.push_back(std::make_unique<Follows>(own, random, settings));
    return *followers.back();
  }
  void exchange() {
    while (server->router.next_event(time())) {
    }
    for (const auto& one : followers) {
      while (auto event = one->client.observations.next_event(time())) one->follower.take(*event, time());
      while (auto change = one->follower.next()) note(*one, std::move(*change));
      while (auto out = one->client.endpoint.next_datagram()) fly({as_address, one->address}, std::move(out->datagram));
    }
    while (auto out = server->endpoint.next_datagram()) {
      from_as.emplace_back(out->to, out->datagram);
      fly({out->to, as_address}, std::move(out->datagram));
    }
  }
  void note(Follows& one, Revocation change) {
    if (change.kind == Revocation::Kind::revoked) {
      one.revoked.insert(change.token_hash);
    } else {
      one.revoked.erase(change.token_hash);
      // Whatever the network does: only what has expired is told as expired.
      const auto rows = world.ledger.revoked(world.clock.wall(), 1000).value();
      for (const as::RevokedToken& row : rows)
        EXPECT_NE(row.token_hash, change.token_hash) << "a live token's revocation was taken back";
    }
    one.changes.push_back(std::move(change));
  }
  void fly(std::pair<coap::Peer, coap::Peer> to_and_from, Bytes datagram) {
    const unsigned copies =
        (random.below(100) >= weather.loss ? 1U : 0U) + (random.below(100) < weather.duplication ? 1U : 0U);
    for (unsigned copy = 0; copy < copies; ++copy) {
      const auto delay = Instant::duration(
          static_cast<Instant::rep>(random.below(static_cast<std::uint64_t>(weather.longest_delay.count()) + 1)));
      flying_.emplace(time() + delay, std::pair(to_and_from, datagram));
    }
  }
  void deliver() {
    while (!flying_.empty() && flying_.begin()->first <= time()) {
      const auto [route, datagram] = flying_.begin()->second;
      flying_.erase(flying_.begin());
      if (route.first == as_address) {
        server->endpoint.receive(route.second, datagram, time());
        continue;
      }
      for (const auto& one : followers)
        if (one->address == route.first) one->client.endpoint.receive(route.second, datagram, time());
    }
  }

  std::multimap<Instant, std::pair<std::pair<coap::Peer, coap::Peer>, Bytes>> flying_;
};

}  // namespace aceward::ace::revocation
