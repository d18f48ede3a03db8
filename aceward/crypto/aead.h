// Authenticated encryption with a key that stays loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "aceward/base/bytes.h"

namespace aceward::crypto {

/// What can be asked for. Names are those of RFC 9053 section 4; the number is ours, COSE's is mapped in cose/.
enum class AeadAlgorithm : std::uint8_t {
  aes_ccm_16_64_128,
  aes_ccm_16_64_256,
  aes_ccm_16_128_128,
  aes_ccm_16_128_256,
  aes_128_gcm,
  aes_192_gcm,
  aes_256_gcm,
  chacha20_poly1305,
};

/// Sizes of an AEAD algorithm, in octets.
struct AeadSizes {
  std::size_t key;
  std::size_t nonce;
  std::size_t tag;
  /// The longest plaintext; CCM with a length field of two octets takes 65535 (RFC 9053 section 4.2).
  std::uint64_t plaintext_limit;
};
AeadSizes sizes_of(AeadAlgorithm algorithm);

/// One key, loaded once. Nothing is allocated by a call. Not thread-safe: one thread at a time.
class Aead {
 public:
  virtual ~Aead() = default;
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;

  AeadAlgorithm algorithm() const { return algorithm_; }
  const AeadSizes& sizes() const { return sizes_; }

  /// Encrypts and appends the tag. `out` holds exactly plaintext.size() + sizes().tag octets and either starts where
  /// `plaintext` starts or does not overlap it. The caller answers for never repeating a nonce.
  /// Errors: `crypto_length_wrong`, `crypto_failed`.
  virtual Result<> seal(BytesView nonce, BytesView aad, BytesView plaintext, std::span<std::uint8_t> out) = 0;

  /// Verifies, then releases the plaintext. `out` holds exactly ciphertext.size() - sizes().tag octets, with the same
  /// rule on overlap. On failure `out` is all zero.
  /// Errors: `crypto_length_wrong`, `crypto_authentication_failed`.
  virtual Result<> open(BytesView nonce, BytesView aad, BytesView ciphertext, std::span<std::uint8_t> out) = 0;

  /// As above, into new memory.
  Result<Bytes> seal(BytesView nonce, BytesView aad, BytesView plaintext);
  Result<Bytes> open(BytesView nonce, BytesView aad, BytesView ciphertext);

 protected:
  explicit Aead(AeadAlgorithm algorithm) : algorithm_(algorithm), sizes_(sizes_of(algorithm)) {}

 private:
  AeadAlgorithm algorithm_;
  AeadSizes sizes_;
};

/// Loads `key`, whose length must be that of the algorithm. Errors: `crypto_length_wrong`, `crypto_failed`.
Result<std::unique_ptr<Aead>> make_aead(AeadAlgorithm algorithm, BytesView key);

}  // namespace aceward::crypto
