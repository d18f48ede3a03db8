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

/// A confirmable request that was retransmitted Parameters::stalled_after times without any answer; it goes on.
struct Stalled {
  Peer peer;
  ExchangeId id;
  unsigned retransmissions = 0;
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
  std::uint64_t challenged = 0;       ///< answers of 4.01 with Echo to addresses not known to be reachable
  std::uint64_t verified = 0;         ///< addresses that echoed what they were sent
  std::uint64_t bad_echo = 0;         ///< Echo options of unknown addresses that are not ours, or too old
  std::uint64_t shortened = 0;        ///< answers cut down to what an unknown address may get
  std::uint64_t held_back = 0;        ///< notifications that had to wait for their turn
  std::uint64_t refused_busy = 0;     ///< requests answered with 4.29
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
  std::size_t stalled = 0;  ///< waiting for next_stalled()
};

/// The bottom layer over datagrams.
///
/// A peer is known by its Peer value alone: an exchange of a DTLS session is never matched by a plain datagram or by
/// another session. One latitude: a request to a Peer without `local` may be answered at any address of ours; its
/// ResponseArrived names the Peer that the request was sent to. Tokens are 8 random octets. Message IDs start at a
/// random value for each peer and are not reused within EXCHANGE_LIFETIME: a request that finds none free waits.
///
/// A repeated request is recognized by peer and Message ID for EXCHANGE_LIFETIME (CON) or NON_LIFETIME (NON), and gets
/// the stored answer, as far as RFC 7252 section 4.5 asks for it:
/// - GET and FETCH that are answered before the next event is pulled leave nothing behind, and may be handed up again;
/// - PUT and DELETE are remembered while there is room;
/// - every other method, and whatever has an OSCORE or Block1 option, is remembered or refused. When one peer alone
///   reached its bound it gets 4.29 with Max-Age; when the memory of all is full, the request is dropped as if the
///   network had lost it. What was refused with a 4.xx needs no such care and makes room.
///
/// An address that sends plain datagrams is unknown until it sends back an Echo option of ours (RFC 9175 section 2.4
/// item 3; the option is consumed). To an unknown address go at most Limits::unverified_answer octets for one request:
/// a larger answer becomes 4.01 with Echo if the method is safe, else it is cut down; a separate answer is repeated
/// only within that bound; notifications are confirmable until one is acknowledged. When more than half of what may be
/// held is held, what would have to be remembered from an unknown address is answered with 4.01 and Echo at once; when
/// it is the requests that are owed an answer, so is what was not answered before the next event was pulled.
///
/// Confirmable answers and requests of ours share the NSTART places of a peer; non-confirmable notifications to it
/// leave a round-trip time apart, or three seconds where that is not known (RFC 7641 section 4.5.1). What has to wait
/// is replaced by a newer notification of its exchange (section 4.5.2). A request that was given up before it was
/// answered keeps its place for as long as Parameters::probing_rate says.
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

  /// A request of ours that does not get through, in order of occurrence; nullopt when there is none, or none that is
  /// still without an answer.
  std::optional<Stalled> next_stalled();

  /// Takes back the memory of a datagram that was sent.
  void recycle(Bytes&& datagram);
  using Layer::recycle;
  Response spare_response() override;
  void give_back(Options&& options, Bytes&& payload) override;

  /// Another Limits::unverified_answer for requests that came to `local`, a listener's address as it is bound: an
  /// unspecified IP address stands for all of that port. 0 switches it off there.
  void set_unverified_answer(const Address& local, std::size_t octets);

  /// The session (or the address) is lost: its exchanges end with `reason`, its memory is dropped.
  void peer_gone(const Peer& peer, Error reason, Instant now);

  // Layer. request() errors: `coap_message_too_large`, `coap_too_many_requests`, `coap_too_many_peers`. ExchangeGone
  // reasons: `coap_not_acknowledged`, `coap_not_answered`, `coap_reset_by_peer`, `coap_response_bad_option`,
  // `coap_response_too_large`, `coap_answer_overdue`, `coap_too_many_answers`, or that of peer_gone. A response that
  // does not fit a datagram is replaced by a bare 5.00.
  Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant now) override;
  void respond(ExchangeId id, Response response, Delivery hint, Instant now) override;
  void cancel(ExchangeId id) override;
  std::optional<Event> next_event(Instant now) override;
  std::optional<Instant> next_timeout() const override;
  void on_timeout(Instant now) override;

  /// Asks whether somebody is there: an empty confirmable message, which a CoAP endpoint answers with a Reset (RFC 7252
  /// section 4.3, "CoAP ping"). It travels as a request does, NSTART and retransmission included. ExchangeGone follows:
  /// with `coap_reset_by_peer` if it was answered, else with `coap_not_acknowledged`, or with `coap_not_answered` if
  /// `timeout` (zero: EXCHANGE_LIFETIME) was over first. Errors: those of request().
  Result<ExchangeId> ping(const Peer& to, std::chrono::nanoseconds timeout, Instant now);

  const Counters& counters() const;
  Occupancy occupancy() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aceward::coap
