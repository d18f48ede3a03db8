// Why coap/resource/ refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason location_malformed{"location_malformed", ErrorClass::malformed,
                                           "the Location-Path and Location-Query options name no location",
                                           "leave out dot segments and parts of more than 255 octets"};
inline constexpr Reason location_reserved{"location_reserved", ErrorClass::unsupported,
                                          "the location has an option of those reserved for later standards",
                                          "look which of the options 128, 132, 136 and 140 the sender uses"};

}  // namespace aceward::reason
