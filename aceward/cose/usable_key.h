// Keys bound to one algorithm and loaded for use: what messages are made and checked with.
#pragma once

#include <memory>
#include <optional>

#include "aceward/cose/key.h"
#include "aceward/crypto/aead.h"
#include "aceward/crypto/mac.h"
#include "aceward/crypto/signature.h"

namespace aceward::cose {

// Each is made from a Key by `from`, which refuses a key whose alg or key_ops forbids the use (RFC 9052 section 7.1).
// `algorithm` may be left out when the key has an alg, or when its curve leaves one choice (P-256: ES256, Ed25519:
// EdDSA). Errors of `from`: `cose_key_restricted`, `cose_key_incomplete`, `cose_algorithm_unsupported`,
// `cose_key_malformed` (length of a symmetric key). All keep the library's contexts, so none is thread-safe.

/// ES256 or EdDSA, with the private key.
class SigningKey {
 public:
  static Result<SigningKey> from(const Key& key, std::optional<Algorithm> algorithm = {});
  Algorithm algorithm() const { return algorithm_; }
  const std::optional<Bytes>& kid() const { return kid_; }
  crypto::Signer& signer() const { return *signer_; }

 private:
  SigningKey() = default;
  Algorithm algorithm_;
  std::optional<Bytes> kid_;
  std::unique_ptr<crypto::Signer> signer_;
};

/// ES256 or EdDSA, with the public key.
class VerifyingKey {
 public:
  static Result<VerifyingKey> from(const Key& key, std::optional<Algorithm> algorithm = {});
  Algorithm algorithm() const { return algorithm_; }
  const std::optional<Bytes>& kid() const { return kid_; }
  crypto::Verifier& verifier() const { return *verifier_; }

 private:
  VerifyingKey() = default;
  Algorithm algorithm_;
  std::optional<Bytes> kid_;
  std::unique_ptr<crypto::Verifier> verifier_;
};

/// HMAC 256/64, 256/256, 384/384, 512/512. The key has at least 16 octets.
class MacKey {
 public:
  static Result<MacKey> from(const Key& key, std::optional<Algorithm> algorithm = {});
  Algorithm algorithm() const { return algorithm_; }
  const std::optional<Bytes>& kid() const { return kid_; }
  crypto::Mac& mac() const { return *mac_; }
  std::size_t tag_size() const { return tag_size_; }
  bool may_create() const { return may_create_; }
  bool may_verify() const { return may_verify_; }

 private:
  MacKey() = default;
  Algorithm algorithm_;
  std::optional<Bytes> kid_;
  std::unique_ptr<crypto::Mac> mac_;
  std::size_t tag_size_ = 0;
  bool may_create_ = false;
  bool may_verify_ = false;
};

/// AES-CCM-16-*, AES-GCM, ChaCha20/Poly1305.
class ContentKey {
 public:
  static Result<ContentKey> from(const Key& key, std::optional<Algorithm> algorithm = {});
  Algorithm algorithm() const { return algorithm_; }
  const std::optional<Bytes>& kid() const { return kid_; }
  crypto::Aead& aead() const { return *aead_; }
  bool may_encrypt() const { return may_encrypt_; }
  bool may_decrypt() const { return may_decrypt_; }

 private:
  ContentKey() = default;
  Algorithm algorithm_;
  std::optional<Bytes> kid_;
  std::unique_ptr<crypto::Aead> aead_;
  bool may_encrypt_ = false;
  bool may_decrypt_ = false;
};

}  // namespace aceward::cose
