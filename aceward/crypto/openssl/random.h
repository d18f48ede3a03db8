// The real source of randomness.
#pragma once

#include "aceward/base/random.h"

namespace aceward::crypto::openssl {

/// OpenSSL's generator. Throws std::runtime_error when it has no entropy. Thread-safe. The simulator makes it
/// repeatable by seeding OpenSSL itself.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace aceward::crypto::openssl
