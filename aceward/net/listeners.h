// The sockets that a server listens on: one piece for all hosts, in net/ and net/coaps/.
#pragma once

#include <memory>
#include <vector>

#include "aceward/net/udp_socket.h"

namespace aceward::net {

/// Belongs to the loop's thread.
class Listeners {
 public:
  /// `kind` tells sockets apart that carry different things on them (plain CoAP, DTLS).
  /// Returns the address with its real port. Errors: those of UdpSocket::bind.
  Result<Address> listen(EventLoop& loop, int kind, const Address& address, UdpSocket::OnBatch on_batch,
                         UdpOptions options);
  /// Queues on the socket of that kind that `local` was received at. Without any, the datagram is lost.
  void send(int kind, const Address& to, const Address& local, BytesView datagram);
  void flush();
  /// One for each listen(), in order.
  std::vector<UdpSocket::Counters> counters() const;

 private:
  struct Listener {
    int kind;
    std::unique_ptr<UdpSocket> socket;
  };
  std::vector<Listener> listeners_;
};

}  // namespace aceward::net
