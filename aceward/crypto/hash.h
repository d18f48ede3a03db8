// Hash functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "aceward/base/bytes.h"

namespace aceward::crypto {

/// SHA-2 as in FIPS 180-4.
enum class HashAlgorithm : std::uint8_t { sha256, sha384, sha512 };

inline constexpr std::size_t max_hash_size = 64;
/// Octets of a digest: 32, 48 or 64.
constexpr std::size_t size_of(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::sha256: return 32;
    case HashAlgorithm::sha384: return 48;
    case HashAlgorithm::sha512: return 64;
  }
  return 0;
}

/// A hash that is fed piece by piece. Not thread-safe. Throws std::runtime_error when the library fails.
class Hash {
 public:
  virtual ~Hash() = default;
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  HashAlgorithm algorithm() const { return algorithm_; }
  virtual void update(BytesView data) = 0;
  /// Writes the digest to the first size_of(algorithm()) octets of `out` and starts anew.
  virtual void finish(std::span<std::uint8_t> out) = 0;
  /// The digest so far, without disturbing what follows: transcripts need it. Starts nothing anew.
  virtual Bytes peek() const = 0;

 protected:
  explicit Hash(HashAlgorithm algorithm) : algorithm_(algorithm) {}

 private:
  HashAlgorithm algorithm_;
};

std::unique_ptr<Hash> make_hash(HashAlgorithm algorithm);

Bytes digest(HashAlgorithm algorithm, BytesView data);
std::array<std::uint8_t, 32> sha256(BytesView data);

}  // namespace aceward::crypto
