// AS Request Creation Hints: how a resource server says where a token can be had (RFC 9200 section 5.3).
#pragma once

#include <optional>
#include <string>

#include "aceward/ace/params/scope.h"
#include "aceward/cbor/schema.h"

namespace aceward::ace {

///   hints = { ? 1 => tstr, ? 2 => bstr, ? 5 => tstr, ? 9 => tstr / bstr, ? 39 => bstr }
///
/// All members are optional. They come over an unprotected channel and prove nothing: a client follows `as_uri` only to
/// an AS that its own configuration allows for the server (RFC 9200 section 6.4).
struct CreationHints {
  std::optional<std::string> as_uri;    ///< absolute URI of the token endpoint
  std::optional<Bytes> kid;             ///< key of the security association that exists with this client
  std::optional<std::string> audience;  ///< what to ask the AS for
  std::optional<Scope> scope;
  std::optional<Bytes> cnonce;  ///< to be copied into the token request (section 5.3.1)

  friend bool operator==(const CreationHints&, const CreationHints&) = default;
};

}  // namespace aceward::ace

template <>
struct aceward::cbor::Schema<aceward::ace::CreationHints> {
  using T = aceward::ace::CreationHints;
  static constexpr auto value = declare<T>("AS Request Creation Hints", Unknown::ignore, optional(1, "AS", &T::as_uri),
                                           optional(2, "kid", &T::kid), optional(5, "audience", &T::audience),
                                           optional(9, "scope", &T::scope), optional(39, "cnonce", &T::cnonce));
};
