// Whom an endpoint holds state for, what their addresses may get, and memory that goes round.
#include <algorithm>
#include <utility>

#include "aceward/coap/reliability/endpoint_state.h"

namespace aceward::coap {

std::optional<PeerNumber> Endpoint::State::find_peer(const Peer& peer) const {
  if (numbers.empty()) return std::nullopt;
  const auto found = numbers.find(peer);
  if (found == numbers.end()) return std::nullopt;
  return found->second;
}

Peer Endpoint::State::without_local(Peer peer) {
  peer.local = {};
  return peer;
}

std::optional<PeerNumber> Endpoint::State::find_or_add_peer(const Peer& peer, Instant now) {
  if (const auto known = find_peer(peer)) return known;
  auto& count = peer_count[index_of(peer.transport)];
  auto& memory = memories[index_of(peer.transport)];
  // A peer that only asked and was answered is let go with what is remembered of it. A few tries keep this cheap.
  for (int tries = 0; count >= limits.peers && tries < 8 && memory.make_room_for_a_peer(); ++tries) {
    for (const auto number : memory.take_released()) release_peer(number, now);
  }
  if (count >= limits.peers) {
    ++counters.refused_peers;
    return std::nullopt;
  }
  const PeerNumber number = ++last_peer;
  PeerState state;
  state.peer = peer;
  if (peer.session != 0) {
    state.ids.emplace(static_cast<std::uint16_t>(random.next_u64()), parameters.exchange_lifetime());
  }
  if (const auto before = heard.find(peer); before != heard.end()) {
    state.heard = before->second;
    heard.erase(before);
  }
  peers.emplace(number, std::move(state));
  numbers.emplace(peer, number);
  ++count;
  return number;
}

void Endpoint::State::release_peer(PeerNumber number, Instant now) {
  const auto found = peers.find(number);
  if (found == peers.end()) return;
  auto& state = found->second;
  if (!state.requests.empty() || !state.answers.empty() || state.outstanding != 0) return;
  if (memory(number).size_of(number) != 0) return;
  if (const auto free_at = state.ids ? state.ids->free_at(now) : std::nullopt) {
    if (!std::exchange(state.resting, true)) resting.emplace_back(*free_at, number);
    return;
  }
  timers.clear(Timer::message_id, number);
  keep_heard(state);
  --peer_count[index_of(state.peer.transport)];
  numbers.erase(state.peer);
  peers.erase(found);
}

std::optional<std::uint16_t> Endpoint::State::take_message_id(PeerNumber number, Instant now) {
  auto& peer = at(number);
  return peer.ids ? peer.ids->take(now) : shared_ids.take(peer.peer.remote, now);
}

Instant Endpoint::State::message_id_at(PeerNumber number, Instant now) {
  auto& peer = at(number);
  return peer.ids ? peer.ids->available_at(now) : shared_ids.available_at(peer.peer.remote, now);
}

void Endpoint::State::expire(Instant now) {
  // Once for each time that is handed in: a batch of datagrams shares it.
  if (now <= latest && to_pump.empty()) return;
  latest = std::max(latest, now);
  for (auto& memory : memories) {
    memory.expire(now);
    if (!memory.has_released()) continue;
    for (const auto number : memory.take_released()) release_peer(number, now);
  }
  while (!resting.empty() && resting.front().first <= now) {
    const auto number = resting.front().second;
    resting.pop_front();
    if (const auto found = peers.find(number); found != peers.end()) {
      found->second.resting = false;
      release_peer(number, now);
    }
  }
  if (!to_pump.empty()) {
    for (const auto number : std::exchange(to_pump, {})) pump(number, now);
  }
}

std::optional<std::size_t> Endpoint::State::answer_limit(const Peer& to, Instant now) const {
  if (to.transport != Transport::udp) return std::nullopt;
  auto octets = limits.unverified_answer;
  for (const auto& [local, other] : answer_limits) {
    if (local.port != to.local.port || (local.ip != to.local.ip && !local.is_unspecified())) continue;
    octets = other;
    if (local.ip == to.local.ip) break;
  }
  if (octets == 0 || reachability.known(to.remote, now)) return std::nullopt;
  return octets;
}

bool Endpoint::State::pressed(Transport transport) const {
  const auto index = index_of(transport);
  return memories[index].size() > limits.remembered / 2 || peer_count[index] > limits.peers / 2 || crowded(transport);
}

bool Endpoint::State::crowded(Transport transport) const {
  return answer_count[index_of(transport)] > limits.answers / 2;
}

void Endpoint::State::keep_heard(const PeerState& peer) {
  constexpr std::size_t most = 1024;
  if (!peer.heard || peer.peer.session != 0) return;
  while (heard_order.size() >= most) {
    const auto& [at_that_time, oldest] = heard_order.front();
    const auto found = heard.find(oldest);
    if (found != heard.end() && found->second == at_that_time) heard.erase(found);
    heard_order.pop_front();
  }
  heard.insert_or_assign(peer.peer, *peer.heard);
  heard_order.emplace_back(*peer.heard, peer.peer);
}

bool Endpoint::State::responds(const PeerState& peer, Instant now) const {
  return peer.heard && now < *peer.heard + parameters.exchange_lifetime();
}

namespace {

constexpr std::size_t spares = 256;  // of each kind: a few batches of datagrams
constexpr std::size_t largest_spare = 4096;

}  // namespace

Bytes Endpoint::State::spare_datagram() {
  if (spare_datagrams.empty()) return {};
  auto spare = std::move(spare_datagrams.back());
  spare_datagrams.pop_back();
  return spare;
}

void Endpoint::State::keep_for_later(Bytes&& datagram) {
  if (datagram.capacity() == 0 || datagram.capacity() > largest_spare || spare_datagrams.size() >= spares) return;
  datagram.clear();
  spare_datagrams.push_back(std::move(datagram));
}

void Endpoint::State::keep_for_later(Options&& options, Bytes&& payload) {
  if (options.capacity() + payload.capacity() == 0 || spare_parts.size() >= spares) return;
  if (options.capacity() > largest_spare || payload.capacity() > largest_spare) return;
  options.clear();
  payload.clear();
  spare_parts.emplace_back(std::move(options), std::move(payload));
}

}  // namespace aceward::coap
