// The cache of a client (RFC 7252 section 5.6): what was answered once is not asked for again while it is fresh.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "aceward/coap/layer.h"
#include "aceward/coap/observe/target.h"

namespace aceward::coap {

struct CacheLimits {
  std::size_t entries = 1'000;
  /// Octets of keys, option values and payloads together; a response that alone exceeds a quarter is not kept.
  std::size_t octets = 4 * 1024 * 1024;
  /// Error responses may be cached (RFC 7252 section 5.9.2). Off by default, for the reason of an error is often gone
  /// at once: a 4.01 after a token was posted, a 4.04 after a PUT of somebody else.
  bool errors = false;
};

struct CacheCounters {
  std::uint64_t hits = 0;         ///< answered from the cache, without a message
  std::uint64_t misses = 0;       ///< went below with nothing stored for them
  std::uint64_t validations = 0;  ///< went below with an ETag of what is stored
  std::uint64_t validated = 0;    ///< of these, answered with 2.03
  std::uint64_t stored = 0;
  std::uint64_t invalidated = 0;  ///< entries that an unsafe method made not fresh
  std::uint64_t evicted = 0;      ///< entries that made room for others
};

/// A cache for GET and FETCH. Sits above block-wise transfer, below observation.
///
/// A stored response answers a request if Peer and Cache-Key are equal (for FETCH that includes the payload, RFC 8132
/// section 2) and it is no older than its Max-Age (60 s if it has none); Max-Age is then the rest. One that is too old
/// goes below with its ETag added, and a 2.03 makes it fresh again, as long as Peer and Cache-Key are equal: what one
/// security context got is never given to another.
///
/// Passed by: requests with an ETag of the caller's (the answer is stored all the same), with Observe (notifications
/// are stored), with If-Match or If-None-Match, with an option that is unsafe to forward and not known here, or
/// protected already (OSCORE). Stored are 2.05 and, if so set, known error codes; nothing with an unknown unsafe option
/// or Max-Age 0.
///
/// A 2.01, 2.02, 2.04 to another method makes stored responses for its URI not fresh, whatever the query and for all
/// security contexts at that address; Location-Path, too. Answers that were then under way are not stored.
///
/// Ids of requests answered from here have their second highest bit set, which those of a bottom layer never have.
class ResponseCache final : public Layer {
 public:
  explicit ResponseCache(Layer& below, const CacheLimits& limits = {});
  ~ResponseCache() override;
  ResponseCache(const ResponseCache&) = delete;
  ResponseCache& operator=(const ResponseCache&) = delete;

  void clear();
  std::size_t entries() const { return entries_.size(); }
  std::size_t octets() const { return octets_; }
  const CacheCounters& counters() const { return counters_; }

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
  struct Entry;
  struct Pending;
  using Entries = std::list<Entry>;

  void erase(Entries::iterator entry);
  /// Replaces what is stored, by nothing if `response` may not be.
  void store(const Pending& pending, const Response& response, Instant now);
  /// What a 2.03 names, fresh again; nullptr if that is not stored.
  const Response* refresh(const Pending& pending, const Response& valid, Instant now);
  void invalidate(const Bytes& resource);
  /// False if the answer is kept from the layers above.
  bool on_response(ResponseArrived& arrived, Instant now);
  Result<ExchangeId> ask(const Peer& to, Request request, Delivery delivery, Instant now);
  void finish(ExchangeId below);

  Layer& below_;
  const CacheLimits limits_;
  CacheCounters counters_;
  Entries entries_;  // the most recently used first
  std::size_t octets_ = 0;
  std::uint64_t last_id_ = 0;
  std::unordered_map<Target, Entries::iterator, TargetHash> by_target_;
  std::unordered_map<std::uint64_t, Pending> pending_;        // by exchange below
  std::unordered_map<std::uint64_t, std::uint64_t> renamed_;  // id above -> exchange below, where they differ
  std::deque<Event> events_;
  std::optional<Instant> events_since_;
};

}  // namespace aceward::coap
