// Why coaps/ refuses. docs/reasons.md lists the reasons of all modules.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason coaps_no_secure_listener{"coaps_no_secure_listener", ErrorClass::internal,
                                                 "DTLS was configured without anybody to ask about its clients",
                                                 "give the server stack its ServerCredentials"};
inline constexpr Reason coaps_too_many_connections{"coaps_too_many_connections", ErrorClass::internal,
                                                   "the client holds as many DTLS connections as it may",
                                                   "close connections that are no longer needed, or raise the limit"};
inline constexpr Reason coaps_session_gone{"coaps_session_gone", ErrorClass::internal,
                                           "the request goes to a DTLS session that is no longer there",
                                           "connect again, and take the session's end from its event"};

}  // namespace aceward::reason
