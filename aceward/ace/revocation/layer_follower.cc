#include "aceward/ace/revocation/layer_follower.h"

#include <algorithm>
#include <utility>

namespace aceward::ace::revocation {

LayerFollower::LayerFollower(FollowerSettings settings, coap::ObservationClient& layer, Random& random)
    : follower_(std::move(settings), random), layer_(layer) {}

void LayerFollower::start(const coap::Peer& as, Instant now) {
  for (const auto& [id, number] : std::exchange(open_, {})) layer_.cancel(id);
  as_ = as;
  follower_.start(now);
  on_timeout(now);
}

void LayerFollower::stop(Instant now) {
  follower_.stop();
  as_.reset();
  for (const auto& [id, number] : std::exchange(open_, {})) layer_.deregister(id, now);
}

void LayerFollower::on_timeout(Instant now) {
  if (!as_) return;
  if (const auto unwanted = follower_.next_cancelled()) {
    const auto found = std::ranges::find_if(open_, [&](const auto& one) { return one.second == *unwanted; });
    if (found != open_.end()) {
      layer_.deregister(found->first, now);
      open_.erase(found);
    }
  }
  while (auto ask = follower_.next_ask(now)) {
    const auto id = layer_.request(*as_, std::move(ask->request), {}, now);
    if (id) {
      open_.emplace(*id, ask->number);
    } else {
      follower_.failed(ask->number, now);
    }
  }
}

bool LayerFollower::take(const coap::Event& event, Instant now) {
  if (const auto* arrived = std::get_if<coap::ResponseArrived>(&event)) {
    const auto found = open_.find(arrived->id);
    if (found == open_.end()) return false;
    const std::uint64_t number = found->second;
    if (arrived->final) open_.erase(found);
    follower_.answered(number, arrived->response, arrived->final, now);
  } else if (const auto* gone = std::get_if<coap::ExchangeGone>(&event)) {
    const auto found = open_.find(gone->id);
    if (found == open_.end()) return false;
    const std::uint64_t number = found->second;
    open_.erase(found);
    follower_.failed(number, now);
  } else {
    return false;
  }
  on_timeout(now);
  return true;
}

void LayerFollower::refresh(Instant now) {
  follower_.refresh(now);
  on_timeout(now);
}

}  // namespace aceward::ace::revocation
