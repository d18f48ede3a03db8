// Message IDs: sequential from a random start, none used again with one peer too early.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "aceward/base/address.h"
#include "aceward/base/random.h"
#include "aceward/base/time.h"
#include "aceward/coap/reliability/sip_hash.h"

namespace aceward::coap {

/// Names a peer within one endpoint, so that other tables need not hold its whole Peer.
using PeerNumber = std::uint64_t;

/// One message to or from a peer (RFC 7252 section 4.4).
struct MessageKey {
  PeerNumber peer = 0;
  std::uint16_t message_id = 0;
  friend bool operator==(const MessageKey&, const MessageKey&) = default;
};

struct MessageKeyHash {
  std::size_t operator()(const MessageKey& key) const noexcept {
    // Peers choose Message IDs: no two that they choose are known to meet without the number of the peer.
    std::uint64_t mixed = key.peer << 16 | key.message_id;
    mixed = (mixed ^ mixed >> 33) * 0xff51afd7ed558ccdU;
    mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53U;
    return static_cast<std::size_t>(mixed ^ mixed >> 33);
  }
};

/// RFC 7252 section 4.4: the same Message ID is not used again with an endpoint within EXCHANGE_LIFETIME. Counts uses
/// by the second, so it holds at most EXCHANGE_LIFETIME / 1 s records, and errs on the side of waiting.
class MessageIds {
 public:
  MessageIds(std::uint16_t start, std::chrono::nanoseconds lifetime) : next_(start), lifetime_(lifetime) {}

  /// nullopt if all 65536 were used within the lifetime.
  std::optional<std::uint16_t> take(Instant now);
  /// Whether take would succeed.
  bool available(Instant now);
  /// When the last ID that was taken may be used again; nullopt if none is held back.
  std::optional<Instant> free_at(Instant now);
  /// The earliest time at which take may succeed; `now` if it does now.
  Instant available_at(Instant now);

 private:
  struct Uses {
    Instant last;
    std::uint32_t count;
  };
  void expire(Instant now);

  std::uint16_t next_;
  std::chrono::nanoseconds lifetime_;
  std::vector<Uses> recent_;
  std::uint32_t held_ = 0;
};

/// Message IDs for any number of peers in bounded memory, so that nothing has to be kept of a stranger only to hold IDs
/// back. A remote address belongs, by a keyed hash, to one of `rows` counters and has an offset of its own there: what
/// one peer gets never repeats within the lifetime, and tells nobody what another one gets. Peers of one counter share
/// its 65536 IDs.
class SharedMessageIds {
 public:
  static constexpr std::uint64_t rows = 1024;
  SharedMessageIds(Random& random, std::chrono::nanoseconds lifetime);

  /// nullopt if all IDs of the counter were used within the lifetime.
  std::optional<std::uint16_t> take(const Address& remote, Instant now);
  bool available(const Address& remote, Instant now);
  Instant available_at(const Address& remote, Instant now);

 private:
  std::uint64_t hash_of(const Address& remote) const;
  MessageIds& row_of(std::uint64_t hash);

  SipKey key_;
  std::chrono::nanoseconds lifetime_;
  std::unordered_map<std::uint64_t, MessageIds> used_;
};

}  // namespace aceward::coap
