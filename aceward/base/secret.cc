#include "aceward/base/secret.h"

#include <cstring>

namespace aceward {

bool equal_constant_time(BytesView a, BytesView b) {
  if (a.size() != b.size()) return false;
  // volatile keeps the compiler from leaving the loop early once a difference is known.
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

void wipe(std::span<std::uint8_t> memory) {
  if (!memory.empty()) explicit_bzero(memory.data(), memory.size());
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe(octets_);
    octets_ = std::move(other.octets_);
    other.octets_.clear();
  }
  return *this;
}

Secret::~Secret() { wipe(octets_); }

}  // namespace aceward
