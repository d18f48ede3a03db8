// What runs on top of a stack that a host drives.
#pragma once

#include <optional>

#include "aceward/base/time.h"

namespace aceward::net {

/// Called by a host (net/coaps/server_host.h) on the loop's thread.
class Application {
 public:
  virtual ~Application() = default;
  /// Something may have happened: take the stack's session events, then the top layer's events, and act. What is sent
  /// thereby leaves after the call.
  virtual void pump(Instant now) = 0;
  /// When the layers above the stack want on_timeout.
  virtual std::optional<Instant> next_timeout() const { return std::nullopt; }
  /// For the layers above the stack; the stack's own timeouts are done. pump follows.
  virtual void on_timeout(Instant now) { static_cast<void>(now); }
};

}  // namespace aceward::net
