// Time for a resource server that cannot rely on its clock.
#pragma once

#include "aceward/base/time.h"

namespace aceward::ace::rs {

/// Tells a "civil" time that is none: it begins somewhere, grows as monotonic time does, and is never stepped. What is
/// counted by it, exi for instance, lasts as long as it should, whatever is done to the real clock.
class SteadyClock final : public Clock {
 public:
  /// `clock` outlives this one.
  explicit SteadyClock(const Clock& clock) : clock_(clock), began_(clock.now()) {}
  Instant now() const override { return clock_.now(); }
  WallTime wall() const override {
    return WallTime(std::chrono::days(1)) + std::chrono::floor<std::chrono::seconds>(clock_.now() - began_);
  }

 private:
  const Clock& clock_;
  Instant began_;
};

}  // namespace aceward::ace::rs
