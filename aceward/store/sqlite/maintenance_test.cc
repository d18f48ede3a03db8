#include "aceward/store/sqlite/maintenance.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

using ace::as::TokenNumber;

class Maintenance : public StoreTest {
 protected:
  Maintenance() {
    auto store = open();
    c_ = store->add_client_now(client_with_psk("c", 1))->id;
    d_ = store->add_client_now(client_with_psk("d", 2))->id;
    s_ = store->add_server_now(server_record("s"))->id;
    for (std::int64_t number = 1; number <= 3; ++number) record(*store, number, c_);
  }
  static ace::as::ClientRecord client_with_psk(std::string name, std::uint8_t key) {
    auto client = client_record(std::move(name));
    client.psk_identity = {key};
    client.psk = Secret(Bytes(16, key));
    return client;
  }
  void record(Store& store, std::int64_t number, std::int64_t client) {
    auto token = token_record(number, client, s_);
    token.token_hash = Bytes(33, static_cast<std::uint8_t>(number));
    token.refresh_digest = Bytes(32, 7);
    token.refresh_until = at(3000);
    const auto recorded = store.record_now(std::move(token));
    EXPECT_TRUE(recorded) << recorded.error().id();
  }
  std::filesystem::path backup() const { return directory_ / "backup.db"; }
  Restoration restored(RestoreOptions options = {}) {
    auto restoration = restore(backup(), file(), options, random_);
    if (!restoration) {
      ADD_FAILURE() << restoration.error().id() << " " << restoration.error().detail();
      return {};
    }
    return std::move(*restoration);
  }
  static std::set<std::int64_t> live(Store& store) {
    std::set<std::int64_t> numbers;
    const auto tokens = store.tokens({.live_at = at(1500), .limit = 1000});
    if (!tokens) return {-1};
    for (const auto& token : *tokens) numbers.insert(token.number.value);
    return numbers;
  }
  void damage(const std::filesystem::path& path) {
    Bytes contents = contents_of(path);
    std::fill(contents.begin() + 4096, contents.end(), std::uint8_t{0x5a});
    write_contents(path, contents);
  }
  std::int64_t c_ = 0, d_ = 0, s_ = 0;
};

using Live = std::set<std::int64_t>;

TEST_F(Maintenance, TheStatusTellsWhatIsThereAndWritesNothing) {
  {
    auto store = open();
    ASSERT_EQ(store->revoke_token_now(TokenNumber(2)), 1);
  }
  const Bytes before = contents_of(file());
  const auto status = read_status(file(), at(1500));
  ASSERT_TRUE(status) << status.error().id();
  EXPECT_EQ(status->version, 2);
  EXPECT_EQ(status->current_version, 2);
  EXPECT_EQ(status->clients, 2);
  EXPECT_EQ(status->servers, 1);
  EXPECT_EQ(status->rules, 0);
  EXPECT_EQ(status->requests, 0);
  EXPECT_EQ(status->tokens, 3);
  EXPECT_EQ(status->live_tokens, 2);
  EXPECT_EQ(status->revoked_tokens, 1);
  EXPECT_EQ(status->octets, before.size());
  EXPECT_EQ(status->octets, static_cast<std::uint64_t>(status->pages) * 4096);
  EXPECT_EQ(read_status(file(), at(2000))->live_tokens, 0);
  EXPECT_TRUE(equal(contents_of(file()), before));
  auto store = open();
  EXPECT_TRUE(equal(read_status(file(), at(1500))->instance, store->instance())) << "beside a running server";
}

TEST_F(Maintenance, TheStatusSeesDamageThatOpeningDoesNotLookFor) {
  ASSERT_TRUE(open_beside(file()).execute("INSERT INTO client_group VALUES(77, 0, 'of nobody')"));
  EXPECT_EQ(read_status(file(), at(0)).error(), reason::store_damaged);
}

TEST_F(Maintenance, TheStatusTellsARowThatBreaksTheRules) {
  ASSERT_TRUE(open_beside(file()).execute("UPDATE client SET psk = x'00' WHERE name = 'c'"));
  EXPECT_EQ(read_status(file(), at(0)).error(), reason::store_damaged);
  EXPECT_EQ(back_up(file(), backup()).error(), reason::store_damaged) << "damage is not carried on";
  EXPECT_FALSE(std::filesystem::exists(backup()));
}

TEST_F(Maintenance, ABackupIsAWholeStoreOfItsMomentForItsOwnerAlone) {
  auto store = open();
  ASSERT_TRUE(back_up(file(), backup()));
  record(*store, 4, c_);
  struct stat status{};
  ASSERT_EQ(::stat(backup().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  auto copy = Store::open(backup(), fast(), random_);
  ASSERT_TRUE(copy) << copy.error().id();
  EXPECT_EQ(live(**copy), (Live{1, 2, 3}));
  EXPECT_TRUE((*copy)->client("c"));
  EXPECT_EQ(live(*store), (Live{1, 2, 3, 4}));
}

TEST_F(Maintenance, ABackupReplacesNothing) {
  write_contents(backup(), as_bytes("something dear"));
  EXPECT_EQ(back_up(file(), backup()).error(), reason::store_exists);
  EXPECT_EQ(as_text(contents_of(backup())), "something dear");
  damage(file());
  EXPECT_EQ(back_up(file(), directory_ / "other.db").error(), reason::store_damaged);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "other.db"));
}

TEST_F(Maintenance, ARestorationLosesNoTokenAndNoRevocationSinceTheBackup) {
  {
    auto store = open();
    ASSERT_EQ(store->revoke_token_now(TokenNumber(1)), 1);
    ASSERT_TRUE(back_up(file(), backup()));
    ASSERT_EQ(store->revoke_token_now(TokenNumber(2)), 1);
    record(*store, 4, c_);
    record(*store, 5, c_);
    ASSERT_EQ(store->revoke_token_now(TokenNumber(5)), 1);
  }
  const Restoration restoration = restored();
  EXPECT_TRUE(restoration.merged);
  EXPECT_EQ(restoration.tokens, 5);
  EXPECT_EQ(restoration.revoked, 0);
  EXPECT_TRUE(restoration.revived.empty());
  auto store = open();
  EXPECT_EQ(live(*store), (Live{3, 4}));
  const auto list = store->revoked(at(1500), 10);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ((*list)[0].number.value, 1);
  EXPECT_EQ((*list)[1].number.value, 2);
  EXPECT_EQ((*list)[2].number.value, 5) << "in the order of revocations";
  EXPECT_TRUE(store->token(TokenNumber(2))->refresh_digest.empty()) << "its refresh token stays ended";
  EXPECT_FALSE(store->token(TokenNumber(3))->refresh_digest.empty());
  EXPECT_TRUE(std::filesystem::exists(restoration.kept));
  auto replaced = Store::open(restoration.kept, fast(), random_);
  ASSERT_TRUE(replaced) << "what was replaced is still a store";
  EXPECT_EQ(live(**replaced), (Live{3, 4}));
}

TEST_F(Maintenance, ARestorationIsAnotherInstanceAndGivesNoNumberOutAgain) {
  std::int64_t highest = 0;
  Bytes instance;
  {
    auto store = open();
    instance = to_bytes(store->instance());
    ASSERT_TRUE(back_up(file(), backup()));
    for (int i = 0; i < 5000; ++i) highest = store->reserve_number()->value;
  }
  restored();
  {
    auto store = open();
    EXPECT_GT(store->reserve_number()->value, highest);
    EXPECT_FALSE(equal(store->instance(), instance));
  }
  // The same on a machine where nothing is left of the file that gave the numbers out.
  std::filesystem::remove(file());
  EXPECT_TRUE(restored().kept.empty());
  auto store = open();
  EXPECT_GT(store->reserve_number()->value, highest + 1'000'000'000);
  EXPECT_FALSE(equal(store->instance(), instance));
}

TEST_F(Maintenance, WhereRevocationsSinceTheBackupAreUnknownItsTokensAreRevoked) {
  ASSERT_TRUE(back_up(file(), backup()));
  std::filesystem::remove(file());
  const Restoration restoration = restored();
  EXPECT_FALSE(restoration.merged);
  EXPECT_EQ(restoration.revoked, 3);
  {
    auto store = open();
    EXPECT_EQ(live(*store), Live{});
    EXPECT_TRUE(store->token(TokenNumber(1))->refresh_digest.empty());
    EXPECT_EQ(store->revoked(at(1500), 10)->size(), 3u) << "and those who ask are told";
  }
  std::filesystem::remove(file());
  EXPECT_EQ(restored({.keep_tokens = true}).revoked, 0);
  EXPECT_EQ(live(*open()), (Live{1, 2, 3}));
}

TEST_F(Maintenance, AnUnreadableFileIsReplacedOnlyOnDemandAndKept) {
  ASSERT_TRUE(back_up(file(), backup()));
  damage(file());
  const Bytes damaged = contents_of(file());
  EXPECT_EQ(restore(backup(), file(), {}, random_).error(), reason::store_damaged);
  EXPECT_TRUE(equal(contents_of(file()), damaged));
  const Restoration restoration = restored({.replace_unreadable = true});
  EXPECT_FALSE(restoration.merged);
  EXPECT_EQ(restoration.revoked, 3);
  EXPECT_TRUE(equal(contents_of(restoration.kept), damaged));
  EXPECT_EQ(live(*open()), Live{});
}

TEST_F(Maintenance, ANewerFileIsReplacedOnlyOnDemand) {
  ASSERT_TRUE(back_up(file(), backup()));
  ASSERT_TRUE(open_beside(file()).execute("PRAGMA user_version = 3"));
  EXPECT_EQ(restore(backup(), file(), {}, random_).error(), reason::store_newer);
  EXPECT_FALSE(restored({.replace_unreadable = true}).kept.empty());
}

TEST_F(Maintenance, AFileInUseIsNotReplaced) {
  ASSERT_TRUE(back_up(file(), backup()));
  auto store = open();
  EXPECT_EQ(restore(backup(), file(), {}, random_).error(), reason::store_locked);
  EXPECT_TRUE(store->add_client_now(client_record("e"))) << "its user goes on";
}

TEST_F(Maintenance, ADamagedBackupReplacesNothing) {
  ASSERT_TRUE(back_up(file(), backup()));
  damage(backup());
  const Bytes before = contents_of(file());
  EXPECT_EQ(restore(backup(), file(), {}, random_).error(), reason::store_damaged);
  EXPECT_TRUE(equal(contents_of(file()), before));
  write_contents(backup(), as_bytes(std::string(5000, 'x')));
  EXPECT_EQ(restore(backup(), file(), {}, random_).error(), reason::store_foreign);
}

TEST_F(Maintenance, TokensOfWhoIsNotInTheBackupOrHasOtherKeysThereAreRevoked) {
  {
    auto store = open();
    ASSERT_TRUE(back_up(file(), backup()));
    const auto e = store->add_client_now(client_with_psk("e", 3));
    record(*store, 4, e->id);
    record(*store, 5, d_);
    ASSERT_EQ(store->set_client_now(client_with_psk("c", 9))->tokens, 3) << "1, 2, and 3";
    ASSERT_TRUE(store->registry());
    record(*store, 6, c_);
  }
  const Restoration restoration = restored();
  EXPECT_EQ(restoration.revoked, 2);
  EXPECT_EQ(restoration.revived, std::vector<std::string>{"c"});
  auto store = open();
  EXPECT_EQ(live(*store), Live{5});
  EXPECT_EQ(store->client("e").error(), reason::record_missing);
  EXPECT_GT(store->add_client_now(client_record("f"))->id, d_ + 1) << "the row of e stays hers";
}

TEST_F(Maintenance, WhoHasAnAudienceAgainGetsNoTokensOfItAndIsToldOfThem) {
  const auto of_group = [](const char* name) {
    auto server = server_record(name);
    server.group_audiences = {"both"};
    return server;
  };
  std::int64_t t = 0, u = 0, replacement = 0;
  {
    auto store = open();
    ASSERT_TRUE(store->set_server_now(of_group("s")));
    t = store->add_server_now(of_group("t"))->id;
    u = store->add_server_now(server_record("u"))->id;
    ASSERT_TRUE(back_up(file(), backup()));
    ASSERT_TRUE(store->set_server_now(server_record("t")));
    ASSERT_TRUE(store->remove_server_now("u"));
    replacement = store->add_server_now(server_record("u"))->id;
    ASSERT_TRUE(store->registry());
    for (const auto& [number, server, audience] :
         {std::tuple(4, s_, "both"), std::tuple(5, replacement, "aud-u"), std::tuple(6, s_, "aud-s")}) {
      auto token = token_record(number, c_, server);
      token.audience = audience;
      token.token_hash = Bytes(33, 1);
      ASSERT_TRUE(store->record_now(std::move(token)));
    }
  }
  EXPECT_EQ(restored().revoked, 2);
  auto store = open();
  EXPECT_EQ(live(*store), (Live{1, 2, 3, 6}));
  const auto told = store->revoked(at(1500), 10);
  ASSERT_TRUE(told && told->size() == 2);
  EXPECT_EQ((*told)[0].servers, (std::vector<std::int64_t>{s_, t}));
  EXPECT_EQ((*told)[1].servers, (std::vector<std::int64_t>{replacement, u}));
}

TEST_F(Maintenance, AnotherStoresTokensAreNotTakenOver) {
  ASSERT_TRUE(back_up(file(), backup()));
  std::filesystem::remove(file());
  {
    auto other = open();
    const auto c = other->add_client_now(client_record("c"));
    const auto s = other->add_server_now(server_record("s"));
    ASSERT_TRUE(other->record_now(token_record(9, c->id, s->id)));
  }
  const Restoration restoration = restored();
  EXPECT_FALSE(restoration.merged);
  EXPECT_EQ(restoration.tokens, 3);
  EXPECT_EQ(restoration.revoked, 3);
  EXPECT_FALSE(restoration.kept.empty());
}

TEST_F(Maintenance, RestoringTwiceStillLosesNothing) {
  ASSERT_TRUE(back_up(file(), backup()));
  restored();
  {
    auto store = open();
    record(*store, store->reserve_number()->value, c_);
    ASSERT_EQ(store->revoke_token_now(TokenNumber(3)), 1);
  }
  const Restoration again = restored();
  EXPECT_TRUE(again.merged) << "of one lineage, though another instance";
  EXPECT_EQ(again.tokens, 4);
  auto store = open();
  EXPECT_EQ(live(*store).size(), 3u);
  EXPECT_FALSE(live(*store).contains(3));
}

}  // namespace
}  // namespace aceward::store
