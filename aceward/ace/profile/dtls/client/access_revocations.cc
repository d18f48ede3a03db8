// Tokens that their authorization server takes back: how the client learns of it, and what it does then.
#include "aceward/ace/profile/dtls/client/access_revocations.h"

#include <algorithm>
#include <utility>

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/params/token_hash.h"
#include "aceward/ace/profile/dtls/client/access_flow.h"

namespace aceward::ace::dtls::detail {
namespace {

constexpr std::chrono::seconds reconnect_min{1};
constexpr std::chrono::seconds reconnect_max{60};

coap::ExchangeId exchange_of(const coap::Event& event) {
  return std::visit([](const auto& one) { return one.id; }, event);
}

bool is_last(const coap::Event& event) {
  const auto* arrived = std::get_if<coap::ResponseArrived>(&event);
  return arrived == nullptr || arrived->final;
}

}  // namespace

// --- SharedLayer -----------------------------------------------------------------------------------------------------

bool SharedLayer::offer(coap::Event& event) {
  if (std::holds_alternative<coap::RequestArrived>(event)) return false;
  const auto found = open_.find(exchange_of(event));
  if (found == open_.end()) return false;
  if (is_last(event)) open_.erase(found);
  offered_ = std::move(event);
  return true;
}

Result<coap::ExchangeId> SharedLayer::request(const coap::Peer& to, coap::Request request, coap::Delivery delivery,
                                              Instant now) {
  const auto id = ACEWARD_TRY(below_.request(to, std::move(request), delivery, now));
  open_.erase(delivery.token_of);
  open_.insert(id);
  return id;
}

void SharedLayer::cancel(coap::ExchangeId id) {
  if (open_.erase(id) != 0) below_.cancel(id);
}

std::optional<coap::Event> SharedLayer::next_event(Instant) { return std::exchange(offered_, std::nullopt); }

// --- ListFollowing ---------------------------------------------------------------------------------------------------

bool ListFollowing::take(coap::Event& event, Instant now) {
  const bool is_answer = std::holds_alternative<coap::ResponseArrived>(event);
  if (!layer_.offer(event)) return false;
  if (is_answer) delay_ = std::chrono::nanoseconds(0);  // the server is there
  drain(now);
  return true;
}

void ListFollowing::drain(Instant now) {
  while (auto event = observations_.next_event(now)) follower_.take(*event, now);
}

void ListFollowing::use(const std::optional<coap::Peer>& session, Instant now) {
  if (session == session_) return;
  session_ = session;
  if (session_) return follower_.start(*session_, now);
  follower_.stop(now);
  connect_failed(now);
}

void ListFollowing::stop(Instant now) {
  if (!session_) return;
  session_.reset();
  follower_.stop(now);
}

void ListFollowing::connect_failed(Instant now) {
  delay_ = delay_.count() == 0 ? reconnect_min : std::min<std::chrono::nanoseconds>(2 * delay_, reconnect_max);
  not_before_ = now + delay_;
}

Instant ListFollowing::next_timeout() const {
  if (!session_) return not_before_;
  // What was asked comes back with an answer or without one; the poll is then set anew.
  Instant due = Instant::max();
  for (const auto each : {observations_.next_timeout(), follower_.next_timeout()}) {
    if (each) due = std::min(due, *each);
  }
  return due;
}

void ListFollowing::on_timeout(Instant now) {
  if (!session_) return;
  observations_.on_timeout(now);
  follower_.on_timeout(now);
  drain(now);
}

// --- AccessFlow ------------------------------------------------------------------------------------------------------

bool AccessFlow::wants_to_follow(std::size_t as) const {
  if (!followings[as]) return false;
  const AsAccess& access = config.authorization_servers[as];
  return std::ranges::any_of(targets, [&](const Target& target) {
    if (target.access.as != as) return false;
    const bool holds_token = target.token || target.spent;
    const bool is_observing = !target.watches.empty() || !target.doubts.empty();
    if (holds_token && (access.follows_without_observations || is_observing)) return true;
    // One that is being registered again is not left in between.
    return followings[as]->session() && std::ranges::any_of(target.queue, observes);
  });
}

bool AccessFlow::follow(Instant now) {
  bool has_ended_some = false;
  for (std::size_t as = 0; as < followings.size(); ++as) {
    ListFollowing* following = followings[as].get();
    if (following == nullptr) continue;
    const auto settle = [&] {
      for (Target& target : targets) {
        if (target.access.as == as) settle_doubts(target, now);
      }
    };
    if (!wants_to_follow(as)) {
      following->stop(now);
      settle();
      continue;
    }
    Connection& connection = as_sessions[as];
    if (!connection.peer && !following->session() && following->may_connect(now)) {
      if (auto made = connect_to_as(config.authorization_servers[as], now)) {
        connection.peer = *made;
      } else {
        following->connect_failed(now);
      }
    }
    following->use(connection.peer, now);
    while (const auto change = following->next()) {
      if (change->kind != revocation::Revocation::Kind::revoked) continue;
      has_ended_some |= forget_revoked(change->token_hash, now);
    }
    settle();
  }
  return has_ended_some;
}

bool AccessFlow::doubt(Target& target, Watch& watch, Instant now) {
  ListFollowing* following = followings[target.access.as].get();
  if (following == nullptr || !following->session() || !target.token) return false;
  following->refresh(now);
  target.doubts.push_back({std::move(watch), token_hash(target.token->access_token),
                           following->follower().counters().answers, now + list_patience});
  return true;
}

void AccessFlow::settle_doubts(Target& target, Instant now) {
  const ListFollowing& following = *followings[target.access.as];
  std::vector<Watch> cleared;
  bool is_refused = false;
  std::erase_if(target.doubts, [&](Doubt& doubt) {
    const bool was_told = following.follower().counters().answers != doubt.answers;
    if (!was_told && now < doubt.until && following.session()) return false;
    is_refused |= target.token && equal(token_hash(target.token->access_token), doubt.token_hash);
    cleared.push_back(std::move(doubt.watch));
    return true;
  });
  if (is_refused) retire_token(target, now);
  for (Watch& watch : cleared) {
    watch.pending.renewed = true;
    watch_again(target, std::move(watch), now);
  }
}

bool AccessFlow::take_for_followings(coap::Event& event, Instant now) {
  return std::ranges::any_of(followings,
                             [&](const auto& following) { return following && following->take(event, now); });
}

void AccessFlow::end_followed_session(const coap::Peer& peer, Instant now) {
  const bool is_awaited = std::ranges::any_of(targets, [&](const Target& target) { return waits_on(target, peer); });
  for (std::size_t as = 0; as < followings.size(); ++as) {
    if (is_awaited || !followings[as] || followings[as]->session() != peer || as_sessions[as].peer != peer) continue;
    as_sessions[as].peer.reset();
    stack.close(peer.session, now);
  }
}

std::optional<Instant> AccessFlow::next_follow() const {
  std::optional<Instant> next;
  for (std::size_t as = 0; as < followings.size(); ++as) {
    if (!wants_to_follow(as)) continue;
    const Instant due = followings[as]->next_timeout();
    if (due != Instant::max()) next = next ? std::min(*next, due) : due;
  }
  for (const Target& target : targets) {
    for (const Doubt& doubt : target.doubts) next = next ? std::min(*next, doubt.until) : doubt.until;
  }
  return next;
}

bool AccessFlow::forget_revoked(BytesView revoked, Instant now) {
  bool is_known = false;
  for (Target& target : targets) {
    const auto& token = target.token ? target.token : target.spent;
    if (!token || !equal(token_hash(token->access_token), revoked)) continue;
    is_known = true;
    // Registering again would get another token, which is not for this client to decide: its user is told.
    const auto end = [&](const Watch& watch) {
      completed.push_back({watch.pending.id, Stage::access, fail(reason::held_token_revoked), {}, {}});
    };
    std::erase_if(target.watches, [&](const Watch& watch) {
      if (watch.peer.transport != coap::Transport::dtls) return false;
      layer().cancel(watch.exchange);
      end(watch);
      return true;
    });
    for (const Doubt& doubt : std::exchange(target.doubts, {})) end(doubt.watch);
    drop_token(target, now);
  }
  return is_known;
}

bool AccessFlow::is_known_revoked(const Target& target, const client::HeldToken& token) const {
  const auto& following = followings[target.access.as];
  return following && following->follower().is_revoked(token_hash(token.access_token));
}

}  // namespace aceward::ace::dtls::detail
