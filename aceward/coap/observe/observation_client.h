// Observation at the client (RFC 7641 section 3): notifications in order, kept up by registering again.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "aceward/base/random.h"
#include "aceward/coap/layer.h"
#include "aceward/coap/observe/sequence.h"
#include "aceward/coap/observe/target.h"
#include "aceward/coap/reliability/timers.h"

namespace aceward::coap {

struct ObservationSettings {
  using Duration = std::chrono::nanoseconds;

  /// Registers again when Max-Age passed without a notification, after a random time between these two more (RFC 7641
  /// section 3.3.1).
  Duration reregister_after_min = std::chrono::seconds(5);
  Duration reregister_after_max = std::chrono::seconds(15);
  /// A registration that was lost (no answer, reset) once the server had accepted one is tried again after `retry_min`
  /// to `retry_max` doubling, so often in a row; then ExchangeGone comes. 0: never again.
  unsigned retries = 8;
  Duration retry_min = std::chrono::seconds(5);
  Duration retry_max = std::chrono::minutes(10);
  /// Representations with an ETag that are kept to be offered when registering (section 3.3.2), at most so many and of
  /// so many octets together.
  std::size_t candidates = 4;
  std::size_t candidate_octets = 64 * 1024;
  /// Observations at one time, over all peers. Errors: `coap_too_many_requests`.
  std::size_t observations = 1'000;
};

struct ObservationClientCounters {
  std::uint64_t notifications = 0;  ///< delivered, first responses included
  std::uint64_t stale = 0;          ///< dropped: older than what was delivered, or the same
  std::uint64_t validated = 0;      ///< 2.03 notifications turned into what they name
  std::uint64_t reregistered = 0;
  std::uint64_t retried = 0;         ///< of these, after a loss
  std::uint64_t shared = 0;          ///< requests that joined an observation which there was
  std::uint64_t not_observable = 0;  ///< answers without Observe
};

/// How an observation stands.
struct ObservationStatus {
  /// The server has the client on its list, as far as can be known.
  bool established = false;
  /// The latest representation may still be taken for the resource's state (RFC 7641 section 3.3.1).
  bool fresh = false;
  Instant fresh_until;
  std::uint64_t notifications = 0;
};

/// The layer of observations at a client. A GET or FETCH with Observe 0 given to request() becomes an observation; all
/// other requests pass.
///
///     Request request;
///     request.options.add_path("/temperature").set_uint(option::observe, 0);
///     const auto id = client.request(server, request, {}, now);
///     ...
///     while (auto event = client.next_event(now)) ...   // ResponseArrived for each notification, in order
///
/// For an observation there come, under the id that request() returned:
/// - ResponseArrived with final = false for the first response and each notification that is newer than all before, by
///   the rules of section 3.4; repeated and late ones are dropped. A 2.03 that names a representation which was offered
///   by ETag arrives as 2.05 with that representation (not if the ETag was in the caller's own request);
/// - ResponseArrived with final = true if the observation is over: an error, or a response without Observe, by which
///   the server says that it keeps no observers for this;
/// - ExchangeGone when the first registration got no answer, or the server was lost and all retries failed.
///
/// Until then the registration is renewed when Max-Age passes without a notification, and after a loss. A second
/// request for the same target (Peer and Cache-Key) joins the observation that there is: it gets an id of its own and,
/// first, the latest representation (section 3.1: nobody registers twice for one target).
///
/// cancel(id) forgets: the next notification is answered with a Reset (section 3.6). deregister(id, now) tells the
/// server at once, with a request of the same token.
///
/// Ids of observations are minted here; their highest bit is set, which those of a bottom layer never have.
class ObservationClient final : public Layer {
 public:
  /// `below` and `random` (for waiting times) must outlive it.
  ObservationClient(Layer& below, Random& random, const ObservationSettings& settings = {});
  ~ObservationClient() override;
  ObservationClient(const ObservationClient&) = delete;
  ObservationClient& operator=(const ObservationClient&) = delete;

  /// Ends an observation and tells the server (section 3.6). Nothing comes for `id` any more. Unknown ids are ignored;
  /// an id of a plain request is cancelled.
  void deregister(ExchangeId id, Instant now);

  /// nullopt: no observation has this id (any more).
  std::optional<ObservationStatus> status(ExchangeId id, Instant now) const;
  std::size_t observations() const { return streams_.size(); }
  const ObservationClientCounters& counters() const { return counters_; }

  // Layer. request() errors, besides those of the layer below: `coap_too_many_requests`.
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
  struct Stream;
  enum class Timer : std::uint8_t { reregister };
  enum class Token : std::uint8_t { kept, fresh };

  /// Registers (again). Errors: those of the layer below.
  Result<> register_stream(Stream& stream, Token token, Instant now);
  void reregister(Stream& stream, Token token, Instant now);
  void stop_listening(Stream& stream);
  Stream* leave(ExchangeId id);
  void forget(Stream& stream);
  void on_response(Stream& stream, ResponseArrived arrived, Instant now);
  /// A 2.03 becomes what it names; false if nobody has that.
  bool take_validated(Stream& stream, Response& response);
  void keep(Stream& stream, const std::shared_ptr<const Response>& representation);
  void lost(Stream& stream, const Error& why, Instant now);
  void retry_later(Stream& stream, Instant now);
  std::chrono::nanoseconds jitter(std::chrono::nanoseconds below);
  void push(Event event, Instant now);
  void tell(Stream& stream, const Event& event, Instant now);

  Layer& below_;
  Random& random_;
  const ObservationSettings settings_;
  ObservationClientCounters counters_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Stream>> streams_;  // by number
  std::unordered_map<std::uint64_t, std::uint64_t> lower_;              // exchange below -> stream
  std::unordered_map<std::uint64_t, std::uint64_t> members_;            // id above -> stream
  std::unordered_map<Target, std::uint64_t, TargetHash> targets_;
  std::unordered_set<std::uint64_t> farewells_;  // deregistrations under way
  Timers<Timer> timers_;
  std::deque<Event> events_;
  std::optional<Instant> events_since_;
};

}  // namespace aceward::coap
