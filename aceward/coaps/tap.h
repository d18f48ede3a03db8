// A look at everything that passes, decrypted: what `--trace` prints. For the operator's own eyes.
#pragma once

#include "aceward/coap/peer.h"
#include "aceward/tls/session.h"

namespace aceward::coaps {

enum class Direction : std::uint8_t { in, out };

/// Called synchronously; calls nothing back. What it is handed lives only during the call.
class MessageTap {
 public:
  virtual ~MessageTap() = default;
  /// One CoAP message as it stands inside DTLS (or alone). `wire_octets` is the UDP payload that carried it. Messages
  /// that the CoAP layer will refuse are seen too.
  virtual void on_message(Direction direction, const coap::Peer& peer, BytesView message, std::size_t wire_octets,
                          Instant now) = 0;
  /// One UDP payload as it is on the wire, encrypted where DTLS is used. Of `ends` the addresses and the transport
  /// count; a client that does not know its own address leaves `local` unspecified, and `session` is its Channel there.
  virtual void on_datagram(Direction direction, const coap::Peer& ends, BytesView datagram, Instant now) {
    static_cast<void>(direction), static_cast<void>(ends), static_cast<void>(datagram), static_cast<void>(now);
  }
  virtual void on_handshake(const coap::Peer& peer, const tls::PeerIdentity& identity, const tls::SessionInfo& info,
                            Instant now) {
    static_cast<void>(peer), static_cast<void>(identity), static_cast<void>(info), static_cast<void>(now);
  }
  virtual void on_handshake_failed(const tls::HandshakeFailed& failure, Instant now) {
    static_cast<void>(failure), static_cast<void>(now);
  }
  virtual void on_session_closed(const coap::Peer& peer, const Error& why, Instant now) {
    static_cast<void>(peer), static_cast<void>(why), static_cast<void>(now);
  }
};

}  // namespace aceward::coaps
