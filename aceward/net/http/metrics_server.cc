#include "aceward/net/http/metrics_server.h"

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "aceward/net/reasons.h"

namespace aceward::net {
namespace {

/// Whoever scrapes is one or two, and the loop makes one page at a time anyway.
constexpr std::size_t connection_threads = 2;
constexpr std::chrono::seconds connection_patience{5};
constexpr std::size_t largest_request_body = 1024;

/// What the threads of connections and the loop share; outlives both.
struct Exchange {
  std::mutex mutex;
  std::condition_variable changed;
  bool closed = false;
  /// Called on the loop's thread alone, and only while not closed.
  std::function<std::string()> page;
};

struct Answer {
  std::optional<std::string> page;
  bool failed = false;
};

std::optional<std::string> ask_loop(EventLoop& loop, const std::shared_ptr<Exchange>& exchange,
                                    std::chrono::milliseconds deadline) {
  const auto answer = std::make_shared<Answer>();
  {
    // The loop is only posted to while the server is there, which the loop outlives.
    const std::scoped_lock lock(exchange->mutex);
    if (exchange->closed) return std::nullopt;
    loop.post([exchange, answer] {
      {
        const std::scoped_lock inside(exchange->mutex);
        if (exchange->closed) return;
      }
      std::string page = exchange->page();  // closing happens on this thread too
      const std::scoped_lock inside(exchange->mutex);
      answer->page = std::move(page);
      exchange->changed.notify_all();
    });
  }
  std::unique_lock lock(exchange->mutex);
  exchange->changed.wait_for(lock, deadline, [&] { return exchange->closed || answer->page.has_value(); });
  return answer->page;
}

}  // namespace

struct MetricsServer::Impl {
  ~Impl() {
    {
      const std::scoped_lock lock(exchange->mutex);
      exchange->closed = true;
    }
    exchange->changed.notify_all();
    server.stop();
    if (acceptor.joinable()) acceptor.join();
  }

  httplib::Server server;
  std::shared_ptr<Exchange> exchange = std::make_shared<Exchange>();
  std::atomic<bool> ended = false;
  std::thread acceptor;
  Address address;
};

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsServer::~MetricsServer() = default;

const Address& MetricsServer::address() const { return impl_->address; }

Result<std::unique_ptr<MetricsServer>> MetricsServer::listen(EventLoop& loop, MetricsServerConfig config,
                                                             std::function<std::string()> page) {
  auto impl = std::make_unique<Impl>();
  impl->exchange->page = std::move(page);
  httplib::Server& server = impl->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(connection_threads); };
  // One request a connection: one that stays open would keep a thread.
  server.set_keep_alive_max_count(1);
  server.set_read_timeout(connection_patience);
  server.set_write_timeout(connection_patience);
  server.set_payload_max_length(largest_request_body);
  server.set_tcp_nodelay(true);
  server.Get(config.path, [&loop, exchange = impl->exchange, deadline = config.deadline, type = config.content_type](
                              const httplib::Request&, httplib::Response& response) {
    auto text = ask_loop(loop, exchange, deadline);
    if (!text) {
      response.status = 503;
      response.set_header("Retry-After", "1");
      return response.set_content("the server is busy\n", "text/plain; charset=utf-8");
    }
    response.set_content(*text, type);
  });
  const std::string host = config.listen.host();
  if (config.listen.port == 0) {
    const int port = server.bind_to_any_port(host);
    if (port < 0) return fail(reason::socket_bind_failed, "metrics");
    config.listen.port = static_cast<std::uint16_t>(port);
  } else if (!server.bind_to_port(host, config.listen.port)) {
    return fail(reason::socket_bind_failed, "metrics");
  }
  impl->address = config.listen;
  impl->acceptor = std::thread([&server, &ended = impl->ended] {
    server.listen_after_bind();
    ended = true;
  });
  // stop() before the thread listens would be overlooked.
  while (!server.is_running() && !impl->ended) std::this_thread::yield();
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(impl)));
}

}  // namespace aceward::net
