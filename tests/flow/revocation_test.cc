// Clients that follow their authorization server's list of revoked tokens (RFC 9770).
#include <gtest/gtest.h>

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/params/token_hash.h"
#include "tests/flow/world.h"

namespace aceward::tests {
namespace {

using ace::client::PopKind;
using std::chrono::minutes;
using std::chrono::seconds;

ClientNode& following_client(World& world, const std::string& name, PopKind kind,
                             const std::function<void(ace::dtls::AccessClientConfig&)>& adjust = {}) {
  ClientNode& node = world.add_client(name, kind, [&](ace::dtls::AccessClientConfig& config) {
    config.authorization_servers[0].revocations.emplace();
    if (adjust) adjust(config);
  });
  world.allow(name, "rTemp", std::chrono::hours(5));
  return node;
}

ace::dtls::OperationId observe(World& world, ClientNode& node) {
  ace::dtls::Operation operation;
  operation.request.options.add_path("temp").add_empty(coap::option::observe);
  const auto id = node.access->submit(0, std::move(operation), world.clock.now());
  world.pass(seconds(10));
  EXPECT_TRUE(node.access->next_notification());
  return id;
}

/// By another process: the authorization server looks at its store again.
void revoke(World& world, std::size_t index) {
  world.ledger.revoke(world.ledger.tokens.at(index).number);
  world.as->update_revocations();
}

std::size_t sent_to_as(const World& world) {
  return static_cast<std::size_t>(
      std::ranges::count_if(world.seen, [&](const Flying& datagram) { return datagram.to == world.as_address; }));
}

TEST(ClientFollows, ARevokedTokenEndsItsObservationForGood) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    world.servers[0].refresh_lifetime = std::chrono::hours(24);
    world.publish();
    Clockwork clockwork;
    world.rs->server().add("temp", clockwork);
    ClientNode& alice = following_client(world, "alice", kind);
    const auto id = observe(world, alice);
    world.pass(minutes(1));
    revoke(world, 0);
    world.pass(seconds(1));
    const auto completed = alice.access->next_completed();
    ASSERT_TRUE(completed);
    EXPECT_EQ(completed->id, id);
    ASSERT_FALSE(completed->result);
    EXPECT_EQ(completed->result.error(), reason::held_token_revoked);
    EXPECT_FALSE(alice.access->kept(0)) << "the refresh token goes with it";
    EXPECT_EQ(alice.access->session(0), 0U);
    world.pass(minutes(30));
    clockwork.tick(world.rs->server().layer(), world.clock.now());
    world.pass(seconds(10));
    EXPECT_FALSE(alice.access->next_notification());
    EXPECT_FALSE(alice.access->next_completed());
    EXPECT_EQ(world.ledger.tokens.size(), 1U) << "no other token was asked for";
  }
}

TEST(ClientFollows, OtherTokensStay) {
  World world;
  Clockwork clockwork;
  world.rs->server().add("temp", clockwork);
  ClientNode& alice = following_client(world, "alice", PopKind::raw_public_key, [&](auto& config) {
    ace::dtls::ServerAccess server;
    server.entry = config.servers[0].entry;
    server.kind = PopKind::pre_shared_key;
    config.servers.push_back(std::move(server));
  });
  ClientNode& bob = following_client(world, "bob", PopKind::raw_public_key);
  observe(world, alice);
  observe(world, bob);
  alice.access->obtain_token(1, seconds(60), world.clock.now());
  world.run();
  ASSERT_TRUE(alice.access->next_completed()->result);
  revoke(world, 0);
  world.pass(seconds(1));
  ASSERT_TRUE(alice.access->next_completed());
  EXPECT_EQ(alice.access->token(0), nullptr);
  EXPECT_NE(alice.access->token(1), nullptr);
  EXPECT_FALSE(bob.access->next_completed());
  clockwork.tick(world.rs->server().layer(), world.clock.now());
  world.pass(seconds(1));
  EXPECT_TRUE(bob.access->next_notification());
  EXPECT_EQ(bob.access->follower(0)->size(), 0U) << "what concerns others is not told";
}

TEST(ClientFollows, AnAuthorizationServerThatIsRestarted) {
  for (const bool in_between : {true, false}) {
    World world;
    Clockwork clockwork;
    world.rs->server().add("temp", clockwork);
    ClientNode& alice = following_client(world, "alice", PopKind::raw_public_key);
    observe(world, alice);
    world.start_as();
    if (in_between) world.ledger.revoke(world.ledger.tokens.at(0).number);
    world.pass(minutes(5));
    if (!in_between) {
      EXPECT_FALSE(alice.access->next_completed());
      EXPECT_TRUE(alice.access->follower(0)->is_current(world.clock.now()));
      revoke(world, 0);
      world.pass(seconds(1));
    }
    const auto completed = alice.access->next_completed();
    ASSERT_TRUE(completed);
    ASSERT_FALSE(completed->result);
    EXPECT_EQ(completed->result.error(), reason::held_token_revoked);
  }
}

TEST(ClientFollows, ReadsTheListBeforeItAsksForAnotherTokenAfter401) {
  World world;
  world.link_servers([](ace::dtls::RsServiceConfig& config) { config.as_link->revocations.emplace(); });
  world.start_rs();
  Clockwork clockwork;
  world.rs->server().add("temp", clockwork);
  ClientNode& alice = following_client(world, "alice", PopKind::raw_public_key);
  observe(world, alice);
  // The resource server hears of it first: what tells the client is lost until it asks.
  bool has_asked = false;
  world.copies = [&](const Flying& datagram) {
    if (datagram.from.ip == alice.address.ip && datagram.to == world.as_address) has_asked = true;
    return datagram.from == world.as_address && datagram.to.ip == alice.address.ip && !has_asked ? 0 : 1;
  };
  revoke(world, 0);
  world.pass(seconds(1));
  EXPECT_TRUE(has_asked);
  world.pass(seconds(10));
  const auto completed = alice.access->next_completed();
  ASSERT_TRUE(completed);
  ASSERT_FALSE(completed->result);
  EXPECT_EQ(completed->result.error(), reason::held_token_revoked);
  EXPECT_EQ(world.ledger.tokens.size(), 1U);
}

TEST(ClientFollows, A401OfWhichTheListSaysNothingLeadsToAnotherToken) {
  for (const bool is_as_there : {true, false}) {
    World world;
    Clockwork clockwork;
    world.rs->server().add("temp", clockwork);
    ClientNode& alice = following_client(world, "alice", PopKind::raw_public_key);
    const auto id = observe(world, alice);
    if (!is_as_there) {
      world.copies = [&](const Flying& datagram) { return datagram.to == world.as_address ? 0 : 1; };
    }
    EXPECT_TRUE(world.rs->end_token(ace::token_hash(alice.access->token(0)->access_token)));
    world.pass(seconds(20));
    world.copies = {};
    world.pass(minutes(1));
    EXPECT_EQ(world.ledger.tokens.size(), 2U);
    EXPECT_FALSE(alice.access->next_completed());
    const auto notified = alice.access->next_notification();
    ASSERT_TRUE(notified);
    EXPECT_EQ(notified->id, id);
  }
}

TEST(ClientFollows, OnlyWhileAnObservationRuns) {
  World world;
  Clockwork clockwork;
  world.rs->server().add("temp", clockwork);
  ClientNode& alice = following_client(world, "alice", PopKind::raw_public_key);
  alice.access->obtain_token(0, seconds(60), world.clock.now());
  world.run();
  ASSERT_TRUE(alice.access->next_completed()->result);
  EXPECT_FALSE(alice.access->next_renewal());
  EXPECT_FALSE(alice.access->follower(0)->current_until());
  const auto id = observe(world, alice);
  EXPECT_TRUE(alice.access->follower(0)->is_current(world.clock.now()));
  alice.access->cancel(id, world.clock.now());
  world.pass(minutes(1));
  world.seen.clear();
  world.pass(minutes(30));
  EXPECT_EQ(sent_to_as(world), 0U);
}

TEST(ClientFollows, NothingWithoutBeingTold) {
  World world;
  Clockwork clockwork;
  world.rs->server().add("temp", clockwork);
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp", std::chrono::hours(5));
  EXPECT_EQ(alice.access->follower(0), nullptr);
  observe(world, alice);
  world.seen.clear();
  world.pass(minutes(30));
  EXPECT_EQ(sent_to_as(world), 0U);
}

TEST(ClientFollows, ATokenThatIsHeldWhereThatIsWanted) {
  World world;
  ClientNode& alice = following_client(world, "alice", PopKind::pre_shared_key, [](auto& config) {
    config.authorization_servers[0].follows_without_observations = true;
  });
  ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const auto kept = alice.access->kept(0);
  const Secret file = ace::client::serialize_token(alice.access->cache_binding(0), *kept->token, *kept->asked,
                                                   kept->uploaded, world.clock.now(), world.clock.wall());
  world.pass(minutes(1));
  EXPECT_TRUE(alice.access->kept(0));
  revoke(world, 0);
  world.pass(seconds(1));
  EXPECT_FALSE(alice.access->kept(0));
  // Nor does it come back from where it was kept.
  auto cached = ace::client::restore_token(ace::client::parse_stored_token(file.expose()).value(),
                                           alice.access->cache_binding(0), world.clock.now(), world.clock.wall());
  ASSERT_TRUE(cached);
  EXPECT_FALSE(alice.access->restore(0, std::move(*cached), world.clock.now()));
  EXPECT_FALSE(alice.access->kept(0));
}

TEST(ClientFollows, AnAuthorizationServerThatIsAwayIsLookedForWithPauses) {
  World world;
  Clockwork clockwork;
  world.rs->server().add("temp", clockwork);
  ClientNode& alice = following_client(world, "alice", PopKind::raw_public_key);
  observe(world, alice);
  world.copies = [&](const Flying& datagram) {
    return datagram.to == world.as_address || datagram.from == world.as_address ? 0 : 1;
  };
  world.seen.clear();
  world.pass(minutes(30));
  EXPECT_GT(sent_to_as(world), 10U);
  EXPECT_LT(sent_to_as(world), 500U);
  EXPECT_FALSE(alice.access->next_completed()) << "that the list is not heard of ends nothing";
  EXPECT_FALSE(alice.access->follower(0)->is_current(world.clock.now()));
  world.copies = {};
  revoke(world, 0);
  world.pass(minutes(5));
  EXPECT_TRUE(alice.access->next_completed());
}

}  // namespace
}  // namespace aceward::tests
