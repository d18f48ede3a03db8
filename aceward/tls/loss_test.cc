// Handshakes over a network that loses, repeats and reorders.
#include <gtest/gtest.h>

#include "aceward/tls/reasons.h"
#include "aceward/tls/records.h"
#include "aceward/tls/test_network.h"

namespace aceward::tls {
namespace {

using testing::client_address;
using testing::Faults;
using testing::key_of_client;
using testing::key_of_server;
using testing::psk_of;
using testing::Rig;
using testing::server_address;

/// Enough retransmissions for a bad network.
constexpr std::chrono::milliseconds patient{120'000};

struct LossyHandshake : ::testing::TestWithParam<std::uint64_t> {
  static Rig rig(Faults faults) {
    return Rig(ServerConfig{.raw_key = key_of_server(), .half_open_timeout = patient}, faults, GetParam());
  }
  static void expect_both_ends_alive(Rig& rig, Client& client) {
    ASSERT_TRUE(rig.settle(client));
    const auto id = rig.network.at_server<Established>()->id;
    // Application data is not retransmitted by DTLS, so it is sent until it arrives.
    for (int i = 0; i < 50 && rig.network.at_server<Data>() == nullptr; ++i) {
      ASSERT_TRUE(client.send(as_bytes("up"), rig.network.clock.now()));
      rig.network.idle(std::chrono::milliseconds(100));
    }
    for (int i = 0; i < 50 && rig.network.at_client<Data>(client_address()) == nullptr; ++i) {
      ASSERT_TRUE(rig.server.send(id, as_bytes("down"), rig.network.clock.now()));
      rig.network.idle(std::chrono::milliseconds(100));
    }
    ASSERT_NE(rig.network.at_server<Data>(), nullptr);
    EXPECT_EQ(as_text(rig.network.at_server<Data>()->octets), "up");
    ASSERT_NE(rig.network.at_client<Data>(client_address()), nullptr);
    EXPECT_EQ(as_text(rig.network.at_client<Data>(client_address())->octets), "down");
    EXPECT_EQ(rig.server.session_count(), 1U);
    EXPECT_EQ(rig.network.at_server<Closed>(), nullptr);
  }
};

TEST_P(LossyHandshake, PskCompletes) {
  Rig lossy = rig({.lose_percent = 25, .duplicate_percent = 20, .jitter = std::chrono::milliseconds(60)});
  Client& client = lossy.connect(psk_of(as_bytes("alice"), as_bytes("0123456789abcdef")), client_address(),
                                 {.handshake_timeout = patient});
  expect_both_ends_alive(lossy, client);
}

TEST_P(LossyHandshake, RawPublicKeysComplete) {
  Rig lossy = rig({.lose_percent = 20, .duplicate_percent = 20, .jitter = std::chrono::milliseconds(60)});
  Client& client = lossy.connect(RawKeyClient{key_of_client(), to_bytes(key_of_server().spki())}, client_address(),
                                 {.handshake_timeout = patient, .mtu = 300});
  expect_both_ends_alive(lossy, client);
}

TEST_P(LossyHandshake, ALongIdentityInFragmentsCompletes) {
  Rig lossy = rig({.lose_percent = 10, .duplicate_percent = 20, .jitter = std::chrono::milliseconds(60)});
  SeededRandom random(GetParam());
  const Bytes identity = random.bytes(4000);
  lossy.credentials.keys[identity] = to_bytes("0123456789abcdef");
  Client& client =
      lossy.connect(psk_of(identity, as_bytes("0123456789abcdef")), client_address(), {.handshake_timeout = patient});
  expect_both_ends_alive(lossy, client);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LossyHandshake, ::testing::Range<std::uint64_t>(1, 31));

TEST(DtlsRetransmission, TheLastFlightIsSentAgainWhenTheClientAsks) {
  Rig rig;
  int lost = 0;
  rig.network.on_send = [&](const Address& from, const Address&, Bytes& datagram) {
    // The server's change of cipher specification begins its last flight.
    if (from == server_address && datagram[0] == 20 && lost < 2) {
      ++lost;
      return false;
    }
    return true;
  };
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  EXPECT_EQ(lost, 2);
  EXPECT_EQ(rig.server.session_count(), 1U);
}

TEST(DtlsRetransmission, TheClientsLastFlightOvertakenByDataDoesNotEndTheSession) {
  Rig rig;
  int lost = 0;
  Bytes late;
  rig.network.on_send = [&](const Address& from, const Address&, Bytes& datagram) {
    if (from == server_address && datagram[0] == 20 && lost < 1) {
      ++lost;
      return false;
    }
    // The client sends its last flight again; this one takes the long way.
    if (from != server_address && datagram[0] == 22 && rig.network.at_server<Established>() != nullptr &&
        late.empty()) {
      late = datagram;
      return false;
    }
    return true;
  };
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  ASSERT_FALSE(late.empty());
  ASSERT_TRUE(client.send(as_bytes("first"), rig.network.clock.now()));
  rig.network.idle(std::chrono::milliseconds(50));
  ASSERT_NE(rig.network.at_server<Data>(), nullptr);
  rig.server.receive(client_address(), server_address, late, rig.network.clock.now());
  ASSERT_TRUE(client.send(as_bytes("second"), rig.network.clock.now()));
  rig.network.idle(std::chrono::milliseconds(50));
  EXPECT_EQ(rig.network.at_server<Closed>(), nullptr);
  EXPECT_EQ(as_text(rig.network.at_server<Data>()->octets), "second");
}

TEST(DtlsRetransmission, TheLastFlightIsSentAgainThoughTheTimeForTheHandshakeIsOver) {
  Rig rig({.raw_key = key_of_server(), .half_open_timeout = std::chrono::seconds(4)});
  const Instant began = rig.network.clock.now();
  rig.network.on_send = [&](const Address& from, const Address&, Bytes& datagram) {
    // The server's last flight: a change of cipher specification, and a record of the next epoch.
    const bool last_flight = from == server_address && (datagram[0] == 20 || datagram[4] == 1);
    return !last_flight || rig.network.clock.now() - began > std::chrono::seconds(12);
  };
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.network.run([&] { return client.established(); }));
  EXPECT_GT(rig.network.clock.now() - began, std::chrono::seconds(12));
  ASSERT_TRUE(client.send(as_bytes("at last"), rig.network.clock.now()));
  rig.network.idle(std::chrono::milliseconds(50));
  ASSERT_NE(rig.network.at_server<Data>(), nullptr);
  EXPECT_EQ(rig.network.at_server<Closed>(), nullptr);
}

TEST(DtlsRetransmission, DataThatOvertakesTheFinishedIsKept) {
  Rig rig;
  Bytes held;
  rig.network.on_send = [&](const Address& from, const Address& to, Bytes& datagram) {
    if (from == server_address && datagram[0] == 20 && held.empty()) {
      held = datagram;
      return false;
    }
    if (from == server_address && datagram[0] == 23 && !held.empty()) {
      static_cast<void>(to);
      rig.clients[0]->receive(datagram, rig.network.clock.now());
      datagram = held;
    }
    return true;
  };
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_server<Established>() != nullptr; }));
  ASSERT_TRUE(rig.server.send(rig.network.at_server<Established>()->id, as_bytes("early"), rig.network.clock.now()));
  ASSERT_TRUE(rig.network.run([&] { return client.established(); }, std::chrono::milliseconds(500)));
  ASSERT_NE(rig.network.at_client<Data>(client_address()), nullptr);
  EXPECT_EQ(as_text(rig.network.at_client<Data>(client_address())->octets), "early");
}

TEST(DtlsRetransmission, ADuplicateOfTheClientHelloOfALiveSessionStartsNothing) {
  Rig rig;
  Bytes with_cookie;
  rig.network.on_send = [&](const Address& from, const Address&, Bytes& datagram) {
    BytesView rest = datagram;
    const auto record = next_record(rest);
    const auto hello = record ? parse_client_hello(*record) : std::nullopt;
    if (from != server_address && hello && !hello->cookie.empty()) with_cookie = datagram;
    return true;
  };
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  rig.server.receive(client_address(), server_address, with_cookie, rig.network.clock.now());
  EXPECT_EQ(rig.server.counters().duplicate_hellos, 1U);
  EXPECT_EQ(rig.server.half_open_count(), 0U);
}

}  // namespace
}  // namespace aceward::tls
