// coap::Client on real sockets.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "aceward/coap/client.h"
#include "aceward/net/event_loop.h"
#include "aceward/net/udp_socket.h"

namespace aceward::net {

/// Belongs to the loop's thread; the loop and `random` outlive it. URIs are `coap:` with a name or an address; a name
/// is resolved before anything is sent, which blocks, and its first address is taken.
class CoapClient {
 public:
  CoapClient(EventLoop& loop, Random& random, const coap::ClientConfig& config = {});
  ~CoapClient();
  CoapClient(const CoapClient&) = delete;
  CoapClient& operator=(const CoapClient&) = delete;

  /// Sends `request` to what the URI names; its Uri-* options are added here. `done` is called once from the loop.
  /// Errors: those of parse_uri, `uri_not_for_this_client`, `uri_option_too_long`, `host_not_found`, and those of
  /// coap::Client::request.
  Result<coap::ExchangeId> request(std::string_view uri, coap::Request request, coap::Client::Done done,
                                   coap::Delivery delivery = {});
  /// Observes what the URI names (coap::Client::observe). Errors: those of request().
  Result<coap::ExchangeId> observe(std::string_view uri, coap::Client::Notified notified);
  /// Ends an observation and tells the server.
  void stop_observing(coap::ExchangeId id);
  void cancel(coap::ExchangeId id);

  /// The same, and runs the loop until the answer is there: not from inside a callback of the loop. Errors besides:
  /// `coap_not_acknowledged`, `coap_not_answered` and what else ends an exchange; a 4.xx or 5.xx is a response.
  Result<coap::Response> ask(std::string_view uri, coap::Request request, coap::Delivery delivery = {});
  Result<coap::Response> get(std::string_view uri) { return ask(uri, coap::Request{}); }

  /// For everything else. What is used of it outside of its callbacks is followed by wake().
  coap::Client& client();
  /// Sends what is waiting and sets the timer anew.
  void wake();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::net
