// What a client asks the token endpoint (RFC 9200 section 5.8.1, RFC 9201 section 3.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aceward/ace/params/confirmation_codec.h"
#include "aceward/ace/params/registries.h"
#include "aceward/ace/params/scope.h"
#include "aceward/cbor/schema.h"

namespace aceward::ace {

///   request = { ? 4 => cnf-map, ? 5 => tstr, ? 9 => tstr / bstr, ? 24 => tstr, ? 25 => bstr, ? 33 => uint,
///               ? 37 => bstr, ? 38 => int / null, ? 39 => bstr, * (int / tstr) => any }
///
/// Unknown parameters are ignored (RFC 6749 section 3.2). Parse with `cbor::parse<TokenRequest>`.
struct TokenRequest {
  std::optional<cwt::Confirmation> req_cnf;
  std::optional<std::string> audience;
  std::optional<Scope> scope;
  std::optional<std::string> client_id;
  std::optional<Secret> client_secret;
  std::optional<GrantType> grant_type;  ///< absent means client_credentials
  /// Null: "tell me which one" (section 5.8.4.3).
  std::optional<cbor::Nullable<Profile>> ace_profile;
  std::optional<Bytes> cnonce;
  std::optional<Bytes> refresh_token;  ///< with grant_type refresh_token (RFC 6749 section 6)
};

}  // namespace aceward::ace

template <>
struct aceward::cbor::Schema<aceward::ace::TokenRequest> {
  using T = aceward::ace::TokenRequest;
  static constexpr auto value =
      declare<T>("token request", Unknown::ignore, optional(4, "req_cnf", &T::req_cnf),
                 optional(5, "audience", &T::audience), optional(9, "scope", &T::scope),
                 optional(24, "client_id", &T::client_id), optional(25, "client_secret", &T::client_secret),
                 optional(33, "grant_type", &T::grant_type), optional(37, "refresh_token", &T::refresh_token),
                 optional(38, "ace_profile", &T::ace_profile), optional(39, "cnonce", &T::cnonce));
};
