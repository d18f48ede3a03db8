// Whom a client believes: the servers that its owner configured, and what a hint may say about them.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "aceward/ace/params/creation_hints.h"
#include "aceward/base/address.h"
#include "aceward/base/result.h"

namespace aceward::ace::client {

/// An authorization server, as configured.
struct AuthorizationServerEntry {
  std::string token_uri;  ///< absolute: `coaps://as.example/token`
  Address address;        ///< where it is reached
  /// How long its tokens are valid where the answer does not say (RFC 9200 section 5.10.4); absent: such answers are
  /// of no use.
  std::optional<std::chrono::seconds> token_lifetime = std::nullopt;
  /// It is to say which profile a token is for (RFC 9200 section 5.8.4.3).
  bool ask_profile = false;
};

/// A resource server, as configured. The audience is what client and authorization server agree to call it (RFC 9202
/// section 7.3); taking it from a hint would let a stranger swap one server for another.
struct ServerEntry {
  std::string name;
  std::optional<Address> plain;  ///< CoAP without DTLS: hints and authz-info; absent: the client never asks there
  Address secure;                ///< CoAP over DTLS
  std::string audience;
  std::string authz_info_path = "authz-info";
  /// Where nothing is at that path, the server's /.well-known/core is asked for the one with rt=ace.ai (RFC 9200
  /// section 8.1, RFC 6690). Switched off where the owner configured the path.
  bool find_authz_info = true;
};

/// Do two URIs name the same endpoint? `coap` and `coaps` count as one scheme, and a port that is not written is the
/// default of its scheme (RFC 9200 section 5.3 lets the client adapt the scheme).
bool same_endpoint(std::string_view a, std::string_view b);

/// May the client follow these hints of this server to this authorization server (RFC 9200 sections 5.1, 6.4)? A member
/// that is absent says nothing. Errors: `hint_as_not_allowed`, `hint_audience_unexpected`.
Result<> check_hints(const CreationHints& hints, const ServerEntry& server, const AuthorizationServerEntry& as);

}  // namespace aceward::ace::client
