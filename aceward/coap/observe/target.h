// What an observation or a stored response is for.
#pragma once

#include <cstddef>

#include "aceward/base/bytes.h"
#include "aceward/coap/layer.h"
#include "aceward/coap/peer.h"

namespace aceward::coap {

/// A resource as one request sees it: two requests with equal targets ask the same of the same server.
struct Target {
  Peer peer;
  /// Method, options and, of a FETCH, payload (RFC 7252 section 5.6, RFC 8132 section 2). ETag and Observe are left
  /// out.
  Bytes key;

  friend bool operator==(const Target&, const Target&) = default;
};

Target target_of(const Peer& peer, const Request& request);

struct TargetHash {
  std::size_t operator()(const Target& target) const noexcept;
};

/// Max-Age in seconds, with its default (RFC 7252 section 5.10.5).
std::uint32_t max_age_of(const Response& response);

}  // namespace aceward::coap
