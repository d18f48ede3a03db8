// The port for randomness. The real source is crypto/openssl/random.h.
#pragma once

#include <cstdint>
#include <span>

#include "aceward/base/bytes.h"

namespace aceward {

class Random {
 public:
  virtual ~Random() = default;
  /// Fills all of `out` with unpredictable octets. A source that cannot do so throws: going on would be a bug.
  virtual void fill(std::span<std::uint8_t> out) = 0;

  Bytes bytes(std::size_t count) {
    Bytes out(count);
    fill(out);
    return out;
  }
  std::uint64_t next_u64();
  /// Uniform in [0, bound); bound is not 0.
  std::uint64_t below(std::uint64_t bound);
};

/// Repeatable octets from a seed (SplitMix64): for tests and the simulator, never for keys in production.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  std::uint64_t state_;
};

}  // namespace aceward
