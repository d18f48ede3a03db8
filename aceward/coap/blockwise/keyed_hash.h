// A short hash of octets that a stranger cannot foresee or make collide, because it has a key.
#pragma once

#include <cstdint>

#include "aceward/base/bytes.h"
#include "aceward/base/random.h"
#include "aceward/coap/reliability/sip_hash.h"

namespace aceward::coap {

class KeyedHash {
 public:
  explicit KeyedHash(Random& random) : key_{random.next_u64(), random.next_u64()} {}

  std::uint64_t operator()(BytesView octets) const {
    SipHash hash(key_);
    const auto length = octets.size();
    for (; octets.size() >= 8; octets = octets.subspan(8)) hash.add(word_of(octets.first(8)));
    // The tail has at most seven octets; the length tells it from a whole word.
    hash.add(word_of(octets));
    hash.add(length);
    return hash.finish();
  }

 private:
  static std::uint64_t word_of(BytesView octets) {
    std::uint64_t word = 0;
    for (const auto octet : octets) word = word << 8 | octet;
    return word;
  }

  SipKey key_;
};

}  // namespace aceward::coap
