// A network in memory for tests: one DTLS server, any number of clients, virtual time, faults by seed.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "aceward/base/random.h"
#include "aceward/base/time.h"
#include "aceward/tls/client.h"
#include "aceward/tls/server.h"

namespace aceward::tls::testing {

/// Credentials that a test writes down.
class ListedCredentials final : public ServerCredentials {
 public:
  Result<PskCredential> psk(BytesView identity) override {
    ++psk_asked;
    const auto found = keys.find(to_bytes(identity));
    if (found == keys.end()) return fail(refuse_psk);
    return PskCredential{Secret::copy_of(found->second), handle};
  }
  Result<void> raw_public_key(BytesView spki) override {
    ++raw_asked;
    if (std::ranges::find(raw_keys, to_bytes(spki)) == raw_keys.end()) return fail(refuse_raw);
    return {};
  }
  Result<void> certificate(const Certificate& certificate) override {
    ++certificates_asked;
    if (std::ranges::none_of(certificate_names, [&](const auto& name) { return certificate.has_name(name); }))
      return fail(refuse_certificate);
    return {};
  }
  bool allows_no_identity() const override { return anybody; }
  Result<void> resume(const PeerIdentity& identity) override {
    resumptions_asked.push_back(identity);
    if (!resumable) return fail(refuse_resumption);
    return {};
  }
  std::map<Bytes, Bytes> keys;
  std::vector<Bytes> raw_keys;
  std::vector<std::string> certificate_names;
  bool anybody = false;
  bool resumable = false;
  std::vector<PeerIdentity> resumptions_asked;
  int certificates_asked = 0;
  std::uint64_t handle = 0;  ///< given out with every key
  int psk_asked = 0;
  int raw_asked = 0;

 private:
  static constexpr Reason refuse_psk{"test_psk_refused", ErrorClass::denied, "", ""};
  static constexpr Reason refuse_raw{"test_raw_key_refused", ErrorClass::denied, "", ""};
  static constexpr Reason refuse_certificate{"test_certificate_refused", ErrorClass::denied, "", ""};
  static constexpr Reason refuse_resumption{"test_resumption_refused", ErrorClass::denied, "", ""};
};

struct Faults {
  unsigned lose_percent = 0;
  unsigned duplicate_percent = 0;
  std::chrono::milliseconds jitter{0};  ///< more than the latency between datagrams reorders them
};

class TestNetwork {
 public:
  TestNetwork(Server& server, const Address& server_address, Faults faults = {}, std::uint64_t seed = 1)
      : server_(server), server_address_(server_address), faults_(faults), random_(seed) {}

  void attach(Client& client, const Address& address) { clients_[address] = &client; }
  void detach(const Address& address) { clients_.erase(address); }

  /// Runs until `done` holds, nothing is left to happen, or `at_most` has passed. Returns whether `done` holds.
  bool run(const std::function<bool()>& done, std::chrono::nanoseconds at_most = std::chrono::minutes(2)) {
    const Instant end = clock.now() + at_most;
    while (true) {
      collect();
      if (done()) return true;
      std::optional<Instant> next;
      const auto consider = [&next](std::optional<Instant> at) {
        if (at && (!next || *at < *next)) next = at;
      };
      for (const auto& packet : packets_) consider(packet.at);
      consider(server_.next_timeout());
      for (const auto& [address, client] : clients_) consider(client->next_timeout());
      if (!next || *next > end) return false;
      if (*next > clock.now()) clock.advance(*next - clock.now());
      deliver();
    }
  }
  /// Until `for_long` has passed.
  void idle(std::chrono::nanoseconds for_long) {
    const Instant end = clock.now() + for_long;
    run([] { return false; }, for_long);
    if (clock.now() < end) clock.advance(end - clock.now());
    server_.on_timeout(clock.now());
    for (const auto& [address, client] : clients_) client->on_timeout(clock.now());
    collect();
  }

  /// Server events as they came, and each client's.
  std::vector<Event> server_events;
  std::map<Address, std::vector<Event>> client_events;
  /// Sees every datagram when it is sent; may change it, or drop it by returning false.
  std::function<bool(const Address& from, const Address& to, Bytes& datagram)> on_send;
  ManualClock clock;

  template <class T>
  static const T* last(const std::vector<Event>& events) {
    for (auto at = events.rbegin(); at != events.rend(); ++at) {
      if (const auto* event = std::get_if<T>(&*at)) return event;
    }
    return nullptr;
  }
  template <class T>
  const T* at_server() const {
    return last<T>(server_events);
  }
  template <class T>
  const T* at_client(const Address& address) const {
    const auto found = client_events.find(address);
    return found == client_events.end() ? nullptr : last<T>(found->second);
  }

 private:
  struct Packet {
    Instant at;
    Address from;
    Address to;
    Bytes datagram;
  };

  void put(const Address& from, const Address& to, Bytes datagram) {
    if (on_send && !on_send(from, to, datagram)) return;
    if (random_.below(100) < faults_.lose_percent) return;
    const unsigned copies = random_.below(100) < faults_.duplicate_percent ? 2 : 1;
    for (unsigned copy = 0; copy < copies; ++copy) {
      Instant at = clock.now() + std::chrono::milliseconds(10);
      if (faults_.jitter.count() > 0) {
        at += std::chrono::milliseconds(random_.below(static_cast<std::uint64_t>(faults_.jitter.count())));
      }
      packets_.push_back({at, from, to, datagram});
    }
  }

  void collect() {
    while (auto out = server_.next_datagram()) put(out->local, out->to, std::move(out->datagram));
    while (auto event = server_.next_event()) server_events.push_back(std::move(*event));
    for (const auto& [address, client] : clients_) {
      while (auto out = client->next_datagram()) put(address, out->to, std::move(out->datagram));
      while (auto event = client->next_event()) client_events[address].push_back(std::move(*event));
    }
  }

  void deliver() {
    std::vector<Packet> due;
    std::erase_if(packets_, [&](const Packet& packet) {
      if (packet.at > clock.now()) return false;
      due.push_back(packet);
      return true;
    });
    std::ranges::stable_sort(due, {}, &Packet::at);
    for (const auto& packet : due) {
      if (packet.to == server_address_) {
        server_.receive(packet.from, packet.to, packet.datagram, clock.now());
      } else if (const auto client = clients_.find(packet.to); client != clients_.end()) {
        client->second->receive(packet.datagram, clock.now());
      }
      collect();
    }
    server_.on_timeout(clock.now());
    for (const auto& [address, client] : clients_) client->on_timeout(clock.now());
  }

  Server& server_;
  Address server_address_;
  Faults faults_;
  SeededRandom random_;
  std::map<Address, Client*> clients_;
  std::vector<Packet> packets_;
};

inline const Address server_address = Address::v4(192, 0, 2, 1, 5684);
inline Address client_address(std::uint16_t port = 40'000) { return Address::v4(198, 51, 100, 7, port); }

inline PskClient psk_of(BytesView identity, BytesView key) { return {to_bytes(identity), Secret::copy_of(key)}; }

/// One pair of keys for each role, made once a process.
inline const RawKeyPair& key_of_server() {
  static const RawKeyPair key = RawKeyPair::generate().value();
  return key;
}
inline const RawKeyPair& key_of_client() {
  static const RawKeyPair key = RawKeyPair::generate().value();
  return key;
}

/// A server that knows the PSK "alice" / "0123456789abcdef" and the client's raw key, and a network around it.
struct Rig {
  explicit Rig(ServerConfig config = {.raw_key = key_of_server()}, Faults faults = {}, std::uint64_t seed = 1)
      : random(seed),
        server(Server::create(std::move(config), credentials, random).value()),
        network(server, server_address, faults, seed) {
    credentials.keys[to_bytes("alice")] = to_bytes("0123456789abcdef");
    credentials.raw_keys.push_back(to_bytes(key_of_client().spki()));
  }

  Client& connect(ClientCredentials with, const Address& from = client_address(), ClientConfig config = {}) {
    clients.push_back(std::make_unique<Client>(
        Client::create(SessionId(clients.size() + 1), server_address, std::move(with), config).value()));
    network.attach(*clients.back(), from);
    clients.back()->start(network.clock.now());
    return *clients.back();
  }
  Client& connect_psk(const Address& from = client_address()) {
    return connect(psk_of(as_bytes("alice"), as_bytes("0123456789abcdef")), from);
  }
  Client& connect_raw(const Address& from = client_address()) {
    return connect(RawKeyClient{key_of_client(), to_bytes(key_of_server().spki())}, from);
  }
  /// Runs until both ends are established.
  bool settle(const Client& client) {
    return network.run([&] { return client.established() && network.at_server<Established>() != nullptr; });
  }

  ListedCredentials credentials;
  SeededRandom random;
  Server server;
  TestNetwork network;
  std::vector<std::unique_ptr<Client>> clients;
};

}  // namespace aceward::tls::testing
