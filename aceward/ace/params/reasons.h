// Why ace/params refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason scope_malformed{"scope_malformed", ErrorClass::malformed,
                                        "the scope is neither a list of scope-tokens nor an AIF list",
                                        "write tokens separated by one space, or pairs of absolute path and methods"};

}  // namespace aceward::reason
