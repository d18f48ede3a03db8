// Why ace/params refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason scope_malformed{"scope_malformed", ErrorClass::malformed,
                                        "the scope is neither a list of scope-tokens nor an AIF list",
                                        "write tokens separated by one space, or pairs of absolute path and methods"};

inline constexpr Reason introspection_malformed{"introspection_malformed", ErrorClass::malformed,
                                                "the introspection request holds no token of a length that tokens have",
                                                "send the octets of one access token as parameter 11"};

inline constexpr Reason revocation_answer_malformed{
    "revocation_answer_malformed", ErrorClass::malformed,
    "the answer of the revocation list is neither a full set nor a diff set of token hashes",
    "compare the authorization server's answer with the token revocation list of RFC 9770"};

}  // namespace aceward::reason
