// The steps of an operation: what is sent when, and what an answer means for the next one.
#include "aceward/ace/profile/dtls/client/access_flow.h"

#include <algorithm>
#include <utility>

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/profile/dtls/psk_identity.h"
#include "aceward/coap/freshness/reasons.h"
#include "aceward/coap/message/content_format.h"
#include "aceward/coap/message/uri.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/crypto/encoding.h"
#include "aceward/tls/reasons.h"

namespace aceward::ace::dtls::detail {
namespace {

/// The server has no use for the key that the handshake offered.
bool is_refusal(const Error& why) {
  return why == reason::handshake_alert_received || why == reason::psk_identity_refused;
}

}  // namespace

void AccessFlow::send(Target& target, Step step, const coap::Peer& peer, coap::Request request,
                      coap::Reliability reliability, Instant now) {
  const Pending& pending = target.queue.front();
  coap::Delivery delivery{reliability, pending.deadline - now, {}};
  const bool is_the_request = step == Step::probing || step == Step::requesting;
  if (is_the_request) delivery.token_of = take_watch(target, pending.operation.renews, peer);
  auto sent = layer().request(peer, std::move(request), delivery, now);
  if (!sent && step == Step::uploading && sent.error() == reason::coap_backing_off) {
    // What the server named is longer than the operation may take: its answer says more than that.
    return finish(target, fail(reason::token_refused), step, {}, coap::code::too_many_requests);
  }
  if (!sent) return finish(target, std::unexpected(sent.error()), step);
  target.step = step;
  target.awaited = *sent;
  target.awaited_from = peer;
}

void AccessFlow::finish(Target& target, Result<coap::Response> result, Step step, std::optional<ErrorResponse> refusal,
                        std::optional<coap::Code> refused_with) {
  Stage stage = Stage::access;
  if (step == Step::probing) stage = Stage::probe;
  if (step == Step::asking) stage = Stage::token;
  if (step == Step::uploading) stage = Stage::upload;
  end_strays_of_front(target);
  completed.push_back({target.queue.front().id, stage, std::move(result), std::move(refusal), refused_with});
  target.queue.pop_front();
  target.step = Step::idle;
  target.awaited = {};
  target.scope_to_add.reset();
  target.hints.reset();
}

void AccessFlow::end_overdue(Target& target, Instant now) {
  for (auto pending = target.queue.begin() + 1; pending != target.queue.end();) {
    if (now < pending->deadline) {
      ++pending;
      continue;
    }
    completed.push_back({pending->id, Stage::access, fail(reason::operation_canceled), {}, {}});
    pending = target.queue.erase(pending);
  }
}

void AccessFlow::advance(Target& target, Instant now) {
  for (const coap::Peer& peer : std::exchange(abandoned, {})) end_stray_session(peer, now);
  while (target.step == Step::idle && !target.queue.empty()) {
    const std::size_t before = completed.size();
    start(target, now);
    if (target.step == Step::idle && completed.size() == before) return;
  }
}

void AccessFlow::start(Target& target, Instant now) {
  Pending& pending = target.queue.front();
  if (now >= pending.deadline) return finish(target, fail(reason::operation_canceled), Step::requesting);
  if (target.token && !target.token->usable_at(now)) drop_token(target, now);
  if (pending.token_only) return ask(target, now);
  if (target.token) {
    if (target.session.peer) return request(target, now);
    if (!target.uploaded && !goes_in_identity(target)) return upload(target, now);
    return connect(target, now);
  }
  // A coaps URI names a protected resource: nothing is learned by asking without protection first.
  if (!pending.probed && pending.operation.plain_answer_allowed && target.access.entry.plain) {
    return probe(target, now);
  }
  ask(target, now);
}

bool AccessFlow::goes_in_identity(const Target& target) {
  return target.access.kind == client::PopKind::pre_shared_key &&
         target.access.transport == TokenTransport::psk_identity;
}

void AccessFlow::probe(Target& target, Instant now) {
  Pending& pending = target.queue.front();
  pending.probed = true;
  coap::Request request = pending.operation.request;
  if (!request.payload.empty()) {
    request.payload.clear();
    request.options.remove(coap::option::content_format);
    request.options.set(coap::option::if_match, random.bytes(8));
  }
  send(target, Step::probing, stack.plain_peer(*target.access.entry.plain), std::move(request),
       pending.operation.reliability, now);
}

void AccessFlow::ask(Target& target, Instant now) {
  if (target.queue.front().asked++ == max_token_requests) {
    return finish(target, fail(reason::as_answer_unusable, "expires_in"), Step::asking);
  }
  const ServerAccess& access = target.access;
  const AsAccess& as = config.authorization_servers[access.as];
  client::Wish& wish = target.wish;
  wish = {};
  wish.default_lifetime = as.entry.token_lifetime;
  wish.audience = access.entry.audience;
  wish.kind = access.kind;
  wish.scope = access.scope;
  if (target.hints) {
    if (!wish.scope) wish.scope = target.hints->scope;
    wish.cnonce = target.hints->cnonce;
  }
  if (target.scope_to_add && target.token) {
    wish.scope = client::widened(target.token->scope, *target.scope_to_add);
    if (!target.token->key_id.empty()) wish.update_key_id = target.token->key_id;
  }
  auto message = client::token_request(wish, config.key ? &*config.key : nullptr);
  if (!message) return finish(target, std::unexpected(message.error()), Step::asking);
  const auto uri = coap::parse_uri(as.entry.token_uri);
  if (!uri) return finish(target, std::unexpected(uri.error()), Step::asking);
  if (auto added = coap::add_uri_options(*uri, as.entry.address.port, message->options); !added) {
    return finish(target, std::unexpected(added.error()), Step::asking);
  }
  Connection& connection = as_sessions[access.as];
  if (!connection.peer) {
    auto peer = connect_to_as(as, now);
    if (!peer) return finish(target, std::unexpected(peer.error()), Step::asking);
    connection.peer = *peer;
  }
  send(target, Step::asking, *connection.peer, std::move(*message), coap::Reliability::automatic, now);
}

Result<coap::Peer> AccessFlow::connect_to_as(const AsAccess& as, Instant now) {
  if (const auto* psk = std::get_if<AsPsk>(&as.credentials)) {
    return stack.connect(as.entry.address, tls::PskClient{psk->identity, psk->key.clone()}, now);
  }
  return connect_raw(as.entry.address, std::get<AsRawKey>(as.credentials).as_key, now);
}

Result<coap::Peer> AccessFlow::connect_raw(const Address& address, const cose::Key& expected, Instant now) {
  if (!raw_key) return fail(reason::client_key_missing);
  const crypto::PublicKey key = ACEWARD_TRY(expected.public_key());
  return stack.connect(address, tls::RawKeyClient{*raw_key, crypto::spki_der(key)}, now);
}

void AccessFlow::upload(Target& target, Instant now) {
  coap::Request request;
  request.method = coap::code::post;
  request.options.add_path(target.access.entry.authz_info_path);
  request.options.set_content_format(coap::content_format::cwt);
  request.payload = target.token->access_token;
  if (target.session.peer) {
    return send(target, Step::uploading, *target.session.peer, std::move(request), coap::Reliability::automatic, now);
  }
  if (!target.access.entry.plain) {
    return finish(target, fail(reason::token_refused, "no authz-info address"), Step::uploading);
  }
  send(target, Step::uploading, stack.plain_peer(*target.access.entry.plain), std::move(request),
       coap::Reliability::automatic, now);
}

Result<> AccessFlow::open_session(Target& target, Instant now) {
  const client::HeldToken& token = *target.token;
  if (token.kind == client::PopKind::pre_shared_key) {
    tls::PskClient psk;
    psk.identity = goes_in_identity(target) ? token.access_token : serialize_kid_identity(token.key_id);
    psk.key = Secret::copy_of(token.psk->k());
    target.session.peer = ACEWARD_TRY(stack.connect(target.access.entry.secure, std::move(psk), now));
  } else {
    target.session.peer = ACEWARD_TRY(connect_raw(target.access.entry.secure, *token.rs_key, now));
  }
  return {};
}

void AccessFlow::connect(Target& target, Instant now) {
  if (auto opened = open_session(target, now); !opened) {
    return finish(target, std::unexpected(opened.error()), Step::requesting);
  }
  request(target, now);
}

void AccessFlow::request(Target& target, Instant now) {
  const Operation& operation = target.queue.front().operation;
  send(target, Step::requesting, *target.session.peer, operation.request, operation.reliability, now);
}

void AccessFlow::on_response(Target& target, coap::Response response, Instant now) {
  const Step step = std::exchange(target.step, Step::idle);
  target.awaited = {};
  end_strays_of_front(target);
  switch (step) {
    case Step::idle: return;
    case Step::probing: return on_probed(target, std::move(response));
    case Step::asking: return on_token(target, response, now);
    case Step::uploading: return on_uploaded(target, response, now);
    case Step::requesting: return on_answer(target, std::move(response), now);
  }
}

std::optional<Result<CreationHints>> AccessFlow::hints_in(const coap::Response& response) {
  if (response.options.content_format() != coap::content_format::ace_cbor || response.payload.empty()) return {};
  return cbor::parse<CreationHints>(response.payload);
}

void AccessFlow::on_probed(Target& target, coap::Response response) {
  const Pending& pending = target.queue.front();
  if (response.code != coap::code::unauthorized) {
    const bool was_conditional = !pending.operation.request.payload.empty();
    if (was_conditional && response.code == coap::code::precondition_failed) {
      return finish(target, fail(reason::server_unprotected), Step::probing);
    }
    // It has acted, or says so, on what was not the user's request.
    if (was_conditional && response.code.is_success()) {
      return finish(target, fail(reason::server_unprotected), Step::probing);
    }
    // A server without preconditions says nothing about permissions: the configured authorization server is asked.
    if (was_conditional && response.code == coap::code::bad_option) return;
    return finish(target, std::move(response), Step::probing);
  }
  auto hints = hints_in(response);
  if (!hints) return;  // no hints: the configured authorization server is asked
  if (!*hints) return finish(target, fail(reason::hint_malformed, hints->error().detail()), Step::probing);
  const auto allowed =
      client::check_hints(**hints, target.access.entry, config.authorization_servers[target.access.as].entry);
  if (!allowed) return finish(target, std::unexpected(allowed.error()), Step::probing);
  target.hints = std::move(**hints);
}

void AccessFlow::on_token(Target& target, const coap::Response& response, Instant now) {
  Pending& pending = target.queue.front();
  std::optional<ErrorResponse> refusal;
  auto token =
      client::read_token_response(response, target.wish, config.key ? &*config.key : nullptr,
                                  target.wish.update_key_id && target.token ? &*target.token : nullptr, now, refusal);
  if (!token) {
    // The session lives on with what it has; the resource server's denial is the answer.
    if (pending.denial) return finish(target, std::move(*pending.denial), Step::requesting, std::move(refusal));
    return finish(target, std::unexpected(token.error()), Step::asking, std::move(refusal), response.code);
  }
  const bool is_update = target.wish.update_key_id && target.token && have_one_key(*target.token, *token);
  if (!is_update) end_sessions(target, now);
  target.token = std::move(*token);
  target.uploaded = false;
  target.hints.reset();
  target.scope_to_add.reset();
  if (pending.token_only) return finish(target, response, Step::asking);
  if (target.session.peer) upload(target, now);
}

bool AccessFlow::have_one_key(const client::HeldToken& a, const client::HeldToken& b) {
  if (a.kind != b.kind || a.key_id != b.key_id) return false;
  return a.kind == client::PopKind::pre_shared_key ? a.psk->same_key(*b.psk) : a.rs_key->same_key(*b.rs_key);
}

void AccessFlow::on_uploaded(Target& target, const coap::Response& response, Instant now) {
  if (response.code != coap::code::created) {
    const coap::Code code = response.code;
    // The layer below holds it back until Max-Age has passed (RFC 8516 section 4).
    if (code == coap::code::too_many_requests && target.queue.front().uploads++ < max_busy_uploads) {
      return upload(target, now);
    }
    if (!is_passing(code)) drop_token(target, now);
    return finish(target, fail(reason::token_refused), Step::uploading, {}, code);
  }
  target.uploaded = true;
  target.queue.front().uploaded_now = true;
}

void AccessFlow::on_answer(Target& target, coap::Response response, Instant now) {
  Pending& pending = target.queue.front();
  const bool is_key_valid = target.token && target.token->usable_at(now);
  if (!is_key_valid) drop_token(target, now);
  if (response.code == coap::code::unauthorized) {
    drop_token(target, now);
    // The server may have begun: so it ends what takes longer than the token lives (RFC 9200 section 5.10.3).
    if (!is_idempotent(pending.operation.request.method)) return finish(target, std::move(response), Step::requesting);
    if (pending.renewed) return finish(target, fail(reason::access_still_denied), Step::requesting);
    pending.renewed = true;
    pending.probed = true;
    if (auto hints = hints_in(response); hints && *hints && hints_allowed(target, **hints)) {
      target.hints = std::move(**hints);
    }
    return;
  }
  // The key may be in other hands by now (RFC 9202 section 3.4, RFC 9200 section 5.10.4).
  if (!is_key_valid) return finish(target, fail(reason::token_expired), Step::requesting);
  if (is_denial(response.code) && config.extend_rights && !pending.extended) {
    auto hints = hints_in(response);
    if (hints && *hints && (*hints)->scope && hints_allowed(target, **hints)) {
      pending.extended = true;
      pending.denial = std::move(response);
      target.scope_to_add = (*hints)->scope;
      target.hints = std::move(**hints);  // with its cnonce
      return ask(target, now);
    }
  }
  finish(target, std::move(response), Step::requesting);
}

bool AccessFlow::hints_allowed(const Target& target, const CreationHints& hints) const {
  return client::check_hints(hints, target.access.entry, config.authorization_servers[target.access.as].entry)
      .has_value();
}

void AccessFlow::on_gone(Target& target, const Error& why, Instant now) {
  const Step step = std::exchange(target.step, Step::idle);
  target.awaited = {};
  Pending& pending = target.queue.front();
  // Those who ask for the tokens of other servers have deadlines of their own, and may have a fresh session already.
  const bool is_as_session = as_sessions[target.access.as].peer == target.awaited_from;
  if (step == Step::asking && is_as_session && !others_wait_on(target, target.awaited_from)) {
    end_as_session(target, now);
  }
  if (step == Step::requesting && !is_refusal(why)) end_session(target, now);
  if (!is_refusal(why) && back_to_stray(target)) return;
  if (step == Step::asking && pending.denial) {
    return finish(target, std::move(*pending.denial), Step::requesting);
  }
  if (step == Step::requesting) {
    end_session(target, now);
    // A server that was restarted has forgotten the token. The handshake failed, so nothing was acted on.
    if (is_refusal(why) && target.uploaded && !pending.uploaded_now && target.access.entry.plain) {
      target.uploaded = false;
      return;
    }
    // The session ended with its token, as an observation found out: what is safe to repeat is, with the next one.
    if (why == reason::session_closed_here && !target.token && !pending.renewed &&
        coap::is_safe(pending.operation.request.method)) {
      pending.renewed = true;
      return;
    }
  }
  finish(target, std::unexpected(why), step);
}

void AccessFlow::end_session(Target& target, Instant now) {
  if (!target.session.peer) return;
  const std::uint64_t session = target.session.peer->session;
  target.session.peer.reset();
  stack.close(session, now);
}

void AccessFlow::end_sessions(Target& target, Instant now) {
  end_session(target, now);
  for (const Stray& stray : target.strays) {
    if (stray.step == Step::requesting) stack.close(stray.peer.session, now);
  }
}

void AccessFlow::end_as_session(Target& target, Instant now) {
  Connection& connection = as_sessions[target.access.as];
  if (!connection.peer) return;
  const std::uint64_t session = connection.peer->session;
  connection.peer.reset();
  stack.close(session, now);
}

void AccessFlow::drop_token(Target& target, Instant now) {
  target.token.reset();
  target.uploaded = false;
  end_sessions(target, now);
}

void AccessFlow::on_session_gone(std::uint64_t session, const Error& why) {
  for (Target& target : targets) {
    if (!target.session.peer || target.session.peer->session != session) continue;
    target.session.peer.reset();
    // Nothing waits for this session, so nothing else will learn that the server has forgotten the token.
    if (is_refusal(why) && target.step == Step::idle && target.access.entry.plain) target.uploaded = false;
  }
  for (Connection& connection : as_sessions) {
    if (connection.peer && connection.peer->session == session) connection.peer.reset();
  }
}

Target* AccessFlow::waiting_for(coap::ExchangeId id) {
  const auto found = std::ranges::find_if(
      targets, [id](const Target& target) { return target.step != Step::idle && target.awaited == id; });
  return found == targets.end() ? nullptr : &*found;
}

OperationId AccessFlow::enqueue(std::size_t server, Operation operation, bool token_only, Instant now) {
  const OperationId id(++last_operation);
  Pending pending;
  pending.id = id;
  pending.deadline = now + operation.timeout;
  pending.operation = std::move(operation);
  pending.token_only = token_only;
  targets[server].queue.push_back(std::move(pending));
  advance(targets[server], now);
  return id;
}

}  // namespace aceward::ace::dtls::detail
