// A CoAP client in one object, sans-IO: the usual layers on each other, and a callback for each answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "aceward/base/random.h"
#include "aceward/coap/message/uri.h"
#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap {

struct ClientConfig {
  Parameters parameters{};
  Limits limits{};
};

/// The request for what `uri` names, as sent to `destination` (RFC 7252 section 6.4). Errors: `uri_option_too_long`.
Result<Request> make_request(Code method, const Uri& uri, const Address& destination);

/// Give it what arrives, take what is to be sent, and call on_timeout when next_timeout says so; net::CoapClient does
/// that on real sockets. Not thread-safe.
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
  /// Nothing is called any more for this one.
  void cancel(ExchangeId id);

  /// For what is more than request and answer: the layer that requests go down through.
  Layer& layer();
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
