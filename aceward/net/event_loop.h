// One thread's event loop: timers, signals, and work posted by other threads.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "aceward/base/time.h"

namespace aceward::net {

class EventLoop;

/// Calls back once at a time that can be moved. Belongs to the loop's thread; goes before the loop does.
class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> on_expiry);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Replaces what was set before. A time in the past means: in the next turn of the loop.
  void set(Instant at);
  void cancel();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// run() is called by one thread, and everything but post() and stop() belongs to that thread. An exception that a
/// callback throws leaves run().
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Until stop().
  void run();
  /// Until `done()` holds (asked after every turn) or the time has passed; returns the last `done()`.
  bool run_until(const std::function<bool()>& done, std::chrono::nanoseconds at_most);
  /// Ends run() after the turn at hand. Thread-safe.
  void stop();
  /// Calls `work` on the loop's thread. Thread-safe; keeps the order of one caller.
  void post(std::function<void()> work);
  /// `on_signal` gets SIGINT, SIGTERM and SIGHUP from now on, in the loop's thread instead of the default action.
  /// SIGPIPE is ignored.
  void handle_signals(std::function<void(int)> on_signal);

  /// The clock that timers go by.
  const Clock& clock() const;
  Instant now() const { return clock().now(); }

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::net
