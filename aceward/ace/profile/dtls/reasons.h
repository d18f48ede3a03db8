// Why the DTLS profile refuses. docs/reasons.md lists the reasons of all modules.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason psk_identity_malformed{
    "psk_identity_malformed", ErrorClass::malformed,
    "the PSK identity is neither a cnf with a symmetric COSE_Key that has just a kid, nor a CWT",
    "send { 8: { 1: { 1: 4, 2: kid } } } or the access token, without recoding it (RFC 9202 section 3.3.2)"};
inline constexpr Reason psk_kid_unknown{"psk_kid_unknown", ErrorClass::denied,
                                        "no live token is bound to a symmetric key with the kid of the PSK identity",
                                        "upload the access token first, or send it as the PSK identity"};
inline constexpr Reason psk_kid_ambiguous{
    "psk_kid_ambiguous", ErrorClass::denied, "several keys share the kid of the PSK identity",
    "send the access token as the PSK identity; look why kids are not unique at this resource server"};
inline constexpr Reason psk_key_not_symmetric{"psk_key_not_symmetric", ErrorClass::denied,
                                              "the token in the PSK identity is bound to a raw public key",
                                              "upload the token and use a raw public key in the handshake"};
inline constexpr Reason psk_token_outdated{"psk_token_outdated", ErrorClass::denied,
                                           "the token in the PSK identity was superseded by one that has ended",
                                           "send the most recent token"};
inline constexpr Reason raw_key_without_token{"raw_key_without_token", ErrorClass::denied,
                                              "no live token is bound to the client's raw public key",
                                              "upload the access token before the handshake"};
inline constexpr Reason session_token_ended{"session_token_ended", ErrorClass::denied,
                                            "the last token of the DTLS session's key has ended",
                                            "get a new token and connect again"};

}  // namespace aceward::reason
