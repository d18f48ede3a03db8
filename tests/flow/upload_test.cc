// A token on its way to a resource server that cannot take it at once, because it first asks its authorization server.
#include <gtest/gtest.h>

#include "aceward/ace/client/reasons.h"
#include "tests/flow/world.h"

namespace aceward::tests {
namespace {

using ace::client::PopKind;
using std::chrono::seconds;

/// The resource server asks about every token.
void ask_about_all(World& world) {
  world.link_servers(
      [](ace::dtls::RsServiceConfig& config) { config.server.introspection.use = ace::rs::IntrospectionUse::always; });
  world.start_rs();
}

/// Nothing passes between the two servers.
void cut_link(World& world) {
  world.copies = [&world](const Flying& datagram) {
    const auto is_link = [&world](const Address& end) { return end.ip == world.rs_link.ip && end.port >= 50000; };
    return is_link(datagram.from) || is_link(datagram.to) ? 0 : 1;
  };
}

/// Counts the answers of the resource server that have this code.
std::shared_ptr<unsigned> answers_with(World& world, coap::Code code) {
  auto count = std::make_shared<unsigned>(0);
  world.rs->server().set_observer([count, code](const ace::rs::Decision& decision) {
    if (decision.answered == code) ++*count;
  });
  return count;
}

TEST(Upload, WaitsForAServerThatCannotAskAboutTheToken) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    ask_about_all(world);
    ClientNode& alice = world.add_client("alice", kind);
    ClientNode& bob = world.add_client("bob", kind);
    world.allow("alice", "rTemp");
    world.allow("bob", "rTemp");
    ASSERT_EQ(code_of(world.ask(bob, coap::code::get, "temp")), coap::code::content);
    const auto unavailable = answers_with(world, coap::code::service_unavailable);
    cut_link(world);
    ace::dtls::Operation operation;
    operation.request.options.add_path("temp");
    alice.access->submit(0, std::move(operation), world.clock.now());
    world.run(seconds(6));
    EXPECT_EQ(*unavailable, 1U);
    EXPECT_FALSE(alice.access->next_completed());
    world.copies = {};
    world.run();
    const auto completed = alice.access->next_completed();
    ASSERT_TRUE(completed);
    EXPECT_EQ(code_of(*completed), coap::code::content);
    EXPECT_EQ(world.ledger.tokens.size(), 2U) << "the token is as good as before";
  }
}

TEST(Upload, IsGivenUpWhenTheServerNeverCan) {
  World world;
  ask_about_all(world);
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  const auto unavailable = answers_with(world, coap::code::service_unavailable);
  cut_link(world);
  const auto asked = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.result.error(), reason::token_refused);
  EXPECT_EQ(asked.refused_with, coap::code::service_unavailable);
  EXPECT_EQ(*unavailable, 4U);
  EXPECT_NE(alice.access->token(0), nullptr) << "nothing was said against it";
}

TEST(Upload, IsNotRepeatedWhereNoTimeIsNamed) {
  World world;
  world.adjust_rs = [](ace::dtls::RsServiceConfig& config) { config.server.tokens.tokens = 1; };
  world.start_rs();
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  ClientNode& bob = world.add_client("bob", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  world.allow("bob", "rTemp");
  ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const auto unavailable = answers_with(world, coap::code::service_unavailable);
  const auto asked = world.ask(bob, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.result.error(), reason::token_refused);
  EXPECT_EQ(asked.refused_with, coap::code::service_unavailable);
  EXPECT_EQ(*unavailable, 1U);
}

TEST(Upload, TakesTheTokenThatTheHandshakeCouldNotTake) {
  World world;
  ask_about_all(world);
  ClientNode& alice = world.add_client("alice", PopKind::pre_shared_key, [](auto& config) {
    config.servers[0].transport = ace::dtls::TokenTransport::psk_identity;
  });
  world.allow("alice", "rTemp");
  unsigned refused = 0;
  world.rs->set_session_observer([&](const coaps::SessionEvent& event) {
    if (std::holds_alternative<coaps::SessionFailed>(event)) ++refused;
  });
  EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_EQ(refused, 1U);
  EXPECT_EQ(world.ledger.tokens.size(), 1U) << "the fresh token is uploaded, not replaced";
  // The next one is not sent in vain again.
  alice.access->forget(0, world.clock.now());
  world.run();
  EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_EQ(refused, 1U);
  EXPECT_EQ(world.ledger.tokens.size(), 2U);
}

TEST(Upload, DoesNotHelpATokenThatIsRefusedEitherWay) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::pre_shared_key, [](auto& config) {
    config.servers[0].transport = ace::dtls::TokenTransport::psk_identity;
  });
  world.allow("alice", "rTemp");
  // The server believes another authorization server.
  world.adjust_rs = [](ace::dtls::RsServiceConfig& config) { config.tokens.issuers[0].iss = "coaps://elsewhere"; };
  world.start_rs();
  const auto asked = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.result.error(), reason::token_refused);
  EXPECT_EQ(asked.stage, ace::dtls::Stage::upload);
  EXPECT_EQ(world.ledger.tokens.size(), 1U);
}

}  // namespace
}  // namespace aceward::tests
