// What a service manager is told about the process: the protocol of sd_notify(3), written by ourselves, as it is one
// datagram of text to a Unix socket.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "aceward/base/time.h"

namespace aceward::net {

/// Sends to the socket that $NOTIFY_SOCKET names; does nothing where there is none. A datagram that cannot be sent is
/// dropped: the manager's absence is no reason to stop serving. Any thread.
class ServiceNotifier {
 public:
  /// `socket`: an absolute path, or an abstract name that begins with `@`; empty, or anything else: nobody is told.
  explicit ServiceNotifier(std::string_view socket = {});
  ~ServiceNotifier();
  ServiceNotifier(ServiceNotifier&& other) noexcept;
  ServiceNotifier& operator=(ServiceNotifier&& other) noexcept;

  /// From $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, which are taken out of the environment: no child of this
  /// process speaks for it. Changes the environment, so call it before there are threads.
  static ServiceNotifier from_environment();

  bool is_active() const { return descriptor_ >= 0; }
  /// How often the manager wants a sign of life at least; absent: never.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

  /// READY=1: started, or reloaded.
  void ready(std::string_view status);
  /// RELOADING=1, with the time of CLOCK_MONOTONIC at which it began; ready() follows.
  void reloading(const Clock& clock);
  /// STOPPING=1: drains.
  void stopping(std::string_view status);
  /// STATUS= alone: a line for people.
  void status(std::string_view status);
  /// WATCHDOG=1.
  void alive();

 private:
  void send(std::string_view assignments);

  std::string socket_;
  int descriptor_ = -1;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace aceward::net
