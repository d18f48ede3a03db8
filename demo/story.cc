#include "demo/story.h"

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/profile/dtls/psk_identity.h"

namespace aceward::demo {

namespace {

coap::Request request_for(coap::Code method, std::string_view path, std::string_view payload = "") {
  coap::Request request;
  request.method = method;
  request.options.add_path(path);
  if (!payload.empty()) request.options.set_content_format(coap::content_format::text_plain);
  request.payload = to_bytes(payload);
  return request;
}

/// Which of the two forms of RFC 9202 section 3.3.2 the session was made with: "kid", "token", or "" for none.
std::string identity_form(const tls::PeerIdentity* identity) {
  const auto* psk = identity == nullptr ? nullptr : std::get_if<tls::PskIdentity>(identity);
  if (psk == nullptr) return "";
  const auto parsed = ace::dtls::parse_psk_identity(psk->identity());
  if (!parsed) return "";
  return std::holds_alternative<ace::dtls::KidIdentity>(*parsed) ? "kid" : "token";
}

}  // namespace

Story::Story(net::EventLoop& loop, Scenery& scenery, Narrator& narrator, Console& console, Random& random)
    : loop_(loop), scenery_(scenery), narrator_(narrator), console_(console), random_(random) {}

bool Story::play() {
  return registration() && first_access() && refusals() && extension() && pre_shared_key() && token_as_identity() &&
         forged_hint() && expiry();
}

bool Story::check(bool holds, const std::string& expected, const std::string& seen) {
  if (!holds && failure_.empty()) failure_ = "expected " + expected + "; seen: " + seen;
  return holds;
}

bool Story::check(const Result<>& result, const std::string& expected) {
  return check(result.has_value(), expected, result ? "" : std::string(result.error().id()));
}

bool Story::check_transcript(const std::string& expected) {
  const std::string seen = narrator_.take_transcript();
  return check(narrator_.all_cues_came() && seen == expected, "the messages " + expected, seen);
}

bool Story::check_answer(const ace::dtls::Completed& completed, coap::Code code, std::string_view payload) {
  const std::string expected = code.to_string() + (payload.empty() ? "" : " with " + std::string(payload));
  if (!completed.result) {
    return check(false, expected,
                 "no answer in the step '" + std::string(name_of(completed.stage)) + "': " +
                     std::string(completed.result.error().id()) + " " + std::string(completed.result.error().detail()));
  }
  const coap::Response& answer = *completed.result;
  const bool same_payload = code.is_error() || as_text(answer.payload) == payload;
  return check(answer.code == code && same_payload, expected,
               answer.code.to_string() + " and " + std::to_string(answer.payload.size()) + " octets");
}

bool Story::registration() {
  narrator_.begin("The owner registers a server and two clients",
                  "An authorization server (AS) runs on a fresh database, and a resource server (RS), the greenhouse, "
                  "which shares a key with it. The owner enters the RS, client A with its raw public key, client B "
                  "with a pre-shared key, and what they may do.",
                  "2 clients, 1 server, 2 rules");
  if (!check(scenery_.register_all(), "the records in the database")) return false;
  console_.write(
      "  server    greenhouse   rTempC: GET /temp   wLed: GET, PUT /led\n"
      "  client    client-a     raw public key\n"
      "  client    client-b     pre-shared key\n"
      "  rule      client-a at greenhouse: rTempC\n"
      "  rule      client-b at greenhouse: rTempC, for " +
      std::to_string(short_lifetime.count()) + " s\n\n");
  auto a = Device::make(loop_, scenery_.client_a(), narrator_.tap_for("client A"), random_);
  auto b = Device::make(loop_, scenery_.client_b(), narrator_.tap_for("client B"), random_);
  if (!check(a && b, "two clients", "a client that cannot be made")) return false;
  a_ = std::move(*a);
  b_ = std::move(*b);
  return true;
}

bool Story::first_access() {
  narrator_.on_cue({Cue::On::request, scenery_.rs_plain(), "Client A asks, and is sent to the AS",
                    "Without any permission, client A asks for the temperature. The RS refuses, and hints at where a "
                    "token can be had (RFC 9200 section 5.3).",
                    "4.01 with creation hints"});
  narrator_.on_cue({Cue::On::handshake, scenery_.as(), "The AS gives a token",
                    "The hint names the AS that client A's own configuration allows for this server, so it asks there, "
                    "over DTLS with its raw public key. The token is bound to that key, and the answer names the key "
                    "that the RS will prove to hold.",
                    "2.01, a signed CWT bound to A's key"});
  narrator_.on_cue({Cue::On::request, scenery_.rs_plain(), "The token goes to authz-info",
                    "Anybody may post it there: it is of use only to who holds the key (RFC 9200 section 5.10.1).",
                    "2.01"});
  narrator_.on_cue({Cue::On::handshake, scenery_.rs_secure(), "A session bound to the token's key",
                    "Both sides prove their raw public keys in the handshake (RFC 9202 section 3.2.2), and client A "
                    "reads what it may.",
                    "raw public keys; GET /temp 2.05"});
  const auto answer = a_->ask(greenhouse, request_for(coap::code::get, "/temp"), true);
  return check_answer(answer, coap::code::content, "22.3 C") &&
         check_transcript("GET /temp 4.01 DTLS POST /token 2.01 POST /authz-info 2.01 DTLS GET /temp 2.05") &&
         check(a_->session(greenhouse) != 0, "a session with the RS", "none");
}

bool Story::refusals() {
  narrator_.begin("What the token does not cover is refused",
                  "Another resource is forbidden (4.03); another method on the one that may be read is not allowed "
                  "(4.05). Nobody has a scope for either, so the RS suggests none.",
                  "GET /firmware 4.03, DELETE /temp 4.05");
  const auto other_resource = a_->ask(greenhouse, request_for(coap::code::get, "/firmware"), true);
  if (!check_answer(other_resource, coap::code::forbidden, "")) return false;
  const auto other_method = a_->ask(greenhouse, request_for(coap::code::delete_, "/temp"), true);
  return check_answer(other_method, coap::code::method_not_allowed, "") &&
         check_transcript("GET /firmware 4.03 DELETE /temp 4.05");
}

bool Story::extension() {
  narrator_.begin("Rights are extended within the session",
                  "Meanwhile the owner lets client A switch the LED. The RS refuses it still, but suggests a scope; "
                  "client A asks for both scopes, names its key by its kid alone, and posts the new token within the "
                  "session, which goes on (RFC 9202 section 4).",
                  "PUT /led 4.03, update, 2.04, same session");
  if (!check(scenery_.allow_led(), "a new rule")) return false;
  console_.write("  rule      client-a at greenhouse: wLed\n\n");
  const std::uint64_t before = a_->session(greenhouse);
  const auto answer = a_->ask(greenhouse, request_for(coap::code::put, "/led", "on"), true);
  if (!check_answer(answer, coap::code::changed, "") ||
      !check_transcript("PUT /led 4.03 POST /token 2.01 POST /authz-info 2.01 PUT /led 2.04")) {
    return false;
  }
  const std::uint64_t after = a_->session(greenhouse);
  console_.say("The session before: " + std::to_string(before) + ". The session after: " + std::to_string(after) + ".");
  return check(before != 0 && before == after, "the same session", "another one");
}

bool Story::pre_shared_key() {
  narrator_.begin("Client B: a key that the AS makes",
                  "Client B has no raw key. The AS makes a symmetric key for it and puts it into an encrypted token. "
                  "The token is posted, and the handshake names the key by its kid (RFC 9202 section 3.3). Keys are "
                  "not shown.",
                  "PSK named by kid; GET /temp 2.05");
  const auto answer = b_->ask(greenhouse, request_for(coap::code::get, "/temp"), false);
  if (const auto* token = b_->token(greenhouse); token != nullptr && token->psk) {
    secrets_.push_back(Secret::copy_of(token->psk->k()));
  }
  return check_answer(answer, coap::code::content, "22.3 C") &&
         check_transcript("DTLS POST /token 2.01 POST /authz-info 2.01 DTLS GET /temp 2.05") &&
         check(identity_form(b_->identity(greenhouse)) == "kid", "a psk_identity with a kid", "another one");
}

bool Story::token_as_identity() {
  narrator_.begin("Client B again: the token in the handshake",
                  "With a token of its own for it, the psk_identity is the token itself: nothing is posted, and a "
                  "round trip is saved.",
                  "the token as PSK identity; GET /temp 2.05");
  const auto answer = b_->ask(by_identity, request_for(coap::code::get, "/temp"), false);
  if (const auto* token = b_->token(by_identity); token != nullptr && token->psk) {
    secrets_.push_back(Secret::copy_of(token->psk->k()));
  }
  return check_answer(answer, coap::code::content, "22.3 C") &&
         check_transcript("POST /token 2.01 DTLS GET /temp 2.05") &&
         check(identity_form(b_->identity(by_identity)) == "token", "the token as psk_identity", "another one");
}

bool Story::forged_hint() {
  narrator_.begin("A forged hint is not followed",
                  "Hints come over an unprotected channel and prove nothing. An impostor names an AS of its own; "
                  "client A's configuration does not allow that one for the server, so it gives up (RFC 9200 "
                  "section 6.4).",
                  "hint_as_not_allowed, nothing sent there");
  const auto answer = a_->ask(impostor, request_for(coap::code::get, "/temp"), true);
  const std::string seen = answer.result ? answer.result->code.to_string() : std::string(answer.result.error().id());
  if (!answer.result) console_.say("Client A: " + std::string(answer.result.error().reason().what) + ".");
  return check(!answer.result && answer.result.error() == reason::hint_as_not_allowed, "hint_as_not_allowed", seen) &&
         check_transcript("GET /temp 4.01");
}

bool Story::expiry() {
  narrator_.begin("The owner takes it back, and the tokens end",
                  "Client B's rule is removed. Its tokens still have their seconds; when these are over, the RS closes "
                  "both sessions by itself (RFC 9202 section 5), the AS gives no new token, and client B is where it "
                  "began.",
                  "sessions closed, 4.01, no new token");
  if (!check(scenery_.take_back_client_b(), "the rule removed")) return false;
  if (!check(b_->wait_for_end_of_sessions(greenhouse, by_identity, short_lifetime + std::chrono::seconds(5)),
             "the end of client B's sessions", "a session that outlives its token")) {
    return false;
  }
  const auto answer = b_->ask(greenhouse, request_for(coap::code::get, "/temp"), true);
  const std::string seen = answer.result ? answer.result->code.to_string() : std::string(answer.result.error().id());
  if (!check(!answer.result && answer.result.error() == reason::as_refused, "as_refused", seen) ||
      !check_transcript("GET /temp 4.01 POST /token 4.00")) {
    return false;
  }
  narrator_.begin("Nobody else is touched", "Client A's session and rights go on.", "GET /led 2.05");
  const auto other = a_->ask(greenhouse, request_for(coap::code::get, "/led"), true);
  return check_answer(other, coap::code::content, "on") && check_transcript("GET /led 2.05");
}

}  // namespace aceward::demo
