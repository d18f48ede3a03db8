// Observation at the server (RFC 7641 section 4): who observes which resource, and when each is told.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "aceward/base/random.h"
#include "aceward/coap/layer.h"
#include "aceward/coap/observe/sequence.h"
#include "aceward/coap/observe/target.h"
#include "aceward/coap/reliability/timers.h"
#include "aceward/coap/resource/router.h"

namespace aceward::coap {

/// How the observers of one resource are served.
struct ObservableSettings {
  using Duration = std::chrono::nanoseconds;

  /// How notifications travel; automatic: as the registration came. Non-confirmable ones are mixed with confirmable
  /// ones as the next three say.
  Reliability notifications = Reliability::automatic;
  /// After so many non-confirmable notifications to one observer the next is confirmable (RFC 7641 section 7). 0 is
  /// taken as 1.
  unsigned non_confirmable_run = 10;
  /// A notification is confirmable if the last confirmable one is longer ago; at most 24 hours (section 4.5).
  Duration confirmable_after = std::chrono::hours(1);
  /// A non-confirmable notification that none followed for so long (and up to a quarter more) is repeated as a
  /// confirmable one with the state of then, so that everybody learns the latest state in the end (section 4.5).
  Duration settled_after = std::chrono::seconds(30);
  /// Between two notifications to one observer; states in between are skipped.
  Duration at_least_apart{0};
  /// Max-Age, in seconds, for representations that come without one (section 4.3.1).
  std::uint32_t max_age = 60;
  /// The unchanged state is sent again so long before Max-Age ends (section 4.3.1, MAY); nullopt: it is not.
  std::optional<Duration> refresh_before;
};

/// What strangers may make the table hold. A registration beyond is answered as a plain GET, without Observe.
struct ObservationLimits {
  using Duration = std::chrono::nanoseconds;

  std::size_t per_resource = 1'000;
  /// Of one peer. Stay below Limits::answers_per_peer of the endpoint, in which observations count.
  std::size_t per_peer = 16;
  std::size_t overall = 5'000;
  /// Octets of payload and option values of a registration, which are kept to ask the resource again.
  std::size_t request_size = 1'024;
  /// Between two non-confirmable notifications to one peer, whatever it observes. The message layer lets them wait as
  /// section 4.5.1 says, by the round-trip time or 3 seconds; more here spares resources the asking in between.
  Duration non_confirmable_apart{0};
  /// How long a resource may take to answer for a notification; the observation ends with 5.03 then.
  Duration answer_within = std::chrono::seconds(247);
};

struct ObservationCounters {
  std::uint64_t registered = 0;  ///< new entries
  std::uint64_t replaced = 0;    ///< entries renewed by the same peer
  std::uint64_t deregistered = 0;
  std::uint64_t refused = 0;            ///< registrations beyond a limit
  std::uint64_t notified = 0;           ///< notifications given to the layer below, first responses not counted
  std::uint64_t confirmable = 0;        ///< how many of these were confirmable
  std::uint64_t skipped = 0;            ///< states that an observer was not told because a newer one came
  std::uint64_t lost = 0;               ///< observers that reset, timed out, or whose session ended
  std::uint64_t ended_by_error = 0;     ///< observations that an error response ended
  std::uint64_t format_changed = 0;     ///< observations ended with 4.06
  std::uint64_t answered_too_late = 0;  ///< observations ended with 5.03
};

/// One observer, as notify() shows it. Borrowed for the call.
struct Observer {
  ExchangeId id;
  const Peer& peer;
  const Request& request;
};

/// The layer of observations, between the layer below and the router:
///
///     coap::Observations observations(endpoint, random);
///     coap::Router router(observations);
///     router.add("/temperature", sensor);             // answers GET; knows nothing of observers
///     observations.allow("/temperature");
///     ...
///     observations.changed("/temperature", now);      // each observer is told, as soon as its turn comes
///
/// For each observer that is to be told, the registration's request comes up again as a RequestArrived with the same
/// ExchangeId, and the response to it goes out as the notification. So whatever stands above (access control, the
/// router, a handler that answers later) acts on each notification as it did on the request: an answer of 4.xx or 5.xx
/// ends the observation, and a resource that is gone tells so by its 4.04. Put this layer below access control and
/// above block-wise transfer.
///
/// Observe and Max-Age are set here. Requests for paths that were not allowed, and methods other than GET and FETCH,
/// pass untouched. An entry is known by its Peer and the Cache-Key of its request: a new registration with the same
/// replaces the old one.
///
/// An observer is told of the latest state, not of every state. One is asked for and sent at a time; what changes
/// meanwhile is one more notification later. How many notifications are in flight to one peer (NSTART), repeating them,
/// their pace, and noticing a Reset is the business of the message layer.
class Observations final : public Layer {
 public:
  /// `below` and `random` (to spread what would otherwise be due for all observers at once) must outlive it.
  Observations(Layer& below, Random& random, const ObservationLimits& limits = {});
  ~Observations() override;
  Observations(const Observations&) = delete;
  Observations& operator=(const Observations&) = delete;

  /// Makes a resource observable, or changes its settings for what comes.
  void allow(Path path, const ObservableSettings& settings = {});
  void allow(std::string_view path, const ObservableSettings& settings = {}) { allow(path_of(path), settings); }
  /// Ends all observations of a resource with an error code (RFC 7641 section 4.2); it is observable no more.
  void close(const Path& path, Instant now, Code code = code::not_found);

  /// The state of the resource changed: all its observers are to be told. Cheap where there are none.
  void changed(const Path& path, Instant now);
  void changed(std::string_view path, Instant now) { changed(path_of(path), now); }
  /// Only those whose request (its query, say) is concerned.
  using Concerns = std::function<bool(const Request&)>;
  void changed(const Path& path, Instant now, const Concerns& concerns);
  /// Only those observers that are concerned, by who they are too.
  using ConcernsObserver = std::function<bool(const Observer&)>;
  void changed_for(const Path& path, Instant now, const ConcernsObserver& concerns);

  /// Instead of asking the resource: `make` answers for each observer, now or when its turn comes, until the next
  /// changed() or notify() of this path. What it captures must live as long. For access control it can refuse with
  /// 4.01 or 4.03, which ends that observation.
  using MakeResponse = std::function<Response(const Observer&)>;
  void notify(const Path& path, MakeResponse make, Instant now);

  /// Ends the observations that are concerned, of whatever resource, with an error code: their right to it has ended,
  /// say, though nothing has changed. What the resource still answers for them goes nowhere.
  void end(const ConcernsObserver& concerns, Instant now, Code code);

  std::size_t observers(const Path& path) const;
  std::size_t observers() const { return entries_.size(); }
  const ObservationCounters& counters() const { return counters_; }

  // Layer
  Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant now) override;
  void respond(ExchangeId id, Response response, Delivery hint, Instant now) override;
  void cancel(ExchangeId id) override;
  std::optional<Event> next_event(Instant now) override;
  std::optional<Instant> next_timeout() const override;
  void on_timeout(Instant now) override;
  Response spare_response() override { return below_.spare_response(); }
  void give_back(Options&& options, Bytes&& payload) override {
    below_.give_back(std::move(options), std::move(payload));
  }

 private:
  struct Observed;
  struct Entry;
  /// What one peer holds, over all resources.
  struct Share {
    std::size_t entries = 0;
    Instant next_non_confirmable{};
  };
  enum class Timer : std::uint8_t {
    turn,     ///< an entry that waits may be told
    settle,   ///< the last notification is to be confirmed
    refresh,  ///< Max-Age is about to end
    overdue,  ///< the resource has not answered
  };
  enum class End : std::uint8_t { silently, with_cancel };

  Observed* find_observed(const Request& request);
  void arrive(RequestArrived& arrived, Instant now);
  bool has_room(const Observed& observed, const RequestArrived& arrived) const;
  void remove(ExchangeId id, End end);
  void mark(Entry& entry, Instant now);
  /// Lets an entry that waits be asked for as soon as its pace allows.
  void schedule(Entry& entry, Instant now);
  std::optional<Event> ask_next(Instant now);
  bool next_is_confirmable(const Entry& entry, Instant now) const;
  void send(Entry& entry, Response response, Delivery hint, Instant now);
  void fail(ExchangeId id, Code code, Instant now);

  Layer& below_;
  Random& random_;
  const ObservationLimits limits_;
  ObservationCounters counters_;
  std::map<Path, std::unique_ptr<Observed>> observed_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Entry>> entries_;
  std::unordered_map<Target, std::uint64_t, TargetHash> targets_;
  std::unordered_map<Peer, Share> shares_;
  std::unordered_set<std::uint64_t> without_;  // asked with Observe, answered without
  std::deque<std::uint64_t> ready_;            // to be asked for now
  std::optional<Instant> ready_since_;
  bool asked_last_ = false;
  Timers<Timer> timers_;
};

}  // namespace aceward::coap
