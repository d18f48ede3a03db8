// The client's side of freshness and overload: Echo (RFC 9175 section 2.3), and waiting where a server asks for it
// (4.29, RFC 8516 section 4; 5.03 with Max-Age, RFC 7252 section 5.9.3.4).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "aceward/coap/layer.h"

namespace aceward::coap {

/// What becomes of a request that is similar to one that a server asked us to wait with.
enum class BackOff : std::uint8_t {
  none,    ///< it is sent
  hold,    ///< it waits, unless its Delivery::timeout would pass before: then `coap_backing_off`
  refuse,  ///< `coap_backing_off` at once
};

struct FreshnessParameters {
  /// How often one request is repeated because a 4.01 had an Echo option; 0: never.
  unsigned echo_repeats = 1;
  /// How long after an Echo value came it is added, unasked, to further requests with unsafe methods to the same peer,
  /// which most likely would be asked for it again. The next request after a value that came with anything but a 4.01
  /// gets it in any case (RFC 9175 section 2.3). Zero: only that one.
  std::chrono::nanoseconds reuse_echo = std::chrono::seconds(30);
  /// How long a value that came unasked is kept for the next request.
  std::chrono::nanoseconds keep_echo = std::chrono::minutes(5);
  BackOff back_off = BackOff::hold;
  /// However long the server says (RFC 8516 section 5: who can forge an answer must not silence us for long).
  std::chrono::seconds longest_back_off = std::chrono::minutes(5);
  /// How long a request without a Delivery::timeout is held at most; it then still has its full time for the answer.
  std::chrono::nanoseconds hold_at_most = std::chrono::minutes(4);
};

struct FreshnessLimits {
  std::size_t requests = 10'000;   ///< open at once that can be repeated; others get the 4.01 as it is
  std::size_t octets = 4 << 20;    ///< of options and payloads that are kept to repeat or are held
  std::size_t echo_peers = 1'024;  ///< peers whose Echo value is kept; the one used longest ago goes
  std::size_t back_offs = 1'024;   ///< kinds of requests to wait with; the one that ends first goes
  std::size_t held = 1'024;        ///< requests that wait; one more is refused
};

/// Monotonic.
struct FreshnessCounters {
  std::uint64_t repeated = 0;        ///< requests sent again with an Echo value
  std::uint64_t echoed_unasked = 0;  ///< requests that had one from the start
  std::uint64_t given_up = 0;        ///< 4.01 with Echo that were handed up
  std::uint64_t backed_off = 0;      ///< answers that ask us to wait
  std::uint64_t held = 0;
  std::uint64_t refused = 0;   ///< `coap_backing_off`
  std::uint64_t not_kept = 0;  ///< requests beyond the limits, which cannot be repeated
};

/// Sits directly on the message layer of a client (or above OSCORE, for inner Echo). To the layer above, a request
/// keeps its ExchangeId through a repetition; the 4.01 that asked for it is not seen. Requests that arrive from peers,
/// and what answers them, pass through untouched.
///
/// An Echo value goes to no other Peer than the one it came from (RFC 9175 section 2.3), which includes the session. A
/// request that has an Echo option already keeps it, until it is repeated.
///
/// A request is similar to another if peer, method, and the options that make up the URI are the same (RFC 8516
/// section 1). It needs a copy of each open request; the memory of finished ones is used again, so that traffic of a
/// steady kind allocates nothing. Ids of requests that were held have bit 61 set, which the message layer's never have.
class Freshness final : public Layer {
 public:
  /// `below` must outlive the layer.
  explicit Freshness(Layer& below, const FreshnessParameters& parameters = {}, const FreshnessLimits& limits = {});

  /// Until when a request like this one would wait; nullopt: it would not.
  std::optional<Instant> backing_off_until(const Peer& to, const Request& request, Instant now) const;
  /// The session or address is lost: nothing that it said is kept. Held requests to it end with `reason`.
  void peer_gone(const Peer& peer, Error reason);

  // Layer. request() errors: `coap_backing_off`, and those of the layer below. A held request that cannot be sent when
  // its time has come ends with ExchangeGone and the error of the layer below.
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

  const FreshnessCounters& counters() const { return counters_; }
  struct Occupancy {
    std::size_t requests = 0;
    std::size_t octets = 0;
    std::size_t echo_peers = 0;
    std::size_t back_offs = 0;
    std::size_t held = 0;
  };
  Occupancy occupancy() const;

 private:
  // A request of ours that is open.
  struct Open {
    ExchangeId upper;
    Peer to;
    Request request;  // only if `repeatable`
    Delivery delivery;
    Instant started;
    std::uint64_t similarity = 0;
    std::size_t octets = 0;
    unsigned repeats_left = 0;
    bool repeatable = false;
  };
  struct Held {
    ExchangeId id;
    Peer to;
    Request request;
    Delivery delivery;
    Instant started;
    Instant until;
    std::size_t octets = 0;
  };
  struct Echo {
    Peer peer;
    Bytes value;
    Instant received;
    bool owed = false;  // to the next request
  };
  struct BackOffEntry {
    Peer peer;
    std::uint64_t similarity = 0;
    Instant until;
  };
  using OpenTable = std::unordered_map<std::uint64_t, Open>;

  Result<ExchangeId> send(const Peer& to, Request request, Delivery delivery, Instant now, ExchangeId upper,
                          std::uint64_t similarity);
  Result<ExchangeId> hold(const Peer& to, Request request, Delivery delivery, Instant until, Instant now);
  void add_echo(const Peer& to, Request& request, Instant now);
  void learn_echo(const Peer& peer, BytesView value, bool owed, Instant now);
  void learn_back_off(const Open& open, const Response& response, Instant now);
  const BackOffEntry* find_back_off(const Peer& to, std::uint64_t similarity, Instant now) const;
  /// How long a request may be held, from `started`.
  Instant patience(Delivery delivery, Instant started) const;
  /// The event to hand up; nullopt if the request was repeated instead.
  std::optional<Event> on_response(ResponseArrived arrived, Instant now);
  bool repeat(OpenTable::iterator entry, BytesView echo, Instant now);
  void close(OpenTable::iterator entry);
  void release_due(Instant now);

  Layer& below_;
  const FreshnessParameters parameters_;
  const FreshnessLimits limits_;
  OpenTable open_;                                             // by the id below
  std::vector<OpenTable::node_type> spare_;                    // their memory, for the next
  std::unordered_map<std::uint64_t, std::uint64_t> below_of_;  // upper to lower, where they differ
  std::list<Echo> echoes_;                                     // the one used last comes first
  std::unordered_map<Peer, std::list<Echo>::iterator> echo_of_;
  std::vector<BackOffEntry> back_offs_;
  std::vector<Held> held_;
  std::deque<Event> events_;
  std::size_t octets_ = 0;
  std::uint64_t minted_ = 0;
  FreshnessCounters counters_;
};

}  // namespace aceward::coap
