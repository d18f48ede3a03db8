// Tokens and keys in files, as programs that know nothing of ACE can use them.
#pragma once

#include <filesystem>

#include "aceward/ace/token/token_verifier.h"
#include "aceward/base/random.h"

namespace aceward::interop {

/// What the tokens are for, and the resource server's view of them.
inline constexpr std::string_view audience = "rs";
ace::TokenVerifierConfig verifier_config();

/// Writes into `folder`, which exists:
///
///   psk.cwt, psk.identity, psk.key       a symmetric key of printable characters; the identity in RFC 9202's kid form
///   inline.cwt, inline.key               the same, as short as can be and without a NUL, to be an identity itself
///   raw.cwt, raw.pem, raw-public.pem     a P-256 key: private and public part
///   stranger.pem                         a P-256 key that no token is bound to
///   expired.cwt, other-audience.cwt      good but for that
///   forged.cwt                           signed with another key
///
/// Errors: those of cwt::sign and cwt::encrypt, and `record_invalid` when a file cannot be written.
Result<> mint(const std::filesystem::path& folder, WallTime now, Random& random);

}  // namespace aceward::interop
