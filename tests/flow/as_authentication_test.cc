// Clients that authenticate to the authorization server by a certificate, or by a name and a secret.
#include <gtest/gtest.h>

#include "aceward/ace/as/client_secret.h"
#include "aceward/ace/client/reasons.h"
#include "aceward/crypto/encoding.h"
#include "aceward/tls/reasons.h"
#include "aceward/tls/test_certificates.h"
#include "tests/flow/world.h"

namespace aceward::tests {
namespace {

using ace::client::PopKind;
using ace::dtls::Stage;

constexpr std::string_view as_name = "as.example";
const Bytes good_secret(24, 0x61);

tls::RawKeyPair own_pair(const cose::Key& key) { return tls::RawKeyPair::from_key(key.private_key().value()).value(); }

/// The server has a certificate too, and believes those of one authority.
class CertifiedWorld : public World {
 public:
  CertifiedWorld() {
    adjust_as = [this](ace::dtls::AsServiceConfig& config) {
      config.stack.dtls->certificate = authority.chain({.dns_names = {std::string(as_name)}}, own_pair(as_channel_key));
      config.stack.dtls->client_authorities = authority.authorities();
      config.stack.dtls->clock = &clock;
    };
    start_as();
  }
  /// `alice`, who is registered by the name in her certificate alone.
  ClientNode& add(PopKind kind, const tls::testing::TestAuthority& issuer, const std::string& name = "alice.example",
                  const std::string& wanted = std::string(as_name)) {
    ClientNode& node = add_client("alice", kind, [&](ace::dtls::AccessClientConfig& config) {
      config.authorization_servers[0].credentials =
          ace::dtls::AsCertificate{issuer.chain({.dns_names = {name}}, own_pair(*config.key)),
                                   tls::NamedServer{authority.authorities(), wanted}};
    });
    clients.back().public_key.clear();
    clients.back().key_thumbprint.clear();
    clients.back().certificate_name = "alice.example";
    allow("alice", "rTemp");
    return node;
  }
  tls::testing::TestAuthority authority{"home"};
};

/// `alice`, who is known by her secret; her key is registered for tokens alone.
ClientNode& add_with_secret(World& world, PopKind kind, const Bytes& secret,
                            const std::optional<cose::Key>& server = std::nullopt) {
  ClientNode& node = world.add_client("alice", kind, [&](ace::dtls::AccessClientConfig& config) {
    const cose::Key& expected = server ? *server : world.as_channel_key;
    config.authorization_servers[0].credentials =
        ace::dtls::AsSecret{"alice", Secret::copy_of(secret), crypto::spki_der(expected.public_key().value())};
    config.authorization_servers[0].revocations.emplace();
  });
  world.clients.back().secret_digest = ace::as::make_secret_digest(good_secret, world.random);
  if (kind == PopKind::pre_shared_key) {
    world.clients.back().public_key.clear();
    world.clients.back().key_thumbprint.clear();
  }
  world.allow("alice", "rTemp");
  return node;
}

TEST(AsAuthentication, ACertificateOfATrustedAuthorityIsEnough) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    CertifiedWorld world;
    ClientNode& alice = world.add(kind, world.authority);
    EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
    ASSERT_EQ(world.ledger.tokens.size(), 1U);
    EXPECT_EQ(world.ledger.tokens[0].client, "alice");
  }
}

TEST(AsAuthentication, ACertificateOfAnotherAuthorityIsRefused) {
  CertifiedWorld world;
  const tls::testing::TestAuthority elsewhere("elsewhere");
  ClientNode& alice = world.add(PopKind::raw_public_key, elsewhere);
  const auto asked = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.stage, Stage::token);
  EXPECT_TRUE(world.ledger.tokens.empty());
}

TEST(AsAuthentication, ACertificateWithTheNameOfNobodyIsRefused) {
  CertifiedWorld world;
  ClientNode& alice = world.add(PopKind::raw_public_key, world.authority, "mallory.example");
  const auto asked = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.stage, Stage::token);
  EXPECT_TRUE(world.ledger.tokens.empty());
}

TEST(AsAuthentication, AServerWithTheNameOfAnotherIsToldNothing) {
  CertifiedWorld world;
  ClientNode& alice = world.add(PopKind::raw_public_key, world.authority, "alice.example", "other.example");
  const auto asked = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.stage, Stage::token);
  EXPECT_EQ(asked.result.error(), reason::certificate_name_unexpected);
  EXPECT_TRUE(world.ledger.tokens.empty());
}

TEST(AsAuthentication, ACertifiedClientThatIsRemovedGetsNothingMoreOnItsSession) {
  CertifiedWorld world;
  ClientNode& alice = world.add(PopKind::pre_shared_key, world.authority);
  ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  world.clients.back().certificate_name = "somebody.example";
  world.publish();
  alice.access->obtain_token(0, std::chrono::seconds(60), world.clock.now());
  world.run();
  const auto asked = alice.access->next_completed();
  ASSERT_TRUE(asked);
  EXPECT_FALSE(asked->result);
  EXPECT_EQ(world.ledger.tokens.size(), 1U);
}

TEST(AsAuthentication, ANameAndItsSecretAreEnough) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    ClientNode& alice = add_with_secret(world, kind, good_secret);
    EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
    ASSERT_EQ(world.ledger.tokens.size(), 1U);
    EXPECT_EQ(world.ledger.tokens[0].client, "alice");
    EXPECT_EQ(alice.access->follower(0), nullptr) << "the list is for whom the channel authenticates";
  }
}

TEST(AsAuthentication, AWrongSecretIsRefusedAsAnInvalidClient) {
  World world;
  ClientNode& alice = add_with_secret(world, PopKind::pre_shared_key, Bytes(24, 0x62));
  const auto asked = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.result.error(), reason::as_refused);
  ASSERT_TRUE(asked.refusal);
  EXPECT_EQ(asked.refusal->error, ace::ErrorCode::invalid_client);
  EXPECT_TRUE(world.ledger.tokens.empty());
}

TEST(AsAuthentication, TheSecretIsToldToTheRightServerAlone) {
  World world;
  const cose::Key other =
      cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, world.random).value());
  ClientNode& alice = add_with_secret(world, PopKind::pre_shared_key, good_secret, other.clone());
  const auto asked = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.result.error(), reason::server_key_unexpected);
  EXPECT_TRUE(world.ledger.tokens.empty());
}

}  // namespace
}  // namespace aceward::tests
