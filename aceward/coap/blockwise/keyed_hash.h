// SipHash-2-4: a short hash of octets that a stranger cannot foresee or make collide, because it has a key.
#pragma once

#include <cstdint>

#include "aceward/base/bytes.h"
#include "aceward/base/random.h"

namespace aceward::coap {

class KeyedHash {
 public:
  KeyedHash(std::uint64_t k0, std::uint64_t k1) : k0_(k0), k1_(k1) {}
  explicit KeyedHash(Random& random) : k0_(random.next_u64()), k1_(random.next_u64()) {}

  std::uint64_t operator()(BytesView octets) const;

 private:
  std::uint64_t k0_;
  std::uint64_t k1_;
};

}  // namespace aceward::coap
