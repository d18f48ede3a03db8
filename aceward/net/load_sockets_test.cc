#include "aceward/net/load_sockets.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "aceward/net/event_loop.h"
#include "aceward/net/udp_socket.h"

namespace aceward::net {
namespace {

/// Sends every datagram back, from a thread of its own.
class EchoThread {
 public:
  EchoThread() {
    auto bound = UdpSocket::bind(loop_, Address::v4(127, 0, 0, 1, 0), [this](std::span<const UdpReceived> batch) {
      for (const UdpReceived& one : batch) socket_->send(one.from, one.local, to_bytes(one.data));
      socket_->flush();
    });
    socket_ = std::move(bound).value();
    address = socket_->local_address();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~EchoThread() {
    loop_.stop();
    thread_.join();
  }
  Address address;

 private:
  EventLoop loop_;
  std::unique_ptr<UdpSocket> socket_;
  std::thread thread_;
};

TEST(LoadSockets, EachHasAPortOfItsOwnAndHearsItsOwnAnswers) {
  const EchoThread echo;
  const auto sockets = LoadSockets::open(echo.address, 300).value();
  std::set<std::uint16_t> ports;
  for (std::size_t i = 0; i < sockets->size(); ++i) {
    ports.insert(sockets->local_address(i).port);
    sockets->send(i, as_bytes("request of " + std::to_string(i)));
  }
  EXPECT_EQ(ports.size(), 300U);
  std::map<std::size_t, std::string> answers;
  while (answers.size() < 300) {
    const auto before = sockets->counters().datagrams_in;
    sockets->wait(std::chrono::seconds(10),
                  [&](std::size_t index, BytesView datagram) { answers[index] = std::string(as_text(datagram)); });
    ASSERT_GT(sockets->counters().datagrams_in, before);
  }
  for (const auto& [index, answer] : answers) EXPECT_EQ(answer, "request of " + std::to_string(index));
  EXPECT_EQ(sockets->counters().datagrams_out, 300U);
  EXPECT_EQ(sockets->counters().octets_in, sockets->counters().octets_out);
}

TEST(LoadSockets, NobodyListeningIsCountedAndDoesNotEndIt) {
  Address nobody;
  {
    const EchoThread gone;
    nobody = gone.address;
  }
  const auto sockets = LoadSockets::open(nobody, 1).value();
  sockets->send(0, as_bytes("anybody there?"));
  sockets->wait(std::chrono::seconds(10), [](std::size_t, BytesView) { FAIL(); });
  EXPECT_EQ(sockets->counters().refused, 1U);
  sockets->send(0, as_bytes("again"));
  EXPECT_EQ(sockets->counters().datagrams_out, 2U);
}

}  // namespace
}  // namespace aceward::net
