// Host names to addresses.
#pragma once

#include <string_view>
#include <vector>

#include "aceward/base/address.h"

namespace aceward::net {

/// A literal or a name, the system's resolver's answers in its order, without repetitions, at least one. Blocks; any
/// thread. Errors: `host_not_found`.
Result<std::vector<Address>> resolve(std::string_view host, std::uint16_t port);

}  // namespace aceward::net
