// The connecting side of the local control socket. Internal to net/.
#pragma once

#include <string>

namespace aceward::net {

/// A connected socket, or -1 with errno. Blocks for no longer than the listener's queue is full.
int connect_local(const std::string& path);

}  // namespace aceward::net
