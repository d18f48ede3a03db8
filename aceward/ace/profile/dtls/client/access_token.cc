// Asking the authorization server: what for, by which credentials, and what its answer means.
#include <utility>

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/profile/dtls/client/access_flow.h"
#include "aceward/coap/message/uri.h"
#include "aceward/crypto/encoding.h"

namespace aceward::ace::dtls::detail {

void AccessFlow::make_wish(Target& target) {
  const Pending& pending = target.queue.front();
  const ServerAccess& access = target.access;
  const AsAccess& as = config.authorization_servers[access.as];
  client::Wish& wish = target.wish;
  wish = {};
  wish.default_lifetime = as.entry.token_lifetime;
  wish.ask_profile = as.entry.ask_profile;
  wish.audience = access.entry.audience;
  wish.kind = access.kind;
  wish.scope = access.scope;
  if (access.server_key) wish.server_key = &*access.server_key;
  if (const auto* secret = std::get_if<AsSecret>(&as.credentials)) {
    wish.client_id = secret->client_id;
    wish.client_secret = secret->secret.clone();
  }
  if (target.hints) {
    if (!wish.scope) wish.scope = target.hints->scope;
    wish.cnonce = target.hints->cnonce;
  }
  if (target.scope_to_add && target.token) {
    wish.scope = client::widened(target.token->scope, *target.scope_to_add);
    if (!target.token->key_id.empty()) wish.update_key_id = target.token->key_id;
    return;
  }
  // Whoever asks for a token and nothing else wants what policy says now.
  if (pending.token_only && !pending.silent) return;
  const auto& old = target.token ? target.token : target.spent;
  if (old && old->refresh_token) {
    wish.refresh_token = old->refresh_token->clone();
    wish.scope.reset();
  } else if (pending.renewing) {
    if (target.token->scope) wish.scope = target.token->scope;
    if (!target.token->key_id.empty()) wish.update_key_id = target.token->key_id;
  }
}

void AccessFlow::ask(Target& target, Instant now) {
  if (target.queue.front().asked++ == max_token_requests) {
    return ask_failed(target, Error(reason::as_answer_unusable, "expires_in"), now);
  }
  make_wish(target);
  const AsAccess& as = config.authorization_servers[target.access.as];
  auto message = client::token_request(target.wish, config.key ? &*config.key : nullptr);
  if (!message) return ask_failed(target, message.error(), now);
  const auto uri = coap::parse_uri(as.entry.token_uri);
  if (!uri) return ask_failed(target, uri.error(), now);
  if (auto added = coap::add_uri_options(*uri, as.entry.address.port, message->options); !added) {
    return ask_failed(target, added.error(), now);
  }
  Connection& connection = as_sessions[target.access.as];
  if (!connection.peer) {
    auto peer = connect_to_as(as, now);
    if (!peer) return ask_failed(target, peer.error(), now);
    connection.peer = *peer;
  }
  send(target, Step::asking, *connection.peer, std::move(*message), coap::Reliability::automatic, now);
}

void AccessFlow::ask_failed(Target& target, const Error& why, Instant now) {
  if (target.queue.front().renewing) return give_up_renewal(target, now);
  finish(target, std::unexpected(why), Step::asking);
}

Result<coap::Peer> AccessFlow::connect_to_as(const AsAccess& as, Instant now) {
  if (const auto* psk = std::get_if<AsPsk>(&as.credentials)) {
    return stack.connect(as.entry.address, tls::PskClient{psk->identity, psk->key.clone()}, now);
  }
  if (const auto* certificate = std::get_if<AsCertificate>(&as.credentials)) {
    return stack.connect(as.entry.address, tls::CertificateClient{certificate->chain, certificate->server}, now);
  }
  if (const auto* secret = std::get_if<AsSecret>(&as.credentials)) {
    return stack.connect(as.entry.address, tls::AnonymousClient{secret->server}, now);
  }
  return connect_raw(as.entry.address, std::get<AsRawKey>(as.credentials).as_key, {}, now);
}

Result<coap::Peer> AccessFlow::connect_raw(const Address& address, const cose::Key& expected,
                                           const std::optional<tls::ResumptionTicket>& ticket, Instant now) {
  if (!raw_key) return fail(reason::client_key_missing);
  const crypto::PublicKey key = ACEWARD_TRY(expected.public_key());
  return stack.connect(address, tls::RawKeyClient{*raw_key, crypto::spki_der(key)}, now, ticket);
}

void AccessFlow::on_token(Target& target, const coap::Response& response, Instant now) {
  Pending& pending = target.queue.front();
  client::Wish& wish = target.wish;
  const bool is_renewal = wish.update_key_id || wish.refresh_token;
  const auto& old = target.token ? target.token : target.spent;
  std::optional<ErrorResponse> refusal;
  auto token = client::read_token_response(response, wish, config.key ? &*config.key : nullptr,
                                           is_renewal && old ? &*old : nullptr, now, refusal);
  if (!token) {
    if (wish.refresh_token && refusal) {
      // Ended, revoked, or used before (RFC 6749 section 5.2): a full request says whether there are still rights.
      target.spent.reset();
      if (target.token) target.token->refresh_token.reset();
      ++target.revision;
      return ask(target, now);
    }
    if (pending.renewing) return give_up_renewal(target, now);
    // The session lives on with what it has; the resource server's denial is the answer.
    if (pending.denial) return finish(target, std::move(*pending.denial), Step::requesting, std::move(refusal));
    return finish(target, std::unexpected(token.error()), Step::asking, std::move(refusal), response.code,
                  client::retry_after(response));
  }
  const bool is_update = is_renewal && target.token && have_one_key(*target.token, *token);
  if (!is_update) {
    end_sessions(target, now);
    target.ticket.reset();
  }
  if (!wish.refresh_token) target.asked = target.access.scope;
  target.token = std::move(*token);
  target.spent.reset();
  target.uploaded = false;
  ++target.revision;
  target.renew_not_before = {};
  target.hints.reset();
  target.scope_to_add.reset();
  pending.renewing = false;
  if (pending.token_only && !(pending.silent && target.session.peer)) return finish(target, response, Step::asking);
  if (target.session.peer) upload(target, now);
}

bool AccessFlow::have_one_key(const client::HeldToken& a, const client::HeldToken& b) {
  if (a.kind != b.kind || a.key_id != b.key_id) return false;
  return a.kind == client::PopKind::pre_shared_key ? a.psk->same_key(*b.psk) : a.rs_key->same_key(*b.rs_key);
}

}  // namespace aceward::ace::dtls::detail
