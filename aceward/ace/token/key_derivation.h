// Symmetric proof-of-possession keys that the token does not carry: authorization server and resource server derive
// them from a key that only they share (RFC 9202 section 3.3.1).
#pragma once

#include <cstddef>

#include "aceward/base/secret.h"

namespace aceward::ace {

/// A key derivation key has at least so many octets. It is used for nothing else, and no two resource servers have the
/// same.
inline constexpr std::size_t min_derivation_key_octets = 16;
/// Octets of `derivation_key_id`.
inline constexpr std::size_t derivation_key_id_octets = 4;

/// HKDF-SHA-256 with the empty salt, the key derivation key as IKM and, as info,
///   [ "ACE-CoAP-DTLS-key-derivation", L : uint, access_token : bytes ]
/// in deterministic CBOR. `access_token` is the content of the access_token field, exactly as it was transferred;
/// `octets` is L, 16 to 256. Errors: `derivation_key_too_short`, `crypto_length_wrong`.
Result<Secret> derive_pop_key(const Secret& key_derivation_key, BytesView access_token, std::size_t octets = 16);

/// What tells the key derivation keys of one issuer apart while two of them live: four octets that depend on the key
/// and reveal nothing of it. A kid that begins with them says which key the token's key is derived from; ours does
/// (the standard leaves the form of a kid open), and without it the first key of the list is taken.
Bytes derivation_key_id(const Secret& key_derivation_key);

}  // namespace aceward::ace
