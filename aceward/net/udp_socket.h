// A UDP socket that reads and writes in batches.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "aceward/base/address.h"
#include "aceward/base/bytes.h"
#include "aceward/net/event_loop.h"

namespace aceward::net {

struct UdpOptions {
  std::size_t batch = 32;            ///< datagrams a system call
  std::size_t datagram_size = 2048;  ///< what is longer is dropped and counted
  std::size_t max_queued = 4096;     ///< datagrams that wait for the socket to become writable; more are dropped
  int receive_buffer = 1 << 20;      ///< octets asked of the kernel, which may grant less
};

/// A datagram that was received. `data` lives only during the callback.
struct UdpReceived {
  Address from;
  Address local;  ///< the address that it was sent to, with this socket's port
  BytesView data;
};

/// [::] takes IPv4 too; 0.0.0.0 and IPv4 literals make an IPv4 socket. Belongs to the loop's thread.
class UdpSocket {
 public:
  using OnBatch = std::function<void(std::span<const UdpReceived>)>;

  /// Port 0 takes a free one. Errors: `socket_bind_failed`, `socket_failed`.
  static Result<std::unique_ptr<UdpSocket>> bind(EventLoop& loop, const Address& address, OnBatch on_batch,
                                                 UdpOptions options = {});
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  /// As bound, with the real port.
  const Address& local_address() const;
  /// Queues a copy; flush() sends. `local` says from which of the host's addresses, unspecified leaves it to the
  /// system.
  void send(const Address& to, const Address& local, BytesView datagram);
  /// Sends what is queued in as few system calls as possible; what the system does not take now goes when it can.
  void flush();

  struct Counters {
    std::uint64_t datagrams_in = 0;
    std::uint64_t datagrams_out = 0;
    std::uint64_t octets_in = 0;
    std::uint64_t octets_out = 0;
    std::uint64_t truncated = 0;      ///< longer than datagram_size, dropped
    std::uint64_t queue_dropped = 0;  ///< max_queued was reached
    std::uint64_t send_errors = 0;    ///< refused by the system, dropped
    std::uint64_t receive_errors = 0;
    std::uint64_t calls_in = 0;  ///< system calls
    std::uint64_t calls_out = 0;
  };
  const Counters& counters() const;

 private:
  struct Impl;
  explicit UdpSocket(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace aceward::net
