// How large a message becomes, before it is made.
#pragma once

#include <cstddef>

#include "aceward/coap/message/options.h"

namespace aceward::coap {

/// Octets of a message with a token of 8 octets: header, token, options, and the payload with its marker.
std::size_t message_size(const Options& options, std::size_t payload);

}  // namespace aceward::coap
