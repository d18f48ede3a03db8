#include "aceward/ace/revocation/follower.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "aceward/coap/resource/answers.h"

namespace aceward::ace::revocation {

namespace {

std::string key_of(const Bytes& hash) { return std::string(as_text(hash)); }

FollowerSettings within_bounds(FollowerSettings settings) {
  settings.max_hashes = std::max<std::size_t>(settings.max_hashes, 1);
  settings.retry_min = std::max<FollowerSettings::Duration>(settings.retry_min, std::chrono::milliseconds(1));
  settings.poll_every = std::max<FollowerSettings::Duration>(settings.poll_every, std::chrono::seconds(1));
  settings.full_every = std::max(settings.full_every, settings.poll_every);
  return settings;
}

}  // namespace

Follower::Follower(FollowerSettings settings, Random& random)
    : settings_(within_bounds(std::move(settings))), random_(random) {}

void Follower::start(Instant now) {
  running_ = true;
  plain_.reset();
  observed_.reset();
  cancelled_.reset();
  delay_ = {};
  not_before_ = now;
  observe_after_ = now;
  diff_refused_ = false;
  want_ = poll();
  want_observation_ = true;
  // The full set is observed where no diff is asked for: the first answer is the state.
  if (settings_.diff_entries == 0) want_ = Want::nothing;
  poll_at_ = now + settings_.poll_every;
  if (!current_until_) full_at_ = now + settings_.full_every;
}

void Follower::stop() {
  running_ = false;
  plain_.reset();
  observed_.reset();
  cancelled_.reset();
}

Follower::Ask Follower::make_ask(const Open& open, const TrlQuery& query, bool observe) const {
  Ask ask{.number = open.number, .request = {}, .observe = observe};
  ask.request.options.add_path(settings_.path).set_accept(coap::content_format::ace_trl_cbor);
  add_trl_query(ask.request.options, query);
  if (observe) ask.request.options.set_uint(coap::option::observe, 0);
  return ask;
}

std::optional<Follower::Ask> Follower::next_ask(Instant now) {
  if (!running_ || now < not_before_) return std::nullopt;
  if (!plain_ && want_ != Want::full && now >= full_at_) want_ = Want::full;
  if (!plain_ && want_ == Want::nothing && now >= poll_at_) want_ = poll();
  if (!plain_ && want_ != Want::nothing) {
    const bool is_diff = std::exchange(want_, Want::nothing) == Want::diff && can_diff();
    plain_ = Open{
        .number = ++last_number_, .is_diff = is_diff, .cursor = is_diff ? cursor_ : std::nullopt, .version = version_};
    return make_ask(*plain_, is_diff ? TrlQuery{0, cursor_} : TrlQuery{}, false);
  }
  if (wants_to_observe() && now >= observe_after_) {
    want_observation_ = false;
    const bool is_diff = observes_diff();
    observed_ = Open{.number = ++last_number_, .is_diff = is_diff, .cursor = std::nullopt, .version = version_};
    return make_ask(*observed_, is_diff ? TrlQuery{settings_.diff_entries, std::nullopt} : TrlQuery{}, true);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Follower::next_cancelled() { return std::exchange(cancelled_, std::nullopt); }

std::optional<Instant> Follower::next_timeout() const {
  if (!running_ || plain_) return std::nullopt;
  if (want_ != Want::nothing) return not_before_;
  Instant due = std::min(poll_at_, full_at_);
  if (wants_to_observe()) due = std::min(due, observe_after_);
  return std::max(due, not_before_);
}

void Follower::answered(std::uint64_t number, const coap::Response& response, bool last, Instant now) {
  const bool observed = observed_ && observed_->number == number;
  if (!observed && !(plain_ && plain_->number == number)) return;
  const Open open = observed ? *observed_ : *plain_;
  if (!observed) plain_.reset();
  if (observed && last) observed_.reset();
  if (response.code != coap::code::content) {
    refused(open, observed, response, now);
    return;
  }
  if (observed && last) {
    // The AS keeps no observers, now at least: the list is polled.
    observe_after_ = now + settings_.full_every;
    want_observation_ = true;
  }
  const bool is_of_format = response.options.content_format() == coap::content_format::ace_trl_cbor;
  const auto answer = is_of_format ? parse_revocation_answer(response.payload) : Result<RevocationAnswer>();
  if (!is_of_format || !answer || answer->diff_set.has_value() != open.is_diff) {
    ++counters_.malformed;
    want_ = Want::full;
    // An AS without diff queries answers them with the full set (section 6.3).
    if (is_of_format && answer && open.is_diff) without_diff();
    back_off(now);
    return;
  }
  if (open.is_diff) {
    learn_diff(open, observed, *answer, now);
  } else {
    learn_full(open, observed, *answer, now);
  }
}

void Follower::failed(std::uint64_t number, Instant now) {
  const bool observed = observed_ && observed_->number == number;
  if (!observed && !(plain_ && plain_->number == number)) return;
  ++counters_.unanswered;
  if (observed) {
    observed_.reset();
    want_observation_ = true;
  } else {
    want_ = plain_->is_diff ? Want::diff : Want::full;
    plain_.reset();
  }
  back_off(now);
}

void Follower::refused(const Open& open, bool observed, const coap::Response& response, Instant now) {
  ++counters_.refused;
  if (observed) {
    observed_.reset();  // an error response ends an observation (RFC 7641 section 4.2)
    want_observation_ = true;
  }
  if (open.is_diff && response.code == coap::code::bad_request) {
    // The cursor is not of this life of the AS, or diff queries are not to its liking.
    if (observed) diff_refused_ = true;
    start_over();
    return;
  }
  if (!observed) want_ = open.is_diff ? Want::diff : Want::full;
  const bool says_when = response.options.has(coap::option::max_age);
  back_off(now, says_when ? coap::max_age_of(response.options) : std::chrono::seconds(0));
}

/// From now on the full set is observed.
void Follower::without_diff() {
  offers_cursor_ = false;
  if (observed_ && observed_->is_diff) {
    cancelled_ = observed_->number;
    observed_.reset();
    want_observation_ = true;
  }
  start_over();
}

/// What the AS kept of its updates does not reach back to what is known here: the full set tells.
void Follower::start_over() {
  ++counters_.started_over;
  cursor_.reset();
  want_ = Want::full;
}

void Follower::learn_full(const Open& open, bool observed, const RevocationAnswer& answer, Instant now) {
  ++counters_.answers;
  std::unordered_set<std::string> listed;
  for (const Bytes& hash : *answer.full_set) listed.insert(key_of(hash));
  const bool has_cursor = answer.cursor && *answer.cursor;
  const bool goes_back = has_cursor && cursor_ && **answer.cursor < *cursor_;
  // A notification can be older than an answer that was got since, and an answer older than a notification that
  // overtook it. Then what is missing from it need not have expired: it is asked again.
  const bool may_be_old = observed ? goes_back || (!has_cursor && cursor_) || !answer.cursor : open.version != version_;
  bool misses_some = false;
  std::vector<Bytes> gone;
  for (const auto& [place, hash] : order_) {
    if (listed.contains(hash)) continue;
    misses_some = true;
    if (!may_be_old) gone.push_back(to_bytes(hash));
  }
  for (const Bytes& hash : gone) remove(hash);
  for (const Bytes& hash : *answer.full_set) add(hash);
  if (observed) ++version_;
  if (may_be_old && misses_some) {
    want_ = Want::full;
    return;
  }
  offers_cursor_ = answer.cursor.has_value();
  if (!may_be_old || !goes_back) cursor_ = has_cursor ? std::optional(**answer.cursor) : std::nullopt;
  full_at_ = now + settings_.full_every;
  heard(now);
}

void Follower::learn_diff(const Open& open, bool observed, const RevocationAnswer& answer, Instant now) {
  ++counters_.answers;
  if (observed) ++version_;
  const std::vector<DiffEntry>& entries = *answer.diff_set;
  if (!answer.cursor) {
    // Updates without an index cannot be told from those that are known.
    without_diff();
    return;
  }
  if (!*answer.cursor) {
    const bool was_empty = answer.more != true && !cursor_ && known_.empty();
    if (was_empty) {
      heard(now);
    } else {
      start_over();
    }
    return;
  }
  const std::uint64_t latest = **answer.cursor;
  const bool more = answer.more == true;
  if (!cursor_) {
    // There was no update before. Fewer than asked for are all that there are.
    if (observed && !more && known_.empty() && entries.size() < settings_.diff_entries) {
      apply(entries, entries.size());
      cursor_ = latest;
      heard(now);
    } else {
      start_over();
    }
    return;
  }
  if (!observed && open.cursor == cursor_) {
    // These follow what is known, whatever their indices: also where those wrapped around.
    apply(entries, entries.size());
    cursor_ = latest;
    if (more) {
      want_ = Want::diff;
    } else {
      heard(now);
    }
    return;
  }
  if (latest == *cursor_) {
    heard(now);
    return;
  }
  if (latest < *cursor_) {
    // Late, or of another life of the AS, or wrapped around.
    if (want_ == Want::nothing) want_ = Want::diff;
    return;
  }
  const std::uint64_t missing = latest - *cursor_;
  if (missing > entries.size()) {
    ++counters_.gaps;
    if (want_ == Want::nothing) want_ = Want::diff;
    return;
  }
  apply(entries, static_cast<std::size_t>(missing));
  cursor_ = latest;
  if (more) {
    want_ = Want::diff;
  } else {
    heard(now);
  }
}

void Follower::apply(const std::vector<DiffEntry>& entries, std::size_t newest) {
  for (std::size_t i = newest; i-- > 0;) {
    for (const Bytes& hash : entries[i].removed) remove(hash);
    for (const Bytes& hash : entries[i].added) add(hash);
  }
}

void Follower::add(const Bytes& hash) {
  std::string key = key_of(hash);
  if (known_.contains(key)) return;
  if (known_.size() >= settings_.max_hashes) {
    ++counters_.forgotten;
    known_.erase(order_.begin()->second);
    order_.erase(order_.begin());
  }
  known_.emplace(key, ++last_place_);
  order_.emplace(last_place_, std::move(key));
  push(Revocation::Kind::revoked, hash);
}

void Follower::remove(const Bytes& hash) {
  const auto found = known_.find(key_of(hash));
  if (found == known_.end()) return;
  order_.erase(found->second);
  known_.erase(found);
  push(Revocation::Kind::expired, hash);
}

void Follower::push(Revocation::Kind kind, Bytes hash) { changes_.push_back({kind, std::move(hash)}); }

std::optional<Revocation> Follower::next() {
  if (changes_.empty()) return std::nullopt;
  Revocation change = std::move(changes_.front());
  changes_.pop_front();
  return change;
}

void Follower::heard(Instant now) {
  delay_ = {};
  current_until_ = now + settings_.stale_after;
  poll_at_ = now + settings_.poll_every;
}

void Follower::back_off(Instant now, FollowerSettings::Duration at_least) {
  delay_ = delay_ == FollowerSettings::Duration{0} ? settings_.retry_min : std::min(2 * delay_, settings_.retry_max);
  const auto wait = std::max(delay_, std::min(at_least, settings_.retry_max));
  const auto half = static_cast<std::uint64_t>(std::max<FollowerSettings::Duration::rep>(wait.count() / 2, 1));
  not_before_ = now + wait + FollowerSettings::Duration(static_cast<std::int64_t>(random_.below(half)));
}

std::optional<Instant> Follower::current_until() const { return current_until_; }

bool Follower::is_revoked(BytesView token_hash) const { return known_.contains(std::string(as_text(token_hash))); }

void Follower::refresh(Instant now) {
  if (!running_ || plain_) return;
  if (want_ == Want::nothing) want_ = poll();
  // A failure is waited out all the same.
  if (delay_ == FollowerSettings::Duration{0}) not_before_ = std::min(not_before_, now);
}

}  // namespace aceward::ace::revocation
