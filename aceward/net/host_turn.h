// What a host does each time something has happened: one piece for all hosts, in net/ and net/coaps/.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "aceward/net/application.h"
#include "aceward/net/event_loop.h"

namespace aceward::net {

/// Lets the application act, sends what is waiting, and sets the timer anew; `Stack` is coap::Server,
/// coaps::ServerStack and the like. Belongs to the loop's thread.
template <class Stack>
class HostTurn {
 public:
  static auto take(Stack& stack, Instant now) {
    if constexpr (requires { stack.next_datagram(now); }) {
      return stack.next_datagram(now);
    } else {
      return stack.next_datagram();
    }
  }
  using Outgoing = typename decltype(take(std::declval<Stack&>(), Instant{}))::value_type;
  using Send = std::function<void(Outgoing&&)>;

  /// `send` queues a datagram, whose memory goes round if it is left where it was; `flush` sends what is queued, once a
  /// turn. The first three outlive this object.
  HostTurn(EventLoop& loop, Stack& stack, Application& application, Send send, std::function<void()> flush)
      : HostTurn(loop, stack, &application, std::move(send), std::move(flush)) {}
  /// Without an application: the stack itself acts.
  HostTurn(EventLoop& loop, Stack& stack, Send send, std::function<void()> flush)
      : HostTurn(loop, stack, nullptr, std::move(send), std::move(flush)) {}

  void run(Instant now) {
    if (running_) {  // wake() was called from inside pump()
      once_more_ = true;
      return;
    }
    running_ = true;
    do {
      once_more_ = false;
      if (application_ != nullptr) application_->pump(now);
      while (auto out = take(stack_, now)) {
        Bytes& datagram = out->datagram;
        send_(std::move(*out));
        if constexpr (requires { stack_.endpoint().recycle(std::move(datagram)); }) {
          stack_.endpoint().recycle(std::move(datagram));
        }
      }
    } while (once_more_);
    running_ = false;
    flush_();
    set_timer();
  }

 private:
  HostTurn(EventLoop& loop, Stack& stack, Application* application, Send send, std::function<void()> flush)
      : loop_(loop),
        stack_(stack),
        application_(application),
        send_(std::move(send)),
        flush_(std::move(flush)),
        timer_(loop, [this] { on_timer(); }) {}

  void on_timer() {
    const Instant now = loop_.now();
    stack_.on_timeout(now);
    if (application_ != nullptr) application_->on_timeout(now);
    run(now);
  }

  void set_timer() {
    std::optional<Instant> next = stack_.next_timeout();
    const auto of_application = application_ != nullptr ? application_->next_timeout() : std::nullopt;
    if (of_application) next = next ? std::min(*next, *of_application) : *of_application;
    if (next) {
      timer_.set(*next);
    } else {
      timer_.cancel();
    }
  }

  EventLoop& loop_;
  Stack& stack_;
  Application* application_;
  Send send_;
  std::function<void()> flush_;
  Timer timer_;
  bool running_ = false;
  bool once_more_ = false;
};

}  // namespace aceward::net
