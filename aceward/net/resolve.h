// Host names to addresses.
#pragma once

#include <string_view>
#include <vector>

#include "aceward/base/address.h"

namespace aceward::net {

/// A literal or a name, the system's resolver's answers in its order, without repetitions, at least one. Blocks; any
/// thread. Errors: `host_not_found`.
Result<std::vector<Address>> resolve(std::string_view host, std::uint16_t port);

/// The address of this host from which the system would send to `remote`, with port 0; nothing is sent. Unspecified if
/// there is none.
Address source_towards(const Address& remote);

}  // namespace aceward::net
