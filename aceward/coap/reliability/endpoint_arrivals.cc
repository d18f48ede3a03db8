// What becomes of a peer's request at the door: recognized, refused, challenged, or handed up (RFC 7252
// sections 4.5, 5.4, 5.9.2; RFC 9175 section 2.4; RFC 8516).
#include <algorithm>
#include <utility>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint_state.h"

namespace aceward::coap {

namespace {

/// Whether acting twice does no harm that the client could not do as well: what RFC 7252 section 4.5 lets be processed
/// again. An OSCORE message and a block of a body may hide any method.
enum class Repetition : std::uint8_t { safe, idempotent, once };

Repetition repetition_of(Code method, const Options& options) {
  if (options.has(option::oscore) || options.has(option::block1)) return Repetition::once;
  if (is_safe(method)) return Repetition::safe;
  return method == code::put || method == code::delete_ ? Repetition::idempotent : Repetition::once;
}

}  // namespace

void Endpoint::State::answer_statelessly(const Peer& from, const Message& request, Response response, Instant now) {
  auto answer = encode(from, request.code, request.token, response, now);
  auto type = Type::acknowledgement;
  auto message_id = request.message_id;
  if (request.type == Type::non_confirmable) {
    std::optional<std::uint16_t> own;
    if (from.session == 0) {
      own = shared_ids.take(from.remote, now);
    } else if (const auto number = find_or_add_peer(from, now)) {
      own = take_message_id(*number, now);
      release_peer(*number, now);
    }
    if (!own) {
      ++counters.refused_message_ids;
      return;
    }
    type = Type::non_confirmable;
    message_id = *own;
  }
  set_header(answer.datagram, type, message_id);
  send(from, std::move(answer.datagram));
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

void Endpoint::State::take_echo(const Peer& from, Options& options, Instant now) {
  if (from.transport != Transport::udp) return;
  const auto echo = options.find(option::echo);
  if (!echo) return;
  if (reachability.verify(from.remote, *echo, now)) {
    if (reachability.admit(from.remote, now)) ++counters.verified;
    options.remove(option::echo);
  } else if (answer_limit(from, now)) {
    ++counters.bad_echo;
  }
}

Response Endpoint::State::challenge(const Peer& to, Instant now) {
  ++counters.challenged;
  Response response{code::unauthorized, {}, {}};
  response.options.add(option::echo, reachability.mint(to.remote, now));
  return response;
}

void Endpoint::State::on_request(const Peer& from, Message& message, std::size_t size, Instant now) {
  const bool confirmable = message.type == Type::confirmable;
  if (const auto known = find_peer(from)) {
    const MessageKey key{*known, message.message_id};
    if (memory(*known).has(key)) return on_duplicate_request(from, key, confirmable);
  }

  if (message.token.size() > limits.token) {  // not a Reset: RFC 8974 section 2.2.2
    ++counters.too_large;
    return answer_statelessly(from, message, {code::bad_request, {}, {}}, now);
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
  take_echo(from, message.options, now);
  // Whatever is refused from here on was not remembered, so that a retransmission finds an open door later.
  if (events.size() >= limits.events) {
    ++counters.refused_events;
    return;
  }

  const auto repetition = repetition_of(message.code, message.options);
  const auto limit = answer_limit(from, now);
  Passing request{ExchangeId(++last_exchange),
                  from,
                  message.token,
                  message.message_id,
                  message.code,
                  confirmable,
                  message.options.find_uint(option::observe) == 0U,
                  now};
  if (repetition == Repetition::safe) {
    passing.push_back(request);
    return pass_on(std::move(request), message, limit);
  }
  // Room is for those who may be held to their word: who has not shown where it is does so first.
  if (limit && (repetition == Repetition::once ? pressed(from.transport) : crowded(from.transport))) {
    return answer_statelessly(from, message, challenge(from, now), now);
  }
  const auto number = find_or_add_peer(from, now);
  if (!number) return;
  const auto refuse = [&](std::uint64_t& counter) {
    ++counter;
    release_peer(*number, now);
  };
  if (at(*number).answers.size() >= limits.answers_per_peer ||
      answer_count[index_of(from.transport)] >= limits.answers) {
    return refuse(counters.refused_answers);
  }
  const MessageKey key{*number, message.message_id};
  const bool forgettable = repetition != Repetition::once;
  const auto outcome = memory(*number).remember(key, confirmable, forgettable, now);
  if (outcome != Deduplication::Outcome::remembered && !forgettable) {
    if (outcome == Deduplication::Outcome::full) return refuse(counters.refused_remembering);
    Response busy{code::too_many_requests, {}, {}};  // RFC 8516: when one may ask again
    const auto wait = std::chrono::ceil<std::chrono::seconds>(memory(*number).room_at(*number, now) - now).count();
    busy.options.set_uint(option::max_age, static_cast<std::uint64_t>(std::max<std::int64_t>(wait, 1)));
    ++counters.refused_busy;
    return answer_statelessly(from, message, std::move(busy), now);
  }
  (void)keep(Passing(request), *number, now);
  pass_on(std::move(request), message, limit);
}

void Endpoint::State::pass_on(Passing&& request, Message& message, std::optional<std::size_t> limit) {
  events.push_back(RequestArrived{request.id,
                                  std::move(request.peer),
                                  {message.code, std::move(message.options), std::move(message.payload)},
                                  request.confirmable ? Reliability::confirmable : Reliability::non_confirmable,
                                  limit});
}

Endpoint::State::Received& Endpoint::State::keep(Passing&& request, PeerNumber number, Instant now) {
  auto& peer = at(number);
  const auto id = request.id.value;
  Received exchange;
  exchange.peer = number;
  exchange.key = {number, request.message_id};
  exchange.token = std::move(request.token);
  exchange.method = request.method;
  exchange.confirmable = request.confirmable;
  exchange.observes = request.observes;
  peer.answers.push_back(id);
  ++answer_count[index_of(peer.peer.transport)];
  if (request.confirmable) timers.set(Timer::acknowledge, id, request.since + parameters.acknowledge_after);
  const auto patience =
      parameters.answer_within.count() > 0 ? parameters.answer_within : parameters.exchange_lifetime();
  timers.set(Timer::deadline, id, std::max(request.since + patience, now));
  return received.emplace(id, std::move(exchange)).first->second;
}

void Endpoint::State::settle(Instant now) {
  if (!current) return;
  auto request = std::move(*current);
  current.reset();
  const auto refuse = [&] { gone(request.id, Error(reason::coap_too_many_answers)); };
  if (crowded(request.peer.transport) && answer_limit(request.peer, now)) {
    // An answer that takes its time holds a place that invented addresses could fill.
    Message asked;
    asked.type = request.confirmable ? Type::confirmable : Type::non_confirmable;
    asked.code = request.method;
    asked.message_id = request.message_id;
    asked.token = request.token;
    answer_statelessly(request.peer, asked, challenge(request.peer, now), now);
    return refuse();
  }
  const auto number = find_or_add_peer(request.peer, now);
  if (!number) return refuse();
  if (at(*number).answers.size() >= limits.answers_per_peer ||
      answer_count[index_of(request.peer.transport)] >= limits.answers) {
    ++counters.refused_answers;
    refuse();
    return release_peer(*number, now);
  }
  // Without room in the memory a repetition is handed up again, which does no harm.
  (void)memory(*number).remember({*number, request.message_id}, request.confirmable, true, now);
  (void)keep(std::move(request), *number, now);
}

}  // namespace aceward::coap
