// What DTLS servers and clients have in common: session ids, events, datagrams to send.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "aceward/base/address.h"
#include "aceward/base/bytes.h"
#include "aceward/base/strong.h"
#include "aceward/base/time.h"
#include "aceward/tls/credentials.h"
#include "aceward/tls/identity.h"

namespace aceward::tls {

/// Names a handshake and the session that comes of it. Never reused within one Server (or by one ClientStack).
/// 0 names none.
using SessionId = Strong<struct SessionIdTag, std::uint64_t>;

/// An alert description (RFC 5246 section 7.2). Unknown numbers are kept.
enum class Alert : std::uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  handshake_failure = 40,
  bad_certificate = 42,
  unsupported_certificate = 43,
  certificate_expired = 45,
  certificate_unknown = 46,
  illegal_parameter = 47,
  unknown_ca = 48,
  access_denied = 49,
  decode_error = 50,
  decrypt_error = 51,
  protocol_version = 70,
  insufficient_security = 71,
  internal_error = 80,
  no_renegotiation = 100,
  unsupported_extension = 110,
  unknown_psk_identity = 115,
};

/// A datagram to send from `local` to `to`. A `local` that is unspecified leaves the choice to the network.
struct Outgoing {
  Address to;
  Address local;
  Bytes datagram;
};

/// What a handshake cost and agreed on: for traces and benchmarks.
struct SessionInfo {
  std::string cipher_suite;             ///< the IANA name: `TLS_PSK_WITH_AES_128_CCM_8`
  std::string group;                    ///< of the key exchange, empty where there is none: `SECP256R1`
  bool extended_master_secret = false;  ///< always, for a session that was established
  bool resumed = false;                 ///< without a full handshake (RFC 5077)
  std::size_t octets_in = 0;            ///< UDP payload of the handshake, cookie exchange not included at a server
  std::size_t octets_out = 0;
  std::size_t datagrams_in = 0;
  std::size_t datagrams_out = 0;
  /// Changes of direction, the first datagram counted as one; without loss a client counts 6 with the cookie exchange.
  std::size_t flights = 0;
  std::chrono::nanoseconds duration{0};  ///< by the `now` that was handed in
};

/// The handshake is complete; data may be sent.
struct Established {
  SessionId id;
  Address remote;
  Address local;
  PeerIdentity peer;
  SessionInfo info;
  /// At a client whose server gave a ticket: to be offered in ClientConfig::ticket. After a resumption it is the one
  /// that was used, which is good again.
  std::optional<ResumptionTicket> ticket{};
};
/// One record of application data, authentic and not seen before.
struct Data {
  SessionId id;
  Bytes octets;
};
/// The session is gone: exactly one for each Established, whichever side ended it.
struct Closed {
  SessionId id;
  Address remote;
  Address local;
  Error why;
  std::optional<Alert> alert_received;
};
/// A handshake that got past the cookie did not complete: instead of Established.
struct HandshakeFailed {
  SessionId id;
  Address remote;
  Address local;
  Error why;
  std::optional<Alert> alert_sent;
  std::optional<Alert> alert_received;
};
using Event = std::variant<Established, Data, Closed, HandshakeFailed>;

/// Retransmission of handshake flights. RFC 6347 section 4.2.4.1 starts at 1 s and doubles up to 60 s; RFC 7925 section
/// 11 recommends 9 s to constrained nodes on slow links.
struct HandshakeTimers {
  std::chrono::milliseconds initial_retransmission{1000};
};

/// Which cipher suites come first where several would do.
enum class SuitePreference : std::uint8_t {
  /// Short tags, and pre-shared keys alone (RFC 7252 section 9, RFC 9202 section 7): TLS_PSK_WITH_AES_128_CCM_8 and
  /// TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 before all others. A server follows its client's order.
  constrained = 1,
  /// Forward secrecy and tags of 16 octets: for tokens that live long and for much data (RFC 9202 section 7). A server
  /// follows its own order.
  long_lived = 2,
};

/// Called once a handshake with a line of the NSS key log, `CLIENT_RANDOM <random> <master secret>`, without a line
/// feed: whoever has it can decrypt the session. For an operator who asked for it, and never by default. It calls
/// nothing back.
using KeyLog = std::function<void(std::string_view line)>;

}  // namespace aceward::tls
