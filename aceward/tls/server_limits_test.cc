// What strangers cannot do to a server: state, memory, other people's sessions.
#include <gtest/gtest.h>

#include "aceward/tls/reasons.h"
#include "aceward/tls/records.h"
#include "aceward/tls/test_network.h"

namespace aceward::tls {
namespace {

using testing::client_address;
using testing::Rig;
using testing::server_address;

/// The first datagram of a fresh client: a ClientHello without a cookie.
Bytes fresh_hello() {
  auto client =
      Client::create(SessionId(1), server_address, testing::psk_of(as_bytes("alice"), as_bytes("0123456789abcdef")))
          .value();
  client.start(Instant(std::chrono::hours(1)));
  return client.next_datagram()->datagram;
}

Address stranger(std::uint32_t number) {
  return Address::v4(10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                     static_cast<std::uint8_t>(number), 5000);
}

/// A client that stops after its second ClientHello: it leaves a handshake half open.
void leave_half_open(Rig& rig, std::uint16_t port) {
  Client& client = rig.connect_psk(client_address(port));
  const std::size_t before = rig.server.half_open_count();
  ASSERT_TRUE(rig.network.run([&] { return rig.server.half_open_count() > before; }));
  rig.network.detach(client_address(port));
  static_cast<void>(client);
}

TEST(DtlsCookie, TenThousandStrangersCauseNoState) {
  Rig rig;
  const Bytes hello = fresh_hello();
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    rig.server.receive(stranger(i), server_address, hello, rig.network.clock.now());
    const auto answer = rig.server.next_datagram();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->to, stranger(i));
    EXPECT_LT(answer->datagram.size(), hello.size());  // no amplification
    EXPECT_FALSE(rig.server.next_datagram());
  }
  EXPECT_EQ(rig.server.counters().cookies_sent, 10'000U);
  EXPECT_EQ(rig.server.counters().handshakes_started, 0U);
  EXPECT_EQ(rig.server.half_open_count() + rig.server.session_count(), 0U);
  EXPECT_FALSE(rig.server.next_event());
  EXPECT_FALSE(rig.server.next_timeout());
}

/// The second ClientHello of an honest client, caught before it reaches the server; empty if none was sent.
Bytes hello_with_cookie(Rig& rig) {
  Bytes with_cookie;
  rig.network.on_send = [&](const Address& from, const Address&, Bytes& datagram) {
    BytesView rest = datagram;
    const auto record = next_record(rest);
    const auto hello = record ? parse_client_hello(*record) : std::nullopt;
    if (from == server_address || !hello || hello->cookie.empty()) return true;
    with_cookie = datagram;
    return false;
  };
  rig.connect_psk();
  rig.network.run([&] { return !with_cookie.empty(); });
  rig.network.on_send = nullptr;
  return with_cookie;
}

TEST(DtlsCookie, IsGoodForOneAddressOnly) {
  Rig rig;
  const Bytes with_cookie = hello_with_cookie(rig);
  ASSERT_FALSE(with_cookie.empty());
  rig.server.receive(stranger(1), server_address, with_cookie, rig.network.clock.now());
  EXPECT_EQ(rig.server.half_open_count(), 0U);
  const auto other_local = Address::v4(192, 0, 2, 2, 5684);
  rig.server.receive(client_address(), other_local, with_cookie, rig.network.clock.now());
  EXPECT_EQ(rig.server.half_open_count(), 0U);
  rig.server.receive(client_address(), server_address, with_cookie, rig.network.clock.now());
  EXPECT_EQ(rig.server.half_open_count(), 1U);
}

TEST(DtlsCookie, IsGoodForOneClientHelloOnly) {
  Rig rig;
  const Bytes with_cookie = hello_with_cookie(rig);
  ASSERT_FALSE(with_cookie.empty());
  const std::uint64_t challenged = rig.server.counters().cookies_sent;
  // After the headers and the version: the client's random. After the cookie: the cipher suites.
  BytesView rest = with_cookie;
  const std::size_t cookie_at = 13 + 12 + 2 + 32 + 1 + 1;
  const std::size_t suites_at = cookie_at + parse_client_hello(*next_record(rest))->cookie.size() + 2;
  for (const std::size_t at : {std::size_t{13 + 12 + 2}, std::size_t{13 + 12 + 2 + 31}, suites_at + 1}) {
    Bytes other = with_cookie;
    other[at] ^= 1;
    rig.server.receive(client_address(), server_address, other, rig.network.clock.now());
    EXPECT_EQ(rig.server.half_open_count(), 0U) << at;
  }
  EXPECT_EQ(rig.server.counters().cookies_sent, challenged + 3);
  rig.server.receive(client_address(), server_address, with_cookie, rig.network.clock.now());
  EXPECT_EQ(rig.server.half_open_count(), 1U);
}

TEST(DtlsCookie, ExpiresWithItsKeyAfterOneMoreLifetime) {
  for (const auto& [seconds, accepted] :
       {std::pair{59, 1U}, std::pair{61, 1U}, std::pair{119, 1U}, std::pair{125, 0U}}) {
    Rig rig;
    const Bytes with_cookie = hello_with_cookie(rig);
    ASSERT_FALSE(with_cookie.empty());
    const Instant later = rig.network.clock.now() + std::chrono::seconds(seconds);
    // A stranger in between makes the key rotate.
    rig.server.receive(stranger(1), server_address, fresh_hello(), rig.network.clock.now() + std::chrono::seconds(61));
    if (seconds > 61) rig.server.receive(stranger(2), server_address, fresh_hello(), later);
    rig.server.receive(client_address(), server_address, with_cookie, later);
    EXPECT_EQ(rig.server.half_open_count(), accepted) << seconds;
  }
}

TEST(DtlsHalfOpen, AtTheCapNewHandshakesAreDroppedAndLiveSessionsGoOn) {
  Rig rig(ServerConfig{.max_half_open = 3});
  Client& alive = rig.connect_psk(client_address(1));
  ASSERT_TRUE(rig.settle(alive));
  for (std::uint16_t port = 2; port <= 4; ++port) leave_half_open(rig, port);
  ASSERT_EQ(rig.server.half_open_count(), 3U);

  rig.connect_psk(client_address(5));
  ASSERT_TRUE(rig.network.run([&] { return rig.server.counters().refused_half_open > 0; }));
  EXPECT_EQ(rig.server.half_open_count(), 3U);
  ASSERT_TRUE(alive.send(as_bytes("still here"), rig.network.clock.now()));
  EXPECT_TRUE(rig.network.run([&] { return rig.network.at_server<Data>() != nullptr; }));
}

TEST(DtlsHalfOpen, OneHostCannotKeepAllPlacesFromAnother) {
  Rig rig(ServerConfig{.max_half_open = 4});
  for (std::uint16_t port = 2; port <= 5; ++port) leave_half_open(rig, port);
  ASSERT_EQ(rig.server.half_open_count(), 4U);
  const auto honest = Address::v4(203, 0, 113, 9, 40'000);
  Client& client = rig.connect_psk(honest);
  ASSERT_TRUE(rig.network.run([&] { return client.established(); }, std::chrono::seconds(5)));
  EXPECT_EQ(rig.server.counters().refused_half_open, 0U);
  EXPECT_EQ(rig.server.half_open_count(), 3U);
  EXPECT_EQ(rig.server.counters().handshakes_failed, 1U);
}

TEST(DtlsHalfOpen, APrefixOf64BitsIsOneHost) {
  Rig rig(ServerConfig{.max_half_open = 4});
  for (std::uint8_t host = 1; host <= 6; ++host) {
    Address crowd = Address::parse("[2001:db8:0:1::]:5000").value();
    crowd.ip[15] = host;
    rig.connect_psk(crowd);
    rig.network.run([] { return false; }, std::chrono::milliseconds(35));
    rig.network.detach(crowd);
  }
  EXPECT_EQ(rig.server.half_open_count(), 4U);
  EXPECT_EQ(rig.server.counters().refused_half_open, 2U) << "its own crowd gives it no room";
  Client& client = rig.connect_psk(Address::parse("[2001:db8:0:2::1]:5000").value());
  EXPECT_TRUE(rig.network.run([&] { return client.established(); }, std::chrono::seconds(5)));
}

TEST(DtlsHalfOpen, TimesOutAndMakesRoom) {
  Rig rig(ServerConfig{.max_half_open = 1, .half_open_timeout = std::chrono::seconds(10)});
  leave_half_open(rig, 2);
  const Instant since = rig.network.clock.now();
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_server<HandshakeFailed>() != nullptr; }));
  EXPECT_EQ(rig.network.at_server<HandshakeFailed>()->why, reason::handshake_timed_out);
  EXPECT_EQ(rig.network.clock.now() - since, std::chrono::seconds(10));
  EXPECT_EQ(rig.server.half_open_count(), 0U);
  Client& client = rig.connect_psk(client_address(3));
  EXPECT_TRUE(rig.settle(client));
}

TEST(DtlsSessions, AtTheLimitNewPeersAreRefusedAndCounted) {
  Rig rig(ServerConfig{.max_sessions = 2});
  Client& first = rig.connect_psk(client_address(1));
  Client& second = rig.connect_psk(client_address(2));
  ASSERT_TRUE(rig.network.run([&] { return first.established() && second.established(); }));
  Client& third = rig.connect_psk(client_address(3));
  ASSERT_TRUE(rig.network.run([&] { return rig.server.counters().refused_sessions > 0; }));
  EXPECT_FALSE(third.established());
  // A peer that is known may begin anew all the same.
  rig.network.detach(client_address(1));
  Client& again = rig.connect_psk(client_address(1));
  EXPECT_TRUE(rig.network.run([&] { return again.established(); }));
  EXPECT_EQ(rig.server.session_count(), 2U);
}

TEST(DtlsSessions, AnIdleSessionIsClosedAndThePeerTold) {
  Rig rig(ServerConfig{.idle_timeout = std::chrono::minutes(1)});
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  rig.network.idle(std::chrono::seconds(50));
  ASSERT_TRUE(client.send(as_bytes("x"), rig.network.clock.now()));  // starts the minute anew
  rig.network.idle(std::chrono::seconds(50));
  EXPECT_EQ(rig.network.at_server<Closed>(), nullptr);
  rig.network.idle(std::chrono::seconds(11));
  ASSERT_NE(rig.network.at_server<Closed>(), nullptr);
  EXPECT_EQ(rig.network.at_server<Closed>()->why, reason::session_idle);
  rig.network.idle(std::chrono::seconds(1));
  ASSERT_NE(rig.network.at_client<Closed>(client_address()), nullptr);
  EXPECT_EQ(rig.network.at_client<Closed>(client_address())->why, reason::session_closed_by_peer);
}

TEST(DtlsGarbage, IsDroppedWithoutHarmToTheSession) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  SeededRandom random(3);
  const Instant now = rig.network.clock.now();
  for (int i = 0; i < 2'000; ++i) {
    Bytes garbage = random.bytes(random.below(200));
    if (i % 2 == 1 && garbage.size() >= 13) {
      // Looks like a record, of any kind and epoch.
      garbage[0] = static_cast<std::uint8_t>(20 + garbage[0] % 4);
      garbage[1] = 0xfe;
      garbage[2] = 0xfd;
      garbage[3] = 0;
      garbage[4] &= 1;
      garbage[11] = 0;
      garbage[12] = static_cast<std::uint8_t>(garbage.size() - 13);
    }
    rig.server.receive(client_address(), server_address, garbage, now);
    client.receive(garbage, now);
  }
  const Bytes oversized(65'000, 0x16);
  rig.server.receive(client_address(), server_address, oversized, now);
  client.receive(oversized, now);
  EXPECT_EQ(rig.server.session_count(), 1U);
  EXPECT_GT(rig.server.counters().undecryptable, 0U);
  EXPECT_GT(rig.server.counters().malformed, 0U);
  ASSERT_TRUE(client.send(as_bytes("fine"), now));
  EXPECT_TRUE(rig.network.run([&] { return rig.network.at_server<Data>() != nullptr; }));
  EXPECT_EQ(rig.network.at_client<Closed>(client_address()), nullptr);
}

TEST(DtlsGarbage, FromAStrangerCausesNoAnswer) {
  Rig rig;
  SeededRandom random(4);
  for (int i = 0; i < 1'000; ++i) {
    rig.server.receive(stranger(1), server_address, random.bytes(random.below(300)), rig.network.clock.now());
  }
  Bytes truncated = fresh_hello();
  while (truncated.size() > 1) {
    truncated.pop_back();
    rig.server.receive(stranger(1), server_address, truncated, rig.network.clock.now());
  }
  EXPECT_FALSE(rig.server.next_datagram());
  EXPECT_FALSE(rig.server.next_event());
}

}  // namespace
}  // namespace aceward::tls
