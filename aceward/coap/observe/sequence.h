// The order of notifications: numbers at the server (RFC 7641 section 4.4), comparison at the client (section 3.4).
#pragma once

#include <cstdint>
#include <optional>

#include "aceward/base/time.h"

namespace aceward::coap {

/// Values of the Observe option in a response wrap around here.
inline constexpr std::uint32_t observe_modulus = 1U << 24;

/// True if `next` comes after `last` in 24-bit serial number arithmetic. Two values 2^23 apart have no order.
constexpr bool is_later_observe(std::uint32_t last, std::uint32_t next) {
  const auto ahead = (next - last) % observe_modulus;
  return ahead != 0 && ahead < observe_modulus / 2;
}

/// What a number is taken for. Registrations, which anybody can send, get no more than half of what may be taken within
/// 256 seconds: they keep no notification waiting.
enum class NumberUse : std::uint8_t { notification, registration };

/// The sequence numbers of one resource: strictly increasing modulo 2^24, by no more than 2^23 within 256 seconds. They
/// follow the time in milliseconds, so that those of a server that restarted come after those of before, as long as the
/// clock goes on and no resource took more than a thousand a second.
class ObserveNumbers {
 public:
  explicit ObserveNumbers(std::uint64_t first = 0) : sequence_(first) {}

  /// The number of the current state.
  std::uint32_t current() const { return static_cast<std::uint32_t>(sequence_ % observe_modulus); }
  /// The same before its upper bits were cut off.
  std::uint64_t sequence() const { return sequence_; }
  /// Takes the next number. nullopt: too many were taken within 256 seconds; free_at() says when to ask again.
  std::optional<std::uint32_t> next(Instant now, NumberUse use = NumberUse::notification);
  Instant free_at() const;

 private:
  std::uint64_t sequence_;
  std::uint32_t in_window_ = 0;
  std::uint32_t registrations_ = 0;  // of these
  std::optional<Instant> window_;
};

/// Which notification of one observation is the freshest so far.
class NotificationOrder {
 public:
  enum class Key : std::uint8_t {
    observe,     ///< Observe values: 24 bits that wrap, void after 128 seconds
    increasing,  ///< numbers that only grow (OSCORE's Partial IV)
  };
  explicit NotificationOrder(Key key = Key::observe) : key_(key) {}

  /// True if this one was sent more recently than all that were accepted, and is now the freshest. Equal ones are not.
  bool accept(std::uint64_t order, Instant now);
  /// Whatever comes next is the freshest.
  void restart() { last_.reset(); }

 private:
  struct Last {
    std::uint64_t order;
    Instant at;
  };
  Key key_;
  std::optional<Last> last_;
};

}  // namespace aceward::coap
