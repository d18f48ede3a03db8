#include "aceward/ace/profile/dtls/client/access_client.h"

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/profile/dtls/client/access_flow.h"

namespace aceward::ace::dtls {

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::probe: return "probe";
    case Stage::token: return "token";
    case Stage::upload: return "upload";
    case Stage::access: return "access";
  }
  return "";
}

using detail::Step;
using detail::Target;

struct AccessClient::State : detail::AccessFlow {
  using AccessFlow::AccessFlow;
};

AccessClient::AccessClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
AccessClient::~AccessClient() = default;

Result<std::unique_ptr<AccessClient>> AccessClient::create(AccessClientConfig config, coaps::ClientStack& stack,
                                                           Random& random) {
  auto state = std::make_unique<State>(std::move(config), stack, random);
  if (auto& key = state->config.key) {
    const crypto::PrivateKey private_key = ACEWARD_TRY(key->private_key());
    state->raw_key = ACEWARD_TRY(tls::RawKeyPair::from_key(private_key));
    if (!key->kid) {
      const auto thumbprint = key->thumbprint();
      key->kid = Bytes(thumbprint.begin(), thumbprint.begin() + 8);
    }
  }
  for (ServerAccess& access : state->config.servers) {
    Target target;
    target.access = std::move(access);
    state->targets.push_back(std::move(target));
  }
  state->as_sessions.resize(state->config.authorization_servers.size());
  for (const AsAccess& as : state->config.authorization_servers) {
    const bool is_followed = as.revocations && !std::holds_alternative<AsSecret>(as.credentials);
    state->followings.push_back(
        is_followed ? std::make_unique<detail::ListFollowing>(*as.revocations, state->layer(), random) : nullptr);
  }
  return std::unique_ptr<AccessClient>(new AccessClient(std::move(state)));
}

Result<std::size_t> AccessClient::server_at(const Address& address) const {
  for (std::size_t i = 0; i < state_->targets.size(); ++i) {
    const client::ServerEntry& entry = state_->targets[i].access.entry;
    if (entry.secure == address || entry.plain == address) return i;
  }
  return fail(reason::server_unknown);
}

OperationId AccessClient::submit(std::size_t server, Operation operation, Instant now) {
  return state_->enqueue(server, std::move(operation), false, now);
}

OperationId AccessClient::obtain_token(std::size_t server, std::chrono::nanoseconds timeout, Instant now) {
  Operation operation;
  operation.timeout = timeout;
  return state_->enqueue(server, std::move(operation), true, now);
}

void AccessClient::pump(Instant now) {
  do take_events(now);
  while (state_->follow(now));
}

void AccessClient::take_events(Instant now) {
  while (auto event = state_->stack.next_session_event()) {
    if (const auto* closed = std::get_if<coaps::SessionClosed>(&*event)) {
      state_->on_session_gone(closed->peer.session, closed->why);
    } else if (const auto* failed = std::get_if<coaps::SessionFailed>(&*event)) {
      state_->on_session_gone(failed->peer.session, failed->why);
    } else if (const auto* stalled = std::get_if<coaps::SessionStalled>(&*event)) {
      state_->on_stalled(stalled->peer, now);
    } else if (auto* established = std::get_if<coaps::SessionEstablished>(&*event)) {
      state_->on_established(established->peer.session, std::move(established->ticket));
    }
  }
  while (auto event = state_->layer().next_event(now)) {
    if (state_->take_for_followings(*event, now)) continue;
    Target* target = nullptr;
    if (auto* arrived = std::get_if<coap::ResponseArrived>(&*event)) {
      target = state_->waiting_for(arrived->id);
      if (target != nullptr && !arrived->final) {
        state_->begin_watch(*target, std::move(*arrived), now);
      } else if (target != nullptr) {
        state_->on_response(*target, std::move(arrived->response), now);
      } else if (!state_->on_watch_response(*arrived, now) && !state_->on_stray_response(*arrived, now) &&
                 !arrived->final) {
        state_->layer().cancel(arrived->id);
      }
    } else if (const auto* gone = std::get_if<coap::ExchangeGone>(&*event)) {
      target = state_->waiting_for(gone->id);
      if (target != nullptr) {
        state_->on_gone(*target, gone->reason, now);
      } else if (!state_->on_watch_gone(gone->id, gone->reason, now)) {
        state_->on_stray_gone(gone->id, gone->reason, now);
      }
    } else if (const auto* request = std::get_if<coap::RequestArrived>(&*event)) {
      // A client serves nothing.
      coap::Response response;
      response.code = coap::code::not_found;
      state_->layer().respond(request->id, std::move(response), {}, now);
    }
    if (target != nullptr) state_->advance(*target, now);
  }
}

std::optional<Completed> AccessClient::next_completed() {
  if (state_->completed.empty()) return std::nullopt;
  Completed next = std::move(state_->completed.front());
  state_->completed.pop_front();
  return next;
}

std::optional<Notified> AccessClient::next_notification() {
  if (state_->notified.empty()) return std::nullopt;
  Notified next = std::move(state_->notified.front());
  state_->notified.pop_front();
  return next;
}

void AccessClient::cancel(OperationId id, Instant now) { state_->cancel(id, now); }

std::optional<Instant> AccessClient::next_timeout() const {
  std::optional<Instant> next;
  for (const Target& target : state_->targets) {
    for (const detail::Pending& pending : target.queue) {
      next = next ? std::min(*next, pending.deadline) : pending.deadline;
    }
    for (const detail::Stray& stray : target.strays) {
      if (stray.pending) next = next ? std::min(*next, stray.pending->deadline) : stray.pending->deadline;
    }
  }
  return next;
}

std::optional<Instant> AccessClient::next_renewal() const {
  std::optional<Instant> next = state_->next_follow();
  for (const Target& target : state_->targets) {
    if (const auto due = state_->renewal_of_watches(target)) next = next ? std::min(*next, *due) : due;
  }
  return next;
}

void AccessClient::on_timeout(Instant now) {
  for (const auto& following : state_->followings) {
    if (following) following->on_timeout(now);
  }
  if (state_->follow(now)) pump(now);
  for (Target& target : state_->targets) state_->renew_for_watches(target, now);
  for (Target& target : state_->targets) {
    state_->end_overdue_strays(target, now);
    if (target.queue.empty()) continue;
    state_->end_overdue(target, now);
    if (now < target.queue.front().deadline) continue;
    if (target.step == Step::idle) continue;
    state_->layer().cancel(target.awaited);
    state_->on_gone(target, Error(reason::operation_canceled), now);
    state_->advance(target, now);
  }
}

const client::HeldToken* AccessClient::token(std::size_t server) const {
  const auto& token = state_->targets[server].token;
  return token ? &*token : nullptr;
}

std::optional<KeptToken> AccessClient::kept(std::size_t server) const {
  const Target& target = state_->targets[server];
  const auto& token = target.token ? target.token : target.spent;
  if (!token) return std::nullopt;
  return KeptToken{&*token, &target.asked, target.uploaded};
}

std::uint64_t AccessClient::revision(std::size_t server) const { return state_->targets[server].revision; }

client::CacheBinding AccessClient::cache_binding(std::size_t server) const {
  return state_->cache_binding(state_->targets[server]);
}

bool AccessClient::restore(std::size_t server, client::CachedToken cached, Instant now) {
  return state_->restore(state_->targets[server], std::move(cached), now);
}

bool AccessClient::forget_revoked(BytesView token_hash, Instant now) { return state_->forget_revoked(token_hash, now); }

const revocation::Follower* AccessClient::follower(std::size_t as) const {
  const auto& following = state_->followings[as];
  return following ? &following->follower() : nullptr;
}

std::uint64_t AccessClient::session(std::size_t server) const {
  const auto& peer = state_->targets[server].session.peer;
  return peer ? peer->session : 0;
}

void AccessClient::close_session(std::size_t server, Instant now) {
  Target& target = state_->targets[server];
  state_->end_session(target, now);
  state_->end_as_session(target, now);
}

void AccessClient::forget(std::size_t server, Instant now) { state_->drop_token(state_->targets[server], now); }

void AccessClient::set_scope(std::size_t server, std::optional<Scope> scope) {
  state_->targets[server].access.scope = std::move(scope);
}

}  // namespace aceward::ace::dtls
