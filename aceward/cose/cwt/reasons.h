// Why cwt refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason cwt_malformed{"cwt_malformed", ErrorClass::malformed,
                                      "the octets are not a CWT: no known COSE message, or no claims map within",
                                      "check the tags, and whether an untagged token is expected here"};
inline constexpr Reason cwt_claim_malformed{"cwt_claim_malformed", ErrorClass::malformed,
                                            "a claim has a wrong type or value",
                                            "compare the claim with its registration; dates carry no tag"};
inline constexpr Reason cwt_confirmation_malformed{"cwt_confirmation_malformed", ErrorClass::malformed,
                                                   "the cnf claim does not represent exactly one key",
                                                   "put one of COSE_Key, Encrypted_COSE_Key or kid into cnf"};
inline constexpr Reason cwt_confirmation_unsupported{"cwt_confirmation_unsupported", ErrorClass::unsupported,
                                                     "the confirmation key is wrapped in a way that is not implemented",
                                                     "encrypt it as COSE_Encrypt0"};
inline constexpr Reason cwt_nested_too_deep{"cwt_nested_too_deep", ErrorClass::malformed,
                                            "the CWT has more layers than are accepted",
                                            "sign once, then encrypt once"};
inline constexpr Reason cwt_key_unknown{"cwt_key_unknown", ErrorClass::peer_misbehaved,
                                        "no key is known for the token's kid and algorithm",
                                        "check that the issuer's key has been registered here"};
inline constexpr Reason cwt_verification_failed{"cwt_verification_failed", ErrorClass::peer_misbehaved,
                                                "the token verifies under none of the keys that could fit",
                                                "check that issuer and recipient hold the same key"};
inline constexpr Reason cwt_key_unprotected{"cwt_key_unprotected", ErrorClass::peer_misbehaved,
                                            "a symmetric proof-of-possession key stands readable in the token",
                                            "encrypt the token, or the key within it"};
inline constexpr Reason cwt_nonce_too_short{"cwt_nonce_too_short", ErrorClass::internal,
                                            "the algorithm's nonce is too short to be drawn at random",
                                            "encrypt tokens with AES-CCM-16-64-128 or another 13-byte nonce"};
inline constexpr Reason cwt_alterable{"cwt_alterable", ErrorClass::malformed,
                                      "the token is of a form that others could change without its key",
                                      "tag it with 61 and a COSE tag, protect all headers, use the smaller s of ECDSA"};
inline constexpr Reason token_expired{"token_expired", ErrorClass::denied, "the token's exp has passed",
                                      "ask for a new token; compare the clocks"};
inline constexpr Reason token_not_yet_valid{"token_not_yet_valid", ErrorClass::denied,
                                            "the token's nbf lies in the future", "compare the clocks"};

}  // namespace aceward::reason
