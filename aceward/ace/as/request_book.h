// Requests for access that no rule decides, waiting for the owner of the resource server: the port that the token
// endpoint uses and a store implements (store/sqlite).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/base/strong.h"
#include "aceward/base/time.h"

namespace aceward::ace::as {

using RequestNumber = Strong<struct RequestNumberTag, std::int64_t>;  ///< monotonic, never used again; 0: none

enum class RequestState : std::uint8_t { waiting = 1, denied = 2 };

/// One client's wish for one scope at one server. An approved one is gone: it became a policy rule.
struct AccessRequest {
  RequestNumber number;        ///< 0 until stored
  std::int64_t client_id = 0;  ///< ClientRecord::id
  std::int64_t server_id = 0;  ///< ServerRecord::id
  std::string client;          ///< names, for the lists
  std::string server;
  Bytes scope;  ///< CBOR: the text or byte string asked for; empty: none was named
  RequestState state = RequestState::waiting;
  std::uint64_t times = 1;  ///< how often it was asked
  WallTime first_asked;
  WallTime last_asked;
  WallTime expires_at;  ///< it is forgotten then: a waiting one that nobody decided, a denial that may be asked anew
};

/// What strangers to the owner can make it hold.
struct RequestBookLimits {
  std::size_t in_all = 1000;
  std::size_t per_client = 10;
};

/// Thread rules: as Ledger.
class RequestBook {
 public:
  using Kept = std::move_only_function<void(Result<RequestNumber>)>;

  virtual ~RequestBook() = default;

  /// The entry for exactly this client, server and scope that has not expired at `now`; nothing where there is none.
  virtual Result<std::optional<AccessRequest>> find(std::int64_t client_id, std::int64_t server_id, BytesView scope,
                                                    WallTime now) = 0;

  /// Keeps it, or counts up the entry that is there. `done` runs when that is durable. Errors: `store_unavailable`,
  /// `requests_full` (RequestBookLimits; expired entries make way first).
  virtual void keep(AccessRequest request, RequestBookLimits limits, Kept done) = 0;
};

}  // namespace aceward::ace::as
