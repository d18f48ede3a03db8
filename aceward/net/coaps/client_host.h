// Runs a coaps::ClientStack on real sockets.
#pragma once

#include <memory>

#include "aceward/coaps/client_stack.h"
#include "aceward/net/application.h"
#include "aceward/net/event_loop.h"
#include "aceward/net/udp_socket.h"

namespace aceward::net {

/// Opens a socket for each channel when it is first used, and closes it when the session is gone. Belongs to the
/// loop's thread. The loop, the stack and the application outlive it.
class ClientHost {
 public:
  ClientHost(EventLoop& loop, coaps::ClientStack& stack, Application& application);
  ~ClientHost();
  ClientHost(const ClientHost&) = delete;
  ClientHost& operator=(const ClientHost&) = delete;

  /// After the application used the stack outside of pump (a connect, a request): pumps, sends what is waiting and sets
  /// the timer anew.
  void wake();

  /// The address that datagrams of a channel leave from towards `remote`; unspecified as long as the channel has no
  /// socket. For captures: it asks the system.
  Address local_address(coaps::Channel channel, const Address& remote) const;
  /// Sums over the sockets that are open.
  UdpSocket::Counters counters() const;
  std::size_t socket_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::net
