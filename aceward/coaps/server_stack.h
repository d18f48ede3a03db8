// A CoAP server's bottom: one message layer, fed with plain UDP and through DTLS (RFC 7252 sections 4 and 9.1).
#pragma once

#include <memory>
#include <optional>

#include "aceward/base/random.h"
#include "aceward/coap/blockwise/blockwise.h"
#include "aceward/coap/layer.h"
#include "aceward/coap/reliability/endpoint.h"
#include "aceward/coaps/session_event.h"
#include "aceward/coaps/tap.h"
#include "aceward/tls/server.h"

namespace aceward::coaps {

enum class ListenerKind : std::uint8_t { plain, secure };

struct ServerStackConfig {
  /// Without it, secure datagrams are dropped.
  std::optional<tls::ServerConfig> dtls{};
  coap::Parameters parameters{};
  coap::Limits limits{};
  coap::BlockwiseParameters blockwise{};
  coap::BlockwiseLimits blockwise_limits{};
};

/// To be sent from a socket of this kind that is bound to `local`.
struct ServerOutgoing {
  ListenerKind kind;
  Address to;
  Address local;
  Bytes datagram;
};

/// Not thread-safe. After every receive, on_timeout, close_session, or call of the layer: take the session events, then
/// let the top layer take its events, then take the datagrams.
class ServerStack {
 public:
  /// `credentials` (may be null without DTLS), `random` outlive the stack.
  /// Errors: `coaps_no_secure_listener`, `tls_setup_failed`.
  static Result<std::unique_ptr<ServerStack>> create(ServerStackConfig config, tls::ServerCredentials* credentials,
                                                     Random& random);
  ~ServerStack();

  /// What the layers above are built on: block-wise transfer above messages. Requests that came through DTLS have a
  /// Peer with Transport::dtls and the session's number.
  coap::Layer& layer();
  /// The message layer at the bottom: its counters, and the critical options that layers above process.
  /// Block1, Block2 and the preconditions that coap::Router refuses where nobody evaluates them are known from the
  /// start.
  coap::Endpoint& endpoint();
  coap::Blockwise& blockwise();
  const coap::Blockwise& blockwise() const;

  void receive(ListenerKind kind, const Address& from, const Address& local, BytesView datagram, Instant now);
  std::optional<ServerOutgoing> next_datagram(Instant now);
  void on_timeout(Instant now);
  /// Of DTLS and of the message layer.
  std::optional<Instant> next_timeout() const;
  std::optional<SessionEvent> next_session_event();

  /// Who is at the other end of a session (`Peer::session`); null when the session is gone or never was. Lives until
  /// the next call that changes the stack.
  const tls::PeerIdentity* identity(std::uint64_t session) const;
  /// Sends close_notify; SessionClosed follows.
  void close_session(std::uint64_t session, Instant now);
  /// Ends every session: for a shutdown that tells the peers.
  void close_all(Instant now);

  /// Null switches it off. Outlives the stack or is switched off before.
  void set_tap(MessageTap* tap);

  std::size_t session_count() const;
  std::size_t half_open_count() const;
  /// All zero without DTLS.
  tls::Server::Counters tls_counters() const;

 private:
  struct Impl;
  explicit ServerStack(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::coaps
