// A keyed hash for tables and short-lived proofs.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "aceward/base/address.h"

namespace aceward::coap {

using SipKey = std::array<std::uint64_t, 2>;

/// SipHash-2-4 (Aumasson and Bernstein, 2012) over whole 64-bit words: who sees results for inputs of their choice
/// learns nothing of the key, and cannot make two inputs collide.
class SipHash {
 public:
  explicit SipHash(const SipKey& key)
      : v_{key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU, key[0] ^ 0x6c7967656e657261U,
           key[1] ^ 0x7465646279746573U} {}

  void add(std::uint64_t word) {
    v_[3] ^= word;
    mix(2);
    v_[0] ^= word;
    length_ += 8;
  }
  void add(const Address& address) {
    for (std::size_t half = 0; half < 2; ++half) {
      std::uint64_t word = 0;
      for (std::size_t i = 8; i-- > 0;) word = word << 8 | address.ip[8 * half + i];
      add(word);
    }
    add(std::uint64_t{address.scope} << 16 | address.port);
  }
  std::uint64_t finish() {
    const auto last = length_ << 56;
    v_[3] ^= last;
    mix(2);
    v_[0] ^= last;
    v_[2] ^= 0xff;
    mix(4);
    return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }

 private:
  void mix(int times) {
    while (times-- > 0) {
      v_[0] += v_[1];
      v_[2] += v_[3];
      v_[1] = std::rotl(v_[1], 13) ^ v_[0];
      v_[3] = std::rotl(v_[3], 16) ^ v_[2];
      v_[0] = std::rotl(v_[0], 32);
      v_[2] += v_[1];
      v_[0] += v_[3];
      v_[1] = std::rotl(v_[1], 17) ^ v_[2];
      v_[3] = std::rotl(v_[3], 21) ^ v_[0];
      v_[2] = std::rotl(v_[2], 32);
    }
  }
  std::array<std::uint64_t, 4> v_;
  std::uint64_t length_ = 0;
};

}  // namespace aceward::coap
