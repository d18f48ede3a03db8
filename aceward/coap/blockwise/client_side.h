// The client of block-wise transfer: request bodies sent in blocks, response bodies fetched.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "aceward/base/random.h"
#include "aceward/coap/blockwise/keyed_hash.h"
#include "aceward/coap/blockwise/limits.h"
#include "aceward/coap/blockwise/response_body.h"
#include "aceward/coap/layer.h"

namespace aceward::coap {

class BlockClient {
 public:
  BlockClient(Layer& below, const BlockwiseParameters& parameters, const BlockwiseLimits& limits,
              BlockwiseCounters& counters, Random& random);

  Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant now);
  /// False: no request of ours has this id.
  bool cancel(ExchangeId id);
  /// What the layer above hears of it; nullopt: nothing yet.
  std::optional<Event> on_response(ResponseArrived arrived, Instant now);
  /// The same; an exchange that is not known here passes.
  std::optional<Event> on_gone(ExchangeGone gone);

  void report(BlockwiseOccupancy& occupancy) const;

 private:
  struct Transfer {
    ExchangeId user{};  // the id that the user knows: that of the first exchange
    Peer to;
    Request request;  // whole, without Block1 and Block2
    Delivery delivery;
    std::optional<Instant> deadline;

    // The exchange that the answer comes by: the request, or its last block. 0 once it is over.
    ExchangeId base{};
    bool observed = false;  // it stays open for notifications
    // The exchange that fetches a further block; 0 if there is none.
    ExchangeId fetch{};
    bool anew = false;  // `fetch` asks for the first block once more

    // The request body.
    bool in_blocks = false;
    bool enacted = false;  // the server acted on a block by itself (RFC 7959 figure 8)
    std::optional<Response> created;
    Szx request_szx;
    std::size_t offset = 0;  // of the block on its way
    std::size_t chunk = 0;   // its octets
    std::optional<std::uint64_t> tag;

    // The response body.
    std::optional<Szx> asked;      // with the first request
    std::optional<Szx> preferred;  // with the others
    ResponseBody body;
    std::size_t held = 0;  // octets of it that are counted
    std::optional<std::uint64_t> order;
    std::optional<std::uint64_t> observe;  // the option of the notification
    Peer from;

    unsigned restarts = 0;
    std::optional<std::uint64_t> operation;  // in operations_
  };

  bool last_block(const Transfer& transfer) const {
    return !transfer.in_blocks || transfer.offset + transfer.chunk == transfer.request.payload.size();
  }
  Transfer* find(ExchangeId id);
  Result<ExchangeId> send(const Transfer& transfer, Options options, BytesView payload, Instant now);
  /// The request itself, or its block at `offset`.
  Result<> send_request(Transfer& transfer, Instant now);
  /// A request for a further block of the answer, or for the first once more.
  Result<> send_fetch(Transfer& transfer, Instant now);
  Options options_of(const Transfer& transfer) const;
  void use_blocks(Transfer& transfer, Szx szx);
  void take_tag(Transfer& transfer);
  /// Gives the transfer a tag if another one could be taken for it.
  void register_operation(Transfer& transfer);

  std::optional<Event> on_block_answer(Transfer& transfer, ResponseArrived arrived, Instant now);
  std::optional<Event> on_answer(Transfer& transfer, ResponseArrived arrived, Instant now);
  std::optional<Event> on_fetched(Transfer& transfer, Response response, Instant now);
  /// True if the request goes out again in another form instead of this answer being delivered.
  bool try_smaller(Transfer& transfer, const Response& response);
  std::optional<Event> proceed(Transfer& transfer, ResponseBody::Step step, Instant now);
  std::optional<Event> resend(Transfer& transfer, Instant now);
  std::optional<Event> restart(Transfer& transfer, Instant now);
  std::optional<Event> deliver(Transfer& transfer, Response response);
  /// Gives up for what the peer sent, or did not send any more, after it had begun to answer.
  Event fail_answer(Transfer& transfer, Error error);
  Event fail_transfer(Transfer& transfer, Error error);
  bool account(Transfer& transfer);
  void release(Transfer& transfer);
  void stop_fetch(Transfer& transfer);
  void stop_base(Transfer& transfer);
  void erase(Transfer& transfer);

  Layer& below_;
  const BlockwiseParameters& parameters_;
  const BlockwiseLimits& limits_;
  BlockwiseCounters& counters_;
  KeyedHash hash_;
  std::uint64_t next_tag_;
  std::unordered_map<std::uint64_t, Transfer> transfers_;       // by the user's id
  std::unordered_map<std::uint64_t, std::uint64_t> exchanges_;  // others, to the user's id
  // How many transfers of one peer, method and options are under way, by hash.
  std::unordered_map<std::uint64_t, unsigned> operations_;
  std::size_t answer_bytes_ = 0;
};

}  // namespace aceward::coap
