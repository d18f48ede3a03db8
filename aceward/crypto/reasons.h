// Why crypto/ refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason crypto_length_wrong{"crypto_length_wrong", ErrorClass::malformed,
                                            "a key, nonce, tag or message has a length the algorithm does not take",
                                            "compare the length with the algorithm's definition"};
inline constexpr Reason crypto_authentication_failed{"crypto_authentication_failed", ErrorClass::peer_misbehaved,
                                                     "the authentication tag, MAC or signature does not verify",
                                                     "check that both sides use the same key and the same input"};
inline constexpr Reason crypto_key_invalid{"crypto_key_invalid", ErrorClass::malformed,
                                           "the octets are not a valid key of the stated curve",
                                           "check that the point lies on the curve and the scalar is in range"};
inline constexpr Reason crypto_key_unsuitable{"crypto_key_unsuitable", ErrorClass::unsupported,
                                              "the key is of a kind that the asked operation does not take",
                                              "check the key's curve against the algorithm"};
inline constexpr Reason crypto_encoding_malformed{"crypto_encoding_malformed", ErrorClass::malformed,
                                                  "the key is not a well-formed SPKI, PKCS#8 or PEM structure",
                                                  "inspect it with an ASN.1 dump"};
inline constexpr Reason crypto_failed{"crypto_failed", ErrorClass::internal,
                                      "the cryptographic library failed where it should not",
                                      "look at the library's version and configuration, and at free memory"};

}  // namespace aceward::reason
