// When requests are meant to leave, and how many the standard allows.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "aceward/base/time.h"
#include "aceward/coap/reliability/parameters.h"

namespace aceward::app {

/// Requests a second that one endpoint may send to one server: 65536 Message IDs, none of them used again within
/// EXCHANGE_LIFETIME (RFC 7252 section 4.4), or NON_LIFETIME. 265 and 451 with the default parameters.
unsigned most_requests_per_second(bool confirmable, const coap::Parameters& parameters = {});
/// How far apart the requests of one endpoint must then be.
std::chrono::nanoseconds least_spacing(bool confirmable, const coap::Parameters& parameters = {});
/// The fewest endpoints that may send `rate` requests a second together.
std::size_t endpoints_needed(double rate, bool confirmable, const coap::Parameters& parameters = {});

/// An open loop: request number i is meant to leave at a fixed time, whatever became of those before. In groups of
/// `burst` that leave together, the same number a second.
class Schedule {
 public:
  /// `rate` is more than 0, `burst` at least 1.
  Schedule(Instant start, double rate, std::uint64_t burst = 1);

  Instant intended(std::uint64_t number) const;

 private:
  Instant start_;
  double interval_;  ///< nanoseconds
  std::uint64_t burst_;
};

}  // namespace aceward::app
