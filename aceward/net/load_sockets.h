// Very many client sockets towards one server, for load generators.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "aceward/base/address.h"
#include "aceward/base/bytes.h"

namespace aceward::net {

/// Connected UDP sockets, each with a port of its own, waited for together. Knows no event loop: whoever measures
/// others should be busy with nothing else. Not thread-safe.
class LoadSockets {
 public:
  /// `index` says which socket. The octets live only during the call.
  using OnDatagram = std::function<void(std::size_t index, BytesView datagram)>;

  /// Raises the process's limit on open files as far as it may. Errors: `socket_failed` (the limit is too low, or there
  /// are not so many ports).
  static Result<std::unique_ptr<LoadSockets>> open(const Address& server, std::size_t count);
  ~LoadSockets();
  LoadSockets(const LoadSockets&) = delete;
  LoadSockets& operator=(const LoadSockets&) = delete;

  std::size_t size() const { return sockets_.size(); }
  Address local_address(std::size_t index) const;

  /// At once. What the system does not take is lost, as on a network, and counted.
  void send(std::size_t index, BytesView datagram);
  /// Sleeps until something arrives or the time is over (to a microsecond or so; with 0 it only looks), and delivers
  /// what is there, one datagram a socket.
  void wait(std::chrono::nanoseconds at_most, const OnDatagram& on_datagram);

  struct Counters {
    std::uint64_t datagrams_in = 0;
    std::uint64_t datagrams_out = 0;
    std::uint64_t octets_in = 0;
    std::uint64_t octets_out = 0;
    std::uint64_t refused = 0;      ///< the host said that nobody listens there
    std::uint64_t send_errors = 0;  ///< not taken by the system
  };
  const Counters& counters() const { return counters_; }

 private:
  LoadSockets() = default;

  int epoll_ = -1;
  std::vector<int> sockets_;
  Bytes buffer_;
  Counters counters_;
};

}  // namespace aceward::net
