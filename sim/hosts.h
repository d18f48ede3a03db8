// The real stacks as hosts of the simulated network: a server and a client, with or without DTLS.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "aceward/coaps/client_stack.h"
#include "aceward/coaps/server_stack.h"
#include "sim/network.h"

namespace aceward::sim {

/// Notes what passes as branches, and prints it: also what DTLS hides from the wire.
class Probe final : public coaps::MessageTap {
 public:
  Probe(Run& run, std::string name) : run_(run), name_(std::move(name)) {}
  void on_message(coaps::Direction direction, const coap::Peer& peer, BytesView message, std::size_t wire_octets,
                  Instant now) override;
  void on_handshake(const coap::Peer& peer, const tls::PeerIdentity& identity, const tls::SessionInfo& info,
                    Instant now) override;
  void on_handshake_failed(const tls::HandshakeFailed& failure, Instant now) override;
  void on_session_closed(const coap::Peer& peer, const Error& why, Instant now) override;

 private:
  Run& run_;
  std::string name_;
};

/// Layers above those of the stack, the lowest first; each is built on the one before, the first on `below`.
using Layers = std::vector<std::unique_ptr<coap::Layer>>;
using MakeLayers = std::function<Layers(coap::Layer& below, Random& random)>;

/// The counters of the layers, as branches.
void note_counters(Run& run, const coap::Counters& counters);
void note_counters(Run& run, const coap::BlockwiseCounters& counters);

struct ServerSetup {
  std::string name = "server";
  Address plain = Address::v4(10, 0, 0, 1, 5683);
  Address secure = Address::v4(10, 0, 0, 1, 5684);
  coaps::ServerStackConfig stack{};
  tls::ServerCredentials* credentials = nullptr;
  MakeLayers make_layers{};  ///< called at each start; empty: none
};

class ServerHost final : public Node {
 public:
  ServerHost(Run& run, ServerSetup setup);
  ~ServerHost() override;

  /// All state is lost, as in a power cut; Message IDs and keys of cookies are new.
  void restart();
  /// How often it restarted: what was promised by an earlier life need not be kept.
  unsigned life() const { return life_; }

  coap::Layer& top() { return layers_.empty() ? stack_->layer() : *layers_.back(); }
  coaps::ServerStack& stack() { return *stack_; }
  const ServerSetup& setup() const { return setup_; }

  /// What the top layer says; to be answered at once or later.
  std::function<void(coap::Event event)> on_event;
  std::function<void(const coaps::SessionEvent&)> on_session;

  void receive(const Datagram& datagram, Instant now) override;
  std::optional<Datagram> next_datagram(Instant now) override;
  void on_timeout(Instant now) override;
  std::optional<Instant> next_timeout() const override;

 private:
  void start();
  void stop();
  Run& run_;
  ServerSetup setup_;
  SeededRandom random_;
  Probe probe_;
  unsigned life_ = 0;
  std::unique_ptr<coaps::ServerStack> stack_;
  Layers layers_;
};

struct ClientSetup {
  std::string name = "client";
  Address address = Address::v4(10, 0, 1, 1, 40000);  ///< channel n sends from port + n
  coaps::ClientStackConfig stack{};
  MakeLayers make_layers{};  ///< called at each start; empty: none
};

class ClientHost final : public Node {
 public:
  ClientHost(Run& run, ClientSetup setup);
  ~ClientHost() override;

  void restart();
  unsigned life() const { return life_; }

  coap::Layer& top() { return layers_.empty() ? stack_->layer() : *layers_.back(); }
  coaps::ClientStack& stack() { return *stack_; }
  const ClientSetup& setup() const { return setup_; }

  std::function<void(coap::Event event)> on_event;
  std::function<void(const coaps::SessionEvent&)> on_session;

  void receive(const Datagram& datagram, Instant now) override;
  std::optional<Datagram> next_datagram(Instant now) override;
  void on_timeout(Instant now) override;
  std::optional<Instant> next_timeout() const override;

 private:
  void start();
  void stop();
  Run& run_;
  ClientSetup setup_;
  SeededRandom random_;
  Probe probe_;
  unsigned life_ = 0;
  std::unique_ptr<coaps::ClientStack> stack_;
  Layers layers_;
};

/// A server's credentials that know a few clients.
class ListedClients final : public tls::ServerCredentials {
 public:
  Result<tls::PskCredential> psk(BytesView identity) override;
  Result<void> raw_public_key(BytesView spki) override;
  std::map<Bytes, Bytes> keys;
  std::vector<Bytes> raw_keys;
};

/// A P-256 key from the run's dice.
tls::RawKeyPair raw_key(Random& random);

}  // namespace aceward::sim
