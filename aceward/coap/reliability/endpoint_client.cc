// Requests of ours: sending them within NSTART, and matching what answers them (RFC 7252 sections 4.7, 5.3.2).
#include <algorithm>
#include <array>
#include <utility>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint_state.h"

namespace aceward::coap {

Result<PeerNumber> Endpoint::State::place_for_request(const Peer& to, Instant now) {
  expire(now);
  if (sent.size() >= limits.requests) {
    ++counters.refused_requests;
    return fail(reason::coap_too_many_requests, "overall");
  }
  const auto number = find_or_add_peer(to, now);
  if (!number) return fail(reason::coap_too_many_peers);
  auto& peer = at(*number);
  if (peer.requests.size() >= limits.requests_per_peer) {
    ++counters.refused_requests;
    return fail(reason::coap_too_many_requests, "one peer");
  }
  return *number;
}

Token Endpoint::State::unused_token(PeerNumber number, std::size_t size) {
  while (true) {
    Token token;
    if (size <= Token::in_place) {
      std::array<std::uint8_t, Token::in_place> octets;
      random.fill(octets);  // no fewer than that: who guesses one must guess 64 bits (RFC 7252 section 5.3.1)
      token = Token(octets);
    } else {
      token = Token(random.bytes(size));
    }
    if (!tokens.contains({number, token})) return token;
  }
}

Result<ExchangeId> Endpoint::State::request(const Peer& to, Request request, Delivery delivery, Instant now) {
  const PeerNumber number = ACEWARD_TRY(place_for_request(to, now));
  Sent exchange;
  exchange.peer = number;
  exchange.confirmable = delivery.reliability != Reliability::non_confirmable;
  exchange.observes = request.options.find_uint(option::observe) == 0U;
  const auto renewed = sent.find(delivery.token_of.value);
  const bool renews = renewed != sent.end() && renewed->second.peer == number && renewed->second.observes;
  exchange.token = renews ? renewed->second.token : unused_token(number, delivery.token_size);
  exchange.datagram =
      serialize(Message{exchange.confirmable ? Type::confirmable : Type::non_confirmable, request.method, 0,
                        exchange.token, std::move(request.options), std::move(request.payload)});
  if (exchange.datagram.size() > limits.datagram_size) {
    ++counters.too_large;
    release_peer(number, now);
    return fail(reason::coap_message_too_large);
  }
  const auto patience = delivery.timeout.count() > 0 ? delivery.timeout
                        : exchange.confirmable       ? parameters.exchange_lifetime()
                                                     : parameters.non_lifetime();
  const TokenKey token{number, exchange.token};
  const auto id = enqueue(number, std::move(exchange), patience, now);
  if (renews) {
    cancel(delivery.token_of);
    tokens.insert_or_assign(token, id.value);
  }
  return id;
}

Result<ExchangeId> Endpoint::State::ping(const Peer& to, std::chrono::nanoseconds timeout, Instant now) {
  const PeerNumber number = ACEWARD_TRY(place_for_request(to, now));
  Sent exchange;
  exchange.peer = number;
  exchange.token = unused_token(number, Token::in_place);  // never sent: an empty message has none
  exchange.datagram = serialize(Message{Type::confirmable, code::empty, 0, {}, {}, {}});
  return enqueue(number, std::move(exchange), timeout.count() > 0 ? timeout : parameters.exchange_lifetime(), now);
}

ExchangeId Endpoint::State::enqueue(PeerNumber number, Sent exchange, std::chrono::nanoseconds patience, Instant now) {
  const ExchangeId id(++last_exchange);
  tokens.emplace(TokenKey{number, exchange.token}, id.value);
  sent.emplace(id.value, std::move(exchange));
  auto& peer = at(number);
  peer.requests.push_back(id.value);
  peer.queue.push_back(id.value);
  timers.set(Timer::deadline, id.value, now + patience);
  pump(number, now);
  return id;
}

void Endpoint::State::pump(PeerNumber number, Instant now) {
  while (true) {
    const auto found = peers.find(number);
    if (found == peers.end()) return;
    auto& peer = found->second;
    if (peer.outstanding >= parameters.nstart) return;
    // By turns, so that neither keeps the other waiting for ever.
    if (!peer.waiting.empty() && (peer.queue.empty() || !peer.answered_last)) {
      peer.answered_last = true;
      const ExchangeId id(peer.waiting.front());
      peer.waiting.erase(peer.waiting.begin());
      auto& exchange = received.at(id.value);
      exchange.waits = false;
      send_next(id, exchange, now);
      continue;
    }
    if (peer.queue.empty()) return;
    const auto message_id = take_message_id(number, now);
    if (!message_id) {
      // RFC 7252 section 4.4: none is used again within EXCHANGE_LIFETIME, so the request waits.
      ++counters.refused_message_ids;
      timers.set(Timer::message_id, number, message_id_at(number, now));
      return;
    }
    const ExchangeId id(peer.queue.front());
    peer.queue.erase(peer.queue.begin());
    peer.answered_last = false;
    transmit(id, *message_id, now);
  }
}

void Endpoint::State::transmit(ExchangeId id, std::uint16_t message_id, Instant now) {
  auto& exchange = sent.at(id.value);
  auto& peer = at(exchange.peer);
  exchange.message_id = message_id;
  exchange.transmitted = true;
  exchange.outstanding = true;
  exchange.in_flight = true;
  ++peer.outstanding;
  auto datagram = std::exchange(exchange.datagram, {});
  datagram[2] = static_cast<std::uint8_t>(message_id >> 8);
  datagram[3] = static_cast<std::uint8_t>(message_id);
  const MessageKey key{exchange.peer, message_id};
  exchange.transmitted_at = now;
  const auto seconds = (datagram.size() + parameters.probing_rate - 1) / parameters.probing_rate;
  Parameters::Duration hold = std::chrono::seconds(seconds);
  // Who answered lately only lost this one; the next may come as soon as a retransmission would.
  if (responds(peer, now)) hold = std::min(hold, parameters.first_timeout());
  exchange.place_until = now + hold;
  send(peer.peer, datagram);
  if (exchange.confirmable) {
    timers.set(Timer::retransmit, id.value, transmissions.start_confirmable(key, id, std::move(datagram), now));
  } else {
    transmissions.start_non_confirmable(key, id, now);
    timers.set(Timer::probe, id.value, exchange.place_until);
  }
}

void Endpoint::State::end_flight(ExchangeId id, Sent& exchange) {
  timers.clear(Timer::retransmit, id.value);
  if (std::exchange(exchange.in_flight, false)) transmissions.erase({exchange.peer, exchange.message_id}, id);
}

void Endpoint::State::leave_place(Sent& exchange) {
  if (std::exchange(exchange.outstanding, false)) --at(exchange.peer).outstanding;
}

void Endpoint::State::finish_sent(ExchangeId id, Ending ending, Instant now) {
  const auto found = sent.find(id.value);
  auto& exchange = found->second;
  const auto number = exchange.peer;
  auto& peer = at(number);
  // The message layer may begin anew once MAX_TRANSMIT_WAIT is over, however large the request was.
  if (exchange.confirmable && exchange.in_flight) {
    exchange.place_until = std::min(exchange.place_until, exchange.transmitted_at + parameters.max_transmit_wait());
  }
  end_flight(id, exchange);
  timers.clear(Timer::probe, id.value);
  timers.clear(Timer::deadline, id.value);
  if (ending == Ending::unanswered && exchange.outstanding && now < exchange.place_until) {
    // Giving up early frees no place early (RFC 7252 section 4.7: PROBING_RATE).
    exchange.outstanding = false;
    lingering.emplace(id.value, number);
    timers.set(Timer::probe, id.value, exchange.place_until);
  }
  leave_place(exchange);
  if (!exchange.transmitted) std::erase(peer.queue, id.value);
  tokens.erase({number, exchange.token});
  std::erase(peer.requests, id.value);
  sent.erase(found);
  // cancel() knows no time and leaves the sending to the next call that does.
  if (!to_pump.contains(number)) pump(number, now);
  release_peer(number, now);
}

void Endpoint::State::on_response(const Peer& from, Message& message, std::size_t size, Instant now) {
  const bool confirmable = message.type == Type::confirmable;
  std::optional<PeerNumber> number;
  auto token = tokens.end();
  for (const auto& candidate : {from, without_local(from)}) {
    number = find_peer(candidate);
    if (!number) continue;
    const MessageKey key{*number, message.message_id};
    if (message.type != Type::acknowledgement && memory(*number).has(key)) {
      ++counters.duplicates;
      const auto* answer = memory(*number).answer(key);
      if (confirmable && answer != nullptr && !answer->empty()) send(from, *answer);
      return;
    }
    token = tokens.find({*number, message.token});
    if (token != tokens.end()) break;
  }
  const auto ours = token == tokens.end() ? sent.end() : sent.find(token->second);
  const bool expected = ours != sent.end() && ours->second.transmitted;
  if (message.type == Type::acknowledgement) {
    if (!expected || !ours->second.confirmable || ours->second.message_id != message.message_id) {
      ++counters.unmatched;
      return;
    }
  } else if (!expected) {
    ++counters.unmatched;
    reject(from, message.message_id);
    return;
  }
  const ExchangeId id(token->second);

  std::optional<Error> refusal;
  if (size > limits.datagram_size) {
    ++counters.too_large;
    refusal = Error(reason::coap_response_too_large);
  } else if (check_options(message.options, known_in_responses)) {
    ++counters.bad_options;
    refusal = Error(reason::coap_response_bad_option);
  }
  if (refusal) {
    if (message.type != Type::acknowledgement) reject(from, message.message_id);
    gone(id, *refusal);
    finish_sent(id, Ending::answered, now);
    return;
  }
  // Notifications that nobody pulls are as if lost; a final response always has room.
  if (ours->second.observes && events.size() >= limits.events) {
    ++counters.refused_events;
    return;
  }
  if (message.type != Type::acknowledgement) {
    Bytes acknowledgement;
    if (confirmable) {
      acknowledgement = serialize(Message{Type::acknowledgement, code::empty, message.message_id, {}, {}, {}});
      send(from, acknowledgement);
    }
    // Without room the response is taken all the same: its exchange ends, so a repetition finds nothing to act on.
    const MessageKey key{*number, message.message_id};
    if (memory(*number).remember(key, confirmable, true, now) == Deduplication::Outcome::remembered) {
      memory(*number).store_answer(key, std::move(acknowledgement));
    } else {
      ++counters.refused_remembering;
    }
  }
  deliver(id, message, now);
}

void Endpoint::State::deliver(ExchangeId id, Message& message, Instant now) {
  auto& exchange = sent.at(id.value);
  at(exchange.peer).heard = now;
  ResponseArrived arrived;
  arrived.id = id;
  arrived.peer = at(exchange.peer).peer;
  arrived.order = message.options.find_uint(option::observe);
  arrived.final = !(exchange.observes && arrived.order && message.code.is_success());
  arrived.response = {message.code, std::move(message.options), std::move(message.payload)};
  const bool final = arrived.final;
  events.push_back(std::move(arrived));
  if (final) {
    finish_sent(id, Ending::answered, now);
    return;
  }
  // The observation is established: it stays until it is cancelled or ends by a response without Observe.
  end_flight(id, exchange);
  leave_place(exchange);
  timers.clear(Timer::probe, id.value);
  timers.clear(Timer::deadline, id.value);
  pump(exchange.peer, now);
}

}  // namespace aceward::coap
