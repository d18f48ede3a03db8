// Clients, servers and rules.
#include <functional>

#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

using ace::as::ClientRecord;
using ace::as::PolicyRule;
using ace::as::ServerRecord;

class StoreRegistry : public StoreTest {
 protected:
  StoreRegistry() : store_(open()) {}
  std::unique_ptr<Store> store_;
};

TEST_F(StoreRegistry, GivesBackEveryMemberAfterReopening) {
  ASSERT_TRUE(store_->add_client_now(full_client()));
  ASSERT_TRUE(store_->add_server_now(full_server()));
  PolicyRule given = rule_record("thermostat", "lock", "");
  given.name = "heat";
  given.aif_scope = {0x81, 0x82};
  given.lifetime = std::chrono::seconds(30);
  const auto added = store_->add_rule_now(std::move(given));
  ASSERT_TRUE(added);
  store_.reset();
  store_ = open();

  const auto client = store_->client("thermostat");
  ASSERT_TRUE(client);
  EXPECT_EQ((*client)->public_key, full_client().public_key);
  EXPECT_EQ((*client)->key_thumbprint, full_client().key_thumbprint);
  EXPECT_EQ((*client)->psk_identity, full_client().psk_identity);
  EXPECT_TRUE((*client)->psk.equals(full_client().psk));
  const auto server = store_->server("lock");
  ASSERT_TRUE(server);
  EXPECT_EQ((*server)->audience, "urn:lock");
  EXPECT_EQ((*server)->public_key, full_server().public_key);
  EXPECT_TRUE((*server)->token_key.equals(full_server().token_key));
  EXPECT_EQ((*server)->token_key_id, Bytes{0x07});
  EXPECT_EQ((*server)->protection, ace::as::TokenProtection::encrypted_cwt);
  EXPECT_EQ((*server)->scope_format, ace::as::ScopeFormat::aif);
  EXPECT_FALSE((*server)->accepts_asymmetric);
  EXPECT_FALSE((*server)->accepts_symmetric);
  EXPECT_EQ((*server)->token_lifetime, std::chrono::seconds(60));
  const auto rule = store_->rule("heat");
  ASSERT_TRUE(rule);
  EXPECT_EQ((*rule)->id, added->id);
  EXPECT_EQ((*rule)->client, "thermostat");
  EXPECT_EQ((*rule)->server, "lock");
  EXPECT_EQ((*rule)->text_scope, "");
  EXPECT_EQ((*rule)->aif_scope, (Bytes{0x81, 0x82}));
  EXPECT_EQ((*rule)->lifetime, std::chrono::seconds(30));
}

TEST_F(StoreRegistry, AbsentKeysStayAbsentAndMayRepeat) {
  ASSERT_TRUE(store_->add_client_now(client_record("a")));
  ASSERT_TRUE(store_->add_client_now(client_record("b")));
  ASSERT_TRUE(store_->add_server_now(server_record("s")));
  ASSERT_TRUE(store_->add_rule_now(rule_record("a", "s")));
  EXPECT_TRUE((*store_->client("b"))->psk.empty());
  EXPECT_TRUE((*store_->client("b"))->public_key.empty());
  EXPECT_EQ((*store_->registry())->rules().at(0).lifetime, std::nullopt);
}

TEST_F(StoreRegistry, NamesWhatIsTaken) {
  ASSERT_TRUE(store_->add_client_now(full_client()));
  ASSERT_TRUE(store_->add_server_now(full_server()));
  EXPECT_EQ(store_->add_client_now(client_record("thermostat")).error(), reason::record_exists);
  ClientRecord same_key = full_client();
  same_key.name = "other";
  same_key.psk_identity = {0x01};
  EXPECT_EQ(store_->add_client_now(std::move(same_key)).error(), reason::record_key_taken);
  ClientRecord same_identity = full_client();
  same_identity.name = "other";
  same_identity.key_thumbprint = Bytes(32, 0x12);
  EXPECT_EQ(store_->add_client_now(std::move(same_identity)).error(), reason::record_psk_identity_taken);
  ServerRecord same_name = server_record("lock");
  EXPECT_EQ(store_->add_server_now(std::move(same_name)).error(), reason::record_exists);
  ServerRecord same_audience = server_record("other");
  same_audience.audience = "urn:lock";
  EXPECT_EQ(store_->add_server_now(std::move(same_audience)).error(), reason::record_audience_taken);
  PolicyRule rule = rule_record("thermostat", "lock");
  rule.name = "r";
  ASSERT_TRUE(store_->add_rule_now(std::move(rule)));
  PolicyRule again = rule_record("thermostat", "lock");
  again.name = "r";
  EXPECT_EQ(store_->add_rule_now(std::move(again)).error(), reason::record_exists);
}

TEST_F(StoreRegistry, AChangeMayKeepItsOwnNameAndKeysButNotTakeAnothers) {
  ASSERT_TRUE(store_->add_client_now(full_client()));
  ASSERT_TRUE(store_->add_client_now(client_record("second")));
  EXPECT_TRUE(store_->set_client_now(full_client()));
  ClientRecord second = full_client();
  second.name = "second";
  EXPECT_EQ(store_->set_client_now(std::move(second)).error(), reason::record_psk_identity_taken);
  ClientRecord renamed = client_record("thermostat");
  renamed.id = (*store_->client("second"))->id;
  EXPECT_EQ(store_->set_client_now(std::move(renamed)).error(), reason::record_exists);
}

TEST_F(StoreRegistry, ARenamedClientAndServerKeepTheirRules) {
  const auto client = store_->add_client_now(client_record("c"));
  const auto server = store_->add_server_now(server_record("s"));
  ASSERT_TRUE(store_->add_rule_now(rule_record("c", "s")));
  ClientRecord new_client = client_record("c2");
  new_client.id = client->id;
  ServerRecord new_server = server_record("s2");
  new_server.id = server->id;
  ASSERT_TRUE(store_->set_client_now(std::move(new_client)));
  ASSERT_TRUE(store_->set_server_now(std::move(new_server)));
  EXPECT_EQ((*store_->registry())->rules_for("c2", "s2").size(), 1u);
  EXPECT_EQ(store_->client("c").error(), reason::record_missing);
}

TEST_F(StoreRegistry, ARuleIsChangedByItsName) {
  ASSERT_TRUE(store_->add_client_now(client_record("c")));
  ASSERT_TRUE(store_->add_server_now(server_record("s")));
  ASSERT_TRUE(store_->add_server_now(server_record("t")));
  const auto added = store_->add_rule_now(rule_record("c", "s"));
  PolicyRule changed = rule_record("c", "t", "write");
  changed.name = added->name;
  ASSERT_TRUE(store_->set_rule_now(std::move(changed)));
  const auto rule = *store_->rule(added->name);
  EXPECT_EQ(rule->id, added->id);
  EXPECT_EQ(rule->server, "t");
  EXPECT_EQ(rule->text_scope, "write");
  ASSERT_TRUE(store_->remove_rule_now(added->name));
  EXPECT_EQ(store_->rule(added->name).error(), reason::record_missing);
}

TEST_F(StoreRegistry, WhatIsNotThereIsNeitherChangedNorRemoved) {
  EXPECT_EQ(store_->set_client_now(client_record("x")).error(), reason::record_missing);
  EXPECT_EQ(store_->set_server_now(server_record("x")).error(), reason::record_missing);
  ClientRecord by_id = client_record("x");
  by_id.id = 77;
  EXPECT_EQ(store_->set_client_now(std::move(by_id)).error(), reason::record_missing);
  PolicyRule rule = rule_record("x", "x");
  rule.name = "x";
  EXPECT_EQ(store_->set_rule_now(std::move(rule)).error(), reason::record_missing);
  EXPECT_EQ(store_->remove_client_now("x").error(), reason::record_missing);
  EXPECT_EQ(store_->remove_server_now("x").error(), reason::record_missing);
  EXPECT_EQ(store_->remove_rule_now("x").error(), reason::record_missing);
  EXPECT_EQ(store_->server("x").error(), reason::record_missing);
}

TEST_F(StoreRegistry, ARuleNeedsItsClientAndItsServer) {
  ASSERT_TRUE(store_->add_client_now(client_record("c")));
  ASSERT_TRUE(store_->add_server_now(server_record("s")));
  const auto no_client = store_->add_rule_now(rule_record("x", "s"));
  EXPECT_EQ(no_client.error(), reason::record_missing);
  EXPECT_EQ(no_client.error().detail(), "client");
  EXPECT_EQ(store_->add_rule_now(rule_record("c", "x")).error().detail(), "server");
}

TEST_F(StoreRegistry, ARuleWithoutANameGetsTheFirstThatIsFree) {
  const std::string umlauts = [] {
    std::string name;
    for (int i = 0; i < 127; ++i) name += "\xc3\xbc";
    return name;
  }();
  ASSERT_TRUE(store_->add_client_now(client_record("c")));
  ASSERT_TRUE(store_->add_client_now(client_record(umlauts)));
  ASSERT_TRUE(store_->add_server_now(server_record("s")));
  EXPECT_EQ(store_->add_rule_now(rule_record("c", "s"))->name, "c-s-1");
  EXPECT_EQ(store_->add_rule_now(rule_record("c", "s"))->name, "c-s-2");
  ASSERT_TRUE(store_->remove_rule_now("c-s-1"));
  EXPECT_EQ(store_->add_rule_now(rule_record("c", "s"))->name, "c-s-1");
  const auto long_name = store_->add_rule_now(rule_record(umlauts, "s"));
  ASSERT_TRUE(long_name);
  EXPECT_EQ(long_name->name, umlauts.substr(0, 234) + "-1") << "cut between two characters";
}

TEST_F(StoreRegistry, RemovingAClientTakesItsRulesAndRevokesItsTokens) {
  const auto c = store_->add_client_now(client_record("c"));
  const auto d = store_->add_client_now(client_record("d"));
  const auto s = store_->add_server_now(server_record("s"));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(store_->add_rule_now(rule_record("c", "s")));
  ASSERT_TRUE(store_->add_rule_now(rule_record("d", "s")));
  for (std::int64_t number = 1; number <= 3; ++number)
    ASSERT_TRUE(store_->record_now(token_record(number, c->id, s->id)));
  ASSERT_TRUE(store_->record_now(token_record(4, d->id, s->id)));
  ASSERT_EQ(store_->revoke_token_now(ace::as::TokenNumber(1)), 1);

  const auto removal = store_->remove_client_now("c");
  ASSERT_TRUE(removal);
  EXPECT_EQ(removal->rules, 2);
  EXPECT_EQ(removal->tokens, 2) << "the one that was revoked before does not count";
  EXPECT_EQ((*store_->registry())->rules().size(), 1u);
  EXPECT_TRUE(store_->token(ace::as::TokenNumber(3))->revoked);
  EXPECT_FALSE(store_->token(ace::as::TokenNumber(4))->revoked);
  // The name may come back; the row, and with it the tokens, may not.
  EXPECT_NE(store_->add_client_now(client_record("c"))->id, c->id);
}

TEST_F(StoreRegistry, RemovingAServerTakesItsRulesAndRevokesItsTokens) {
  const auto c = store_->add_client_now(client_record("c"));
  const auto s = store_->add_server_now(server_record("s"));
  const auto t = store_->add_server_now(server_record("t"));
  ASSERT_TRUE(store_->add_rule_now(rule_record("c", "s")));
  ASSERT_TRUE(store_->add_rule_now(rule_record("c", "t")));
  ASSERT_TRUE(store_->record_now(token_record(1, c->id, s->id)));
  ASSERT_TRUE(store_->record_now(token_record(2, c->id, t->id)));
  const auto removal = store_->remove_server_now("s");
  ASSERT_TRUE(removal);
  EXPECT_EQ(removal->rules, 1);
  EXPECT_EQ(removal->tokens, 1);
  EXPECT_TRUE(store_->token(ace::as::TokenNumber(1))->revoked);
  EXPECT_FALSE(store_->token(ace::as::TokenNumber(2))->revoked);
  ASSERT_EQ((*store_->registry())->rules().size(), 1u);
  EXPECT_EQ((*store_->registry())->rules()[0].server, "t");
}

TEST_F(StoreRegistry, TheSnapshotChangesWithTheRegistryAndNotWithTokens) {
  const auto c = store_->add_client_now(client_record("c"));
  const auto s = store_->add_server_now(server_record("s"));
  const auto before = *store_->registry();
  EXPECT_EQ(*store_->registry(), before);
  ASSERT_TRUE(store_->record_now(token_record(1, c->id, s->id)));
  EXPECT_EQ(*store_->registry(), before) << "a token does not rebuild it";
  ASSERT_TRUE(store_->add_client_now(client_record("d")));
  const auto after = *store_->registry();
  EXPECT_GT(after->version(), before->version());
  EXPECT_EQ(before->client_by_name("d"), nullptr) << "a snapshot is one moment";
  EXPECT_NE(after->client_by_name("d"), nullptr);
}

TEST_F(StoreRegistry, AnEntryThatNobodyCouldHaveWrittenIsDamage) {
  ASSERT_TRUE(store_->add_server_now(server_record("s")));
  ASSERT_TRUE(
      open_beside(file()).execute("UPDATE server SET protection = 9;"
                                  "UPDATE meta SET registry_version = registry_version + 1"));
  EXPECT_EQ(store_->registry().error(), reason::store_damaged);
}

TEST_F(StoreRegistry, RefusesClientsThatContradictThemselves) {
  const auto expect_invalid = [&](std::string_view member, const std::function<void(ClientRecord&)>& spoil) {
    ClientRecord client = full_client();
    spoil(client);
    const auto added = store_->add_client_now(std::move(client));
    ASSERT_FALSE(added) << member;
    EXPECT_EQ(added.error(), reason::record_invalid);
    EXPECT_EQ(added.error().detail(), member);
  };
  for (const std::string& name :
       std::vector<std::string>{"", std::string(256, 'n'), "\x80\x80\x80\x80\x80\x80\x80\x80\x81\x81", "tab\there",
                                "del\x7f", "c1\xc2\x80", "cut\xc3", "overlong\xc0\xaf", "surrogate\xed\xa0\x80",
                                "beyond\xf4\x90\x80\x80", "overlong\xe0\x80\x80", "lone\x80", std::string("nul\0", 4)})
    expect_invalid("name", [&](ClientRecord& client) { client.name = name; });
  expect_invalid("key_thumbprint", [](ClientRecord& client) { client.key_thumbprint.pop_back(); });
  expect_invalid("key_thumbprint", [](ClientRecord& client) { client.public_key.clear(); });
  expect_invalid("public_key", [](ClientRecord& client) { client.public_key.resize(4097); });
  expect_invalid("psk_identity", [](ClientRecord& client) { client.psk_identity.clear(); });
  expect_invalid("psk_identity", [](ClientRecord& client) { client.psk_identity.resize(256); });
  expect_invalid("psk", [](ClientRecord& client) { client.psk = Secret(Bytes(15)); });
  expect_invalid("psk", [](ClientRecord& client) { client.psk = Secret(Bytes(513)); });
  EXPECT_TRUE((*store_->registry())->clients().empty());
  for (const std::string& name : std::vector<std::string>{std::string(255, 'n'),
                                                          "K\xc3\xbc"
                                                          "che \xf0\x9f\x94\x91"})
    EXPECT_TRUE(store_->add_client_now(client_record(name))) << name;
}

TEST_F(StoreRegistry, RefusesServersThatContradictThemselves) {
  const auto expect_invalid = [&](std::string_view member, const std::function<void(ServerRecord&)>& spoil) {
    ServerRecord server = full_server();
    spoil(server);
    const auto added = store_->add_server_now(std::move(server));
    ASSERT_FALSE(added) << member;
    EXPECT_EQ(added.error(), reason::record_invalid);
    EXPECT_EQ(added.error().detail(), member);
  };
  expect_invalid("name", [](ServerRecord& server) { server.name.clear(); });
  expect_invalid("audience", [](ServerRecord& server) { server.audience = "a\n"; });
  expect_invalid("token_key", [](ServerRecord& server) { server.token_key = Secret(Bytes(17)); });
  expect_invalid("token_key_id", [](ServerRecord& server) { server.token_key_id.resize(256); });
  expect_invalid("protection", [](ServerRecord& server) { server.token_key = Secret(); });
  expect_invalid("protection", [](ServerRecord& server) { server.protection = ace::as::TokenProtection{4}; });
  expect_invalid("scope_format", [](ServerRecord& server) { server.scope_format = ace::as::ScopeFormat{0}; });
  expect_invalid("token_lifetime", [](ServerRecord& server) { server.token_lifetime = std::chrono::seconds(0); });
  expect_invalid("token_lifetime", [](ServerRecord& server) { server.token_lifetime = std::chrono::hours(24 * 31); });
}

TEST_F(StoreRegistry, KeepsAllThatARegistrationOfTheFrameworkHolds) {
  ClientRecord client = full_client();
  client.certificate_name = "thermostat.example";
  client.secret_digest = Bytes(48, 0x44);
  client.groups = {"staff", "heating"};
  ASSERT_TRUE(store_->add_client_now(std::move(client)));
  ServerRecord server = full_server();
  server.group_audiences = {"urn:locks", "urn:doors"};
  server.key_thumbprint = Bytes(32, 0x55);
  server.previous_token_key = Secret(Bytes(16, 0x66));
  server.previous_token_key_id = {0x06};
  server.derivation_key = Secret(Bytes(64, 0x77));
  server.protection = ace::as::TokenProtection::reference;
  server.profiles = {ace::Profile::coap_oscore, ace::Profile::coap_dtls, ace::Profile{77}};
  server.uses_exi = true;
  server.refresh_lifetime = std::chrono::hours(24);
  server.allows_group_keys = true;
  server.undecided = ace::as::Undecided::ask_owner;
  server.owner = "olga";
  server.psk_identity = {0x01, 0x02};
  server.psk = Secret(Bytes(16, 0x88));
  server.certificate_name = "lock.example";
  server.secret_digest = Bytes(48, 0x99);
  ASSERT_TRUE(store_->add_server_now(std::move(server)));
  PolicyRule rule = rule_record("", "lock");
  rule.name = "nights";
  rule.group = "staff";
  rule.hours = {.days = 0x1f, .from = 1200, .to = 300};
  rule.until = at(9'000'000'000);
  ASSERT_TRUE(store_->add_rule_now(std::move(rule)));
  ASSERT_TRUE(store_->add_client_now(client_record("without groups")));
  store_.reset();
  store_ = open();

  const auto kept_client = *store_->client("thermostat");
  EXPECT_EQ(kept_client->certificate_name, "thermostat.example");
  EXPECT_EQ(kept_client->secret_digest, Bytes(48, 0x44));
  EXPECT_EQ(kept_client->groups, (std::vector<std::string>{"staff", "heating"}));
  EXPECT_TRUE((*store_->client("without groups"))->groups.empty());
  const auto kept = *store_->server("lock");
  EXPECT_EQ(kept->group_audiences, (std::vector<std::string>{"urn:locks", "urn:doors"}));
  EXPECT_EQ(kept->key_thumbprint, Bytes(32, 0x55));
  EXPECT_TRUE(kept->previous_token_key.equals(Bytes(16, 0x66)));
  EXPECT_EQ(kept->previous_token_key_id, Bytes{0x06});
  EXPECT_TRUE(kept->derivation_key.equals(Bytes(64, 0x77)));
  EXPECT_EQ(kept->protection, ace::as::TokenProtection::reference);
  EXPECT_EQ(kept->profiles, (std::vector{ace::Profile::coap_oscore, ace::Profile::coap_dtls, ace::Profile{77}}));
  EXPECT_TRUE(kept->uses_exi);
  EXPECT_EQ(kept->refresh_lifetime, std::chrono::hours(24));
  EXPECT_TRUE(kept->allows_group_keys);
  EXPECT_EQ(kept->undecided, ace::as::Undecided::ask_owner);
  EXPECT_EQ(kept->owner, "olga");
  EXPECT_EQ(kept->psk_identity, (Bytes{0x01, 0x02}));
  EXPECT_TRUE(kept->psk.equals(Bytes(16, 0x88)));
  EXPECT_EQ(kept->certificate_name, "lock.example");
  EXPECT_EQ(kept->secret_digest, Bytes(48, 0x99));
  const auto kept_rule = *store_->rule("nights");
  EXPECT_EQ(kept_rule->client, "");
  EXPECT_EQ(kept_rule->group, "staff");
  EXPECT_EQ(kept_rule->hours, (ace::as::Hours{.days = 0x1f, .from = 1200, .to = 300}));
  EXPECT_EQ(kept_rule->until, at(9'000'000'000));
  EXPECT_EQ((*store_->registry())->rules_for("thermostat", "lock").size(), 1u);
}

TEST_F(StoreRegistry, ClientsAndServersShareOneNameSpaceOfKeyIdentities) {
  ASSERT_TRUE(store_->add_client_now(full_client()));
  ServerRecord server = full_server();
  server.psk_identity = full_client().psk_identity;
  server.psk = Secret(Bytes(16, 0x88));
  EXPECT_EQ(store_->add_server_now(std::move(server)).error(), reason::record_psk_identity_taken);
  server = full_server();
  server.psk_identity = {0x42};
  server.psk = Secret(Bytes(16, 0x88));
  ASSERT_TRUE(store_->add_server_now(std::move(server)));
  ClientRecord client = client_record("other");
  client.psk_identity = {0x42};
  client.psk = Secret(Bytes(16, 0x22));
  EXPECT_EQ(store_->add_client_now(std::move(client)).error(), reason::record_psk_identity_taken);
}

TEST_F(StoreRegistry, CertificateNamesAndServersKeysAreUnique) {
  ClientRecord client = client_record("a");
  client.certificate_name = "device.example";
  ASSERT_TRUE(store_->add_client_now(std::move(client)));
  client = client_record("b");
  client.certificate_name = "device.example";
  EXPECT_EQ(store_->add_client_now(std::move(client)).error(), reason::record_certificate_name_taken);
  ServerRecord server = server_record("s");
  server.certificate_name = "device.example";
  server.public_key = {0xa1};
  server.key_thumbprint = Bytes(32, 1);
  ASSERT_TRUE(store_->add_server_now(std::move(server))) << "a device may be both";
  server = server_record("t");
  server.certificate_name = "device.example";
  EXPECT_EQ(store_->add_server_now(std::move(server)).error(), reason::record_certificate_name_taken);
  server = server_record("t");
  server.public_key = {0xa1};
  server.key_thumbprint = Bytes(32, 1);
  EXPECT_EQ(store_->add_server_now(std::move(server)).error(), reason::record_key_taken);
}

TEST_F(StoreRegistry, AGroupAudienceIsNoServersOwn) {
  ServerRecord server = server_record("s");
  server.group_audiences = {"urn:all"};
  ASSERT_TRUE(store_->add_server_now(std::move(server)));
  server = server_record("t");
  server.audience = "urn:all";
  EXPECT_EQ(store_->add_server_now(std::move(server)).error(), reason::record_audience_taken);
  server = server_record("t");
  server.group_audiences = {"aud-s"};
  EXPECT_EQ(store_->add_server_now(std::move(server)).error(), reason::record_audience_taken);
  server = server_record("t");
  server.group_audiences = {"aud-t"};
  EXPECT_EQ(store_->add_server_now(std::move(server)).error(), reason::record_invalid);
  server = server_record("t");
  server.group_audiences = {"urn:all"};
  EXPECT_TRUE(store_->add_server_now(std::move(server)));
  EXPECT_EQ((*store_->registry())->servers_of_audience("urn:all").size(), 2u);
}

TEST_F(StoreRegistry, AClientsOrARulesEntryThatNobodyCouldHaveWrittenIsDamage) {
  ASSERT_TRUE(store_->add_client_now(full_client()));
  ASSERT_TRUE(store_->add_server_now(server_record("s")));
  ASSERT_TRUE(store_->add_rule_now(rule_record("thermostat", "s")));
  const auto expect_damage = [&](const std::string& spoil, const std::string& mend) {
    const std::string grow = ";UPDATE meta SET registry_version = registry_version + 1";
    ASSERT_TRUE(open_beside(file()).execute((spoil + grow).c_str())) << spoil;
    EXPECT_EQ(store_->registry().error(), reason::store_damaged) << spoil;
    ASSERT_TRUE(open_beside(file()).execute((mend + grow).c_str())) << mend;
    EXPECT_TRUE(store_->registry()) << mend;
  };
  expect_damage("UPDATE client SET psk = x'00'", "UPDATE client SET psk = x'22222222222222222222222222222222'");
  expect_damage("INSERT INTO client_group VALUES(1, 0, '')", "DELETE FROM client_group");
  expect_damage("INSERT INTO client_group VALUES(9, 0, 'x')", "DELETE FROM client_group");
  expect_damage("DELETE FROM server_profile", "INSERT INTO server_profile VALUES(1, 0, 1)");
  expect_damage("UPDATE server SET undecided = 258", "UPDATE server SET undecided = 1");
  expect_damage("UPDATE rule SET text_scope = 'a  b'", "UPDATE rule SET text_scope = 'a'");
  expect_damage("UPDATE rule SET days = 1", "UPDATE rule SET days = NULL");
  expect_damage("UPDATE rule SET days = 1, from_minute = 65536, to_minute = 60",
                "UPDATE rule SET days = NULL, from_minute = NULL, to_minute = NULL");
  expect_damage("UPDATE rule SET server_id = 9", "UPDATE rule SET server_id = 1");
}

TEST_F(StoreRegistry, RefusesListsHoursAndGroupsThatContradictThemselves) {
  ClientRecord client = client_record("c");
  client.groups = {"a", "a"};
  EXPECT_EQ(store_->add_client_now(std::move(client)).error().detail(), "groups");
  client = client_record("c");
  client.groups = {""};
  EXPECT_EQ(store_->add_client_now(std::move(client)).error().detail(), "groups");
  client = client_record("c");
  client.secret_digest.resize(47);
  EXPECT_EQ(store_->add_client_now(std::move(client)).error().detail(), "secret_digest");
  const auto expect_invalid = [&](std::string_view member, const std::function<void(ServerRecord&)>& spoil) {
    ServerRecord server = full_server();
    spoil(server);
    EXPECT_EQ(store_->add_server_now(std::move(server)).error().detail(), member);
  };
  expect_invalid("profiles", [](ServerRecord& server) { server.profiles.clear(); });
  expect_invalid("derivation_key", [](ServerRecord& server) { server.derivation_key = Secret(Bytes(15)); });
  expect_invalid("previous_token_key", [](ServerRecord& server) { server.previous_token_key = Secret(Bytes(15)); });
  expect_invalid("previous_token_key_id", [](ServerRecord& server) { server.previous_token_key_id = {1}; });
  expect_invalid("refresh_lifetime", [](ServerRecord& server) { server.refresh_lifetime = std::chrono::seconds(0); });
  expect_invalid("undecided", [](ServerRecord& server) { server.undecided = ace::as::Undecided{3}; });
  expect_invalid("psk_identity", [](ServerRecord& server) { server.psk = Secret(Bytes(16)); });
  expect_invalid("key_thumbprint",
                 [](ServerRecord& server) { server.public_key.clear(), server.key_thumbprint.resize(32); });
  ASSERT_TRUE(store_->add_server_now(server_record("s")));
  PolicyRule both = rule_record("c", "s");
  both.group = "staff";
  EXPECT_EQ(store_->add_rule_now(std::move(both)).error().detail(), "client");
  for (const ace::as::Hours hours :
       {ace::as::Hours{.days = 0}, ace::as::Hours{.days = 0x80}, ace::as::Hours{.from = 1440}, ace::as::Hours{.to = 0},
        ace::as::Hours{.to = 1441}}) {
    PolicyRule rule = rule_record("", "s");
    rule.group = "staff";
    rule.hours = hours;
    EXPECT_EQ(store_->add_rule_now(std::move(rule)).error().detail(), "hours");
  }
}

TEST_F(StoreRegistry, RefusesRulesThatContradictThemselves) {
  ASSERT_TRUE(store_->add_client_now(client_record("c")));
  ASSERT_TRUE(store_->add_server_now(server_record("s")));
  for (const std::string& scope : std::vector<std::string>{"", " a", "a ", "a  b", "a\tb", "quo\"te", "back\\slash",
                                                           "\xc3\xbc", std::string(4097, 'a')})
    EXPECT_EQ(store_->add_rule_now(rule_record("c", "s", scope)).error(), reason::record_invalid) << scope;
  PolicyRule both = rule_record("c", "s");
  both.aif_scope = {0x80};
  EXPECT_EQ(store_->add_rule_now(std::move(both)).error().detail(), "scope");
  PolicyRule too_long = rule_record("c", "s");
  too_long.lifetime = std::chrono::hours(24 * 31);
  EXPECT_EQ(store_->add_rule_now(std::move(too_long)).error().detail(), "lifetime");
  PolicyRule nameless = rule_record("c", "s");
  EXPECT_EQ(store_->set_rule_now(std::move(nameless)).error().detail(), "name");
  EXPECT_TRUE(store_->add_rule_now(rule_record("c", "s", "r_temp w_lock!")));
}

}  // namespace
}  // namespace aceward::store
