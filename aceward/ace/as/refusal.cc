#include "aceward/ace/as/refusal.h"

#include <algorithm>
#include <string>

#include "aceward/ace/as/reasons.h"
#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/reasons.h"
#include "aceward/coap/resource/router.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/reasons.h"

namespace aceward::ace::as {

namespace {

/// Seconds after which a client may try again when the ledger is out of reach.
constexpr std::uint64_t retry_after = 5;

struct WireError {
  const Reason* reason;
  ErrorCode code;
  bool described;  ///< the Reason's sentence tells the client nothing that is not its own
};

constexpr WireError wire_errors[] = {
    {&reason::client_not_authenticated, ErrorCode::invalid_client, false},
    {&reason::client_unregistered, ErrorCode::invalid_client, false},
    {&reason::client_id_mismatch, ErrorCode::invalid_client, true},
    {&reason::client_secret_unexpected, ErrorCode::invalid_client, true},
    {&reason::client_secret_missing, ErrorCode::invalid_client, false},
    {&reason::client_secret_wrong, ErrorCode::invalid_client, false},
    {&reason::client_without_rules, ErrorCode::unauthorized_client, false},
    {&reason::grant_type_unsupported, ErrorCode::unsupported_grant_type, true},
    {&reason::audience_missing, ErrorCode::invalid_request, true},
    {&reason::audience_unknown, ErrorCode::invalid_request, false},
    {&reason::audience_without_policy, ErrorCode::invalid_request, false},
    {&reason::ace_profile_incompatible, ErrorCode::incompatible_ace_profiles, true},
    {&reason::cnonce_too_long, ErrorCode::invalid_request, true},
    {&reason::req_cnf_secret, ErrorCode::invalid_request, true},
    {&reason::req_cnf_kid_too_long, ErrorCode::invalid_request, true},
    {&reason::pop_key_method_unsupported, ErrorCode::unsupported_pop_key, true},
    {&reason::pop_key_not_proven, ErrorCode::unsupported_pop_key, true},
    {&reason::pop_key_unsuitable, ErrorCode::unsupported_pop_key, true},
    {&reason::pop_key_unknown, ErrorCode::unsupported_pop_key, true},
    {&reason::pop_key_of_other_servers, ErrorCode::unsupported_pop_key, true},
    {&reason::group_key_shared, ErrorCode::unsupported_pop_key, true},
    {&reason::cose_key_unsupported, ErrorCode::unsupported_pop_key, true},
    {&reason::cose_algorithm_unsupported, ErrorCode::unsupported_pop_key, true},
    {&reason::cwt_confirmation_unsupported, ErrorCode::unsupported_pop_key, true},
    {&reason::scope_format_mismatch, ErrorCode::invalid_scope, true},
    {&reason::scope_malformed, ErrorCode::invalid_scope, true},
    {&reason::scope_denied, ErrorCode::invalid_scope, false},
    // RFC 6749 section 5.2: it exceeds what the resource owner grants.
    {&reason::owner_denied, ErrorCode::invalid_scope, false},
    {&reason::refresh_widens_scope, ErrorCode::invalid_scope, true},
    {&reason::refresh_token_missing, ErrorCode::invalid_request, true},
    {&reason::refresh_changes_key, ErrorCode::invalid_request, true},
    {&reason::refresh_changes_audience, ErrorCode::invalid_request, true},
    {&reason::refresh_token_invalid, ErrorCode::invalid_grant, false},
};

struct Later {
  const Reason* reason;
  coap::Code code;
};

constexpr Later come_back_later[] = {
    {&reason::token_requests_too_many, coap::code::too_many_requests},
    {&reason::tokens_too_many, coap::code::too_many_requests},
    {&reason::client_secret_throttled, coap::code::too_many_requests},
    {&reason::owner_asked, coap::code::service_unavailable},
    {&reason::requests_full, coap::code::service_unavailable},
};

/// The characters of an error_description (RFC 6749 section 5.2).
bool is_describable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\'; });
}

coap::Response error_response(ErrorCode code, std::string_view description) {
  ErrorResponse error;
  error.error = code;
  if (!description.empty() && is_describable(description)) error.error_description = std::string(description);
  return coap::make_response(code == ErrorCode::invalid_client ? coap::code::unauthorized : coap::code::bad_request,
                             coap::content_format::ace_cbor, cbor::serialize(error));
}

}  // namespace

coap::Response refusal(const Error& error, std::chrono::seconds retry_after) {
  for (const Later& known : come_back_later) {
    if (error != *known.reason) continue;
    coap::Response response = coap::make_response(known.code);
    response.options.set_uint(coap::option::max_age,
                              static_cast<std::uint64_t>(std::max<std::int64_t>(1, retry_after.count())));
    return response;
  }
  for (const WireError& known : wire_errors)
    if (error == *known.reason) return error_response(known.code, known.described ? error.reason().what : "");
  if (error == reason::token_request_format) return coap::make_response(coap::code::unsupported_content_format);
  if (error == reason::token_request_accept) return coap::make_response(coap::code::not_acceptable);
  if (error.error_class() == ErrorClass::internal) return refusal_by_ledger(error);
  return error_response(ErrorCode::invalid_request,
                        error.error_class() == ErrorClass::malformed ? error.reason().what : "");
}

coap::Response refusal_by_ledger(const Error& error) {
  // The store's; known here by its id alone, as the store stands above this module.
  if (error.id() != "store_unavailable" && error != reason::ledger_silent)
    return coap::make_response(coap::code::internal_server_error);
  coap::Response response = coap::make_response(coap::code::service_unavailable);
  response.options.set_uint(coap::option::max_age, retry_after);
  return response;
}

}  // namespace aceward::ace::as
