// How much work and how many tokens one client gets.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "aceward/base/time.h"

namespace aceward::ace::as {

struct RequestLimits {
  std::chrono::seconds window{10};
  std::uint32_t per_client = 20;  ///< token requests in a window; 0: no limit
};

/// Counts the token requests of each client in windows of civil time. Holds one counter for each client that asked
/// lately: no more than are registered. A step of the clock starts every window anew.
class RequestRate {
 public:
  explicit RequestRate(RequestLimits limits) : limits_(limits) {}

  struct Verdict {
    bool allowed = true;
    bool is_first_refusal = false;        ///< of its window, so that a flood does not flood the log
    std::chrono::seconds retry_after{0};  ///< 1 s or more where it is not allowed
  };
  Verdict count(std::int64_t client_id, WallTime now);

 private:
  struct Counter {
    WallTime since;
    std::uint32_t requests = 0;
  };
  void forget_old(WallTime now);

  RequestLimits limits_;
  std::unordered_map<std::int64_t, Counter> counters_;
  WallTime swept_{};
};

/// How many tokens of each client live, among those that this process has issued: what bounds the growth of the ledger.
/// A revoked token counts until it would have expired. After a restart the count begins at nothing, so that a client
/// can hold that many more; the rate of its requests bounds it all the same.
class LiveTokens {
 public:
  /// 0: no limit.
  explicit LiveTokens(std::size_t per_client) : per_client_(per_client) {}

  /// Nothing where the client may have one more; else the time until one of them ends, 1 s or more.
  std::optional<std::chrono::seconds> full_for(std::int64_t client_id, WallTime now);
  void add(std::int64_t client_id, WallTime expires_at);

 private:
  using Ends = std::priority_queue<WallTime, std::vector<WallTime>, std::greater<>>;

  std::size_t per_client_;
  std::unordered_map<std::int64_t, Ends> ends_;
};

}  // namespace aceward::ace::as
