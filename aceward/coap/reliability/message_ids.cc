#include "aceward/coap/reliability/message_ids.h"

namespace aceward::coap {

void MessageIds::expire(Instant now) {
  while (!recent_.empty() && recent_.front().last + lifetime_ <= now) {
    held_ -= recent_.front().count;
    recent_.pop_front();
  }
}

bool MessageIds::available(Instant now) {
  expire(now);
  return held_ <= UINT16_MAX;
}

std::optional<std::uint16_t> MessageIds::take(Instant now) {
  if (!available(now)) return std::nullopt;
  // A record covers one second of the clock and expires with its last use.
  const auto second = [](Instant at) { return std::chrono::floor<std::chrono::seconds>(at); };
  if (!recent_.empty() && second(recent_.back().last) == second(now)) {
    recent_.back().last = now;
    ++recent_.back().count;
  } else {
    recent_.push_back({now, 1});
  }
  ++held_;
  return next_++;
}

std::optional<Instant> MessageIds::free_at(Instant now) {
  expire(now);
  if (recent_.empty()) return std::nullopt;
  return recent_.back().last + lifetime_;
}

}  // namespace aceward::coap
