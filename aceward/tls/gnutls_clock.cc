#include "aceward/tls/gnutls_clock.h"

#include <gnutls/gnutls.h>

#include <ctime>
#include <mutex>

// GnuTLS exports this for its own tests, in the symbol version GNUTLS_PRIVATE_3_4; the public
// gnutls_global_set_time_function does not reach the timers of DTLS. Weak: a GnuTLS without it still links.
extern "C" {
using aceward_gettime_function = void (*)(struct timespec*);
[[gnu::weak]] void _gnutls_global_set_gettime_function(aceward_gettime_function function);
}

namespace aceward::tls::detail {
namespace {

thread_local const Instant* scoped_now = nullptr;
thread_local const WallTime* scoped_wall = nullptr;

// Outside any scope (another user of GnuTLS in the process) the time stays the operating system's.
void tell_time(struct timespec* out) {
  const auto since = (scoped_now != nullptr ? *scoped_now : SystemClock().now()).time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  out->tv_sec = static_cast<std::time_t>(seconds.count());
  out->tv_nsec = static_cast<long>((since - seconds).count());
}

// Outside any scope it is the operating system's, because GnuTLS compares some of these times with what it asks of that
// itself.
std::time_t tell_civil_time(std::time_t* out) {
  const WallTime at = scoped_wall != nullptr ? *scoped_wall : SystemClock().wall();
  const auto seconds = static_cast<std::time_t>(at.time_since_epoch().count());
  if (out != nullptr) *out = seconds;
  return seconds;
}

void install_clock() {
  static std::once_flag once;
  std::call_once(once, [] {
    gnutls_global_set_time_function(&tell_civil_time);
    if (clock_is_injected()) _gnutls_global_set_gettime_function(&tell_time);
  });
}

}  // namespace

bool clock_is_injected() { return &_gnutls_global_set_gettime_function != nullptr; }

ClockScope::ClockScope(Instant now) : outer_(scoped_now), now_(now) {
  install_clock();
  scoped_now = &now_;
}

ClockScope::~ClockScope() { scoped_now = outer_; }

CivilTimeScope::CivilTimeScope(WallTime at) : outer_(scoped_wall), at_(at) {
  install_clock();
  scoped_wall = &at_;
}

CivilTimeScope::~CivilTimeScope() { scoped_wall = outer_; }

}  // namespace aceward::tls::detail
