// The first flow, whole: what the standards ask of client, authorization server and resource server together.
#include <gtest/gtest.h>

#include "aceward/ace/client/reasons.h"
#include "tests/flow/world.h"

namespace aceward::tests {
namespace {

using ace::client::PopKind;
using ace::dtls::Stage;

TEST(Flow, RawKeyClientIsSentToTheAsAndReadsWhatItMay) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  const auto read = world.ask(alice, coap::code::get, "temp");
  ASSERT_TRUE(read.result) << read.result.error().id();
  EXPECT_EQ(read.result->code, coap::code::content);
  EXPECT_EQ(read.result->payload, to_bytes("temp"));
  EXPECT_EQ(std::get<std::string>(*alice.access->token(0)->scope), "rTemp");
}

TEST(Flow, PskClientUploadsItsTokenAndNamesItByKid) {
  World world;
  ClientNode& bob = world.add_client("bob", PopKind::pre_shared_key);
  world.allow("bob", "rTemp");
  const auto read = world.ask(bob, coap::code::get, "temp");
  ASSERT_TRUE(read.result) << read.result.error().id();
  EXPECT_EQ(read.result->code, coap::code::content);
}

TEST(Flow, PskClientPresentsItsTokenInThePskIdentity) {
  World world;
  ClientNode& bob = world.add_client("bob", PopKind::pre_shared_key, [](auto& config) {
    config.servers[0].transport = ace::dtls::TokenTransport::psk_identity;
  });
  world.allow("bob", "rTemp");
  const auto read = world.ask(bob, coap::code::get, "temp", {}, false);
  ASSERT_TRUE(read.result) << read.result.error().id();
  EXPECT_EQ(read.result->code, coap::code::content);
  EXPECT_EQ(world.rs->server().authz_info().counters().accepted, 1U);
  for (const Flying& datagram : world.seen) EXPECT_NE(datagram.to, world.rs_plain);
}

TEST(Flow, WhatPolicyDoesNotGrantIsRefusedByPathAndByMethod) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const auto other = world.ask(alice, coap::code::get, "config");
  EXPECT_EQ(code_of(other), coap::code::forbidden);
  EXPECT_EQ(code_of(world.ask(alice, coap::code::put, "temp", to_bytes("9"))), coap::code::method_not_allowed);
  EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_EQ(world.served.size(), 2U);
}

TEST(Flow, RightsGrowWithinTheSessionAndItsKeyStays) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    ClientNode& alice = world.add_client("alice", kind);
    world.allow("alice", "rTemp");
    ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
    const std::uint64_t session = alice.access->session(0);
    const Bytes key_id = alice.access->token(0)->key_id;
    ASSERT_NE(session, 0U);
    world.allow("alice", "rConfig");
    const auto read = world.ask(alice, coap::code::get, "config");
    EXPECT_EQ(code_of(read), coap::code::content);
    EXPECT_EQ(alice.access->session(0), session);
    EXPECT_EQ(alice.access->token(0)->key_id, key_id);
    EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  }
}

TEST(Flow, AccessEndsWithTheToken) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp", std::chrono::seconds(10));
  ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const std::uint64_t session = alice.access->session(0);
  world.rules.clear();
  world.publish();
  world.clock.advance(std::chrono::seconds(11));
  const auto late = world.ask(alice, coap::code::get, "temp");
  EXPECT_EQ(late.stage, Stage::token);
  ASSERT_FALSE(late.result);
  EXPECT_EQ(late.result.error(), reason::as_refused);
  EXPECT_NE(alice.access->session(0), session);
  EXPECT_EQ(world.served.size(), 1U);
}

TEST(Flow, ExpiredTokenIsReplacedByAFreshOne) {
  World world;
  ClientNode& bob = world.add_client("bob", PopKind::pre_shared_key);
  world.allow("bob", "rTemp", std::chrono::seconds(10));
  ASSERT_EQ(code_of(world.ask(bob, coap::code::get, "temp")), coap::code::content);
  world.clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(code_of(world.ask(bob, coap::code::get, "temp")), coap::code::content);
}

TEST(Flow, ProbingRequestCarriesNoPayload) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rwLed");
  const Bytes secret = to_bytes("the code is 4711");
  EXPECT_EQ(code_of(world.ask(alice, coap::code::put, "led", secret)), coap::code::changed);
  ASSERT_EQ(world.served.size(), 1U);
  EXPECT_EQ(world.served[0].payload, secret);
  bool probed = false;
  for (const Flying& datagram : world.seen) {
    probed = probed || datagram.to == world.rs_plain;
    EXPECT_EQ(std::ranges::search(datagram.octets, secret).size(), 0U);
  }
  EXPECT_TRUE(probed);
}

TEST(Flow, ForgedHintIsNotFollowed) {
  World world;
  world.hint_as_uri = "coaps://10.6.6.6/token";
  world.start_rs();
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  const auto asked = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.result.error(), reason::hint_as_not_allowed);
  EXPECT_EQ(asked.stage, Stage::probe);
  for (const Flying& datagram : world.seen) EXPECT_NE(datagram.to.host(), "10.6.6.6");
  EXPECT_EQ(alice.access->token(0), nullptr);
}

TEST(Flow, RestartedServerGetsTheTokenAgain) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    ClientNode& alice = world.add_client("alice", kind);
    world.allow("alice", "rTemp");
    ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
    alice.access->close_session(0, world.clock.now());
    world.run();
    world.start_rs();
    EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  }
}

TEST(Flow, TwoClientsOfOneServerKeepTheirOwnRights) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::pre_shared_key);
  ClientNode& bob = world.add_client("bob", PopKind::pre_shared_key);
  world.allow("alice", "rTemp");
  world.allow("bob", "rConfig");
  EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_EQ(code_of(world.ask(bob, coap::code::get, "config")), coap::code::content);
  EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "config")), coap::code::forbidden);
  EXPECT_EQ(code_of(world.ask(bob, coap::code::get, "temp")), coap::code::forbidden);
}

TEST(Flow, SlashWithinASegmentIsAnotherResource) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.things.push_back(std::make_unique<Thing>("a/b", world.served));
  world.rs->server().add("a/b", *world.things.back());
  world.allow("alice", "rTemp");
  ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  ace::dtls::Operation operation;
  operation.request.options.add(coap::option::uri_path, "temp");
  operation.request.options.add(coap::option::uri_path, "");
  alice.access->submit(0, operation, world.clock.now());
  world.run();
  EXPECT_EQ(code_of(*alice.access->next_completed()), coap::code::forbidden);
}

/// Whatever the network loses, repeats or delays by retransmission: every operation ends, with the right answer or
/// with none, and a PUT acts once at most.
TEST(Flow, HoldsUnderLossAndRepetition) {
  int answered = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    World world(seed);
    ClientNode& node = world.add_client("alice", seed % 2 == 0 ? PopKind::raw_public_key : PopKind::pre_shared_key);
    world.allow("alice", "rwLed");
    SeededRandom dice(seed * 7919);
    world.copies = [&dice](const Flying&) {
      const auto roll = dice.below(100);
      if (roll < 12) return 0;
      return roll < 24 ? 2 : 1;
    };
    const auto put = world.ask(node, coap::code::put, "led", to_bytes("on"));
    EXPECT_LE(world.served.size(), 1U) << "seed " << seed;
    if (!put.result) continue;
    ++answered;
    EXPECT_EQ(put.result->code, coap::code::changed) << "seed " << seed;
    EXPECT_EQ(world.served.size(), 1U) << "seed " << seed;
  }
  EXPECT_GT(answered, 40);
}

}  // namespace
}  // namespace aceward::tests
