// Signing and verifying with keys that stay loaded.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "aceward/crypto/key.h"

namespace aceward::crypto {

/// ECDSA with P-256 and SHA-256, or Ed25519. Both signatures have 64 octets.
enum class SignatureAlgorithm : std::uint8_t { es256, ed25519 };

inline constexpr std::size_t max_signature_size = 64;
constexpr std::size_t size_of(SignatureAlgorithm) { return 64; }

/// One private key, loaded once. Not thread-safe.
class Signer {
 public:
  virtual ~Signer() = default;
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  SignatureAlgorithm algorithm() const { return algorithm_; }
  const PublicKey& public_key() const { return public_key_; }
  /// ES256 gives r||s (RFC 9053 section 2.1) with a fresh nonce each time; Ed25519 is deterministic.
  /// Errors: `crypto_failed`.
  virtual Result<Bytes> sign(BytesView message) = 0;

 protected:
  Signer(SignatureAlgorithm algorithm, const PublicKey& public_key) : algorithm_(algorithm), public_key_(public_key) {}

 private:
  SignatureAlgorithm algorithm_;
  PublicKey public_key_;
};

/// One public key, loaded once. Not thread-safe.
class Verifier {
 public:
  virtual ~Verifier() = default;
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  SignatureAlgorithm algorithm() const { return algorithm_; }
  const PublicKey& public_key() const { return public_key_; }
  /// Errors: `crypto_authentication_failed`, also for a signature of a wrong length.
  virtual Result<> verify(BytesView message, BytesView signature) = 0;

 protected:
  Verifier(SignatureAlgorithm algorithm, const PublicKey& public_key)
      : algorithm_(algorithm), public_key_(public_key) {}

 private:
  SignatureAlgorithm algorithm_;
  PublicKey public_key_;
};

/// P-256 signs with ES256, Ed25519 with itself. Errors: `crypto_key_unsuitable` (X25519), `crypto_failed`.
Result<std::unique_ptr<Signer>> make_signer(const PrivateKey& key);
Result<std::unique_ptr<Verifier>> make_verifier(const PublicKey& key);

}  // namespace aceward::crypto
