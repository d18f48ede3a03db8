// How block-wise transfer behaves, what it may hold, and what it counts.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "aceward/coap/blockwise/block_option.h"

namespace aceward::coap {

struct BlockwiseParameters {
  /// The size of the blocks of a request body, as a client, and the greatest that is asked for as a server.
  Szx request_szx = Szx::largest();
  /// The size of the blocks of a response body, as a server; a client that asks for less gets less.
  Szx response_szx = Szx::largest();
  /// As a client: the size that blocks of a response body should have; nullopt leaves it to the server. A request of
  /// the user that has a Block2 option with NUM 0 goes before this.
  std::optional<Szx> preferred_szx;
  /// True: preferred_szx goes with the first request (early negotiation, RFC 7959 section 2.4); false: with the second,
  /// once the server has chosen to answer in blocks (late negotiation).
  bool early_negotiation = true;
  /// As a client: ask for the size of each response body (Size2 of 0).
  bool ask_size = false;
  /// True: each body sent in blocks gets a Request-Tag of its own, so that a block delayed in the network is never
  /// taken for one of a later transfer (RFC 9175 section 3.5.1). False: only a transfer that another one of the same
  /// peer, method and options is under way beside gets one; this saves about five octets a block where nothing is
  /// delayed for long.
  bool always_tag = true;
  /// How often a client begins a transfer anew because the representation changed meanwhile, or the server forgot.
  unsigned restarts = 3;
  /// Octets of a whole message, as Limits::datagram_size of the Endpoint below: blocks are made small enough.
  std::size_t message_size = 1232;
};

/// What strangers may make a Blockwise hold. Each refusal is counted. The octets of all bodies together stay below
/// `assembly_bytes + held_bytes + answer_bytes`; each entry takes some 500 octets besides.
struct BlockwiseLimits {
  // The server: request bodies that are put together.
  std::size_t request_body = 1024 * 1024;  ///< octets of one; beyond it 4.13 with Size1
  /// Of one peer at once; one more waits (5.03 with Max-Age).
  std::size_t assemblies_per_peer = 8;
  /// Of all peers. When there are so many, or so many octets, the oldest that never got beyond its first block makes
  /// room; if there is none, for a peer that has shown to receive at its address (RequestArrived::answer_limit) the
  /// oldest of one that has not; else a new one waits. So whoever invents addresses neither pushes out nor keeps out
  /// who receives at his own.
  std::size_t assemblies = 1'000;
  std::size_t assembly_bytes = 16 * 1024 * 1024;  ///< of all peers; beyond it 4.13
  /// After the last block; zero takes EXCHANGE_LIFETIME (RFC 7959 section 2.5).
  std::chrono::nanoseconds assembly_lifetime{0};

  // The server: response bodies kept for those who come for the next block.
  /// For one peer; its oldest makes room.
  std::size_t held_per_peer = 8;
  /// For all peers. When there are so many, or so many octets, only what cannot be asked of the resource again (answers
  /// to POST, PUT, …) pushes out what can, and only what is for an address known to be reachable what is for another.
  std::size_t held = 1'000;
  std::size_t held_bytes = 16 * 1024 * 1024;
  /// After the last access; zero takes EXCHANGE_LIFETIME (RFC 7959 section 2.4).
  std::chrono::nanoseconds held_lifetime{0};

  // The client: response bodies that are put together.
  std::size_t response_body = 1024 * 1024;      ///< octets of one
  std::size_t answer_bytes = 16 * 1024 * 1024;  ///< of all that are under way
};

/// What happened, since the start. Monotonic.
struct BlockwiseCounters {
  // server
  std::uint64_t assemblies_started = 0;
  std::uint64_t assembled = 0;  ///< whole request bodies handed up
  std::uint64_t assemblies_restarted = 0;
  std::uint64_t assemblies_expired = 0;
  std::uint64_t assemblies_evicted = 0;
  std::uint64_t repeated_blocks = 0;    ///< seen before, answered alike
  std::uint64_t refused_malformed = 0;  ///< 4.00
  std::uint64_t refused_gaps = 0;       ///< 4.08: not the next block, or nothing known of the ones before
  std::uint64_t refused_overlaps = 0;   ///< 4.08: differs from what came before
  std::uint64_t refused_too_large = 0;  ///< 4.13: one body
  std::uint64_t refused_full = 0;       ///< 5.03 or 4.13: no room
  std::uint64_t answers_cut = 0;        ///< responses sent in blocks
  std::uint64_t held_expired = 0;
  std::uint64_t held_evicted = 0;
  std::uint64_t not_held = 0;      ///< no room to hold the rest of an answer
  std::uint64_t asked_again = 0;   ///< a block of an answer no longer held: the resource was asked again
  std::uint64_t unanswerable = 0;  ///< the same for what cannot be asked again: 4.08
  // client
  std::uint64_t bodies_sent = 0;      ///< in blocks
  std::uint64_t bodies_received = 0;  ///< in blocks
  std::uint64_t restarts = 0;
  std::uint64_t superseded = 0;  ///< notifications given up for a newer one
  std::uint64_t failed = 0;      ///< requests of ours that ended without an answer
  // both
  std::uint64_t size_mismatches = 0;  ///< bodies of another size than Size1 or Size2 had said
};

/// How much is held now.
struct BlockwiseOccupancy {
  std::size_t assemblies = 0;
  std::size_t assembly_bytes = 0;
  std::size_t held = 0;
  std::size_t held_bytes = 0;
  std::size_t requests = 0;   ///< of peers, not answered yet
  std::size_t transfers = 0;  ///< requests of ours, without a final answer
  std::size_t answer_bytes = 0;
};

}  // namespace aceward::coap
