#include "aceward/coap/reliability/parameters.h"

namespace aceward::coap {

namespace {

Parameters::Duration scaled(Parameters::Duration duration, double factor) {
  return std::chrono::duration_cast<Parameters::Duration>(
      std::chrono::duration<double, std::nano>(static_cast<double>(duration.count()) * factor));
}

}  // namespace

Parameters::Duration Parameters::first_timeout() const { return scaled(ack_timeout, ack_random_factor); }

Parameters::Duration Parameters::max_transmit_span() const {
  return scaled(ack_timeout, static_cast<double>((1U << max_retransmit) - 1) * ack_random_factor);
}

Parameters::Duration Parameters::max_transmit_wait() const {
  return scaled(ack_timeout, static_cast<double>((2U << max_retransmit) - 1) * ack_random_factor);
}

}  // namespace aceward::coap
