// Why cose/ refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason cose_message_malformed{"cose_message_malformed", ErrorClass::malformed,
                                               "the octets are not the COSE message that was expected",
                                               "check the tag and the number and types of the array's elements"};
inline constexpr Reason cose_tag_unexpected{"cose_tag_unexpected", ErrorClass::malformed,
                                            "the CBOR tag is missing, or is that of another kind of COSE message",
                                            "compare the tag with what the context calls for"};
inline constexpr Reason cose_header_malformed{"cose_header_malformed", ErrorClass::malformed,
                                              "a header parameter has the wrong type or is repeated",
                                              "look for a label in both buckets, or for IV beside Partial IV"};
inline constexpr Reason cose_critical_unknown{"cose_critical_unknown", ErrorClass::unsupported,
                                              "the message marks as critical a header parameter that is not understood",
                                              "compare the crit array with what the application declares"};
inline constexpr Reason cose_algorithm_mismatch{"cose_algorithm_mismatch", ErrorClass::peer_misbehaved,
                                                "the algorithm in the message is not the one the key is for",
                                                "check that the sender was configured with the same algorithm"};
inline constexpr Reason cose_algorithm_missing{"cose_algorithm_missing", ErrorClass::peer_misbehaved,
                                               "the message has no alg in its protected header",
                                               "let the sender protect the algorithm identifier"};
inline constexpr Reason cose_algorithm_unsupported{"cose_algorithm_unsupported", ErrorClass::unsupported,
                                                   "the algorithm is not one that is implemented for this use",
                                                   "choose one of the algorithms that the documentation lists"};
inline constexpr Reason cose_verification_failed{"cose_verification_failed", ErrorClass::peer_misbehaved,
                                                 "the signature, MAC or ciphertext does not verify under the key",
                                                 "check that both sides hold the same key and external data"};
inline constexpr Reason cose_payload_detached{"cose_payload_detached", ErrorClass::malformed,
                                              "the payload is detached where it was expected inside, or the reverse",
                                              "supply the detached payload, or ask the sender to include it"};
inline constexpr Reason cose_nonce_invalid{"cose_nonce_invalid", ErrorClass::malformed,
                                           "the IV is missing or has a length the algorithm does not take",
                                           "send an IV of the algorithm's nonce length"};
inline constexpr Reason cose_key_malformed{"cose_key_malformed", ErrorClass::malformed,
                                           "the COSE_Key lacks a required member or has one of a wrong type or length",
                                           "check kty, crv, x, y, d and k against RFC 9053 section 7"};
inline constexpr Reason cose_key_unsupported{"cose_key_unsupported", ErrorClass::unsupported,
                                             "the COSE_Key's type or curve is not implemented",
                                             "use P-256, Ed25519, X25519 or a symmetric key"};
inline constexpr Reason cose_key_restricted{"cose_key_restricted", ErrorClass::peer_misbehaved,
                                            "the COSE_Key's alg or key_ops forbids this use",
                                            "compare alg and key_ops with the operation and algorithm asked for"};
inline constexpr Reason cose_key_incomplete{"cose_key_incomplete", ErrorClass::malformed,
                                            "the operation needs a part that the COSE_Key does not have",
                                            "load the private key, or name the algorithm of a symmetric key"};

}  // namespace aceward::reason
