// What ends tokens before their time: revocations in all their ways, and devices that get other keys.
#include <filesystem>

#include "aceward/ace/as/reasons.h"
#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

using ace::as::IssuedToken;
using ace::as::TokenNumber;
using Revoked = std::vector<std::int64_t>;

class StoreRevocation : public StoreTest {
 protected:
  StoreRevocation() : store_(open()) {
    c_ = store_->add_client_now(full_client())->id;
    d_ = store_->add_client_now(client_record("d"))->id;
    s_ = store_->add_server_now(full_server("s", 1))->id;
    t_ = store_->add_server_now(full_server("t", 2))->id;
    u_ = store_->add_server_now(server_record("u"))->id;
  }
  static ace::as::ClientRecord full_client() {
    auto client = client_record("c");
    client.public_key = {0xa1, 0x01};
    client.key_thumbprint = Bytes(32, 1);
    client.psk_identity = {0x01};
    client.psk = Secret(Bytes(16, 1));
    client.certificate_name = "c.example";
    client.secret_digest = Bytes(48, 1);
    return client;
  }
  /// With the group audience "both".
  static ace::as::ServerRecord full_server(std::string name, std::uint8_t key) {
    auto server = server_record(std::move(name));
    server.group_audiences = {"both"};
    server.public_key = {0xa1, key};
    server.key_thumbprint = Bytes(32, key);
    server.token_key = Secret(Bytes(16, key));
    server.token_key_id = {key};
    server.derivation_key = Secret(Bytes(32, key));
    server.psk_identity = {0x80, key};
    server.psk = Secret(Bytes(16, key));
    server.certificate_name = server.name + ".example";
    server.secret_digest = Bytes(48, key);
    return server;
  }
  IssuedToken token(std::int64_t number, std::int64_t client, std::int64_t server, std::string audience) const {
    IssuedToken made = token_record(number, client, server);
    made.audience = std::move(audience);
    made.token_hash = Bytes(33, static_cast<std::uint8_t>(number));
    made.refresh_digest = Bytes(32, static_cast<std::uint8_t>(number));
    made.refresh_until = at(5000);
    return made;
  }
  void record(std::int64_t number, std::int64_t client, std::int64_t server, std::string audience) {
    ASSERT_TRUE(store_->registry());  // as an endpoint does before it decides
    ASSERT_TRUE(store_->record_now(token(number, client, server, std::move(audience))));
  }
  void record_for_both(std::int64_t number, std::int64_t client) {
    ASSERT_TRUE(store_->registry());
    IssuedToken made = token(number, client, s_, "both");
    made.more_servers = {t_};
    ASSERT_TRUE(store_->record_now(std::move(made)));
  }
  Revoked revoked(std::int64_t now = 1500, std::size_t limit = 100) {
    Revoked numbers;
    const auto list = store_->revoked(at(now), limit);
    if (!list) return {-1};
    for (const auto& entry : *list) numbers.push_back(entry.number.value);
    return numbers;
  }
  bool refreshes(std::int64_t number) { return !store_->token(TokenNumber(number))->refresh_digest.empty(); }

  std::unique_ptr<Store> store_;
  std::int64_t c_ = 0, d_ = 0, s_ = 0, t_ = 0, u_ = 0;
};

TEST_F(StoreRevocation, ATokenGivesBackAllThatIsKeptOfIt) {
  record(4, c_, s_, "both");
  IssuedToken given = token(5, c_, s_, "both");
  given.more_servers = {u_, t_};
  given.token_digest = Bytes(32, 0x55);
  given.profile = ace::Profile::coap_oscore;
  given.cnonce = {1, 2, 3};
  given.exi = std::chrono::seconds(0);
  given.origin = TokenNumber(4);
  ASSERT_TRUE(store_->record_now(std::move(given)));
  store_.reset();
  store_ = open();
  const auto found = store_->find(TokenNumber(5));
  ASSERT_TRUE(found && *found);
  const IssuedToken& kept = **found;
  EXPECT_EQ(kept.more_servers, (std::vector<std::int64_t>{u_, t_}));
  EXPECT_EQ(kept.audience, "both");
  EXPECT_EQ(kept.token_digest, Bytes(32, 0x55));
  EXPECT_EQ(kept.token_hash, Bytes(33, 5));
  EXPECT_EQ(kept.profile, ace::Profile::coap_oscore);
  EXPECT_EQ(kept.cnonce, (Bytes{1, 2, 3}));
  EXPECT_EQ(kept.exi, std::chrono::seconds(0));
  EXPECT_EQ(kept.refresh_digest, Bytes(32, 5));
  EXPECT_EQ(kept.refresh_until, at(5000));
  EXPECT_EQ(kept.origin.value, 4);
  EXPECT_EQ(*store_->find(TokenNumber(6)), std::nullopt);
}

TEST_F(StoreRevocation, TheListIsInTheOrderOfRevocationsAndEndsWithTheTokens) {
  for (std::int64_t number = 1; number <= 4; ++number) record(number, c_, s_, "aud-s");
  record_for_both(5, c_);
  for (const std::int64_t number : {4, 5, 2}) ASSERT_EQ(store_->revoke_token_now(TokenNumber(number)), 1);
  EXPECT_EQ(revoked(), (Revoked{4, 5, 2}));
  EXPECT_EQ(revoked(1500, 2), (Revoked{4, 5}));
  EXPECT_EQ(revoked(2000), Revoked{}) << "what has expired needs no revocation";
  EXPECT_EQ(store_->revoke_token_now(TokenNumber(4)), 0);
  EXPECT_EQ(revoked(), (Revoked{4, 5, 2})) << "it keeps its place";
  store_.reset();
  store_ = open();
  EXPECT_EQ(revoked(), (Revoked{4, 5, 2}));
  const auto list = store_->revoked(at(1500), 10);
  EXPECT_EQ((*list)[1].servers, (std::vector<std::int64_t>{s_, t_}));
  EXPECT_EQ((*list)[1].client_id, c_);
  EXPECT_EQ((*list)[1].token_hash, Bytes(33, 5));
  EXPECT_EQ((*list)[1].expires_at, at(2000));
}

TEST_F(StoreRevocation, TheListDoesNotReadTheTokensThatAreNotRevoked) {
  Database beside = open_beside(file());
  auto plan = beside.prepare(
      "EXPLAIN QUERY PLAN SELECT number FROM token INDEXED BY token_revoked WHERE revoked > 0 AND expires_at > 5"
      " AND token_hash IS NOT NULL ORDER BY revoked, number LIMIT 5");
  ASSERT_TRUE(plan && *plan->step());
  EXPECT_NE(plan->text_at(3).find("SEARCH token USING INDEX token_revoked"), std::string_view::npos);
}

TEST_F(StoreRevocation, EndsTheRefreshTokenAndThoseItCameFrom) {
  record(1, c_, s_, "aud-s");
  IssuedToken second = token(2, c_, s_, "aud-s");
  second.origin = TokenNumber(1);
  ASSERT_TRUE(store_->record_now(std::move(second)));
  IssuedToken third = token(3, c_, s_, "aud-s");
  third.origin = TokenNumber(2);
  ASSERT_TRUE(store_->record_now(std::move(third)));
  record(4, c_, s_, "aud-s");
  ASSERT_EQ(store_->revoke_token_now(TokenNumber(3)), 1);
  EXPECT_FALSE(refreshes(3));
  EXPECT_FALSE(refreshes(2));
  EXPECT_FALSE(refreshes(1)) << "the whole line";
  EXPECT_TRUE(refreshes(4));
  EXPECT_EQ(revoked(), Revoked{3}) << "the tokens before it live on";
}

TEST_F(StoreRevocation, NoTokenIsRecordedForARefreshTokenThatHasEnded) {
  for (std::int64_t number = 1; number <= 3; ++number) record(number, c_, s_, "aud-s");
  const auto refreshed = [&](std::int64_t number, std::int64_t origin) {
    IssuedToken made = token(number, c_, s_, "aud-s");
    made.refresh_digest.clear();
    made.origin = TokenNumber(origin);
    return store_->record_now(std::move(made));
  };
  ASSERT_TRUE(refreshed(4, 1));
  ASSERT_EQ(store_->revoke_token_now(TokenNumber(2)), 1);
  const auto of_revoked = refreshed(5, 2);
  ASSERT_FALSE(of_revoked);
  EXPECT_EQ(of_revoked.error(), reason::refresh_token_invalid);
  ASSERT_EQ(store_->revoke_token_now(TokenNumber(4)), 1);
  EXPECT_FALSE(refreshed(6, 1)) << "a token got with it was revoked";
  EXPECT_FALSE(refreshed(7, 9)) << "there is none";
  EXPECT_TRUE(refreshed(8, 3));
  EXPECT_EQ(*store_->find(TokenNumber(5)), std::nullopt);
}

TEST_F(StoreRevocation, OfAClientEndsAllItsTokensAndRefreshTokens) {
  record(1, c_, s_, "aud-s");
  record_for_both(2, c_);
  record(3, d_, s_, "aud-s");
  EXPECT_EQ(store_->revoke_client_now("c"), 2);
  EXPECT_EQ(revoked(), (Revoked{1, 2}));
  EXPECT_FALSE(refreshes(1) || refreshes(2));
  EXPECT_TRUE(refreshes(3));
}

TEST_F(StoreRevocation, OfAServerEndsThoseForItsGroupsTooWhicheverOfThemItIs) {
  record(1, c_, s_, "aud-s");
  record_for_both(2, c_);
  record(3, c_, u_, "aud-u");
  record(4, c_, t_, "aud-t");
  EXPECT_EQ(store_->revoke_server_now("t"), 2);
  EXPECT_EQ(revoked(), (Revoked{2, 4}));
  EXPECT_FALSE(refreshes(2) || refreshes(4));
  EXPECT_EQ(store_->revoke_server_now("s"), 1);
  EXPECT_EQ(revoked(), (Revoked{2, 4, 1}));
  EXPECT_TRUE(refreshes(3));
  EXPECT_EQ(store_->tokens({.server = "t"})->size(), 2u) << "a list by server has them too";
}

TEST_F(StoreRevocation, IsToldToTheServerThatTakesTheAudienceOver) {
  record(1, c_, u_, "aud-u");
  record(2, c_, s_, "aud-s");
  ASSERT_EQ(store_->revoke_token_now(TokenNumber(2)), 1);
  ASSERT_EQ(store_->remove_server_now("u")->tokens, 1);
  const std::int64_t replacement = store_->add_server_now(server_record("u"))->id;
  const auto list = store_->revoked(at(1500), 100);
  ASSERT_TRUE(list && list->size() == 2);
  EXPECT_EQ((*list)[0].servers, std::vector<std::int64_t>{s_});
  EXPECT_EQ((*list)[1].servers, (std::vector<std::int64_t>{u_, replacement})) << "the token would be good at it";
  // From one server to another, and once only.
  auto moved = server_record("u");
  moved.audience = "aud-v";
  ASSERT_TRUE(store_->set_server_now(std::move(moved)));
  auto back = server_record("u");
  ASSERT_TRUE(store_->set_server_now(std::move(back)));
  EXPECT_EQ((*store_->revoked(at(1500), 100))[1].servers, (std::vector<std::int64_t>{u_, replacement}));
}

TEST_F(StoreRevocation, AServerThatJoinsAGroupGetsNoTokensFromBefore) {
  record_for_both(1, c_);
  record(2, c_, s_, "aud-s");
  ASSERT_TRUE(store_->registry());
  auto joining = server_record("u");
  joining.group_audiences = {"both"};
  ASSERT_EQ(store_->set_server_now(std::move(joining))->tokens, 1);
  EXPECT_EQ(revoked(), Revoked{1});
  EXPECT_FALSE(refreshes(1));
  EXPECT_TRUE(refreshes(2)) << "that is for s alone";
  EXPECT_EQ((*store_->revoked(at(1500), 100))[0].servers, (std::vector<std::int64_t>{s_, t_, u_}));
  IssuedToken decided_before = token(3, c_, s_, "both");
  decided_before.more_servers = {t_};
  EXPECT_FALSE(store_->record_now(std::move(decided_before)));
  auto added = server_record("v");
  added.group_audiences = {"both"};
  ASSERT_TRUE(store_->registry());
  IssuedToken of_three = token(4, c_, s_, "both");
  of_three.more_servers = {t_, u_};
  ASSERT_TRUE(store_->record_now(std::move(of_three)));
  const std::int64_t v = store_->add_server_now(std::move(added))->id;
  EXPECT_EQ((*store_->revoked(at(1500), 100))[1].servers, (std::vector<std::int64_t>{s_, t_, u_, v}));
}

TEST_F(StoreRevocation, OfAnAudienceEndsThoseForItAlone) {
  record(1, c_, s_, "aud-s");
  record_for_both(2, c_);
  record_for_both(3, d_);
  record(4, c_, t_, "aud-t");
  EXPECT_EQ(store_->revoke_audience_now("both"), 2);
  EXPECT_EQ(revoked(), (Revoked{2, 3}));
  EXPECT_FALSE(refreshes(2) || refreshes(3));
  EXPECT_TRUE(refreshes(1));
  EXPECT_EQ(store_->revoke_audience_now("both"), 0);
  EXPECT_EQ(store_->revoke_audience_now("aud-s"), 1);
  EXPECT_EQ(revoked(), (Revoked{2, 3, 1}));
  EXPECT_EQ(store_->revoke_audience_now("nobodys").error(), reason::record_missing);
}

TEST_F(StoreRevocation, RemovingAServerEndsTokensOfItsGroups) {
  record_for_both(1, c_);
  const auto removal = store_->remove_server_now("t");
  ASSERT_TRUE(removal);
  EXPECT_EQ(removal->tokens, 1);
  EXPECT_EQ(revoked(), Revoked{1});
}

TEST_F(StoreRevocation, AClientThatLosesACredentialLosesItsTokens) {
  std::int64_t number = 0;
  const auto expect = [&](std::int64_t tokens, const char* what, auto change) {
    record(++number, c_, s_, "aud-s");
    auto client = full_client();
    change(client);
    const auto revision = store_->set_client_now(std::move(client));
    ASSERT_TRUE(revision) << what << revision.error().id();
    EXPECT_EQ(revision->tokens, tokens) << what;
    EXPECT_EQ(refreshes(number), tokens == 0) << what;
    ASSERT_TRUE(store_->revoke_client_now("c"));
    ASSERT_TRUE(store_->set_client_now(full_client()));
  };
  expect(0, "nothing", [](auto&) {});
  expect(0, "groups", [](auto& client) { client.groups = {"staff"}; });
  expect(1, "public_key", [](auto& client) {
    client.public_key = {0xa1, 0x09};
    client.key_thumbprint = Bytes(32, 9);
  });
  expect(1, "no public_key", [](auto& client) {
    client.public_key.clear();
    client.key_thumbprint.clear();
  });
  expect(1, "psk_identity", [](auto& client) { client.psk_identity = {0x09}; });
  expect(1, "psk", [](auto& client) { client.psk = Secret(Bytes(16, 9)); });
  expect(1, "certificate_name", [](auto& client) { client.certificate_name = "d.example"; });
  expect(1, "secret_digest", [](auto& client) { client.secret_digest = Bytes(48, 9); });
}

TEST_F(StoreRevocation, AClientThatGetsOneMoreCredentialKeepsItsTokens) {
  record(1, d_, s_, "aud-s");
  auto client = client_record("d");
  client.certificate_name = "d.example";
  EXPECT_EQ(store_->set_client_now(std::move(client))->tokens, 0);
}

TEST_F(StoreRevocation, AServerThatLosesACredentialLosesItsTokens) {
  std::int64_t number = 0;
  const auto expect = [&](std::int64_t tokens, const char* what, auto change) {
    record(++number, c_, s_, "aud-s");
    record_for_both(++number, c_);
    auto server = full_server("s", 1);
    change(server);
    const auto revision = store_->set_server_now(std::move(server));
    ASSERT_TRUE(revision) << what << revision.error().id();
    EXPECT_EQ(revision->tokens, tokens) << what;
    ASSERT_TRUE(store_->revoke_client_now("c"));
    ASSERT_TRUE(store_->set_server_now(full_server("s", 1)));
  };
  expect(0, "nothing", [](auto&) {});
  expect(0, "token_lifetime", [](auto& server) { server.token_lifetime = std::chrono::seconds(5); });
  expect(2, "public_key", [](auto& server) {
    server.public_key = {0xa1, 0x09};
    server.key_thumbprint = Bytes(32, 9);
  });
  expect(2, "token_key", [](auto& server) { server.token_key = Secret(Bytes(16, 9)); });
  expect(0, "token_key that is rotated", [](auto& server) {
    server.previous_token_key = std::move(server.token_key);
    server.token_key = Secret(Bytes(16, 9));
  });
  expect(2, "derivation_key", [](auto& server) { server.derivation_key = Secret(); });
  expect(2, "psk", [](auto& server) { server.psk = Secret(Bytes(16, 9)); });
  expect(2, "psk_identity", [](auto& server) { server.psk_identity = {0x80, 0x09}; });
  expect(2, "certificate_name", [](auto& server) { server.certificate_name.clear(); });
  expect(2, "secret_digest", [](auto& server) { server.secret_digest.clear(); });
  expect(1, "audience", [](auto& server) { server.audience = "urn:s"; });
  expect(1, "group_audiences", [](auto& server) { server.group_audiences = {"other"}; });
}

TEST_F(StoreRevocation, ATokenCannotSlipPastTheRekeyingOfItsDevice) {
  // The endpoint decided on an older snapshot; the change was handed in first.
  ASSERT_TRUE(store_->registry());
  std::vector<std::string> order;
  auto client = full_client();
  client.psk = Secret(Bytes(16, 9));
  store_->set_client(std::move(client), [&](Result<Revision> set) { order.emplace_back(set ? "set" : "failed"); });
  store_->record(token(1, c_, s_, "aud-s"),
                 [&](Result<> recorded) { order.emplace_back(recorded ? "recorded" : recorded.error().id()); });
  loop_.run_until([&] { return order.size() == 2; });
  EXPECT_EQ(order, (std::vector<std::string>{"set", "store_unavailable"}));
  EXPECT_EQ(*store_->find(TokenNumber(1)), std::nullopt);
  record(2, c_, s_, "aud-s");  // decided upon the new snapshot
}

TEST_F(StoreRevocation, ATokenCannotSlipPastAServerThatLeavesItsGroup) {
  ASSERT_TRUE(store_->registry());
  std::vector<std::string> order;
  auto server = full_server("t", 2);
  server.group_audiences.clear();
  store_->set_server(std::move(server), [&](Result<Revision> set) { order.emplace_back(set ? "set" : "failed"); });
  IssuedToken group = token(1, c_, s_, "both");
  group.more_servers = {t_};
  store_->record(std::move(group),
                 [&](Result<> recorded) { order.emplace_back(recorded ? "recorded" : recorded.error().id()); });
  loop_.run_until([&] { return order.size() == 2; });
  EXPECT_EQ(order, (std::vector<std::string>{"set", "store_unavailable"}));
}

TEST_F(StoreRevocation, ATokenForAServerThatIsNotThereIsNotRecorded) {
  IssuedToken group = token(1, c_, s_, "both");
  group.more_servers = {77};
  ASSERT_TRUE(store_->registry());
  EXPECT_EQ(store_->record_now(std::move(group)).error(), reason::record_missing);
}

TEST_F(StoreRevocation, ATokenIsKeptAsLongAsItsRefreshTokenWorks) {
  record(1, c_, s_, "aud-s");
  record_for_both(2, c_);
  const auto week = std::chrono::hours(24 * 7);
  EXPECT_EQ(store_->remove_expired_now(at(5000) + week, 10), 0);
  EXPECT_EQ(store_->remove_expired_now(at(5001) + week, 10), 2);
  EXPECT_EQ(*store_->find(TokenNumber(1)), std::nullopt);
  ASSERT_TRUE(store_->revoke_server_now("t")) << "no entry of the group is left behind";
  EXPECT_EQ(open_beside(file()).integer("SELECT count(*) FROM token_server"), 0);
}

}  // namespace
}  // namespace aceward::store
