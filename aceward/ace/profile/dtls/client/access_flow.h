// The steps that an AccessClient goes through for one operation. Internal to this folder.
#pragma once

#include <algorithm>
#include <deque>
#include <utility>

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/profile/dtls/client/access_client.h"
#include "aceward/ace/profile/dtls/psk_identity.h"
#include "aceward/coap/message/content_format.h"
#include "aceward/coap/message/uri.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/crypto/encoding.h"
#include "aceward/tls/reasons.h"

namespace aceward::ace::dtls::detail {

/// What an operation waits for.
enum class Step : std::uint8_t { idle, probing, asking, uploading, requesting };

struct Pending {
  OperationId id;
  Operation operation;
  Instant deadline;
  bool token_only = false;
  // Each of these is done once for an operation: that is what keeps two servers that disagree from keeping the client
  // busy for ever (RFC 9200 section 5.10.2, note).
  bool probed = false;
  bool renewed = false;
  bool extended = false;
  bool uploaded_now = false;
  unsigned asked = 0;  ///< requests for a token: tokens that end before they can be used must not go on for ever
  std::optional<coap::Response> denial;  ///< the 4.03 or 4.05 that an extension tries to mend
};

struct Connection {
  std::optional<coap::Peer> peer;
};

struct Target {
  ServerAccess access;
  std::deque<Pending> queue;
  Step step = Step::idle;
  coap::ExchangeId awaited;
  std::optional<client::HeldToken> token;
  bool uploaded = false;
  Connection session;
  client::Wish wish;  ///< of the request for a token that is under way
  std::optional<CreationHints> hints;
  std::optional<Scope> scope_to_add;  ///< an extension is under way
};

/// First of all; again after a 4.01; to widen it; and once more because a token ended on the way.
inline constexpr unsigned max_token_requests = 4;

/// Doing it twice is doing it once (RFC 7252 section 5.1, RFC 8132 section 1): all but POST and PATCH.
inline bool is_idempotent(coap::Code method) { return method != coap::code::post && method != coap::code::patch; }

/// Does the answer speak of the server's state rather than of the token?
inline bool is_passing(coap::Code code) { return code == coap::code::too_many_requests || code.code_class() == 5; }

inline coap::Response denial_of(Pending& pending) { return std::move(*pending.denial); }

class AccessFlow {
 public:
  AccessFlow(AccessClientConfig c, coaps::ClientStack& s, Random& r) : config(std::move(c)), stack(s), random(r) {}

  AccessClientConfig config;
  coaps::ClientStack& stack;
  Random& random;
  std::optional<tls::RawKeyPair> raw_key;
  std::vector<Target> targets;
  std::vector<Connection> as_sessions;
  std::deque<Completed> completed;
  std::uint64_t last_operation = 0;

  coap::Layer& layer() { return stack.layer(); }

  // --- sending -------------------------------------------------------------------------------------------------------

  /// Sends one step's request; a failure to do so ends the operation.
  void send(Target& target, Step step, const coap::Peer& peer, coap::Request request, coap::Reliability reliability,
            Instant now) {
    const coap::Delivery delivery{reliability, target.queue.front().deadline - now};
    auto sent = layer().request(peer, std::move(request), delivery, now);
    if (!sent) return finish(target, std::unexpected(sent.error()), step);
    target.step = step;
    target.awaited = *sent;
  }

  void finish(Target& target, Result<coap::Response> result, Step step, std::optional<ErrorResponse> refusal = {},
              std::optional<coap::Code> refused_with = {}) {
    Stage stage = Stage::access;
    if (step == Step::probing) stage = Stage::probe;
    if (step == Step::asking) stage = Stage::token;
    if (step == Step::uploading) stage = Stage::upload;
    completed.push_back({target.queue.front().id, stage, std::move(result), std::move(refusal), refused_with});
    target.queue.pop_front();
    target.step = Step::idle;
    target.awaited = {};
    target.scope_to_add.reset();
    target.hints.reset();
  }

  /// Ends what waits behind the operation in front for longer than it may.
  void end_overdue(Target& target, Instant now) {
    for (auto pending = target.queue.begin() + 1; pending != target.queue.end();) {
      if (now < pending->deadline) {
        ++pending;
        continue;
      }
      completed.push_back({pending->id, Stage::access, fail(reason::operation_canceled), {}, {}});
      pending = target.queue.erase(pending);
    }
  }

  /// Starts what the operation in front needs next.
  void advance(Target& target, Instant now) {
    while (target.step == Step::idle && !target.queue.empty()) {
      const std::size_t before = completed.size();
      start(target, now);
      if (target.step == Step::idle && completed.size() == before) return;
    }
  }

  void start(Target& target, Instant now) {
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

  static bool goes_in_identity(const Target& target) {
    return target.access.kind == client::PopKind::pre_shared_key &&
           target.access.transport == TokenTransport::psk_identity;
  }

  /// The Unauthorized Resource Request (RFC 9200 section 5.2). It says what is wanted, but not the payload: that is the
  /// client's secret until the server has proved who it is. A server that asks for no permission must not act on the
  /// request without its payload, hence the precondition that cannot hold (RFC 7252 section 5.10.8.1).
  void probe(Target& target, Instant now) {
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

  void ask(Target& target, Instant now) {
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

  Result<coap::Peer> connect_to_as(const AsAccess& as, Instant now) {
    if (const auto* psk = std::get_if<AsPsk>(&as.credentials)) {
      return stack.connect(as.entry.address, tls::PskClient{psk->identity, psk->key.clone()}, now);
    }
    return connect_raw(as.entry.address, std::get<AsRawKey>(as.credentials).as_key, now);
  }

  Result<coap::Peer> connect_raw(const Address& address, const cose::Key& expected, Instant now) {
    if (!raw_key) return fail(reason::client_key_missing);
    const crypto::PublicKey key = ACEWARD_TRY(expected.public_key());
    return stack.connect(address, tls::RawKeyClient{*raw_key, crypto::spki_der(key)}, now);
  }

  /// To authz-info (RFC 9200 section 5.10.1). Within a session for an update, so that nobody learns of it; else over
  /// plain CoAP, as the token is needed to set the session up.
  void upload(Target& target, Instant now) {
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

  void connect(Target& target, Instant now) {
    const client::HeldToken& token = *target.token;
    Result<coap::Peer> peer = fail(reason::client_key_missing);
    if (token.kind == client::PopKind::pre_shared_key) {
      tls::PskClient psk;
      psk.identity = goes_in_identity(target) ? token.access_token : serialize_kid_identity(token.key_id);
      psk.key = Secret::copy_of(token.psk->k());
      peer = stack.connect(target.access.entry.secure, std::move(psk), now);
    } else {
      peer = connect_raw(target.access.entry.secure, *token.rs_key, now);
    }
    if (!peer) return finish(target, std::unexpected(peer.error()), Step::requesting);
    target.session.peer = *peer;
    request(target, now);
  }

  void request(Target& target, Instant now) {
    const Operation& operation = target.queue.front().operation;
    send(target, Step::requesting, *target.session.peer, operation.request, operation.reliability, now);
  }

  // --- receiving -----------------------------------------------------------------------------------------------------

  void on_response(Target& target, coap::Response response, Instant now) {
    const Step step = std::exchange(target.step, Step::idle);
    target.awaited = {};
    switch (step) {
      case Step::idle: return;
      case Step::probing: return on_probed(target, std::move(response));
      case Step::asking: return on_token(target, response, now);
      case Step::uploading: return on_uploaded(target, response, now);
      case Step::requesting: return on_answer(target, std::move(response), now);
    }
  }

  static std::optional<Result<CreationHints>> hints_in(const coap::Response& response) {
    if (response.options.content_format() != coap::content_format::ace_cbor || response.payload.empty()) return {};
    return cbor::parse<CreationHints>(response.payload);
  }

  void on_probed(Target& target, coap::Response response) {
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

  void on_token(Target& target, const coap::Response& response, Instant now) {
    Pending& pending = target.queue.front();
    std::optional<ErrorResponse> refusal;
    auto token =
        client::read_token_response(response, target.wish, config.key ? &*config.key : nullptr,
                                    target.wish.update_key_id && target.token ? &*target.token : nullptr, now, refusal);
    if (!token) {
      // The session lives on with what it has; the resource server's denial is the answer.
      if (pending.denial) return finish(target, denial_of(pending), Step::requesting, std::move(refusal));
      return finish(target, std::unexpected(token.error()), Step::asking, std::move(refusal), response.code);
    }
    const bool is_update = target.wish.update_key_id && target.token && have_one_key(*target.token, *token);
    if (!is_update) end_session(target, now);
    target.token = std::move(*token);
    target.uploaded = false;
    target.hints.reset();
    target.scope_to_add.reset();
    if (pending.token_only) return finish(target, response, Step::asking);
    if (target.session.peer) upload(target, now);
  }

  /// May a session that was made with one go on with the other?
  static bool have_one_key(const client::HeldToken& a, const client::HeldToken& b) {
    if (a.kind != b.kind || a.key_id != b.key_id) return false;
    return a.kind == client::PopKind::pre_shared_key ? a.psk->same_key(*b.psk) : a.rs_key->same_key(*b.rs_key);
  }

  void on_uploaded(Target& target, const coap::Response& response, Instant now) {
    if (response.code != coap::code::created) {
      const coap::Code code = response.code;
      if (!is_passing(code)) drop_token(target, now);
      return finish(target, fail(reason::token_refused), Step::uploading, {}, code);
    }
    target.uploaded = true;
    target.queue.front().uploaded_now = true;
  }

  void on_answer(Target& target, coap::Response response, Instant now) {
    Pending& pending = target.queue.front();
    const bool is_key_valid = target.token && target.token->usable_at(now);
    if (!is_key_valid) drop_token(target, now);
    if (response.code == coap::code::unauthorized) {
      drop_token(target, now);
      // The server may have begun: so it ends what takes longer than the token lives (RFC 9200 section 5.10.3).
      if (!is_idempotent(pending.operation.request.method))
        return finish(target, std::move(response), Step::requesting);
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
    const bool lacks_rights = response.code == coap::code::forbidden || response.code == coap::code::method_not_allowed;
    if (lacks_rights && config.extend_rights && !pending.extended) {
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

  bool hints_allowed(const Target& target, const CreationHints& hints) const {
    return client::check_hints(hints, target.access.entry, config.authorization_servers[target.access.as].entry)
        .has_value();
  }

  void on_gone(Target& target, const Error& why, Instant now) {
    const Step step = std::exchange(target.step, Step::idle);
    target.awaited = {};
    Pending& pending = target.queue.front();
    if (step == Step::asking) end_as_session(target, now);
    if (step == Step::asking && pending.denial) {
      return finish(target, denial_of(pending), Step::requesting);
    }
    if (step == Step::requesting) {
      end_session(target, now);
      // A server that was restarted has forgotten the token. The handshake failed, so nothing was acted on.
      const bool refused = why == reason::handshake_alert_received || why == reason::psk_identity_refused;
      if (refused && target.uploaded && !pending.uploaded_now && target.access.entry.plain) {
        target.uploaded = false;
        return;
      }
    }
    finish(target, std::unexpected(why), step);
  }

  // --- sessions ------------------------------------------------------------------------------------------------------

  void end_session(Target& target, Instant now) {
    if (!target.session.peer) return;
    const std::uint64_t session = target.session.peer->session;
    target.session.peer.reset();
    stack.close(session, now);
  }

  /// What did not answer may have been restarted: the next request gets a fresh session.
  void end_as_session(Target& target, Instant now) {
    Connection& connection = as_sessions[target.access.as];
    if (!connection.peer) return;
    const std::uint64_t session = connection.peer->session;
    connection.peer.reset();
    stack.close(session, now);
  }

  void drop_token(Target& target, Instant now) {
    target.token.reset();
    target.uploaded = false;
    end_session(target, now);
  }

  void on_session_gone(std::uint64_t session) {
    for (Target& target : targets) {
      if (target.session.peer && target.session.peer->session == session) target.session.peer.reset();
    }
    for (Connection& connection : as_sessions) {
      if (connection.peer && connection.peer->session == session) connection.peer.reset();
    }
  }

  Target* waiting_for(coap::ExchangeId id) {
    const auto found = std::ranges::find_if(
        targets, [id](const Target& target) { return target.step != Step::idle && target.awaited == id; });
    return found == targets.end() ? nullptr : &*found;
  }

  OperationId enqueue(std::size_t server, Operation operation, bool token_only, Instant now) {
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
};

}  // namespace aceward::ace::dtls::detail
