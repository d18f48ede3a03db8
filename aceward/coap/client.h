// A CoAP client in one object, sans-IO: the usual layers on each other, and a callback for each answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "aceward/base/random.h"
#include "aceward/coap/blockwise/blockwise.h"
#include "aceward/coap/cache/response_cache.h"
#include "aceward/coap/freshness/freshness.h"
#include "aceward/coap/message/uri.h"
#include "aceward/coap/observe/observation_client.h"
#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap {

struct ClientConfig {
  Parameters parameters{};
  Limits limits{};
  FreshnessParameters freshness{};
  /// `message_size` is taken from `limits`.
  BlockwiseParameters blockwise{};
  BlockwiseLimits blockwise_limits{};
  /// nullopt: no cache, every request is sent.
  std::optional<CacheLimits> cache{};
  ObservationSettings observation{};
};

/// The request for what `uri` names, as sent to `destination` (RFC 7252 section 6.4). Errors: `uri_option_too_long`.
Result<Request> make_request(Code method, const Uri& uri, const Address& destination);

/// From the bottom: messages, freshness (Echo, waiting where a server asks for it), block-wise transfer, a cache if
/// wanted, observation. Give it what arrives, take what is to be sent, and call on_timeout when next_timeout says so;
/// net::CoapClient does that on real sockets. Not thread-safe.
class Client {
 public:
  /// `random` outlives the client.
  explicit Client(Random& random, const ClientConfig& config = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Called once for each request, from within receive() or on_timeout(): the response, an error response (4.xx, 5.xx)
  /// included, or why there is none. May begin and cancel requests.
  using Done = std::function<void(Result<Response>)>;

  /// Errors: those of Endpoint::request; `done` is not called then.
  Result<ExchangeId> request(const Address& to, Request request, Done done, Instant now, Delivery delivery = {});
  /// GET of a `coap:` URI whose host is an IP literal; a name is resolved by nothing here. Errors besides:
  /// `uri_malformed` and the like of parse_uri, `uri_not_for_this_client`.
  Result<ExchangeId> get(std::string_view uri, Done done, Instant now);
  /// Called from within receive() or on_timeout() for each state of an observed resource, in order, and once with
  /// `last`: the observation is over, because of this answer or error. May do what Done may.
  using Notified = std::function<void(Result<Response> state, bool last)>;
  /// Observes (RFC 7641): `request` is a GET or FETCH, to which Observe is added. Errors: those of request().
  Result<ExchangeId> observe(const Address& to, Request request, Notified notified, Instant now,
                             Delivery delivery = {});
  /// Ends an observation and tells the server.
  void stop_observing(ExchangeId id, Instant now);
  /// Asks whether a CoAP endpoint is there (RFC 7252 section 4.3). `done` gets nothing if it is, else why not.
  Result<ExchangeId> ping(const Address& to, std::function<void(Result<>)> done, Instant now,
                          std::chrono::nanoseconds timeout = {});
  /// Nothing is called any more for this one.
  void cancel(ExchangeId id);

  /// For what is more than this: the layer that requests go down through.
  Layer& layer();
  ObservationClient& observations();
  /// nullptr without a cache.
  ResponseCache* cache();
  const Endpoint& endpoint() const;

  /// One datagram, from `from`. `local` is the address it was sent to, where that matters to the caller.
  void receive(const Address& from, const Address& local, BytesView datagram, Instant now);
  /// The next datagram to send to `to.remote`; nullopt when there is none.
  std::optional<Outgoing> next_datagram();
  /// nullopt: not before something else happens.
  std::optional<Instant> next_timeout() const;
  void on_timeout(Instant now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::coap
