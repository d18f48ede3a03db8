#include "aceward/coap/blockwise/message_size.h"

namespace aceward::coap {
namespace {

// Octets beyond the first that an option's delta or length takes (RFC 7252 section 3.1).
constexpr std::size_t extra_octets(std::size_t number) { return number < 13 ? 0 : number < 269 ? 1 : 2; }

}  // namespace

std::size_t message_size(const Options& options, std::size_t payload) {
  std::size_t size = 4 + 8 + (payload == 0 ? 0 : 1 + payload);
  std::uint16_t previous = 0;
  for (const auto [number, value] : options) {
    const auto delta = static_cast<std::uint16_t>(number.value - previous);
    size += 1 + extra_octets(delta) + extra_octets(value.size()) + value.size();
    previous = number.value;
  }
  return size;
}

}  // namespace aceward::coap
