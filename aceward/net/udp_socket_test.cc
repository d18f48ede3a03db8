#include "aceward/net/udp_socket.h"

#include <gtest/gtest.h>

#include <vector>

#include "aceward/net/reasons.h"
#include "aceward/net/resolve.h"

namespace aceward::net {
namespace {

constexpr std::chrono::seconds udp_patience{20};
const Address loopback_v4 = Address::v4(127, 0, 0, 1, 0);
const Address any_v4 = Address::v4(0, 0, 0, 0, 0);

Address loopback_v6() { return Address::parse("[::1]:0").value(); }

struct KeptDatagram {
  Address from;
  Address local;
  Bytes data;
};

/// A socket that keeps what it receives.
struct Ear {
  Ear(EventLoop& loop, const Address& address, UdpOptions options = {}) {
    auto bound = UdpSocket::bind(
        loop, address,
        [this](std::span<const UdpReceived> batch) {
          for (const auto& one : batch) heard.push_back({one.from, one.local, to_bytes(one.data)});
        },
        options);
    if (bound) socket = std::move(*bound);
  }
  std::unique_ptr<UdpSocket> socket;
  std::vector<KeptDatagram> heard;
};

Address with_port(Address address, std::uint16_t port) {
  address.port = port;
  return address;
}

bool has_ipv6(EventLoop& loop) { return Ear(loop, loopback_v6()).socket != nullptr; }

TEST(UdpSocket, CarriesDatagramsOverIpv4) {
  EventLoop loop;
  Ear a(loop, loopback_v4);
  Ear b(loop, loopback_v4);
  EXPECT_NE(a.socket->local_address().port, 0);
  a.socket->send(b.socket->local_address(), {}, to_bytes("hello"));
  a.socket->send(b.socket->local_address(), {}, {});
  a.socket->flush();
  ASSERT_TRUE(loop.run_until([&] { return b.heard.size() == 2; }, udp_patience));
  EXPECT_EQ(as_text(b.heard[0].data), "hello");
  EXPECT_TRUE(b.heard[1].data.empty());
  EXPECT_EQ(b.heard[0].from, a.socket->local_address());
  EXPECT_EQ(b.heard[0].local, b.socket->local_address());
}

TEST(UdpSocket, CarriesDatagramsOverIpv6) {
  EventLoop loop;
  if (!has_ipv6(loop)) GTEST_SKIP() << "this host has no IPv6 loopback";
  Ear a(loop, loopback_v6());
  Ear b(loop, loopback_v6());
  a.socket->send(b.socket->local_address(), a.socket->local_address(), to_bytes("hello"));
  a.socket->flush();
  ASSERT_TRUE(loop.run_until([&] { return !b.heard.empty(); }, udp_patience));
  EXPECT_EQ(b.heard[0].from, a.socket->local_address());
  EXPECT_EQ(b.heard[0].local, b.socket->local_address());
}

/// Asks `server` under the address 127.0.0.5 and expects the reply from there, not from the system's choice 127.0.0.1.
void expect_reply_from_where_it_was_asked(EventLoop& loop, Ear& server) {
  Ear client(loop, loopback_v4);
  const Address asked = Address::v4(127, 0, 0, 5, server.socket->local_address().port);
  client.socket->send(asked, {}, to_bytes("who"));
  client.socket->flush();
  ASSERT_TRUE(loop.run_until([&] { return !server.heard.empty(); }, udp_patience));
  EXPECT_EQ(server.heard[0].local, asked);
  server.socket->send(server.heard[0].from, server.heard[0].local, to_bytes("me"));
  server.socket->flush();
  ASSERT_TRUE(loop.run_until([&] { return !client.heard.empty(); }, udp_patience));
  EXPECT_EQ(client.heard[0].from, asked);
}

TEST(UdpSocket, RepliesLeaveFromTheAddressThatWasAsked) {
  EventLoop loop;
  Ear server(loop, any_v4);
  ASSERT_NE(server.socket, nullptr);
  expect_reply_from_where_it_was_asked(loop, server);
}

TEST(UdpSocket, ADualSocketTakesIpv4AndRepliesFromTheAddressThatWasAsked) {
  EventLoop loop;
  Ear server(loop, Address{});
  if (!server.socket) GTEST_SKIP() << "this host has no IPv6";
  expect_reply_from_where_it_was_asked(loop, server);
}

TEST(UdpSocket, ATruncatedDatagramIsDroppedAndCounted) {
  EventLoop loop;
  Ear a(loop, loopback_v4);
  Ear b(loop, loopback_v4, {.datagram_size = 100});
  a.socket->send(b.socket->local_address(), {}, Bytes(101, 1));
  a.socket->send(b.socket->local_address(), {}, Bytes(100, 2));
  a.socket->flush();
  ASSERT_TRUE(loop.run_until([&] { return !b.heard.empty(); }, udp_patience));
  EXPECT_EQ(b.heard.size(), 1U);
  EXPECT_EQ(b.heard[0].data, Bytes(100, 2));
  EXPECT_EQ(b.socket->counters().truncated, 1U);
  EXPECT_EQ(b.socket->counters().datagrams_in, 1U);
}

TEST(UdpSocket, ManyDatagramsTakeFewSystemCalls) {
  EventLoop loop;
  Ear a(loop, loopback_v4);
  Ear b(loop, loopback_v4);
  for (std::uint8_t i = 0; i < 96; ++i) a.socket->send(b.socket->local_address(), {}, Bytes{i});
  a.socket->flush();
  ASSERT_TRUE(loop.run_until([&] { return b.heard.size() == 96; }, udp_patience));
  for (std::uint8_t i = 0; i < 96; ++i) EXPECT_EQ(b.heard[i].data, Bytes{i});
  EXPECT_EQ(a.socket->counters().calls_out, 3U);
  EXPECT_LE(b.socket->counters().calls_in, 5U);
}

TEST(UdpSocket, TheQueueIsBounded) {
  EventLoop loop;
  Ear a(loop, loopback_v4, {.max_queued = 3});
  for (int i = 0; i < 5; ++i) a.socket->send(a.socket->local_address(), {}, to_bytes("x"));
  EXPECT_EQ(a.socket->counters().queue_dropped, 2U);
  a.socket->flush();
  EXPECT_EQ(a.socket->counters().datagrams_out, 3U);
}

TEST(UdpSocket, WhatTheSystemRefusesDoesNotHoldUpTheRest) {
  EventLoop loop;
  Ear a(loop, loopback_v4);
  Ear b(loop, loopback_v4);
  a.socket->send(b.socket->local_address(), {}, Bytes(70'000, 0));  // more than UDP carries
  a.socket->send(b.socket->local_address(), {}, to_bytes("fine"));
  a.socket->flush();
  ASSERT_TRUE(loop.run_until([&] { return !b.heard.empty(); }, udp_patience));
  EXPECT_EQ(as_text(b.heard[0].data), "fine");
  EXPECT_EQ(a.socket->counters().send_errors, 1U);
}

TEST(UdpSocket, APeerThatIsGoneAndASourceThatIsNotOursHoldNothingUp) {
  EventLoop loop;
  Ear a(loop, loopback_v4);
  Ear b(loop, loopback_v4);
  auto gone = std::make_unique<Ear>(loop, loopback_v4);
  const Address closed = gone->socket->local_address();
  gone.reset();
  for (int i = 0; i < 3; ++i) {
    a.socket->send(closed, {}, to_bytes("anybody?"));  // answered by ICMP
    a.socket->send(b.socket->local_address(), Address::v4(192, 0, 2, 77, 0), to_bytes("not from here"));
    a.socket->send(b.socket->local_address(), Address::v4(224, 0, 1, 187, 0), to_bytes("nor from a group"));
    a.socket->send(Address::v4(127, 0, 0, 1, 0), {}, to_bytes("to no port"));
    a.socket->flush();
    loop.run_until([] { return false; }, std::chrono::milliseconds(5));
  }
  a.socket->send(b.socket->local_address(), {}, to_bytes("fine"));
  a.socket->flush();
  ASSERT_TRUE(loop.run_until([&] { return !b.heard.empty(); }, udp_patience));
  EXPECT_EQ(as_text(b.heard[0].data), "fine");
  EXPECT_EQ(a.socket->counters().send_errors, 9U);
}

TEST(UdpSocket, APortInUseIsRefused) {
  EventLoop loop;
  Ear first(loop, loopback_v4);
  const auto second = UdpSocket::bind(loop, first.socket->local_address(), [](std::span<const UdpReceived>) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), reason::socket_bind_failed);
}

TEST(UdpSocket, MayBeDestroyedInsideItsOwnCallback) {
  EventLoop loop;
  std::unique_ptr<UdpSocket> socket;
  int calls = 0;
  socket = UdpSocket::bind(loop, loopback_v4,
                           [&](std::span<const UdpReceived>) {
                             ++calls;
                             socket.reset();
                           },
                           {.batch = 1})
               .value();
  Ear sender(loop, loopback_v4);
  for (int i = 0; i < 3; ++i) sender.socket->send(socket->local_address(), {}, to_bytes("x"));
  sender.socket->flush();
  ASSERT_TRUE(loop.run_until([&] { return socket == nullptr; }, udp_patience));
  loop.run_until([] { return false; }, std::chrono::milliseconds(5));
  EXPECT_EQ(calls, 1);
}

TEST(Resolve, TakesLiteralsOfBothFamilies) {
  EXPECT_EQ(resolve("127.0.0.1", 5683).value(), std::vector{Address::v4(127, 0, 0, 1, 5683)});
  EXPECT_EQ(resolve("[::1]", 5683).value(), std::vector{Address::parse("[::1]:5683").value()});
  EXPECT_EQ(resolve("::1", 1).value(), std::vector{Address::parse("[::1]:1").value()});
}

TEST(Resolve, TheSourceTowardsTheLoopbackIsTheLoopback) {
  EXPECT_EQ(source_towards(Address::v4(127, 0, 0, 1, 5683)), Address::v4(127, 0, 0, 1, 0));
}

TEST(Resolve, KnowsLocalhost) {
  const auto found = resolve("localhost", 5684);
  ASSERT_TRUE(found);
  for (const auto& address : *found) {
    EXPECT_EQ(address.port, 5684);
    EXPECT_TRUE(with_port(address, 0) == loopback_v4 || with_port(address, 0) == loopback_v6()) << address.to_string();
  }
}

TEST(Resolve, RefusesWhatIsNoName) {
  for (const std::string_view host :
       {std::string_view(""), std::string_view("a b"), std::string_view("no-such.invalid")}) {
    const auto found = resolve(host, 1);
    ASSERT_FALSE(found) << host;
    EXPECT_EQ(found.error(), reason::host_not_found);
  }
}

}  // namespace
}  // namespace aceward::net
