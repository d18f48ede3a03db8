// GnuTLS reads the time by itself; this hands it the `now` that the caller handed to us.
#pragma once

#include "aceward/base/time.h"

namespace aceward::tls::detail {

/// While it lives, GnuTLS on this thread sees `now`. Every entry point that calls GnuTLS makes one, so handshakes run
/// on the caller's clock and repeat under a manual one. Scopes nest.
class ClockScope {
 public:
  explicit ClockScope(Instant now);
  ClockScope(const ClockScope&) = delete;
  ClockScope& operator=(const ClockScope&) = delete;
  ~ClockScope();

 private:
  const Instant* outer_;
  Instant now_;
};

/// While it lives, GnuTLS on this thread sees this civil time: for the dates of certificates.
class CivilTimeScope {
 public:
  explicit CivilTimeScope(WallTime at);
  CivilTimeScope(const CivilTimeScope&) = delete;
  CivilTimeScope& operator=(const CivilTimeScope&) = delete;
  ~CivilTimeScope();

 private:
  const WallTime* outer_;
  WallTime at_;
};

/// Whether this GnuTLS has the hook. Without it timers follow the operating system's clock: correct on a real network,
/// not repeatable in tests.
bool clock_is_injected();

}  // namespace aceward::tls::detail
