// Civil time for deleting what has been over for long, which must not be done on the word of a clock that has jumped.
#pragma once

#include <chrono>
#include <optional>

#include "aceward/base/time.h"

namespace aceward::app {

/// Follows the clock while it moves as time does, and when it is set back. A jump ahead by more than an hour is
/// followed only when the clock has stayed there for a day: until then it counts on from where the clock was, so that a
/// clock that is set right again has cost nothing. What the clock says at the first call is believed. Not thread-safe.
class PatientTime {
 public:
  WallTime at(Instant now, WallTime wall) {
    if (!since_) follow(now, wall);
    const WallTime expected = from_ + std::chrono::floor<std::chrono::seconds>(now - *since_);
    if (wall <= expected + std::chrono::hours(1)) return follow(now, wall);
    if (!jumped_) jumped_ = now;
    return now - *jumped_ < std::chrono::hours(24) ? expected : follow(now, wall);
  }

 private:
  WallTime follow(Instant now, WallTime wall) {
    since_ = now;
    from_ = wall;
    jumped_.reset();
    return wall;
  }

  std::optional<Instant> since_;  ///< when the clock was believed last
  WallTime from_;
  std::optional<Instant> jumped_;
};

}  // namespace aceward::app
