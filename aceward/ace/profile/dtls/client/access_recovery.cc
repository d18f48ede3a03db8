// What goes on beside the operation in front: exchanges on sessions that stalled, and observations.
#include <algorithm>
#include <utility>

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/profile/dtls/client/access_flow.h"
#include "aceward/coap/reasons.h"
#include "aceward/cose/cwt/reasons.h"

namespace aceward::ace::dtls::detail {
namespace {

/// Asking an authorization server twice does no harm: each answer is a token of its own (RFC 6749 section 4.4).
bool may_repeat(const Target& target) {
  return target.step == Step::asking ||
         (target.step == Step::requesting && coap::is_safe(target.queue.front().operation.request.method));
}

}  // namespace

// --- stalled sessions ------------------------------------------------------------------------------------------------

bool AccessFlow::waits_on(const Target& target, const coap::Peer& peer) const {
  return (target.step == Step::asking || target.step == Step::requesting) && target.awaited_from == peer;
}

void AccessFlow::on_stalled(const coap::Peer& peer, Instant now) {
  // A handshake that does not come through is retransmitted by itself; another one would change nothing.
  if (stack.identity(peer.session) == nullptr) return;
  std::vector<Target*> concerned;
  for (Target& target : targets) {
    if (waits_on(target, peer) && target.strays.size() < max_strays) concerned.push_back(&target);
  }
  for (Target* target : concerned) leave_behind(*target, peer);
  for (Target* target : concerned) {
    advance(*target, now);
    // Nothing to send: but the next operation shall find a session that works.
    const bool idle = target->queue.empty() && !target->session.peer;
    if (idle && target->token && target->token->usable_at(now)) static_cast<void>(open_session(*target, now));
  }
  end_followed_session(peer, now);
}

void AccessFlow::leave_behind(Target& target, const coap::Peer& peer) {
  Stray stray{target.awaited, peer, target.step, std::nullopt};
  if (!may_repeat(target)) {
    stray.pending = std::move(target.queue.front());
    target.queue.pop_front();
  }
  Connection& connection = target.step == Step::asking ? as_sessions[target.access.as] : target.session;
  if (connection.peer == peer) connection.peer.reset();
  target.strays.push_back(std::move(stray));
  target.step = Step::idle;
  target.awaited = {};
}

bool AccessFlow::on_stray_response(coap::ResponseArrived& arrived, Instant now) {
  for (Target& target : targets) {
    const auto found = std::ranges::find(target.strays, arrived.id, &Stray::exchange);
    if (found == target.strays.end()) continue;
    Stray stray = std::move(*found);
    target.strays.erase(found);
    // The old session lives after all.
    Connection& connection = stray.step == Step::asking ? as_sessions[target.access.as] : target.session;
    if (!stray.pending) {
      if (target.step != Step::idle) layer().cancel(target.awaited);
      target.step = stray.step;
      if (connection.peer && others_wait_on(target, *connection.peer)) {
        abandoned.push_back(stray.peer);
      } else {
        if (connection.peer) stack.close(connection.peer->session, now);
        connection.peer = stray.peer;
      }
      if (arrived.final) {
        on_response(target, std::move(arrived.response), now);
      } else {
        begin_watch(target, std::move(arrived), now);
      }
    } else {
      const bool is_key_valid = target.token && target.token->usable_at(now);
      Result<coap::Response> result = std::move(arrived.response);
      if (!is_key_valid) result = fail(reason::token_expired);
      completed.push_back({stray.pending->id, Stage::access, std::move(result), {}, {}});
      if (is_key_valid && !connection.peer) {
        connection.peer = stray.peer;
      } else {
        end_stray_session(stray.peer, now);
      }
    }
    advance(target, now);
    return true;
  }
  return false;
}

bool AccessFlow::others_wait_on(const Target& target, const coap::Peer& peer) const {
  return std::ranges::any_of(targets, [&](const Target& other) { return &other != &target && waits_on(other, peer); });
}

bool AccessFlow::on_stray_gone(coap::ExchangeId id, const Error& why, Instant now) {
  for (Target& target : targets) {
    const auto found = std::ranges::find(target.strays, id, &Stray::exchange);
    if (found == target.strays.end()) continue;
    const Stray stray = std::move(*found);
    target.strays.erase(found);
    if (stray.pending) completed.push_back({stray.pending->id, Stage::access, std::unexpected(why), {}, {}});
    end_stray_session(stray.peer, now);
    return true;
  }
  return false;
}

bool AccessFlow::back_to_stray(Target& target) {
  const auto found = std::ranges::find_if(target.strays, [](const Stray& stray) { return !stray.pending; });
  if (found == target.strays.end()) return false;
  Connection& connection = found->step == Step::asking ? as_sessions[target.access.as] : target.session;
  if (connection.peer) return false;  // others ask there: a session that nobody names would never be closed
  connection.peer = found->peer;
  target.step = found->step;
  target.awaited = found->exchange;
  target.awaited_from = found->peer;
  target.strays.erase(found);
  return true;
}

void AccessFlow::end_strays_of_front(Target& target) {
  std::erase_if(target.strays, [&](const Stray& stray) {
    if (stray.pending) return false;
    layer().cancel(stray.exchange);
    abandoned.push_back(stray.peer);
    return true;
  });
}

void AccessFlow::end_overdue_strays(Target& target, Instant now) {
  std::vector<Stray> overdue;
  std::erase_if(target.strays, [&](Stray& stray) {
    if (!stray.pending || now < stray.pending->deadline) return false;
    overdue.push_back(std::move(stray));
    return true;
  });
  for (const Stray& stray : overdue) {
    layer().cancel(stray.exchange);
    completed.push_back({stray.pending->id, Stage::access, fail(reason::operation_canceled), {}, {}});
    end_stray_session(stray.peer, now);
  }
}

void AccessFlow::end_stray_session(const coap::Peer& peer, Instant now) {
  const bool in_use =
      std::ranges::any_of(targets,
                          [&](const Target& target) {
                            return target.session.peer == peer ||
                                   std::ranges::any_of(target.strays, [&](const Stray& s) { return s.peer == peer; });
                          }) ||
      std::ranges::any_of(as_sessions, [&](const Connection& each) { return each.peer == peer; });
  if (!in_use) stack.close(peer.session, now);
}

// --- observations ----------------------------------------------------------------------------------------------------

void AccessFlow::begin_watch(Target& target, coap::ResponseArrived arrived, Instant now) {
  const Step step = std::exchange(target.step, Step::idle);
  target.awaited = {};
  Pending& front = target.queue.front();
  const bool with_key = step == Step::requesting;
  // A probe goes without the payload: what it registered for is not what the user asked.
  const bool is_the_request = with_key || (step == Step::probing && front.operation.request.payload.empty());
  if (!observes(front) || !is_the_request || (with_key && !(target.token && target.token->usable_at(now)))) {
    layer().cancel(arrived.id);
    target.step = step;
    return on_response(target, std::move(arrived.response), now);
  }
  end_strays_of_front(target);
  notified.push_back({front.id, std::move(arrived.response), arrived.order});
  target.watches.push_back({std::move(front), arrived.id, arrived.peer, now});
  target.queue.pop_front();
  target.hints.reset();
  target.scope_to_add.reset();
}

bool AccessFlow::on_watch_response(coap::ResponseArrived& arrived, Instant now) {
  for (Target& target : targets) {
    const auto found = std::ranges::find(target.watches, arrived.id, &Watch::exchange);
    if (found == target.watches.end()) continue;
    const bool protects = arrived.peer.transport == coap::Transport::dtls;
    const bool is_key_valid = !protects || (target.token && target.token->usable_at(now));
    if (is_key_valid && !arrived.final) {
      notified.push_back({found->pending.id, std::move(arrived.response), arrived.order});
      return true;
    }
    Watch watch = std::move(*found);
    target.watches.erase(found);
    if (!arrived.final) layer().cancel(arrived.id);
    const bool refused = is_key_valid && arrived.response.code == coap::code::unauthorized;
    if (refused && protects && now - watch.since >= watch_settled && doubt(target, watch, now)) return true;
    if (!is_key_valid || refused) retire_token(target, now);
    // Another token for the same key took the place of ours at the server (RFC 9200 section 5.10.1), with other rights:
    // registering shows which, and they are asked for.
    const bool lacks_rights = config.extend_rights && is_denial(arrived.response.code);
    const bool was_settled = now - watch.since >= watch_settled;
    if ((!is_key_valid || refused) && was_settled) {
      watch.pending.renewed = true;
      watch_again(target, std::move(watch), now);
    } else if (is_key_valid && protects && lacks_rights && (was_settled || !watch.pending.hurried)) {
      watch.pending.hurried = !was_settled;
      watch_again(target, std::move(watch), now);
    } else {
      Result<coap::Response> result = std::move(arrived.response);
      if (!is_key_valid) result = fail(reason::token_expired);
      completed.push_back({watch.pending.id, Stage::access, std::move(result), {}, {}});
    }
    return true;
  }
  return false;
}

bool AccessFlow::on_watch_gone(coap::ExchangeId id, const Error& why, Instant now) {
  for (Target& target : targets) {
    const auto found = std::ranges::find(target.watches, id, &Watch::exchange);
    if (found == target.watches.end()) continue;
    Watch watch = std::move(*found);
    target.watches.erase(found);
    if (now - watch.since >= watch_settled) {
      watch_again(target, std::move(watch), now);
    } else {
      completed.push_back({watch.pending.id, Stage::access, std::unexpected(why), {}, {}});
    }
    return true;
  }
  return false;
}

coap::ExchangeId AccessFlow::take_watch(Target& target, OperationId id, const coap::Peer& peer) {
  const auto found = std::ranges::find_if(target.watches, [id](const Watch& watch) { return watch.pending.id == id; });
  if (found == target.watches.end()) return {};
  const Watch watch = std::move(*found);
  target.watches.erase(found);
  if (watch.peer == peer) return watch.exchange;
  layer().cancel(watch.exchange);
  return {};
}

void AccessFlow::watch_again(Target& target, Watch watch, Instant now) {
  Pending again;
  again.id = watch.pending.id;
  again.operation = std::move(watch.pending.operation);
  again.deadline = now + again.operation.timeout;
  again.renewed = watch.pending.renewed;
  again.hurried = watch.pending.hurried;
  target.queue.push_back(std::move(again));
  advance(target, now);
}

void AccessFlow::cancel(OperationId id, Instant now) {
  std::erase_if(completed, [id](const Completed& each) { return each.id == id; });
  std::erase_if(notified, [id](const Notified& each) { return each.id == id; });
  const auto is_it = [id](const auto& holder) { return holder.pending.id == id; };
  for (Target& target : targets) {
    if (const auto watch = std::ranges::find_if(target.watches, is_it); watch != target.watches.end()) {
      layer().cancel(watch->exchange);
      target.watches.erase(watch);
      return;
    }
    if (std::erase_if(target.doubts, [&](const Doubt& each) { return is_it(each.watch); }) != 0) return;
    const auto stray =
        std::ranges::find_if(target.strays, [id](const Stray& each) { return each.pending && each.pending->id == id; });
    if (stray != target.strays.end()) {
      const coap::Peer peer = stray->peer;
      layer().cancel(stray->exchange);
      target.strays.erase(stray);
      return end_stray_session(peer, now);
    }
    const auto queued = std::ranges::find(target.queue, id, &Pending::id);
    if (queued == target.queue.end()) continue;
    if (queued != target.queue.begin() || target.step == Step::idle) {
      target.queue.erase(queued);
      return;
    }
    layer().cancel(target.awaited);
    end_strays_of_front(target);
    target.queue.pop_front();
    target.step = Step::idle;
    target.awaited = {};
    target.scope_to_add.reset();
    target.hints.reset();
    return advance(target, now);
  }
}

}  // namespace aceward::ace::dtls::detail
