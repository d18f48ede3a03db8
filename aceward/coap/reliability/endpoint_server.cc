// Answers to the requests of peers, and getting them through (RFC 7252 sections 4.2, 4.7, 5.2; RFC 7641 section 4.5).
#include <algorithm>
#include <utility>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint_state.h"

namespace aceward::coap {

namespace {

/// RFC 7641 section 4.5.1, for a client whose round-trip time is not known.
constexpr std::chrono::seconds notification_interval{3};

}  // namespace

void Endpoint::State::acknowledge(Received& exchange) {
  exchange.acknowledged = true;
  auto& store = memory(exchange.peer);
  if (!exchange.confirmable) {
    store.store_answer(exchange.key, {});
    return;
  }
  auto empty = serialize(Message{Type::acknowledgement, code::empty, exchange.key.message_id, {}, {}, {}});
  store.store_answer(exchange.key, empty);
  send(at(exchange.peer).peer, std::move(empty));
}

Endpoint::State::Encoded Endpoint::State::encode(const Peer& to, Code method, const Token& token,
                                                 const Response& response, Instant now) {
  Encoded encoded{spare_datagram(), response.code};
  const auto write = [&](Code code, const Options& options, BytesView payload) {
    encoded.datagram.clear();
    encoded.code = code;
    serialize(MessageView{Type::acknowledgement, code, 0, token.view(), options, payload}, encoded.datagram);
  };
  write(response.code, response.options, response.payload);
  // A bare code with the token is no longer than the request was, whatever the token.
  const bool bare = response.options.empty() && response.payload.empty();
  if (!bare && encoded.datagram.size() > limits.datagram_size) {
    ++counters.too_large;
    encoded.whole = false;
    write(code::internal_server_error, {}, {});
  }
  const auto limit = bare ? std::nullopt : answer_limit(to, now);
  if (!limit || encoded.datagram.size() <= *limit) return encoded;
  encoded.whole = false;
  if (is_safe(method)) {
    const auto asks = challenge(to, now);
    encoded.challenge = true;
    write(asks.code, asks.options, {});
    return encoded;
  }
  ++counters.shortened;
  write(response.code, response.options, {});
  if (encoded.datagram.size() > *limit) write(response.code, {}, {});
  return encoded;
}

bool Endpoint::State::respond_at_once(const Response& response, Delivery hint, Instant now) {
  auto& request = *current;
  const bool goes_on = request.observes && response.code.is_success() && response.options.has(option::observe);
  const bool retransmits = !request.confirmable && hint.reliability == Reliability::confirmable;
  const bool own_ids = !request.confirmable && request.peer.session != 0;
  if (goes_on || retransmits || own_ids) return false;
  auto answer = encode(request.peer, request.method, request.token, response, now);
  if (request.confirmable) {
    set_header(answer.datagram, Type::acknowledgement, request.message_id);
  } else if (const auto message_id = shared_ids.take(request.peer.remote, now)) {
    set_header(answer.datagram, Type::non_confirmable, *message_id);
  } else {
    ++counters.refused_message_ids;
    current.reset();
    return true;
  }
  send(request.peer, std::move(answer.datagram));
  current.reset();
  return true;
}

void Endpoint::State::respond(ExchangeId id, const Response& response, Delivery hint, Instant now) {
  expire(now);
  if (current && current->id == id) {
    if (respond_at_once(response, hint, now)) return;
    settle(now);
  }
  const auto found = received.find(id.value);
  if (found == received.end() || found->second.final || (found->second.next && found->second.next_final)) {
    ++counters.late_answers;
    return;
  }
  auto& exchange = found->second;
  auto& peer = at(exchange.peer);
  auto answer = encode(peer.peer, exchange.method, exchange.token, response, now);
  const bool goes_on = exchange.observes && response.code.is_success() && response.options.has(option::observe);
  const bool final = !answer.whole || !goes_on;
  // The layers above take it for an observation, which they would keep for ever.
  if (final && goes_on) gone(id, Error(reason::coap_response_too_large, "to be a notification to this peer"));
  timers.clear(Timer::acknowledge, id.value);
  timers.clear(Timer::deadline, id.value);
  // What was refused changed nothing, whatever its method. A block that was only put to others may be handed up again
  // too: Blockwise answers it alike while its body is assembled, and afterwards finds that it continues nothing. Else
  // one upload would fill the memory of its peer.
  const bool refused = answer.code.code_class() == 4 && !exchange.observes;
  if (refused || answer.code == code::continue_) memory(exchange.peer).mark_harmless(exchange.key);
  if (exchange.confirmable && !exchange.acknowledged) {
    exchange.acknowledged = true;
    exchange.notified = true;
    set_header(answer.datagram, Type::acknowledgement, exchange.key.message_id);
    memory(exchange.peer).store_answer(exchange.key, answer.datagram);
    send(peer.peer, std::move(answer.datagram));
    if (final) finish_received(id, now);
    return;
  }
  if (!exchange.acknowledged) acknowledge(exchange);
  bool as_confirmable =
      hint.reliability == Reliability::automatic ? exchange.confirmable : hint.reliability == Reliability::confirmable;
  // Who never acknowledged anything may never have asked (RFC 7641 section 7).
  if (!final && exchange.notified && !exchange.heard && answer_limit(peer.peer, now)) as_confirmable = true;
  if (answer.challenge) as_confirmable = false;  // RFC 9175 section 2.4: MUST
  if (exchange.next) keep_for_later(std::move(*exchange.next));
  exchange.next = std::move(answer.datagram);
  exchange.next_confirmable = as_confirmable;
  exchange.next_final = final;
  send_next(id, exchange, now);
}

void Endpoint::State::send_next(ExchangeId id, Received& exchange, Instant now) {
  const auto number = exchange.peer;
  auto& peer = at(number);
  // Until its turn comes, a newer response replaces the one that waits (RFC 7641 section 4.5.2).
  if (!exchange.next || (exchange.in_flight && exchange.response_confirmable)) return;
  const bool confirmable = exchange.next_confirmable;
  if (confirmable && !exchange.outstanding && peer.outstanding >= parameters.nstart) {
    ++counters.held_back;
    if (!std::exchange(exchange.waits, true)) {
      peer.waiting.push_back(id.value);
      // Nobody waits longer for an answer: a peer that is gone would be tried with each of them in turn.
      if (exchange.next_final) timers.set(Timer::deadline, id.value, now + parameters.exchange_lifetime());
    }
    return;
  }
  const bool notification = exchange.notified && !exchange.next_final;
  const auto turn = notification && !confirmable ? peer.next_notification : now;
  if (turn > now) {
    ++counters.held_back;
    timers.set(Timer::notify, id.value, turn);
    return;
  }
  const auto message_id = take_message_id(number, now);
  if (!message_id) {
    ++counters.refused_message_ids;
    timers.set(Timer::notify, id.value, message_id_at(number, now));
    return;
  }
  timers.clear(Timer::notify, id.value);
  timers.clear(Timer::deadline, id.value);
  if (std::exchange(exchange.in_flight, false)) transmissions.erase(exchange.response_key, id);
  auto datagram = std::move(*exchange.next);
  exchange.next.reset();
  exchange.final = exchange.next_final;
  exchange.notified = true;
  exchange.response_key = {number, *message_id};
  exchange.response_confirmable = confirmable;
  set_header(datagram, confirmable ? Type::confirmable : Type::non_confirmable, *message_id);
  send(peer.peer, datagram);
  if (confirmable) {
    exchange.in_flight = true;
    if (!std::exchange(exchange.outstanding, true)) ++peer.outstanding;
    timers.set(Timer::retransmit, id.value,
               transmissions.start_confirmable(exchange.response_key, id, std::move(datagram), now));
    return;
  }
  peer.next_notification = now + peer.rtt.value_or(notification_interval);
  if (exchange.final) return finish_received(id, now);
  exchange.in_flight = true;
  transmissions.start_non_confirmable(exchange.response_key, id, now);
}

bool Endpoint::State::supersede(ExchangeId id, Received& exchange, std::optional<std::size_t> limit, Instant now) {
  auto* old = transmissions.find(exchange.response_key);
  if (limit && old->octets + exchange.next->size() > *limit) return false;
  const auto due = transmissions.retransmit(*old, now);
  if (!due) return false;
  const auto message_id = take_message_id(exchange.peer, now);
  if (!message_id) return false;
  auto transmission = std::move(*old);
  transmissions.erase(exchange.response_key, id);
  transmission.datagram = std::move(*exchange.next);
  exchange.next.reset();
  exchange.final = exchange.next_final;
  exchange.response_key = {exchange.peer, *message_id};
  set_header(transmission.datagram, Type::confirmable, *message_id);
  ++counters.retransmitted;
  transmission.octets += transmission.datagram.size();
  send(at(exchange.peer).peer, transmission.datagram);
  transmissions.insert(exchange.response_key, std::move(transmission));
  timers.set(Timer::retransmit, id.value, *due);
  return true;
}

void Endpoint::State::on_response_acknowledged(ExchangeId id, Instant now) {
  auto& exchange = received.at(id.value);
  auto& peer = at(exchange.peer);
  const auto number = exchange.peer;
  if (const auto* sent_message = transmissions.find(exchange.response_key);
      sent_message != nullptr && sent_message->retransmissions == 0) {
    const auto sample = now - sent_message->first;
    peer.rtt = peer.rtt ? (*peer.rtt * 7 + sample) / 8 : sample;
  }
  timers.clear(Timer::retransmit, id.value);
  transmissions.erase(exchange.response_key, id);
  exchange.in_flight = false;
  exchange.heard = true;
  leave_place(exchange);
  if (exchange.final) return finish_received(id, now);
  pump(number, now);  // first whoever waits: a state that changes all the time must not hold the place for ever
  send_next(id, exchange, now);
}

void Endpoint::State::leave_place(Received& exchange) {
  if (std::exchange(exchange.outstanding, false)) --at(exchange.peer).outstanding;
}

void Endpoint::State::finish_received(ExchangeId id, Instant now) {
  const auto found = received.find(id.value);
  auto& exchange = found->second;
  const auto number = exchange.peer;
  auto& peer = at(number);
  for (const auto kind : {Timer::retransmit, Timer::acknowledge, Timer::deadline, Timer::notify}) {
    timers.clear(kind, id.value);
  }
  if (exchange.in_flight) transmissions.erase(exchange.response_key, id);
  leave_place(exchange);
  if (exchange.waits) std::erase(peer.waiting, id.value);
  std::erase(peer.answers, id.value);
  --answer_count[index_of(peer.peer.transport)];
  received.erase(found);
  if (!peer.waiting.empty() || !peer.queue.empty()) pump(number, now);
  release_peer(number, now);
}

}  // namespace aceward::coap
