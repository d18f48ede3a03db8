// Follows an authorization server's list of revoked tokens (drafts/ace-revoked-token-notification, RFC 9770).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "aceward/ace/params/revocation.h"
#include "aceward/base/random.h"
#include "aceward/base/time.h"
#include "aceward/coap/layer.h"

namespace aceward::ace::revocation {

struct FollowerSettings {
  using Duration = std::chrono::nanoseconds;

  std::string path = "/revoke/trl";  ///< of the list; the url-path that the AS told at registration (section 10)
  /// So many of the latest updates are asked for in an observed diff query, if the AS offers the "cursor" extension;
  /// no more than its MAX_DIFF_BATCH are worth asking for. 0: the full set is observed.
  std::uint64_t diff_entries = 3;
  /// Nothing heard for so long: the list is read without Observe (section 14.3: never on notifications alone).
  Duration poll_every = std::chrono::minutes(2);
  /// The full set is read at least so often (section 11).
  Duration full_every = std::chrono::hours(6);
  /// After something failed: the next try, doubling, a random part of half of it more.
  Duration retry_min = std::chrono::seconds(2);
  Duration retry_max = std::chrono::minutes(5);
  /// The state counts as current so long after it was heard.
  Duration stale_after = std::chrono::minutes(5);
  /// Hashes that are remembered; of more than these the earliest are forgotten, and told again when seen again.
  std::size_t max_hashes = 10'000;
};

/// A change of the list.
struct Revocation {
  enum class Kind : std::uint8_t {
    revoked,  ///< the token with this hash is to be dropped, and never to be taken again
    expired,  ///< the hash left the list: its token has expired
  };
  Kind kind = Kind::revoked;
  Bytes token_hash;
};

struct FollowerCounters {
  std::uint64_t answers = 0;       ///< from which a state was learnt
  std::uint64_t malformed = 0;     ///< answers that could not be used
  std::uint64_t refused = 0;       ///< error responses
  std::uint64_t unanswered = 0;    ///< requests that got no answer
  std::uint64_t gaps = 0;          ///< updates were missed, and asked for
  std::uint64_t started_over = 0;  ///< the AS did not know the cursor (any more): the full set was read
  std::uint64_t forgotten = 0;     ///< hashes beyond max_hashes
};

/// The follower without any transport: it says what to ask, is told what was answered, and yields what changed. See
/// LayerFollower for one on a coap::Layer.
///
///     Follower follower(settings, random);
///     follower.start(now);
///     while (auto ask = follower.next_ask(now)) ...         // send it; ask->observe: as an observation
///     follower.answered(number, response, is_last, now);    // for each response or notification, in their order
///     follower.failed(number, now);                         // there will be none (any more)
///     while (auto change = follower.next()) store.end_token(change->token_hash);
///     if (!follower.is_current(now)) ...                    // out of date: refuse, if that is the policy
///
/// Conclusions are drawn from well-formed 2.05 answers alone; anything else changes nothing but the time of the next
/// try (section 11). All requests travel over a channel that authenticates the AS and binds answers to requests
/// (section 6): that is the caller's. Not thread-safe.
class Follower {
 public:
  /// A request to be sent. At most one plain request and one observation are open at a time.
  struct Ask {
    std::uint64_t number = 0;  ///< names it in answered() and failed()
    coap::Request request;     ///< GET, Observe 0 included if `observe`
    bool observe = false;
  };

  /// `random` outlives the follower.
  /// Settings that make no sense are brought to the nearest that do.
  Follower(FollowerSettings settings, Random& random);

  /// There is a channel to the AS: asks at once. Also after the channel was lost and made anew: what was open is
  /// forgotten, what is known stays.
  void start(Instant now);
  /// The channel is gone: nothing is asked until start().
  void stop();

  /// nullopt: nothing (more) to ask now.
  std::optional<Ask> next_ask(Instant now);
  /// An observation that the follower no longer wants: to be deregistered by the caller.
  std::optional<std::uint64_t> next_cancelled();
  /// `last`: nothing more will come for this number. Numbers that are not open are ignored.
  void answered(std::uint64_t number, const coap::Response& response, bool last, Instant now);
  void failed(std::uint64_t number, Instant now);
  /// When next_ask has something to say next; nullopt: not before something else happens.
  std::optional<Instant> next_timeout() const;

  /// The next change of the list, in order. Take them all after each answered(). A hash is told as expired only if
  /// nothing says that this is old news: a late notification never takes a revocation back.
  std::optional<Revocation> next();

  /// Until when the state counts as current; nullopt: no state was ever heard. A poll that is due before needs no
  /// doing of the caller but next_ask().
  std::optional<Instant> current_until() const;
  bool is_current(Instant now) const { return current_until_ && now < *current_until_; }
  /// Whether this hash is on the list, as far as was heard and is remembered.
  bool is_revoked(BytesView token_hash) const;
  /// Reads the list at once: before a new token is asked for after a 4.01, say (section 14.4).
  void refresh(Instant now);

  std::size_t size() const { return order_.size(); }
  const FollowerCounters& counters() const { return counters_; }

 private:
  enum class Want : std::uint8_t { nothing, full, diff };
  /// What an open request asked for, and what was known then.
  struct Open {
    std::uint64_t number = 0;
    bool is_diff = false;
    std::optional<std::uint64_t> cursor;
    std::uint64_t version = 0;
  };

  bool can_diff() const { return offers_cursor_ && cursor_.has_value(); }
  bool observes_diff() const { return settings_.diff_entries != 0 && offers_cursor_ && !diff_refused_; }
  bool wants_to_observe() const { return want_observation_ && !observed_ && !plain_ && want_ == Want::nothing; }
  Want poll() const { return can_diff() && settings_.diff_entries != 0 ? Want::diff : Want::full; }
  Ask make_ask(const Open& open, const TrlQuery& query, bool observe) const;
  void refused(const Open& open, bool observed, const coap::Response& response, Instant now);
  void learn_full(const Open& open, bool observed, const RevocationAnswer& answer, Instant now);
  void learn_diff(const Open& open, bool observed, const RevocationAnswer& answer, Instant now);
  /// The `newest` latest entries, the eldest of them first.
  void apply(const std::vector<DiffEntry>& entries, std::size_t newest);
  void start_over();
  void without_diff();
  void add(const Bytes& hash);
  void remove(const Bytes& hash);
  void heard(Instant now);
  void back_off(Instant now, FollowerSettings::Duration at_least = {});
  void push(Revocation::Kind kind, Bytes hash);

  const FollowerSettings settings_;
  Random& random_;
  FollowerCounters counters_;
  bool running_ = false;
  std::uint64_t last_number_ = 0;
  std::optional<Open> plain_;
  std::optional<Open> observed_;
  std::optional<std::uint64_t> cancelled_;
  Want want_ = Want::nothing;  ///< to be asked as a plain request, at not_before_ or later
  bool want_observation_ = false;
  std::optional<std::uint64_t> cursor_;  ///< index of the latest update that is known
  bool offers_cursor_ = false;
  bool diff_refused_ = false;  ///< the AS would not let a diff query be observed
  std::uint64_t version_ = 0;  ///< grows with each notification that was learnt from
  Instant not_before_{};
  Instant observe_after_{};
  Instant poll_at_{};
  Instant full_at_{};
  FollowerSettings::Duration delay_{0};
  std::optional<Instant> current_until_;
  std::uint64_t last_place_ = 0;
  std::unordered_map<std::string, std::uint64_t> known_;  ///< hash -> place in order_
  std::map<std::uint64_t, std::string> order_;            ///< the earliest first
  std::deque<Revocation> changes_;
};

}  // namespace aceward::ace::revocation
