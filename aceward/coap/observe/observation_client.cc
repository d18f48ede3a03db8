#include "aceward/coap/observe/observation_client.h"

#include <algorithm>
#include <utility>

#include "aceward/coap/reasons.h"

namespace aceward::coap {

namespace {

constexpr std::uint64_t observation_id_bit = 1ULL << 63;

bool same_etag(const Response& a, BytesView etag) {
  const auto own = a.options.find(option::etag);
  return own && equal(*own, etag);
}

}  // namespace

struct ObservationClient::Stream {
  using Representation = std::shared_ptr<const Response>;

  std::uint64_t number = 0;
  Target target;
  Request request;  // with Observe 0 and the caller's own ETags
  Delivery delivery;
  ExchangeId lower;                    // 0: none now
  std::vector<std::uint64_t> members;  // ids above
  NotificationOrder order;
  Token token = Token::fresh;  // of the registration that is under way
  bool awaiting = true;        // nothing came since the last registration
  bool established = false;
  bool ever_established = false;
  unsigned failures = 0;
  std::vector<Representation> offered;    // by ETag, in the last registration
  std::deque<Representation> candidates;  // for the next, the newest first
  Representation latest;
  std::uint64_t latest_order = 0;
  Instant fresh_until{};
  std::uint64_t notifications = 0;
};

ObservationClient::ObservationClient(Layer& below, Random& random, const ObservationSettings& settings)
    : below_(below), random_(random), settings_(settings) {}

ObservationClient::~ObservationClient() = default;

// From above

Result<ExchangeId> ObservationClient::request(const Peer& to, Request request, Delivery delivery, Instant now) {
  const bool observes = request.options.find_uint(option::observe) == 0U &&
                        (request.method == code::get || request.method == code::fetch);
  if (!observes) return below_.request(to, std::move(request), delivery, now);

  auto target = target_of(to, request);
  const ExchangeId id(observation_id_bit | ++last_id_);
  if (const auto known = targets_.find(target); known != targets_.end()) {
    auto& stream = *streams_.at(known->second);
    ++counters_.shared;
    stream.members.push_back(id.value);
    members_.emplace(id.value, stream.number);
    if (stream.latest && now <= stream.fresh_until) {
      push({ResponseArrived{id, to, *stream.latest, stream.latest_order, false}}, now);
    } else if (stream.established && !stream.awaiting) {
      reregister(stream, Token::kept, now);
    }
    return id;
  }

  if (streams_.size() >= settings_.observations) return fail(reason::coap_too_many_requests, "observations");
  auto owned = std::make_unique<Stream>();
  auto& stream = *owned;
  stream.number = last_id_;
  stream.target = std::move(target);
  stream.request = std::move(request);
  stream.delivery = delivery;
  stream.members.push_back(id.value);
  // Numbers of a security context only grow; Observe values wrap.
  stream.order =
      NotificationOrder(to.context != 0 ? NotificationOrder::Key::increasing : NotificationOrder::Key::observe);
  ACEWARD_TRY(register_stream(stream, Token::fresh, now));
  members_.emplace(id.value, stream.number);
  targets_.emplace(stream.target, stream.number);
  streams_.emplace(stream.number, std::move(owned));
  return id;
}

Result<> ObservationClient::register_stream(Stream& stream, Token token, Instant now) {
  Request request = stream.request;
  for (const auto& one : stream.candidates) request.options.add(option::etag, *one->options.find(option::etag));
  auto delivery = stream.delivery;
  if (token == Token::kept) delivery.token_of = stream.lower;
  const auto id = ACEWARD_TRY(below_.request(stream.target.peer, std::move(request), delivery, now));
  stop_listening(stream);
  stream.offered.assign(stream.candidates.begin(), stream.candidates.end());
  stream.token = token;
  stream.awaiting = true;
  stream.lower = id;
  lower_.emplace(id.value, stream.number);
  return {};
}

void ObservationClient::stop_listening(Stream& stream) {
  if (stream.lower.value == 0) return;
  lower_.erase(stream.lower.value);
  below_.cancel(std::exchange(stream.lower, {}));
}

void ObservationClient::reregister(Stream& stream, Token token, Instant now) {
  timers_.clear(Timer::reregister, stream.number);
  ++counters_.reregistered;
  if (const auto registered = register_stream(stream, token, now); !registered) lost(stream, registered.error(), now);
}

/// The stream that `id` leaves if it was the last member; else nullptr.
ObservationClient::Stream* ObservationClient::leave(ExchangeId id) {
  const auto found = members_.find(id.value);
  if (found == members_.end()) return nullptr;
  auto& stream = *streams_.at(found->second);
  members_.erase(found);
  std::erase(stream.members, id.value);
  std::erase_if(events_,
                [id](const Event& event) { return std::visit([id](const auto& one) { return one.id == id; }, event); });
  return stream.members.empty() ? &stream : nullptr;
}

void ObservationClient::forget(Stream& stream) {
  timers_.clear(Timer::reregister, stream.number);
  for (const auto member : stream.members) members_.erase(member);
  if (stream.lower.value != 0) lower_.erase(stream.lower.value);
  targets_.erase(stream.target);
  streams_.erase(stream.number);
}

void ObservationClient::cancel(ExchangeId id) {
  if (!members_.contains(id.value)) return below_.cancel(id);
  auto* stream = leave(id);
  if (stream == nullptr) return;
  stop_listening(*stream);
  forget(*stream);
}

void ObservationClient::deregister(ExchangeId id, Instant now) {
  if (!members_.contains(id.value)) return below_.cancel(id);
  auto* stream = leave(id);
  if (stream == nullptr) return;
  if (stream->lower.value != 0) {
    auto request = stream->request;
    request.options.set_uint(option::observe, 1);
    auto delivery = stream->delivery;
    delivery.token_of = stream->lower;
    // Where the layer below has no room for it, the next notification is answered with a Reset instead.
    if (const auto farewell = below_.request(stream->target.peer, std::move(request), delivery, now)) {
      farewells_.insert(farewell->value);
    }
    stop_listening(*stream);
  }
  forget(*stream);
}

std::optional<ObservationStatus> ObservationClient::status(ExchangeId id, Instant now) const {
  const auto found = members_.find(id.value);
  if (found == members_.end()) return std::nullopt;
  const auto& stream = *streams_.at(found->second);
  return ObservationStatus{stream.established, stream.latest && now <= stream.fresh_until, stream.fresh_until,
                           stream.notifications};
}

void ObservationClient::respond(ExchangeId id, Response response, Delivery hint, Instant now) {
  below_.respond(id, std::move(response), hint, now);
}

// From below

void ObservationClient::push(Event event, Instant now) {
  if (events_.empty()) events_since_ = now;
  events_.push_back(std::move(event));
}

void ObservationClient::tell(Stream& stream, const Event& event, Instant now) {
  for (const auto member : stream.members) {
    auto copy = event;
    std::visit([member](auto& one) { one.id = ExchangeId(member); }, copy);
    push(std::move(copy), now);
  }
}

bool ObservationClient::take_validated(Stream& stream, Response& response) {
  const auto etag = response.options.find(option::etag);
  if (!etag) return false;
  const auto found = std::ranges::find_if(stream.offered, [&](const auto& one) { return same_etag(*one, *etag); });
  if (found == stream.offered.end()) {
    for (const auto [number, value] : stream.request.options) {
      if (number == option::etag && equal(value, *etag)) return true;  // the caller's own: he knows
    }
    return false;
  }
  ++counters_.validated;
  // RFC 7252 section 5.9.1.3: the options that came replace those of the same number in what is stored.
  Response whole = **found;
  for (const auto [number, value] : response.options) whole.options.remove(number);
  for (const auto [number, value] : response.options) whole.options.add(number, value);
  if (!response.options.has(option::max_age)) whole.options.remove(option::max_age);
  response = std::move(whole);
  return true;
}

void ObservationClient::keep(Stream& stream, const Stream::Representation& representation) {
  const auto etag = representation->options.find(option::etag);
  if (!etag || representation->code != code::content) return;
  auto& kept = stream.candidates;
  std::erase_if(kept, [&](const auto& one) { return same_etag(*one, *etag); });
  kept.push_front(representation);
  std::size_t octets = 0;
  std::size_t count = 0;
  for (const auto& one : kept) {
    octets += one->payload.size() + one->options.value_size();
    if (count == settings_.candidates || octets > settings_.candidate_octets) break;
    ++count;
  }
  kept.resize(count);
}

void ObservationClient::on_response(Stream& stream, ResponseArrived arrived, Instant now) {
  const bool usable = arrived.response.code != code::valid || take_validated(stream, arrived.response);
  if (arrived.final) {
    if (arrived.response.code.is_success()) ++counters_.not_observable;
    lower_.erase(std::exchange(stream.lower, {}).value);
    tell(stream, arrived, now);
    return forget(stream);
  }
  if (stream.awaiting && stream.token == Token::fresh) stream.order.restart();
  const bool first = std::exchange(stream.awaiting, false);
  stream.established = true;
  stream.ever_established = true;
  const auto order = arrived.order.value_or(0);
  if (!stream.order.accept(order, now)) {
    ++counters_.stale;
    // Perhaps an old notification, perhaps the answer of a server that began to count anew: a registration with a
    // token of its own tells them apart.
    if (first) reregister(stream, Token::fresh, now);
    return;
  }
  if (!usable) {
    // It names a representation that nobody has: the next registration offers none.
    stream.candidates.clear();
    return retry_later(stream, now);
  }
  stream.failures = 0;
  ++stream.notifications;
  ++counters_.notifications;
  stream.fresh_until = now + std::chrono::seconds(max_age_of(arrived.response));
  stream.latest = std::make_shared<const Response>(arrived.response);
  stream.latest_order = order;
  keep(stream, stream.latest);
  const auto spread = settings_.reregister_after_max - settings_.reregister_after_min;
  timers_.set(Timer::reregister, stream.number, stream.fresh_until + settings_.reregister_after_min + jitter(spread));
  tell(stream, arrived, now);
}

std::chrono::nanoseconds ObservationClient::jitter(std::chrono::nanoseconds below) {
  if (below.count() <= 0) return {};
  return std::chrono::nanoseconds(random_.below(static_cast<std::uint64_t>(below.count()) + 1));
}

void ObservationClient::retry_later(Stream& stream, Instant now) {
  auto wait = settings_.retry_min;
  for (unsigned i = 0; i < stream.failures && wait < settings_.retry_max; ++i) wait *= 2;
  wait = std::min(wait, settings_.retry_max);
  ++stream.failures;
  ++counters_.retried;
  timers_.set(Timer::reregister, stream.number, now + wait + jitter(wait / 2));
}

void ObservationClient::lost(Stream& stream, const Error& why, Instant now) {
  if (stream.lower.value != 0) stop_listening(stream);
  stream.established = false;
  if (stream.ever_established && stream.failures < settings_.retries) return retry_later(stream, now);
  tell(stream, ExchangeGone{{}, why}, now);
  forget(stream);
}

std::optional<Event> ObservationClient::next_event(Instant now) {
  while (events_.empty()) {
    auto event = below_.next_event(now);
    if (!event) return std::nullopt;
    const auto id = std::visit([](const auto& one) { return one.id.value; }, *event);
    const auto* response = std::get_if<ResponseArrived>(&*event);
    if (farewells_.contains(id)) {
      if (response == nullptr || response->final) farewells_.erase(id);
      continue;
    }
    const auto found = lower_.find(id);
    if (found == lower_.end()) return event;
    auto& stream = *streams_.at(found->second);
    if (response != nullptr) {
      on_response(stream, std::get<ResponseArrived>(std::move(*event)), now);
    } else if (const auto* gone = std::get_if<ExchangeGone>(&*event)) {
      lower_.erase(std::exchange(stream.lower, {}).value);
      lost(stream, gone->reason, now);
    }
  }
  auto next = std::move(events_.front());
  events_.pop_front();
  return next;
}

std::optional<Instant> ObservationClient::next_timeout() const {
  auto next = below_.next_timeout();
  const auto sooner = [&next](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  sooner(timers_.next());
  if (!events_.empty()) sooner(events_since_);
  return next;
}

void ObservationClient::on_timeout(Instant now) {
  below_.on_timeout(now);
  while (const auto due = timers_.take_due(now)) {
    auto& stream = *streams_.at(due->id);
    reregister(stream, stream.lower.value != 0 ? Token::kept : Token::fresh, now);
  }
}

}  // namespace aceward::coap
