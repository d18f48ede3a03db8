// A client, a DTLS handshake and the token endpoint, over a wire that takes no time and loses nothing.
#include "aceward/ace/profile/dtls/as/as_channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "aceward/ace/as/token_resource.h"
#include "aceward/ace/as/token_world.h"
#include "aceward/cbor/diagnostic.h"
#include "aceward/coaps/client_stack.h"
#include "aceward/coaps/server_stack.h"
#include "aceward/crypto/encoding.h"
#include "aceward/tls/reasons.h"
#include "aceward/tls/test_certificates.h"

namespace aceward::ace::dtls {
namespace {

const Address as_address = Address::v4(192, 0, 2, 1, 5684);
const Address as_plain_address = Address::v4(192, 0, 2, 1, 5683);

Address address_of_channel(coaps::Channel channel) {
  return Address::v4(198, 51, 100, 7, static_cast<std::uint16_t>(40'000 + channel));
}

tls::RawKeyPair raw_key_pair(const cose::Key& key) {
  return tls::RawKeyPair::from_key(key.private_key().value()).value();
}

struct AsBench : as::TokenWorld {
  Instant at{std::chrono::hours(1)};
  ManualClock clock;
  AsChannel channel;
  std::unique_ptr<coaps::ServerStack> server;
  std::unique_ptr<coaps::ClientStack> client;
  std::unique_ptr<coap::Router> router;
  std::optional<as::TokenResource> resource;
  std::vector<coap::Response> answers;
  std::vector<std::uint64_t> established;  ///< the server's numbers
  std::size_t failed = 0;
  std::function<void()> before_established = [] {};
  bool resumed = false;  ///< the session that was established last
  std::optional<tls::ResumptionTicket> ticket;

  static const tls::testing::TestAuthority& authority() {
    static const tls::testing::TestAuthority one("Authority");
    return one;
  }
  Bytes as_spki() const { return crypto::spki_der(as_key.public_part().value().public_key().value()); }
  tls::CertificateClient certified(const tls::testing::CertificateSpec& spec, const cose::Key& key) const {
    return {authority().chain(spec, raw_key_pair(key)), as_spki()};
  }
  /// Who the server says is at the other end of the session that was established last.
  coap::Peer last_peer() const {
    return {.transport = coap::Transport::dtls,
            .remote = {},
            .local = {},
            .session = established.empty() ? 0 : established.back(),
            .context = 0};
  }

  AsBench() {
    channel.set_registry(publish());
    coaps::ServerStackConfig config;
    config.dtls = tls::ServerConfig{.raw_key = raw_key_pair(as_key),
                                    .client_authorities = authority().authorities(),
                                    .clock = &clock,
                                    .ticket_key = tls::TicketKey::generate().value()};
    server = coaps::ServerStack::create(std::move(config), &channel, random).value();
    client = std::make_unique<coaps::ClientStack>(
        coaps::ClientStackConfig{.dtls = {.clock = &clock, .wants_ticket = true}}, random);
    router = std::make_unique<coap::Router>(server->layer());
    resource.emplace(endpoint, channel, server->layer(), clock);
    router->add("token", *resource);
  }

  void republish() { channel.set_registry(publish()); }

  void carry() {
    for (bool moved = true; moved;) {
      moved = false;
      while (auto out = client->next_datagram(at)) {
        moved = true;
        const auto kind = out->to == as_address ? coaps::ListenerKind::secure : coaps::ListenerKind::plain;
        server->receive(kind, address_of_channel(out->channel), out->to, out->datagram, at);
      }
      while (auto event = server->next_session_event()) {
        if (const auto* up = std::get_if<coaps::SessionEstablished>(&*event)) {
          resumed = up->info.resumed;
          before_established();
          established.push_back(up->peer.session);
          channel.on_established(up->peer.session, up->identity);
        } else if (const auto* down = std::get_if<coaps::SessionClosed>(&*event)) {
          channel.on_closed(down->peer.session);
        } else {
          ++failed;
        }
      }
      while (router->next_event(at)) continue;
      while (auto out = server->next_datagram(at)) {
        moved = true;
        client->receive(static_cast<coaps::Channel>(out->to.port - 40'000), out->local, out->datagram, at);
      }
      while (auto event = client->next_session_event()) {
        if (auto* up = std::get_if<coaps::SessionEstablished>(&*event)) ticket = up->ticket;
      }
      while (auto event = client->layer().next_event(at))
        if (auto* arrived = std::get_if<coap::ResponseArrived>(&*event))
          answers.push_back(std::move(arrived->response));
    }
  }

  coap::Peer connect(tls::ClientCredentials credentials) {
    return client->connect(as_address, std::move(credentials), at, std::exchange(ticket, std::nullopt)).value();
  }
  coap::Peer connect_with_psk(std::size_t who = 0) {
    return connect(tls::PskClient{clients[who].psk_identity, clients[who].psk.clone()});
  }
  coap::Peer connect_with_raw_key(const cose::Key& key) {
    return connect(tls::RawKeyClient{raw_key_pair(key), as_spki()});
  }

  /// The answer to a token request over that peer; 0.00 if none came.
  coap::Response token(const coap::Peer& peer, std::string_view request) {
    answers.clear();
    EXPECT_TRUE(client->layer().request(peer, post(cbor::from_diagnostic(request).value()), {}, at));
    carry();
    if (answers.empty()) return {.code = coap::code::empty, .options = {}, .payload = {}};
    return std::move(answers.back());
  }
};

constexpr std::string_view thermometer = R"({5: "thermometer.example"})";

TEST(AsChannel, APreSharedKeyIsItsClient) {
  AsBench bench;
  EXPECT_EQ(bench.token(bench.connect_with_psk(0), thermometer).code, coap::code::created);
  EXPECT_EQ(bench.audited.back().client, "alice");
  EXPECT_EQ(bench.token(bench.connect_with_psk(1), thermometer).code, coap::code::created);
  EXPECT_EQ(bench.audited.back().client, "bob");
  EXPECT_EQ(bench.audited.back().scope, "read");
}

TEST(AsChannel, ARawPublicKeyIsItsClientAndProvesTheKeyOfTheToken) {
  AsBench bench;
  const auto peer = bench.connect_with_raw_key(bench.alice_key);
  const std::string key = cbor::to_diagnostic(bench.alice_key.public_part().value().serialize().expose());
  const coap::Response response = bench.token(peer, R"({5: "thermometer.example", 4: {1: )" + key + "}}");
  ASSERT_EQ(response.code, coap::code::created);
  const auto information = cbor::parse<AccessInformation>(response.payload).value();
  const auto token = bench.open(information.access_token).value();
  EXPECT_TRUE(token.claims().cnf->cose_key()->same_key(bench.alice_key.public_part().value()));
  ASSERT_EQ(bench.established.size(), 1U);
  const auto proven = bench.channel.client_of(
      {.transport = coap::Transport::dtls, .remote = {}, .local = {}, .session = bench.established[0], .context = 0});
  ASSERT_TRUE(proven);
  EXPECT_EQ(proven->authentication(), as::ClientAuthentication::raw_public_key);
  EXPECT_EQ(proven->key_thumbprint(), as::thumbprint_octets(bench.alice_key));
}

TEST(AsChannel, StrangersGetNoSession) {
  AsBench bench;
  bench.connect(tls::PskClient{to_bytes("mallory@as"), Secret(Bytes(16, 1))});
  bench.carry();
  EXPECT_TRUE(bench.established.empty());
  bench.connect_with_raw_key(as::make_test_key(99));
  bench.carry();
  EXPECT_TRUE(bench.established.empty());
  EXPECT_EQ(bench.channel.session_count(), 0U);
}

TEST(AsChannel, TheQuestionsOfAHandshake) {
  AsBench bench;
  EXPECT_TRUE(bench.channel.psk(as_bytes("alice@as"))->key.equals(bench.clients[0].psk));
  EXPECT_EQ(bench.channel.psk(as_bytes("alice")).error(), reason::psk_identity_refused);
  EXPECT_EQ(bench.channel.psk({}).error(), reason::psk_identity_refused);
  const auto alice = bench.alice_key.public_part().value().public_key().value();
  EXPECT_TRUE(bench.channel.raw_public_key(crypto::spki_der(alice)));
  EXPECT_EQ(bench.channel.raw_public_key(as_bytes("no key")).error(), reason::raw_key_refused);
  EXPECT_EQ(AsChannel().psk(as_bytes("alice@as")).error(), reason::psk_identity_refused);
  EXPECT_EQ(AsChannel().raw_public_key(crypto::spki_der(alice)).error(), reason::raw_key_refused);
}

TEST(AsChannel, AnIdentityWithoutAKeyIsRefused) {
  AsBench bench;
  bench.clients[0].psk = Secret();
  bench.republish();
  EXPECT_EQ(bench.channel.psk(as_bytes("alice@as")).error(), reason::psk_identity_refused);
}

TEST(AsChannel, PlainCoapIsNobody) {
  AsBench bench;
  const coap::Response response = bench.token(bench.client->plain_peer(as_plain_address), thermometer);
  EXPECT_EQ(response.code, coap::code::unauthorized);
  EXPECT_EQ(bench.audited.back().reason, "client_not_authenticated");
}

TEST(AsChannel, ARemovedClientLosesItsSessionsAtOnce) {
  AsBench bench;
  const auto by_psk = bench.connect_with_psk(0);
  const auto by_key = bench.connect_with_raw_key(bench.alice_key);
  ASSERT_EQ(bench.token(by_psk, thermometer).code, coap::code::created);
  ASSERT_EQ(bench.token(by_key, thermometer).code, coap::code::created);
  bench.clients.erase(bench.clients.begin());
  bench.republish();
  EXPECT_EQ(bench.token(by_psk, thermometer).code, coap::code::unauthorized);
  EXPECT_EQ(bench.token(by_key, thermometer).code, coap::code::unauthorized);
}

TEST(AsChannel, AReplacedKeyEndsTheAuthenticationOfItsSessions) {
  AsBench bench;
  const auto by_psk = bench.connect_with_psk(0);
  const auto by_key = bench.connect_with_raw_key(bench.alice_key);
  ASSERT_EQ(bench.token(by_psk, thermometer).code, coap::code::created);
  ASSERT_EQ(bench.token(by_key, thermometer).code, coap::code::created);
  bench.clients[0].psk = Secret(Bytes(16, 0x77));
  const cose::Key other = as::make_test_key(77);
  bench.clients[0].public_key = as::public_octets(other);
  bench.clients[0].key_thumbprint = as::thumbprint_octets(other);
  bench.republish();
  EXPECT_EQ(bench.token(by_psk, thermometer).code, coap::code::unauthorized);
  EXPECT_EQ(bench.token(by_key, thermometer).code, coap::code::unauthorized);
  EXPECT_EQ(bench.token(bench.connect_with_psk(0), thermometer).code, coap::code::created);
  EXPECT_EQ(bench.token(bench.connect_with_raw_key(other), thermometer).code, coap::code::created);
}

TEST(AsChannel, AKeyThatWasReplacedDuringTheHandshakeAuthenticatesNobody) {
  AsBench bench;
  bench.before_established = [&bench] {
    bench.clients[0].psk = Secret(Bytes(16, 0x77));
    bench.republish();
    // Meanwhile the true Alice begins a handshake with her new key.
    EXPECT_TRUE(bench.channel.psk(as_bytes("alice@as")));
  };
  EXPECT_EQ(bench.token(bench.connect_with_psk(0), thermometer).code, coap::code::unauthorized);
  EXPECT_EQ(bench.audited.back().reason, "client_not_authenticated");
}

TEST(AsChannel, AClosedSessionIsForgotten) {
  AsBench bench;
  const auto peer = bench.connect_with_psk(0);
  ASSERT_EQ(bench.token(peer, thermometer).code, coap::code::created);
  ASSERT_EQ(bench.channel.session_count(), 1U);
  bench.client->close(peer.session, bench.at);
  bench.carry();
  EXPECT_EQ(bench.channel.session_count(), 0U);
  bench.channel.on_closed(12345);
}

TEST(AsChannel, ASessionNumberOverPlainTransportIsNobody) {
  AsBench bench;
  bench.connect_with_psk(0);
  bench.carry();
  ASSERT_EQ(bench.established.size(), 1U);
  coap::Peer peer;
  peer.session = bench.established[0];
  EXPECT_FALSE(bench.channel.client_of(peer));
  peer.transport = coap::Transport::dtls;
  EXPECT_TRUE(bench.channel.client_of(peer));
  peer.session = bench.established[0] + 1;
  EXPECT_FALSE(bench.channel.client_of(peer));
}

TEST(AsChannel, ACertificateIsTheClientThatItNames) {
  AsBench bench;
  bench.clients[0].certificate_name = "alice.example";
  bench.republish();
  const auto peer = bench.connect(bench.certified({.dns_names = {"alice.example"}}, bench.alice_key));
  EXPECT_EQ(bench.token(peer, thermometer).code, coap::code::created);
  const auto proven = bench.channel.client_of(bench.last_peer());
  ASSERT_TRUE(proven);
  EXPECT_EQ(proven->name(), "alice");
  EXPECT_EQ(proven->authentication(), as::ClientAuthentication::certificate);
  EXPECT_EQ(proven->key_thumbprint(), as::thumbprint_octets(bench.alice_key));
  EXPECT_FALSE(bench.channel.server_of(bench.last_peer()));
  bench.clients[0].certificate_name = "another.example";
  bench.republish();
  EXPECT_FALSE(bench.channel.client_of(bench.last_peer()));
  EXPECT_EQ(bench.token(peer, thermometer).code, coap::code::unauthorized);
}

TEST(AsChannel, ACertificateOfTwoClientsIsNobodys) {
  AsBench bench;
  bench.clients[0].certificate_name = "alice.example";
  bench.clients[1].certificate_name = "bob.example";
  bench.republish();
  bench.connect(bench.certified({.dns_names = {"alice.example", "bob.example"}}, bench.alice_key));
  bench.connect(bench.certified({.dns_names = {"mallory.example"}}, bench.alice_key));
  bench.carry();
  EXPECT_TRUE(bench.established.empty());
  EXPECT_EQ(bench.channel.certificate(tls::Certificate{}).error(), reason::certificate_refused);
}

TEST(AsChannel, AResourceServerIsKnownByEachOfItsCredentials) {
  AsBench bench;
  as::ServerRecord& record = bench.as::TokenWorld::server("valve");
  const cose::Key own = as::make_test_key(40);
  record.public_key = as::public_octets(own);
  record.key_thumbprint = as::thumbprint_octets(own);
  record.psk_identity = to_bytes("valve@as");
  record.psk = Secret(Bytes(16, 0x44));
  record.certificate_name = "valve.example";
  bench.republish();
  const std::function<tls::ClientCredentials()> ways[] = {
      [] { return tls::PskClient{to_bytes("valve@as"), Secret(Bytes(16, 0x44))}; },
      [&] { return tls::RawKeyClient{raw_key_pair(own), bench.as_spki()}; },
      [&] { return bench.certified({.dns_names = {"valve.example"}}, own); }};
  for (const auto& way : ways) {
    const std::size_t before = bench.established.size();
    bench.connect(way());
    bench.carry();
    ASSERT_EQ(bench.established.size(), before + 1);
    const auto server = bench.channel.server_of(bench.last_peer());
    ASSERT_TRUE(server);
    EXPECT_EQ(server->name(), "valve");
    EXPECT_FALSE(bench.channel.client_of(bench.last_peer())) << "a server is no client";
  }
  // Re-keyed: none of the three sessions is its any more.
  as::ServerRecord& rekeyed = bench.as::TokenWorld::server("valve");
  rekeyed.psk = Secret(Bytes(16, 0x45));
  rekeyed.certificate_name.clear();
  const cose::Key other = as::make_test_key(41);
  rekeyed.public_key = as::public_octets(other);
  rekeyed.key_thumbprint = as::thumbprint_octets(other);
  bench.republish();
  for (const auto session : bench.established) {
    coap::Peer peer = bench.last_peer();
    peer.session = session;
    EXPECT_FALSE(bench.channel.server_of(peer));
  }
}

TEST(AsChannel, AnIdentityOfAClientAndAServerIsTheClients) {
  AsBench bench;
  as::ServerRecord& record = bench.as::TokenWorld::server("valve");
  record.psk_identity = to_bytes("alice@as");
  record.psk = Secret(Bytes(16, 0x44));
  bench.republish();
  bench.connect_with_psk(0);
  bench.carry();
  ASSERT_EQ(bench.established.size(), 1U);
  EXPECT_TRUE(bench.channel.client_of(bench.last_peer()));
  EXPECT_FALSE(bench.channel.server_of(bench.last_peer()));
}

TEST(AsChannel, ASessionWithoutIdentityIsOnlyThereForSecrets) {
  AsBench bench;
  const auto nobody = [&] { return tls::AnonymousClient{bench.as_spki()}; };
  bench.connect(nobody());
  bench.carry();
  EXPECT_TRUE(bench.established.empty()) << "no secret is registered";
  bench.clients[0].secret_digest = Bytes(48, 1);
  bench.republish();
  bench.connect(nobody());
  bench.carry();
  ASSERT_EQ(bench.established.size(), 1U);
  EXPECT_TRUE(bench.channel.is_protected_without_identity(bench.last_peer()));
  EXPECT_FALSE(bench.channel.client_of(bench.last_peer()));
  EXPECT_FALSE(bench.channel.server_of(bench.last_peer()));
  coap::Peer plain = bench.last_peer();
  plain.transport = coap::Transport::udp;
  EXPECT_FALSE(bench.channel.is_protected_without_identity(plain));
  bench.connect_with_psk(0);
  bench.carry();
  EXPECT_FALSE(bench.channel.is_protected_without_identity(bench.last_peer()));
}

TEST(AsChannel, OnlyWhoIsStillRegisteredResumes) {
  AsBench bench;
  bench.connect_with_psk(0);
  bench.carry();
  ASSERT_TRUE(bench.ticket);
  const auto ticket = bench.ticket;
  bench.connect_with_psk(0);
  bench.carry();
  EXPECT_TRUE(bench.resumed);
  EXPECT_EQ(bench.channel.client_of(bench.last_peer())->name(), "alice");
  // The key of the ticket is replaced; the client still has the old one.
  const Secret old = bench.clients[0].psk.clone();
  bench.clients[0].psk = Secret(Bytes(16, 0x77));
  bench.republish();
  const std::size_t before = bench.established.size();
  bench.ticket = ticket;
  bench.connect(tls::PskClient{bench.clients[0].psk_identity, old.clone()});
  bench.carry();
  EXPECT_EQ(bench.established.size(), before);
  bench.clients[0].psk = old.clone();
  bench.republish();
  bench.ticket = ticket;
  bench.connect_with_psk(0);
  bench.carry();
  EXPECT_TRUE(bench.resumed);
  bench.clients.erase(bench.clients.begin());
  bench.republish();
  const std::size_t last = bench.established.size();
  bench.ticket = ticket;
  bench.connect(tls::PskClient{to_bytes("alice@as"), old.clone()});
  bench.carry();
  EXPECT_EQ(bench.established.size(), last);
}

}  // namespace
}  // namespace aceward::ace::dtls
