#include "aceward/coap/reliability/endpoint.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint_state.h"

namespace aceward::coap {

Endpoint::State::State(const Parameters& parameters_in, const Limits& limits_in, Random& random_in)
    : parameters(parameters_in),
      limits(limits_in),
      random(random_in),
      numbers(0, PeerHash{{random.next_u64(), random.next_u64()}}),
      heard(0, numbers.hash_function()),
      memories{Deduplication({limits.remembered_per_peer, limits.remembered, parameters.exchange_lifetime(),
                              parameters.non_lifetime()}),
               Deduplication({limits.remembered_per_peer, limits.remembered, parameters.exchange_lifetime(),
                              parameters.non_lifetime()})},
      shared_ids(random, parameters.exchange_lifetime()),
      reachability(limits.verified_addresses, random),
      transmissions(parameters, random) {
  // Who can count its peers must not know their numbers, and so who shares a bucket.
  last_peer = numbers.hash_function().key[0] >> 16;
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

void Endpoint::State::set_header(Bytes& datagram, Type type, std::uint16_t message_id) {
  datagram[0] = static_cast<std::uint8_t>((datagram[0] & 0xcfU) | static_cast<unsigned>(type) << 4);
  datagram[2] = static_cast<std::uint8_t>(message_id >> 8);
  datagram[3] = static_cast<std::uint8_t>(message_id);
}

void Endpoint::State::send_empty(const Peer& to, Type type, std::uint16_t message_id) {
  auto datagram = spare_datagram();
  datagram.assign({0x40, 0, 0, 0});
  set_header(datagram, type, message_id);
  send(to, std::move(datagram));
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
  settle(now);
  if (!spare_parts.empty()) {
    std::tie(scratch.options, scratch.payload) = std::move(spare_parts.back());
    spare_parts.pop_back();
  }
  read(from, datagram, *header, now);
  keep_for_later(std::move(scratch.options), std::move(scratch.payload));
}

void Endpoint::State::read(const Peer& from, BytesView datagram, const Header& header, Instant now) {
  auto& message = scratch;
  if (!parse_into(message, datagram, {limits.options, SIZE_MAX, Token::max_size})) {
    // RFC 7252 section 4.2: only a confirmable message is answered, never an Acknowledgement or a Reset.
    if (header.type == Type::confirmable) {
      reject(from, header.message_id);
    } else {
      ++counters.ignored;
    }
    return;
  }
  if (message.code.is_request()) {
    on_request(from, message, datagram.size(), now);
  } else if (message.code.is_response()) {
    on_response(from, message, datagram.size(), now);
  } else {
    switch (message.type) {
      case Type::confirmable: reject(from, message.message_id); break;  // the "CoAP ping" of section 4.3
      case Type::non_confirmable: ++counters.ignored; break;
      case Type::acknowledgement: on_acknowledged(from, message.message_id, now); break;
      case Type::reset: on_reset(from, message.message_id, now); break;
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
    auto& exchange = ours->second;
    end_flight(id, exchange);
    // A peer that acknowledges everything and answers nothing does not respond: PROBING_RATE (RFC 7252 section 4.7).
    if (responds(at(exchange.peer), now) || exchange.place_until <= now) {
      leave_place(exchange);
      pump(exchange.peer, now);
    } else {
      timers.set(Timer::probe, id.value, exchange.place_until);
    }
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
    finish_sent(id, Ending::answered, now);
  } else {
    finish_received(id, now);
  }
}

void Endpoint::State::gone(ExchangeId id, Error why) {
  if (const auto theirs = received.find(id.value); theirs != received.end()) {
    if (std::exchange(theirs->second.told, true)) return;
  }
  events.push_back(ExchangeGone{id, why});
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
      } else if (const auto place = lingering.find(id.value); place != lingering.end()) {
        const auto number = place->second;
        lingering.erase(place);
        --at(number).outstanding;
        pump(number, now);
        release_peer(number, now);
      }
      break;
    case Timer::notify:
      if (const auto theirs = received.find(id.value); theirs != received.end()) send_next(id, theirs->second, now);
      break;
    case Timer::message_id: pump(id.value, now); break;
    case Timer::deadline:
      ++counters.timed_out;
      if (sent.contains(id.value)) {
        gone(id, Error(reason::coap_not_answered));
        finish_sent(id, Ending::unanswered, now);
      } else if (const auto theirs = received.find(id.value); theirs != received.end()) {
        gone(id, Error(reason::coap_answer_overdue));
        // The client is told nothing, but must not go on to retransmit.
        if (!theirs->second.acknowledged) acknowledge(theirs->second);
        finish_received(id, now);
      }
      break;
  }
}

void Endpoint::State::drop_stalled() {
  while (!stalled.empty()) {
    const auto found = sent.find(stalled.front().id.value);
    if (found != sent.end() && found->second.in_flight) return;
    stalled.pop_front();
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
  // All attempts together stay within what an address may get that may never have asked.
  const auto limit =
      theirs != received.end() && !theirs->second.heard ? answer_limit(at(key.peer).peer, now) : std::nullopt;
  if (theirs != received.end() && theirs->second.next && supersede(id, theirs->second, limit, now)) return;
  if (const auto again = transmissions.retransmit(*transmission, now)) {
    if (!limit || transmission->octets + transmission->datagram.size() <= *limit) {
      ++counters.retransmitted;
      transmission->octets += transmission->datagram.size();
      send(at(key.peer).peer, transmission->datagram);
    }
    if (ours != sent.end() && transmission->retransmissions == parameters.stalled_after) {
      drop_stalled();  // perhaps nobody ever asks for them
      stalled.push_back({at(key.peer).peer, id, transmission->retransmissions});
    }
    timers.set(Timer::retransmit, id.value, *again);
    return;
  }
  // A timer that fired late leaves no time for another attempt, but the answer to the last may be on its way.
  const auto end = transmission->first + parameters.max_transmit_wait();
  if (transmission->retransmissions < parameters.max_retransmit && now < end) {
    transmission->retransmissions = parameters.max_retransmit;
    timers.set(Timer::retransmit, id.value, end);
    return;
  }
  ++counters.timed_out;
  gone(id, Error(reason::coap_not_acknowledged));
  if (ours != sent.end()) {
    finish_sent(id, Ending::unanswered, now);
  } else {
    finish_received(id, now);
  }
}

void Endpoint::State::cancel(ExchangeId id) {
  if (current && current->id == id) {
    if (current->confirmable) send_empty(current->peer, Type::acknowledgement, current->message_id);
    current.reset();
    return;
  }
  std::erase_if(events,
                [id](const Event& event) { return std::visit([id](const auto& one) { return one.id == id; }, event); });
  if (const auto ours = sent.find(id.value); ours != sent.end()) {
    to_pump.insert(ours->second.peer);
    finish_sent(id, Ending::unanswered, latest);
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
  state_->drop_stalled();
  if (state_->stalled.empty()) return std::nullopt;
  auto next = state_->stalled.front();
  state_->stalled.pop_front();
  return next;
}

void Endpoint::recycle(Bytes&& datagram) { state_->keep_for_later(std::move(datagram)); }

Response Endpoint::spare_response() {
  Response response;
  auto& spare = state_->spare_parts;
  if (!spare.empty()) {
    std::tie(response.options, response.payload) = std::move(spare.back());
    spare.pop_back();
  }
  return response;
}

void Endpoint::give_back(Options&& options, Bytes&& payload) {
  state_->keep_for_later(std::move(options), std::move(payload));
}

void Endpoint::set_unverified_answer(const Address& local, std::size_t octets) {
  std::erase_if(state_->answer_limits, [&](const auto& one) { return one.first == local; });
  state_->answer_limits.emplace_back(local, octets);
}

void Endpoint::peer_gone(const Peer& peer, Error reason, Instant now) {
  state_->expire(now);
  std::erase_if(state_->datagrams, [&](const Outgoing& waiting) { return waiting.to == peer; });
  // What nobody has heard of yet is as if it had never come.
  for (const auto& request : state_->passing) {
    if (request.peer != peer) continue;
    std::erase_if(state_->events, [&](const Event& event) {
      const auto* arrived = std::get_if<RequestArrived>(&event);
      return arrived != nullptr && arrived->id == request.id;
    });
  }
  std::erase_if(state_->passing, [&](const State::Passing& request) { return request.peer == peer; });
  if (state_->current && state_->current->peer == peer) {
    state_->gone(state_->current->id, reason);
    state_->current.reset();
  }
  const auto number = state_->find_peer(peer);
  if (!number) return;
  // Copies: the last of them may let the peer go.
  state_->at(*number).queue.clear();
  std::erase_if(state_->lingering, [&](const auto& place) {
    if (place.second != *number) return false;
    state_->timers.clear(State::Timer::probe, place.first);
    --state_->at(*number).outstanding;
    return true;
  });
  const auto requests = state_->at(*number).requests;
  const auto answers = state_->at(*number).answers;
  for (const auto id : requests) {
    state_->gone(ExchangeId(id), reason);
    state_->finish_sent(ExchangeId(id), State::Ending::answered, now);
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
  state_->respond(id, response, hint, now);
  state_->keep_for_later(std::move(response.options), std::move(response.payload));
}

void Endpoint::cancel(ExchangeId id) { state_->cancel(id); }

std::optional<Event> Endpoint::next_event(Instant now) {
  state_->settle(now);
  auto& events = state_->events;
  if (events.empty()) return std::nullopt;
  std::optional<Event> next(std::move(events.front()));
  events.pop_front();
  const auto* arrived = std::get_if<RequestArrived>(&*next);
  auto& passing = state_->passing;
  if (arrived != nullptr && !passing.empty() && passing.front().id == arrived->id) {
    state_->current = std::move(passing.front());
    passing.pop_front();
  }
  return next;
}

std::optional<Instant> Endpoint::next_timeout() const {
  if (!state_->to_pump.empty()) return state_->latest;
  auto next = state_->timers.next();
  if (const auto& current = state_->current) {
    const auto due = current->since + state_->parameters.acknowledge_after;
    if (!next || due < *next) next = due;
  }
  return next;
}

void Endpoint::on_timeout(Instant now) {
  state_->settle(now);
  state_->expire(now);
  while (const auto due = state_->timers.take_due(now)) state_->on_timer(due->kind, ExchangeId(due->id), now);
}

const Counters& Endpoint::counters() const {
  state_->counters.forgotten_early = state_->memories[0].forgotten_early() + state_->memories[1].forgotten_early();
  return state_->counters;
}

Occupancy Endpoint::occupancy() const {
  return {state_->peers.size(),  state_->memories[0].size() + state_->memories[1].size(),
          state_->sent.size(),   state_->received.size() + (state_->current ? 1U : 0U),
          state_->events.size(), state_->datagrams.size(),
          state_->stalled.size()};
}

}  // namespace aceward::coap
