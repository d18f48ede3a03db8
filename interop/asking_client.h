// One request from our client stack to somebody else's server, without ACE.
#pragma once

#include <string>

#include "aceward/base/random.h"
#include "aceward/coap/layer.h"
#include "aceward/net/event_loop.h"
#include "aceward/tls/credentials.h"

namespace aceward::interop {

/// GETs a coap or coaps URI whose host is an IP literal and waits, at most 10 s. `credentials` are for coaps.
/// Errors: those of parse_uri and of coap/, tls/ and net/; `coap_not_answered`.
Result<coap::Response> get(net::EventLoop& loop, const std::string& uri, tls::ClientCredentials credentials,
                           Random& random);

}  // namespace aceward::interop
