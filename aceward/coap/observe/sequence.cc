#include "aceward/coap/observe/sequence.h"

#include <algorithm>

namespace aceward::coap {

namespace {

// RFC 7641 section 4.4: no more than 2^23 numbers within less than 256 seconds. Any such time touches two windows, and
// the clock adds 256,000.
constexpr auto number_window = std::chrono::seconds(256);
constexpr std::uint32_t numbers_per_window = observe_modulus / 8;
// RFC 7641 section 3.4.
constexpr auto order_void_after = std::chrono::seconds(128);

}  // namespace

std::optional<std::uint32_t> ObserveNumbers::next(Instant now, NumberUse use) {
  if (!window_ || now >= *window_ + number_window) {
    window_ = now;
    in_window_ = 0;
    registrations_ = 0;
  }
  if (in_window_ == numbers_per_window) return std::nullopt;
  if (use == NumberUse::registration && registrations_ == numbers_per_window / 2) return std::nullopt;
  ++in_window_;
  if (use == NumberUse::registration) ++registrations_;
  const auto time = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  sequence_ = std::max(sequence_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0)));
  return current();
}

Instant ObserveNumbers::free_at() const { return window_ ? *window_ + number_window : Instant{}; }

bool NotificationOrder::accept(std::uint64_t order, Instant now) {
  bool later = true;
  if (last_ && key_ == Key::increasing) {
    later = order > last_->order;
  } else if (last_) {
    later = is_later_observe(static_cast<std::uint32_t>(last_->order % observe_modulus),
                             static_cast<std::uint32_t>(order % observe_modulus)) ||
            now > last_->at + order_void_after;
  }
  if (later) last_ = {order, now};
  return later;
}

}  // namespace aceward::coap
