// Why net/ refuses. docs/reasons.md lists the reasons of all modules.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason socket_bind_failed{"socket_bind_failed", ErrorClass::internal,
                                           "the address could not be listened on",
                                           "look whether the address is one of this host's and the port is free"};
inline constexpr Reason socket_failed{"socket_failed", ErrorClass::internal, "the system refused a socket operation",
                                      "look at the limits on open files and at the network's state"};
inline constexpr Reason host_not_found{"host_not_found", ErrorClass::malformed, "the host name has no address",
                                       "look for a typing error, and at the resolver"};
inline constexpr Reason local_socket_failed{"local_socket_failed", ErrorClass::internal,
                                            "the local control socket could not be made",
                                            "look whether the directory exists, is writable, and its path is short"};
inline constexpr Reason local_socket_in_use{"local_socket_in_use", ErrorClass::internal,
                                            "another server answers on the local control socket",
                                            "stop the other server or give this one another directory"};
inline constexpr Reason local_server_unreachable{"local_server_unreachable", ErrorClass::internal,
                                                 "no server answers on the local control socket",
                                                 "look whether the server runs and uses the same directory"};
inline constexpr Reason local_message_too_large{"local_message_too_large", ErrorClass::malformed,
                                                "the line on the local control socket is too long or has a line break",
                                                "send less at once"};

}  // namespace aceward::reason
