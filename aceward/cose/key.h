// COSE_Key.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "aceward/base/secret.h"
#include "aceward/cose/registry.h"
#include "aceward/crypto/key.h"

namespace aceward::cose {

/// A COSE_Key (RFC 9052 section 7, RFC 9053 section 7):
///
///   COSE_Key = { 1 => int / tstr,       ; kty
///                ? 2 => bstr,           ; kid
///                ? 3 => int / tstr,     ; alg
///                ? 4 => [+ (int / tstr)],  ; key_ops
///                ? 5 => bstr,           ; Base IV
///                * label => any }
///   EC2: -1 crv, -2 x bstr, -3 y bstr / bool, ? -4 d bstr;  OKP: -1 crv, -2 x, ? -4 d;  Symmetric: -1 k bstr
///
/// Only keys that can be used are held: P-256, Ed25519, X25519 with their public key checked, and symmetric keys of 1
/// to 512 octets. Move-only, as it may hold a secret.
class Key {
 public:
  /// All of `encoded` is one COSE_Key. Unknown members are kept. With `d` and no `x`, the public key is computed; with
  /// both they must belong together. Errors: `cose_key_malformed`, `cose_key_unsupported`, or those of cbor/.
  static Result<Key> parse(BytesView encoded);
  static Key from_public(const crypto::PublicKey& key);
  static Key from_private(const crypto::PrivateKey& key);
  /// Errors: `cose_key_malformed` when empty or above 512 octets.
  static Result<Key> symmetric(Secret k);

  /// Deterministic CBOR, the private or symmetric part included.
  Secret serialize() const;
  Key clone() const;
  /// Without `d`. Errors: `cose_key_incomplete` for a symmetric key, which has no public part.
  Result<Key> public_part() const;

  KeyType kty() const;
  /// Empty for a symmetric key.
  std::optional<Curve> crv() const;
  bool is_symmetric() const { return !public_key_.has_value(); }
  bool has_private() const { return private_key_.has_value(); }
  /// Errors: `cose_key_incomplete`.
  Result<crypto::PublicKey> public_key() const;
  Result<crypto::PrivateKey> private_key() const;
  /// The octets of a symmetric key; empty for the others.
  BytesView k() const { return k_.expose(); }

  std::optional<Bytes> kid;
  std::optional<Algorithm> alg;
  /// Empty when the member is absent: then all operations are allowed.
  std::vector<KeyOperation> key_ops;
  std::optional<Bytes> base_iv;
  std::vector<Member> others;

  /// May the key be used for `operation` with `algorithm` (RFC 9052 section 7.1)? Errors: `cose_key_restricted`.
  Result<> permits(KeyOperation operation, Algorithm algorithm) const;

  /// Is it the same key (type, curve, public and secret octets)? kid, alg and the like do not count. Constant-time in
  /// the secret octets. A public key and its private key are not the same key; compare public parts for that.
  bool same_key(const Key& other) const;

  /// RFC 9679: SHA-256 over the required members in deterministic CBOR. That of a private key is that of its public
  /// key; that of a symmetric key is as sensitive as a hash of the key.
  std::array<std::uint8_t, 32> thumbprint() const;

 private:
  Key() = default;

  std::optional<crypto::PublicKey> public_key_;
  std::optional<crypto::PrivateKey> private_key_;
  Secret k_;
};

}  // namespace aceward::cose
