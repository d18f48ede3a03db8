#include "aceward/net/event_loop.h"

#include <algorithm>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>
#include <memory>
#include <optional>

#include "aceward/net/event_loop_impl.h"

namespace aceward::net {

/// A deadline that moves with every datagram costs no system call: the system's timer stays where it is if it goes off
/// no later, and is set anew when it finds that it went off early.
struct Timer::Impl : std::enable_shared_from_this<Timer::Impl> {
  Impl(EventLoop& loop_in, std::function<void()> on_expiry_in)
      : loop(loop_in), timer(loop_in.impl().io), on_expiry(std::move(on_expiry_in)) {}

  void arm(Instant at);
  void on_time();

  EventLoop& loop;
  asio::steady_timer timer;
  std::function<void()> on_expiry;
  std::optional<Instant> wanted;  ///< by whoever owns the timer
  std::optional<Instant> armed;   ///< when the system's timer goes off
  /// An expiry that was already queued when the system's timer was moved must not be taken for the new one.
  std::uint64_t setting = 0;
};

void Timer::Impl::arm(Instant at) {
  armed = at;
  timer.expires_after(std::max(std::chrono::nanoseconds(0), at - loop.now()));
  timer.async_wait([weak = weak_from_this(), mine = ++setting](const asio::error_code& error) {
    const auto self = weak.lock();
    if (!error && self && self->setting == mine) self->on_time();
  });
}

void Timer::Impl::on_time() {
  armed.reset();
  if (!wanted) return;
  if (loop.now() < *wanted) return arm(*wanted);
  wanted.reset();
  on_expiry();
}

Timer::Timer(EventLoop& loop, std::function<void()> on_expiry)
    : impl_(std::make_shared<Impl>(loop, std::move(on_expiry))) {}

Timer::~Timer() { ++impl_->setting; }

void Timer::set(Instant at) {
  impl_->wanted = at;
  if (!impl_->armed || at < *impl_->armed) impl_->arm(at);
}

void Timer::cancel() { impl_->wanted.reset(); }

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() {
  impl_->io.run();
  // After the end, not before the start: a stop() that came early must count.
  impl_->io.restart();
}

bool EventLoop::run_until(const std::function<bool()>& done, std::chrono::nanoseconds at_most) {
  const auto end = std::chrono::steady_clock::now() + at_most;
  while (!done()) {
    if (impl_->io.stopped()) impl_->io.restart();
    if (impl_->io.run_one_until(end) == 0) return done();
  }
  return true;
}

void EventLoop::stop() { impl_->io.stop(); }

void EventLoop::post(std::function<void()> work) { asio::post(impl_->io, std::move(work)); }

void EventLoop::handle_signals(std::function<void(int)> on_signal) {
  std::signal(SIGPIPE, SIG_IGN);
  const bool first = !impl_->on_signal;
  impl_->on_signal = std::move(on_signal);
  if (!first) return;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) impl_->signals.add(signal);
  impl_->await_signal();
}

void EventLoop::Impl::await_signal() {
  signals.async_wait([this](const asio::error_code& error, int signal) {
    if (error) return;
    await_signal();
    on_signal(signal);
  });
}

const Clock& EventLoop::clock() const { return impl_->clock; }

}  // namespace aceward::net
