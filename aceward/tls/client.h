// The DTLS 1.2 client side of one session, without any socket (RFC 6347, RFC 9202).
#pragma once

#include <memory>
#include <optional>

#include "aceward/tls/credentials.h"
#include "aceward/tls/session.h"

namespace aceward::tls {

struct ClientConfig {
  /// The whole handshake; then HandshakeFailed with `handshake_timed_out`.
  std::chrono::milliseconds handshake_timeout{30'000};
  std::size_t mtu = 1280;  ///< the largest UDP payload that is sent, in octets
  HandshakeTimers timers{};
  KeyLog key_log{};
  SuitePreference suites = SuitePreference::constrained;
  /// Civil time, for the certificates of a NamedServer: needed with one. Outlives the client.
  const Clock* clock = nullptr;
  /// Asks the server for a ticket with which the session can be resumed (Established::ticket).
  bool wants_ticket = false;
  /// Offered to the server, which may want a full handshake all the same. Left out silently when it was made with other
  /// credentials.
  std::optional<ResumptionTicket> ticket{};
};

/// One handshake and the session that comes of it. Not thread-safe. After Closed or HandshakeFailed the client is
/// spent: make another one.
class Client {
 public:
  /// `id` is what the events will carry. Errors: `psk_unusable`, `spki_malformed`, `raw_key_malformed`,
  /// `tls_setup_failed`.
  static Result<Client> create(SessionId id, Address server, ClientCredentials credentials, ClientConfig config = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// Sends the first ClientHello. Call once.
  void start(Instant now);
  /// A datagram from the server's address; the caller has looked at that. What is not authentic is dropped.
  void receive(BytesView datagram, Instant now);
  /// Errors: `session_not_established`, `session_unknown` (after the end), `dtls_data_too_large`, `session_broken`.
  Result<void> send(BytesView data, Instant now);
  /// The most octets that `send` takes; 0 when there is no session.
  std::size_t max_data() const;
  /// Sends close_notify; emits Closed (or HandshakeFailed with `handshake_canceled`). Later calls do nothing.
  void close(Instant now);

  void on_timeout(Instant now);
  std::optional<Instant> next_timeout() const;
  std::optional<Outgoing> next_datagram();
  std::optional<Event> next_event();

  SessionId id() const;
  bool established() const;

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::tls
