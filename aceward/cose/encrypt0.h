// COSE_Encrypt0.
#pragma once

#include "aceward/cose/message.h"

namespace aceward::cose {

/// A parsed COSE_Encrypt0 (RFC 9052 section 5.2), tag 16:
///
///   COSE_Encrypt0 = [ Headers, ciphertext : bstr / nil ]
class Encrypt0 {
 public:
  /// Errors as Sign1::parse.
  static Result<Encrypt0> parse(BytesView encoded, const ParseOptions& options = {});
  /// Encrypts. `headers` holds the IV, of the algorithm's nonce length; the caller answers for its uniqueness. `alg`
  /// is put into the protected bucket. With options.detached, the ciphertext is written to `detached_ciphertext`.
  /// Errors: `cose_nonce_invalid`, `cose_key_restricted`, `cose_header_malformed`, `cose_algorithm_mismatch`.
  static Result<Bytes> create(const ContentKey& key, Headers headers, BytesView plaintext,
                              const CreateOptions& options = {}, Bytes* detached_ciphertext = nullptr);

  const Headers& headers() const { return headers_; }
  bool is_detached() const { return !ciphertext_.has_value(); }

  /// The plaintext. The nonce is the IV, or Partial IV padded and combined with `context_iv` (the key's Base IV).
  /// Errors: `cose_nonce_invalid`, `cose_payload_detached`, `cose_algorithm_missing`, `cose_algorithm_mismatch`,
  /// `cose_key_restricted`, `cose_verification_failed`.
  Result<Secret> decrypt(const ContentKey& key, const VerifyOptions& options = {}, BytesView context_iv = {}) const;
  Result<Secret> decrypt_detached(const ContentKey& key, BytesView ciphertext, const VerifyOptions& options = {},
                                  BytesView context_iv = {}) const;

 private:
  Encrypt0() = default;
  Result<Secret> decrypt_octets(const ContentKey& key, BytesView ciphertext, const VerifyOptions& options,
                                BytesView context_iv) const;

  Headers headers_;
  std::optional<Secret> ciphertext_;
};

/// Enc_structure for "Encrypt0" (RFC 9052 section 5.3): the additional data of the AEAD.
Bytes encrypt0_structure(BytesView protected_octets, BytesView external_aad);

}  // namespace aceward::cose
