#include "sim/outside_world.h"

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <mutex>

#include "aceward/tls/gnutls_clock.h"

namespace aceward::sim {
namespace {

constinit thread_local OutsideWorld* current = nullptr;

timespec to_timespec(std::chrono::nanoseconds since) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return {static_cast<std::time_t>(seconds.count()), static_cast<long>((since - seconds).count())};
}

}  // namespace

struct OutsideFunctions {
  static bool simulated() { return current != nullptr; }

  static timespec tell(clockid_t which) {
    if (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE) {
      return to_timespec(current->clock_.wall().time_since_epoch());
    }
    return to_timespec(current->clock_.now().time_since_epoch());
  }
  static void draw(void* out, std::size_t size) { current->random_.fill({static_cast<std::uint8_t*>(out), size}); }

  static int openssl_bytes(unsigned char* out, int size) {
    if (!simulated()) return RAND_OpenSSL()->bytes(out, size);
    draw(out, static_cast<std::size_t>(size));
    return 1;
  }
  static int openssl_status() { return 1; }

  static void install() {
    static constexpr RAND_METHOD method = {nullptr, &openssl_bytes, nullptr, nullptr, &openssl_bytes, &openssl_status};
    static std::once_flag once;
    std::call_once(once, [] {
      RAND_set_rand_method(&method);
      // From its first use on, GnuTLS asks tls/ for the time instead of the system; the first run must find that too.
      const tls::detail::ClockScope installs_the_hook{Instant{}};
    });
  }
};

OutsideWorld::OutsideWorld(const Clock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {
  OutsideFunctions::install();
  current = this;
}

OutsideWorld::~OutsideWorld() { current = nullptr; }

std::uint64_t real_nanoseconds() {
  timespec now{};
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace aceward::sim

// The system's functions, replaced. Outside a simulation they do what they always did.
extern "C" {

using aceward::sim::OutsideFunctions;

int clock_gettime(clockid_t which, timespec* out) noexcept {
  const bool a_clock = which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE || which == CLOCK_MONOTONIC ||
                       which == CLOCK_MONOTONIC_RAW || which == CLOCK_MONOTONIC_COARSE || which == CLOCK_BOOTTIME;
  if (!a_clock || !OutsideFunctions::simulated()) return static_cast<int>(syscall(SYS_clock_gettime, which, out));
  *out = OutsideFunctions::tell(which);
  return 0;
}

int gettimeofday(timeval* out, void* /*zone*/) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

ssize_t getrandom(void* out, size_t size, unsigned flags) {
  if (!OutsideFunctions::simulated()) return syscall(SYS_getrandom, out, size, flags);
  OutsideFunctions::draw(out, size);
  return static_cast<ssize_t>(size);
}

int getentropy(void* out, size_t size) {
  if (size > 256) {
    errno = EIO;
    return -1;
  }
  return getrandom(out, size, 0) == static_cast<ssize_t>(size) ? 0 : -1;
}
}
