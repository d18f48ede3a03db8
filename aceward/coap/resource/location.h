// Where a created resource is: Location-Path and Location-Query (RFC 7252 section 5.10.7).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/base/result.h"
#include "aceward/coap/message/options.h"
#include "aceward/coap/message/uri.h"

namespace aceward::coap {

/// A relative URI, taken apart and without percent-encoding. Always an absolute path: without segments it is "/".
struct Location {
  std::vector<std::string> path;
  std::vector<std::string> query;

  friend bool operator==(const Location&, const Location&) = default;
};

/// Adds the options. Errors: `location_malformed`: neither path nor query, a segment "." or "..", or a part longer than
/// 255 octets.
Result<void> add_location(Options& options, const Location& location);
/// The segments between the slashes of `path`, as Options::add_path takes them.
Result<void> add_location(Options& options, std::string_view path);

/// What a response says; nullopt if it has no such options. Errors: `location_malformed`: a segment "." or "..";
/// `location_reserved`: one of the reserved Location-* options 128, 132, 136 and 140 is there too.
Result<std::optional<Location>> location_in(const Options& options);

/// `/a/b?c=d`, percent-encoded.
std::string to_string(const Location& location);
/// Interpreted relative to the URI of the request.
Uri resolve(const Uri& request_uri, const Location& location);

}  // namespace aceward::coap
