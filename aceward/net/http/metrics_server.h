// One page of text over HTTP, for monitoring systems that come and fetch it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "aceward/base/address.h"
#include "aceward/base/result.h"
#include "aceward/net/event_loop.h"

namespace aceward::net {

struct MetricsServerConfig {
  Address listen;  ///< TCP; port 0 takes a free one. No encryption, no authentication: for the loopback interface.
  std::string path = "/metrics";
  std::string content_type = "text/plain; version=0.0.4; charset=utf-8";
  /// How long a request waits for the loop; past it the answer is 503.
  std::chrono::milliseconds deadline{2000};
};

/// GET of one path; anything else is 404. Threads of its own take the connections and touch no state: the page is made
/// on the loop's thread, to which they post (architecture, contract 9). Made and destroyed on the loop's thread.
class MetricsServer {
 public:
  /// `page` is called on the loop's thread, until the server is gone. Errors: `socket_bind_failed`.
  static Result<std::unique_ptr<MetricsServer>> listen(EventLoop& loop, MetricsServerConfig config,
                                                       std::function<std::string()> page);
  /// Requests that wait are answered with 503.
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  /// With the real port.
  const Address& address() const;

 private:
  struct Impl;
  explicit MetricsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::net
