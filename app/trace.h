// `--trace`: every message that passes, shown as the RFCs show it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "aceward/coap/message/message.h"
#include "aceward/coaps/tap.h"

namespace aceward::app {

/// Writes text for each message and handshake. Times are those since the first message of the exchange (requests and
/// what answers them, by token). Secrets are redacted by the names of their members. Belongs to the stack's thread.
class Trace final : public coaps::MessageTap {
 public:
  using Write = std::function<void(const std::string& text)>;
  /// What to call a peer; "" leaves the address.
  using NameOf = std::function<std::string(const Address&)>;

  struct Totals {
    std::size_t messages = 0;
    std::size_t wire_octets = 0;  ///< UDP payload of all messages
    std::size_t handshakes = 0;
    std::size_t handshake_octets = 0;  ///< UDP payload of the handshakes, both ways
    std::size_t flights = 0;
    std::size_t requests = 0;  ///< sent or received; retransmissions included
  };

  /// `self` is what this side is called.
  Trace(std::string self, Write write, NameOf name_of, bool colour);

  void on_message(coaps::Direction direction, const coap::Peer& peer, BytesView message, std::size_t wire_octets,
                  Instant now) override;
  void on_handshake(const coap::Peer& peer, const tls::PeerIdentity& identity, const tls::SessionInfo& info,
                    Instant now) override;
  void on_handshake_failed(const tls::HandshakeFailed& failure, Instant now) override;
  void on_session_closed(const coap::Peer& peer, const Error& why, Instant now) override;

  /// Since the last call.
  Totals take_totals() { return std::exchange(totals_, {}); }

 private:
  std::string peer_text(const coap::Peer& peer) const;
  std::string name_text(const Address& address) const;
  std::string painted(std::string_view text, std::string_view colour) const;

  std::string self_;
  Write write_;
  NameOf name_of_;
  bool colour_;
  Totals totals_;
  std::map<std::pair<coap::Peer, coap::Token>, Instant> started_;  ///< by peer and token; bounded
};

}  // namespace aceward::app
