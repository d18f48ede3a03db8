#include "aceward/ace/as/request_limits.h"

#include <algorithm>

namespace aceward::ace::as {

RequestRate::Verdict RequestRate::count(std::int64_t client_id, WallTime now) {
  if (limits_.per_client == 0) return {};
  const auto window = std::max(limits_.window, std::chrono::seconds(1));
  if (now < swept_ || now >= swept_ + window) forget_old(now);
  Counter& counter = counters_.try_emplace(client_id, Counter{now, 0}).first->second;
  if (now < counter.since || now >= counter.since + window) counter = {now, 0};
  if (counter.requests < limits_.per_client) {
    ++counter.requests;
    return {};
  }
  const bool is_first = counter.requests == limits_.per_client;
  if (is_first) ++counter.requests;
  return {false, is_first, counter.since + window - now};
}

void RequestRate::forget_old(WallTime now) {
  swept_ = now;
  std::erase_if(counters_, [&](const auto& entry) {
    return now < entry.second.since || now >= entry.second.since + limits_.window;
  });
}

std::optional<std::chrono::seconds> LiveTokens::full_for(std::int64_t client_id, WallTime now) {
  if (per_client_ == 0) return std::nullopt;
  const auto found = ends_.find(client_id);
  if (found == ends_.end()) return std::nullopt;
  Ends& ends = found->second;
  while (!ends.empty() && ends.top() <= now) ends.pop();
  if (ends.empty()) {
    ends_.erase(found);
    return std::nullopt;
  }
  if (ends.size() < per_client_) return std::nullopt;
  return ends.top() - now;
}

void LiveTokens::add(std::int64_t client_id, WallTime expires_at) {
  if (per_client_ != 0) ends_[client_id].push(expires_at);
}

}  // namespace aceward::ace::as
