// A CoAP client's bottom: one message layer over plain UDP and over any number of DTLS connections.
#pragma once

#include <memory>
#include <optional>

#include "aceward/base/random.h"
#include "aceward/coap/blockwise/blockwise.h"
#include "aceward/coap/freshness/freshness.h"
#include "aceward/coap/layer.h"
#include "aceward/coap/reliability/endpoint.h"
#include "aceward/coaps/session_event.h"
#include "aceward/coaps/tap.h"
#include "aceward/tls/client.h"

namespace aceward::coaps {

/// A UDP socket of the client: 0 is the one for plain CoAP, any other number is a DTLS session's own socket (two
/// sessions with one server need two local ports). Equal to `Peer::session`.
using Channel = std::uint64_t;
inline constexpr Channel plain_channel = 0;

struct ClientStackConfig {
  tls::ClientConfig dtls{};
  coap::Parameters parameters{};
  coap::Limits limits{};
  coap::FreshnessParameters freshness{};
  coap::FreshnessLimits freshness_limits{};
  coap::BlockwiseParameters blockwise{};
  coap::BlockwiseLimits blockwise_limits{};
  std::size_t max_connections = 4096;
};

struct ClientOutgoing {
  Channel channel;
  Address to;
  Bytes datagram;
};

/// Not thread-safe. After every receive, on_timeout, connect, close, or call of the layer: take the session events,
/// then let the top layer take its events, then take the datagrams.
class ClientStack {
 public:
  /// `random` outlives the stack.
  ClientStack(ClientStackConfig config, Random& random);
  ~ClientStack();
  ClientStack(const ClientStack&) = delete;
  ClientStack& operator=(const ClientStack&) = delete;

  /// What the layers above are built on: block-wise transfer above Echo and waiting above messages.
  coap::Layer& layer();
  /// The message layer at the bottom: its counters, and the critical options that layers above process.
  coap::Endpoint& endpoint();
  const coap::Freshness& freshness() const;
  const coap::Blockwise& blockwise() const;

  /// The peer for plain CoAP; nothing is sent.
  coap::Peer plain_peer(const Address& server) const;
  /// Starts a handshake. SessionEstablished or SessionFailed follows. Requests to the peer may be made at once: up to
  /// 16 datagrams are held until the session is established. Errors: `coaps_too_many_connections`, and those of
  /// tls::Client::create.
  /// `ticket`: that of an earlier session with this server and these credentials (SessionEstablished::ticket); the
  /// server may want a full handshake all the same.
  Result<coap::Peer> connect(const Address& server, tls::ClientCredentials credentials, Instant now,
                             std::optional<tls::ResumptionTicket> ticket = std::nullopt);
  /// Sends close_notify; SessionClosed (or SessionFailed) follows. Unknown sessions are ignored.
  void close(std::uint64_t session, Instant now);
  void close_all(Instant now);

  void receive(Channel channel, const Address& from, BytesView datagram, Instant now);
  std::optional<ClientOutgoing> next_datagram(Instant now);
  void on_timeout(Instant now);
  std::optional<Instant> next_timeout() const;
  std::optional<SessionEvent> next_session_event();

  /// Who the server proved to be; null unless the session is established.
  const tls::PeerIdentity* identity(std::uint64_t session) const;
  std::size_t connection_count() const;
  /// Whether the session lives or its handshake is under way: its channel's socket is still needed. Always true for
  /// plain_channel.
  bool channel_in_use(Channel channel) const;

  /// Null switches it off. Outlives the stack or is switched off before.
  void set_tap(MessageTap* tap);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::coaps
