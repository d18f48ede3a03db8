// Making, opening and refusing the file.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "aceward/store/sqlite/schema.h"
#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

class StoreFile : public StoreTest {
 protected:
  Error refusal(Options options) {
    auto store = Store::open(file(), std::move(options), random_);
    if (store) return Error(Reason{"was_opened", ErrorClass::internal, "", ""});
    return store.error();
  }
  /// Opens, expects this reason, and expects that not one octet of the file has changed.
  void expect_refused_untouched(const Reason& reason) {
    const Bytes before = contents_of(file());
    auto store = Store::open(file(), fast(), random_);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error(), reason) << store.error().id() << " " << store.error().detail();
    EXPECT_TRUE(equal(contents_of(file()), before));
  }
  /// A store with a few hundred records, closed.
  void fill() {
    auto store = open();
    for (int i = 0; i < 300; ++i) store->add_client(client_record("client-" + std::to_string(i)), [](auto) {});
  }
  std::vector<std::string> names_in_directory() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
};

TEST_F(StoreFile, IsMadeForItsOwnerAlone) {
  const mode_t usual = ::umask(0);
  auto store = open();
  ::umask(usual);
  for (const std::string suffix : {"", "-wal", "-shm"}) {
    struct stat status{};
    ASSERT_EQ(::stat((file().string() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 07777, 0600u) << suffix;
  }
  store.reset();
  EXPECT_EQ(names_in_directory(), std::vector<std::string>{"as.db"}) << "something was left behind";
}

TEST_F(StoreFile, KeepsItsInstanceIdForEver) {
  Bytes instance;
  {
    auto store = open();
    instance = to_bytes(store->instance());
  }
  EXPECT_EQ(instance.size(), 16u);
  EXPECT_TRUE(equal(open()->instance(), instance));
  std::filesystem::remove(file());
  EXPECT_FALSE(equal(open()->instance(), instance)) << "another file is another instance";
}

TEST_F(StoreFile, IsLeftAloneWhenAnotherProcessMadeItFirst) {
  Bytes instance;
  {
    auto store = open();
    instance = to_bytes(store->instance());
  }
  ASSERT_TRUE(create_file(file(), random_.bytes(16)));
  EXPECT_TRUE(equal(open()->instance(), instance));
  EXPECT_EQ(names_in_directory(), std::vector<std::string>{"as.db"});
}

TEST_F(StoreFile, RefusesWhatIsNotADatabase) {
  write_contents(file(), as_bytes(std::string(5000, 'x')));
  expect_refused_untouched(reason::store_foreign);
  write_contents(file(), as_bytes("SQLite format 3"));
  expect_refused_untouched(reason::store_foreign);
  write_contents(file(), {});
  expect_refused_untouched(reason::store_foreign);
}

TEST_F(StoreFile, RefusesADirectoryAndALinkToNothing) {
  ASSERT_TRUE(std::filesystem::create_directory(file()));
  EXPECT_EQ(refusal(fast()), reason::store_foreign);
  std::filesystem::remove(file());
  std::filesystem::create_symlink(directory_ / "nowhere", file());
  EXPECT_EQ(refusal(fast()), reason::store_unavailable);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "nowhere"));
}

TEST_F(StoreFile, RefusesAnotherProgramsDatabase) {
  write_contents(file(), {});
  ASSERT_TRUE(open_beside(file()).execute("PRAGMA application_id = 7; CREATE TABLE t(id INTEGER)"));
  expect_refused_untouched(reason::store_foreign);
  EXPECT_EQ(names_in_directory(), std::vector<std::string>{"as.db"});
}

TEST_F(StoreFile, RefusesANewerSchema) {
  open().reset();
  ASSERT_TRUE(open_beside(file()).execute("PRAGMA user_version = 3"));
  expect_refused_untouched(reason::store_newer);
}

TEST_F(StoreFile, RefusesANewerSchemaThatOnlyTheLogTellsOf) {
  open().reset();
  const std::string crashed = (directory_ / "crashed.db").string();
  {
    Database beside = open_beside(file());
    ASSERT_TRUE(beside.execute("PRAGMA user_version = 3"));
    for (const char* suffix : {"", "-wal"}) std::filesystem::copy_file(file().string() + suffix, crashed + suffix);
  }
  const Bytes before = contents_of(crashed);
  auto store = Store::open(crashed, fast(), random_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error(), reason::store_newer);
  EXPECT_TRUE(equal(contents_of(crashed), before)) << "the log was moved into the file";
}

TEST_F(StoreFile, RefusesOneThatOthersMayRead) {
  open().reset();
  std::filesystem::permissions(file(), std::filesystem::perms::group_read, std::filesystem::perm_options::add);
  expect_refused_untouched(reason::store_exposed);
}

TEST_F(StoreFile, RefusesOneWithDamagedPages) {
  fill();
  Bytes contents = contents_of(file());
  ASSERT_GT(contents.size(), 3u * 4096);
  std::fill(contents.begin() + 4096, contents.end(), std::uint8_t{0x5a});
  write_contents(file(), contents);
  expect_refused_untouched(reason::store_damaged);
}

TEST_F(StoreFile, RefusesOneThatIsCutShort) {
  fill();
  Bytes contents = contents_of(file());
  contents.resize(contents.size() - 2 * 4096);
  write_contents(file(), contents);
  expect_refused_untouched(reason::store_damaged);
}

TEST_F(StoreFile, RefusesOneWithABrokenHeaderBehindItsMark) {
  open().reset();
  Bytes contents = contents_of(file());
  contents[16] = 0x03;  // a page size that is no power of two
  write_contents(file(), contents);
  expect_refused_untouched(reason::store_damaged);
}

TEST_F(StoreFile, RefusesOneWithoutItsTablesOrItsOwnEntry) {
  open().reset();
  ASSERT_TRUE(open_beside(file()).execute("DELETE FROM meta"));
  expect_refused_untouched(reason::store_damaged);
  ASSERT_TRUE(open_beside(file()).execute("DROP TABLE token"));
  expect_refused_untouched(reason::store_damaged);
}

TEST_F(StoreFile, RefusesAPathThatCannotBe) {
  auto store = Store::open(directory_ / "absent/as.db", fast(), random_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error(), reason::store_unavailable);
}

TEST_F(StoreFile, CannotBeMadeInADirectoryThatMayNotBeWritten) {
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0555), 0);
  // The superuser may write anywhere: for once it is somebody else.
  const bool superuser = ::geteuid() == 0;
  ASSERT_TRUE(!superuser || ::seteuid(65534) == 0);
  const Error error = refusal(fast());
  ASSERT_TRUE(!superuser || ::seteuid(0) == 0);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0700), 0);
  EXPECT_EQ(error, reason::store_unavailable);
  EXPECT_TRUE(names_in_directory().empty());
}

TEST_F(StoreFile, RefusesBlocksOfNumbersOutOfRange) {
  for (const std::int64_t size : {1, 1'000'001}) {
    Options options = fast();
    options.number_block = size;
    EXPECT_EQ(refusal(std::move(options)), reason::record_invalid);
  }
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(StoreFile, ACopyOfFileAndLogTakenWhileItIsOpenIsAWholeStore) {
  auto store = open();
  ASSERT_TRUE(store->add_client_now(client_record("c")));
  for (const char* suffix : {"", "-wal"})
    std::filesystem::copy_file(file().string() + suffix, (directory_ / "copy.db").string() + suffix);
  auto copy = Store::open(directory_ / "copy.db", fast(), random_);
  ASSERT_TRUE(copy) << copy.error().id();
  EXPECT_TRUE((*copy)->client("c"));
}

TEST_F(StoreFile, ASecondStoreSeesChangesAndHasNumbersOfItsOwn) {
  auto first = open();
  auto second = open();
  ASSERT_TRUE(first->add_client_now(client_record("c")));
  EXPECT_TRUE(second->client("c"));
  ASSERT_TRUE(second->set_client_now([] {
    auto client = client_record("c");
    client.psk_identity = {1};
    client.psk = Secret(Bytes(16, 1));
    return client;
  }()));
  EXPECT_EQ((*first->client("c"))->psk.size(), 16u);
  EXPECT_NE(*first->reserve_number(), *second->reserve_number());
  first.reset();
  EXPECT_TRUE(second->add_client_now(client_record("d"))) << "closing the one must not hurt the other";
}

}  // namespace
}  // namespace aceward::store
