// A whole resource server of the DTLS profile, without sockets: CoAP and DTLS below, tokens and access control in the
// middle, resources on top.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "aceward/ace/profile/dtls/rs/as_link.h"
#include "aceward/ace/profile/dtls/rs/rs_channel.h"
#include "aceward/ace/rs/resource_server.h"
#include "aceward/coap/observe/observations.h"
#include "aceward/coaps/server_stack.h"

namespace aceward::ace::dtls {

/// Sessions of clients that authenticated with nothing, in which tokens can be posted unseen by others (RFC 9200
/// section 6.5). They end by themselves.
struct AnonymousSessions {
  std::size_t most = 64;
  std::chrono::seconds longest{60};
};

struct RsServiceConfig {
  TokenVerifierConfig tokens;
  rs::ResourceServerConfig server;
  /// `dtls` is required: the raw key of the server, and whether PSK is offered.
  coaps::ServerStackConfig stack;
  coap::ObservationLimits observations{};
  /// Keys that the owner gives rights to without tokens.
  std::vector<rs::ConfiguredKey> configured_keys;
  /// Absent: every client must authenticate.
  std::optional<AnonymousSessions> anonymous;
  /// Remembers tokens with exi over restarts; null: they are refused. Outlives the service.
  rs::ExpiredSequences* sequences = nullptr;
  /// The session with the authorization server; absent: it is asked nothing. The trusted issuer of its `iss` counts as
  /// asked and followed accordingly.
  std::optional<AsLinkConfig> as_link;
};

/// What can change while sessions go on.
struct RsReload {
  TokenVerifierConfig tokens;
  rs::HintsConfig hints;
  std::vector<std::string> hosts;
  std::vector<rs::ConfiguredKey> configured_keys;
};

/// Not thread-safe. Either a host drives stack() and calls pump, on_timeout and next_timeout (net::Application), or
/// everything goes through the calls of this class. After every call, take all datagrams.
class RsService {
 public:
  using SessionObserver = std::move_only_function<void(const coaps::SessionEvent&)>;

  /// `clock` and `random` outlive the service. Where TokenVerifierConfig says that the clock is not synchronized, its
  /// civil time is not looked at. Errors: those of ServerStack::create, ResourceServer::create and
  /// TokenStore::set_configured.
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
  /// Null without one. Its stack wants a host of its own, see README.md.
  AsLink* as_link();

  /// Issuers, keys, scopes, hints and configured keys from now on. Tokens stay, and sessions whose key keeps a token or
  /// is configured still; the others are closed after the next pump. Whether the clock is synchronized stays as it was.
  /// Errors: those of ResourceServer::reconfigure; then nothing has changed.
  Result<> reconfigure(RsReload reload);
  /// A token was revoked, see TokenStore::end_token: for who learns of it elsewhere than over the AS link. Sessions
  /// that lose their last token are closed after the next pump.
  bool end_token(BytesView token_hash);

  /// The stack has been fed: takes its session events and requests, and acts on them. Sessions whose key lost its last
  /// token are marked here and closed in the next on_timeout, which next_timeout asks for at once: their last answers
  /// leave in between.
  void pump(Instant now);
  /// Of the layers above the stack. Civil time is looked at again at least once a minute, as it may be stepped.
  std::optional<Instant> next_own_timeout() const;
  void on_own_timeout(Instant now);

  // Stack included, but not that of the AS link:
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
