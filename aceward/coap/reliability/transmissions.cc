#include "aceward/coap/reliability/transmissions.h"

#include <utility>

namespace aceward::coap {

Instant Transmissions::start_confirmable(const MessageKey& key, ExchangeId exchange, Bytes datagram, Instant now) {
  // Uniform between ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR.
  const auto spread = static_cast<std::uint64_t>(static_cast<double>(parameters_.ack_timeout.count()) *
                                                 (parameters_.ack_random_factor - 1.0));
  Transmission transmission;
  transmission.exchange = exchange;
  transmission.confirmable = true;
  transmission.octets = datagram.size();
  transmission.datagram = std::move(datagram);
  transmission.first = now;
  transmission.timeout = parameters_.ack_timeout + std::chrono::nanoseconds(random_.below(spread + 1));
  const auto due = now + transmission.timeout;
  sent_.insert_or_assign(key, std::move(transmission));
  return due;
}

void Transmissions::start_non_confirmable(const MessageKey& key, ExchangeId exchange, Instant now) {
  Transmission transmission;
  transmission.exchange = exchange;
  transmission.first = now;
  sent_.insert_or_assign(key, std::move(transmission));
}

Transmission* Transmissions::find(const MessageKey& key) {
  const auto found = sent_.find(key);
  return found == sent_.end() ? nullptr : &found->second;
}

std::optional<Instant> Transmissions::retransmit(Transmission& transmission, Instant now) const {
  if (transmission.retransmissions >= parameters_.max_retransmit) return std::nullopt;
  if (now > transmission.first + parameters_.max_transmit_span()) return std::nullopt;
  ++transmission.retransmissions;
  transmission.timeout *= 2;
  return now + transmission.timeout;
}

}  // namespace aceward::coap
