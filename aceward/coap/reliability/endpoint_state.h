// The inside of Endpoint. Split over endpoint.cc (its face, datagrams, timers), endpoint_peers.cc (whom state is held
// for, addresses, memory that goes round), endpoint_client.cc (requests of ours), endpoint_arrivals.cc (what becomes of
// a peer's request at the door) and endpoint_server.cc (its answers). Not for inclusion elsewhere.
#pragma once

#include <array>
#include <deque>
#include <memory_resource>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "aceward/coap/reliability/deduplication.h"
#include "aceward/coap/reliability/endpoint.h"
#include "aceward/coap/reliability/message_ids.h"
#include "aceward/coap/reliability/reachability.h"
#include "aceward/coap/reliability/timers.h"
#include "aceward/coap/reliability/transmissions.h"

namespace aceward::coap {

struct Endpoint::State {
  State(const Parameters& parameters_in, const Limits& limits_in, Random& random_in);

  // Of an exchange, but for message_id, which is of a peer.
  enum class Timer : std::uint8_t { retransmit, acknowledge, probe, deadline, notify, message_id };

  struct PeerState {
    Peer peer;
    std::optional<MessageIds> ids;        // of a session; all other peers share `shared_ids`
    std::vector<std::uint64_t> requests;  // ours, open
    std::vector<std::uint64_t> answers;   // theirs, open
    std::vector<std::uint64_t> queue;     // our requests that wait for one of the NSTART places
    std::vector<std::uint64_t> waiting;   // their requests whose confirmable answer waits for one
    unsigned outstanding = 0;
    bool answered_last = false;                   // the last free place went to one of `waiting`
    bool resting = false;                         // listed in `resting`
    std::optional<Instant> heard;                 // when it answered a request of ours
    std::optional<std::chrono::nanoseconds> rtt;  // from confirmable responses and their acknowledgements
    Instant next_notification{};                  // when a non-confirmable one may leave
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
    Instant transmitted_at;
    Instant place_until;  // as long as PROBING_RATE keeps the place of a request that nobody answers
    Bytes datagram;       // until transmitted; its Message ID is still to be filled in
  };

  // A request of a peer whose answer may be given without keeping anything of it (RFC 7252 section 4.5): it waits among
  // the events, or was the last that was pulled.
  struct Passing {
    ExchangeId id;
    Peer peer;
    Token token;
    std::uint16_t message_id = 0;
    Code method;
    bool confirmable = true;
    bool observes = false;
    Instant since;
  };

  // A request of a peer that is remembered until it is answered.
  struct Received {
    PeerNumber peer = 0;
    MessageKey key;
    Token token;
    Code method;
    bool confirmable = true;
    bool observes = false;
    bool acknowledged = false;  // an ACK left, empty or with a response
    bool final = false;         // the last response was given; its acknowledgement is awaited
    bool outstanding = false;   // holds one of the NSTART places
    bool waits = false;         // listed in `waiting` of its peer
    bool notified = false;      // a response left that was not the last
    bool heard = false;         // a response of this exchange was acknowledged
    bool told = false;          // the layers above know that it is over
    bool in_flight = false;     // `response_key` is listed in transmissions
    bool response_confirmable = false;
    MessageKey response_key;
    std::optional<Bytes> next;  // the newest response, as long as it may not leave; without type and Message ID
    bool next_confirmable = false;
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

  // endpoint_peers.cc
  std::optional<PeerNumber> find_peer(const Peer& peer) const;
  /// Who sent a request without saying from which address of ours is answered at the address that the system chose.
  static Peer without_local(Peer peer);
  std::optional<PeerNumber> find_or_add_peer(const Peer& peer, Instant now);
  PeerState& at(PeerNumber number) { return peers.at(number); }
  /// Drops a peer that holds nothing any more, now or (a session) once its Message IDs are free.
  void release_peer(PeerNumber number, Instant now);
  std::optional<std::uint16_t> take_message_id(PeerNumber number, Instant now);
  /// When take_message_id may succeed.
  Instant message_id_at(PeerNumber number, Instant now);
  Deduplication& memory(PeerNumber number) { return memories[index_of(at(number).peer.transport)]; }
  void expire(Instant now);
  static std::size_t index_of(Transport transport) { return static_cast<std::size_t>(transport); }
  /// Octets that an answer to `to` may have; nullopt: no such limit.
  std::optional<std::size_t> answer_limit(const Peer& to, Instant now) const;
  /// More than half of what may be held for this transport is held.
  bool pressed(Transport transport) const;
  /// The same of requests that are owed an answer.
  bool crowded(Transport transport) const;
  /// It answered a request of ours lately.
  bool responds(const PeerState& peer, Instant now) const;
  /// Remembers that of a peer that is let go.
  void keep_heard(const PeerState& peer);
  Bytes spare_datagram();
  void keep_for_later(Bytes&& datagram);
  void keep_for_later(Options&& options, Bytes&& payload);

  // endpoint.cc: datagrams
  void receive(const Peer& from, BytesView datagram, Instant now);
  void read(const Peer& from, BytesView datagram, const Header& header, Instant now);
  void send(const Peer& to, Bytes datagram);
  void send_empty(const Peer& to, Type type, std::uint16_t message_id);
  static void set_header(Bytes& datagram, Type type, std::uint16_t message_id);
  /// A Reset to a message that is not itself ACK or RST.
  void reject(const Peer& to, std::uint16_t message_id);
  Transmission* find_transmission(const Peer& from, std::uint16_t message_id);
  void on_acknowledged(const Peer& from, std::uint16_t message_id, Instant now);
  void on_reset(const Peer& from, std::uint16_t message_id, Instant now);
  void on_timer(Timer kind, ExchangeId id, Instant now);
  void on_retransmit(ExchangeId id, Instant now);
  /// Forgets those in front that are no longer stalled.
  void drop_stalled();
  /// Once for each exchange.
  void gone(ExchangeId id, Error why);

  // endpoint_client.cc
  Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant now);
  Result<ExchangeId> ping(const Peer& to, std::chrono::nanoseconds timeout, Instant now);
  /// A place in the queue for one more, or why there is none.
  Result<PeerNumber> place_for_request(const Peer& to, Instant now);
  Token unused_token(PeerNumber number, std::size_t size);
  ExchangeId enqueue(PeerNumber number, Sent exchange, std::chrono::nanoseconds patience, Instant now);
  /// Sends what the NSTART places allow.
  void pump(PeerNumber number, Instant now);
  void transmit(ExchangeId id, std::uint16_t message_id, Instant now);
  void on_response(const Peer& from, Message& message, std::size_t size, Instant now);
  void deliver(ExchangeId id, Message& message, Instant now);
  void end_flight(ExchangeId id, Sent& exchange);
  void leave_place(Sent& exchange);
  enum class Ending : std::uint8_t { answered, unanswered };
  void finish_sent(ExchangeId id, Ending ending, Instant now);

  // endpoint_arrivals.cc
  void on_request(const Peer& from, Message& message, std::size_t size, Instant now);
  void on_duplicate_request(const Peer& from, const MessageKey& key, bool confirmable);
  /// An answer of the message layer itself, of which nothing is kept.
  void answer_statelessly(const Peer& from, const Message& request, Response response, Instant now);
  /// Takes an Echo option that is ours out of a request, and knows its address from then on.
  void take_echo(const Peer& from, Options& options, Instant now);
  Response challenge(const Peer& to, Instant now);
  /// Keeps what is needed to answer later.
  Received& keep(Passing&& request, PeerNumber number, Instant now);
  void pass_on(Passing&& request, Message& message, std::optional<std::size_t> limit);
  /// The request that was pulled last is not answered at once, so it has to be kept.
  void settle(Instant now);

  // endpoint_server.cc
  void acknowledge(Received& exchange);
  void respond(ExchangeId id, const Response& response, Delivery hint, Instant now);
  /// False if the answer needs an exchange that is kept.
  bool respond_at_once(const Response& response, Delivery hint, Instant now);
  /// The datagram of an answer, as type ACK with Message ID 0, cut down to what may be sent.
  struct Encoded {
    Bytes datagram;
    Code code;
    bool whole = true;       // as it was asked for
    bool challenge = false;  // 4.01 with Echo instead
  };
  Encoded encode(const Peer& to, Code method, const Token& token, const Response& response, Instant now);
  /// Sends the newest response if it is its turn.
  void send_next(ExchangeId id, Received& exchange, Instant now);
  /// A newer notification takes the place of one that was not acknowledged (RFC 7641 section 4.5.2).
  bool supersede(ExchangeId id, Received& exchange, std::optional<std::size_t> limit, Instant now);
  void on_response_acknowledged(ExchangeId id, Instant now);
  void leave_place(Received& exchange);
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

  // Who chooses its address must not choose who shares its bucket.
  struct PeerHash {
    SipKey key;
    std::size_t operator()(const Peer& peer) const noexcept {
      SipHash hash(key);
      hash.add(peer.remote);
      hash.add(peer.session ^ peer.context << 48 ^ std::uint64_t{peer.local.port} << 32 ^ peer.local.ip[15]);
      return static_cast<std::size_t>(hash.finish());
    }
  };
  std::unordered_map<Peer, PeerNumber, PeerHash> numbers;
  std::unordered_map<PeerNumber, PeerState> peers;
  // Who answered lately, without a session, and holds nothing now. The oldest makes room.
  std::unordered_map<Peer, Instant, PeerHash> heard;
  std::deque<std::pair<Instant, Peer>> heard_order;  // of `heard`, and of some that are no longer there
  std::array<std::size_t, 2> peer_count{};           // by transport, as are the next two
  std::array<std::size_t, 2> answer_count{};
  std::array<Deduplication, 2> memories;
  SharedMessageIds shared_ids;
  Reachability reachability;
  std::vector<std::pair<Address, std::size_t>> answer_limits;  // of listeners that differ from `limits`
  std::deque<std::pair<Instant, PeerNumber>> resting;          // sessions of which only Message IDs are still held back
  std::set<PeerNumber> to_pump;                                // a place became free where no time was known
  std::unordered_map<std::uint64_t, PeerNumber> lingering;     // places that outlive their requests, by exchange

  std::unordered_map<std::uint64_t, Sent> sent;
  std::unordered_map<std::uint64_t, Received> received;
  std::unordered_map<TokenKey, std::uint64_t, TokenKeyHash> tokens;
  Transmissions transmissions;
  Timers<Timer> timers;

  // What every datagram goes through. Blocks of the queues come from `pool`, everything else goes round.
  std::pmr::unsynchronized_pool_resource pool;
  std::pmr::deque<Event> events{&pool};
  std::pmr::deque<Passing> passing{&pool};  // those of `events`, in the same order
  std::optional<Passing> current;           // the last that was pulled, while it is not answered
  std::pmr::deque<Outgoing> datagrams{&pool};
  std::deque<Stalled> stalled;  // at most one for each request of ours within MAX_TRANSMIT_WAIT
  Message scratch;
  std::vector<Bytes> spare_datagrams;
  std::vector<std::pair<Options, Bytes>> spare_parts;
};

}  // namespace aceward::coap
