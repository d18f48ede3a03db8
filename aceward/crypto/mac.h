// HMAC with a key that stays loaded.
#pragma once

#include <memory>
#include <span>

#include "aceward/base/bytes.h"
#include "aceward/crypto/hash.h"

namespace aceward::crypto {

/// HMAC (RFC 2104) over SHA-2, of any key length. A call costs OpenSSL two small allocations. Not thread-safe.
/// Throws std::runtime_error when the library fails.
class Mac {
 public:
  virtual ~Mac() = default;
  Mac(const Mac&) = delete;
  Mac& operator=(const Mac&) = delete;

  HashAlgorithm hash() const { return hash_; }
  /// Writes the first out.size() octets of the MAC of the concatenated `parts`; at most size_of(hash()).
  virtual void compute(std::span<const BytesView> parts, std::span<std::uint8_t> out) = 0;

  void compute(BytesView message, std::span<std::uint8_t> out) { compute(std::span(&message, 1), out); }
  /// Compares in constant time. `tag` must be `tag_size` long; a shorter one is never accepted.
  bool verify(BytesView message, BytesView tag, std::size_t tag_size);

 protected:
  explicit Mac(HashAlgorithm hash) : hash_(hash) {}

 private:
  HashAlgorithm hash_;
};

std::unique_ptr<Mac> make_hmac(HashAlgorithm hash, BytesView key);

/// The whole HMAC, once.
Bytes hmac(HashAlgorithm hash, BytesView key, BytesView message);

}  // namespace aceward::crypto
