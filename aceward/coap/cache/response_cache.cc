#include "aceward/coap/cache/response_cache.h"

#include <algorithm>
#include <array>
#include <utility>

#include "aceward/coap/message/cache_key.h"
#include "aceward/coap/observe/sequence.h"

namespace aceward::coap {

namespace {

constexpr std::uint64_t cache_id_bit = 1ULL << 62;

// Unsafe to forward, but their meaning for a cache is known.
bool is_known_unsafe(OptionNumber number) {
  constexpr std::array known{option::uri_host,  option::uri_port,  option::uri_path,     option::max_age,
                             option::uri_query, option::proxy_uri, option::proxy_scheme, option::observe};
  return std::ranges::find(known, number) != known.end();
}

bool may_be_kept(const Options& options) {
  for (const auto [number, value] : options) {
    if (is_unsafe(number) && !is_known_unsafe(number)) return false;
  }
  return true;
}

bool passes_by(const Request& request) {
  const auto& options = request.options;
  return (request.method != code::get && request.method != code::fetch) || !may_be_kept(options) ||
         options.has(option::oscore) || options.has(option::if_match) || options.has(option::if_none_match);
}

// The resource whatever the method, the query and the security context; only the server's address counts of the peer.
Bytes resource_of(const Peer& peer, const Options& options, bool location) {
  Options uri;
  for (const auto [number, value] : options) {
    const bool authority = number == option::uri_host || number == option::uri_port || number == option::proxy_scheme ||
                           number == option::proxy_uri;
    if (authority) uri.add(number, value);
    if (number == (location ? option::location_path : option::uri_path)) uri.add(option::uri_path, value);
  }
  auto key = cache_key(code::empty, uri);
  key.push_back(static_cast<std::uint8_t>(peer.transport));
  const auto address = to_bytes(peer.remote.to_string());
  key.insert(key.end(), address.begin(), address.end());
  return key;
}

}  // namespace

struct ResponseCache::Entry {
  Target target;
  Bytes resource;
  Response response;  // without Observe
  Instant fresh_until;
  bool fresh = true;  // no unsafe method came since
  std::size_t octets = 0;
};

struct ResponseCache::Pending {
  ExchangeId above;
  Target target;
  Bytes resource;
  bool safe = true;
  bool outdated = false;           // what comes was perhaps read before the resource changed
  bool validates = false;          // our ETag is in the request
  std::optional<Request> request;  // as it came, of one that validates
  Delivery delivery;
  NotificationOrder order;
};

ResponseCache::ResponseCache(Layer& below, const CacheLimits& limits) : below_(below), limits_(limits) {}

ResponseCache::~ResponseCache() = default;

void ResponseCache::clear() {
  by_target_.clear();
  entries_.clear();
  octets_ = 0;
  for (auto& [id, pending] : pending_) pending.outdated = true;
}

// From above

Result<ExchangeId> ResponseCache::request(const Peer& to, Request request, Delivery delivery, Instant now) {
  const auto ended = delivery.token_of;
  if (const auto renamed = renamed_.find(ended.value); renamed != renamed_.end()) {
    delivery.token_of = ExchangeId(renamed->second);
  }
  auto id = ask(to, std::move(request), delivery, now);
  // An observation whose token the request took over is over, as after cancel().
  if (id && ended.value != 0 && (id->value & cache_id_bit) == 0) cancel(ended);
  return id;
}

Result<ExchangeId> ResponseCache::ask(const Peer& to, Request request, Delivery delivery, Instant now) {
  Pending pending;
  pending.delivery = delivery;
  if (!is_safe(request.method)) {
    pending.safe = false;
    pending.target.peer = to;
    pending.resource = resource_of(to, request.options, false);
    // The location of what it creates is on the same server.
    pending.request.emplace().options = request.options;
    const auto id = ACEWARD_TRY(below_.request(to, std::move(request), delivery, now));
    pending.above = id;
    pending_.emplace(id.value, std::move(pending));
    return id;
  }
  if (passes_by(request)) return below_.request(to, std::move(request), delivery, now);

  pending.target = target_of(to, request);
  pending.resource = resource_of(to, request.options, false);
  if (to.context != 0) pending.order = NotificationOrder(NotificationOrder::Key::increasing);
  // With the same token, a notification sent before may still come.
  const auto renewed = pending_.find(delivery.token_of.value);
  if (renewed != pending_.end() && renewed->second.target == pending.target) pending.order = renewed->second.order;
  const auto found = by_target_.find(pending.target);
  if (!request.options.has(option::etag) && !request.options.has(option::observe)) {
    if (found == by_target_.end()) {
      ++counters_.misses;
    } else if (auto& entry = *found->second; entry.fresh && now <= entry.fresh_until) {
      ++counters_.hits;
      entries_.splice(entries_.begin(), entries_, found->second);
      const ExchangeId id(cache_id_bit | ++last_id_);
      auto response = entry.response;
      const auto rest = std::chrono::floor<std::chrono::seconds>(entry.fresh_until - now);
      response.options.set_uint(option::max_age, static_cast<std::uint64_t>(rest.count()));
      if (events_.empty()) events_since_ = now;
      events_.push_back(ResponseArrived{id, to, std::move(response), std::nullopt, true});
      return id;
    } else if (const auto etag = entry.response.options.find(option::etag)) {
      ++counters_.validations;
      pending.validates = true;
      pending.request = request;
      request.options.add(option::etag, *etag);
    } else {
      ++counters_.misses;
    }
  }
  const auto id = ACEWARD_TRY(below_.request(to, std::move(request), delivery, now));
  pending.above = id;
  pending_.emplace(id.value, std::move(pending));
  return id;
}

void ResponseCache::cancel(ExchangeId id) {
  if ((id.value & cache_id_bit) != 0) {
    std::erase_if(events_, [id](const Event& event) {
      return std::visit([id](const auto& one) { return one.id == id; }, event);
    });
  }
  if (const auto renamed = renamed_.find(id.value); renamed != renamed_.end()) {
    id = ExchangeId(renamed->second);
    renamed_.erase(renamed);
  }
  pending_.erase(id.value);
  below_.cancel(id);
}

void ResponseCache::respond(ExchangeId id, Response response, Delivery hint, Instant now) {
  below_.respond(id, std::move(response), hint, now);
}

// What is kept

void ResponseCache::erase(Entries::iterator entry) {
  octets_ -= entry->octets;
  by_target_.erase(entry->target);
  entries_.erase(entry);
}

void ResponseCache::store(const Pending& pending, const Response& response, Instant now) {
  // A server in trouble says nothing of what it answered before.
  if (response.code.code_class() == 5 && !limits_.errors) return;
  if (const auto found = by_target_.find(pending.target); found != by_target_.end()) erase(found->second);
  const bool cacheable =
      response.code == code::content || (limits_.errors && response.code.is_error() && !response.code.name().empty());
  const auto max_age = max_age_of(response);
  if (!cacheable || max_age == 0 || !may_be_kept(response.options)) return;
  Entry entry{pending.target, pending.resource, response, now + std::chrono::seconds(max_age), true, 0};
  entry.response.options.remove(option::observe);
  entry.octets = entry.target.key.size() + entry.resource.size() + entry.response.options.value_size() +
                 entry.response.payload.size();
  if (entry.octets > limits_.octets / 4 || limits_.entries == 0) return;
  while (entries_.size() >= limits_.entries || octets_ + entry.octets > limits_.octets) {
    ++counters_.evicted;
    erase(std::prev(entries_.end()));
  }
  ++counters_.stored;
  octets_ += entry.octets;
  entries_.push_front(std::move(entry));
  by_target_.emplace(entries_.front().target, entries_.begin());
}

const Response* ResponseCache::refresh(const Pending& pending, const Response& valid, Instant now) {
  const auto found = by_target_.find(pending.target);
  const auto etag = valid.options.find(option::etag);
  if (found == by_target_.end() || !etag) return nullptr;
  auto& entry = *found->second;
  const auto own = entry.response.options.find(option::etag);
  if (!own || !equal(*own, *etag)) return nullptr;
  // RFC 7252 section 5.9.1.3: Max-Age and the options that came replace those that are stored.
  auto& options = entry.response.options;
  const auto before = options.value_size();
  Options update = valid.options;
  update.remove(option::observe);
  options.remove(option::max_age);
  for (const auto [number, value] : update) options.remove(number);
  for (const auto [number, value] : update) options.add(number, value);
  entry.octets = entry.octets - before + options.value_size();
  octets_ = octets_ - before + options.value_size();
  if (!pending.outdated) {
    entry.fresh = true;
    entry.fresh_until = now + std::chrono::seconds(max_age_of(valid));
    if (max_age_of(valid) == 0) entry.fresh = false;
  }
  return &entry.response;
}

void ResponseCache::invalidate(const Bytes& resource) {
  for (auto& entry : entries_) {
    if (entry.resource != resource || !entry.fresh) continue;
    ++counters_.invalidated;
    entry.fresh = false;
  }
  for (auto& [id, pending] : pending_) {
    if (pending.safe && pending.resource == resource) pending.outdated = true;
  }
}

// From below

bool ResponseCache::on_response(ResponseArrived& arrived, Instant now) {
  const auto found = pending_.find(arrived.id.value);
  if (found == pending_.end()) return true;
  auto& pending = found->second;
  const auto above = pending.above;
  auto& response = arrived.response;
  // A late notification changes nothing, whatever its code.
  const bool latest = arrived.final || !pending.safe || pending.order.accept(arrived.order.value_or(0), now);
  if (!pending.safe) {
    // RFC 7252 section 5.9.1, RFC 8132 section 3: 2.01, 2.02, 2.04; others that succeed are no better.
    if (response.code.is_success()) {
      invalidate(pending.resource);
      if (response.options.has(option::location_path)) {
        Options location = pending.request->options;
        location.remove(option::uri_path);
        for (const auto segment : response.options.all_text(option::location_path)) {
          location.add(option::location_path, segment);
        }
        invalidate(resource_of(pending.target.peer, location, true));
      }
    }
  } else if (response.code == code::valid && latest) {
    const auto* whole = refresh(pending, response, now);
    if (pending.validates && whole == nullptr) {
      // It names nothing that is stored (any more): ask for the whole.
      if (const auto again = below_.request(arrived.peer, std::move(*pending.request), pending.delivery, now)) {
        auto moved = std::move(pending);
        pending_.erase(found);
        moved.validates = false;
        moved.request.reset();
        renamed_.insert_or_assign(above.value, again->value);
        pending_.emplace(again->value, std::move(moved));
      } else {
        finish(arrived.id);
        events_.push_back(ExchangeGone{above, again.error()});
        events_since_ = now;
      }
      return false;
    } else if (pending.validates) {
      ++counters_.validated;
      response = *whole;
    }
  } else if (latest) {
    if (!pending.outdated || !arrived.final) store(pending, response, now);
  }
  if (arrived.final) finish(arrived.id);
  arrived.id = above;
  return true;
}

void ResponseCache::finish(ExchangeId below) {
  const auto found = pending_.find(below.value);
  if (found == pending_.end()) return;
  renamed_.erase(found->second.above.value);
  pending_.erase(found);
}

std::optional<Event> ResponseCache::next_event(Instant now) {
  while (true) {
    if (!events_.empty()) {
      auto next = std::move(events_.front());
      events_.pop_front();
      return next;
    }
    auto event = below_.next_event(now);
    if (!event) return std::nullopt;
    if (auto* arrived = std::get_if<ResponseArrived>(&*event)) {
      if (!on_response(*arrived, now)) continue;
    } else if (auto* gone = std::get_if<ExchangeGone>(&*event)) {
      if (const auto found = pending_.find(gone->id.value); found != pending_.end()) {
        const auto above = found->second.above;
        finish(gone->id);
        gone->id = above;
      }
    }
    return event;
  }
}

std::optional<Instant> ResponseCache::next_timeout() const {
  auto next = below_.next_timeout();
  if (!events_.empty() && (!next || *events_since_ < *next)) next = events_since_;
  return next;
}

void ResponseCache::on_timeout(Instant now) { below_.on_timeout(now); }

}  // namespace aceward::coap
