#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "aceward/coaps/client_stack.h"
#include "aceward/coaps/reasons.h"
#include "aceward/coaps/server_stack.h"
#include "aceward/tls/reasons.h"
#include "aceward/tls/test_network.h"

namespace aceward::coaps {
namespace {

using tls::testing::key_of_client;
using tls::testing::key_of_server;
using tls::testing::ListedCredentials;
using tls::testing::psk_of;

const Address plain_address = Address::v4(192, 0, 2, 1, 5683);
const Address secure_address = Address::v4(192, 0, 2, 1, 5684);

/// Where a channel of the client comes from.
Address address_of(Channel channel) {
  return Address::v4(198, 51, 100, 7, static_cast<std::uint16_t>(40'000 + channel));
}

struct NotedMessage {
  Direction direction;
  coap::Peer peer;
  Bytes message;
  std::size_t wire_octets;
};

struct NotingTap final : MessageTap {
  void on_message(Direction direction, const coap::Peer& peer, BytesView message, std::size_t wire_octets,
                  Instant) override {
    messages.push_back({direction, peer, to_bytes(message), wire_octets});
  }
  void on_handshake(const coap::Peer&, const tls::PeerIdentity&, const tls::SessionInfo& info, Instant) override {
    suites.push_back(info.cipher_suite);
  }
  void on_handshake_failed(const tls::HandshakeFailed& failure, Instant) override { failures.push_back(failure.why); }
  void on_session_closed(const coap::Peer&, const Error& why, Instant) override { closed.push_back(why); }
  std::vector<NotedMessage> messages;
  std::vector<std::string> suites;
  std::vector<Error> failures;
  std::vector<Error> closed;
};

/// A server and a client with a wire between them that takes no time and loses nothing.
struct Bench {
  Bench() {
    credentials.keys[to_bytes("alice")] = to_bytes("0123456789abcdef");
    credentials.raw_keys.push_back(to_bytes(key_of_client().spki()));
    ServerStackConfig config;
    config.dtls = tls::ServerConfig{.raw_key = key_of_server(), .ticket_key = tls::TicketKey::generate().value()};
    server = ServerStack::create(std::move(config), &credentials, random).value();
    client = std::make_unique<ClientStack>(ClientStackConfig{.dtls = {.wants_ticket = true}}, random);
  }

  void carry() {
    for (bool moved = true; moved;) {
      moved = false;
      while (auto out = client->next_datagram(now)) {
        moved = true;
        const bool secure = out->to == secure_address;
        server->receive(secure ? ListenerKind::secure : ListenerKind::plain, address_of(out->channel), out->to,
                        out->datagram, now);
      }
      serve();
      while (auto out = server->next_datagram(now)) {
        moved = true;
        EXPECT_EQ(out->kind == ListenerKind::secure, out->local == secure_address);
        client->receive(static_cast<Channel>(out->to.port - 40'000), out->local, out->datagram, now);
      }
      while (auto event = server->next_session_event()) server_sessions.push_back(std::move(*event));
      while (auto event = client->next_session_event()) client_sessions.push_back(std::move(*event));
      while (auto event = client->layer().next_event(now)) answers.push_back(std::move(*event));
    }
  }
  /// The application: answers with who asks.
  void serve() {
    while (auto event = server->layer().next_event(now)) {
      const auto* arrived = std::get_if<coap::RequestArrived>(&*event);
      if (arrived == nullptr) {
        gone.push_back(std::get<coap::ExchangeGone>(*event).reason);
        continue;
      }
      requests.push_back(*arrived);
      if (!answer) continue;
      const auto* identity = server->identity(arrived->peer.session);
      coap::Response response;
      response.payload = to_bytes(identity == nullptr ? std::string("nobody") : tls::describe(*identity));
      server->layer().respond(arrived->id, std::move(response), {}, now);
    }
  }
  void get(const coap::Peer& peer) { ASSERT_TRUE(client->layer().request(peer, coap::Request{}, {}, now)); }
  std::string last_answer() const {
    if (answers.empty()) return "none";
    const auto* response = std::get_if<coap::ResponseArrived>(&answers.back());
    return response == nullptr ? "gone" : std::string(as_text(response->response.payload));
  }
  void pass(std::chrono::nanoseconds time) {
    now += time;
    server->on_timeout(now);
    client->on_timeout(now);
    carry();
  }

  Instant now{std::chrono::hours(1)};
  SeededRandom random{5};
  ListedCredentials credentials;
  std::unique_ptr<ServerStack> server;
  std::unique_ptr<ClientStack> client;
  std::vector<SessionEvent> server_sessions;
  std::vector<SessionEvent> client_sessions;
  std::vector<coap::RequestArrived> requests;
  std::vector<coap::Event> answers;
  std::vector<Error> gone;
  bool answer = true;
};

tls::ClientCredentials alice_psk() { return psk_of(as_bytes("alice"), as_bytes("0123456789abcdef")); }

TEST(CoapStacks, PlainRequestsHaveNoIdentity) {
  Bench bench;
  bench.get(bench.client->plain_peer(plain_address));
  bench.carry();
  EXPECT_EQ(bench.last_answer(), "nobody");
  ASSERT_EQ(bench.requests.size(), 1U);
  EXPECT_EQ(bench.requests[0].peer.transport, coap::Transport::udp);
  EXPECT_EQ(bench.requests[0].peer.session, 0U);
  EXPECT_EQ(bench.requests[0].peer.local, plain_address);
}

TEST(CoapStacks, DtlsRequestsCarryTheSessionAndItsIdentity) {
  Bench bench;
  const auto peer = bench.client->connect(secure_address, alice_psk(), bench.now).value();
  bench.carry();
  ASSERT_EQ(bench.client_sessions.size(), 1U);
  EXPECT_EQ(std::get<SessionEstablished>(bench.client_sessions[0]).peer, peer);
  bench.get(peer);
  bench.carry();
  EXPECT_EQ(bench.last_answer(), "psk:616c696365");
  EXPECT_EQ(bench.requests[0].peer.transport, coap::Transport::dtls);
  EXPECT_EQ(bench.requests[0].peer, std::get<SessionEstablished>(bench.server_sessions.at(0)).peer);
  ASSERT_NE(bench.client->identity(peer.session), nullptr);
}

TEST(CoapStacks, RequestsMadeDuringTheHandshakeAreHeld) {
  Bench bench;
  const auto peer =
      bench.client
          ->connect(secure_address, tls::RawKeyClient{key_of_client(), to_bytes(key_of_server().spki())}, bench.now)
          .value();
  bench.get(peer);
  bench.carry();
  EXPECT_TRUE(bench.last_answer().starts_with("rpk:"));
}

TEST(CoapStacks, SeveralConnectionsToOneServerAreKeptApart) {
  Bench bench;
  bench.credentials.keys[to_bytes("bob")] = to_bytes("fedcba9876543210");
  const auto first = bench.client->connect(secure_address, alice_psk(), bench.now).value();
  const auto second =
      bench.client->connect(secure_address, psk_of(as_bytes("bob"), as_bytes("fedcba9876543210")), bench.now).value();
  bench.carry();
  bench.get(second);
  bench.carry();
  EXPECT_EQ(bench.last_answer(), "psk:626f62");
  bench.get(first);
  bench.carry();
  EXPECT_EQ(bench.last_answer(), "psk:616c696365");
  bench.get(bench.client->plain_peer(plain_address));
  bench.carry();
  EXPECT_EQ(bench.last_answer(), "nobody");
  EXPECT_EQ(bench.server->session_count(), 2U);
}

TEST(CoapStacks, ATicketOfOneSessionResumesTheNext) {
  Bench bench;
  bench.credentials.resumable = true;
  bench.credentials.handle = 5;
  const auto first = bench.client->connect(secure_address, alice_psk(), bench.now).value();
  bench.carry();
  const auto ticket = std::get<SessionEstablished>(bench.client_sessions.at(0)).ticket;
  ASSERT_TRUE(ticket);
  EXPECT_FALSE(std::get<SessionEstablished>(bench.server_sessions.at(0)).ticket);
  bench.client->close(first.session, bench.now);
  bench.carry();
  bench.credentials.handle = 6;
  const auto second = bench.client->connect(secure_address, alice_psk(), bench.now, ticket).value();
  bench.get(second);
  bench.carry();
  EXPECT_EQ(bench.last_answer(), "psk:616c696365");
  EXPECT_TRUE(std::get<SessionEstablished>(bench.client_sessions.back()).info.resumed);
  const auto& at_server = std::get<SessionEstablished>(bench.server_sessions.back());
  EXPECT_TRUE(at_server.info.resumed);
  EXPECT_EQ(std::get<tls::PskIdentity>(at_server.identity).handle(), 5U);
  EXPECT_EQ(bench.server->tls_counters().resumed, 1U);
}

TEST(CoapStacks, AClientWithoutIdentityMayAskWhereThatIsAllowed) {
  Bench bench;
  const tls::AnonymousClient nobody{to_bytes(key_of_server().spki())};
  static_cast<void>(bench.client->connect(secure_address, nobody, bench.now).value());
  bench.carry();
  EXPECT_TRUE(std::holds_alternative<SessionFailed>(bench.client_sessions.at(0)));
  bench.credentials.anybody = true;
  bench.get(bench.client->connect(secure_address, nobody, bench.now).value());
  bench.carry();
  EXPECT_EQ(bench.last_answer(), "none");
}

TEST(CoapStacks, ARefusedHandshakeEndsTheHeldRequest) {
  Bench bench;
  const auto peer =
      bench.client->connect(secure_address, psk_of(as_bytes("mallory"), as_bytes("k")), bench.now).value();
  bench.get(peer);
  bench.carry();
  ASSERT_EQ(bench.client_sessions.size(), 1U);
  EXPECT_EQ(std::get<SessionFailed>(bench.client_sessions[0]).alert_received, tls::Alert::illegal_parameter);
  EXPECT_EQ(std::get<SessionFailed>(bench.server_sessions.at(0)).alert_sent, tls::Alert::illegal_parameter);
  ASSERT_EQ(bench.answers.size(), 1U);
  EXPECT_EQ(std::get<coap::ExchangeGone>(bench.answers[0]).reason, reason::handshake_alert_received);
  EXPECT_FALSE(bench.client->channel_in_use(peer.session));
}

TEST(CoapStacks, TheEndOfASessionEndsItsExchangesOnBothSides) {
  Bench bench;
  bench.answer = false;
  const auto peer = bench.client->connect(secure_address, alice_psk(), bench.now).value();
  bench.get(peer);
  bench.carry();
  ASSERT_EQ(bench.requests.size(), 1U);
  const auto session = bench.requests[0].peer.session;
  bench.server->close_session(session, bench.now);
  EXPECT_EQ(bench.server->identity(session), nullptr);
  bench.carry();
  bench.serve();
  ASSERT_EQ(bench.gone.size(), 1U);
  EXPECT_EQ(bench.gone[0], reason::session_closed_here);
  ASSERT_EQ(bench.answers.size(), 1U);
  EXPECT_EQ(std::get<coap::ExchangeGone>(bench.answers[0]).reason, reason::session_closed_by_peer);
  EXPECT_EQ(std::get<SessionClosed>(bench.client_sessions.at(1)).why, reason::session_closed_by_peer);
  EXPECT_EQ(std::get<SessionClosed>(bench.server_sessions.at(1)).why, reason::session_closed_here);
}

TEST(CoapStacks, ARequestOnAClosedSessionEndsAtOnce) {
  Bench bench;
  const auto peer = bench.client->connect(secure_address, alice_psk(), bench.now).value();
  bench.carry();
  bench.client->close(peer.session, bench.now);
  bench.carry();
  EXPECT_EQ(bench.server->session_count(), 0U);
  bench.get(peer);
  bench.carry();
  bench.carry();
  ASSERT_EQ(bench.answers.size(), 1U);
  EXPECT_EQ(std::get<coap::ExchangeGone>(bench.answers[0]).reason, reason::coaps_session_gone);
}

TEST(CoapStacks, AnAnswerFromAnotherAddressIsNotHeard) {
  Bench bench;
  const auto peer = bench.client->connect(secure_address, alice_psk(), bench.now).value();
  bench.carry();
  bench.get(peer);
  while (auto out = bench.client->next_datagram(bench.now)) {
    bench.server->receive(ListenerKind::secure, address_of(out->channel), out->to, out->datagram, bench.now);
  }
  bench.serve();
  auto reply = bench.server->next_datagram(bench.now);
  ASSERT_TRUE(reply);
  bench.client->receive(peer.session, Address::v4(203, 0, 113, 9, 5684), reply->datagram, bench.now);
  EXPECT_FALSE(bench.client->layer().next_event(bench.now));
  bench.client->receive(peer.session, secure_address, reply->datagram, bench.now);
  EXPECT_TRUE(bench.client->layer().next_event(bench.now));
}

TEST(CoapStacks, TheTapSeesMessagesDecryptedWithTheirSizeOnTheWire) {
  Bench bench;
  NotingTap at_client;
  NotingTap at_server;
  bench.client->set_tap(&at_client);
  bench.server->set_tap(&at_server);
  const auto peer = bench.client->connect(secure_address, alice_psk(), bench.now).value();
  bench.get(peer);
  bench.carry();
  ASSERT_EQ(at_client.messages.size(), 2U);
  ASSERT_EQ(at_server.messages.size(), 2U);
  EXPECT_EQ(at_client.messages[0].direction, Direction::out);
  EXPECT_EQ(at_server.messages[0].direction, Direction::in);
  EXPECT_EQ(at_client.messages[0].message, at_server.messages[0].message);
  // A CoAP GET with an 8-octet token, and around it a record header, an explicit nonce and a CCM_8 tag.
  EXPECT_EQ(at_client.messages[0].message.size(), 12U);
  EXPECT_EQ(at_client.messages[0].wire_octets, 12U + 13 + 8 + 8);
  EXPECT_EQ(at_server.messages[0].wire_octets, at_client.messages[0].wire_octets);
  EXPECT_EQ(at_client.messages[1].message, at_server.messages[1].message);
  EXPECT_EQ(at_client.suites, std::vector<std::string>{"TLS_PSK_WITH_AES_128_CCM_8"});
  bench.client->close(peer.session, bench.now);
  bench.carry();
  ASSERT_EQ(at_server.closed.size(), 1U);
  EXPECT_EQ(at_server.closed[0], reason::session_closed_by_peer);
}

TEST(CoapStacks, ClosingAllTellsEveryPeer) {
  Bench bench;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(bench.client->connect(secure_address, alice_psk(), bench.now));
  bench.carry();
  EXPECT_EQ(bench.client->connection_count(), 3U);
  bench.server->close_all(bench.now);
  bench.carry();
  EXPECT_EQ(bench.client->connection_count(), 0U);
  EXPECT_EQ(bench.server->session_count(), 0U);
}

TEST(CoapStacks, AHandshakeIsRetransmittedWhenItsTimeComes) {
  Bench bench;
  ASSERT_TRUE(bench.client->connect(secure_address, alice_psk(), bench.now));
  while (bench.client->next_datagram(bench.now)) {
  }
  ASSERT_EQ(bench.client->next_timeout(), bench.now + std::chrono::seconds(1));
  bench.pass(std::chrono::seconds(1));
  EXPECT_EQ(bench.server->session_count(), 1U);
}

TEST(CoapStacks, ARequestThatWasRetransmittedDuringTheHandshakeLeavesOnceAfterIt) {
  Bench bench;
  const auto peer = bench.client->connect(secure_address, alice_psk(), bench.now).value();
  bench.get(peer);
  for (int second = 0; second < 8; ++second) {  // nothing arrives
    bench.now += std::chrono::seconds(1);
    bench.client->on_timeout(bench.now);
    while (bench.client->next_datagram(bench.now)) {
    }
  }
  ASSERT_GE(bench.client->endpoint().counters().retransmitted, 1U);
  for (int second = 0; second < 30 && bench.answers.empty(); ++second) bench.pass(std::chrono::seconds(1));
  EXPECT_EQ(bench.last_answer(), "psk:616c696365");
  EXPECT_EQ(bench.server->endpoint().counters().received, 1U);
}

TEST(CoapStacks, ALargestMessageOfTheMessageLayerFitsARecord) {
  Bench bench;
  const auto peer = bench.client->connect(secure_address, alice_psk(), bench.now).value();
  bench.carry();
  coap::Request request{coap::code::post, {}, Bytes(coap::Limits{}.datagram_size - 4 - 8 - 1, 7)};
  ASSERT_TRUE(bench.client->layer().request(peer, std::move(request), {}, bench.now));
  bench.carry();
  EXPECT_EQ(bench.last_answer(), "psk:616c696365");
}

TEST(CoapStacks, TheNumberOfConnectionsIsLimited) {
  SeededRandom random(1);
  ClientStackConfig config;
  config.max_connections = 1;
  ClientStack client(config, random);
  ASSERT_TRUE(client.connect(secure_address, alice_psk(), Instant{}));
  const auto second = client.connect(secure_address, alice_psk(), Instant{});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), reason::coaps_too_many_connections);
}

TEST(CoapStacks, DtlsNeedsSomebodyToAsk) {
  SeededRandom random(1);
  ServerStackConfig config;
  config.dtls = tls::ServerConfig{};
  const auto stack = ServerStack::create(std::move(config), nullptr, random);
  ASSERT_FALSE(stack);
  EXPECT_EQ(stack.error(), reason::coaps_no_secure_listener);
}

}  // namespace
}  // namespace aceward::coaps
