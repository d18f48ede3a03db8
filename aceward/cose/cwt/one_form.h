// Tokens of which there is one form alone: whoever holds one cannot make other octets that verify as well. A token is
// revoked by the hash of its octets, so another form of it would escape (RFC 9770 section 14.6).
#pragma once

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"

namespace aceward::cwt {

/// Whether the outside of `token` is as Tagging::one_form makes it: tag 61, then 16, 17 or 18, then the message, each
/// number in its shortest form; an empty unprotected bucket; and, in ECDSA with P-256, an s of no more than half the
/// order: (r, n - s) verifies wherever (r, s) does. Signatures with other algorithms than ES256 and EdDSA are refused.
/// Verifies nothing. Errors: `cwt_alterable`.
Result<> check_one_form(BytesView token);

/// Replaces the s of the signature of 64 octets with which `message` ends by n - s where that is the smaller.
void make_s_low(Bytes& message);

}  // namespace aceward::cwt
