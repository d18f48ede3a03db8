#include "app/records/admin.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "aceward/cose/key.h"

namespace aceward::app {
namespace {

using nlohmann::json;

class Admin : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("admin_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    store::Options options;
    options.durability = store::Durability::relaxed;
    store_ = *store::Store::open(folder_ / "store.db", std::move(options), random_);
    const auto pair = *crypto::PrivateKey::generate(crypto::Curve::p256, random_);
    public_key_ = to_hex(cose::Key::from_public(pair.public_key()).serialize().expose());
    private_key_ = to_hex(cose::Key::from_private(pair).serialize().expose());
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  json ask(const std::string& request) {
    std::promise<std::string> answered;
    execute({.store = *store_, .now = WallTime(std::chrono::seconds(1000)), .asker = asker_}, request,
            [&](std::string line) { answered.set_value(std::move(line)); });
    return json::parse(answered.get_future().get());
  }
  std::string reason_of(const json& request) { return ask(request.dump())["error"].value("reason", ""); }

  SeededRandom random_{1};
  Asker asker_;
  std::filesystem::path folder_;
  std::unique_ptr<store::Store> store_;
  std::string public_key_, private_key_;
};

TEST_F(Admin, AddsShowsListsAndRemoves) {
  EXPECT_EQ(ask(json{{"do", "client.add"}, {"name", "c"}, {"public_key", public_key_}}.dump()), json({{"name", "c"}}));
  EXPECT_EQ(ask(R"({"do": "client.show", "name": "c"})")["public_key"], public_key_);
  EXPECT_EQ(ask(R"({"do": "client.list"})")["clients"].size(), 1U);
  const json server{{"do", "rs.add"}, {"name", "s"}, {"audience", "s"}, {"public_key", public_key_}};
  EXPECT_EQ(ask(server.dump()), json({{"name", "s"}}));
  EXPECT_EQ(ask(R"({"do": "rs.show", "name": "s"})")["pop"], json::array({"raw-key"}));
  const json rule{{"do", "policy.add"}, {"client", "c"}, {"rs", "s"}, {"scope", "a b"}, {"lifetime", 60}};
  const std::string name = ask(rule.dump())["name"];
  EXPECT_EQ(ask(json{{"do", "policy.show"}, {"name", name}}.dump())["scope"], "a b");
  EXPECT_EQ(ask(R"({"do": "client.remove", "name": "c"})"),
            json({{"name", "c"}, {"rules_removed", 1}, {"tokens_revoked", 0}}));
  EXPECT_EQ(ask(R"({"do": "policy.list"})"), json({{"rules", json::array()}}));
}

TEST_F(Admin, ShowsNoSecret) {
  const std::string psk = "000102030405060708090a0b0c0d0e0f";
  ask(json{{"do", "client.add"}, {"name", "c"}, {"psk_identity", "i"}, {"psk", psk}}.dump());
  ask(json{{"do", "rs.add"}, {"name", "s"}, {"audience", "s"}, {"token_key", psk}}.dump());
  for (const char* request : {R"({"do": "client.show", "name": "c"})", R"({"do": "client.list"})",
                              R"({"do": "rs.show", "name": "s"})", R"({"do": "rs.list"})"}) {
    const std::string reply = ask(request).dump();
    EXPECT_EQ(reply.find(psk), std::string::npos);
    EXPECT_NE(reply.find("\"has_"), std::string::npos);
  }
}

TEST_F(Admin, ADryRunChangesNothing) {
  ask(json{{"do", "client.add"}, {"name", "c"}, {"public_key", public_key_}, {"dry_run", true}}.dump());
  EXPECT_EQ(ask(R"({"do": "client.list"})")["clients"].size(), 0U);
  ask(json{{"do", "client.add"}, {"name", "c"}, {"public_key", public_key_}}.dump());
  EXPECT_EQ(ask(R"({"do": "client.remove", "name": "c", "dry_run": true})"), json({{"name", "c"}}));
  EXPECT_EQ(ask(R"({"do": "client.list"})")["clients"].size(), 1U);
}

TEST_F(Admin, RefusesWhatDoesNotParse) {
  EXPECT_EQ(ask("nonsense")["error"]["reason"], "record_invalid");
  EXPECT_EQ(ask("[]")["error"]["reason"], "record_invalid");
  EXPECT_EQ(ask("{}")["error"]["reason"], "record_invalid");
  EXPECT_EQ(ask(R"({"do": "client.add", "name": 3})")["error"]["reason"], "record_invalid");
  EXPECT_EQ(ask(R"({"do": "client.show", "name": "c"})")["error"]["reason"], "record_missing");
  EXPECT_EQ(ask(R"({"do": "token.revoke"})")["error"]["reason"], "record_invalid");
  EXPECT_EQ(ask(R"({"do": "token.revoke", "number": 1, "client": "c"})")["error"]["reason"], "record_invalid");
  EXPECT_EQ(ask(R"({"do": "token.list", "limit": 0})")["error"]["reason"], "record_invalid");
}

TEST_F(Admin, RefusesRecordsThatContradictThemselves) {
  const json client{{"do", "client.add"}, {"name", "c"}, {"public_key", public_key_}};
  const auto with = [](json record, const char* member, json value) {
    record[member] = std::move(value);
    return record;
  };
  EXPECT_EQ(reason_of(with(client, "favourite_colour", "blue")), "record_invalid");
  EXPECT_EQ(reason_of(with(client, "public_key", private_key_)), "record_invalid");
  EXPECT_EQ(reason_of(with(client, "public_key", "")), "record_invalid");
  EXPECT_EQ(reason_of(with(client, "psk", "00")), "record_invalid");
  const json server{{"do", "rs.add"}, {"name", "s"}, {"audience", "s"}, {"public_key", public_key_}};
  EXPECT_EQ(reason_of(with(server, "pop", json::array({"psk"}))), "record_invalid") << "no key to encrypt tokens with";
  EXPECT_EQ(reason_of(with(server, "protection", "encrypted")), "record_invalid");
  EXPECT_EQ(reason_of(with(server, "scope_format", "prose")), "record_invalid");
  EXPECT_EQ(reason_of(with(server, "lifetime", "1h")), "record_invalid");
  EXPECT_EQ(reason_of(with(server, "public_key", "")), "record_invalid");
}

TEST_F(Admin, SetChangesWhatIsGivenAndKeepsSecrets) {
  const std::string psk = "000102030405060708090a0b0c0d0e0f";
  ask(json{{"do", "client.add"}, {"name", "c"}, {"psk_identity", "i"}, {"psk", psk}}.dump());
  EXPECT_EQ(ask(R"({"do": "client.set", "name": "c", "groups": ["g"]})"), json({{"name", "c"}, {"tokens_revoked", 0}}));
  EXPECT_EQ(ask(R"({"do": "client.show", "name": "c"})")["has_psk"], true);
  EXPECT_EQ(to_hex(store_->client("c").value()->psk.expose()), psk) << "a copy of a record has its secrets";
  EXPECT_EQ(reason_of({{"do", "client.set"}, {"name", "c"}, {"psk", ""}, {"psk_identity", ""}}), "record_invalid")
      << "nothing would be left to authenticate with";
}

TEST_F(Admin, AnOwnerMeetsOnlyServersOfItsOwn) {
  ask(json{{"do", "client.add"}, {"name", "c"}, {"public_key", public_key_}}.dump());
  ask(json{{"do", "rs.add"}, {"name", "mine"}, {"audience", "m"}, {"token_key", std::string(32, '0')}, {"owner", "u"}}
          .dump());
  ask(json{{"do", "rs.add"}, {"name", "other"}, {"audience", "o"}, {"token_key", std::string(32, '0')}}.dump());
  asker_ = {.is_administrator = false, .user = 1000, .name = "u"};
  EXPECT_EQ(ask(R"({"do": "rs.list"})")["servers"].size(), 1U);
  EXPECT_EQ(reason_of({{"do", "client.list"}}), "asker_not_allowed");
  EXPECT_EQ(reason_of({{"do", "policy.add"}, {"client", "c"}, {"rs", "other"}, {"scope", "a"}}), "record_missing");
  EXPECT_EQ(ask(R"({"do": "policy.add", "name": "r", "client": "c", "rs": "mine", "scope": "a"})")["name"], "r");
  EXPECT_EQ(reason_of({{"do", "policy.set"}, {"name", "r"}, {"rs", "other"}}), "record_missing");
  EXPECT_EQ(reason_of({{"do", "token.revoke"}, {"audience", "o"}}), "record_missing");
  asker_.name.clear();
  EXPECT_EQ(ask(R"({"do": "rs.list"})")["servers"].size(), 0U) << "a user without a name owns nothing";
}

}  // namespace
}  // namespace aceward::app
