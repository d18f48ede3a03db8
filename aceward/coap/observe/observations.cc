#include "aceward/coap/observe/observations.h"

#include <algorithm>
#include <set>
#include <utility>

namespace aceward::coap {

namespace {

constexpr auto longest_without_confirmable = std::chrono::hours(24);

bool can_observe(Code method) { return method == code::get || method == code::fetch; }

}  // namespace

struct Observations::Observed {
  ObservableSettings settings;
  ObserveNumbers numbers;
  std::set<std::uint64_t> entries;  // in order, so that a run can be repeated exactly
  MakeResponse make;
};

struct Observations::Entry {
  ExchangeId id;
  Target target;
  Request request;
  Observed* observed = nullptr;
  bool confirmable = true;  // as the registration came
  /// Of an address that has not shown to be reachable, as long as it has acknowledged nothing for all we know.
  std::optional<std::size_t> answer_limit;
  bool registered = false;  // the first response left
  bool asked = true;        // the request is with the resource
  bool waits = false;       // there is a state that the observer was not told
  bool queued = false;      // listed in ready_
  bool settling = false;    // the next notification is to be confirmable
  unsigned run = 0;         // non-confirmable notifications since the last confirmable one
  std::uint64_t number = 0;
  Instant last_sent{};
  Instant last_confirmable{};
  bool has_format = false;
  std::optional<ContentFormat> format;
};

Observations::Observations(Layer& below, Random& random, const ObservationLimits& limits)
    : below_(below), random_(random), limits_(limits) {}

Observations::~Observations() = default;

void Observations::allow(Path path, const ObservableSettings& settings) {
  auto& observed = observed_[std::move(path)];
  if (observed) {
    observed->settings = settings;
    return;
  }
  observed = std::make_unique<Observed>(Observed{settings, ObserveNumbers(), {}, {}});
}

void Observations::close(const Path& path, Instant now, Code code) {
  const auto found = observed_.find(path);
  if (found == observed_.end()) return;
  const auto entries = found->second->entries;
  for (const auto id : entries) fail(ExchangeId(id), code, now);
  observed_.erase(found);
}

void Observations::changed(const Path& path, Instant now) { changed(path, now, {}); }

void Observations::changed(const Path& path, Instant now, const Concerns& concerns) {
  const auto found = observed_.find(path);
  if (found == observed_.end()) return;
  found->second->make = {};
  for (const auto id : found->second->entries) {
    auto& entry = *entries_.at(id);
    if (!concerns || concerns(entry.request)) mark(entry, now);
  }
}

void Observations::changed_for(const Path& path, Instant now, const ConcernsObserver& concerns) {
  const auto found = observed_.find(path);
  if (found == observed_.end()) return;
  found->second->make = {};
  for (const auto id : found->second->entries) {
    auto& entry = *entries_.at(id);
    if (concerns(Observer{entry.id, entry.target.peer, entry.request})) mark(entry, now);
  }
}

void Observations::notify(const Path& path, MakeResponse make, Instant now) {
  const auto found = observed_.find(path);
  if (found == observed_.end()) return;
  found->second->make = std::move(make);
  for (const auto id : found->second->entries) mark(*entries_.at(id), now);
}

void Observations::end(const ConcernsObserver& concerns, Instant now, Code code) {
  std::set<std::uint64_t> over;  // in order, so that a run can be repeated exactly
  for (const auto& [id, entry] : entries_) {
    if (concerns(Observer{entry->id, entry->target.peer, entry->request})) over.insert(id);
  }
  counters_.ended_by_error += over.size();
  for (const auto id : over) fail(ExchangeId(id), code, now);
}

std::size_t Observations::observers(const Path& path) const {
  const auto found = observed_.find(path);
  return found == observed_.end() ? 0 : found->second->entries.size();
}

// The table

Observations::Observed* Observations::find_observed(const Request& request) {
  const auto segments = request.options.path();
  const auto found = observed_.find(Path(segments.begin(), segments.end()));
  return found == observed_.end() ? nullptr : found->second.get();
}

bool Observations::has_room(const Observed& observed, const RequestArrived& arrived) const {
  const auto share = shares_.find(arrived.peer);
  return entries_.size() < limits_.overall && observed.entries.size() < limits_.per_resource &&
         (share == shares_.end() ? 0 : share->second.entries) < limits_.per_peer &&
         arrived.request.payload.size() + arrived.request.options.value_size() <= limits_.request_size;
}

void Observations::arrive(RequestArrived& arrived, Instant now) {
  const auto action = arrived.request.options.find_uint(option::observe);
  if (!action || !can_observe(arrived.request.method)) return;
  auto* observed = find_observed(arrived.request);
  if (observed == nullptr) return;
  auto target = target_of(arrived.peer, arrived.request);
  const auto known = targets_.find(target);
  const bool replaces = known != targets_.end() && *action <= 1;
  if (replaces) {
    ++(*action == 0 ? counters_.replaced : counters_.deregistered);
    remove(ExchangeId(known->second), End::with_cancel);
  }
  if (*action != 0 || !has_room(*observed, arrived)) {
    if (*action == 0) ++counters_.refused;
    without_.insert(arrived.id.value);
    return;
  }
  if (!replaces) ++counters_.registered;
  auto entry = std::make_unique<Entry>();
  entry->id = arrived.id;
  entry->target = target;
  entry->request = arrived.request;
  entry->observed = observed;
  entry->confirmable = arrived.reliability != Reliability::non_confirmable;
  entry->answer_limit = arrived.answer_limit;
  entry->last_confirmable = now;
  targets_.emplace(std::move(target), arrived.id.value);
  observed->entries.insert(arrived.id.value);
  ++shares_[arrived.peer].entries;
  entries_.emplace(arrived.id.value, std::move(entry));
}

void Observations::remove(ExchangeId id, End end) {
  const auto found = entries_.find(id.value);
  if (found == entries_.end()) return;
  auto& entry = *found->second;
  for (const auto kind : {Timer::turn, Timer::settle, Timer::refresh, Timer::overdue}) timers_.clear(kind, id.value);
  const auto share = shares_.find(entry.target.peer);
  if (--share->second.entries == 0) shares_.erase(share);
  entry.observed->entries.erase(id.value);
  targets_.erase(entry.target);
  entries_.erase(found);
  if (end == End::with_cancel) below_.cancel(id);
}

void Observations::fail(ExchangeId id, Code code, Instant now) {
  remove(id, End::silently);
  below_.respond(id, make_response(code), {}, now);
}

// When an observer is told

void Observations::mark(Entry& entry, Instant now) {
  if (entry.waits) ++counters_.skipped;
  entry.waits = true;
  schedule(entry, now);
}

bool Observations::next_is_confirmable(const Entry& entry, Instant now) const {
  const auto& settings = entry.observed->settings;
  const bool by_default = settings.notifications == Reliability::automatic
                              ? entry.confirmable
                              : settings.notifications == Reliability::confirmable;
  if (by_default || entry.settling) return true;
  // Somebody may have registered in the name of another address.
  if (entry.answer_limit) return true;
  if (entry.run >= std::max(settings.non_confirmable_run, 1U)) return true;
  // RFC 7641 section 4.5, at least every 24 hours: there is another chance when the notification has settled.
  const auto settled =
      std::min<ObservableSettings::Duration>(settings.settled_after / 4 * 5, longest_without_confirmable / 2);
  const auto after =
      std::min<ObservableSettings::Duration>(settings.confirmable_after, longest_without_confirmable - settled);
  return now - entry.last_confirmable >= after;
}

void Observations::schedule(Entry& entry, Instant now) {
  if (!entry.waits || entry.asked || entry.queued) return;
  auto at = entry.last_sent + entry.observed->settings.at_least_apart;
  if (!next_is_confirmable(entry, now)) at = std::max(at, shares_.at(entry.target.peer).next_non_confirmable);
  if (at > now) return timers_.set(Timer::turn, entry.id.value, at);
  timers_.clear(Timer::turn, entry.id.value);
  entry.queued = true;
  if (ready_.empty()) ready_since_ = now;
  ready_.push_back(entry.id.value);
}

std::optional<Event> Observations::ask_next(Instant now) {
  while (!ready_.empty()) {
    const auto found = entries_.find(ready_.front());
    ready_.pop_front();
    if (found == entries_.end()) continue;
    auto& entry = *found->second;
    entry.queued = false;
    const bool confirmable = next_is_confirmable(entry, now);
    auto& share = shares_.at(entry.target.peer);
    if (!confirmable && share.next_non_confirmable > now) {
      // Another observation of the same peer was faster.
      schedule(entry, now);
      continue;
    }
    if (!confirmable) share.next_non_confirmable = now + limits_.non_confirmable_apart;
    entry.waits = false;
    entry.asked = true;
    if (const auto make = entry.observed->make) {
      const auto id = entry.id;
      auto response = make({id, entry.target.peer, entry.request});
      respond(id, std::move(response), {}, now);  // which finds out whether there still is an entry
      continue;
    }
    timers_.set(Timer::overdue, entry.id.value, now + limits_.answer_within);
    return RequestArrived{entry.id, entry.target.peer, entry.request,
                          entry.confirmable ? Reliability::confirmable : Reliability::non_confirmable,
                          entry.answer_limit};
  }
  return std::nullopt;
}

// The answers

void Observations::respond(ExchangeId id, Response response, Delivery hint, Instant now) {
  const auto found = entries_.find(id.value);
  if (found == entries_.end()) {
    if (without_.erase(id.value) != 0) response.options.remove(option::observe);
    return below_.respond(id, std::move(response), hint, now);
  }
  auto& entry = *found->second;
  timers_.clear(Timer::overdue, id.value);
  entry.asked = false;
  response.options.remove(option::observe);
  if (!response.code.is_success()) {
    if (entry.registered) ++counters_.ended_by_error;
    remove(id, End::silently);
    return below_.respond(id, std::move(response), hint, now);
  }
  // RFC 7641 section 4.2: the same Content-Format throughout. A 2.03 has none.
  if (response.code != code::valid) {
    const auto format = response.options.content_format();
    if (entry.has_format && format != entry.format) {
      ++counters_.format_changed;
      return fail(id, code::not_acceptable, now);
    }
    entry.has_format = true;
    entry.format = format;
  }
  auto& numbers = entry.observed->numbers;
  // The first response takes a new number too, for the same client may have had the one before under the same token.
  if (!entry.registered || entry.number == numbers.sequence()) {
    if (!numbers.next(now, entry.registered ? NumberUse::notification : NumberUse::registration)) {
      if (!entry.registered) {
        ++counters_.refused;
        remove(id, End::silently);
        return below_.respond(id, std::move(response), hint, now);
      }
      entry.waits = true;
      timers_.set(Timer::turn, id.value, numbers.free_at());
      return;
    }
  }
  entry.number = numbers.sequence();
  if (!response.options.has(option::max_age)) {
    response.options.set_uint(option::max_age, entry.observed->settings.max_age);
  }
  response.options.set_uint(option::observe, numbers.current());
  send(entry, std::move(response), hint, now);
}

void Observations::send(Entry& entry, Response response, Delivery hint, Instant now) {
  const auto id = entry.id;
  const auto& settings = entry.observed->settings;
  bool confirmable = entry.confirmable;
  if (entry.registered) {
    confirmable = hint.reliability == Reliability::confirmable || next_is_confirmable(entry, now);
    hint.reliability = confirmable ? Reliability::confirmable : Reliability::non_confirmable;
    ++counters_.notified;
    if (confirmable) ++counters_.confirmable;
  }
  entry.last_sent = now;
  if (confirmable) {
    entry.run = 0;
    entry.settling = false;
    entry.last_confirmable = now;
    if (entry.registered) entry.answer_limit.reset();
    timers_.clear(Timer::settle, id.value);
  } else {
    ++entry.run;
    // Not all observers at once.
    const auto spread = static_cast<std::uint64_t>(std::max<std::int64_t>(settings.settled_after.count() / 4, 0));
    const std::chrono::nanoseconds more(random_.below(spread + 1));
    timers_.set(Timer::settle, id.value, now + settings.settled_after + more);
    auto& gate = shares_.at(entry.target.peer).next_non_confirmable;
    gate = std::max(gate, now + limits_.non_confirmable_apart);
  }
  const std::chrono::nanoseconds age = std::chrono::seconds(max_age_of(response));
  // What is never fresh cannot be kept fresh.
  if (settings.refresh_before && age.count() > 0) {
    timers_.set(Timer::refresh, id.value, now + std::max(age - *settings.refresh_before, age / 2));
  }
  entry.registered = true;
  below_.respond(id, std::move(response), hint, now);
  schedule(entry, now);
}

void Observations::cancel(ExchangeId id) {
  without_.erase(id.value);
  remove(id, End::silently);
  below_.cancel(id);
}

Result<ExchangeId> Observations::request(const Peer& to, Request request, Delivery delivery, Instant now) {
  return below_.request(to, std::move(request), delivery, now);
}

// Events and time

std::optional<Event> Observations::next_event(Instant now) {
  // In turns, so that neither a flood of requests nor a long list of observers keeps the other waiting.
  if (!std::exchange(asked_last_, false)) {
    if (auto asking = ask_next(now)) {
      asked_last_ = true;
      return asking;
    }
  }
  auto event = below_.next_event(now);
  if (!event) return ask_next(now);
  if (auto* arrived = std::get_if<RequestArrived>(&*event)) {
    arrive(*arrived, now);
  } else if (const auto* gone = std::get_if<ExchangeGone>(&*event)) {
    without_.erase(gone->id.value);
    if (entries_.contains(gone->id.value)) {
      ++counters_.lost;
      remove(gone->id, End::silently);
    }
  }
  return event;
}

std::optional<Instant> Observations::next_timeout() const {
  auto next = below_.next_timeout();
  const auto sooner = [&next](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  sooner(timers_.next());
  if (!ready_.empty()) sooner(ready_since_);
  return next;
}

void Observations::on_timeout(Instant now) {
  below_.on_timeout(now);
  while (const auto due = timers_.take_due(now)) {
    auto& entry = *entries_.at(due->id);
    switch (due->kind) {
      case Timer::turn: schedule(entry, now); break;
      case Timer::settle:
        entry.settling = true;
        if (!entry.waits) mark(entry, now);
        break;
      case Timer::refresh:
        if (!entry.waits) mark(entry, now);
        break;
      case Timer::overdue:
        ++counters_.answered_too_late;
        fail(entry.id, code::service_unavailable, now);
        break;
    }
  }
}

}  // namespace aceward::coap
