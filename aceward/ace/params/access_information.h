// What the token endpoint answers: Access Information, or an error (RFC 9200 sections 5.8.2 and 5.8.3, RFC 9201).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aceward/ace/params/confirmation_codec.h"
#include "aceward/ace/params/registries.h"
#include "aceward/ace/params/scope.h"
#include "aceward/cbor/schema.h"

namespace aceward::ace {

///   access-information = { 1 => bstr, ? 2 => uint, ? 8 => cnf-map, ? 9 => tstr / bstr, ? 34 => int, ? 37 => bstr,
///                          ? 38 => int, ? 41 => cnf-map, * (int / tstr) => any }
///
/// Holds a secret where the proof-of-possession key is symmetric.
struct AccessInformation {
  Bytes access_token;                       ///< opaque to the client; passed on octet by octet (RFC 9202 section 3.3.2)
  std::optional<std::uint64_t> expires_in;  ///< seconds
  std::optional<cwt::Confirmation> cnf;     ///< the key the AS chose for the client
  std::optional<Scope> scope;               ///< there when it is not what was asked for
  std::optional<TokenType> token_type;      ///< absent means PoP
  std::optional<Profile> ace_profile;
  std::optional<cwt::Confirmation> rs_cnf;  ///< the key the resource server authenticates with
  std::optional<Bytes> refresh_token;       ///< gets the next token (RFC 6749 section 6); for the AS alone
};

///   error = { 30 => int, ? 31 => tstr, ? 32 => tstr, * (int / tstr) => any }
struct ErrorResponse {
  ErrorCode error = ErrorCode::invalid_request;
  std::optional<std::string> error_description;
  std::optional<std::string> error_uri;

  friend bool operator==(const ErrorResponse&, const ErrorResponse&) = default;
};

}  // namespace aceward::ace

template <>
struct aceward::cbor::Schema<aceward::ace::AccessInformation> {
  using T = aceward::ace::AccessInformation;
  static constexpr auto value = declare<T>(
      "Access Information", Unknown::ignore, required(1, "access_token", &T::access_token),
      optional(2, "expires_in", &T::expires_in), optional(8, "cnf", &T::cnf), optional(9, "scope", &T::scope),
      optional(34, "token_type", &T::token_type), optional(37, "refresh_token", &T::refresh_token),
      optional(38, "ace_profile", &T::ace_profile), optional(41, "rs_cnf", &T::rs_cnf));
};

template <>
struct aceward::cbor::Schema<aceward::ace::ErrorResponse> {
  using T = aceward::ace::ErrorResponse;
  static constexpr auto value =
      declare<T>("token error", Unknown::ignore, required(30, "error", &T::error),
                 optional(31, "error_description", &T::error_description), optional(32, "error_uri", &T::error_uri));
};
