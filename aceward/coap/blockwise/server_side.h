// The server of block-wise transfer: request bodies put together, response bodies cut and held.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include "aceward/coap/blockwise/keyed_hash.h"
#include "aceward/coap/blockwise/limits.h"
#include "aceward/coap/blockwise/transfer_table.h"
#include "aceward/coap/layer.h"

namespace aceward::coap {

/// Whether what is held for a peer may still be given to it.
using HeldGuard = std::move_only_function<bool(const Peer&, const Request&)>;

class BlockServer {
 public:
  BlockServer(Layer& below, const BlockwiseParameters& parameters, const BlockwiseLimits& limits,
              BlockwiseCounters& counters, Random& random);

  /// True: `arrived` (perhaps changed) goes up. False: it was answered here.
  bool on_request(RequestArrived& arrived, Instant now);
  void respond(ExchangeId id, Response response, Delivery hint, Instant now);
  /// The exchange ended without an answer.
  void closed(ExchangeId id);
  void forget(const Peer& peer);
  void set_guard(HeldGuard guard) { guard_ = std::move(guard); }

  std::optional<Instant> next_expiry() const;
  void expire(Instant now);
  void report(BlockwiseOccupancy& occupancy) const;

 private:
  // The last block of a body, by which its repetition is known.
  struct LastBlock {
    BlockOption block;
    std::uint64_t payload = 0;  // hash
  };
  // A request body on its way.
  struct Assembly {
    Options options;  // of the first block
    Bytes body;
    std::optional<std::uint64_t> announced;  // Size1
    bool proven = false;                     // a second block came
    bool reachable = false;                  // the peer has shown that it receives at its address
    // Once the body is complete, until the request is answered:
    std::optional<LastBlock> last;
    ExchangeId at_work{};
  };
  // An answer of which blocks may still be fetched.
  struct Held {
    Response head;  // without payload, Observe and Size2
    Bytes body;
    Code method;
    std::uint64_t query = 0;        // hash of the request's payload, of a FETCH
    std::optional<LastBlock> last;  // of the request, if it came in blocks
    Instant made;
    // The resource would give it again (the request fits a block and is safe).
    bool regenerable = false;
    bool fetched = false;    // up to its last block
    bool reachable = false;  // the peer has shown that it receives at its address
  };
  // A request that was handed up and is not answered yet.
  struct Note {
    ExchangeId id{};
    Peer peer;
    Code method;
    Options options;  // as they arrived
    std::optional<BlockOption> block1;
    std::optional<BlockOption> block2;
    std::optional<std::size_t> answer_limit;
    std::optional<LastBlock> last;
    std::uint64_t query = 0;
    bool observes = false;
    bool size_asked = false;
  };
  using Notes = std::unordered_map<std::uint64_t, Note>;
  // Which block of a held answer is to be sent, and how.
  struct Wanted {
    std::size_t offset = 0;
    Szx szx;
    std::optional<BlockOption> block1;  // to be acknowledged
    std::optional<BytesView> observe;
    std::size_t limit = 0;  // octets of the message
    bool size_asked = false;
    bool block_asked = false;  // the request had a Block2 option
  };

  bool on_block1(RequestArrived& arrived, const BlockOption& block1, const std::optional<BlockOption>& block2,
                 Instant now);
  bool begin_assembly(RequestArrived& arrived, const BlockOption& block, TransferKey key, Instant now);
  bool continue_assembly(RequestArrived& arrived, const BlockOption& block, const std::optional<BlockOption>& block2,
                         TransferKey key, Instant now);
  bool on_repeated_last(const RequestArrived& arrived, const BlockOption& block, const TransferKey& key, Instant now);
  bool on_continuation(RequestArrived& arrived, const BlockOption& block2, Instant now);

  /// Lets `bytes` more fit, for a transfer other than `own` (null: a new one); false if they do not.
  bool make_room(std::size_t bytes, bool reachable, const TransferTable<Assembly>::Entry* own);
  /// Answers a request that the layer above does not see. Always false, for on_request to return.
  bool refuse(const RequestArrived& arrived, Code code, const std::optional<BlockOption>& block1, Instant now,
              Options options = {});
  bool refuse_full(const RequestArrived& arrived, const BlockOption& block, Instant now);
  bool refuse_size(const RequestArrived& arrived, const BlockOption& block, Instant now);
  void proceed(const RequestArrived& arrived, const BlockOption& block, Instant now);

  Note& take_note(const RequestArrived& arrived);
  Note* find_note(ExchangeId id);
  void drop_note(ExchangeId id);
  /// A response goes out: the exchange is over, or only notifications follow.
  void settle(Note& note, bool final);
  void end_assembly(const Note& note);
  static TransferKey key_of(const Peer& peer, Code method, const Options& options);
  std::size_t limit_of(Code method, const std::optional<std::size_t>& answer_limit) const;
  void add_etag(Response& head, BytesView body) const;
  /// Octets of the message, and whether it carries the end of the body.
  std::pair<std::size_t, bool> send_block(ExchangeId id, const Held& held, const Wanted& wanted, Delivery hint,
                                          Instant now);
  void hold(TransferKey key, Held held, Instant now);

  Layer& below_;
  const BlockwiseParameters& parameters_;
  const BlockwiseLimits& limits_;
  BlockwiseCounters& counters_;
  KeyedHash hash_;
  TransferTable<Assembly> assemblies_;
  TransferTable<Held> held_;
  HeldGuard guard_;
  // The newest request is kept apart: most are answered before the next one arrives, and then nothing is allocated.
  Note latest_;
  bool latest_open_ = false;
  Notes notes_;
};

}  // namespace aceward::coap
