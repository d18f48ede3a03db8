#include "aceward/ace/params/registries.h"

namespace aceward::ace {

std::string_view name_of(GrantType grant_type) {
  switch (grant_type) {
    case GrantType::password: return "password";
    case GrantType::authorization_code: return "authorization_code";
    case GrantType::client_credentials: return "client_credentials";
    case GrantType::refresh_token: return "refresh_token";
  }
  return "";
}

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_request: return "invalid_request";
    case ErrorCode::invalid_client: return "invalid_client";
    case ErrorCode::invalid_grant: return "invalid_grant";
    case ErrorCode::unauthorized_client: return "unauthorized_client";
    case ErrorCode::unsupported_grant_type: return "unsupported_grant_type";
    case ErrorCode::invalid_scope: return "invalid_scope";
    case ErrorCode::unsupported_pop_key: return "unsupported_pop_key";
    case ErrorCode::incompatible_ace_profiles: return "incompatible_ace_profiles";
  }
  return "";
}

std::string_view name_of(TokenType type) {
  switch (type) {
    case TokenType::bearer: return "Bearer";
    case TokenType::pop: return "PoP";
  }
  return "";
}

std::string_view name_of(Profile profile) {
  switch (profile) {
    case Profile::coap_dtls: return "coap_dtls";
    case Profile::coap_oscore: return "coap_oscore";
    case Profile::mqtt_tls: return "mqtt_tls";
  }
  return "";
}

}  // namespace aceward::ace
