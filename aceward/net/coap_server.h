// coap::Server on real sockets.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "aceward/coap/server.h"
#include "aceward/net/event_loop.h"
#include "aceward/net/udp_socket.h"

namespace aceward::net {

/// Belongs to the loop's thread; the loop and `random` outlive it. A reply leaves from the address that was asked.
class CoapServer {
 public:
  CoapServer(EventLoop& loop, Random& random, const coap::ServerConfig& config = {});
  ~CoapServer();
  CoapServer(const CoapServer&) = delete;
  CoapServer& operator=(const CoapServer&) = delete;

  /// Returns the address with its real port; port 0 takes a free one. May be called several times.
  /// Errors: `socket_bind_failed`, `socket_failed`.
  Result<Address> listen(const Address& address, UdpOptions options = {});
  /// As coap::Server::on.
  void on(coap::Code method, std::string_view path, coap::Server::Handler handler);

  /// Lets clients observe what is at `path`, and tells them that it has changed.
  void observable(std::string_view path, const coap::ObservableSettings& settings = {});
  void changed(std::string_view path);

  /// For everything else. What is used of it outside of a handler is followed by wake().
  coap::Server& server();
  /// Sends what is waiting and sets the timer anew: after a late answer or a notification.
  void wake();

  /// One for each listen(), in order.
  std::vector<UdpSocket::Counters> counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::net
