// The cnf claim: the key whose possession the presenter proves.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "aceward/cose/key.h"
#include "aceward/cose/usable_key.h"

namespace aceward::cwt {

/// Members of cnf, IANA "CWT Confirmation Methods".
namespace confirmation_method {
inline constexpr std::int64_t cose_key = 1;            // RFC 8747
inline constexpr std::int64_t encrypted_cose_key = 2;  // RFC 8747
inline constexpr std::int64_t kid = 3;                 // RFC 8747
inline constexpr std::int64_t osc = 4;                 // RFC 9203
}  // namespace confirmation_method

/// `Encrypted_COSE_Key = COSE_Encrypt0 / #6.16(COSE_Encrypt0)`; COSE_Encrypt is not implemented.
struct EncryptedKey {
  /// The COSE_Encrypt0 as it is carried, with its tag if it has one.
  Bytes encrypt0;

  /// Encrypts `key` (RFC 8747 section 3.3: the plaintext is the COSE_Key) under a nonce drawn from `random`; the kid
  /// of `wrapping` goes into the unprotected bucket. Errors: `cwt_confirmation_malformed` when `key` is not symmetric,
  /// `cwt_nonce_too_short`, those of Encrypt0::create.
  static Result<EncryptedKey> encrypt(const cose::Key& key, const cose::ContentKey& wrapping, Random& random);
  /// The symmetric key. Errors: `cwt_confirmation_malformed` when it is of another type, those of Encrypt0::decrypt and
  /// Key::parse.
  Result<cose::Key> decrypt(const cose::ContentKey& wrapping) const;
};

struct KeyId {
  Bytes value;
  friend bool operator==(const KeyId&, const KeyId&) = default;
};

/// A cnf map (RFC 8747 section 3.1), in the cnf claim and in the ACE parameters cnf, req_cnf and rs_cnf:
///
///   cnf = { ( 1 => COSE_Key // 2 => COSE_Encrypt0 // 3 => bstr // ), * (int / tstr) => any }
///
/// At most one of the three, and none beside osc (RFC 9203), which is a key too; other methods are kept in `others`,
/// and without any of the three `key` is empty: it is for the application whether it understands one of them
/// (section 3.1: else they are ignored).
/// A COSE_Key that has kty 4 and a kid and nothing else does not hold a key, but names one: it is read as the third
/// (RFC 9202 figure 7).
struct Confirmation {
  std::variant<std::monostate, cose::Key, EncryptedKey, KeyId> key;
  std::vector<cose::Member> others;

  Confirmation() = default;
  explicit Confirmation(cose::Key k) : key(std::move(k)) {}
  explicit Confirmation(EncryptedKey k) : key(std::move(k)) {}
  explicit Confirmation(KeyId k) : key(std::move(k)) {}

  const cose::Key* cose_key() const { return std::get_if<cose::Key>(&key); }
  const EncryptedKey* encrypted_key() const { return std::get_if<EncryptedKey>(&key); }
  const KeyId* kid() const { return std::get_if<KeyId>(&key); }
  /// The encoded value of another method, or null.
  const cose::Member* other(const cose::Label& method) const;

  Confirmation clone() const;
  /// One map in `encoded`, no more. Errors: `cwt_confirmation_malformed` (two keys, empty map, kid not bstr),
  /// `cwt_confirmation_unsupported`, those of Key::parse and cbor/.
  static Result<Confirmation> parse(BytesView encoded);
  /// Deterministic CBOR.
  Secret serialize() const;
};

}  // namespace aceward::cwt
