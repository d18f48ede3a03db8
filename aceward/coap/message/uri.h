// coap:// and coaps:// URIs, and the options they become.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/base/address.h"
#include "aceward/base/result.h"
#include "aceward/coap/message/options.h"

namespace aceward::coap {

inline constexpr std::uint16_t default_port = 5683;
inline constexpr std::uint16_t default_secure_port = 5684;

/// An absolute URI taken apart and percent-decoded (RFC 7252 sections 6.1, 6.2, 6.4).
struct Uri {
  bool secure = false;  ///< coaps
  /// A registered name in lower case, or an IP literal without brackets.
  std::string host;
  std::uint16_t port = default_port;
  /// One element a segment; "coap://h" and "coap://h/" both have none, "coap://h/a/" has "a" and "". A decoded element
  /// may hold a slash.
  std::vector<std::string> path;
  std::vector<std::string> query;

  /// The address, with the port, if the host is an IP literal.
  std::optional<Address> literal() const;

  friend bool operator==(const Uri&, const Uri&) = default;
};

/// Errors: `uri_malformed`, `uri_scheme_unknown`, `uri_has_fragment`.
Result<Uri> parse_uri(std::string_view text);

/// The URI as text, percent-encoded where RFC 7252 section 6.5 says so; the scheme's default port is left out.
std::string compose_uri(const Uri& uri);

/// Adds Uri-Host (unless the host is an IP literal), Uri-Port (if it differs from `destination_port`, the port that
/// the request is sent to), Uri-Path and Uri-Query (RFC 7252 section 6.4). Errors: `uri_option_too_long`: an element
/// does not fit its option (255 octets, and a host of 1 to 255).
Result<void> add_uri_options(const Uri& uri, std::uint16_t destination_port, Options& options);

/// The URI that a request to `destination` names (RFC 7252 section 6.5), taken apart. Proxy-Uri and Proxy-Scheme are
/// not looked at, and a Uri-Host is not judged.
Uri uri_of(const Options& options, bool secure, const Address& destination);
/// The same as text. Errors: `uri_malformed`: the Uri-Host is no host that a URI can have.
Result<std::string> request_uri(const Options& options, bool secure, const Address& destination);

}  // namespace aceward::coap
