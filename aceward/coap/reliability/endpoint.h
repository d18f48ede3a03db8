// The message layer of RFC 7252 (section 4) with request and response matching (section 5.3), client and server in one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "aceward/base/random.h"
#include "aceward/coap/layer.h"
#include "aceward/coap/message/message.h"
#include "aceward/coap/message/option_check.h"
#include "aceward/coap/reliability/parameters.h"

namespace aceward::coap {

struct Outgoing {
  Peer to;
  Bytes datagram;
};

/// What happened, since the start. Monotonic.
struct Counters {
  std::uint64_t received = 0;  ///< datagrams given to receive()
  std::uint64_t sent = 0;      ///< datagrams queued, retransmissions included
  std::uint64_t retransmitted = 0;
  std::uint64_t ignored = 0;          ///< not CoAP, unknown version, or malformed and not confirmable
  std::uint64_t rejected = 0;         ///< answered with a Reset
  std::uint64_t duplicates = 0;       ///< requests and responses seen before
  std::uint64_t unmatched = 0;        ///< acknowledgements, resets and responses that answer nothing
  std::uint64_t bad_options = 0;      ///< messages refused for a critical option
  std::uint64_t too_large = 0;        ///< datagrams beyond Limits::datagram_size, either way
  std::uint64_t timed_out = 0;        ///< exchanges that ended for lack of an answer or acknowledgement
  std::uint64_t late_answers = 0;     ///< responses of ours to exchanges that were gone
  std::uint64_t forgotten_early = 0;  ///< requests dropped from memory to make room
  std::uint64_t refused_peers = 0;    ///< each refused_*: a limit was reached
  std::uint64_t refused_remembering = 0;
  std::uint64_t refused_requests = 0;  ///< of ours, by request()
  std::uint64_t refused_answers = 0;   ///< requests of peers, dropped
  std::uint64_t refused_events = 0;
  std::uint64_t refused_datagrams = 0;
  std::uint64_t refused_message_ids = 0;  ///< all 65536 in use with one peer
};

/// How much an endpoint holds now.
struct Occupancy {
  std::size_t peers = 0;
  std::size_t remembered = 0;
  std::size_t requests = 0;
  std::size_t answers = 0;
  std::size_t events = 0;
  std::size_t datagrams = 0;
};

/// The bottom layer over datagrams.
///
/// A peer is known by its Peer value alone: an exchange of a DTLS session is never matched by a plain datagram or by
/// another session. One latitude: a request to a Peer without `local` may be answered at any address of ours; its
/// ResponseArrived names the Peer that the request was sent to. Message IDs start at a random value for each peer and
/// are not reused within EXCHANGE_LIFETIME; tokens are 8 random octets.
///
/// A repeated message is recognized by peer and Message ID for EXCHANGE_LIFETIME (CON) or NON_LIFETIME (NON), and gets
/// the stored answer. The memory for this is bounded, for each peer and overall: when it is full, the oldest answered
/// request that was a GET or FETCH, or was refused with a 4.xx, is forgotten early, which RFC 7252 section 4.5 allows
/// since acting on it again does no harm. When the memory of all peers is full of others, those go that are older than
/// MAX_TRANSMIT_SPAN, since a flood from invented addresses must not shut honest peers out. If nothing can be
/// forgotten, a new request is dropped as if the network had lost it.
///
/// A datagram beyond Limits::datagram_size is never acted on: a request gets 4.13 with Size1 naming a payload that
/// would have fit (RFC 7252 section 5.9.2.9), a response is rejected and ends its exchange.
class Endpoint final : public Layer {
 public:
  /// `random` must outlive the endpoint.
  Endpoint(const Parameters& parameters, const Limits& limits, Random& random);
  ~Endpoint() override;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  /// The critical options that layers above process; to be set before traffic. The defaults are
  /// KnownOptions::in_requests() and KnownOptions::in_responses(). With Proxy-Uri or Proxy-Scheme not among them, a
  /// request that has one gets 5.05 (RFC 7252 section 5.10.2).
  void set_known_options(KnownOptions in_requests, KnownOptions in_responses);

  /// One datagram as it came, without any security around it.
  void receive(const Peer& from, BytesView datagram, Instant now);
  /// The next datagram to send, in order; nullopt when there is none.
  std::optional<Outgoing> next_datagram();

  /// The session (or the address) is lost: its exchanges end with `reason`, its memory is dropped.
  void peer_gone(const Peer& peer, Error reason, Instant now);

  // Layer. request() errors: `coap_message_too_large`, `coap_too_many_requests`, `coap_too_many_peers`,
  // `coap_message_ids_exhausted`. ExchangeGone reasons: `coap_not_acknowledged`, `coap_not_answered`,
  // `coap_reset_by_peer`, `coap_response_bad_option`, `coap_response_too_large`, `coap_answer_overdue`, or that of
  // peer_gone. A response that does not fit a datagram is replaced by a bare 5.00.
  Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant now) override;
  void respond(ExchangeId id, Response response, Delivery hint, Instant now) override;
  void cancel(ExchangeId id) override;
  std::optional<Event> next_event(Instant now) override;
  std::optional<Instant> next_timeout() const override;
  void on_timeout(Instant now) override;

  const Counters& counters() const;
  Occupancy occupancy() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aceward::coap
