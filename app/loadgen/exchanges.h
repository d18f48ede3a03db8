// One request under way an endpoint: what is sent, sent again, and what the responses are checked for.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "aceward/base/random.h"
#include "aceward/coap/layer.h"
#include "aceward/coap/message/message.h"
#include "aceward/coap/reliability/parameters.h"

namespace aceward::app {

struct ExchangeSettings {
  coap::Request request;
  bool confirmable = true;
  coap::Code expected{2, 5};
  /// Without one, that of the first response with the expected code is the measure of all others.
  std::optional<Bytes> expected_payload{};
  coap::Parameters parameters{};
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  ///< then a request is given up
};

/// What came of the datagrams. `answered` are those that were as expected; each request ends in one of the first five.
struct ExchangeCounts {
  std::uint64_t sent = 0;  ///< requests, without repetitions
  std::uint64_t answered = 0;
  std::uint64_t wrong_code = 0;     ///< another code than expected
  std::uint64_t wrong_payload = 0;  ///< another payload
  std::uint64_t resets = 0;
  std::uint64_t timeouts = 0;  ///< given up
  std::uint64_t retransmitted = 0;
  std::uint64_t wrong_token = 0;       ///< responses to nothing that the endpoint has under way
  std::uint64_t wrong_message_id = 0;  ///< the right token in an acknowledgement of another message
  std::uint64_t malformed = 0;
  std::uint64_t duplicates = 0;  ///< responses to the request before
};

/// The message layer of a load generator, for all endpoints, without any socket. Not coap::Endpoint: one request an
/// endpoint (NSTART 1, RFC 7252 section 4.7) needs neither queues nor maps, and what is compared here is how others
/// behave. Endpoints take turns, so that each stays as far from the Message IDs' reuse as possible.
class Exchanges {
 public:
  /// `random` outlives this.
  Exchanges(ExchangeSettings settings, std::size_t endpoints, Random& random);

  /// When the endpoint whose turn it is may send; nothing while all have a request under way or are retired.
  std::optional<Instant> next_free() const;
  /// Takes that endpoint; call only with next_free() not after now. `counted`: its latency is of interest. `intended`:
  /// when it was meant to leave.
  std::size_t start(Instant intended, Instant now, bool counted);
  /// The request that the endpoint has under way, until the next call of this.
  BytesView datagram(std::size_t endpoint);

  /// What a response finished.
  struct Finished {
    std::chrono::nanoseconds latency;  ///< since the request was meant to leave
    bool counted;
  };
  struct Received {
    std::optional<Finished> finished;
    BytesView reply;  ///< to be sent to the server: an acknowledgement or a reset; until the next receive()
  };
  /// A datagram of the server's to that endpoint.
  Received receive(std::size_t endpoint, BytesView datagram, Instant now);

  /// Gives up what is overdue, and calls `resend` for what is to be sent again. Takes time in proportion to the number
  /// of endpoints: call it every 20 ms or so.
  void on_timeout(Instant now, const std::function<void(std::size_t)>& resend);

  /// The endpoint is lost: what it has under way counts as timed out.
  void retire(std::size_t endpoint);

  std::size_t in_flight() const { return in_flight_; }
  std::size_t usable() const { return endpoints_.size() - retired_; }
  const ExchangeCounts& counts() const { return counts_; }
  /// The first code that was not the expected one.
  std::optional<coap::Code> unexpected_code() const { return unexpected_code_; }

 private:
  static constexpr std::size_t token_size = 8;
  using TokenOctets = std::array<std::uint8_t, token_size>;
  struct Endpoint {
    TokenOctets token{};
    TokenOctets token_before{};
    std::uint16_t message_id = 0;
    bool busy = false;
    bool retired = false;
    bool acknowledged = false;
    bool counted = false;
    std::uint8_t retransmissions = 0;
    Instant intended{};
    Instant next_free{};
    Instant repeat_at{};
    std::chrono::nanoseconds wait{};
    Instant give_up_at{};
  };

  void finish(std::size_t endpoint);
  void push_free(std::size_t endpoint);
  void check(BytesView datagram, coap::Code code, std::size_t tail);

  ExchangeSettings settings_;
  std::chrono::nanoseconds spacing_;
  Random& random_;
  std::vector<Endpoint> endpoints_;
  /// A ring: the one that sent longest ago is first.
  std::vector<std::uint32_t> free_;
  std::size_t first_free_ = 0;
  std::size_t free_count_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t retired_ = 0;
  Bytes datagram_;
  std::array<std::uint8_t, 4> reply_{};
  /// What followed the token in a response that was as expected: the quick way for the next ones.
  Bytes good_tail_;
  ExchangeCounts counts_;
  std::optional<coap::Code> unexpected_code_;
};

}  // namespace aceward::app
