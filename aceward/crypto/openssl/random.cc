#include "aceward/crypto/openssl/random.h"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace aceward::crypto::openssl {

void SystemRandom::fill(std::span<std::uint8_t> out) {
  constexpr std::size_t most = 1U << 30;  // OpenSSL counts in int
  while (!out.empty()) {
    const std::size_t now = std::min(out.size(), most);
    if (RAND_bytes(out.data(), static_cast<int>(now)) != 1) throw std::runtime_error("no randomness");
    out = out.subspan(now);
  }
}

}  // namespace aceward::crypto::openssl
