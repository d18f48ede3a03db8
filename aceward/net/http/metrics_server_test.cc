#include "aceward/net/http/metrics_server.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <future>

#include "aceward/net/reasons.h"

namespace aceward::net {
namespace {

constexpr std::chrono::seconds http_patience{20};

struct Fetched {
  int status = 0;
  std::string body;
  std::string type;
};

Fetched fetch_page(const Address& from, const char* path) {
  httplib::Client client(from.host(), from.port);
  client.set_read_timeout(http_patience);
  const auto response = client.Get(path);
  if (!response) return {};
  return {response->status, response->body, response->get_header_value("Content-Type")};
}

/// From another thread while the loop runs here.
Fetched fetch_while_running(EventLoop& loop, const Address& from, const char* path) {
  bool fetched = false;
  auto answer = std::async(std::launch::async, [&] {
    auto result = fetch_page(from, path);
    loop.post([&] { fetched = true; });
    return result;
  });
  loop.run_until([&] { return fetched; }, http_patience);
  return answer.get();
}

TEST(MetricsServer, GivesThePageThatTheLoopMakes) {
  EventLoop loop;
  int asked = 0;
  const auto server = MetricsServer::listen(loop, {.listen = *Address::parse("127.0.0.1:0")}, [&] {
                        return "page " + std::to_string(++asked) + "\n";
                      }).value();
  ASSERT_NE(server->address().port, 0);
  const Fetched first = fetch_while_running(loop, server->address(), "/metrics");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "page 1\n");
  EXPECT_EQ(first.type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(fetch_while_running(loop, server->address(), "/metrics").body, "page 2\n");
  EXPECT_EQ(fetch_while_running(loop, server->address(), "/other").status, 404);
  EXPECT_EQ(asked, 2);
}

TEST(MetricsServer, ALoopThatDoesNotComeToItMeans503) {
  EventLoop loop;
  const auto server =
      MetricsServer::listen(loop, {.listen = *Address::parse("127.0.0.1:0"), .deadline = std::chrono::milliseconds(1)},
                            [] { return "late\n"; })
          .value();
  EXPECT_EQ(fetch_page(server->address(), "/metrics").status, 503);
}

TEST(MetricsServer, EndsWhileARequestWaits) {
  EventLoop loop;
  auto server =
      MetricsServer::listen(loop, {.listen = *Address::parse("127.0.0.1:0"), .deadline = std::chrono::hours(1)}, [] {
        return "late\n";
      }).value();
  auto waiting = std::async(std::launch::async, [from = server->address()] { return fetch_page(from, "/metrics"); });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  server.reset();
  EXPECT_NE(waiting.get().status, 200);
}

TEST(MetricsServer, SaysWhenTheAddressIsTaken) {
  EventLoop loop;
  const auto first = MetricsServer::listen(loop, {.listen = *Address::parse("[::1]:0")}, [] { return ""; }).value();
  const auto second = MetricsServer::listen(loop, {.listen = Address::v4(203, 0, 113, 1, 9)}, [] { return ""; });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), reason::socket_bind_failed);
}

}  // namespace
}  // namespace aceward::net
