// The inside of Endpoint. Split over endpoint.cc (peers, datagrams, timers), endpoint_client.cc (requests of ours) and
// endpoint_server.cc (requests of peers). Not for inclusion elsewhere.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "aceward/coap/reliability/deduplication.h"
#include "aceward/coap/reliability/endpoint.h"
#include "aceward/coap/reliability/message_ids.h"
#include "aceward/coap/reliability/timers.h"
#include "aceward/coap/reliability/transmissions.h"

namespace aceward::coap {

struct Endpoint::State {
  State(const Parameters& parameters_in, const Limits& limits_in, Random& random_in);

  enum class Timer : std::uint8_t { retransmit, acknowledge, probe, deadline };

  struct PeerState {
    Peer peer;
    std::optional<MessageIds> ids;     // of a session; all other peers share `shared_ids`
    std::set<std::uint64_t> requests;  // ours, open
    std::set<std::uint64_t> answers;   // theirs, open
    std::deque<std::uint64_t> queue;   // our requests that wait for one of the NSTART places
    unsigned outstanding = 0;
    bool resting = false;  // listed in resting_
  };

  // A request of ours.
  struct Sent {
    PeerNumber peer = 0;
    Token token;
    bool confirmable = true;
    bool observes = false;     // Observe with value 0
    bool outstanding = false;  // holds one of the NSTART places
    bool in_flight = false;    // sent, and listed in transmissions
    bool transmitted = false;
    std::uint16_t message_id = 0;
    Bytes datagram;  // until transmitted; its Message ID is still to be filled in
  };

  // A request of a peer.
  struct Received {
    PeerNumber peer = 0;
    MessageKey key;
    Token token;
    bool confirmable = true;
    bool observes = false;
    bool acknowledged = false;  // an ACK left, empty or with a response
    bool final = false;         // the last response was given; its acknowledgement is awaited
    bool in_flight = false;     // `response_key` is listed in transmissions
    bool response_confirmable = false;
    MessageKey response_key;
    std::optional<Message> next;  // the newest response while a confirmable one is in flight
    bool next_final = false;
  };

  struct TokenKey {
    PeerNumber peer;
    Token token;
    friend bool operator==(const TokenKey&, const TokenKey&) = default;
  };
  struct TokenKeyHash {
    std::size_t operator()(const TokenKey& key) const noexcept {
      return std::hash<Token>{}(key.token) ^ static_cast<std::size_t>(key.peer * 0x9e3779b97f4a7c15U);
    }
  };

  // endpoint.cc: peers
  std::optional<PeerNumber> find_peer(const Peer& peer) const;
  /// Who sent a request without saying from which address of ours is answered at the address that the system chose.
  static Peer without_local(Peer peer);
  std::optional<PeerNumber> find_or_add_peer(const Peer& peer, Instant now);
  PeerState& at(PeerNumber number) { return peers.at(number); }
  /// Drops a peer that holds nothing any more, now or (a session) once its Message IDs are free.
  void release_peer(PeerNumber number, Instant now);
  std::optional<std::uint16_t> take_message_id(PeerNumber number, Instant now);
  Deduplication& memory(PeerNumber number) { return memories[index_of(at(number).peer.transport)]; }
  void expire(Instant now);
  static std::size_t index_of(Transport transport) { return static_cast<std::size_t>(transport); }

  // endpoint.cc: datagrams
  void receive(const Peer& from, BytesView datagram, Instant now);
  void send(const Peer& to, Bytes datagram);
  void send_empty(const Peer& to, Type type, std::uint16_t message_id);
  /// A Reset to a message that is not itself ACK or RST.
  void reject(const Peer& to, std::uint16_t message_id);
  Transmission* find_transmission(const Peer& from, std::uint16_t message_id);
  void on_acknowledged(const Peer& from, std::uint16_t message_id, Instant now);
  void on_reset(const Peer& from, std::uint16_t message_id, Instant now);
  void on_timer(Timer kind, ExchangeId id, Instant now);
  void on_retransmit(ExchangeId id, Instant now);
  void gone(ExchangeId id, Error why) { events.push_back(ExchangeGone{id, why}); }

  // endpoint_client.cc
  Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant now);
  Result<ExchangeId> ping(const Peer& to, std::chrono::nanoseconds timeout, Instant now);
  /// A place in the queue for one more, or why there is none.
  Result<PeerNumber> place_for_request(const Peer& to, Instant now);
  Token unused_token(PeerNumber number);
  ExchangeId enqueue(PeerNumber number, Sent exchange, std::chrono::nanoseconds patience, Instant now);
  /// Sends what the NSTART places allow.
  void pump(PeerNumber number, Instant now);
  void transmit(ExchangeId id, Instant now);
  void on_response(const Peer& from, Message message, std::size_t size, Instant now);
  void deliver(ExchangeId id, Message message, Instant now);
  void end_flight(ExchangeId id, Sent& exchange);
  void leave_place(Sent& exchange);
  void finish_sent(ExchangeId id, Instant now);

  // endpoint_server.cc
  void on_request(const Peer& from, Message message, std::size_t size, Instant now);
  void on_duplicate_request(const Peer& from, const MessageKey& key, bool confirmable);
  /// An answer of the message layer itself, which stores nothing.
  void answer_statelessly(const Peer& from, const Message& request, Response response, Instant now);
  void acknowledge(Received& exchange);
  void respond(ExchangeId id, Response response, Delivery hint, Instant now);
  void send_response(ExchangeId id, Received& exchange, Message message, bool final, Instant now);
  void on_response_acknowledged(ExchangeId id, Instant now);
  void finish_received(ExchangeId id, Instant now);

  void cancel(ExchangeId id);

  const Parameters parameters;
  const Limits limits;
  Random& random;
  KnownOptions known_in_requests = KnownOptions::in_requests();
  KnownOptions known_in_responses = KnownOptions::in_responses();

  Counters counters;
  std::uint64_t last_exchange = 0;
  PeerNumber last_peer = 0;
  Instant latest;  // the latest time that was handed in

  std::unordered_map<Peer, PeerNumber> numbers;
  std::unordered_map<PeerNumber, PeerState> peers;
  std::array<std::size_t, 2> peer_count{};  // by transport, as are the next two
  std::array<std::size_t, 2> answer_count{};
  std::array<Deduplication, 2> memories;
  SharedMessageIds shared_ids;
  std::deque<std::pair<Instant, PeerNumber>> resting;  // sessions of which only Message IDs are still held back
  std::set<PeerNumber> to_pump;                        // a place became free where no time was known

  std::unordered_map<std::uint64_t, Sent> sent;
  std::unordered_map<std::uint64_t, Received> received;
  std::unordered_map<TokenKey, std::uint64_t, TokenKeyHash> tokens;
  Transmissions transmissions;
  Timers<Timer> timers;
  std::deque<Event> events;
  std::deque<Outgoing> datagrams;
  std::deque<Stalled> stalled;  // at most one for each open request of ours
};

}  // namespace aceward::coap
