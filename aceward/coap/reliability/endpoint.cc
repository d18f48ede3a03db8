#include "aceward/coap/reliability/endpoint.h"

#include <algorithm>
#include <utility>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint_state.h"

namespace aceward::coap {

Endpoint::State::State(const Parameters& parameters_in, const Limits& limits_in, Random& random_in)
    : parameters(parameters_in),
      limits(limits_in),
      random(random_in),
      memories{Deduplication({limits.remembered_per_peer, limits.remembered, parameters.exchange_lifetime(),
                              parameters.non_lifetime(), parameters.max_transmit_span()}),
               Deduplication({limits.remembered_per_peer, limits.remembered, parameters.exchange_lifetime(),
                              parameters.non_lifetime(), parameters.max_transmit_span()})},
      shared_ids(random, parameters.exchange_lifetime()),
      transmissions(parameters, random) {}

// Peers

std::optional<PeerNumber> Endpoint::State::find_peer(const Peer& peer) const {
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
  for (int tries = 0; count >= limits.peers && tries < 8 && memory.make_room_for_a_peer(now); ++tries) {
    for (const auto number : memory.take_released()) release_peer(number, now);
  }
  if (count >= limits.peers) {
    ++counters.refused_peers;
    return std::nullopt;
  }
  const PeerNumber number = ++last_peer;
  std::optional<MessageIds> ids;
  if (peer.session != 0) ids.emplace(static_cast<std::uint16_t>(random.next_u64()), parameters.exchange_lifetime());
  peers.emplace(number, PeerState{peer, std::move(ids), {}, {}, {}, 0, false});
  numbers.emplace(peer, number);
  ++count;
  return number;
}

void Endpoint::State::release_peer(PeerNumber number, Instant now) {
  const auto found = peers.find(number);
  if (found == peers.end()) return;
  auto& state = found->second;
  if (!state.requests.empty() || !state.answers.empty() || memory(number).size_of(number) != 0) return;
  if (const auto free_at = state.ids ? state.ids->free_at(now) : std::nullopt) {
    if (!std::exchange(state.resting, true)) resting.emplace_back(*free_at, number);
    return;
  }
  --peer_count[index_of(state.peer.transport)];
  numbers.erase(state.peer);
  peers.erase(found);
}

std::optional<std::uint16_t> Endpoint::State::take_message_id(PeerNumber number, Instant now) {
  auto& peer = at(number);
  const auto id = peer.ids ? peer.ids->take(now) : shared_ids.take(peer.peer.remote, now);
  if (!id) ++counters.refused_message_ids;
  return id;
}

void Endpoint::State::expire(Instant now) {
  latest = std::max(latest, now);
  for (auto& memory : memories) {
    memory.expire(now);
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
  for (const auto number : std::exchange(to_pump, {})) pump(number, now);
}

// Datagrams

void Endpoint::State::send(const Peer& to, Bytes datagram) {
  if (datagrams.size() >= limits.datagrams) {
    ++counters.refused_datagrams;
    return;
  }
  ++counters.sent;
  datagrams.push_back({to, std::move(datagram)});
}

void Endpoint::State::send_empty(const Peer& to, Type type, std::uint16_t message_id) {
  send(to, serialize(Message{type, code::empty, message_id, {}, {}, {}}));
}

void Endpoint::State::reject(const Peer& to, std::uint16_t message_id) {
  ++counters.rejected;
  send_empty(to, Type::reset, message_id);
}

void Endpoint::State::receive(const Peer& from, BytesView datagram, Instant now) {
  expire(now);
  ++counters.received;
  const auto header = parse_header(datagram);
  if (!header) {
    ++counters.ignored;
    return;
  }
  auto message = parse(datagram, {limits.options, SIZE_MAX, Token::max_size});
  if (!message) {
    // RFC 7252 section 4.2: only a confirmable message is answered, never an Acknowledgement or a Reset.
    if (header->type == Type::confirmable) {
      reject(from, header->message_id);
    } else {
      ++counters.ignored;
    }
    return;
  }
  if (message->code.is_request()) {
    on_request(from, std::move(*message), datagram.size(), now);
  } else if (message->code.is_response()) {
    on_response(from, std::move(*message), datagram.size(), now);
  } else {
    switch (message->type) {
      case Type::confirmable: reject(from, message->message_id); break;  // the "CoAP ping" of section 4.3
      case Type::non_confirmable: ++counters.ignored; break;
      case Type::acknowledgement: on_acknowledged(from, message->message_id, now); break;
      case Type::reset: on_reset(from, message->message_id, now); break;
    }
  }
}

Transmission* Endpoint::State::find_transmission(const Peer& from, std::uint16_t message_id) {
  for (const auto& candidate : {from, without_local(from)}) {
    const auto number = find_peer(candidate);
    auto* transmission = number ? transmissions.find({*number, message_id}) : nullptr;
    if (transmission != nullptr) return transmission;
  }
  return nullptr;
}

void Endpoint::State::on_acknowledged(const Peer& from, std::uint16_t message_id, Instant now) {
  const auto* transmission = find_transmission(from, message_id);
  if (transmission == nullptr || !transmission->confirmable) {
    ++counters.unmatched;
    return;
  }
  const auto id = transmission->exchange;
  if (const auto ours = sent.find(id.value); ours != sent.end()) {
    end_flight(id, ours->second);
    leave_place(ours->second);
    pump(ours->second.peer, now);
  } else {
    on_response_acknowledged(id, now);
  }
}

void Endpoint::State::on_reset(const Peer& from, std::uint16_t message_id, Instant now) {
  const auto* transmission = find_transmission(from, message_id);
  if (transmission == nullptr) {
    ++counters.unmatched;
    return;
  }
  const auto id = transmission->exchange;
  gone(id, Error(reason::coap_reset_by_peer));
  if (sent.contains(id.value)) {
    finish_sent(id, now);
  } else {
    finish_received(id, now);
  }
}

// Timers

void Endpoint::State::on_timer(Timer kind, ExchangeId id, Instant now) {
  switch (kind) {
    case Timer::retransmit: on_retransmit(id, now); break;
    case Timer::acknowledge:
      if (const auto theirs = received.find(id.value); theirs != received.end()) acknowledge(theirs->second);
      break;
    case Timer::probe:
      if (const auto ours = sent.find(id.value); ours != sent.end()) {
        leave_place(ours->second);
        pump(ours->second.peer, now);
      }
      break;
    case Timer::deadline:
      ++counters.timed_out;
      if (sent.contains(id.value)) {
        gone(id, Error(reason::coap_not_answered));
        finish_sent(id, now);
      } else if (const auto theirs = received.find(id.value); theirs != received.end()) {
        gone(id, Error(reason::coap_answer_overdue));
        // The client is told nothing, but must not go on to retransmit.
        if (!theirs->second.acknowledged) acknowledge(theirs->second);
        finish_received(id, now);
      }
      break;
  }
}

void Endpoint::State::on_retransmit(ExchangeId id, Instant now) {
  MessageKey key;
  const auto ours = sent.find(id.value);
  const auto theirs = received.find(id.value);
  if (ours != sent.end()) {
    key = {ours->second.peer, ours->second.message_id};
  } else if (theirs != received.end()) {
    key = theirs->second.response_key;
  } else {
    return;
  }
  auto* transmission = transmissions.find(key);
  if (transmission == nullptr) return;
  if (const auto again = transmissions.retransmit(*transmission, now)) {
    ++counters.retransmitted;
    send(at(key.peer).peer, transmission->datagram);
    if (ours != sent.end() && transmission->retransmissions == parameters.stalled_after) {
      stalled.push_back({at(key.peer).peer, id, transmission->retransmissions});
    }
    timers.set(Timer::retransmit, id.value, *again);
    return;
  }
  ++counters.timed_out;
  gone(id, Error(reason::coap_not_acknowledged));
  if (ours != sent.end()) {
    finish_sent(id, now);
  } else {
    finish_received(id, now);
  }
}

void Endpoint::State::cancel(ExchangeId id) {
  std::erase_if(events,
                [id](const Event& event) { return std::visit([id](const auto& one) { return one.id == id; }, event); });
  if (const auto ours = sent.find(id.value); ours != sent.end()) {
    to_pump.insert(ours->second.peer);
    finish_sent(id, latest);
  } else if (const auto theirs = received.find(id.value); theirs != received.end()) {
    auto& exchange = theirs->second;
    if (!exchange.acknowledged) acknowledge(exchange);
    finish_received(id, latest);
  }
}

// The face

Endpoint::Endpoint(const Parameters& parameters, const Limits& limits, Random& random)
    : state_(std::make_unique<State>(parameters, limits, random)) {}

Endpoint::~Endpoint() = default;

void Endpoint::set_known_options(KnownOptions in_requests, KnownOptions in_responses) {
  state_->known_in_requests = std::move(in_requests);
  state_->known_in_responses = std::move(in_responses);
}

void Endpoint::receive(const Peer& from, BytesView datagram, Instant now) { state_->receive(from, datagram, now); }

std::optional<Outgoing> Endpoint::next_datagram() {
  if (state_->datagrams.empty()) return std::nullopt;
  auto next = std::move(state_->datagrams.front());
  state_->datagrams.pop_front();
  return next;
}

std::optional<Stalled> Endpoint::next_stalled() {
  while (!state_->stalled.empty()) {
    auto next = state_->stalled.front();
    state_->stalled.pop_front();
    const auto found = state_->sent.find(next.id.value);
    if (found != state_->sent.end() && found->second.in_flight) return next;
  }
  return std::nullopt;
}

void Endpoint::recycle(Bytes&& /*datagram*/) {}
Response Endpoint::spare_response() { return {}; }
void Endpoint::give_back(Options&& /*options*/, Bytes&& /*payload*/) {}
void Endpoint::set_unverified_answer(const Address& /*local*/, std::size_t /*octets*/) {}

void Endpoint::peer_gone(const Peer& peer, Error reason, Instant now) {
  state_->expire(now);
  std::erase_if(state_->datagrams, [&](const Outgoing& waiting) { return waiting.to == peer; });
  const auto number = state_->find_peer(peer);
  if (!number) return;
  // Copies: the last of them may let the peer go.
  state_->at(*number).queue.clear();
  const auto requests = state_->at(*number).requests;
  const auto answers = state_->at(*number).answers;
  for (const auto id : requests) {
    state_->gone(ExchangeId(id), reason);
    state_->finish_sent(ExchangeId(id), now);
  }
  for (const auto id : answers) {
    state_->gone(ExchangeId(id), reason);
    state_->finish_received(ExchangeId(id), now);
  }
  const auto left = state_->peers.find(*number);
  if (left == state_->peers.end()) return;
  state_->memory(*number).forget_peer(*number);
  // The number of a session is never used again, so nothing of it needs to be held back.
  left->second.ids.reset();
  state_->release_peer(*number, now);
}

Result<ExchangeId> Endpoint::request(const Peer& to, Request request, Delivery delivery, Instant now) {
  return state_->request(to, std::move(request), delivery, now);
}

Result<ExchangeId> Endpoint::ping(const Peer& to, std::chrono::nanoseconds timeout, Instant now) {
  return state_->ping(to, timeout, now);
}

void Endpoint::respond(ExchangeId id, Response response, Delivery hint, Instant now) {
  state_->respond(id, std::move(response), hint, now);
}

void Endpoint::cancel(ExchangeId id) { state_->cancel(id); }

std::optional<Event> Endpoint::next_event(Instant /*now*/) {
  if (state_->events.empty()) return std::nullopt;
  auto next = std::move(state_->events.front());
  state_->events.pop_front();
  return next;
}

std::optional<Instant> Endpoint::next_timeout() const {
  if (!state_->to_pump.empty()) return state_->latest;
  return state_->timers.next();
}

void Endpoint::on_timeout(Instant now) {
  state_->expire(now);
  while (const auto due = state_->timers.take_due(now)) state_->on_timer(due->kind, ExchangeId(due->id), now);
}

const Counters& Endpoint::counters() const {
  state_->counters.forgotten_early = state_->memories[0].forgotten_early() + state_->memories[1].forgotten_early();
  return state_->counters;
}

Occupancy Endpoint::occupancy() const {
  return {state_->peers.size(),  state_->memories[0].size() + state_->memories[1].size(),
          state_->sent.size(),   state_->received.size(),
          state_->events.size(), state_->datagrams.size()};
}

}  // namespace aceward::coap
