// Why coap/problem/ refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason problem_malformed{"problem_malformed", ErrorClass::malformed,
                                          "the problem details break the format of RFC 9290",
                                          "compare the entry that the detail names with RFC 9290 section 2"};

}  // namespace aceward::reason
