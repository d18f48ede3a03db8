// Why base/ refuses. Every module has a file like this one; docs/reasons.md lists them all.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason hex_malformed{"hex_malformed", ErrorClass::malformed,
                                      "the text is not hexadecimal with two digits an octet",
                                      "look for an odd number of digits or a character outside 0-9, a-f"};
inline constexpr Reason address_malformed{"address_malformed", ErrorClass::malformed,
                                          "the text is not an IP address with a port",
                                          "write 192.0.2.1:5683 or [2001:db8::1]:5683"};

}  // namespace aceward::reason
