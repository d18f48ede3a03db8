// Requests of peers: acting on each once, and getting the answers through (RFC 7252 sections 4.2, 4.5, 5.2).
#include <algorithm>
#include <utility>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint_state.h"

namespace aceward::coap {

void Endpoint::State::answer_statelessly(const Peer& from, const Message& request, Response response, Instant now) {
  Message answer{Type::acknowledgement,       response.code,
                 request.message_id,          request.token,
                 std::move(response.options), std::move(response.payload)};
  if (request.type == Type::non_confirmable) {
    const auto number = find_or_add_peer(from, now);
    if (!number) return;
    const auto message_id = take_message_id(*number, now);
    release_peer(*number, now);
    if (!message_id) return;
    answer.type = Type::non_confirmable;
    answer.message_id = *message_id;
  }
  send(from, serialize(answer));
}

void Endpoint::State::on_duplicate_request(const Peer& from, const MessageKey& key, bool confirmable) {
  ++counters.duplicates;
  if (!confirmable) return;
  if (const auto* answer = memory(key.peer).answer(key)) {
    if (!answer->empty()) send(from, *answer);
    return;
  }
  // Still at work: the client has begun to retransmit, so tell it to wait.
  for (const auto id : at(key.peer).answers) {
    auto& exchange = received.at(id);
    if (exchange.key != key || !exchange.confirmable) continue;
    timers.clear(Timer::acknowledge, id);
    acknowledge(exchange);
    return;
  }
}

void Endpoint::State::on_request(const Peer& from, Message message, std::size_t size, Instant now) {
  const bool confirmable = message.type == Type::confirmable;
  if (const auto known = find_peer(from)) {
    const MessageKey key{*known, message.message_id};
    if (memory(*known).has(key)) return on_duplicate_request(from, key, confirmable);
  }

  if (size > limits.datagram_size) {
    ++counters.too_large;
    Response refusal{code::request_entity_too_large, {}, {}};
    const auto overhead = size - message.payload.size();
    if (overhead < limits.datagram_size) refusal.options.set_uint(option::size1, limits.datagram_size - overhead);
    return answer_statelessly(from, message, std::move(refusal), now);
  }
  const bool wants_proxy = (message.options.has(option::proxy_uri) && !known_in_requests.has(option::proxy_uri)) ||
                           (message.options.has(option::proxy_scheme) && !known_in_requests.has(option::proxy_scheme));
  if (wants_proxy) {
    ++counters.bad_options;
    return answer_statelessly(from, message, {code::proxying_not_supported, {}, {}}, now);
  }
  if (const auto unrecognized = check_options(message.options, known_in_requests)) {
    ++counters.bad_options;
    // RFC 7252 section 5.4.1: 4.02 for a confirmable request, rejection for a non-confirmable one.
    if (!confirmable) return reject(from, message.message_id);
    const auto diagnostic = "not understood: " + to_string(*unrecognized);
    return answer_statelessly(from, message, {code::bad_option, {}, to_bytes(diagnostic)}, now);
  }

  const auto number = find_or_add_peer(from, now);
  if (!number) return;
  auto& peer = at(*number);
  auto& answers = answer_count[index_of(from.transport)];
  const MessageKey key{*number, message.message_id};
  // Whatever is refused here was not remembered, so that a retransmission finds an open door later.
  if (peer.answers.size() >= limits.answers_per_peer || answers >= limits.answers) {
    ++counters.refused_answers;
    return release_peer(*number, now);
  }
  if (events.size() >= limits.events) {
    ++counters.refused_events;
    return release_peer(*number, now);
  }
  const bool remembered = memory(*number).remember(key, confirmable, is_safe(message.code), now);
  if (!remembered) {
    ++counters.refused_remembering;
    return release_peer(*number, now);
  }

  const ExchangeId id(++last_exchange);
  Received exchange;
  exchange.peer = *number;
  exchange.key = key;
  exchange.token = message.token;
  exchange.confirmable = confirmable;
  exchange.observes = message.options.find_uint(option::observe) == 0U;
  received.emplace(id.value, std::move(exchange));
  peer.answers.insert(id.value);
  ++answers;
  if (confirmable) timers.set(Timer::acknowledge, id.value, now + parameters.acknowledge_after);
  const auto patience =
      parameters.answer_within.count() > 0 ? parameters.answer_within : parameters.exchange_lifetime();
  timers.set(Timer::deadline, id.value, now + patience);
  events.push_back(RequestArrived{id,
                                  from,
                                  {message.code, std::move(message.options), std::move(message.payload)},
                                  confirmable ? Reliability::confirmable : Reliability::non_confirmable});
}

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

void Endpoint::State::respond(ExchangeId id, Response response, Delivery hint, Instant now) {
  expire(now);
  const auto found = received.find(id.value);
  if (found == received.end() || found->second.final || (found->second.next && found->second.next_final)) {
    ++counters.late_answers;
    return;
  }
  auto& exchange = found->second;
  bool final = !(exchange.observes && response.code.is_success() && response.options.has(option::observe));
  Message message{Type::acknowledgement,       response.code,
                  exchange.key.message_id,     exchange.token,
                  std::move(response.options), std::move(response.payload)};
  auto datagram = serialize(message);
  if (datagram.size() > limits.datagram_size) {
    ++counters.too_large;
    final = true;
    message.code = code::internal_server_error;
    message.options.clear();
    message.payload.clear();
    datagram = serialize(message);
  }
  timers.clear(Timer::acknowledge, id.value);
  timers.clear(Timer::deadline, id.value);
  // What was refused changed nothing, whatever its method.
  if (message.code.code_class() == 4 && !exchange.observes) memory(exchange.peer).mark_harmless(exchange.key);
  if (exchange.confirmable && !exchange.acknowledged) {
    exchange.acknowledged = true;
    memory(exchange.peer).store_answer(exchange.key, datagram);
    send(at(exchange.peer).peer, std::move(datagram));
    if (final) finish_received(id, now);
    return;
  }
  if (!exchange.acknowledged) acknowledge(exchange);
  const bool as_confirmable =
      hint.reliability == Reliability::automatic ? exchange.confirmable : hint.reliability == Reliability::confirmable;
  message.type = as_confirmable ? Type::confirmable : Type::non_confirmable;
  if (exchange.in_flight && exchange.response_confirmable) {
    // One confirmable response of an exchange at a time; a newer notification replaces one that waits (RFC 7641
    // section 4.5.2).
    exchange.next = std::move(message);
    exchange.next_final = final;
    return;
  }
  send_response(id, exchange, std::move(message), final, now);
}

void Endpoint::State::send_response(ExchangeId id, Received& exchange, Message message, bool final, Instant now) {
  const auto number = exchange.peer;
  const auto message_id = take_message_id(number, now);
  if (!message_id) {
    if (final) {
      gone(id, Error(reason::coap_message_ids_exhausted));
      finish_received(id, now);
    }
    return;
  }
  if (std::exchange(exchange.in_flight, false)) transmissions.erase(exchange.response_key);
  message.message_id = *message_id;
  exchange.final = final;
  exchange.response_key = {number, *message_id};
  exchange.response_confirmable = message.type == Type::confirmable;
  auto datagram = serialize(message);
  send(at(number).peer, datagram);
  if (exchange.response_confirmable) {
    exchange.in_flight = true;
    timers.set(Timer::retransmit, id.value,
               transmissions.start_confirmable(exchange.response_key, id, std::move(datagram), now));
  } else if (final) {
    finish_received(id, now);
  } else {
    exchange.in_flight = true;
    transmissions.start_non_confirmable(exchange.response_key, id, now);
  }
}

void Endpoint::State::on_response_acknowledged(ExchangeId id, Instant now) {
  auto& exchange = received.at(id.value);
  timers.clear(Timer::retransmit, id.value);
  transmissions.erase(exchange.response_key);
  exchange.in_flight = false;
  if (exchange.final) return finish_received(id, now);
  if (!exchange.next) return;
  auto message = std::move(*exchange.next);
  exchange.next.reset();
  send_response(id, exchange, std::move(message), exchange.next_final, now);
}

void Endpoint::State::finish_received(ExchangeId id, Instant now) {
  const auto found = received.find(id.value);
  auto& exchange = found->second;
  const auto number = exchange.peer;
  auto& peer = at(number);
  for (const auto kind : {Timer::retransmit, Timer::acknowledge, Timer::deadline}) timers.clear(kind, id.value);
  if (exchange.in_flight) transmissions.erase(exchange.response_key);
  peer.answers.erase(id.value);
  --answer_count[index_of(peer.peer.transport)];
  received.erase(found);
  release_peer(number, now);
}

}  // namespace aceward::coap
