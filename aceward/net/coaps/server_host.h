// Runs a coaps::ServerStack on real sockets.
#pragma once

#include <memory>
#include <vector>

#include "aceward/coaps/server_stack.h"
#include "aceward/net/application.h"
#include "aceward/net/event_loop.h"
#include "aceward/net/udp_socket.h"

namespace aceward::net {

/// Belongs to the loop's thread. The loop, the stack and the application outlive it.
class ServerHost {
 public:
  ServerHost(EventLoop& loop, coaps::ServerStack& stack, Application& application);
  ~ServerHost();
  ServerHost(const ServerHost&) = delete;
  ServerHost& operator=(const ServerHost&) = delete;

  /// Returns the address with its real port. May be called several times, for either kind.
  /// Errors: `socket_bind_failed`, `socket_failed`.
  Result<Address> listen(coaps::ListenerKind kind, const Address& address, UdpOptions options = {});

  /// After the application used the stack outside of pump (a posted completion, an admin command): pumps, sends what is
  /// waiting and sets the timer anew.
  void wake();

  /// For a shutdown: what comes in from now on is dropped, as if nobody were there; answers that are still due leave as
  /// before. Who asked something new asks again, and meets the next process.
  void stop_receiving();

  /// One for each listen(), in order.
  std::vector<UdpSocket::Counters> counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::net
