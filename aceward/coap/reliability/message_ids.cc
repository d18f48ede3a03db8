#include "aceward/coap/reliability/message_ids.h"

#include <bit>

namespace aceward::coap {

namespace {

/// SipHash-2-4 (Aumasson and Bernstein, 2012): who sees IDs for addresses of their choice learns nothing of the key.
class SipHash {
 public:
  explicit SipHash(const std::array<std::uint64_t, 2>& key)
      : v_{key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU, key[0] ^ 0x6c7967656e657261U,
           key[1] ^ 0x7465646279746573U} {}

  void add(std::uint64_t word) {
    v_[3] ^= word;
    mix(2);
    v_[0] ^= word;
  }
  std::uint64_t finish() {
    v_[2] ^= 0xff;
    mix(4);
    return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }

 private:
  void mix(int times) {
    while (times-- > 0) {
      v_[0] += v_[1];
      v_[2] += v_[3];
      v_[1] = std::rotl(v_[1], 13) ^ v_[0];
      v_[3] = std::rotl(v_[3], 16) ^ v_[2];
      v_[0] = std::rotl(v_[0], 32);
      v_[2] += v_[1];
      v_[0] += v_[3];
      v_[1] = std::rotl(v_[1], 17) ^ v_[2];
      v_[3] = std::rotl(v_[3], 21) ^ v_[0];
      v_[2] = std::rotl(v_[2], 32);
    }
  }
  std::array<std::uint64_t, 4> v_;
};

}  // namespace

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

SharedMessageIds::SharedMessageIds(Random& random, std::chrono::nanoseconds lifetime)
    : key_{random.next_u64(), random.next_u64()}, lifetime_(lifetime) {}

std::uint64_t SharedMessageIds::hash_of(const Address& remote) const {
  SipHash hash(key_);
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) word = word << 8 | remote.ip[8 * half + i];
    hash.add(word);
  }
  hash.add(std::uint64_t{remote.scope} << 16 | remote.port);
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

bool SharedMessageIds::available(const Address& remote, Instant now) { return row_of(hash_of(remote)).available(now); }

}  // namespace aceward::coap
