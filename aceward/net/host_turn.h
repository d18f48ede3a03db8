// What a host does each time something has happened: one piece for all hosts, in net/ and net/coaps/.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "aceward/net/application.h"
#include "aceward/net/event_loop.h"

namespace aceward::net {

/// Lets the application act, sends what is waiting, and sets the timer anew; `Stack` is, say,
/// coaps::ServerStack. Belongs to the loop's thread.
template <class Stack>
class HostTurn {
 public:
  using Outgoing = typename decltype(std::declval<Stack&>().next_datagram(Instant{}))::value_type;
  using Send = std::function<void(Outgoing&&)>;

  /// `send` queues a datagram; `flush` sends what is queued, once a turn. The first three outlive this object.
  HostTurn(EventLoop& loop, Stack& stack, Application& application, Send send, std::function<void()> flush)
      : loop_(loop),
        stack_(stack),
        application_(application),
        send_(std::move(send)),
        flush_(std::move(flush)),
        timer_(loop, [this] { on_timer(); }) {}

  void run(Instant now) {
    if (running_) {  // wake() was called from inside pump()
      once_more_ = true;
      return;
    }
    running_ = true;
    do {
      once_more_ = false;
      application_.pump(now);
      while (auto out = stack_.next_datagram(now)) send_(std::move(*out));
    } while (once_more_);
    running_ = false;
    flush_();
    set_timer();
  }

 private:
  void on_timer() {
    const Instant now = loop_.now();
    stack_.on_timeout(now);
    application_.on_timeout(now);
    run(now);
  }

  void set_timer() {
    std::optional<Instant> next = stack_.next_timeout();
    const auto of_application = application_.next_timeout();
    if (of_application) next = next ? std::min(*next, *of_application) : *of_application;
    if (next) {
      timer_.set(*next);
    } else {
      timer_.cancel();
    }
  }

  EventLoop& loop_;
  Stack& stack_;
  Application& application_;
  Send send_;
  std::function<void()> flush_;
  Timer timer_;
  bool running_ = false;
  bool once_more_ = false;
};

}  // namespace aceward::net
