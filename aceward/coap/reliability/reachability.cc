#include "aceward/coap/reliability/reachability.h"

#include <algorithm>

#include "aceward/base/secret.h"

namespace aceward::coap {

namespace {

std::uint64_t slot_number(Instant at) { return static_cast<std::uint64_t>(at.time_since_epoch() / Reachability::slot); }

}  // namespace

Reachability::Reachability(std::size_t capacity, Random& random)
    : mac_key_{random.next_u64(), random.next_u64()},
      capacity_(std::max<std::size_t>(capacity, 1)),
      since_(0, Hash{{random.next_u64(), random.next_u64()}}) {}

Reachability::Value Reachability::value_of(const Address& remote, std::uint64_t number) const {
  SipHash mac(mac_key_);
  mac.add(remote);
  mac.add(number);
  const auto tag = mac.finish();
  Value value;
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<std::uint8_t>(tag >> (8 * i));
  return value;
}

Reachability::Value Reachability::mint(const Address& remote, Instant now) const {
  return value_of(remote, slot_number(now));
}

bool Reachability::verify(const Address& remote, BytesView echo, Instant now) const {
  if (echo.size() != Value{}.size()) return false;
  const auto number = slot_number(now);
  const bool this_slot = equal_constant_time(echo, value_of(remote, number));
  const bool slot_before = equal_constant_time(echo, value_of(remote, number - 1));
  return this_slot || slot_before;
}

bool Reachability::admit(const Address& remote, Instant now) {
  if (const auto found = since_.find(remote); found != since_.end()) {
    const bool news = found->second + known_for <= now;
    found->second = now;
    return news;
  }
  if (ring_.size() < capacity_) {
    ring_.push_back(remote);
  } else {
    since_.erase(ring_[next_]);
    ring_[next_] = remote;
    next_ = (next_ + 1) % capacity_;
  }
  since_.emplace(remote, now);
  return true;
}

bool Reachability::known(const Address& remote, Instant now) const {
  if (since_.empty()) return false;
  const auto found = since_.find(remote);
  return found != since_.end() && now < found->second + known_for;
}

}  // namespace aceward::coap
