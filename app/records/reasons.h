// Why the program itself refuses. docs/reasons.md lists the reasons of all modules.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason asker_not_allowed{
    "asker_not_allowed", ErrorClass::denied, "only an administrator may do that",
    "ask as the superuser or as the user that the server runs as; owners have policy, token and request for their "
    "own servers"};

}  // namespace aceward::reason
