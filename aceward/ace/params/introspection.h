// What is asked of the introspection endpoint, and what it answers (RFC 9200 section 5.9, RFC 9201 section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "aceward/ace/params/confirmation_codec.h"
#include "aceward/ace/params/registries.h"
#include "aceward/ace/params/scope.h"
#include "aceward/cbor/schema.h"
#include "aceward/cose/cwt/claims.h"

namespace aceward::ace {

/// Table 6 of RFC 9200 says text string, its figure 9 shows the number of a token type: both are taken.
using TokenTypeHint = std::variant<std::string, TokenType>;

///   introspection-request = { 11 => bstr, ? 24 => tstr, ? 33 => tstr / int, * (int / tstr) => any }
///
/// Unknown parameters are ignored, they are context that the asker knows (section 5.9.1). Read it with
/// `parse_introspection_request`.
struct IntrospectionRequest {
  Bytes token;                           ///< the access token's octets
  std::optional<std::string> client_id;  ///< RFC 9200 figure 19
  std::optional<TokenTypeHint> token_type_hint;
};

///   introspection-response = { 10 => bool, ? 1 => tstr, ? 2 => tstr, ? 3 => tstr, ? 4 => date, ? 5 => date,
///                              ? 6 => date, ? 7 => bstr, ? 8 => cnf-map, ? 9 => tstr / bstr, ? 24 => tstr,
///                              ? 34 => int, ? 35 => tstr, ? 38 => int, ? 39 => bstr, ? 40 => uint,
///                              * (int / tstr) => any }
///   date = int / float
///
/// Move-only: may hold the secret key of the client. Read it with `parse_introspection_response`.
struct IntrospectionResponse {
  bool active = false;
  std::optional<std::string> iss;
  std::optional<std::string> sub;
  std::optional<std::string> aud;
  std::optional<cwt::NumericDate> exp;
  std::optional<cwt::NumericDate> nbf;
  std::optional<cwt::NumericDate> iat;
  std::optional<Bytes> cti;
  std::optional<cwt::Confirmation> cnf;  ///< always there for a token with a proof-of-possession key (RFC 9201)
  std::optional<Scope> scope;
  std::optional<std::string> client_id;
  std::optional<TokenType> token_type;
  std::optional<std::string> username;
  std::optional<Profile> ace_profile;
  std::optional<Bytes> cnonce;
  std::optional<std::uint64_t> exi;  ///< seconds from when the server first sees the token (section 5.10.3)
};

/// Octets of a token that is asked about, and of a request or a response as a whole.
inline constexpr std::size_t max_introspected_token = 8192;
inline constexpr std::size_t max_introspection_message = 16384;

/// Errors: those of cbor/; `introspection_malformed` for an empty or over-long token.
Result<IntrospectionRequest> parse_introspection_request(BytesView octets);
/// Of a token that is not active nothing else is told: what else there is, is left out. Errors: those of cbor/,
/// `cwt_claim_malformed` for a date that is no number of seconds, those of Confirmation::parse.
Result<IntrospectionResponse> parse_introspection_response(BytesView octets);

}  // namespace aceward::ace

/// Seconds, as an integer or a float.
template <>
struct aceward::cbor::Codec<aceward::cwt::NumericDate> {
  static constexpr bool accepts(Kind kind) {
    return kind == Kind::unsigned_integer || kind == Kind::negative_integer || kind == Kind::floating;
  }
  static Result<cwt::NumericDate> read(Reader& reader) {
    if (ACEWARD_TRY(reader.peek()) == Kind::floating)
      return cwt::NumericDate::from_float(ACEWARD_TRY(reader.floating()));
    return cwt::NumericDate(ACEWARD_TRY(reader.integer()));
  }
  static void write(Writer& writer, const cwt::NumericDate& date) {
    if (date.is_float()) {
      writer.floating(std::get<double>(date.value()));
    } else {
      writer.integer(std::get<std::int64_t>(date.value()));
    }
  }
};

template <>
struct aceward::cbor::Schema<aceward::ace::IntrospectionRequest> {
  using T = aceward::ace::IntrospectionRequest;
  static constexpr auto value =
      declare<T>("introspection request", Unknown::ignore, required(11, "token", &T::token),
                 optional(24, "client_id", &T::client_id), optional(33, "token_type_hint", &T::token_type_hint));
};

template <>
struct aceward::cbor::Schema<aceward::ace::IntrospectionResponse> {
  using T = aceward::ace::IntrospectionResponse;
  static constexpr auto value = declare<T>(
      "introspection response", Unknown::ignore, optional(1, "iss", &T::iss), optional(2, "sub", &T::sub),
      optional(3, "aud", &T::aud), optional(4, "exp", &T::exp), optional(5, "nbf", &T::nbf),
      optional(6, "iat", &T::iat), optional(7, "cti", &T::cti), optional(8, "cnf", &T::cnf),
      optional(9, "scope", &T::scope), required(10, "active", &T::active), optional(24, "client_id", &T::client_id),
      optional(34, "token_type", &T::token_type), optional(35, "username", &T::username),
      optional(38, "ace_profile", &T::ace_profile), optional(39, "cnonce", &T::cnonce), optional(40, "exi", &T::exi));
};
