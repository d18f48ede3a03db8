// Randomness from the system, for programs that link no cryptographic library.
#pragma once

#include "aceward/base/random.h"

namespace aceward::net {

/// getrandom(2). Any thread. For keys of COSE or DTLS, crypto/openssl/random.h is the source.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace aceward::net
