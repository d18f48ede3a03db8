// Who a CoAP message came from or goes to, as the layer at hand sees it.
#pragma once

#include <cstdint>
#include <functional>

#include "aceward/base/address.h"

namespace aceward::coap {

enum class Transport : std::uint8_t { udp, dtls };

/// Everything that separates one peer's state from another's: two messages belong to the same endpoint only if their
/// Peers are equal (RFC 7252 section 4.4, section 9.1.1). A layer that authenticates may hand a Peer with more set to
/// the layers above it, and takes that Peer back from them.
struct Peer {
  Transport transport = Transport::udp;
  Address remote;
  /// The address that was asked, from which replies leave; unspecified where the system may choose.
  Address local;
  /// The DTLS session, as the layer that owns sessions numbers it; 0 = none.
  std::uint64_t session = 0;
  /// The security context (OSCORE) that protects the exchange, as its owner numbers it; 0 = none.
  std::uint64_t context = 0;

  friend auto operator<=>(const Peer&, const Peer&) = default;
};

}  // namespace aceward::coap

template <>
struct std::hash<aceward::coap::Peer> {
  std::size_t operator()(const aceward::coap::Peer& peer) const noexcept;
};
