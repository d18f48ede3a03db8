// How often this program allocated: the executable's operator new counts.
#pragma once

#include <cstdint>

namespace aceward::bench {

std::uint64_t allocations();

}  // namespace aceward::bench
