// Which servers take tokens of more than eight octets (RFC 8974 section 2.2.2).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "aceward/coap/layer.h"

namespace aceward::coap {

/// Finds out by trial, as there is no other way over UDP, and remembers it for a while. Not thread-safe.
class ExtendedTokens {
 public:
  /// How long an answer is relied on: an address may get another owner.
  static constexpr std::chrono::seconds valid_for{1800};
  static constexpr std::size_t most_peers = 256;  ///< remembered; the one that is nearest to its end makes room

  /// Sends a confirmable GET that nothing but its token of `size` octets (9 and more) could be refused for, and that
  /// no server acts on, since it has an If-None-Match option alone. Errors: those of `layer`.
  Result<ExchangeId> probe(Layer& layer, const Peer& to, std::uint16_t size, Instant now);
  /// To be shown each event: true if it ends a probe, and so concerns nobody else.
  bool take(const Event& event, Instant now);

  /// Whether tokens of `size` octets are taken; nullopt if that is not known, or not any more.
  std::optional<bool> supported(const Peer& by, std::size_t size, Instant now) const;

 private:
  struct Probe {
    Peer to;
    std::uint16_t size;
  };
  struct Known {
    std::size_t taken = 8;           // the longest that was echoed
    std::size_t refused = SIZE_MAX;  // the shortest that was refused
    Instant until;
  };
  std::map<ExchangeId, Probe> probes_;
  std::map<Peer, Known> known_;
};

}  // namespace aceward::coap
