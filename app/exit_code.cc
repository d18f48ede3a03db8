#include "app/exit_code.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "aceward/net/reasons.h"

namespace aceward::app {

namespace {

template <std::size_t size>
bool is_one_of(std::string_view id, const std::array<std::string_view, size>& ids) {
  return std::ranges::find(ids, id) != ids.end();
}

/// Nobody answered, or the answer stopped coming.
constexpr std::array<std::string_view, 18> silence{
    "coap_not_acknowledged", "coap_not_answered",      "coap_reset_by_peer", "operation_canceled",
    "handshake_timed_out",   "handshake_superseded",   "handshake_canceled", "session_closed_by_peer",
    "session_closed_here",   "session_alert_received", "session_idle",       "session_unknown",
    "coaps_session_gone",    "host_not_found",         "session_broken",     "coap_backing_off",
    "coap_body_changed",     "coap_answer_incomplete",
};
constexpr std::array<std::string_view, 4> of_the_configuration{"server_unknown", "client_key_missing",
                                                               "socket_bind_failed", "tls_setup_failed"};
constexpr std::array<std::string_view, 8> of_the_command_line{
    "uri_malformed", "uri_scheme_unknown",     "uri_has_fragment",       "uri_option_too_long",
    "hex_malformed", "coap_message_too_large", "coap_too_many_requests", "dtls_data_too_large"};

}  // namespace

ExitCode exit_code_of(coap::Code answer) {
  if (answer.is_success()) return ExitCode::done;
  return answer.code_class() == 5 ? ExitCode::server_error : ExitCode::client_error;
}

ExitCode exit_code_of(const Error& error) {
  const std::string_view id = error.id();
  if (id == "as_refused" || id == "approval_pending" || id == "held_token_revoked") return ExitCode::refused_by_as;
  if (id == "access_still_denied" || id == "token_refused") return ExitCode::client_error;
  if (is_one_of(id, silence)) return ExitCode::no_answer;
  if (is_one_of(id, of_the_configuration)) return ExitCode::configuration;
  if (is_one_of(id, of_the_command_line)) return ExitCode::usage;
  return ExitCode::security;
}

ExitCode exit_code_of_store(const Error& error) {
  if (error == reason::local_server_unreachable) return ExitCode::no_answer;
  return error.error_class() == ErrorClass::internal ? ExitCode::server_error : ExitCode::client_error;
}

}  // namespace aceward::app
