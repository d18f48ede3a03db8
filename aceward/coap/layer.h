// The one shape of a CoAP layer: requests and responses pass through it at every level, from the message layer at the
// bottom through block-wise transfer, OSCORE and access control up to the resources (architecture, contract 2).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/base/strong.h"
#include "aceward/base/time.h"
#include "aceward/coap/message/code.h"
#include "aceward/coap/message/options.h"
#include "aceward/coap/peer.h"

namespace aceward::coap {

/// Names one request with everything that answers it. The bottom layer mints it; it is never 0 and never reused by the
/// same bottom layer. Client and server exchanges share the number space.
using ExchangeId = Strong<struct ExchangeIdTag, std::uint64_t>;

struct Request {
  Code method = code::get;
  Options options;
  Bytes payload;

  friend bool operator==(const Request&, const Request&) = default;
};

struct Response {
  Code code = coap::code::content;
  Options options;
  Bytes payload;

  friend bool operator==(const Response&, const Response&) = default;
};

enum class Reliability : std::uint8_t {
  automatic,  ///< a request goes confirmable, a response goes as its request came
  confirmable,
  non_confirmable,
};

/// How a request or a response should travel. For a response that can still ride on the acknowledgement of its
/// request, `reliability` is not looked at; the message layer also makes notifications confirmable to an address that
/// may never have asked, and lets one that comes too soon after another wait, or be replaced by the next.
struct Delivery {
  Reliability reliability = Reliability::automatic;
  /// Requests only: how long after `now` the answer is awaited, waiting behind other requests to the same peer
  /// included. Zero takes the layer's default (EXCHANGE_LIFETIME, or NON_LIFETIME for a non-confirmable request).
  std::chrono::nanoseconds timeout{0};
  /// Requests only: an observation of ours at the same peer, still open, whose token this request takes over, to renew
  /// it or to end it (RFC 7641 sections 3.3.1 and 3.6). That exchange is over then, as after cancel(). Zero, or an
  /// exchange that is gone: a token of its own.
  ExchangeId token_of{};
  /// Requests only: octets of the token. More than 8 only for a peer that is known to take them (RFC 8974 section 2.2;
  /// see extended_tokens.h).
  std::uint16_t token_size = 8;
};

/// A request from a peer. It is answered by respond(id, …), or given up by cancel(id).
struct RequestArrived {
  ExchangeId id;
  Peer peer;
  Request request;
  /// confirmable or non_confirmable, never automatic.
  Reliability reliability = Reliability::confirmable;
  /// Octets of CoAP that an answer may have, header and options included, as long as the requester has not shown that
  /// it receives at its address (RFC 9175 section 2.4); nullopt: no such limit. What is longer is answered with 4.01
  /// and Echo if the method is safe, else cut down to its code.
  std::optional<std::size_t> answer_limit = std::nullopt;
};

/// An answer to a request of ours.
struct ResponseArrived {
  ExchangeId id;
  Peer peer;
  Response response;
  /// Orders the notifications of one exchange: the Observe value (24 bits, wraps, RFC 7641 section 3.4) from the
  /// message layer; a layer above may put another key here (OSCORE: the Partial IV).
  std::optional<std::uint64_t> order;
  /// False when the exchange stays open for more (Observe); true: this id will not be heard of again.
  bool final = true;
};

/// The exchange ended without (another) answer: nothing more will come for this id, and what is responded to it is
/// dropped. Arrives for requests sent (time-out, reset, session lost) and for requests received (the separate response
/// was never acknowledged or was reset, the session is lost, the handler took too long).
struct ExchangeGone {
  ExchangeId id;
  Error reason;
};

using Event = std::variant<RequestArrived, ResponseArrived, ExchangeGone>;

/// Not thread-safe: a layer and everything below it belong to one thread. Nothing is called back: a call changes
/// state, and events and datagrams are pulled afterwards.
class Layer {
 public:
  virtual ~Layer() = default;

  /// Sends a request. Exactly one of these follows: one or more ResponseArrived the last of which is `final`, or
  /// (perhaps after responses) ExchangeGone; nothing follows cancel(). Errors: the limits of the layer, or a request
  /// that does not fit a datagram.
  virtual Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant now) = 0;

  /// Answers a RequestArrived, at once or later. More than one response is possible while each carries an Observe
  /// option and the request had one with value 0; a response without it, or with an error code, ends the exchange.
  /// An id that is gone is ignored (and counted).
  virtual void respond(ExchangeId id, Response response, Delivery hint, Instant now) = 0;

  /// Forgets an exchange. A request sent is no longer retransmitted and its answer is no longer expected; a request
  /// received gets no (further) answer, but is acknowledged if it was confirmable. Unknown ids are ignored.
  virtual void cancel(ExchangeId id) = 0;

  /// The next event, in order of occurrence; nullopt when there is none now.
  virtual std::optional<Event> next_event(Instant now) = 0;

  /// When on_timeout wants to be called next, this layer and those below it; nullopt: not before something else
  /// happens. May lie in the past, meaning at once.
  virtual std::optional<Instant> next_timeout() const { return std::nullopt; }

  /// Does what is due at `now`, in this layer and those below it. Calling it early does no harm.
  virtual void on_timeout(Instant /*now*/) {}

  // Memory that goes round (architecture, contract 10). Using it is never needed, and nothing depends on what it holds:
  // a layer that does not pass these on only costs allocations.

  /// An empty response whose options and payload may already own memory; filled in, it goes to respond().
  virtual Response spare_response() { return {}; }
  /// Takes the memory of options and payload that nobody reads any more.
  virtual void give_back(Options&& /*options*/, Bytes&& /*payload*/) {}
  void recycle(Request&& request) { give_back(std::move(request.options), std::move(request.payload)); }
  void recycle(Response&& response) { give_back(std::move(response.options), std::move(response.payload)); }

 protected:
  Layer() = default;
  Layer(const Layer&) = default;
  Layer& operator=(const Layer&) = default;
};

}  // namespace aceward::coap
