// Files of earlier schema versions.
#include <sys/stat.h>

#include "aceward/cose/key.h"
#include "aceward/store/sqlite/maintenance.h"
#include "aceward/store/sqlite/schema.h"
#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

// As version 1 made them.
constexpr const char* tables_of_version_1 = R"sql(
CREATE TABLE meta(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  instance BLOB NOT NULL,
  registry_version INTEGER NOT NULL,
  next_token INTEGER NOT NULL
) STRICT;
CREATE TABLE client(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  public_key BLOB,
  key_thumbprint BLOB UNIQUE,
  psk_identity BLOB UNIQUE,
  psk BLOB
) STRICT;
CREATE TABLE server(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  audience TEXT NOT NULL UNIQUE,
  public_key BLOB,
  token_key BLOB,
  token_key_id BLOB,
  protection INTEGER NOT NULL,
  scope_format INTEGER NOT NULL,
  accepts_asymmetric INTEGER NOT NULL,
  accepts_symmetric INTEGER NOT NULL,
  token_lifetime INTEGER NOT NULL
) STRICT;
CREATE TABLE rule(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  client_id INTEGER NOT NULL REFERENCES client(id) ON DELETE CASCADE,
  server_id INTEGER NOT NULL REFERENCES server(id) ON DELETE CASCADE,
  text_scope TEXT,
  aif_scope BLOB,
  lifetime INTEGER
) STRICT;
CREATE INDEX rule_client ON rule(client_id);
CREATE INDEX rule_server ON rule(server_id);
CREATE TABLE token(
  number INTEGER PRIMARY KEY,
  client_id INTEGER NOT NULL,
  server_id INTEGER NOT NULL,
  client TEXT NOT NULL,
  server TEXT NOT NULL,
  scope BLOB NOT NULL,
  key_id BLOB,
  key_thumbprint BLOB,
  pop_key BLOB,
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked INTEGER NOT NULL
) STRICT;
CREATE INDEX token_key ON token(client_id, server_id, key_id);
CREATE INDEX token_server ON token(server_id);
CREATE INDEX token_expiry ON token(expires_at);
)sql";

// The key of RFC 9679 section 6; its thumbprint stands there too.
constexpr const char* contents_of_version_1 = R"sql(
INSERT INTO meta VALUES(1, x'000102030405060708090a0b0c0d0e0f', 7, 2001);
INSERT INTO client VALUES(1, 'c', NULL, NULL, x'01', x'11111111111111111111111111111111');
INSERT INTO client VALUES(9, 'gone', NULL, NULL, NULL, NULL);
DELETE FROM client WHERE id = 9;
INSERT INTO server VALUES(1, 's', 'urn:s', 
x'a40102200121582065eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d2258201e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c',
  x'22222222222222222222222222222222', x'05', 2, 2, 1, 0, 90);
INSERT INTO server VALUES(2, 't', 'urn:t', x'ff', NULL, NULL, 1, 1, 0, 1, 3600);
INSERT INTO rule VALUES(4, 'c-s-1', 1, 1, NULL, x'80', 30);
INSERT INTO token VALUES(1001, 1, 1, 'c', 's', x'4180', x'01', NULL, x'a0', 1000, 2000, 0);
INSERT INTO token VALUES(1002, 1, 2, 'c', 't', x'6161', NULL, NULL, NULL, 1000, 2000, 1);
)sql";

class StoreMigration : public StoreTest {
 protected:
  StoreMigration() {
    write_contents(file(), {});
    Database old = open_beside(file());
    EXPECT_TRUE(old.execute("PRAGMA page_size = 4096"));
    EXPECT_TRUE(old.execute(tables_of_version_1));
    EXPECT_TRUE(old.execute(contents_of_version_1));
    EXPECT_TRUE(old.execute("PRAGMA user_version = 1; PRAGMA journal_mode = WAL"));
    EXPECT_TRUE(old.execute(("PRAGMA application_id = " + std::to_string(application_id)).c_str()));
  }
};

TEST_F(StoreMigration, AnOlderFileIsRefusedAndLeftAsItIs) {
  const Bytes before = contents_of(file());
  const auto store = Store::open(file(), fast(), random_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error(), reason::store_older);
  EXPECT_TRUE(equal(contents_of(file()), before));
}

TEST_F(StoreMigration, TheStatusTellsThatItIsDue) {
  const auto status = read_status(file(), at(1500));
  ASSERT_TRUE(status) << status.error().id() << status.error().detail();
  EXPECT_EQ(status->version, 1);
  EXPECT_EQ(status->current_version, 2);
  EXPECT_EQ(status->clients, 1);
  EXPECT_EQ(status->tokens, 2);
  EXPECT_EQ(status->live_tokens, 1);
}

TEST_F(StoreMigration, KeepsAllThatWasKnown) {
  const auto migration = migrate(file());
  ASSERT_TRUE(migration) << migration.error().id() << migration.error().detail();
  EXPECT_EQ(migration->from, 1);
  EXPECT_EQ(migration->to, 2);
  auto store = open();
  EXPECT_EQ(to_hex(store->instance()), "000102030405060708090a0b0c0d0e0f");
  EXPECT_GT((*store->registry())->version(), 7u);
  EXPECT_EQ((*store->client("c"))->psk.size(), 16u);
  const auto s = *store->server("s");
  EXPECT_EQ(s->audience, "urn:s");
  EXPECT_EQ(s->protection, ace::as::TokenProtection::encrypted_cwt);
  EXPECT_EQ(s->scope_format, ace::as::ScopeFormat::aif);
  EXPECT_FALSE(s->accepts_symmetric);
  EXPECT_EQ(s->token_key.size(), 16u);
  EXPECT_EQ(s->token_lifetime, std::chrono::seconds(90));
  EXPECT_EQ(s->profiles, std::vector{ace::Profile::coap_dtls});
  EXPECT_EQ(s->undecided, ace::as::Undecided::refuse);
  EXPECT_EQ(to_hex(s->key_thumbprint), "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec");
  EXPECT_TRUE((*store->server("t"))->key_thumbprint.empty()) << "its key cannot be read";
  const auto rule = *store->rule("c-s-1");
  EXPECT_EQ(rule->client, "c");
  EXPECT_EQ(rule->aif_scope, Bytes{0x80});
  EXPECT_EQ(rule->lifetime, std::chrono::seconds(30));
  const auto token = store->token(ace::as::TokenNumber(1001));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->audience, "urn:s");
  EXPECT_EQ(token->key_id, Bytes{0x01});
  EXPECT_EQ(token->expires_at, at(2000));
  EXPECT_FALSE(token->revoked);
  EXPECT_TRUE(store->token(ace::as::TokenNumber(1002))->revoked);
  EXPECT_EQ(store->reserve_number()->value, 2001) << "no number comes back";
  EXPECT_EQ(store->add_client_now(client_record("d"))->id, 10) << "nor does a row";
  EXPECT_EQ(store->revoke_client_now("c"), 1);
  EXPECT_TRUE(store->revoked(at(1500), 10)->empty()) << "a token without a known hash cannot be listed";
}

TEST_F(StoreMigration, TheFileAsItWasStaysBesideIt) {
  const auto migration = migrate(file());
  ASSERT_TRUE(migration);
  EXPECT_EQ(migration->kept, file().string() + ".schema1");
  struct stat status{};
  ASSERT_EQ(::stat(migration->kept.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_EQ(read_status(migration->kept, at(0))->version, 1);
  EXPECT_EQ(read_status(migration->kept, at(0))->tokens, 2);
  EXPECT_EQ(migrate(file())->from, 2) << "and there is nothing more to do";
  EXPECT_EQ(migrate(file())->kept, "");
}

TEST_F(StoreMigration, IsRefusedWhileAnotherHasTheFileOpen) {
  Database beside = open_beside(file());
  ASSERT_TRUE(beside.integer("SELECT count(*) FROM token"));
  EXPECT_EQ(migrate(file()).error(), reason::store_locked);
  EXPECT_EQ(beside.integer("PRAGMA user_version"), 1);
}

TEST_F(StoreMigration, AnEntryThatBreaksTheRulesLeavesTheFileAsItWas) {
  ASSERT_TRUE(open_beside(file()).execute("UPDATE server SET protection = 9"));
  EXPECT_EQ(migrate(file()).error(), reason::store_damaged);
  EXPECT_EQ(open_beside(file()).integer("SELECT count(*) FROM token"), 2);
  EXPECT_EQ(open_beside(file()).integer("PRAGMA user_version"), 1);
}

TEST_F(StoreMigration, AnOlderBackupIsMigratedBeforeItIsRestored) {
  ASSERT_TRUE(back_up(file(), directory_ / "backup.db"));
  EXPECT_EQ(restore(directory_ / "backup.db", file(), {}, random_).error(), reason::store_older);
  ASSERT_TRUE(migrate(file()));
  ASSERT_TRUE(migrate(directory_ / "backup.db"));
  const auto restoration = restore(directory_ / "backup.db", file(), {}, random_);
  ASSERT_TRUE(restoration) << restoration.error().id();
  EXPECT_TRUE(restoration->merged);
}

}  // namespace
}  // namespace aceward::store
