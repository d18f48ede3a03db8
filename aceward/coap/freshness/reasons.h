// Why coap/freshness/ refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason coap_backing_off{"coap_backing_off", ErrorClass::denied,
                                         "the server asked to wait before the next request of this kind",
                                         "send such requests more seldom, or allow the request more time"};

}  // namespace aceward::reason
