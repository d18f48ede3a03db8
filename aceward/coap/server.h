// A CoAP server in one object, sans-IO: the usual layers on each other, and the resources on top.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "aceward/base/random.h"
#include "aceward/coap/blockwise/blockwise.h"
#include "aceward/coap/observe/observations.h"
#include "aceward/coap/reliability/endpoint.h"
#include "aceward/coap/resource/router.h"

namespace aceward::coap {

struct ServerConfig {
  Parameters parameters{};
  Limits limits{};
  /// `message_size` is taken from `limits`.
  BlockwiseParameters blockwise{};
  BlockwiseLimits blockwise_limits{};
  ObservationLimits observations{};
  /// GET on /.well-known/core lists the resources (RFC 6690).
  bool well_known_core = true;
};

/// From the bottom: messages, block-wise transfer, observation, resources. Give it what arrives, take what is to be
/// sent, and call on_timeout when next_timeout says so; net::CoapServer does that on real sockets. Requests are handed
/// to their resources within receive() and on_timeout(). Not thread-safe.
class Server {
 public:
  /// `random` outlives the server.
  explicit Server(Random& random, const ServerConfig& config = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Answers a request at once. May call nothing of the server but layer() and router().
  using Handler = std::function<Response(const RequestArrived&)>;
  /// `handler` answers `method` at `path` ("/sensors/1"); methods without a handler get 4.05. Not for a path that
  /// router() has a resource of another kind for: the later of the two replaces the earlier.
  void on(Code method, std::string_view path, Handler handler);

  /// Lets clients observe what is at `path` (RFC 7641): they hear of it after changed().
  void observable(std::string_view path, const ObservableSettings& settings = {});
  void changed(std::string_view path, Instant now);

  /// For resources that answer later or cover a whole tree, and for virtual servers.
  Router& router();
  /// What resources answer through: the layer below the router.
  Layer& layer();
  Observations& observations();
  const Blockwise& blockwise() const;
  /// The message layer: its counters, what it holds, and which listeners answer strangers at length.
  Endpoint& endpoint();

  /// One datagram. `local` is the address that it was sent to; the answer's Outgoing::to.local is the same.
  void receive(const Address& from, const Address& local, BytesView datagram, Instant now);
  /// The next datagram to send to `to.remote` from `to.local`; nullopt when there is none.
  std::optional<Outgoing> next_datagram();
  /// nullopt: not before something else happens.
  std::optional<Instant> next_timeout() const;
  void on_timeout(Instant now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::coap
