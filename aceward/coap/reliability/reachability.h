// Which addresses were shown to receive what is sent to them (RFC 9175 section 2.4 item 3).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "aceward/base/address.h"
#include "aceward/base/bytes.h"
#include "aceward/base/random.h"
#include "aceward/base/time.h"
#include "aceward/coap/reliability/sip_hash.h"

namespace aceward::coap {

/// Mints Echo values for addresses without keeping anything, and remembers the addresses that sent theirs back.
///
/// A value is SipHash-2-4 under a random key of this object over address, port, scope and the number of a two-minute
/// slot: 8 octets. A tag of 64 bits is enough here: what a forger wins by a guess is answers to one address for a
/// while, each guess costs a datagram that is seen and counted, and the key lives no longer than the endpoint. Nothing
/// about freshness of the request is claimed, so the value need not be bound to it (RFC 9175 appendix A).
class Reachability {
 public:
  using Value = std::array<std::uint8_t, 8>;
  /// A value is accepted in the slot it was minted in and in the next: for two to four minutes.
  static constexpr std::chrono::minutes slot{2};
  /// How long an address stays known; then it may belong to somebody else.
  static constexpr std::chrono::hours known_for{4};

  /// `capacity`: addresses remembered, at least 1; the one that has been remembered longest makes room.
  Reachability(std::size_t capacity, Random& random);

  Value mint(const Address& remote, Instant now) const;
  /// Whether `echo` was minted here for this address, and not too long ago. In constant time for a given length.
  bool verify(const Address& remote, BytesView echo, Instant now) const;

  /// The address is reachable. True if that is news.
  bool admit(const Address& remote, Instant now);
  bool known(const Address& remote, Instant now) const;
  std::size_t size() const { return since_.size(); }

 private:
  struct Hash {
    SipKey key;
    std::size_t operator()(const Address& address) const noexcept {
      SipHash hash(key);
      hash.add(address);
      return static_cast<std::size_t>(hash.finish());
    }
  };
  Value value_of(const Address& remote, std::uint64_t number) const;

  SipKey mac_key_;
  std::size_t capacity_;
  std::unordered_map<Address, Instant, Hash> since_;
  std::vector<Address> ring_;  // in the order of admission, beginning at next_ once it is full
  std::size_t next_ = 0;
};

}  // namespace aceward::coap
