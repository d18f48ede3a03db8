// A server and a client over real sockets on the loopback, plain and through DTLS.
#include <gtest/gtest.h>

#include <vector>

#include "aceward/net/coaps/client_host.h"
#include "aceward/net/coaps/server_host.h"
#include "aceward/tls/reasons.h"
#include "aceward/tls/test_network.h"

namespace aceward::net {
namespace {

using tls::testing::key_of_client;
using tls::testing::key_of_server;

constexpr std::chrono::seconds host_patience{20};

tls::ClientCredentials as_alice() { return tls::testing::psk_of(as_bytes("alice"), as_bytes("0123456789abcdef")); }

/// Answers each request with the identity of the one who asks, after `delay`.
struct WhoAmI final : Application {
  void pump(Instant now) override {
    while (auto event = stack->next_session_event()) sessions.push_back(std::move(*event));
    while (auto event = stack->layer().next_event(now)) {
      if (const auto* arrived = std::get_if<coap::RequestArrived>(&*event)) {
        pending.push_back(*arrived);
        last_remote = arrived->peer.remote;
        due = now + delay;
      }
    }
    if (delay.count() == 0) answer(now);
  }
  std::optional<Instant> next_timeout() const override { return due; }
  void on_timeout(Instant now) override {
    if (due && *due <= now) answer(now);
  }
  void answer(Instant now) {
    for (const auto& request : std::exchange(pending, {})) {
      const auto* identity = stack->identity(request.peer.session);
      coap::Response response;
      response.payload = to_bytes(identity == nullptr ? std::string("nobody") : tls::describe(*identity));
      stack->layer().respond(request.id, std::move(response), {}, now);
    }
    due.reset();
  }
  coaps::ServerStack* stack = nullptr;
  std::chrono::milliseconds delay{0};
  std::optional<Instant> due;
  std::vector<coap::RequestArrived> pending;
  Address last_remote;
  std::vector<coaps::SessionEvent> sessions;
};

struct Asker final : Application {
  void pump(Instant now) override {
    while (auto event = stack->next_session_event()) sessions.push_back(std::move(*event));
    while (auto event = stack->layer().next_event(now)) {
      if (const auto* arrived = std::get_if<coap::ResponseArrived>(&*event)) {
        answers.emplace_back(as_text(arrived->response.payload));
      } else {
        ++gone;
      }
    }
  }
  coaps::ClientStack* stack = nullptr;
  std::vector<coaps::SessionEvent> sessions;
  std::vector<std::string> answers;
  int gone = 0;
};

struct HostTest : ::testing::Test {
  HostTest() {
    credentials.keys[to_bytes("alice")] = to_bytes("0123456789abcdef");
    credentials.raw_keys.push_back(to_bytes(key_of_client().spki()));
    coaps::ServerStackConfig config;
    config.dtls = tls::ServerConfig{.raw_key = key_of_server()};
    server = coaps::ServerStack::create(std::move(config), &credentials, random).value();
    client = std::make_unique<coaps::ClientStack>(coaps::ClientStackConfig{}, random);
    who.stack = server.get();
    asker.stack = client.get();
    server_host = std::make_unique<ServerHost>(loop, *server, who);
    client_host = std::make_unique<ClientHost>(loop, *client, asker);
  }

  void get(const coap::Peer& peer) {
    ASSERT_TRUE(client->layer().request(peer, coap::Request{}, {}, loop.now()));
    client_host->wake();
  }
  coap::Peer connect(const Address& to, tls::ClientCredentials with) {
    const auto peer = client->connect(to, std::move(with), loop.now()).value();
    client_host->wake();
    return peer;
  }
  bool answered(std::size_t count) {
    return loop.run_until([&] { return asker.answers.size() >= count; }, host_patience);
  }

  EventLoop loop;
  SeededRandom random{11};
  tls::testing::ListedCredentials credentials;
  std::unique_ptr<coaps::ServerStack> server;
  std::unique_ptr<coaps::ClientStack> client;
  WhoAmI who;
  Asker asker;
  std::unique_ptr<ServerHost> server_host;
  std::unique_ptr<ClientHost> client_host;
};

TEST_F(HostTest, AClientKnowsTheAddressThatAChannelSendsFrom) {
  const auto plain = server_host->listen(coaps::ListenerKind::plain, Address::v4(127, 0, 0, 1, 0)).value();
  EXPECT_TRUE(client_host->local_address(coaps::plain_channel, plain).is_unspecified());
  get(client->plain_peer(plain));
  ASSERT_TRUE(answered(1));
  const Address local = client_host->local_address(coaps::plain_channel, plain);
  EXPECT_EQ(local.host(), "127.0.0.1");
  EXPECT_EQ(who.last_remote, local);
}

TEST_F(HostTest, PlainAndSecureListenersServeOneClient) {
  const auto plain = server_host->listen(coaps::ListenerKind::plain, Address::v4(127, 0, 0, 1, 0)).value();
  const auto secure = server_host->listen(coaps::ListenerKind::secure, Address::v4(127, 0, 0, 1, 0)).value();
  get(client->plain_peer(plain));
  ASSERT_TRUE(answered(1));
  EXPECT_EQ(asker.answers[0], "nobody");
  get(connect(secure, as_alice()));
  ASSERT_TRUE(answered(2));
  EXPECT_EQ(asker.answers[1], "psk:616c696365");
  get(connect(secure, tls::RawKeyClient{key_of_client(), to_bytes(key_of_server().spki())}));
  ASSERT_TRUE(answered(3));
  EXPECT_TRUE(asker.answers[2].starts_with("rpk:"));
  EXPECT_EQ(server->session_count(), 2U);
  EXPECT_EQ(client_host->socket_count(), 3U);
  ASSERT_EQ(server_host->counters().size(), 2U);
  EXPECT_EQ(server_host->counters()[0].datagrams_in, 1U);
}

TEST_F(HostTest, Ipv6IsServedToo) {
  const auto secure = server_host->listen(coaps::ListenerKind::secure, Address::parse("[::1]:0").value());
  if (!secure) GTEST_SKIP() << "this host has no IPv6 loopback";
  get(connect(*secure, as_alice()));
  ASSERT_TRUE(answered(1));
  EXPECT_EQ(asker.answers[0], "psk:616c696365");
}

TEST_F(HostTest, ADualListenerAnswersFromTheAddressThatWasAsked) {
  const auto bound = server_host->listen(coaps::ListenerKind::secure, Address{});
  if (!bound) GTEST_SKIP() << "this host has no IPv6";
  // A DTLS client hears only the address that it asked.
  get(connect(Address::v4(127, 0, 0, 5, bound->port), as_alice()));
  ASSERT_TRUE(answered(1));
  EXPECT_EQ(asker.answers[0], "psk:616c696365");
}

TEST_F(HostTest, AClosedSessionsSocketIsClosed) {
  const auto secure = server_host->listen(coaps::ListenerKind::secure, Address::v4(127, 0, 0, 1, 0)).value();
  const auto peer = connect(secure, as_alice());
  ASSERT_TRUE(loop.run_until([&] { return server->session_count() == 1; }, host_patience));
  ASSERT_TRUE(loop.run_until([&] { return !asker.sessions.empty(); }, host_patience));
  EXPECT_EQ(client_host->socket_count(), 1U);
  client->close(peer.session, loop.now());
  client_host->wake();
  EXPECT_EQ(client_host->socket_count(), 0U);
  EXPECT_TRUE(loop.run_until([&] { return server->session_count() == 0; }, host_patience));
}

TEST_F(HostTest, TheServerMayEndASessionFromOutside) {
  const auto secure = server_host->listen(coaps::ListenerKind::secure, Address::v4(127, 0, 0, 1, 0)).value();
  connect(secure, as_alice());
  ASSERT_TRUE(
      loop.run_until([&] { return client->connection_count() == 1 && !asker.sessions.empty(); }, host_patience));
  server->close_all(loop.now());
  server_host->wake();
  ASSERT_TRUE(loop.run_until([&] { return client->connection_count() == 0; }, host_patience));
  ASSERT_EQ(asker.sessions.size(), 2U);
  EXPECT_EQ(std::get<coaps::SessionClosed>(asker.sessions[1]).why, reason::session_closed_by_peer);
}

TEST_F(HostTest, TimeoutsOfTheApplicationAreKept) {
  who.delay = std::chrono::milliseconds(20);
  const auto plain = server_host->listen(coaps::ListenerKind::plain, Address::v4(127, 0, 0, 1, 0)).value();
  const Instant begun = loop.now();
  get(client->plain_peer(plain));
  ASSERT_TRUE(answered(1));
  EXPECT_GE(loop.now() - begun, std::chrono::milliseconds(20));
}

TEST_F(HostTest, ManyClientsAtOnce) {
  const auto secure = server_host->listen(coaps::ListenerKind::secure, Address::v4(127, 0, 0, 1, 0)).value();
  for (int i = 0; i < 40; ++i) get(connect(secure, as_alice()));
  ASSERT_TRUE(answered(40));
  EXPECT_EQ(server->session_count(), 40U);
  EXPECT_EQ(asker.gone, 0);
}

TEST_F(HostTest, APortThatIsTakenIsAnError) {
  const auto first = server_host->listen(coaps::ListenerKind::plain, Address::v4(127, 0, 0, 1, 0)).value();
  EXPECT_FALSE(server_host->listen(coaps::ListenerKind::plain, first));
}

}  // namespace
}  // namespace aceward::net
