// The inside of EventLoop, for the .cc files of net/ that talk to Asio.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include "aceward/net/event_loop.h"

namespace aceward::net {

struct EventLoop::Impl {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::signal_set signals{io};
  std::function<void(int)> on_signal;
  SystemClock clock;

  void await_signal();
};

}  // namespace aceward::net
