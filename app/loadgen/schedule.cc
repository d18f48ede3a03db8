#include "app/loadgen/schedule.h"

#include <algorithm>
#include <cmath>

namespace aceward::app {

namespace {

constexpr std::int64_t message_ids = 65'536;

std::chrono::nanoseconds lifetime(bool confirmable, const coap::Parameters& parameters) {
  return confirmable ? parameters.exchange_lifetime() : parameters.non_lifetime();
}

}  // namespace

unsigned most_requests_per_second(bool confirmable, const coap::Parameters& parameters) {
  const double seconds = std::chrono::duration<double>(lifetime(confirmable, parameters)).count();
  return static_cast<unsigned>(static_cast<double>(message_ids) / seconds);
}

std::chrono::nanoseconds least_spacing(bool confirmable, const coap::Parameters& parameters) {
  // Rounded up: Message ID n comes again 65536 spacings later.
  return std::chrono::nanoseconds((lifetime(confirmable, parameters).count() + message_ids - 1) / message_ids);
}

std::size_t endpoints_needed(double rate, bool confirmable, const coap::Parameters& parameters) {
  const double each = most_requests_per_second(confirmable, parameters);
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(rate / each)));
}

Schedule::Schedule(Instant start, double rate, std::uint64_t burst)
    : start_(start), interval_(1e9 / rate), burst_(burst) {}

Instant Schedule::intended(std::uint64_t number) const {
  const std::uint64_t first_of_burst = number - number % burst_;
  return start_ + std::chrono::nanoseconds(std::llround(static_cast<double>(first_of_burst) * interval_));
}

}  // namespace aceward::app
