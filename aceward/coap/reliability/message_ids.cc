#include "aceward/coap/reliability/message_ids.h"

namespace aceward::coap {

void MessageIds::expire(Instant now) {
  auto first = recent_.begin();
  for (; first != recent_.end() && first->last + lifetime_ <= now; ++first) held_ -= first->count;
  recent_.erase(recent_.begin(), first);  // a second at a time, of at most EXCHANGE_LIFETIME / 1 s
}

Instant MessageIds::available_at(Instant now) {
  if (available(now)) return now;
  return recent_.front().last + lifetime_;
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

SharedMessageIds::SharedMessageIds(Random& random, std::chrono::nanoseconds lifetime)
    : key_{random.next_u64(), random.next_u64()}, lifetime_(lifetime) {}

std::uint64_t SharedMessageIds::hash_of(const Address& remote) const {
  SipHash hash(key_);
  hash.add(remote);
  return hash.finish();
}

MessageIds& SharedMessageIds::row_of(std::uint64_t hash) {
  return used_.try_emplace(hash % rows, std::uint16_t{0}, lifetime_).first->second;
}

std::optional<std::uint16_t> SharedMessageIds::take(const Address& remote, Instant now) {
  const auto hash = hash_of(remote);
  const auto id = row_of(hash).take(now);
  if (!id) return std::nullopt;
  return static_cast<std::uint16_t>(*id + (hash >> 48));
}

Instant SharedMessageIds::available_at(const Address& remote, Instant now) {
  return row_of(hash_of(remote)).available_at(now);
}

bool SharedMessageIds::available(const Address& remote, Instant now) { return row_of(hash_of(remote)).available(now); }

}  // namespace aceward::coap
