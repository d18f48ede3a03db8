// Why an access token is refused. docs/reasons.md lists the reasons of all modules.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason issuer_config_invalid{"issuer_config_invalid", ErrorClass::internal,
                                              "a trusted issuer has no name, no keys, a name that another has too, or "
                                              "a key that is not of the kind its place is for",
                                              "list public keys as verifying keys and symmetric ones as token keys"};
inline constexpr Reason token_issuer_mismatch{"token_issuer_mismatch", ErrorClass::peer_misbehaved,
                                              "the iss claim does not name the issuer whose key protects the token",
                                              "check the issuer's name in the resource server's configuration"};
inline constexpr Reason token_without_expiry{"token_without_expiry", ErrorClass::peer_misbehaved,
                                             "the token has no exp claim, so its rights would never end",
                                             "let the authorization server put exp into its tokens"};
inline constexpr Reason token_exi_unsupported{
    "token_exi_unsupported", ErrorClass::unsupported,
    "the token's lifetime is given by exi, and this server has no place to keep "
    "what it must remember of such tokens",
    "give the server a file for them, or use exp"};
inline constexpr Reason token_exi_without_sequence{"token_exi_without_sequence", ErrorClass::malformed,
                                                   "the token has exi, but no cti that ends in a sequence number",
                                                   "let the authorization server put one in (RFC 9200 section 5.10.3)"};
inline constexpr Reason token_clock_needed{"token_clock_needed", ErrorClass::denied,
                                           "the token's times can be judged by a clock alone, and this server has "
                                           "none that can be relied on",
                                           "use exi, or cnonce with iat and exp, or introspection"};
inline constexpr Reason token_from_the_future{"token_from_the_future", ErrorClass::denied,
                                              "the token's iat lies in the future",
                                              "compare the clocks of both servers"};
inline constexpr Reason token_cnonce_missing{"token_cnonce_missing", ErrorClass::denied,
                                             "the token has no cnonce, and this server asks for one",
                                             "ask the authorization server with the cnonce of the creation hints"};
inline constexpr Reason token_cnonce_stale{"token_cnonce_stale", ErrorClass::denied,
                                           "the token's cnonce is not from this server, or too old",
                                           "get creation hints again, and a token with their cnonce"};
inline constexpr Reason token_audience_unknown{"token_audience_unknown", ErrorClass::denied,
                                               "the token has no aud claim, or one for somebody else",
                                               "compare the token's audience with those of the resource server"};
inline constexpr Reason token_scope_unrecognised{"token_scope_unrecognised", ErrorClass::malformed,
                                                 "the token's scope is missing, or the resource server knows none of "
                                                 "it",
                                                 "compare the scope with the resource server's list, or use AIF"};
inline constexpr Reason token_profile_unsupported{"token_profile_unsupported", ErrorClass::unsupported,
                                                  "the token asks for a profile that this resource server has not",
                                                  "check which profile the authorization server has for this server"};
inline constexpr Reason token_cnf_missing{"token_cnf_missing", ErrorClass::malformed,
                                          "the token has no cnf claim, so nobody can prove possession of its key",
                                          "bearer tokens are not taken: bind the token to a key"};
inline constexpr Reason token_cnf_unusable{"token_cnf_unusable", ErrorClass::unsupported,
                                           "the token's key is not one that a client can authenticate with here",
                                           "use a public key of P-256 or Ed25519, or a symmetric key of 16 to 256 "
                                           "octets"};

inline constexpr Reason derivation_key_too_short{"derivation_key_too_short", ErrorClass::internal,
                                                 "a key derivation key has less than 16 octets",
                                                 "share a longer one between authorization and resource server"};

}  // namespace aceward::reason
