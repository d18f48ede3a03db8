// COSE_Sign1.
#pragma once

#include "aceward/cose/message.h"

namespace aceward::cose {

/// A parsed COSE_Sign1 (RFC 9052 section 4.2), tag 18:
///
///   COSE_Sign1 = [ Headers, payload : bstr / nil, signature : bstr ]
///
/// The payload comes out of `verify` alone.
class Sign1 {
 public:
  /// Errors: `cose_message_malformed`, `cose_tag_unexpected`, those of Headers::parse and cbor/.
  static Result<Sign1> parse(BytesView encoded, const ParseOptions& options = {});
  /// Signs. `alg` is put into the protected bucket; when present already it must be the key's. The caller sets kid.
  /// Errors: `cose_header_malformed`, `cose_algorithm_mismatch`, `crypto_failed`.
  static Result<Bytes> create(const SigningKey& key, Headers headers, BytesView payload,
                              const CreateOptions& options = {});

  const Headers& headers() const { return headers_; }
  bool is_detached() const { return !payload_.has_value(); }

  /// The payload, once the signature has been verified; borrowed from this object.
  /// Errors: `cose_payload_detached`, `cose_algorithm_missing`, `cose_algorithm_mismatch`, `cose_verification_failed`.
  Result<BytesView> verify(const VerifyingKey& key, const VerifyOptions& options = {}) const&;
  Result<BytesView> verify(const VerifyingKey& key, const VerifyOptions& options = {}) const&& = delete;
  /// Verifies over a payload that came by other means.
  Result<> verify_detached(const VerifyingKey& key, BytesView payload, const VerifyOptions& options = {}) const;

 private:
  Sign1() = default;
  Result<> check_signature(const VerifyingKey& key, BytesView payload, const VerifyOptions& options) const;

  Headers headers_;
  std::optional<Secret> payload_;  // of a token that was encrypted too, it may hold a key
  Bytes signature_;
};

/// Sig_structure for "Signature1" (RFC 9052 section 4.4); public for protocols that compute it by themselves (EDHOC).
Secret signature1_structure(BytesView protected_octets, BytesView external_aad, BytesView payload);

}  // namespace aceward::cose
