#include "aceward/net/event_loop.h"

#include <algorithm>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>

#include "aceward/net/event_loop_impl.h"

namespace aceward::net {

struct Timer::Impl {
  Impl(EventLoop& loop_in, std::function<void()> on_expiry_in)
      : loop(loop_in), timer(loop_in.impl().io), on_expiry(std::move(on_expiry_in)) {}

  EventLoop& loop;
  asio::steady_timer timer;
  std::function<void()> on_expiry;
  /// An expiry that was already queued when the timer was moved must not be taken for the new one.
  std::uint64_t setting = 0;
};

Timer::Timer(EventLoop& loop, std::function<void()> on_expiry)
    : impl_(std::make_shared<Impl>(loop, std::move(on_expiry))) {}

Timer::~Timer() { cancel(); }

void Timer::set(Instant at) {
  const auto wait = std::max(std::chrono::nanoseconds(0), at - impl_->loop.now());
  const std::uint64_t setting = ++impl_->setting;
  impl_->timer.expires_after(wait);
  impl_->timer.async_wait([weak = std::weak_ptr(impl_), setting](const asio::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->setting != setting) return;
    ++self->setting;
    self->on_expiry();
  });
}

void Timer::cancel() {
  ++impl_->setting;
  impl_->timer.cancel();
}

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
