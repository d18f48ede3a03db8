#include "aceward/coap/blockwise/keyed_hash.h"

#include <bit>
#include <cstddef>

namespace aceward::coap {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void take(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

std::uint64_t little_endian(BytesView octets) {
  std::uint64_t word = 0;
  for (std::size_t i = octets.size(); i-- > 0;) word = word << 8 | octets[i];
  return word;
}

}  // namespace

std::uint64_t KeyedHash::operator()(BytesView octets) const {
  SipState state{k0_ ^ 0x736f6d6570736575, k1_ ^ 0x646f72616e646f6d, k0_ ^ 0x6c7967656e657261,
                 k1_ ^ 0x7465646279746573};
  const std::uint64_t length = octets.size();
  for (; octets.size() >= 8; octets = octets.subspan(8)) state.take(little_endian(octets.first(8)));
  state.take(length << 56 | little_endian(octets));
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace aceward::coap
