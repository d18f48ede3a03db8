#include "aceward/ace/as/client_secret.h"

#include <gtest/gtest.h>

#include "aceward/ace/as/authentication_mint.h"
#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/token_resource.h"
#include "aceward/ace/as/token_test_support.h"

namespace aceward::ace::as {
namespace {

using std::chrono::seconds;

const Bytes right_secret(24, 0x5a);
const Bytes wrong_secret(24, 0x5b);

TEST(ClientSecret, IsKeptSaltedAndHashed) {
  SeededRandom random(1);
  const Bytes digest = make_secret_digest(right_secret, random);
  EXPECT_EQ(digest.size(), 48U);
  EXPECT_NE(make_secret_digest(right_secret, random), digest) << "another salt";
  EXPECT_TRUE(std::ranges::search(digest, right_secret).empty());
  EXPECT_TRUE(secret_matches(digest, right_secret));
}

TEST(ClientSecret, AnyOtherOctetsDoNotMatch) {
  SeededRandom random(1);
  const Bytes digest = make_secret_digest(right_secret, random);
  for (std::size_t i = 0; i < right_secret.size(); ++i) {
    Bytes other = right_secret;
    other[i] ^= 1;
    EXPECT_FALSE(secret_matches(digest, other)) << i;
  }
  EXPECT_FALSE(secret_matches(digest, BytesView(right_secret).first(23)));
  EXPECT_FALSE(secret_matches(digest, {}));
  for (std::size_t i = 0; i < digest.size(); ++i) {
    Bytes other = digest;
    other[i] ^= 0x80;
    EXPECT_FALSE(secret_matches(other, right_secret)) << i;
  }
  EXPECT_FALSE(secret_matches({}, {})) << "no digest, no secret";
  EXPECT_FALSE(secret_matches(BytesView(digest).first(47), right_secret));
}

/// SHA-256("0123456789abcdef" || "secret"), computed with another tool.
TEST(ClientSecret, TheDigestIsThatOfSaltAndSecret) {
  Bytes digest = to_bytes("0123456789abcdef");
  const Bytes hash = from_hex("c5310e3d1e5823ef77ce3a5804988a72fc60c307a0c8959f3461e202e4a8d814").value_or(Bytes());
  digest.insert(digest.end(), hash.begin(), hash.end());
  EXPECT_TRUE(secret_matches(digest, as_bytes("secret")));
}

class SecretGateTest : public ::testing::Test {
 protected:
  static constexpr WallTime now{seconds(1'700'000'000)};
  SeededRandom random{3};
  SecretGate gate{SecretLimits{.window = seconds(60), .wrong_per_peer = 3, .wrong_per_client = 5}, random};
  Address peer = Address::v4(10, 0, 0, 1, 5000);
  std::unique_ptr<Registry> registry;

  SecretGateTest() {
    std::vector<ClientRecord> clients(2);
    clients[0].id = 1;
    clients[0].name = "alice";
    clients[0].secret_digest = make_secret_digest(right_secret, random);
    clients[1].id = 2;
    clients[1].name = "keyed";
    registry =
        std::make_unique<Registry>(1, std::move(clients), std::vector<ServerRecord>(), std::vector<PolicyRule>());
  }

  Result<AuthenticatedClient> check(std::string_view name, BytesView secret, WallTime at = now) {
    return gate.check(*registry, name, secret, peer, at);
  }
};

TEST_F(SecretGateTest, TheRightSecretIsItsClient) {
  const auto client = check("alice", right_secret);
  ASSERT_TRUE(client);
  EXPECT_EQ(client->id(), 1);
  EXPECT_EQ(client->authentication(), ClientAuthentication::client_secret);
  EXPECT_TRUE(client->key_thumbprint().empty()) << "it proves no key";
}

TEST_F(SecretGateTest, AWrongSecretAndAnUnknownClientAreTheSame) {
  EXPECT_EQ(check("alice", wrong_secret).error(), reason::client_secret_wrong);
  EXPECT_EQ(check("nobody", right_secret).error(), reason::client_secret_wrong);
  EXPECT_EQ(check("keyed", {}).error(), reason::client_secret_wrong) << "a client without a secret has none to show";
}

TEST_F(SecretGateTest, AfterTooManyWrongOnesTheRightOneIsNotLookedAt) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(check("nobody", wrong_secret).error(), reason::client_secret_wrong);
  EXPECT_EQ(check("alice", right_secret).error(), reason::client_secret_throttled);
  EXPECT_EQ(check("alice", wrong_secret).error(), reason::client_secret_throttled);
  peer.port = 5001;
  EXPECT_EQ(check("alice", right_secret).error(), reason::client_secret_throttled) << "whatever the port";
  peer = Address::v4(10, 0, 0, 2, 5000);
  EXPECT_TRUE(check("alice", right_secret)) << "nobody else is kept out";
}

TEST_F(SecretGateTest, AnIpv6SubnetIsOnePeer) {
  for (const char* guesser : {"[2001:db8::1]:5000", "[2001:db8::2]:5000", "[2001:db8:0:0:ffff::3]:5000"}) {
    peer = Address::parse(guesser).value();
    EXPECT_EQ(check("nobody", wrong_secret).error(), reason::client_secret_wrong);
  }
  peer = Address::parse("[2001:db8::4]:5000").value();
  EXPECT_EQ(check("alice", right_secret).error(), reason::client_secret_throttled);
  peer = Address::parse("[2001:db8:0:1::1]:5000").value();
  EXPECT_TRUE(check("alice", right_secret)) << "nobody else is kept out";
}

TEST_F(SecretGateTest, OneClientIsNotGuessedFromEverywhere) {
  for (std::uint8_t host = 10; host < 15; ++host) {
    peer = Address::v4(10, 0, 1, host, 5000);
    EXPECT_EQ(check("alice", wrong_secret).error(), reason::client_secret_wrong);
  }
  peer = Address::v4(10, 0, 2, 1, 5000);
  EXPECT_EQ(check("alice", right_secret).error(), reason::client_secret_throttled);
  EXPECT_EQ(check("bob", wrong_secret).error(), reason::client_secret_wrong) << "others may still be asked for";
}

TEST_F(SecretGateTest, AWindowEnds) {
  const WallTime start{seconds(1'700'000'000 / 60 * 60)};
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(check("alice", wrong_secret, start));
  EXPECT_EQ(check("alice", right_secret, start + seconds(59)).error(), reason::client_secret_throttled);
  EXPECT_EQ(gate.retry_after(start + seconds(59)), seconds(1));
  EXPECT_EQ(gate.retry_after(start), seconds(60));
  EXPECT_TRUE(check("alice", right_secret, start + seconds(60)));
}

TEST_F(SecretGateTest, RightSecretsDoNotCount) {
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(check("alice", right_secret));
}

class ClientSecretRequestTest : public TokenTest {
 protected:
  const Address peer = Address::v4(10, 0, 0, 1, 5000);

  ClientSecretRequestTest() {
    clients[0].secret_digest = make_secret_digest(right_secret, random);
    publish();
  }

  coap::Response ask_with(std::optional<std::string> client_id, std::optional<Bytes> secret,
                          std::string audience = "thermometer.example") {
    TokenRequest request = request_for(std::move(audience));
    request.client_id = std::move(client_id);
    if (secret) request.client_secret = Secret::copy_of(*secret);
    return ask_request(post(cbor::serialize(request)));
  }
  coap::Response ask_request(const coap::Request& request) {
    std::optional<coap::Response> answer;
    endpoint.process_with_secret(peer, request, now, [&](coap::Response response) { answer = std::move(response); });
    return answer.value();
  }
};

TEST_F(ClientSecretRequestTest, AClientThatShowsItsSecretGetsAToken) {
  EXPECT_EQ(ask_with("alice", right_secret).code, coap::code::created);
  EXPECT_EQ(audited.back().client, "alice");
  EXPECT_EQ(audited.back().authentication, ClientAuthentication::client_secret);
  EXPECT_EQ(ledger.tokens.back().client_id, 1);
}

TEST_F(ClientSecretRequestTest, EveryWayToBeWrongIsOneAnswer) {
  const coap::Response wrong = ask_with("alice", wrong_secret);
  EXPECT_EQ(wrong.code, coap::code::unauthorized);
  EXPECT_EQ(to_hex(wrong.payload), "a1181e02");
  EXPECT_EQ(ask_with("nobody", right_secret), wrong);
  EXPECT_EQ(ask_with("bob", right_secret), wrong);
  EXPECT_EQ(ask_with("alice", std::nullopt), wrong);
  EXPECT_EQ(ask_with(std::nullopt, right_secret), wrong);
  EXPECT_EQ(ask_with(std::nullopt, std::nullopt), wrong);
  EXPECT_EQ(audited.back().client, "") << "a name that nobody proved is not the client's";
  EXPECT_TRUE(ledger.tokens.empty());
}

TEST_F(ClientSecretRequestTest, TooManyWrongOnesAreToldToComeBackRightOrWrong) {
  for (int i = 0; i < 10; ++i) ask_with("alice", wrong_secret);
  const coap::Response right = ask_with("alice", right_secret);
  EXPECT_EQ(right.code, coap::code::too_many_requests);
  EXPECT_GE(right.options.find_uint(coap::option::max_age), 1U);
  EXPECT_EQ(ask_with("alice", wrong_secret), right);
  EXPECT_EQ(audited.back().reason, "client_secret_throttled");
}

TEST_F(ClientSecretRequestTest, AStrangerFillsNeitherTheLogNorOurTime) {
  for (int i = 0; i < 100; ++i) ask_request(post(Bytes{0xff}));
  EXPECT_EQ(audited.size(), 11U) << "ten that cannot be read, then once that no more are looked at";
  EXPECT_EQ(endpoint.counters().refused.at("client_secret_throttled"), 90U);
  EXPECT_EQ(ask_with(std::nullopt, std::nullopt).code, coap::code::too_many_requests);
}

TEST_F(ClientSecretRequestTest, ItProvesNoKeyOfSomebodyElse) {
  TokenRequest request = request_for("thermometer.example");
  request.client_id = "alice";
  request.client_secret = Secret::copy_of(right_secret);
  request.req_cnf = cwt::Confirmation(bob_key.public_part().value());
  EXPECT_EQ(ask_request(post(cbor::serialize(request))).code, coap::code::bad_request);
  EXPECT_EQ(audited.back().reason, "pop_key_not_proven");
}

TEST_F(ClientSecretRequestTest, AChannelThatAuthenticatesTakesNoSecretBesides) {
  TokenRequest request = request_for("thermometer.example");
  request.client_id = "alice";
  request.client_secret = Secret::copy_of(right_secret);
  expect_error(by_psk(), request, ErrorCode::invalid_client, "client_secret_unexpected");
}

TEST_F(ClientSecretRequestTest, NoSecretIsAudited) {
  ask_with("alice", right_secret);
  ask_with("alice", wrong_secret);
  for (const AuditRecord& record : audited) {
    for (const std::string& text : {record.client, record.server, record.scope, std::string(record.detail)})
      EXPECT_EQ(text.find("ZZZ"), std::string::npos);
  }
}

/// A directory in which everybody has a channel that says nothing of them.
class AnonymousChannels final : public ChannelDirectory {
 public:
  std::optional<AuthenticatedClient> client_of(const coap::Peer&) const override { return std::nullopt; }
  bool is_protected_without_identity(const coap::Peer& peer) const override {
    return peer.transport == coap::Transport::dtls;
  }
};

class SilentLayer final : public coap::Layer {
 public:
  std::vector<coap::Response> answers;
  Result<coap::ExchangeId> request(const coap::Peer&, coap::Request, coap::Delivery, Instant) override {
    throw std::logic_error("no requests here");
  }
  void respond(coap::ExchangeId, coap::Response response, coap::Delivery, Instant) override {
    answers.push_back(std::move(response));
  }
  void cancel(coap::ExchangeId) override {}
  std::optional<coap::Event> next_event(Instant) override { return std::nullopt; }
};

TEST_F(ClientSecretRequestTest, OnlyAProtectedChannelMayCarryASecret) {
  AnonymousChannels channels;
  SilentLayer layer;
  ManualClock clock;
  coap::Router router(layer);
  TokenResource resource(endpoint, channels, layer, clock);
  router.add("token", resource);
  TokenRequest request = request_for("thermometer.example");
  request.client_id = "alice";
  request.client_secret = Secret::copy_of(right_secret);
  std::uint64_t id = 0;
  for (const auto transport : {coap::Transport::udp, coap::Transport::dtls}) {
    coap::Peer from;
    from.transport = transport;
    from.remote = peer;
    router.dispatch({coap::ExchangeId(++id), from, post(cbor::serialize(request)), coap::Reliability::confirmable},
                    clock.now());
  }
  ASSERT_EQ(layer.answers.size(), 2U);
  EXPECT_EQ(layer.answers[0].code, coap::code::unauthorized);
  EXPECT_EQ(layer.answers[1].code, coap::code::created);
}

}  // namespace
}  // namespace aceward::ace::as
