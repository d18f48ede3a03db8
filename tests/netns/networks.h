// Two hosts of our own: network namespaces joined by a cable.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace aceward::netns {

/// "server" has, on its end of the cable, 10.9.0.1, 10.9.0.2, 2001:db8:9::1, 2001:db8:9::2, fe80::9:1 and fe80::9:2,
/// and on another interface 10.9.1.1 and 2001:db8:9:1::1. "client" has 10.9.0.100, 2001:db8:9::100 and fe80::9:100, and
/// a route to the rest. Sockets belong to the host they were made on, wherever they are used later. Belongs to one
/// thread, which is on the client's host but for the time of on_server().
class TwoHosts {
 public:
  /// nullptr if the system does not let us; `why` says what was missing.
  static std::unique_ptr<TwoHosts> make(std::string& why);
  /// Returns to where the thread was.
  ~TwoHosts();
  TwoHosts(const TwoHosts&) = delete;
  TwoHosts& operator=(const TwoHosts&) = delete;

  void on_server(const std::function<void()>& work) const;
  /// The interface of the client's end of the cable, for link-local addresses.
  unsigned client_interface() const;

 private:
  TwoHosts() = default;
  int before_ = -1;
  int server_ = -1;
  int client_ = -1;
};

}  // namespace aceward::netns
