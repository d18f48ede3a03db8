// By what a token is recognised that somebody else holds: its token hash (drafts/ace-revoked-token-notification section
// 4) and the digest that the ledger keeps.
#pragma once

#include <cstddef>

#include "aceward/base/bytes.h"

namespace aceward::ace {

/// Octets of a token hash: one for the hash function, 32 of SHA-256.
inline constexpr std::size_t token_hash_size = 33;
/// Longest token hash that is read from elsewhere: one octet and SHA-512.
inline constexpr std::size_t max_token_hash_size = 65;

/// The token hash of a token that travelled in a CBOR `access_token` (section 4.2.1): the binary form of RFC 6920
/// section 6, with SHA-256 (suite 1), of the base64url text of the token's octets. 33 octets. `access_token` is the
/// value of the byte string, which a resource server got as the payload of /authz-info (section 4.3.1).
Bytes token_hash(BytesView access_token);

/// SHA-256 of the token's octets, 32 of them: IssuedToken::token_digest and refresh_digest.
Bytes token_digest(BytesView token);

}  // namespace aceward::ace
