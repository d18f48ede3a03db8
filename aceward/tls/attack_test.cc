// What somebody who can write datagrams, but knows no key, tries against handshakes and sessions of others.
#include <gtest/gtest.h>

#include <initializer_list>

#include "aceward/tls/reasons.h"
#include "aceward/tls/test_network.h"

namespace aceward::tls {
namespace {

using namespace std::chrono_literals;
using testing::client_address;
using testing::Rig;
using testing::server_address;

Bytes forged_record(std::uint8_t type, std::uint16_t version, std::uint16_t epoch, std::uint64_t number,
                    BytesView fragment) {
  Bytes record{type, static_cast<std::uint8_t>(version >> 8), static_cast<std::uint8_t>(version)};
  record.push_back(static_cast<std::uint8_t>(epoch >> 8));
  record.push_back(static_cast<std::uint8_t>(epoch));
  for (int shift = 40; shift >= 0; shift -= 8) record.push_back(static_cast<std::uint8_t>(number >> shift));
  record.push_back(static_cast<std::uint8_t>(fragment.size() >> 8));
  record.push_back(static_cast<std::uint8_t>(fragment.size()));
  record.insert(record.end(), fragment.begin(), fragment.end());
  return record;
}

/// A handshake message of `length` octets as it claims, of which `fragment` lies here.
Bytes forged_handshake(std::uint8_t type, std::uint32_t length, std::uint16_t sequence, std::uint32_t offset,
                       BytesView fragment) {
  Bytes message{type};
  const auto number24 = [&](std::size_t number) {
    for (int shift = 16; shift >= 0; shift -= 8) message.push_back(static_cast<std::uint8_t>(number >> shift));
  };
  number24(length);
  message.push_back(static_cast<std::uint8_t>(sequence >> 8));
  message.push_back(static_cast<std::uint8_t>(sequence));
  number24(offset);
  number24(fragment.size());
  message.insert(message.end(), fragment.begin(), fragment.end());
  return message;
}

TEST(DtlsForgery, NoForgedRecordOfAnyShapeEndsOrRefreshesASession) {
  Rig rig(ServerConfig{.raw_key = testing::key_of_server(), .idle_timeout = 1min});
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  rig.network.idle(1s);
  const auto idle_at = rig.server.next_timeout();
  ASSERT_TRUE(idle_at);
  std::uint64_t forged = 0;
  SeededRandom random(9);
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{20, 21, 22, 23}) {
    for (const std::uint16_t version : std::initializer_list<std::uint16_t>{0xfefd, 0xfeff}) {
      for (const std::uint16_t epoch : std::initializer_list<std::uint16_t>{1, 2, 0xffff}) {
        for (const std::size_t size : {0, 1, 2, 7, 8, 9, 15, 16, 17, 24, 25, 40, 1000, 16'384, 18'432}) {
          const Bytes record = forged_record(type, version, epoch, 1000 + forged, random.bytes(size));
          rig.server.receive(client_address(), server_address, record, rig.network.clock.now());
          client.receive(record, rig.network.clock.now());
          ++forged;
          ASSERT_EQ(rig.server.counters().undecryptable, forged)
              << int{type} << " version " << version << " epoch " << epoch << " size " << size;
          ASSERT_FALSE(rig.server.next_datagram()) << "nothing is said to a forger";
          ASSERT_FALSE(client.next_datagram());
          ASSERT_TRUE(client.established());
        }
      }
    }
  }
  EXPECT_EQ(rig.server.session_count(), 1U);
  EXPECT_EQ(rig.server.next_timeout(), idle_at) << "the session is as idle as before";
  ASSERT_TRUE(client.send(as_bytes("still here"), rig.network.clock.now()));
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_server<Data>() != nullptr; }));
  EXPECT_EQ(as_text(rig.network.at_server<Data>()->octets), "still here");
}

TEST(DtlsForgery, DataInjectedDuringTheHandshakeIsNeverDelivered) {
  for (const std::uint16_t epoch : std::initializer_list<std::uint16_t>{0, 1, 2}) {
    for (const bool raw : {false, true}) {
      Rig rig;
      std::uint64_t number = 500;
      rig.network.on_send = [&](const Address& from, const Address&, Bytes&) {
        const Bytes forged = forged_record(23, 0xfefd, epoch, ++number, as_bytes("open the door, please"));
        if (from == server_address) {
          rig.clients[0]->receive(forged, rig.network.clock.now());
        } else {
          rig.server.receive(from, server_address, forged, rig.network.clock.now());
        }
        return true;
      };
      Client& client = raw ? rig.connect_raw() : rig.connect_psk();
      ASSERT_TRUE(rig.settle(client)) << epoch;
      rig.network.idle(1s);
      EXPECT_EQ(rig.network.at_server<Data>(), nullptr) << epoch;
      EXPECT_EQ(rig.network.at_client<Data>(client_address()), nullptr) << epoch;
      EXPECT_EQ(rig.network.at_client<Closed>(client_address()), nullptr) << epoch;
      rig.network.on_send = nullptr;
      ASSERT_TRUE(client.send(as_bytes("mine"), rig.network.clock.now()));
      ASSERT_TRUE(rig.network.run([&] { return rig.network.at_server<Data>() != nullptr; }));
      EXPECT_EQ(as_text(rig.network.at_server<Data>()->octets), "mine");
    }
  }
}

TEST(DtlsForgery, HandshakeMessagesOfAStrangerCannotHoldAHalfOpenHandshakeBeyondItsTime) {
  Rig rig(ServerConfig{.raw_key = testing::key_of_server(), .half_open_timeout = 10s});
  // The client that began falls silent after its cookie.
  rig.connect_raw();
  ASSERT_TRUE(rig.network.run([&] { return rig.server.half_open_count() == 1; }));
  rig.network.detach(client_address());
  SeededRandom random(4);
  const Instant begun = rig.network.clock.now();
  std::size_t octets_in = 0;
  std::size_t octets_out = 0;
  Instant now = begun;
  for (int i = 0; i < 2000 && rig.server.half_open_count() == 1; ++i) {
    const auto type = static_cast<std::uint8_t>(random.below(25));
    const auto sequence = static_cast<std::uint16_t>(random.below(8));
    const auto claimed = static_cast<std::uint32_t>(random.below(16'384));
    const Bytes part = random.bytes(random.below(60));
    const Bytes record = forged_record(22, 0xfefd, 0, 10 + static_cast<std::uint64_t>(i),
                                       forged_handshake(type, claimed, sequence, 0, part));
    octets_in += record.size();
    now += 4ms;
    rig.server.receive(client_address(), server_address, record, now);
    rig.server.on_timeout(now);
    const auto next = rig.server.next_timeout();
    ASSERT_TRUE(!next || *next > now) << "the loop would spin";
    while (const auto out = rig.server.next_datagram()) octets_out += out->datagram.size();
  }
  rig.server.on_timeout(begun + 10s);
  EXPECT_EQ(rig.server.half_open_count(), 0U);
  EXPECT_LT(octets_out, octets_in + 8192);
}

TEST(DtlsForgery, TimersAlwaysLieAheadAfterTheyWereServed) {
  Rig rig;
  Client& client = rig.connect_raw();
  ASSERT_TRUE(rig.network.run([&] { return rig.server.half_open_count() == 1; }));
  rig.network.detach(client_address());
  Instant now = rig.network.clock.now();
  for (int i = 0; i < 10'000; ++i) {
    const auto server_next = rig.server.next_timeout();
    const auto client_next = client.next_timeout();
    if (!server_next && !client_next) break;
    const Instant next = std::min(server_next.value_or(Instant::max()), client_next.value_or(Instant::max()));
    ASSERT_TRUE(i == 0 || next > now) << i;
    now = std::max(now, next);
    rig.server.on_timeout(now);
    client.on_timeout(now);
    while (rig.server.next_datagram()) {
    }
    while (client.next_datagram()) {
    }
    ASSERT_LT(i, 1000) << "both give up in time";
  }
  EXPECT_EQ(rig.server.half_open_count(), 0U);
}

}  // namespace
}  // namespace aceward::tls
