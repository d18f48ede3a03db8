// A book of requests that forgets everything at the end: for tests, the fuzzer and the simulator.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/request_book.h"

namespace aceward::ace::as {

class MemoryRequestBook final : public RequestBook {
 public:
  std::vector<AccessRequest> entries;  ///< in the order in which they were first kept
  std::optional<Error> find_error;     ///< what find fails with
  std::optional<Error> keep_error;     ///< what keeping fails with
  bool forgets = false;                ///< the completion of keep is destroyed uncalled
  bool waits = false;                  ///< completions wait for `complete_next`
  std::size_t kept = 0;                ///< calls of keep

  Result<std::optional<AccessRequest>> find(std::int64_t client_id, std::int64_t server_id, BytesView scope,
                                            WallTime now) override {
    if (find_error) return std::unexpected(*find_error);
    const AccessRequest* entry = entry_of(client_id, server_id, scope, now);
    return entry == nullptr ? std::nullopt : std::optional(*entry);
  }

  void keep(AccessRequest request, RequestBookLimits limits, Kept done) override {
    ++kept;
    if (forgets) return;
    auto outcome = take(std::move(request), limits);
    if (waits) {
      waiting_.emplace_back(std::move(outcome), std::move(done));
    } else {
      done(std::move(outcome));
    }
  }

  bool complete_next() {
    if (waiting_.empty()) return false;
    auto [outcome, done] = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    done(std::move(outcome));
    return true;
  }

 private:
  AccessRequest* entry_of(std::int64_t client_id, std::int64_t server_id, BytesView scope, WallTime now) {
    for (AccessRequest& entry : entries)
      if (entry.client_id == client_id && entry.server_id == server_id && equal(entry.scope, scope) &&
          now < entry.expires_at)
        return &entry;
    return nullptr;
  }

  Result<RequestNumber> take(AccessRequest request, const RequestBookLimits& limits) {
    if (keep_error) return std::unexpected(*keep_error);
    const WallTime now = request.last_asked;
    if (AccessRequest* entry = entry_of(request.client_id, request.server_id, request.scope, now)) {
      ++entry->times;
      entry->last_asked = now;
      entry->expires_at = std::max(entry->expires_at, request.expires_at);
      return entry->number;
    }
    std::erase_if(entries, [now](const AccessRequest& entry) { return entry.expires_at <= now; });
    const auto of_client = std::ranges::count(entries, request.client_id, &AccessRequest::client_id);
    if (entries.size() >= limits.in_all || static_cast<std::size_t>(of_client) >= limits.per_client)
      return fail(reason::requests_full);
    request.number = RequestNumber(++last_number_);
    entries.push_back(std::move(request));
    return entries.back().number;
  }

  std::int64_t last_number_ = 0;
  std::vector<std::pair<Result<RequestNumber>, Kept>> waiting_;
};

}  // namespace aceward::ace::as
