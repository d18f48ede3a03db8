// The connecting side of the local control socket. Internal to net/.
#pragma once

#include <string>

namespace aceward::net {

/// A connected, blocking socket, or -1 with errno. Never waits: EAGAIN when the listener's queue is full.
int connect_local(const std::string& path);

}  // namespace aceward::net
