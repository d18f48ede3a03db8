#include "aceward/coap/reliability/deduplication.h"

#include <utility>

namespace aceward::coap {

const Bytes* Deduplication::answer(const MessageKey& key) const {
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.answer ? &*found->second.answer : nullptr;
}

std::size_t Deduplication::size_of(PeerNumber peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? 0 : found->second.size();
}

Deduplication::Outcome Deduplication::remember(const MessageKey& key, bool confirmable, bool harmless, Instant now) {
  expire(now);
  if (has(key)) return Outcome::remembered;
  if (size_of(key.peer) >= bounds_.per_peer) {
    const auto found = peers_.find(key.peer);
    if (found == peers_.end() || found->second.may_go.empty()) return Outcome::peer_full;
    const auto oldest = found->second.may_go.front();
    ++forgotten_early_;
    erase(oldest);
  }
  if (entries_.size() >= bounds_.overall && !make_room()) return Outcome::full;

  auto& age = ages(confirmable);
  auto& peer = peers_[key.peer];
  Entry entry{now + (confirmable ? bounds_.confirmable_lifetime : bounds_.non_confirmable_lifetime),
              confirmable,
              harmless,
              std::nullopt,
              age.insert(age.end(), key),
              may_go_.end(),
              peer.all.insert(peer.all.end(), key)};
  entries_.emplace(key, std::move(entry));
  return Outcome::remembered;
}

Instant Deduplication::room_at(PeerNumber number, Instant now) const {
  const auto found = peers_.find(number);
  if (found == peers_.end() || found->second.size() == 0) return now;
  const auto& peer = found->second;
  return entries_.at(peer.all.empty() ? peer.may_go.front() : peer.all.front()).expires;
}

void Deduplication::store_answer(const MessageKey& key, Bytes answer) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  const bool could_go = entry.may_go();
  entry.answer = std::move(answer);
  if (!could_go && entry.may_go()) let_go(key, entry);
}

void Deduplication::mark_harmless(const MessageKey& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  if (std::exchange(entry.harmless, true) || !entry.may_go()) return;
  let_go(key, entry);
}

void Deduplication::let_go(const MessageKey& key, Entry& entry) {
  entry.by_answer = may_go_.insert(may_go_.end(), key);
  auto& peer = peers_[key.peer];
  peer.may_go.splice(peer.may_go.end(), peer.all, entry.by_peer);
}

bool Deduplication::make_room() {
  if (may_go_.empty()) return false;
  const auto oldest = may_go_.front();
  ++forgotten_early_;
  erase(oldest);
  return true;
}

bool Deduplication::make_room_for_a_peer() {
  if (may_go_.empty()) return false;
  const auto number = may_go_.front().peer;
  while (true) {
    const auto found = peers_.find(number);
    if (found == peers_.end() || found->second.may_go.empty()) return true;
    const auto next = found->second.may_go.front();
    ++forgotten_early_;
    erase(next);
  }
}

void Deduplication::erase(const MessageKey& key) {
  const auto found = entries_.find(key);
  auto& entry = found->second;
  ages(entry.confirmable).erase(entry.by_age);
  auto& peer = peers_[key.peer];
  if (entry.may_go()) {
    may_go_.erase(entry.by_answer);
    peer.may_go.erase(entry.by_peer);
  } else {
    peer.all.erase(entry.by_peer);
  }
  if (peer.size() == 0) {
    peers_.erase(key.peer);
    released_.push_back(key.peer);
  }
  entries_.erase(found);
}

void Deduplication::forget_peer(PeerNumber number) {
  while (true) {
    const auto found = peers_.find(number);
    if (found == peers_.end()) return;
    const auto& peer = found->second;
    const auto key = peer.all.empty() ? peer.may_go.front() : peer.all.front();
    erase(key);
  }
}

void Deduplication::expire(Instant now) {
  for (auto* age : {&confirmable_, &non_confirmable_}) {
    while (!age->empty()) {
      const auto oldest = age->front();
      if (entries_.at(oldest).expires > now) break;
      erase(oldest);
    }
  }
}

}  // namespace aceward::coap
