#include "aceward/ace/client/exchange.h"

#include <algorithm>
#include <utility>

#include "aceward/ace/client/reasons.h"
#include "aceward/coap/links/link.h"
#include "aceward/coap/links/uri_reference.h"
#include "aceward/coap/message/content_format.h"
#include "aceward/coap/message/uri.h"

namespace aceward::ace::client {

Instant HeldToken::renew_at(std::chrono::nanoseconds at_most) const {
  const std::chrono::nanoseconds fifth = (expires_at - obtained_at) / 5;
  return expires_at - std::min(fifth, at_most);
}

Result<coap::Request> token_request(const Wish& wish, const cose::Key* own_key) {
  TokenRequest request;
  request.cnonce = wish.cnonce;
  if (wish.ask_profile) request.ace_profile.emplace();
  if (!wish.client_id.empty()) request.client_id = wish.client_id;
  if (wish.client_secret) request.client_secret = wish.client_secret->clone();
  if (wish.refresh_token) {
    request.grant_type = GrantType::refresh_token;
    request.refresh_token = to_bytes(wish.refresh_token->expose());
  } else {
    request.audience = wish.audience;
    request.scope = wish.scope;
  }
  if (wish.refresh_token) {
    // A refresh asks for the key and the audience that the token has.
  } else if (wish.update_key_id) {
    request.req_cnf = cwt::Confirmation(cwt::KeyId{*wish.update_key_id});
  } else if (wish.kind == PopKind::raw_public_key) {
    if (own_key == nullptr) return fail(reason::client_key_missing);
    request.req_cnf = cwt::Confirmation(ACEWARD_TRY(own_key->public_part()));
  }
  coap::Request message;
  message.method = coap::code::post;
  message.options.set_content_format(coap::content_format::ace_cbor);
  message.payload = cbor::serialize(request);
  return message;
}

namespace {

/// RFC 9200 section 5.8.3: an error is a map with the member `error`. Anything else that is not 2.01 says only that
/// there is no token.
std::unexpected<Error> refusal_of(const coap::Response& response, std::optional<ErrorResponse>& refusal) {
  // Whoever says when is not done with the request.
  if (response.code == coap::code::service_unavailable && retry_after(response)) return fail(reason::approval_pending);
  if (response.options.content_format() == coap::content_format::ace_cbor) {
    if (auto error = cbor::parse<ErrorResponse>(response.payload)) {
      refusal = std::move(*error);
      return fail(reason::as_refused, name_of(refusal->error));
    }
  }
  return fail(reason::as_refused);
}

Result<> take_symmetric_key(AccessInformation& information, const HeldToken* previous, HeldToken& token) {
  const cose::Key* key = information.cnf ? information.cnf->cose_key() : nullptr;
  if (key != nullptr) {
    if (!key->is_symmetric() || !key->kid) return fail(reason::as_answer_unusable, "cnf");
    token.psk = key->clone();
  } else if (!information.cnf && previous != nullptr && previous->psk) {
    token.psk = previous->psk->clone();
  } else {
    return fail(reason::as_answer_unusable, "cnf");
  }
  token.key_id = *token.psk->kid;
  return {};
}

Result<> take_server_key(AccessInformation& information, const Wish& wish, const cose::Key* own_key,
                         const HeldToken* previous, HeldToken& token) {
  if (own_key == nullptr) return fail(reason::client_key_missing);
  // RFC 9202 section 3.2.2: a key that the AS chose for the client must be one that the client holds.
  if (const cose::Key* key = information.cnf ? information.cnf->cose_key() : nullptr; key != nullptr) {
    if (!ACEWARD_TRY(own_key->public_part()).same_key(*key)) return fail(reason::as_answer_unusable, "cnf");
  } else if (information.cnf) {
    return fail(reason::as_answer_unusable, "cnf");
  }
  const cose::Key* key = information.rs_cnf ? information.rs_cnf->cose_key() : nullptr;
  if (key != nullptr) {
    if (key->is_symmetric() || key->has_private()) return fail(reason::as_answer_unusable, "rs_cnf");
    // RFC 9201 section 5: a key is not used for what it is not meant for; in the handshake it verifies.
    if (!key->permits(cose::key_op::verify, cose::alg::es256)) return fail(reason::as_answer_unusable, "rs_cnf");
    if (wish.server_key != nullptr && !wish.server_key->same_key(*key)) return fail(reason::server_key_conflict);
    token.rs_key = key->clone();
  } else if (!information.rs_cnf && wish.server_key != nullptr) {
    token.rs_key = wish.server_key->clone();
  } else if (!information.rs_cnf && previous != nullptr && previous->rs_key) {
    token.rs_key = previous->rs_key->clone();
  } else {
    return fail(reason::as_answer_unusable, "rs_cnf");
  }
  if (own_key->kid) token.key_id = *own_key->kid;
  return {};
}

}  // namespace

Result<HeldToken> read_token_response(const coap::Response& response, const Wish& wish, const cose::Key* own_key,
                                      const HeldToken* previous, Instant now, std::optional<ErrorResponse>& refusal) {
  refusal.reset();
  if (response.code != coap::code::created) return refusal_of(response, refusal);
  if (response.options.content_format() != coap::content_format::ace_cbor) {
    return fail(reason::as_answer_malformed, "Content-Format");
  }
  auto information = cbor::parse<AccessInformation>(response.payload);
  if (!information) return fail(reason::as_answer_malformed, information.error().detail());
  if (information->token_type && *information->token_type != TokenType::pop) {
    return fail(reason::as_answer_unusable, "token_type");
  }
  if (information->ace_profile ? *information->ace_profile != Profile::coap_dtls : wish.ask_profile) {
    return fail(reason::as_answer_unusable, "ace_profile");
  }
  HeldToken token;
  token.obtained_at = now;
  token.kind = wish.kind;
  token.access_token = std::move(information->access_token);
  token.scope = information->scope ? information->scope : wish.scope;
  // A refresh that says nothing else grants what was granted before.
  if (!token.scope && wish.refresh_token && previous != nullptr) token.scope = previous->scope;
  if (information->refresh_token) {
    token.refresh_token = Secret(std::move(*information->refresh_token));
  } else if (wish.refresh_token) {
    token.refresh_token = wish.refresh_token->clone();
  }
  token.expires_in = information->expires_in;
  if (information->expires_in == 0U) return fail(reason::as_answer_unusable, "expires_in");
  if (information->expires_in) {
    // More than a century is as good as for ever, and cannot overflow the clock.
    constexpr std::uint64_t longest = 100ULL * 366 * 24 * 3600;
    token.expires_at = now + std::chrono::seconds(std::min(*information->expires_in, longest));
  } else if (wish.default_lifetime) {
    token.expires_at = now + *wish.default_lifetime;
  } else {
    return fail(reason::as_answer_unusable, "expires_in");
  }
  if (wish.kind == PopKind::pre_shared_key) {
    ACEWARD_TRY(take_symmetric_key(*information, previous, token));
  } else {
    ACEWARD_TRY(take_server_key(*information, wish, own_key, previous, token));
  }
  return token;
}

std::optional<std::chrono::seconds> retry_after(const coap::Response& response) {
  if (response.code != coap::code::service_unavailable && response.code != coap::code::too_many_requests) return {};
  const auto seconds = response.options.find_uint(coap::option::max_age);
  if (!seconds) return {};
  return std::chrono::seconds(static_cast<std::int64_t>(std::min<std::uint64_t>(*seconds, UINT32_MAX)));
}

std::optional<std::string> authz_info_in(const coap::Response& response) {
  if (response.code != coap::code::content) return {};
  const auto links = coap::links::parse(as_text(response.payload), coap::links::Reading::tolerant);
  if (!links) return {};
  for (const coap::links::Link& link : *links) {
    const auto types = link.values("rt");
    if (std::ranges::find(types, "ace.ai") == types.end()) continue;
    // A name that nobody has: whatever leads elsewhere has another one.
    const auto resolved = coap::links::resolve(link.target, "coap://this.invalid/.well-known/core");
    if (!resolved) continue;
    const auto uri = coap::parse_uri(*resolved);
    if (!uri || uri->secure || uri->host != "this.invalid" || uri->port != coap::default_port) continue;
    if (uri->path.empty() || !uri->query.empty()) continue;
    std::string path;
    for (const std::string& segment : uri->path) path += (path.empty() ? "" : "/") + segment;
    const bool has_slash = std::ranges::any_of(uri->path, [](const std::string& s) { return s.contains('/'); });
    if (!has_slash && !path.empty()) return path;
  }
  return {};
}

Scope widened(const std::optional<Scope>& held, const Scope& wanted) {
  if (!held || held->index() != wanted.index()) return wanted;
  if (const auto* text = std::get_if<std::string>(&wanted)) {
    const auto a = TextScope::parse(std::get<std::string>(*held));
    const auto b = TextScope::parse(*text);
    if (a && b) return a->union_with(*b).to_string();
    return wanted;
  }
  const auto a = Aif::parse(std::get<Bytes>(*held));
  const auto b = Aif::parse(std::get<Bytes>(wanted));
  if (a && b) return a->union_with(*b).serialize();
  return wanted;
}

}  // namespace aceward::ace::client
