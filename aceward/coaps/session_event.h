// What both stacks say about their DTLS sessions.
#pragma once

#include <variant>

#include "aceward/coap/peer.h"
#include "aceward/tls/session.h"

namespace aceward::coaps {

/// The handshake is complete. `peer` is what requests on this session come from and go to.
struct SessionEstablished {
  coap::Peer peer;
  tls::PeerIdentity identity;
  tls::SessionInfo info;
  /// Of a client: with which the next session with this server can be resumed (ClientStack::connect).
  std::optional<tls::ResumptionTicket> ticket{};
};
/// The session is gone; its exchanges have ended with the same error.
struct SessionClosed {
  coap::Peer peer;
  Error why;
};
/// No session came of the handshake.
struct SessionFailed {
  coap::Peer peer;
  Error why;
  std::optional<tls::Alert> alert_sent;
  std::optional<tls::Alert> alert_received;
};
/// Of a client: a confirmable request on the session was retransmitted `retransmissions` times without any answer. The
/// server may have been restarted and know nothing of the session, which lives on: more answers may still come.
struct SessionStalled {
  coap::Peer peer;
  unsigned retransmissions = 0;
};
using SessionEvent = std::variant<SessionEstablished, SessionClosed, SessionFailed, SessionStalled>;

}  // namespace aceward::coaps
