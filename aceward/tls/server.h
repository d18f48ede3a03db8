// The DTLS 1.2 server side of one or more UDP sockets, without any socket (RFC 6347, RFC 7252 section 9, RFC 9202).
#pragma once

#include <memory>
#include <optional>

#include "aceward/base/random.h"
#include "aceward/tls/credentials.h"
#include "aceward/tls/session.h"

namespace aceward::tls {

struct ServerConfig {
  /// The server's own raw public key.
  std::optional<RawKeyPair> raw_key{};
  /// The server's own certificate, for clients that want one (RFC 7250: the client's extensions tell). With neither a
  /// raw key nor this, only PSK cipher suites are offered.
  std::optional<CertificateChain> certificate{};
  /// Who vouches for the certificates of clients; without it no client certificate is accepted. Needs `clock`.
  std::optional<Authorities> client_authorities{};
  /// Civil time, for the validity of certificates. Outlives the server.
  const Clock* clock = nullptr;
  /// Whether PSK cipher suites are offered. With neither this, nor a raw key, nor a certificate, Server::create fails.
  bool allow_psk = true;
  SuitePreference suites = SuitePreference::constrained;
  /// With it the server gives session tickets to clients that ask (RFC 5077); ServerCredentials::resume decides at each
  /// use. Without it, none.
  std::optional<TicketKey> ticket_key{};
  /// A ticket is good for so long from the full handshake that it was given in, however often it is used; after that a
  /// full handshake is forced (RFC 9202 section 7.1). At most 7 days.
  std::chrono::seconds full_handshake_after{std::chrono::hours(24)};
  /// Tickets that are remembered, at about 120 octets each. The oldest is forgotten for a new one: then its client has
  /// to shake hands in full.
  std::size_t max_tickets = 8192;
  /// Handshakes past the cookie and not complete. At the cap a new one takes the place of the oldest of the host (IPv4
  /// address or IPv6 /64) that has the most, if that leaves it no fewer than the new one's; else the new one is
  /// dropped. Live sessions go on.
  std::size_t max_half_open = 64;
  std::chrono::milliseconds half_open_timeout{10'000};
  /// Sessions, at about 12 KiB each. At the limit new handshakes are dropped, except on an address pair that already
  /// has a session.
  std::size_t max_sessions = 4096;
  /// A session in which nothing authentic was received for so long is closed.
  std::chrono::milliseconds idle_timeout{std::chrono::hours(24)};
  /// The cookie key is replaced so often; the one before stays valid for the same time.
  std::chrono::milliseconds cookie_key_lifetime{60'000};
  /// The largest UDP payload that is sent, in octets. 1152 octets of CoAP payload fit RFC 7252 section 4.6's message.
  std::size_t mtu = 1280;
  HandshakeTimers timers{};
  KeyLog key_log{};
};

/// Takes data the moment it is decrypted, without an event for each record.
class DataSink {
 public:
  /// `octets` hold for the call, which calls nothing of the server.
  virtual void on_data(SessionId id, BytesView octets, Instant now) = 0;

 protected:
  ~DataSink() = default;
};

/// A server always authenticates its clients, unless ServerCredentials::allows_no_identity: a client that negotiates a
/// suite with certificates or raw public keys must prove a key too. The extended master secret (RFC 7627) is required,
/// renegotiation refused. Not thread-safe.
class Server {
 public:
  /// `credentials` and `random` outlive the server. `random` makes the cookie keys; the DTLS library draws its other
  /// random numbers itself. Errors: `tls_setup_failed`.
  static Result<Server> create(ServerConfig config, ServerCredentials& credentials, Random& random);
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();

  /// Takes a datagram of any content: what is not DTLS, not authentic or not expected is dropped and counted. A
  /// stranger who has not echoed a cookie causes no state.
  void receive(const Address& from, const Address& local, BytesView datagram, Instant now);

  /// Protects `data` as one record. Errors: `session_unknown`, `dtls_data_too_large`, `session_broken`.
  Result<void> send(SessionId id, BytesView data, Instant now);
  /// The most octets that `send` takes in this session; 0 when it is unknown.
  std::size_t max_data(SessionId id) const;
  /// Sends close_notify and emits Closed with `session_closed_here`. Unknown ids are ignored.
  void close(SessionId id, Instant now);

  void on_timeout(Instant now);
  /// When on_timeout wants to be called; nothing when nothing is under way.
  std::optional<Instant> next_timeout() const;
  std::optional<Outgoing> next_datagram();
  std::optional<Event> next_event();
  /// From now on data goes to `sink` inside `receive`, except what follows an event that has not been taken yet: that
  /// stays behind it as an event. Null: events only. `sink` outlives the server or is taken away before.
  void hand_data_to(DataSink* sink);
  /// Takes back the memory of a datagram, or any other, for those to come. Up to 64 pieces are kept.
  void recycle(Bytes&& memory);

  std::size_t session_count() const;
  std::size_t half_open_count() const;

  struct Counters {
    std::uint64_t datagrams_in = 0;
    std::uint64_t malformed = 0;           ///< datagrams without one whole DTLS record, or with a broken ClientHello
    std::uint64_t unexpected = 0;          ///< records for which there was no session or handshake
    std::uint64_t undecryptable = 0;       ///< records that no session on the pair accepted: forged, replayed or late
    std::uint64_t cookies_sent = 0;        ///< ClientHello answered by HelloVerifyRequest
    std::uint64_t handshakes_started = 0;  ///< a cookie came back
    std::uint64_t handshakes_completed = 0;
    std::uint64_t handshakes_failed = 0;  ///< timeouts included
    std::uint64_t refused_half_open = 0;  ///< dropped at max_half_open
    std::uint64_t refused_sessions = 0;   ///< dropped at max_sessions
    std::uint64_t duplicate_hellos = 0;   ///< the ClientHello of a live session or handshake came once more
    std::uint64_t renegotiations_refused = 0;
    std::uint64_t resumed = 0;              ///< handshakes completed with a ticket
    std::uint64_t resumptions_refused = 0;  ///< ServerCredentials::resume said no, or the handle was forgotten
  };
  const Counters& counters() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::tls
