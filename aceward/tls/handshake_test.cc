#include <gtest/gtest.h>

#include "aceward/tls/reasons.h"
#include "aceward/tls/test_network.h"

namespace aceward::tls {
namespace {

using testing::client_address;
using testing::key_of_client;
using testing::key_of_server;
using testing::psk_of;
using testing::Rig;

TEST(DtlsHandshake, PskAuthenticatesTheClientByItsIdentity) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  const auto* established = rig.network.at_server<Established>();
  ASSERT_TRUE(std::holds_alternative<PskIdentity>(established->peer));
  EXPECT_EQ(as_text(std::get<PskIdentity>(established->peer).identity()), "alice");
  EXPECT_EQ(established->remote, client_address());
  EXPECT_EQ(established->local, testing::server_address);
  EXPECT_EQ(established->info.cipher_suite, "TLS_PSK_WITH_AES_128_CCM_8");
  EXPECT_TRUE(established->info.extended_master_secret);
  const auto* at_client = rig.network.at_client<Established>(client_address());
  EXPECT_EQ(as_text(std::get<PskIdentity>(at_client->peer).identity()), "alice");
  EXPECT_EQ(at_client->info.flights, 6U);
  EXPECT_EQ(at_client->info.duration, std::chrono::milliseconds(60));
}

TEST(DtlsHandshake, TheSessionBelongsToTheKeyThatWasUsed) {
  Rig rig;
  rig.credentials.handle = 1;
  Client& first = rig.connect_psk(client_address(1));
  ASSERT_TRUE(rig.settle(first));
  EXPECT_EQ(std::get<PskIdentity>(rig.network.at_server<Established>()->peer).handle(), 1U);
  // The identity comes to mean something else; the session that exists does not.
  rig.credentials.handle = 2;
  EXPECT_EQ(std::get<PskIdentity>(rig.network.at_server<Established>()->peer).handle(), 1U);
}

TEST(DtlsHandshake, RawPublicKeysAuthenticateBothSides) {
  Rig rig;
  Client& client = rig.connect_raw();
  ASSERT_TRUE(rig.settle(client));
  const auto* established = rig.network.at_server<Established>();
  ASSERT_TRUE(std::holds_alternative<RawPublicKey>(established->peer));
  EXPECT_TRUE(equal(std::get<RawPublicKey>(established->peer).spki(), key_of_client().spki()));
  EXPECT_EQ(established->info.cipher_suite, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8");
  EXPECT_EQ(established->info.group, "X25519");
  EXPECT_TRUE(established->info.extended_master_secret);
  const auto* at_client = rig.network.at_client<Established>(client_address());
  ASSERT_TRUE(std::holds_alternative<RawPublicKey>(at_client->peer));
  EXPECT_TRUE(equal(std::get<RawPublicKey>(at_client->peer).spki(), key_of_server().spki()));
}

TEST(DtlsHandshake, OneServerTakesPskAndRawPublicKeys) {
  Rig rig;
  Client& with_psk = rig.connect_psk(client_address(1));
  Client& with_key = rig.connect_raw(client_address(2));
  ASSERT_TRUE(rig.network.run([&] { return with_psk.established() && with_key.established(); }));
  EXPECT_TRUE(rig.network.run([&] { return rig.server.session_count() == 2; }));
}

TEST(DtlsHandshake, DataFlowsBothWays) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  const SessionId id = rig.network.at_server<Established>()->id;
  ASSERT_TRUE(client.send(as_bytes("ping"), rig.network.clock.now()));
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_server<Data>() != nullptr; }));
  EXPECT_EQ(as_text(rig.network.at_server<Data>()->octets), "ping");
  EXPECT_EQ(rig.network.at_server<Data>()->id, id);
  ASSERT_TRUE(rig.server.send(id, as_bytes("pong"), rig.network.clock.now()));
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<Data>(client_address()) != nullptr; }));
  EXPECT_EQ(as_text(rig.network.at_client<Data>(client_address())->octets), "pong");
}

TEST(DtlsHandshake, ASecretNeverCrossesTheNetworkInTheClear) {
  Rig rig;
  Bytes seen;
  rig.network.on_send = [&](const Address&, const Address&, Bytes& datagram) {
    seen.insert(seen.end(), datagram.begin(), datagram.end());
    return true;
  };
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  ASSERT_TRUE(client.send(as_bytes("a very private matter"), rig.network.clock.now()));
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_server<Data>() != nullptr; }));
  EXPECT_EQ(as_text(seen).find("private matter"), std::string_view::npos);
  EXPECT_EQ(as_text(seen).find("0123456789abcdef"), std::string_view::npos);
  EXPECT_NE(as_text(seen).find("alice"), std::string_view::npos);  // the identity is not a secret
}

TEST(DtlsHandshake, UnknownPskIdentityIsAnsweredWithIllegalParameter) {
  Rig rig;
  rig.connect(psk_of(as_bytes("mallory"), as_bytes("0123456789abcdef")));
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address()) != nullptr; }));
  const auto* at_client = rig.network.at_client<HandshakeFailed>(client_address());
  EXPECT_EQ(at_client->why, reason::handshake_alert_received);
  EXPECT_EQ(at_client->alert_received, Alert::illegal_parameter);
  const auto* at_server = rig.network.at_server<HandshakeFailed>();
  ASSERT_NE(at_server, nullptr);
  EXPECT_EQ(at_server->why.id(), "test_psk_refused");
  EXPECT_EQ(at_server->alert_sent, Alert::illegal_parameter);
  EXPECT_EQ(rig.server.session_count() + rig.server.half_open_count(), 0U);
}

TEST(DtlsHandshake, AnEmptyKeyFromThePortIsARefusalToo) {
  Rig rig;
  rig.credentials.keys[to_bytes("hollow")] = {};
  rig.connect(psk_of(as_bytes("hollow"), as_bytes("k")));
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address()) != nullptr; }));
  EXPECT_EQ(rig.network.at_client<HandshakeFailed>(client_address())->alert_received, Alert::illegal_parameter);
  EXPECT_EQ(rig.network.at_server<HandshakeFailed>()->why, reason::psk_identity_refused);
}

TEST(DtlsHandshake, WrongPskKeyEndsInATimeoutOnBothSides) {
  // DTLS drops the Finished that does not decrypt (RFC 6347 section 4.1.2.7), so neither side learns why.
  Rig rig;
  rig.connect(psk_of(as_bytes("alice"), as_bytes("wrong key wrong!")));
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address()) != nullptr; }));
  EXPECT_EQ(rig.network.at_client<HandshakeFailed>(client_address())->why, reason::handshake_timed_out);
  EXPECT_EQ(rig.network.at_server<HandshakeFailed>()->why, reason::handshake_timed_out);
  EXPECT_EQ(rig.network.at_server<Established>(), nullptr);
}

TEST(DtlsHandshake, APskIdentityOf4000OctetsArrivesInSeveralDatagrams) {
  Rig rig;
  SeededRandom random(7);
  const Bytes identity = random.bytes(4000);
  rig.credentials.keys[identity] = to_bytes("0123456789abcdef");
  Client& client = rig.connect(psk_of(identity, as_bytes("0123456789abcdef")));
  ASSERT_TRUE(rig.settle(client));
  const auto* established = rig.network.at_server<Established>();
  EXPECT_TRUE(equal(std::get<PskIdentity>(established->peer).identity(), identity));
  EXPECT_GE(established->info.datagrams_in, 4U);
}

TEST(DtlsHandshake, APskIdentityMayContainZeroOctets) {
  Rig rig;
  const Bytes identity{0xa1, 0x00, 0x00, 0x08, 0x00};
  rig.credentials.keys[identity] = to_bytes("0123456789abcdef");
  Client& client = rig.connect(psk_of(identity, as_bytes("0123456789abcdef")));
  ASSERT_TRUE(rig.settle(client));
  EXPECT_TRUE(equal(std::get<PskIdentity>(rig.network.at_server<Established>()->peer).identity(), identity));
  // An identity that is the same up to its first zero is another one.
  rig.connect(psk_of(Bytes{0xa1}, as_bytes("0123456789abcdef")), client_address(2));
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address(2)) != nullptr; }));
  EXPECT_EQ(rig.network.at_client<HandshakeFailed>(client_address(2))->alert_received, Alert::illegal_parameter);
}

TEST(DtlsHandshake, AnUnexpectedServerKeyFailsAtTheClient) {
  Rig rig;
  const auto other = RawKeyPair::generate().value();
  rig.connect(RawKeyClient{key_of_client(), to_bytes(other.spki())});
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address()) != nullptr; }));
  const auto* failed = rig.network.at_client<HandshakeFailed>(client_address());
  EXPECT_EQ(failed->why, reason::server_key_unexpected);
  EXPECT_EQ(failed->alert_sent, Alert::bad_certificate);
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_server<HandshakeFailed>() != nullptr; }));
  EXPECT_EQ(rig.network.at_server<HandshakeFailed>()->alert_received, Alert::bad_certificate);
  EXPECT_EQ(rig.network.at_server<Established>(), nullptr);
}

TEST(DtlsHandshake, AClientKeyThatThePortRefusesEstablishesNothing) {
  Rig rig;
  const auto other = RawKeyPair::generate().value();
  rig.connect(RawKeyClient{other, to_bytes(key_of_server().spki())});
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address()) != nullptr; }));
  EXPECT_EQ(rig.network.at_client<HandshakeFailed>(client_address())->alert_received, Alert::bad_certificate);
  EXPECT_EQ(rig.network.at_server<HandshakeFailed>()->why.id(), "test_raw_key_refused");
  EXPECT_EQ(rig.credentials.raw_asked, 1);
  EXPECT_EQ(rig.network.at_server<Established>(), nullptr);
}

TEST(DtlsHandshake, AServerWithoutPskRefusesAPskClient) {
  Rig rig(ServerConfig{.raw_key = key_of_server(), .allow_psk = false});
  rig.connect_psk();
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address()) != nullptr; }));
  EXPECT_EQ(rig.network.at_client<HandshakeFailed>(client_address())->alert_received, Alert::handshake_failure);
  EXPECT_EQ(rig.credentials.psk_asked, 0);
}

TEST(DtlsHandshake, AServerWithoutARawKeyRefusesARawKeyClientAndTakesPsk) {
  Rig rig(ServerConfig{});
  rig.connect_raw(client_address(1));
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address(1)) != nullptr; }));
  EXPECT_EQ(rig.credentials.raw_asked, 0);
  Client& client = rig.connect_psk(client_address(2));
  EXPECT_TRUE(rig.settle(client));
}

TEST(DtlsHandshake, AServerThatAllowsNothingIsNotMade) {
  testing::ListedCredentials credentials;
  SeededRandom random(1);
  const auto server = Server::create(ServerConfig{.raw_key = std::nullopt, .allow_psk = false}, credentials, random);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error(), reason::tls_setup_failed);
}

TEST(DtlsHandshake, AClientGivesUpOnASilentServer) {
  Rig rig;
  rig.network.on_send = [](const Address& from, const Address&, Bytes&) { return from != testing::server_address; };
  const Instant begun = rig.network.clock.now();
  rig.connect_psk();
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address()) != nullptr; }));
  EXPECT_EQ(rig.network.at_client<HandshakeFailed>(client_address())->why, reason::handshake_timed_out);
  EXPECT_EQ(rig.network.clock.now() - begun, std::chrono::seconds(30));
}

TEST(DtlsHandshake, RetransmissionBacksOffFromOneSecond) {
  Rig rig;
  std::vector<std::chrono::nanoseconds> sent_after;
  const Instant begun = rig.network.clock.now();
  rig.network.on_send = [&](const Address&, const Address&, Bytes&) {
    sent_after.push_back(rig.network.clock.now() - begun);
    return false;
  };
  rig.connect_psk();
  rig.network.idle(std::chrono::seconds(29));
  using std::chrono::seconds;
  ASSERT_GE(sent_after.size(), 4U);
  EXPECT_EQ(sent_after[0], seconds(0));
  EXPECT_EQ(sent_after[1], seconds(1));
  // Each wait doubles (RFC 6347 section 4.2.4.1).
  EXPECT_EQ(sent_after[2] - sent_after[1], seconds(2));
  EXPECT_EQ(sent_after[3] - sent_after[2], seconds(4));
}

}  // namespace
}  // namespace aceward::tls
