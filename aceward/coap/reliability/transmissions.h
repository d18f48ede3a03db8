// The messages that we sent and that an Acknowledgement or a Reset may still concern.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "aceward/base/bytes.h"
#include "aceward/base/random.h"
#include "aceward/base/time.h"
#include "aceward/coap/layer.h"
#include "aceward/coap/reliability/message_ids.h"
#include "aceward/coap/reliability/parameters.h"

namespace aceward::coap {

/// One message in flight. For a non-confirmable one only the exchange matters: a Reset ends it.
struct Transmission {
  ExchangeId exchange;
  bool confirmable = false;
  Bytes datagram;  ///< kept for retransmission; empty if non-confirmable
  Instant first;
  std::chrono::nanoseconds timeout{0};
  unsigned retransmissions = 0;
  std::size_t octets = 0;  ///< sent, all attempts together
};

/// The retransmission rules of RFC 7252 section 4.2.
class Transmissions {
 public:
  Transmissions(const Parameters& parameters, Random& random) : parameters_(parameters), random_(random) {}

  /// Records a confirmable message as sent at `now`; returns when it is due again.
  Instant start_confirmable(const MessageKey& key, ExchangeId exchange, Bytes datagram, Instant now);
  void start_non_confirmable(const MessageKey& key, ExchangeId exchange, Instant now);

  void insert(const MessageKey& key, Transmission transmission) {
    sent_.insert_or_assign(key, std::move(transmission));
  }
  Transmission* find(const MessageKey& key);
  /// A non-confirmable message stays until its exchange sends another, so its Message ID may have gone to another
  /// exchange meanwhile, whose record is left alone.
  void erase(const MessageKey& key, ExchangeId of) {
    const auto found = sent_.find(key);
    if (found != sent_.end() && found->second.exchange == of) sent_.erase(found);
  }

  /// The timeout passed. The time when it is due again, if the message is to be retransmitted now; nullopt if the
  /// attempts are used up, or if another one would leave MAX_TRANSMIT_SPAN (a timer that fired late).
  std::optional<Instant> retransmit(Transmission& transmission, Instant now) const;

  std::size_t size() const { return sent_.size(); }

 private:
  const Parameters& parameters_;
  Random& random_;
  std::unordered_map<MessageKey, Transmission, MessageKeyHash> sent_;
};

}  // namespace aceward::coap
