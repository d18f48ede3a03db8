// Tokens over time: renewed, kept beyond the client's program, ended by others; and what a client does when a server
// does not know a token, has another key, or waits for its owner.
#include <gtest/gtest.h>

#include "aceward/ace/as/memory_request_book.h"
#include "aceward/ace/client/reasons.h"
#include "aceward/ace/params/token_hash.h"
#include "aceward/tls/reasons.h"
#include "tests/flow/world.h"

namespace aceward::tests {
namespace {

using ace::client::PopKind;
using ace::dtls::Stage;
using std::chrono::seconds;

coap::Code answer_code(const ace::dtls::Completed& completed) {
  return completed.result ? completed.result->code : coap::code::empty;
}

void forget_traffic(World& world) { world.seen.clear(); }

std::size_t sent_to(const World& world, const Address& address) {
  return static_cast<std::size_t>(
      std::ranges::count_if(world.seen, [&](const Flying& datagram) { return datagram.to == address; }));
}

/// What the client's file would hold.
Bytes stored(World& world, ClientNode& node) {
  const auto kept = node.access->kept(0);
  const Secret file = ace::client::serialize_token(node.access->cache_binding(0), *kept->token, *kept->asked,
                                                   kept->uploaded, world.clock.now(), world.clock.wall());
  return to_bytes(file.expose());
}

/// The client's program is started again, with the key that it had and what it kept.
ClientNode& restarted(World& world, PopKind kind, const Bytes& file, const cose::Key& key,
                      const std::function<void(ace::dtls::AccessClientConfig&)>& adjust = {}) {
  ClientNode& node =
      world.add_client("again" + std::to_string(world.nodes.size()), kind, [&](ace::dtls::AccessClientConfig& config) {
        config.key = key.clone();
        if (adjust) adjust(config);
      });
  world.clients.pop_back();
  world.publish();
  const auto parsed = ace::client::parse_stored_token(file);
  auto cached =
      ace::client::restore_token(*parsed, node.access->cache_binding(0), world.clock.now(), world.clock.wall());
  EXPECT_TRUE(cached);
  EXPECT_TRUE(node.access->restore(0, std::move(*cached), world.clock.now()));
  return node;
}

ClientNode& remembered_client(World& world, PopKind kind, std::optional<cose::Key>& key,
                              const std::function<void(ace::dtls::AccessClientConfig&)>& adjust = {}) {
  return world.add_client("alice", kind, [&](ace::dtls::AccessClientConfig& config) {
    key = config.key->clone();
    if (adjust) adjust(config);
  });
}

void with_refresh(World& world, seconds lifetime = std::chrono::hours(24)) {
  world.servers[0].refresh_lifetime = lifetime;
  world.publish();
}

TEST(TokenLife, BothSidesOfflineWithATokenFetchedBefore) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    std::optional<cose::Key> key;
    ClientNode& alice = remembered_client(world, kind, key);
    world.allow("alice", "rTemp");
    alice.access->obtain_token(0, seconds(60), world.clock.now());
    world.run();
    ASSERT_TRUE(alice.access->next_completed()->result);
    const Bytes file = stored(world, alice);
    alice.access->close_session(0, world.clock.now());
    world.run();
    // From here on nobody reaches the authorization server.
    world.copies = [&](const Flying& datagram) {
      return datagram.to == world.as_address || datagram.from == world.as_address ? 0 : 1;
    };
    forget_traffic(world);
    ClientNode& again = restarted(world, kind, file, *key);
    const auto read = world.ask(again, coap::code::get, "temp");
    EXPECT_EQ(answer_code(read), coap::code::content);
    EXPECT_EQ(sent_to(world, world.as_address), 0U);
  }
}

TEST(TokenLife, ATokenThatTheServerHasIsUsedWithoutAnUpload) {
  World world;
  std::optional<cose::Key> key;
  ClientNode& alice = remembered_client(world, PopKind::pre_shared_key, key);
  world.allow("alice", "rTemp");
  ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const Bytes file = stored(world, alice);
  alice.access->close_session(0, world.clock.now());
  world.run();
  forget_traffic(world);
  ClientNode& again = restarted(world, PopKind::pre_shared_key, file, *key);
  EXPECT_EQ(answer_code(world.ask(again, coap::code::get, "temp")), coap::code::content);
  EXPECT_EQ(sent_to(world, world.rs_plain), 0U);
  EXPECT_EQ(sent_to(world, world.as_address), 0U);
}

TEST(TokenLife, ATokenThatTheServerLostIsUploadedAgain) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    std::optional<cose::Key> key;
    ClientNode& alice = remembered_client(world, kind, key);
    world.allow("alice", "rTemp");
    ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
    const Bytes file = stored(world, alice);
    alice.access->close_session(0, world.clock.now());
    world.run();
    world.start_rs();
    forget_traffic(world);
    ClientNode& again = restarted(world, kind, file, *key);
    EXPECT_EQ(answer_code(world.ask(again, coap::code::get, "temp")), coap::code::content);
    EXPECT_EQ(sent_to(world, world.as_address), 0U);
    EXPECT_EQ(world.rs->server().authz_info().counters().accepted, 1U);
  }
}

TEST(TokenLife, AKeptTokenThatIsNoLongerTakenIsReplacedOnce) {
  World world;
  std::optional<cose::Key> key;
  ClientNode& alice = remembered_client(world, PopKind::pre_shared_key, key);
  world.allow("alice", "rTemp", seconds(100));
  ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const Bytes file = stored(world, alice);
  alice.access->close_session(0, world.clock.now());
  world.run();
  // The server's clock is ahead: to it the token has ended.
  world.clock.set_wall(world.clock.wall() + seconds(200));
  world.start_rs();
  forget_traffic(world);
  const auto parsed = ace::client::parse_stored_token(file);
  ClientNode& again = world.add_client("again", PopKind::pre_shared_key,
                                       [&](ace::dtls::AccessClientConfig& config) { config.key = key->clone(); });
  world.clients.pop_back();
  world.publish();
  auto cached = ace::client::restore_token(*parsed, again.access->cache_binding(0), world.clock.now(),
                                           world.clock.wall() - seconds(200));
  ASSERT_TRUE(again.access->restore(0, std::move(*cached), world.clock.now()));
  EXPECT_EQ(answer_code(world.ask(again, coap::code::get, "temp")), coap::code::content);
  EXPECT_GT(sent_to(world, world.as_address), 0U);
  EXPECT_EQ(world.ledger.tokens.size(), 2U);
}

TEST(TokenLife, AKeptTokenForSomethingElseIsNotTaken) {
  World world;
  std::optional<cose::Key> key;
  ClientNode& alice = remembered_client(world, PopKind::pre_shared_key, key);
  world.allow("alice", "rTemp");
  ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const Bytes file = stored(world, alice);
  const auto takes = [&](const std::function<void(ace::dtls::AccessClientConfig&)>& adjust, PopKind kind) {
    ClientNode& other = world.add_client("other" + std::to_string(world.nodes.size()), kind, adjust);
    const auto parsed = ace::client::parse_stored_token(file);
    ace::client::CacheBinding binding = alice.access->cache_binding(0);
    auto cached = ace::client::restore_token(*parsed, binding, world.clock.now(), world.clock.wall());
    return other.access->restore(0, std::move(*cached), world.clock.now());
  };
  const auto scope = [](const char* text) {
    return [text](ace::dtls::AccessClientConfig& config) { config.servers[0].scope = ace::Scope(text); };
  };
  EXPECT_TRUE(takes({}, PopKind::pre_shared_key));
  EXPECT_TRUE(takes(scope("rTemp"), PopKind::pre_shared_key));
  EXPECT_FALSE(takes(scope("rConfig"), PopKind::pre_shared_key));
  EXPECT_FALSE(takes({}, PopKind::raw_public_key));
}

TEST(TokenLife, AnEarlyRenewalKeepsKeyAndSession) {
  for (const bool refreshes : {true, false}) {
    for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
      World world;
      if (refreshes) with_refresh(world);
      ClientNode& alice = world.add_client("alice", kind);
      world.allow("alice", "rTemp", seconds(100));
      ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
      EXPECT_EQ(alice.access->token(0)->refresh_token.has_value(), refreshes);
      const std::uint64_t session = alice.access->session(0);
      const Bytes first = alice.access->token(0)->access_token;
      const Bytes key_id = alice.access->token(0)->key_id;
      world.clock.advance(seconds(70));
      ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
      EXPECT_EQ(alice.access->token(0)->access_token, first) << "not in the last fifth yet";
      world.clock.advance(seconds(15));
      ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
      EXPECT_NE(alice.access->token(0)->access_token, first);
      EXPECT_EQ(alice.access->token(0)->key_id, key_id);
      EXPECT_EQ(alice.access->session(0), session);
      world.clock.advance(seconds(60));
      EXPECT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
      EXPECT_EQ(alice.access->session(0), session) << "the new token carries it beyond the end of the first";
      EXPECT_EQ(world.served.size(), 4U);
    }
  }
}

TEST(TokenLife, AnAuthorizationServerThatIsAwayDoesNotEndALivingToken) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp", seconds(200));
  ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  alice.access->close_session(0, world.clock.now());
  world.run();
  world.clock.advance(seconds(165));
  world.copies = [&](const Flying& datagram) {
    return datagram.to == world.as_address || datagram.from == world.as_address ? 0 : 1;
  };
  const Instant before = world.clock.now();
  EXPECT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_LT(world.clock.now() - before, seconds(8)) << "the renewal may not cost more than a moment";
  // Nor is it tried again at every request.
  forget_traffic(world);
  EXPECT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_EQ(sent_to(world, world.as_address), 0U);
}

TEST(TokenLife, ATokenThatHasEndedIsRefreshed) {
  World world;
  with_refresh(world);
  ClientNode& alice = world.add_client("alice", PopKind::pre_shared_key);
  world.allow("alice", "rTemp", seconds(100));
  ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const Bytes key_id = alice.access->token(0)->key_id;
  world.clock.advance(seconds(500));
  ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_EQ(alice.access->token(0)->key_id, key_id) << "a refresh keeps the key (RFC 9200 section 5.8.1)";
  ASSERT_EQ(world.ledger.tokens.size(), 2U);
  EXPECT_NE(world.ledger.tokens[1].origin, ace::as::TokenNumber());
}

TEST(TokenLife, ARefreshTokenThatIsNoLongerGoodLeadsToAFullRequest) {
  World world;
  with_refresh(world, seconds(200));
  ClientNode& alice = world.add_client("alice", PopKind::pre_shared_key);
  world.allow("alice", "rTemp", seconds(100));
  ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const Bytes key_id = alice.access->token(0)->key_id;
  world.clock.advance(seconds(500));
  EXPECT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_NE(alice.access->token(0)->key_id, key_id);
  ASSERT_EQ(world.ledger.tokens.size(), 2U);
  EXPECT_EQ(world.ledger.tokens[1].origin, ace::as::TokenNumber());
}

TEST(TokenLife, ARevokedTokenIsForgottenWithItsRefreshToken) {
  World world;
  with_refresh(world);
  ClientNode& alice = world.add_client("alice", PopKind::pre_shared_key);
  world.allow("alice", "rTemp");
  ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const Bytes hash = ace::token_hash(alice.access->token(0)->access_token);
  EXPECT_FALSE(alice.access->forget_revoked(Bytes(33, 1), world.clock.now()));
  const std::uint64_t revision = alice.access->revision(0);
  EXPECT_TRUE(alice.access->forget_revoked(hash, world.clock.now()));
  EXPECT_FALSE(alice.access->kept(0));
  EXPECT_NE(alice.access->revision(0), revision);
  EXPECT_EQ(alice.access->session(0), 0U);
  world.rules.clear();
  world.publish();
  const auto later = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(later.result);
  EXPECT_EQ(later.result.error(), reason::as_refused);
}

TEST(TokenLife, AnObservationGoesOnBeyondTheTokenItBeganWith) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    with_refresh(world);
    ClientNode& alice = world.add_client("alice", kind);
    world.allow("alice", "rTemp rwLed", seconds(100));
    Clockwork clockwork;
    world.rs->server().add("temp", clockwork);
    ace::dtls::Operation operation;
    operation.request.options.add_path("temp").add_empty(coap::option::observe);
    alice.access->submit(0, std::move(operation), world.clock.now());
    world.run();
    ASSERT_TRUE(alice.access->next_notification());
    const std::uint64_t session = alice.access->session(0);
    const Bytes first = alice.access->token(0)->access_token;
    const auto renewal = alice.access->next_renewal();
    ASSERT_TRUE(renewal);
    EXPECT_EQ(*renewal, alice.access->token(0)->expires_at - seconds(20));
    world.clock.advance(*renewal - world.clock.now());
    alice.access->on_timeout(world.clock.now());
    world.run();
    EXPECT_NE(alice.access->token(0)->access_token, first);
    EXPECT_FALSE(alice.access->next_completed()) << "nobody asked for it";
    world.clock.advance(seconds(60));
    clockwork.tick(world.rs->server().layer(), world.clock.now());
    world.run();
    const auto notified = alice.access->next_notification();
    ASSERT_TRUE(notified) << "beyond the end of the token it began with";
    EXPECT_EQ(notified->response.code, coap::code::content);
    EXPECT_EQ(alice.access->session(0), session);
    EXPECT_EQ(world.ledger.tokens.size(), 2U);
  }
}

TEST(TokenLife, WithoutAnObservationNothingIsRenewedByItself) {
  World world;
  with_refresh(world);
  ClientNode& alice = world.add_client("alice", PopKind::pre_shared_key);
  world.allow("alice", "rTemp", seconds(100));
  ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_FALSE(alice.access->next_renewal());
  world.clock.advance(seconds(90));
  alice.access->on_timeout(world.clock.now());
  world.run();
  EXPECT_EQ(world.ledger.tokens.size(), 1U);
}

TEST(TokenLife, AServerWithAnotherKeyLeadsToOneNewToken) {
  World world;
  std::optional<cose::Key> key;
  ClientNode& alice = remembered_client(world, PopKind::raw_public_key, key);
  world.allow("alice", "rTemp");
  ASSERT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  alice.access->close_session(0, world.clock.now());
  world.run();
  world.rs_key = cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, world.random).value());
  world.start_rs();
  // Before its registration is changed it is taken for an impostor, and asked about once.
  const std::size_t before = world.ledger.tokens.size();
  const auto impostor = world.ask(alice, coap::code::get, "temp", {}, false);
  ASSERT_FALSE(impostor.result);
  EXPECT_EQ(impostor.result.error(), reason::server_key_unexpected);
  EXPECT_LE(world.ledger.tokens.size(), before + 1);
  world.servers[0].public_key = to_bytes(world.rs_key.public_part().value().serialize().expose());
  world.publish();
  EXPECT_EQ(answer_code(world.ask(alice, coap::code::get, "temp", {}, false)), coap::code::content);
}

TEST(TokenLife, APinnedServerKeyThatTheAuthorizationServerContradictsIsAnError) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key, [&](auto& config) {
    config.servers[0].server_key =
        cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, world.random).value())
            .public_part()
            .value();
  });
  world.allow("alice", "rTemp");
  const auto asked = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.result.error(), reason::server_key_conflict);
  EXPECT_TRUE(world.served.empty());
}

TEST(TokenLife, WhatWaitsForItsOwnerIsAskedAgainWhenToldTo) {
  World world;
  ace::as::MemoryRequestBook book;
  world.servers[0].undecided = ace::as::Undecided::ask_owner;
  world.as->tokens().set_request_book(&book);
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  const auto waiting = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(waiting.result);
  EXPECT_EQ(waiting.result.error(), reason::approval_pending);
  EXPECT_EQ(waiting.stage, Stage::token);
  EXPECT_EQ(waiting.retry_after, seconds(60));
  world.clock.advance(seconds(61));
  world.allow("alice", "rTemp");
  EXPECT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
}

TEST(TokenLife, TheProfileIsToldWhereItIsAskedFor) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key,
                                       [](auto& config) { config.authorization_servers[0].entry.ask_profile = true; });
  world.allow("alice", "rTemp");
  EXPECT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
}

TEST(TokenLife, AuthzInfoIsFoundByItsResourceType) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key, [](auto& config) {
    config.servers[0].entry.authz_info_path = "where-it-is-not";
  });
  world.allow("alice", "rTemp");
  EXPECT_EQ(answer_code(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  ClientNode& bob = world.add_client("bob", PopKind::raw_public_key, [](auto& config) {
    config.servers[0].entry.authz_info_path = "where-it-is-not";
    config.servers[0].entry.find_authz_info = false;
  });
  world.allow("bob", "rTemp");
  const auto asked = world.ask(bob, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.result.error(), reason::token_refused);
  EXPECT_EQ(asked.refused_with, coap::code::unauthorized);
}

}  // namespace
}  // namespace aceward::tests
