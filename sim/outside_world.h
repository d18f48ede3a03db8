// What libraries reach for by themselves, time and randomness, made a function of a seed.
#pragma once

#include <cstdint>

#include "aceward/base/random.h"
#include "aceward/base/time.h"

namespace aceward::sim {

/// While it lives, on this thread: clock_gettime, gettimeofday and time tell `clock`, and getrandom, getentropy and
/// OpenSSL's generator draw from a SeededRandom. Elsewhere they are the operating system's. A program that links this
/// file has these functions replaced for itself and for its shared libraries.
///
/// GnuTLS keeps a generator for each thread and never starts it anew: a run that is to repeat needs a thread of its
/// own. Scopes do not nest.
class OutsideWorld {
 public:
  /// `clock` outlives it.
  OutsideWorld(const Clock& clock, std::uint64_t seed);
  ~OutsideWorld();
  OutsideWorld(const OutsideWorld&) = delete;
  OutsideWorld& operator=(const OutsideWorld&) = delete;

 private:
  friend struct OutsideFunctions;
  const Clock& clock_;
  SeededRandom random_;
};

/// Nanoseconds of the operating system's monotonic clock, also inside an OutsideWorld: for progress and durations.
std::uint64_t real_nanoseconds();

}  // namespace aceward::sim
