#include "aceward/net/system_random.h"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace aceward::net {

void SystemRandom::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t count = ::getrandom(out.data(), out.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace aceward::net
