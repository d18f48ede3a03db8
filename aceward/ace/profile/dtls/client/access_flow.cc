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
  const Instant until = step == Step::asking && pending.renewing ? pending.renewal_deadline : pending.deadline;
  coap::Delivery delivery{reliability, until - now, {}};
  const bool is_the_request = step == Step::probing || step == Step::requesting;
  if (is_the_request) delivery.token_of = take_watch(target, pending.operation.renews, peer);
  auto sent = layer().request(peer, std::move(request), delivery, now);
  if (!sent && step == Step::uploading && sent.error() == reason::coap_backing_off) {
    // What the server named is longer than the operation may take: its answer says more than that.
    return finish(target, fail(reason::token_refused), step, {}, pending.busy);
  }
  if (!sent && step == Step::asking) return ask_failed(target, sent.error(), now);
  if (!sent) return finish(target, std::unexpected(sent.error()), step);
  target.step = step;
  target.awaited = *sent;
  target.awaited_from = peer;
}

void AccessFlow::finish(Target& target, Result<coap::Response> result, Step step, std::optional<ErrorResponse> refusal,
                        std::optional<coap::Code> refused_with, std::optional<std::chrono::seconds> retry_after) {
  Stage stage = Stage::access;
  if (step == Step::probing) stage = Stage::probe;
  if (step == Step::asking) stage = Stage::token;
  if (step == Step::uploading || step == Step::finding) stage = Stage::upload;
  end_strays_of_front(target);
  if (target.upload_session) abandoned.push_back(*std::exchange(target.upload_session, {}));
  if (!target.queue.front().silent) {
    completed.push_back(
        {target.queue.front().id, stage, std::move(result), std::move(refusal), refused_with, retry_after});
  }
  ++progress;
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
    const std::uint64_t before = progress;
    start(target, now);
    if (target.step == Step::idle && progress == before) return;
  }
  for (const coap::Peer& peer : std::exchange(abandoned, {})) end_stray_session(peer, now);
}

void AccessFlow::start(Target& target, Instant now) {
  Pending& pending = target.queue.front();
  if (now >= pending.deadline) return finish(target, fail(reason::operation_canceled), Step::requesting);
  if (target.token && !target.token->usable_at(now)) retire_token(target, now);
  if (pending.renewing) {
    // The session with the authorization server stalled: that is as long as a renewal is waited for.
    end_strays_of_front(target);
    give_up_renewal(target, now);
  }
  if (pending.silent && (!target.token || pending.renewal_tried)) {
    return finish(target, fail(reason::operation_canceled), Step::asking);
  }
  if (pending.silent || (!pending.token_only && renewal_due(target, now))) return renew(target, now);
  if (pending.token_only) return ask(target, now);
  if (target.token) {
    if (target.session.peer) return request(target, now);
    if (!target.uploaded && !goes_in_identity(target)) return upload(target, now);
    return connect(target, now);
  }
  // A coaps URI names a protected resource: nothing is learned by asking without protection first.
  const bool can_refresh = target.spent && !pending.renewed;
  if (!pending.probed && !can_refresh && pending.operation.plain_answer_allowed && target.access.entry.plain) {
    return probe(target, now);
  }
  ask(target, now);
}

bool AccessFlow::goes_in_identity(const Target& target) {
  return target.access.kind == client::PopKind::pre_shared_key &&
         target.access.transport == TokenTransport::psk_identity && !target.identity_refused;
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

void AccessFlow::upload(Target& target, Instant now) {
  coap::Request request;
  request.method = coap::code::post;
  request.options.add_path(target.access.entry.authz_info_path);
  request.options.set_content_format(coap::content_format::cwt);
  request.payload = target.token->access_token;
  if (target.session.peer) {
    return send(target, Step::uploading, *target.session.peer, std::move(request), coap::Reliability::automatic, now);
  }
  const auto peer = upload_peer(target, now);
  if (!peer) return finish(target, std::unexpected(peer.error()), Step::uploading);
  send(target, Step::uploading, *peer, std::move(request), coap::Reliability::automatic, now);
}

bool AccessFlow::can_upload(const Target& target) {
  return target.access.entry.plain || target.access.server_key || (target.token && target.token->rs_key);
}

Result<coap::Peer> AccessFlow::upload_peer(Target& target, Instant now) {
  if (target.access.entry.plain) return stack.plain_peer(*target.access.entry.plain);
  if (target.upload_session) return *target.upload_session;
  if (!can_upload(target)) return fail(reason::token_refused, "no authz-info address");
  const cose::Key& key = target.token && target.token->rs_key ? *target.token->rs_key : *target.access.server_key;
  const crypto::PublicKey expected = ACEWARD_TRY(key.public_key());
  target.upload_session =
      ACEWARD_TRY(stack.connect(target.access.entry.secure, tls::AnonymousClient{crypto::spki_der(expected)}, now));
  return *target.upload_session;
}

Result<> AccessFlow::open_session(Target& target, Instant now) {
  const client::HeldToken& token = *target.token;
  if (token.kind == client::PopKind::pre_shared_key) {
    tls::PskClient psk;
    psk.identity = goes_in_identity(target) ? token.access_token : serialize_kid_identity(token.key_id);
    psk.key = Secret::copy_of(token.psk->k());
    target.session.peer = ACEWARD_TRY(stack.connect(target.access.entry.secure, std::move(psk), now, target.ticket));
  } else {
    target.session.peer = ACEWARD_TRY(connect_raw(target.access.entry.secure, *token.rs_key, target.ticket, now));
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
    case Step::finding: return on_found(target, response, now);
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

void AccessFlow::on_uploaded(Target& target, const coap::Response& response, Instant now) {
  Pending& pending = target.queue.front();
  const coap::Code code = response.code;
  if (code == coap::code::created) {
    if (target.upload_session) abandoned.push_back(*std::exchange(target.upload_session, {}));
    set_uploaded(target, true);
    pending.uploaded_now = true;
    if (pending.silent) finish(target, response, Step::uploading);
    return;
  }
  // The layer below holds it back until Max-Age has passed (RFC 8516 section 4, RFC 7252 section 5.9.3.4). A 5.03
  // without it names no time.
  const bool says_when = code == coap::code::service_unavailable && response.options.has(coap::option::max_age);
  if ((code == coap::code::too_many_requests || says_when) && pending.uploads++ < max_busy_uploads) {
    pending.busy = code;
    return upload(target, now);
  }
  // A server that hides which paths there are answers as to any request without a token.
  const bool is_elsewhere = code == coap::code::not_found || code == coap::code::method_not_allowed ||
                            (code == coap::code::unauthorized && hints_in(response));
  if (is_elsewhere && target.access.entry.find_authz_info && !pending.found) {
    pending.found = true;
    coap::Request request;
    request.options.add_path("/.well-known/core");
    request.options.add(coap::option::uri_query, as_bytes("rt=ace.ai"));
    return send(target, Step::finding, target.awaited_from, std::move(request), coap::Reliability::automatic, now);
  }
  if (!is_passing(code)) {
    // One that was kept from before may have been ended by its authorization server since.
    if (pending.asked == 0 && !pending.renewed && !target.session.peer) {
      pending.renewed = true;
      return retire_token(target, now);
    }
    drop_token(target, now);
  }
  finish(target, fail(reason::token_refused), Step::uploading, {}, code);
}

void AccessFlow::on_found(Target& target, const coap::Response& response, Instant now) {
  if (const auto path = client::authz_info_in(response)) {
    target.access.entry.authz_info_path = *path;
    return upload(target, now);
  }
  drop_token(target, now);
  finish(target, fail(reason::token_refused, "no authz-info"), Step::finding, {}, coap::code::not_found);
}

void AccessFlow::on_answer(Target& target, coap::Response response, Instant now) {
  Pending& pending = target.queue.front();
  const bool is_key_valid = target.token && target.token->usable_at(now);
  if (!is_key_valid) retire_token(target, now);
  if (response.code == coap::code::unauthorized) {
    // The server may have begun: so it ends what takes longer than the token lives (RFC 9200 section 5.10.3).
    if (!is_idempotent(pending.operation.request.method)) {
      retire_token(target, now);
      return finish(target, std::move(response), Step::requesting);
    }
    if (auto hints = hints_in(response); hints && *hints && hints_allowed(target, **hints)) {
      target.hints = std::move(**hints);
    }
    // It may have lost the token alone, and has not refused it yet.
    const bool is_upload_due = pending.asked == 0 && !pending.uploaded_now && !pending.uploaded_again;
    if (is_key_valid && is_upload_due && !(target.hints && target.hints->cnonce) &&
        (can_upload(target) || goes_in_identity(target))) {
      pending.uploaded_again = true;
      set_uploaded(target, false);
      return end_sessions(target, now);
    }
    retire_token(target, now);
    if (pending.renewed) return finish(target, fail(reason::access_still_denied), Step::requesting);
    pending.renewed = true;
    pending.probed = true;
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
  if (step == Step::asking && pending.renewing) return give_up_renewal(target, now);
  if (step == Step::asking && pending.denial) {
    return finish(target, std::move(*pending.denial), Step::requesting);
  }
  if (step == Step::requesting) {
    end_session(target, now);
    // A server that was restarted has forgotten the token. The handshake failed, so nothing was acted on.
    if (is_refusal(why) && target.uploaded && !pending.uploaded_now && can_upload(target)) {
      set_uploaded(target, false);
      return;
    }
    // A token from before, in the handshake itself: the server takes it no more. And a server with another key may have
    // been given a new one, which its authorization server knows.
    const bool is_stale = is_refusal(why) && goes_in_identity(target);
    if ((is_stale || why == reason::server_key_unexpected) && pending.asked == 0 && !pending.renewed) {
      pending.renewed = true;
      return drop_token(target, now);
    }
    // A fresh one: a server that first asks its authorization server about tokens cannot do so within a handshake.
    if (is_stale && target.token && can_upload(target)) {
      target.identity_refused = true;
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
  if (target.token || target.spent) ++target.revision;
  target.token.reset();
  target.spent.reset();
  target.uploaded = false;
  target.ticket.reset();
  end_sessions(target, now);
}

void AccessFlow::retire_token(Target& target, Instant now) {
  std::optional<client::HeldToken> spent = std::move(target.token ? target.token : target.spent);
  drop_token(target, now);
  if (spent && spent->refresh_token) target.spent = std::move(spent);
}

void AccessFlow::set_uploaded(Target& target, bool uploaded) {
  if (target.uploaded == uploaded) return;
  target.uploaded = uploaded;
  ++target.revision;
}

void AccessFlow::on_session_gone(std::uint64_t session, const Error& why) {
  for (Target& target : targets) {
    if (target.upload_session && target.upload_session->session == session) target.upload_session.reset();
    if (!target.session.peer || target.session.peer->session != session) continue;
    target.session.peer.reset();
    // Nothing waits for this session, so nothing else will learn that the server has forgotten the token.
    if (is_refusal(why) && target.step == Step::idle && can_upload(target)) set_uploaded(target, false);
  }
  for (Connection& connection : as_sessions) {
    if (connection.peer && connection.peer->session == session) connection.peer.reset();
  }
}

void AccessFlow::on_established(std::uint64_t session, std::optional<tls::ResumptionTicket> ticket) {
  for (Target& target : targets) {
    if (target.session.peer && target.session.peer->session == session) target.ticket = std::move(ticket);
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
