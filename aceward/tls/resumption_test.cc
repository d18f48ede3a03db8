// Session tickets (RFC 5077, RFC 7627 section 5.3, RFC 9202 section 7.1).
#include <gtest/gtest.h>

#include "aceward/tls/given_tickets.h"
#include "aceward/tls/reasons.h"
#include "aceward/tls/test_certificates.h"
#include "aceward/tls/test_network.h"

namespace aceward::tls {
namespace {

using testing::client_address;
using testing::key_of_client;
using testing::key_of_server;
using testing::psk_of;
using testing::Rig;

const testing::TestAuthority& authority() {
  static const testing::TestAuthority one("Authority");
  return one;
}

/// A server that gives tickets, and clients that come again and again.
struct TicketRig {
  explicit TicketRig(const std::function<void(ServerConfig&)>& change = {})
      : rig([&] {
          ServerConfig config{.raw_key = key_of_server(),
                              .client_authorities = authority().authorities(),
                              .clock = &wall,
                              .ticket_key = TicketKey::generate().value()};
          if (change) change(config);
          return config;
        }()) {
    rig.credentials.resumable = true;
    rig.credentials.handle = 7;
    rig.credentials.certificate_names = {"lamp"};
  }
  /// What the server and the client say of the next session; closes it.
  struct Both {
    Established server;
    Established client;
  };
  std::optional<Both> connect(ClientCredentials with, std::optional<ResumptionTicket> ticket = std::nullopt) {
    rig.network.server_events.clear();
    rig.network.client_events.clear();
    const auto from = client_address(++port);
    Client& client =
        rig.connect(std::move(with), from, {.clock = &wall, .wants_ticket = true, .ticket = std::move(ticket)});
    if (!rig.settle(client)) return std::nullopt;
    Both both{*rig.network.at_server<Established>(), *rig.network.at_client<Established>(from)};
    // The session is of use, in both directions.
    if (!client.send(as_bytes("ping"), rig.network.clock.now()) ||
        !rig.server.send(both.server.id, as_bytes("pong"), rig.network.clock.now())) {
      return std::nullopt;
    }
    if (!rig.network.run([&] { return rig.network.at_server<Data>() != nullptr; }) ||
        !rig.network.run([&] { return rig.network.at_client<Data>(from) != nullptr; })) {
      return std::nullopt;
    }
    client.close(rig.network.clock.now());
    rig.network.run([&] { return rig.server.session_count() == 0; });
    return both;
  }
  PskClient psk() const { return psk_of(as_bytes("alice"), as_bytes("0123456789abcdef")); }
  static RawKeyClient raw() { return {key_of_client(), to_bytes(key_of_server().spki())}; }

  ManualClock wall;
  Rig rig;
  std::uint16_t port = 41'000;
};

TEST(DtlsResumption, APskSessionIsResumedWithItsIdentityAndHandle) {
  TicketRig bench;
  const auto first = bench.connect(bench.psk());
  ASSERT_TRUE(first && first->client.ticket);
  EXPECT_FALSE(first->server.info.resumed);
  bench.rig.credentials.handle = 8;  // what has this identity now
  const auto second = bench.connect(bench.psk(), first->client.ticket);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->server.info.resumed);
  EXPECT_TRUE(second->client.info.resumed);
  EXPECT_TRUE(second->server.info.extended_master_secret);
  const auto& peer = std::get<PskIdentity>(second->server.peer);
  EXPECT_EQ(to_bytes(peer.identity()), to_bytes("alice"));
  EXPECT_EQ(peer.handle(), 7U);
  EXPECT_EQ(bench.rig.credentials.psk_asked, 1);
  EXPECT_EQ(bench.rig.server.counters().resumed, 1U);
  ASSERT_EQ(bench.rig.credentials.resumptions_asked.size(), 1U);
  EXPECT_EQ(std::get<PskIdentity>(bench.rig.credentials.resumptions_asked[0]).handle(), 7U);
  EXPECT_EQ(second->client.info.flights, 5U) << "the cookie exchange included";
}

TEST(DtlsResumption, AnIdentityWithZerosComesBackWhole) {
  TicketRig bench;
  const Bytes identity{0, 1, 0, 0xff, 0};
  bench.rig.credentials.keys[identity] = to_bytes("0123456789abcdef");
  const auto first = bench.connect(psk_of(identity, as_bytes("0123456789abcdef")));
  ASSERT_TRUE(first);
  const auto second = bench.connect(psk_of(identity, as_bytes("0123456789abcdef")), first->client.ticket);
  ASSERT_TRUE(second && second->server.info.resumed);
  EXPECT_EQ(to_bytes(std::get<PskIdentity>(second->server.peer).identity()), identity);
}

TEST(DtlsResumption, ATokenAsIdentityIsResumed) {
  TicketRig bench;
  const Bytes identity(400, 0xd8);
  bench.rig.credentials.keys[identity] = to_bytes("0123456789abcdef");
  const auto first = bench.connect(psk_of(identity, as_bytes("0123456789abcdef")));
  ASSERT_TRUE(first);
  const auto second = bench.connect(psk_of(identity, as_bytes("0123456789abcdef")), first->client.ticket);
  ASSERT_TRUE(second && second->server.info.resumed);
  EXPECT_EQ(to_bytes(std::get<PskIdentity>(second->server.peer).identity()), identity);
}

// The ClientHello could not be of one datagram.
TEST(DtlsResumption, ATicketThatIsTooLongIsNotKept) {
  TicketRig bench;
  const Bytes identity(1'000, 0xd8);
  bench.rig.credentials.keys[identity] = to_bytes("0123456789abcdef");
  const auto first = bench.connect(psk_of(identity, as_bytes("0123456789abcdef")));
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->client.ticket);
}

TEST(DtlsResumption, ARawKeySessionIsResumedWithItsKey) {
  TicketRig bench;
  const auto first = bench.connect(TicketRig::raw());
  ASSERT_TRUE(first && first->client.ticket);
  const auto second = bench.connect(TicketRig::raw(), first->client.ticket);
  ASSERT_TRUE(second && second->server.info.resumed);
  EXPECT_EQ(second->server.peer, first->server.peer);
  EXPECT_EQ(second->client.peer, first->client.peer);
}

TEST(DtlsResumption, ACertificateIsVerifiedAnew) {
  TicketRig bench;
  const CertificateClient lamp{authority().chain({.common_name = "lamp", .until = 1'700'000'600}, key_of_client()),
                               to_bytes(key_of_server().spki())};
  const auto first = bench.connect(lamp);
  ASSERT_TRUE(first && first->client.ticket);
  const auto second = bench.connect(lamp, first->client.ticket);
  ASSERT_TRUE(second && second->server.info.resumed);
  EXPECT_EQ(second->server.peer, first->server.peer);
  bench.wall.advance(std::chrono::minutes(11));
  EXPECT_FALSE(bench.connect(lamp, first->client.ticket));
  ASSERT_NE(bench.rig.network.at_server<HandshakeFailed>(), nullptr);
  EXPECT_EQ(bench.rig.network.at_server<HandshakeFailed>()->why, reason::certificate_untrusted);
}

TEST(DtlsResumption, ASessionWithoutIdentityIsResumedWithoutOne) {
  TicketRig bench;
  bench.rig.credentials.anybody = true;
  const AnonymousClient nobody{to_bytes(key_of_server().spki())};
  const auto first = bench.connect(nobody);
  ASSERT_TRUE(first && first->client.ticket);
  const auto second = bench.connect(nobody, first->client.ticket);
  ASSERT_TRUE(second && second->server.info.resumed);
  EXPECT_TRUE(std::holds_alternative<NoIdentity>(second->server.peer));
  bench.rig.credentials.anybody = false;
  EXPECT_FALSE(bench.connect(nobody, first->client.ticket));
}

TEST(DtlsResumption, WhatTheOwnerRefusesTakesAFullHandshake) {
  TicketRig bench;
  const auto first = bench.connect(bench.psk());
  ASSERT_TRUE(first);
  bench.rig.credentials.resumable = false;
  bench.rig.credentials.handle = 8;
  const auto second = bench.connect(bench.psk(), first->client.ticket);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->server.info.resumed);
  EXPECT_FALSE(second->client.info.resumed);
  EXPECT_EQ(std::get<PskIdentity>(second->server.peer).handle(), 8U);
  EXPECT_FALSE(second->client.ticket) << "the refused one is not handed out again";
  EXPECT_EQ(bench.rig.server.counters().resumptions_refused, 1U);
  EXPECT_EQ(bench.rig.server.counters().handshakes_started, 2U);
  // And if its token is gone too, there is no session.
  bench.rig.credentials.keys.clear();
  EXPECT_FALSE(bench.connect(bench.psk(), first->client.ticket));
}

TEST(DtlsResumption, ByDefaultNothingIsResumed) {
  class Plain final : public ServerCredentials {
    Result<PskCredential> psk(BytesView) override { return fail(reason::psk_identity_refused); }
    Result<void> raw_public_key(BytesView) override { return fail(reason::raw_key_refused); }
  };
  TicketRig bench;
  const auto first = bench.connect(bench.psk());
  ASSERT_TRUE(first);
  Plain plain;
  EXPECT_EQ(plain.resume(first->server.peer).error(), reason::resumption_refused);
  EXPECT_EQ(plain.certificate(Certificate{}).error(), reason::certificate_refused);
  EXPECT_FALSE(plain.allows_no_identity());
}

TEST(DtlsResumption, AFullHandshakeIsForcedAfterItsTime) {
  TicketRig bench([](ServerConfig& config) { config.full_handshake_after = std::chrono::minutes(10); });
  const auto first = bench.connect(bench.psk());
  ASSERT_TRUE(first);
  auto ticket = first->client.ticket;
  // Resuming does not make it younger.
  for (int i = 0; i < 3; ++i) {
    bench.rig.network.idle(std::chrono::minutes(3));
    const auto again = bench.connect(bench.psk(), ticket);
    ASSERT_TRUE(again && again->server.info.resumed) << i;
    ASSERT_TRUE(again->client.ticket);
    ticket = again->client.ticket;
  }
  bench.rig.network.idle(std::chrono::minutes(1));
  const auto late = bench.connect(bench.psk(), ticket);
  ASSERT_TRUE(late);
  EXPECT_FALSE(late->server.info.resumed);
}

TEST(DtlsResumption, AForgottenTicketTakesAFullHandshake) {
  TicketRig bench([](ServerConfig& config) { config.max_tickets = 1; });
  const auto first = bench.connect(bench.psk());
  const auto other = bench.connect(TicketRig::raw());
  ASSERT_TRUE(first && other);
  const auto again = bench.connect(bench.psk(), first->client.ticket);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->server.info.resumed);
}

TEST(DtlsResumption, ATicketOfAnotherServerTakesAFullHandshakeAndGivesANewOne) {
  TicketRig before;
  const auto first = before.connect(before.psk());
  ASSERT_TRUE(first);
  TicketRig after;  // the same server, restarted
  const auto second = after.connect(after.psk(), first->client.ticket);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->server.info.resumed);
  ASSERT_TRUE(second->client.ticket);
  const auto third = after.connect(after.psk(), second->client.ticket);
  ASSERT_TRUE(third);
  EXPECT_TRUE(third->server.info.resumed);
}

TEST(DtlsResumption, ATicketIsOfferedWithItsOwnCredentialsAlone) {
  TicketRig bench;
  bench.rig.credentials.keys[to_bytes("bob")] = to_bytes("fedcba9876543210");
  const auto first = bench.connect(bench.psk());
  ASSERT_TRUE(first);
  const auto second = bench.connect(psk_of(as_bytes("bob"), as_bytes("fedcba9876543210")), first->client.ticket);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->server.info.resumed);
  EXPECT_EQ(to_bytes(std::get<PskIdentity>(second->server.peer).identity()), to_bytes("bob"));
  EXPECT_TRUE(first->client.ticket->belongs_to(bench.psk()));
  EXPECT_FALSE(first->client.ticket->belongs_to(psk_of(as_bytes("alice"), as_bytes("another key here"))));
  EXPECT_FALSE(first->client.ticket->belongs_to(TicketRig::raw()));
}

TEST(DtlsResumption, WithoutATicketKeyNoTicketIsGiven) {
  TicketRig bench([](ServerConfig& config) { config.ticket_key.reset(); });
  const auto first = bench.connect(bench.psk());
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->client.ticket);
}

TEST(DtlsResumption, AClientThatDoesNotAskGetsNoTicket) {
  TicketRig bench;
  Client& client = bench.rig.connect(bench.psk());
  ASSERT_TRUE(bench.rig.settle(client));
  EXPECT_FALSE(bench.rig.network.at_client<Established>(client_address())->ticket);
}

TEST(DtlsResumption, LossDuplicationAndReorderingDoNotHurtIt) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rig rig({.raw_key = key_of_server(),
             .ticket_key = TicketKey::generate().value(),
             .half_open_timeout = std::chrono::minutes(2)},
            {.lose_percent = 20, .duplicate_percent = 10, .jitter = std::chrono::milliseconds(30)}, seed);
    rig.credentials.resumable = true;
    std::optional<ResumptionTicket> ticket;
    for (std::uint16_t port = 41'001; port < 41'003; ++port) {
      rig.network.server_events.clear();
      Client& client =
          rig.connect(TicketRig::raw(), client_address(port),
                      {.handshake_timeout = std::chrono::minutes(2), .wants_ticket = true, .ticket = ticket});
      ASSERT_TRUE(rig.settle(client)) << seed;
      const auto* established = rig.network.at_client<Established>(client_address(port));
      ticket = established->ticket;
      ASSERT_TRUE(ticket) << seed;
      EXPECT_EQ(established->info.resumed, port == 41'002) << seed;
      const auto arrived = [&] { return rig.network.at_server<Data>() != nullptr; };
      for (int i = 0; i < 20 && !arrived(); ++i) {
        ASSERT_TRUE(client.send(as_bytes("ping"), rig.network.clock.now()));
        rig.network.run(arrived, std::chrono::seconds(1));
      }
      EXPECT_TRUE(arrived()) << seed;
    }
  }
}

TEST(GivenTickets, TheOldestIsForgottenFirst) {
  detail::GivenTickets tickets(2);
  for (std::uint8_t i = 0; i < 3; ++i) tickets.remember(Bytes{i}, {.handle = i, .since = {}});
  EXPECT_EQ(tickets.size(), 2U);
  EXPECT_FALSE(tickets.find(Bytes{0}));
  ASSERT_TRUE(tickets.find(Bytes{2}));
  EXPECT_EQ(tickets.find(Bytes{2})->handle, 2U);
}

}  // namespace
}  // namespace aceward::tls
