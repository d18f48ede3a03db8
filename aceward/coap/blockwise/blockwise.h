// Block-wise transfer (RFC 7959) with Request-Tag (RFC 9175 section 3), client and server in one.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "aceward/base/random.h"
#include "aceward/coap/blockwise/limits.h"
#include "aceward/coap/layer.h"
#include "aceward/coap/message/option_check.h"

namespace aceward::coap {

/// Whole bodies above, blocks below, in both directions and both roles.
///
/// As a server it puts a request body together, and hands the request up once, with the options of its first block and
/// without Block1, Size1 and Request-Tag (the server's atomic way of section 2.5). A response that does not fit one
/// block is cut; the rest is held for the peer, so that all blocks are of one representation. If it is no longer held,
/// a GET or FETCH goes up again, and any other request gets 4.08. A response in several blocks that has no ETag gets
/// one, made of its content with a key of this layer.
///
/// As a client it sends a large body in blocks, fetches the rest of an answer, and delivers one ResponseArrived under
/// the ExchangeId that request() gave. Answers whose ETag changes on the way are fetched anew, a bounded number of
/// times. A notification in blocks is fetched by requests of its own, and delivered with its `order`; a newer one that
/// arrives meanwhile takes its place.
///
/// A request of the user that itself has a Block1 option other than 0/0/szx or a Block2 option with NUM above 0 is sent
/// as it is, and so is a response with a Block2 option: who wants single blocks gets them. A Block1 option 0/0/szx or
/// Block2 option 0/0/szx in a request states the block size to use.
///
/// What peers do is bounded by BlockwiseLimits. State of a peer is found by its Peer value, so that no unprotected
/// request reaches blocks of a protected one (section 7).
class Blockwise final : public Layer {
 public:
  /// `below` and `random` must outlive the layer. `below` must let Block1 and Block2 pass: see add_known_options.
  Blockwise(Layer& below, const BlockwiseParameters& parameters, const BlockwiseLimits& limits, Random& random);
  ~Blockwise() override;
  Blockwise(const Blockwise&) = delete;
  Blockwise& operator=(const Blockwise&) = delete;

  /// Adds Block1 and Block2, for Endpoint::set_known_options, in requests as in responses.
  static void add_known_options(KnownOptions& known);

  // Layer. request() errors: those of the layer below, and `coap_body_too_large`. ExchangeGone reasons: those of the
  // layer below, `coap_block_malformed`, `coap_block_size`, `coap_block_unexpected`, `coap_body_changed`,
  // `coap_body_too_large`, `coap_bodies_full`, `coap_answer_incomplete`. Delivery::timeout holds for the whole
  // transfer; zero gives each block the default of the layer below.
  Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant now) override;
  void respond(ExchangeId id, Response response, Delivery hint, Instant now) override;
  void cancel(ExchangeId id) override;
  std::optional<Event> next_event(Instant now) override;
  std::optional<Instant> next_timeout() const override;
  void on_timeout(Instant now) override;
  Response spare_response() override;
  void give_back(Options&& options, Bytes&& payload) override;

  /// Drops all that is kept for a peer as a server: its session is lost, or what it may do has changed. Answers held
  /// for it are not given out any more.
  void forget(const Peer& peer);

  /// Asked, with the request, before anything that is held for a peer is given to it: whether that would still be
  /// answered. If not, what is held is dropped, and the request goes up as one that was never answered in part; one
  /// with an unsafe method gets 4.01 instead. Null: not asked. For layers above that decide about access.
  using Guard = std::move_only_function<bool(const Peer&, const Request&)>;
  void set_guard(Guard guard);

  const BlockwiseCounters& counters() const;
  BlockwiseOccupancy occupancy() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aceward::coap
