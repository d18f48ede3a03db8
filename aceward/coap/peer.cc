#include "aceward/coap/peer.h"

std::size_t std::hash<aceward::coap::Peer>::operator()(const aceward::coap::Peer& peer) const noexcept {
  const auto mix = [](std::size_t seed, std::size_t value) {
    return (seed ^ value) * 0x9e3779b97f4a7c15U + (seed >> 29);
  };
  std::size_t seed = static_cast<std::size_t>(peer.transport);
  seed = mix(seed, std::hash<aceward::Address>{}(peer.remote));
  seed = mix(seed, std::hash<aceward::Address>{}(peer.local));
  seed = mix(seed, peer.session);
  return mix(seed, peer.context);
}
