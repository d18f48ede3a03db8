#include "aceward/base/random.h"

#include <cstring>

namespace aceward {

std::uint64_t Random::next_u64() {
  std::uint8_t octets[8];
  fill(octets);
  std::uint64_t value;
  std::memcpy(&value, octets, sizeof value);
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  // Rejection keeps the distribution uniform: values in the incomplete last interval are drawn again.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value;
  do value = next_u64();
  while (value >= limit);
  return value % bound;
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
  std::size_t i = 0;
  while (i < out.size()) {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    for (int octet = 0; octet < 8 && i < out.size(); ++octet, ++i) out[i] = static_cast<std::uint8_t>(z >> (8 * octet));
  }
}

}  // namespace aceward
