// IANA values of the framework (RFC 9200 section 8). Open: a value that is not named here is kept, not refused.
#pragma once

#include <cstdint>
#include <string_view>

namespace aceward::ace {

/// OAuth grant types in CBOR (RFC 9200 table 4).
enum class GrantType : std::int64_t { password = 0, authorization_code = 1, client_credentials = 2, refresh_token = 3 };

/// OAuth error codes in CBOR (RFC 9200 table 3).
enum class ErrorCode : std::int64_t {
  invalid_request = 1,
  invalid_client = 2,
  invalid_grant = 3,
  unauthorized_client = 4,
  unsupported_grant_type = 5,
  invalid_scope = 6,
  unsupported_pop_key = 7,
  incompatible_ace_profiles = 8,
};

/// OAuth access token types in CBOR (RFC 9200 section 8.7.1).
enum class TokenType : std::int64_t { bearer = 1, pop = 2 };

/// ACE profiles (RFC 9202 section 9, RFC 9203 section 9.1, RFC 9431 section 7.3).
enum class Profile : std::int64_t { coap_dtls = 1, coap_oscore = 2, mqtt_tls = 3 };

/// The registered name, or "" for a value without one.
std::string_view name_of(GrantType);
std::string_view name_of(ErrorCode);
std::string_view name_of(TokenType);
std::string_view name_of(Profile);

}  // namespace aceward::ace
