// The two kinds of time, and the port that tells them. Protocol code is handed the time; only base/, net/ and sim/
// read a clock (architecture, contract 1).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace aceward {

/// Monotonic time: for timeouts and ages. Its origin means nothing. A type of its own, so that nothing else than a
/// Clock makes one by accident.
struct Monotonic {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic, duration>;
  static constexpr bool is_steady = true;
};
using Instant = Monotonic::time_point;

/// The earlier of two times, of which either may not be there.
constexpr std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  if (!a || !b) return a ? a : b;
  return *b < *a ? b : a;
}

/// Civil time, UTC, in whole seconds since 1970: for the claims `exp`, `nbf` and `iat`. May jump.
using WallTime = std::chrono::sys_seconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

/// The operating system's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  Instant now() const override;
  WallTime wall() const override;
  /// Civil time as finely as the system has it: for captures that are compared with those of other programs.
  std::chrono::sys_time<std::chrono::nanoseconds> precise_wall() const;
};

/// A clock that a test moves. Not thread-safe.
class ManualClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  WallTime wall() const override { return wall_; }
  /// Moves both clocks, as time does.
  void advance(std::chrono::nanoseconds by) {
    now_ += by;
    fraction_ += by;
    const auto whole = std::chrono::floor<std::chrono::seconds>(fraction_);
    wall_ += whole;
    fraction_ -= whole;
  }
  /// Steps civil time alone, as an administrator or NTP does.
  void set_wall(WallTime wall) { wall_ = wall; }

 private:
  Instant now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::seconds(1'700'000'000)};
  std::chrono::nanoseconds fraction_{0};
};

}  // namespace aceward
