// A whole resource server of the DTLS profile, without sockets: CoAP and DTLS below, tokens and access control in the
// middle, resources on top.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "aceward/ace/profile/dtls/rs/rs_channel.h"
#include "aceward/ace/rs/resource_server.h"
#include "aceward/coap/observe/observations.h"
#include "aceward/coaps/server_stack.h"

namespace aceward::ace::dtls {

struct RsServiceConfig {
  TokenVerifierConfig tokens;
  rs::ResourceServerConfig server;
  /// `dtls` is required: the raw key of the server, and whether PSK is offered.
  coaps::ServerStackConfig stack;
  coap::ObservationLimits observations{};
};

/// Not thread-safe. Either a host drives stack() and calls pump, on_timeout and next_timeout (net::Application), or
/// everything goes through the calls of this class. After every call, take all datagrams.
class RsService {
 public:
  using SessionObserver = std::move_only_function<void(const coaps::SessionEvent&)>;

  /// `clock` and `random` outlive the service. Errors: those of ServerStack::create and ResourceServer::create.
  static Result<std::unique_ptr<RsService>> create(RsServiceConfig config, const Clock& clock, Random& random);
  ~RsService();
  RsService(const RsService&) = delete;
  RsService& operator=(const RsService&) = delete;

  rs::ResourceServer& server();
  const RsChannel& channel() const;
  coaps::ServerStack& stack();
  /// Below access control: who observes is asked for permission again with each notification. Resources that can be
  /// observed are named to it, and their changes told to it.
  coap::Observations& observations();

  /// The stack has been fed: takes its session events and requests, and acts on them. Sessions whose key lost its last
  /// token are marked here and closed in the next on_timeout, which next_timeout asks for at once: their last answers
  /// leave in between.
  void pump(Instant now);
  /// Of the layers above the stack. Civil time is looked at again at least once a minute, as it may be stepped.
  std::optional<Instant> next_own_timeout() const;
  void on_own_timeout(Instant now);

  // Stack included:
  void receive(coaps::ListenerKind kind, const Address& from, const Address& local, BytesView datagram, Instant now);
  std::optional<coaps::ServerOutgoing> next_datagram(Instant now);
  void on_timeout(Instant now);
  std::optional<Instant> next_timeout() const;

  /// Sees each session event; null switches it off.
  void set_session_observer(SessionObserver observer);

 private:
  struct Impl;
  explicit RsService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::ace::dtls
