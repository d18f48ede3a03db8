// Why cbor/ refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason cbor_truncated{"cbor_truncated", ErrorClass::malformed,
                                       "the CBOR ends in the middle of a data item",
                                       "look whether the message was cut on its way, or a length in it is wrong"};
inline constexpr Reason cbor_not_well_formed{"cbor_not_well_formed", ErrorClass::malformed,
                                             "the octets are not well-formed CBOR",
                                             "look for reserved additional information or a break out of place"};
inline constexpr Reason cbor_not_preferred{"cbor_not_preferred", ErrorClass::malformed,
                                           "the CBOR is not in preferred serialization",
                                           "let the sender use the shortest heads and definite lengths"};
inline constexpr Reason cbor_unexpected_kind{"cbor_unexpected_kind", ErrorClass::malformed,
                                             "a CBOR data item is of another kind than its place asks for",
                                             "compare the message with the CDDL of its specification"};
inline constexpr Reason cbor_out_of_range{"cbor_out_of_range", ErrorClass::malformed,
                                          "a CBOR number or length does not fit its place",
                                          "compare the message with the CDDL of its specification"};
inline constexpr Reason cbor_not_utf8{"cbor_not_utf8", ErrorClass::malformed, "a CBOR text string is not valid UTF-8",
                                      "let the sender use a byte string for what is not text"};
inline constexpr Reason cbor_duplicate_key{"cbor_duplicate_key", ErrorClass::malformed,
                                           "a CBOR map holds the same key twice",
                                           "look for the sender's bug: no reader may choose one of the two"};
inline constexpr Reason cbor_trailing_bytes{"cbor_trailing_bytes", ErrorClass::malformed,
                                            "octets follow where the CBOR data item should end",
                                            "look whether a sequence was sent where one item is expected"};
inline constexpr Reason cbor_too_deep{"cbor_too_deep", ErrorClass::malformed,
                                      "the CBOR nests deeper than the limit allows",
                                      "raise the limit only if the specification needs it"};
inline constexpr Reason cbor_too_many_items{"cbor_too_many_items", ErrorClass::malformed,
                                            "the CBOR has more data items than the limit allows",
                                            "raise the limit only if the specification needs it"};
inline constexpr Reason cbor_too_large{"cbor_too_large", ErrorClass::malformed,
                                       "the CBOR has more octets than the limit allows",
                                       "raise the limit only if the specification needs it"};
inline constexpr Reason cbor_key_missing{"cbor_key_missing", ErrorClass::malformed,
                                         "a CBOR map or array lacks a required member",
                                         "the detail names the member that is missing"};
inline constexpr Reason cbor_key_unknown{"cbor_key_unknown", ErrorClass::malformed,
                                         "a CBOR map holds a key that its message does not allow",
                                         "compare the message with the CDDL of its specification"};
inline constexpr Reason cbor_diagnostic_malformed{"cbor_diagnostic_malformed", ErrorClass::malformed,
                                                  "the text is not CBOR diagnostic notation",
                                                  "the detail says what was expected at the reported offset"};

}  // namespace aceward::reason
