#include "aceward/coap/freshness/freshness.h"

#include <algorithm>
#include <array>
#include <utility>

#include "aceward/coap/freshness/reasons.h"

namespace aceward::coap {

namespace {

// ObservationClient and ResponseCache, which lie above, set bits 63 and 62.
constexpr std::uint64_t held_bit = std::uint64_t{1} << 61;
constexpr std::size_t longest_echo = 40;
constexpr std::size_t most_spare_nodes = 64;

// What makes up the request URI (RFC 7252 sections 5.10.1 and 5.10.2).
constexpr std::array<OptionNumber, 6> uri_options{option::uri_host,  option::uri_port,  option::uri_path,
                                                  option::uri_query, option::proxy_uri, option::proxy_scheme};

/// A hash of method and URI. Two kinds of requests that share it would only wait for each other.
std::uint64_t similarity_of(const Request& request) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto mix = [&hash](std::uint64_t octet) {
    hash ^= octet;
    hash *= 0x100000001b3U;
  };
  mix(request.method.value);
  for (const auto& [number, value] : request.options) {
    if (std::ranges::find(uri_options, number) == uri_options.end()) continue;
    mix(number.value);
    mix(value.size());
    for (const auto octet : value) mix(octet);
  }
  return hash;
}

std::size_t octets_of(const Request& request) { return request.options.value_size() + request.payload.size(); }

}  // namespace

Freshness::Freshness(Layer& below, const FreshnessParameters& parameters, const FreshnessLimits& limits)
    : below_(below), parameters_(parameters), limits_(limits) {}

// Requests going down

Result<ExchangeId> Freshness::request(const Peer& to, Request request, Delivery delivery, Instant now) {
  const auto ended = delivery.token_of;
  const auto finish = [&](Result<ExchangeId> id) {
    // Over, as after cancel(): here too, and if the request only waits so far.
    if (id && ended.value != 0) cancel(ended);
    return id;
  };
  std::uint64_t similarity = 0;
  if (parameters_.back_off != BackOff::none) {
    similarity = similarity_of(request);
    if (const auto* waiting = find_back_off(to, similarity, now)) {
      delivery.token_of = {};
      return finish(hold(to, std::move(request), delivery, waiting->until, now));
    }
  }
  return finish(send(to, std::move(request), delivery, now, ExchangeId(), similarity));
}

Instant Freshness::patience(Delivery delivery, Instant started) const {
  return started + (delivery.timeout.count() > 0 ? delivery.timeout : parameters_.hold_at_most);
}

Result<ExchangeId> Freshness::hold(const Peer& to, Request request, Delivery delivery, Instant until, Instant now) {
  const auto octets = octets_of(request);
  if (parameters_.back_off == BackOff::refuse || until >= patience(delivery, now) || held_.size() >= limits_.held ||
      octets_ + octets > limits_.octets) {
    ++counters_.refused;
    return fail(reason::coap_backing_off);
  }
  ++counters_.held;
  octets_ += octets;
  const ExchangeId id(held_bit | ++minted_);
  held_.push_back({id, to, std::move(request), delivery, now, until, octets});
  return id;
}

Result<ExchangeId> Freshness::send(const Peer& to, Request request, Delivery delivery, Instant now, ExchangeId upper,
                                   std::uint64_t similarity) {
  const auto octets = octets_of(request);
  // A held request has an id that the layer below does not know, so it is tracked in any case.
  const bool tracked = open_.size() < limits_.requests || upper.value != 0;
  const bool kept = tracked && parameters_.echo_repeats > 0 && octets_ + octets <= limits_.octets;
  if (!kept && parameters_.echo_repeats > 0) ++counters_.not_kept;

  OpenTable::node_type node;
  if (tracked) {
    if (spare_.empty()) {
      // The only way to make a node is to have it in a table; nobody has the id 0.
      open_.try_emplace(0);
      node = open_.extract(0);
    } else {
      node = std::move(spare_.back());
      spare_.pop_back();
    }
    auto& open = node.mapped();
    open.to = to;
    // A copy into the memory of an earlier request.
    if (kept) open.request = request;
    open.delivery = delivery;
    open.started = now;
    open.similarity = similarity;
    open.octets = kept ? octets : 0;
    open.repeats_left = parameters_.echo_repeats;
    open.repeatable = kept;
  }
  add_echo(to, request, now);
  if (const auto renamed = below_of_.find(delivery.token_of.value); renamed != below_of_.end()) {
    delivery.token_of = ExchangeId(renamed->second);
  }
  auto id = below_.request(to, std::move(request), delivery, now);
  if (!id) {
    if (tracked && spare_.size() < most_spare_nodes) spare_.push_back(std::move(node));
    return id;
  }
  const ExchangeId above = upper.value != 0 ? upper : *id;
  if (!tracked) return above;
  node.mapped().upper = above;
  octets_ += node.mapped().octets;
  node.key() = id->value;
  open_.insert(std::move(node));
  if (above != *id) below_of_[above.value] = id->value;
  return above;
}

void Freshness::release_due(Instant now) {
  for (std::size_t i = 0; i < held_.size();) {
    if (held_[i].until > now) {
      ++i;
      continue;
    }
    // The server may have asked again, in answer to what was on its way.
    const auto similarity = similarity_of(held_[i].request);
    if (const auto* waiting = find_back_off(held_[i].to, similarity, now)) {
      if (waiting->until < patience(held_[i].delivery, held_[i].started)) {
        held_[i].until = waiting->until;
        ++i;
        continue;
      }
    }
    Held due = std::move(held_[i]);
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    octets_ -= due.octets;
    const bool limited = due.delivery.timeout.count() > 0;
    if (limited) due.delivery.timeout -= now - due.started;
    // Its time is over, or would be before it may go.
    if (find_back_off(due.to, similarity, now) != nullptr || (limited && due.delivery.timeout.count() <= 0)) {
      ++counters_.refused;
      events_.push_back(ExchangeGone{due.id, Error(reason::coap_backing_off)});
      continue;
    }
    const auto sent = send(due.to, std::move(due.request), due.delivery, now, due.id, similarity);
    if (!sent) events_.push_back(ExchangeGone{due.id, sent.error()});
  }
}

// Echo

void Freshness::add_echo(const Peer& to, Request& request, Instant now) {
  if (echo_of_.empty()) return;
  const auto found = echo_of_.find(to);
  if (found == echo_of_.end()) return;
  auto& echo = *found->second;
  const auto age = now - echo.received;
  if (age > std::max(parameters_.keep_echo, parameters_.reuse_echo)) {
    echoes_.erase(found->second);
    echo_of_.erase(found);
    return;
  }
  const bool useful =
      echo.owed ? age <= parameters_.keep_echo : !is_safe(request.method) && age <= parameters_.reuse_echo;
  if (!useful || request.options.has(option::echo)) return;
  echo.owed = false;
  request.options.add(option::echo, echo.value);
  echoes_.splice(echoes_.begin(), echoes_, found->second);
  ++counters_.echoed_unasked;
}

void Freshness::learn_echo(const Peer& peer, BytesView value, bool owed, Instant now) {
  if (limits_.echo_peers == 0) return;
  auto found = echo_of_.find(peer);
  if (found == echo_of_.end()) {
    if (echoes_.size() >= limits_.echo_peers) {
      echo_of_.erase(echoes_.back().peer);
      // Its memory goes to the new one.
      echoes_.splice(echoes_.begin(), echoes_, std::prev(echoes_.end()));
    } else {
      echoes_.emplace_front();
    }
    echoes_.front().peer = peer;
    found = echo_of_.emplace(peer, echoes_.begin()).first;
  } else {
    echoes_.splice(echoes_.begin(), echoes_, found->second);
  }
  auto& echo = echoes_.front();
  echo.value.assign(value.begin(), value.end());
  echo.received = now;
  echo.owed = owed;
}

bool Freshness::repeat(OpenTable::iterator entry, BytesView echo, Instant now) {
  auto& open = entry->second;
  if (!open.repeatable || open.repeats_left == 0) return false;
  auto delivery = open.delivery;
  if (delivery.timeout.count() > 0) {
    delivery.timeout -= now - open.started;
    if (delivery.timeout.count() <= 0) return false;
  }
  auto again = open.request;
  again.options.set(option::echo, echo);
  const auto id = below_.request(open.to, std::move(again), delivery, now);
  if (!id) return false;
  --open.repeats_left;
  ++counters_.repeated;
  below_of_[open.upper.value] = id->value;
  auto node = open_.extract(entry);
  node.key() = id->value;
  open_.insert(std::move(node));
  return true;
}

// Waiting

void Freshness::learn_back_off(const Open& open, const Response& response, Instant now) {
  if (parameters_.back_off == BackOff::none || limits_.back_offs == 0) return;
  // A 5.03 without Max-Age names no time (RFC 7252 section 5.9.3.4); a 4.29 without it means 60 s (RFC 8516 section 4).
  const auto max_age = response.options.find_uint(option::max_age);
  if (response.code == code::service_unavailable ? !max_age : response.code != code::too_many_requests) return;
  const auto longest = static_cast<std::uint64_t>(parameters_.longest_back_off.count());
  const auto seconds = std::min(max_age.value_or(60), longest);
  ++counters_.backed_off;
  std::erase_if(back_offs_, [now](const BackOffEntry& one) { return one.until <= now; });
  if (seconds == 0) return;
  const auto until = now + std::chrono::seconds(seconds);
  const auto same = std::ranges::find_if(
      back_offs_, [&](const BackOffEntry& one) { return one.similarity == open.similarity && one.peer == open.to; });
  if (same != back_offs_.end()) {
    same->until = until;
  } else if (back_offs_.size() < limits_.back_offs) {
    back_offs_.push_back({open.to, open.similarity, until});
  } else {
    *std::ranges::min_element(back_offs_, {}, &BackOffEntry::until) = {open.to, open.similarity, until};
  }
}

const Freshness::BackOffEntry* Freshness::find_back_off(const Peer& to, std::uint64_t similarity, Instant now) const {
  const auto found = std::ranges::find_if(back_offs_, [&](const BackOffEntry& one) {
    return one.similarity == similarity && one.until > now && one.peer == to;
  });
  return found == back_offs_.end() ? nullptr : &*found;
}

std::optional<Instant> Freshness::backing_off_until(const Peer& to, const Request& request, Instant now) const {
  const auto* found = find_back_off(to, similarity_of(request), now);
  if (found == nullptr) return std::nullopt;
  return found->until;
}

// Events going up

std::optional<Event> Freshness::on_response(ResponseArrived arrived, Instant now) {
  const auto entry = open_.find(arrived.id.value);
  if (entry == open_.end()) return arrived;
  auto& open = entry->second;
  const auto echo = arrived.response.options.find(option::echo);
  if (echo && !echo->empty() && echo->size() <= longest_echo) {
    const bool asked = arrived.response.code == code::unauthorized && arrived.final;
    const bool repeated = asked && repeat(entry, *echo, now);
    // `entry` is still the same element, under another key.
    learn_echo(open.to, *echo, !repeated, now);
    if (repeated) return std::nullopt;
    if (asked) ++counters_.given_up;
  }
  learn_back_off(open, arrived.response, now);
  arrived.id = open.upper;
  if (arrived.final) close(entry);
  return arrived;
}

void Freshness::close(OpenTable::iterator entry) {
  octets_ -= entry->second.octets;
  if (!below_of_.empty()) below_of_.erase(entry->second.upper.value);
  auto node = open_.extract(entry);
  if (spare_.size() < most_spare_nodes) spare_.push_back(std::move(node));
}

std::optional<Event> Freshness::next_event(Instant now) {
  if (!events_.empty()) {
    auto event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  while (auto event = below_.next_event(now)) {
    if (auto* response = std::get_if<ResponseArrived>(&*event)) {
      if (auto up = on_response(std::move(*response), now)) return up;
      continue;
    }
    if (auto* gone = std::get_if<ExchangeGone>(&*event)) {
      if (const auto entry = open_.find(gone->id.value); entry != open_.end()) {
        gone->id = entry->second.upper;
        close(entry);
      }
    }
    return event;
  }
  return std::nullopt;
}

void Freshness::respond(ExchangeId id, Response response, Delivery hint, Instant now) {
  below_.respond(id, std::move(response), hint, now);
}

void Freshness::cancel(ExchangeId id) {
  std::erase_if(events_,
                [id](const Event& event) { return std::visit([id](const auto& one) { return one.id == id; }, event); });
  if (const auto held = std::ranges::find(held_, id, &Held::id); held != held_.end()) {
    octets_ -= held->octets;
    held_.erase(held);
    return;
  }
  const auto other = below_of_.find(id.value);
  const ExchangeId lower = other == below_of_.end() ? id : ExchangeId(other->second);
  below_.cancel(lower);
  if (const auto entry = open_.find(lower.value); entry != open_.end()) close(entry);
}

std::optional<Instant> Freshness::next_timeout() const {
  auto next = below_.next_timeout();
  for (const auto& one : held_) next = next ? std::min(*next, one.until) : one.until;
  return next;
}

void Freshness::on_timeout(Instant now) {
  below_.on_timeout(now);
  if (!held_.empty()) release_due(now);
}

void Freshness::peer_gone(const Peer& peer, Error reason) {
  if (const auto found = echo_of_.find(peer); found != echo_of_.end()) {
    echoes_.erase(found->second);
    echo_of_.erase(found);
  }
  std::erase_if(back_offs_, [&](const BackOffEntry& one) { return one.peer == peer; });
  std::erase_if(held_, [&](const Held& one) {
    if (one.to != peer) return false;
    octets_ -= one.octets;
    events_.push_back(ExchangeGone{one.id, reason});
    return true;
  });
}

Freshness::Occupancy Freshness::occupancy() const {
  return {open_.size(), octets_, echoes_.size(), back_offs_.size(), held_.size()};
}

}  // namespace aceward::coap
