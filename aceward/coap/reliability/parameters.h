// The transmission parameters of RFC 7252 section 4.8, and the limits of an endpoint.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace aceward::coap {

/// RFC 7252 table 2, with the derived times of section 4.8.2 as functions.
struct Parameters {
  using Duration = std::chrono::nanoseconds;

  Duration ack_timeout = std::chrono::seconds(2);
  double ack_random_factor = 1.5;  ///< not below 1.0
  unsigned max_retransmit = 4;     ///< at most 10
  unsigned nstart = 1;             ///< outstanding interactions with one peer, either way (section 4.7)
  Duration max_latency = std::chrono::seconds(100);
  /// Octets a second that may go to a peer that does not answer (section 4.7). A request of n octets that is
  /// non-confirmable, given up before it was acknowledged, or acknowledged but not answered keeps its place among the
  /// NSTART for n seconds, counted from its transmission and divided by this rate: the next request to the peer leaves
  /// no sooner. Two exceptions: to a peer that answered a request within EXCHANGE_LIFETIME the next may go as soon as
  /// a first retransmission would (ACK_TIMEOUT * ACK_RANDOM_FACTOR), or at the acknowledgement; and nothing that was
  /// never acknowledged is waited for longer than MAX_TRANSMIT_WAIT. Not 0.
  unsigned probing_rate = 1;

  /// How long a confirmable request waits for its piggybacked response before an empty acknowledgement leaves. Well
  /// below ACK_TIMEOUT less a round trip, so that the client does not retransmit; long enough for a database commit
  /// and a signature, because a separate response costs two datagrams more.
  Duration acknowledge_after = std::chrono::milliseconds(250);
  /// After how many retransmissions of a request without any answer Endpoint::next_stalled() tells of it; 0: never.
  unsigned stalled_after = 2;
  /// How long the handler of a request may take before the exchange is given up; zero takes EXCHANGE_LIFETIME.
  Duration answer_within{0};

  Duration first_timeout() const;      ///< at most 3 s: ACK_TIMEOUT * ACK_RANDOM_FACTOR
  Duration max_transmit_span() const;  ///< 45 s
  Duration max_transmit_wait() const;  ///< 93 s
  Duration processing_delay() const { return ack_timeout; }
  Duration max_rtt() const { return 2 * max_latency + processing_delay(); }       ///< 202 s
  Duration exchange_lifetime() const { return max_transmit_span() + max_rtt(); }  ///< 247 s
  Duration non_lifetime() const { return max_transmit_span() + max_latency; }     ///< 145 s
};

/// What strangers may make an endpoint hold. Each refusal is counted (Counters). The worst case of memory is about
/// `remembered * (datagram_size + 200)` octets for each transport; with addresses that prove nothing half of it.
struct Limits {
  /// Octets of a datagram, received or sent. RFC 7252 section 4.6 suggests messages of 1152; the margin carries DTLS or
  /// OSCORE overhead and still fits the IPv6 minimum MTU of 1280.
  std::size_t datagram_size = 1232;
  std::size_t options = 64;    ///< in one message
  std::size_t peers = 20'000;  ///< for each transport
  /// Received message IDs remembered for one peer, and for all peers of one transport together.
  std::size_t remembered_per_peer = 1'000;
  std::size_t remembered = 50'000;
  std::size_t requests_per_peer = 64;  ///< requests of ours without an answer, queued ones included
  std::size_t requests = 10'000;       ///< the same over all peers
  std::size_t answers_per_peer = 64;   ///< requests of a peer that we still owe an answer, observations included
  std::size_t answers = 10'000;        ///< the same over all peers of one transport
  /// Octets of CoAP that an answer may have to an address that was not yet shown to be reachable (RFC 9175 section 2.4
  /// item 3); what is longer is answered with Echo. 0: addresses are never asked to prove themselves.
  std::size_t unverified_answer = 136;
  std::size_t verified_addresses = 16'384;  ///< addresses shown to be reachable that are remembered; the oldest goes
  std::size_t token = 64;                   ///< octets of a token in a request; a longer one gets 4.00 (RFC 8974)
  std::size_t events = 4'096;               ///< requests waiting to be pulled
  std::size_t datagrams = 4'096;            ///< waiting to be sent; one more is dropped as the network would
};

}  // namespace aceward::coap
