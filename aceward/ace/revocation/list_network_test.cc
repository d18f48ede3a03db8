// The revocation list, followed over a network that loses, repeats and reorders.
#include "aceward/ace/revocation/list_network.h"

#include <gtest/gtest.h>

#include "aceward/coap/message/message.h"

namespace aceward::ace::revocation {
namespace {

std::set<Bytes> hashes(std::initializer_list<as::TokenNumber> numbers) {
  std::set<Bytes> all;
  for (const as::TokenNumber number : numbers) all.insert(RevocationWorld::hash_of(number));
  return all;
}

FollowerSettings observing_in_full() {
  FollowerSettings settings;
  settings.diff_entries = 0;
  return settings;
}

TEST(RevocationFollowed, EachFollowerHearsOfItsOwnTokensWithinMoments) {
  ListNetwork network(1);
  auto& lock = network.add_server(0);
  auto& lamp = network.add_server(1, observing_in_full());
  auto& fob = network.add_client(0);
  auto& panel = network.add_client(1, observing_in_full());
  for (const auto& one : network.followers) one->follower.start(network.as_address, network.time());
  network.pass(2s);
  EXPECT_EQ(network.server->observations.observers(), 4U);
  const auto of_fob_at_lock = network.revoke(0, 0);
  network.pass(1s);
  EXPECT_EQ(lock.revoked, hashes({of_fob_at_lock}));
  EXPECT_EQ(fob.revoked, hashes({of_fob_at_lock}));
  const auto of_panel_at_lock = network.revoke(1, 0);
  const auto of_panel_at_lamp = network.revoke(1, 1);
  network.pass(10s);
  EXPECT_EQ(lock.revoked, hashes({of_fob_at_lock, of_panel_at_lock}));
  EXPECT_EQ(lamp.revoked, hashes({of_panel_at_lamp}));
  EXPECT_EQ(fob.revoked, hashes({of_fob_at_lock}));
  EXPECT_EQ(panel.revoked, hashes({of_panel_at_lock, of_panel_at_lamp}));
}

TEST(RevocationFollowed, NobodyIsToldOfAChangeThatIsNotInItsPortion) {
  ListNetwork network(2);
  auto& lock = network.add_server(0, observing_in_full());
  auto& lamp = network.add_server(1, observing_in_full());
  for (const auto& one : network.followers) one->follower.start(network.as_address, network.time());
  network.pass(2s);
  const auto to = [&](const coap::Peer& peer) {
    return std::ranges::count(network.from_as, peer, &std::pair<coap::Peer, Bytes>::first);
  };
  const auto to_lock = to(lock.address);
  const auto to_lamp = to(lamp.address);
  const auto number = network.revoke(0, 0);
  network.pass(1s);
  EXPECT_EQ(to(lock.address), to_lock + 1);
  EXPECT_EQ(to(lamp.address), to_lamp);
  // Nor is the hash in anything that went to the other server.
  const Bytes hash = RevocationWorld::hash_of(number);
  for (const auto& [peer, datagram] : network.from_as) {
    if (peer != lamp.address) continue;
    EXPECT_TRUE(std::ranges::search(datagram, hash).empty());
  }
}

TEST(RevocationFollowed, AnExpiredTokenLeavesTheListByItself) {
  ListNetwork network(3);
  auto& lock = network.add_server(0);
  lock.follower.start(network.as_address, network.time());
  network.pass(2s);
  network.revoke(0, 0, 30s);
  network.pass(5s);
  ASSERT_EQ(lock.changes.size(), 1U);
  network.pass(40s);
  ASSERT_EQ(lock.changes.size(), 2U);
  EXPECT_EQ(lock.changes[1].kind, Revocation::Kind::expired);
  EXPECT_TRUE(lock.revoked.empty());
}

TEST(RevocationFollowed, SurvivesLossRepetitionAndReordering) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    ListNetwork network(seed, {25, 20, 3000ms});
    auto& lock = network.add_server(0, seed % 2 == 0 ? FollowerSettings{} : observing_in_full());
    auto& fob = network.add_client(0, seed % 3 == 0 ? FollowerSettings{} : observing_in_full());
    for (const auto& one : network.followers) one->follower.start(network.as_address, network.time());
    std::set<Bytes> ever;
    for (int i = 0; i < 20; ++i) {
      // Some expire in the storm, the others not before the end.
      const auto lifetime = std::chrono::seconds(20 + network.random.below(200) + (i % 3 == 0 ? 10'000 : 0));
      ever.insert(RevocationWorld::hash_of(network.revoke(0, 0, lifetime)));
      network.pass(std::chrono::seconds(1 + network.random.below(40)));
    }
    network.weather = {0, 0, 10ms};
    network.pass(15min);
    std::set<Bytes> live;
    const auto rows = network.world.ledger.revoked(network.world.clock.wall(), 1000).value();
    for (const as::RevokedToken& row : rows) live.insert(row.token_hash);
    EXPECT_FALSE(live.empty());
    EXPECT_EQ(lock.revoked, live) << "seed " << seed;
    EXPECT_EQ(fob.revoked, live) << "seed " << seed;
    EXPECT_TRUE(lock.follower.follower().is_current(network.time())) << "seed " << seed;
    for (const auto* one : {&lock, &fob})
      for (const Revocation& change : one->changes) EXPECT_TRUE(ever.contains(change.token_hash));
  }
}

TEST(RevocationFollowed, ARestartOfTheServerLosesNoRevocation) {
  for (const bool in_full : {false, true}) {
    ListNetwork network(4);
    auto& lock = network.add_server(0, in_full ? observing_in_full() : FollowerSettings{});
    lock.follower.start(network.as_address, network.time());
    network.pass(2s);
    const auto before = network.revoke(0, 0);
    network.pass(1s);
    EXPECT_EQ(lock.revoked, hashes({before}));
    network.restart_as();
    // Revoked while nobody observes; the follower finds out by itself.
    const auto meanwhile = network.revoke(0, 0);
    network.pass(5min);
    EXPECT_EQ(lock.revoked, hashes({before, meanwhile}));
    const auto after = network.revoke(1, 0);
    network.pass(5s);
    EXPECT_EQ(lock.revoked, hashes({before, meanwhile, after})) << "it observes again";
  }
}

TEST(RevocationFollowed, SaysThatItIsOutOfDateWhileTheServerIsAway) {
  ListNetwork network(5);
  auto& lock = network.add_server(0);
  lock.follower.start(network.as_address, network.time());
  network.pass(2s);
  EXPECT_TRUE(lock.follower.follower().is_current(network.time()));
  network.weather.loss = 100;
  const auto unheard = network.revoke(0, 0);
  network.pass(10min);
  EXPECT_FALSE(lock.follower.follower().is_current(network.time()));
  EXPECT_TRUE(lock.revoked.empty());
  network.weather.loss = 0;
  network.pass(10min);
  EXPECT_TRUE(lock.follower.follower().is_current(network.time()));
  EXPECT_EQ(lock.revoked, hashes({unheard}));
}

TEST(RevocationFollowed, AForgedNotificationIsNotBelieved) {
  ListNetwork network(6);
  auto& lock = network.add_server(0, observing_in_full());
  lock.follower.start(network.as_address, network.time());
  network.pass(2s);
  network.revoke(0, 0);
  network.pass(1s);
  ASSERT_FALSE(network.from_as.empty());
  // Somebody who saw a notification sends one like it, from another address: with the token, and an empty list.
  auto forged = coap::parse(network.from_as.back().second).value();
  RevocationAnswer empty;
  empty.full_set.emplace();
  forged.payload = cbor::serialize(empty);
  forged.message_id = static_cast<std::uint16_t>(forged.message_id + 1);
  forged.options.set_uint(coap::option::observe, 9999);
  const auto changes = lock.changes.size();
  lock.client.endpoint.receive(coap::peer_at(66, 5683), coap::serialize(forged), network.time());
  network.pass(10s);
  EXPECT_EQ(lock.changes.size(), changes);
}

TEST(RevocationFollowed, AStrangerGets401) {
  ListNetwork network(7);
  auto& stranger = network.add_server(0);
  network.directory.servers.clear();
  std::vector<as::AuditRecord> audit;
  network.server->resource.set_audit([&](const as::AuditRecord& record) { audit.push_back(record); });
  network.revoke(0, 0);
  stranger.follower.start(network.as_address, network.time());
  network.pass(1s);
  EXPECT_TRUE(stranger.changes.empty());
  EXPECT_EQ(stranger.follower.follower().counters().refused, 1U);
  ASSERT_EQ(audit.size(), 1U);
  EXPECT_EQ(audit[0].kind, as::AuditKind::revocation_list);
  EXPECT_FALSE(audit[0].granted);
}

TEST(RevocationFollowed, AnObservationEndsWithTheRegistration) {
  ListNetwork network(8);
  auto& lock = network.add_server(0, observing_in_full());
  lock.follower.start(network.as_address, network.time());
  network.pass(2s);
  EXPECT_EQ(network.server->observations.observers(), 1U);
  network.directory.servers.clear();
  const auto number = network.revoke(0, 1);  // another server's: but whoever has no channel any more is told so
  network.pass(1s);
  EXPECT_EQ(network.server->observations.observers(), 0U);
  EXPECT_FALSE(lock.revoked.contains(RevocationWorld::hash_of(number)));
  EXPECT_EQ(lock.follower.follower().counters().refused, 1U);
}

TEST(RevocationFollowed, GetAloneIsAllowed) {
  ListNetwork network(9);
  const auto methods = network.server->resource.methods();
  ASSERT_EQ(methods.size(), 1U);
  EXPECT_EQ(methods.front(), coap::code::get);
}

TEST(RevocationFollowed, AHashIsNotToldAfterItsTokenExpiredHoweverLateTheTimerIs) {
  ListNetwork network(10);
  network.revoke(0, 0, 30s);
  network.world.clock.advance(31s);  // nobody called update()
  coap::RecordingLayer layer;
  coap::Responder responder(layer, network.time());
  network.directory.servers.emplace(coap::peer_at(99), as::AuthenticationMint::server(network.world.servers[0]));
  network.server->resource.handle(coap::ExchangeId(1), coap::peer_at(99), coap::Request(), responder);
  ASSERT_EQ(layer.answered.size(), 1U);
  const auto answer = parse_revocation_answer(layer.answered[0].response.payload).value();
  EXPECT_TRUE(answer.full_set->empty());
}

TEST(RevocationFollowed, AnUpdateThatFailedIsTriedAgainInAWhile) {
  static constexpr Reason unavailable{"store_unavailable", ErrorClass::internal, "", ""};
  ListNetwork network(12);
  auto& resource = network.server->resource;
  network.world.ledger.look_up_error = Error(unavailable);
  EXPECT_EQ(resource.update().error(), unavailable);
  EXPECT_EQ(resource.next_update(), network.time() + 5s) << "neither at once nor never";
  network.world.ledger.look_up_error.reset();
  network.world.ledger.revoke(network.world.issue(0, 0, 100s));
  network.pass(6s);
  EXPECT_EQ(network.world.list->size(), 1U);
  EXPECT_GT(resource.next_update(), network.time());
}

TEST(RevocationFollowed, ALongListTravelsInBlocks) {
  ListNetwork network(11);
  auto& lock = network.add_server(0, observing_in_full());
  for (int i = 0; i < 200; ++i) network.world.ledger.revoke(network.world.issue(0, 0));
  network.server->resource.update().value();
  lock.follower.start(network.as_address, network.time());
  network.pass(20s);
  EXPECT_EQ(lock.revoked.size(), 200U);
}

}  // namespace
}  // namespace aceward::ace::revocation
