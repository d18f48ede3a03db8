#include "aceward/store/sqlite/database.h"

#include <fcntl.h>
#include <unistd.h>

#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() : database_(make()) {}
  Database make() {
    write_contents(directory_ / "plain.db", {});
    Database database = open_beside(directory_ / "plain.db");
    EXPECT_TRUE(database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, octets BLOB) STRICT"));
    return database;
  }
  std::int64_t rows() { return database_.integer("SELECT count(*) FROM t").value_or(-1); }

  TemporaryDirectory directory_;
  Database database_;
};

TEST_F(DatabaseTest, KeepsTextAndOctetsWithZerosInside) {
  const std::string name("a\0b", 3);
  const Bytes octets{0x00, 0xff, 0x00};
  {
    auto insert = database_.prepare("INSERT INTO t(name, octets) VALUES(?, ?)");
    ASSERT_TRUE(insert && insert->text(name).blob(octets).run());
  }
  auto select = database_.prepare("SELECT name, octets FROM t");
  ASSERT_TRUE(select && *select->step());
  EXPECT_EQ(select->text_at(0), name);
  EXPECT_TRUE(equal(select->blob_at(1), octets));
  EXPECT_FALSE(*select->step());
}

TEST_F(DatabaseTest, TellsEmptyFromAbsent) {
  {
    auto insert = database_.prepare("INSERT INTO t(name, octets) VALUES(?, ?)");
    ASSERT_TRUE(insert->text(std::string_view()).blob(BytesView()).run());
  }
  {
    auto insert = database_.prepare("INSERT INTO t(name, octets) VALUES(?, ?)");
    ASSERT_TRUE(insert->text_or_null(std::string_view()).blob_or_null(BytesView()).run());
  }
  EXPECT_EQ(database_.integer("SELECT count(*) FROM t WHERE name IS NULL AND octets IS NULL"), 1);
  EXPECT_EQ(database_.integer("SELECT count(*) FROM t WHERE name = '' AND octets = x''"), 1);
}

TEST_F(DatabaseTest, OneStatementCanBeLentTwiceAtATime) {
  ASSERT_TRUE(database_.execute("INSERT INTO t VALUES(1, 'a', NULL), (2, 'b', NULL)"));
  constexpr std::string_view sql = "SELECT name FROM t ORDER BY id";
  for (int round = 0; round < 2; ++round) {
    auto outer = database_.prepare(sql);
    ASSERT_TRUE(*outer->step());
    auto inner = database_.prepare(sql);
    ASSERT_TRUE(*inner->step());
    EXPECT_EQ(inner->text_at(0), "a");
    ASSERT_TRUE(*outer->step());
    EXPECT_EQ(outer->text_at(0), "b");
  }
}

TEST_F(DatabaseTest, AStatementComesBackWithoutItsValues) {
  const Bytes octets{1};
  for (const bool with_value : {true, false}) {
    auto insert = database_.prepare("INSERT INTO t(octets) VALUES(?)");
    if (with_value) insert->blob(octets);
    ASSERT_TRUE(insert->run());
  }
  EXPECT_EQ(database_.integer("SELECT count(*) FROM t WHERE octets IS NULL"), 1);
}

TEST_F(DatabaseTest, NamesWhatWentWrong) {
  ASSERT_TRUE(database_.execute("INSERT INTO t VALUES(1, 'a', NULL)"));
  EXPECT_EQ(database_.execute("INSERT INTO t VALUES(1, 'b', NULL)").error(), reason::record_exists);
  EXPECT_EQ(database_.execute("INSERT INTO t VALUES(2, 'a', NULL)").error(), reason::record_exists);
  EXPECT_EQ(database_.execute("INSERT INTO t VALUES(3, x'00', NULL)").error(), reason::record_invalid);
  EXPECT_EQ(database_.prepare("SELECT nothing FROM t").error(), reason::store_damaged);
  EXPECT_EQ(database_.integer("SELECT id FROM t WHERE id = 9").error(), reason::store_damaged);
  EXPECT_EQ(Database::open(directory_ / "absent.db", Database::Mode::write, {}).error(), reason::store_unavailable);
  Database reading = std::move(*Database::open(directory_ / "plain.db", Database::Mode::read, {}));
  EXPECT_EQ(reading.execute("DELETE FROM t").error(), reason::store_unavailable);
}

TEST_F(DatabaseTest, ATransactionThatIsNotCommittedHasNotHappened) {
  {
    auto transaction = Transaction::begin(database_, Transaction::Kind::write);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database_.execute("INSERT INTO t VALUES(1, 'a', NULL)"));
    EXPECT_EQ(rows(), 1);
  }
  EXPECT_EQ(rows(), 0);
  auto transaction = Transaction::begin(database_, Transaction::Kind::write);
  ASSERT_TRUE(database_.execute("INSERT INTO t VALUES(1, 'a', NULL)"));
  ASSERT_TRUE(transaction->commit());
  EXPECT_FALSE(database_.in_transaction());
  EXPECT_EQ(rows(), 1);
}

TEST_F(DatabaseTest, ASecondWriterIsToldThatTheFileIsLocked) {
  Database beside = open_beside(directory_ / "plain.db");
  auto first = Transaction::begin(database_, Transaction::Kind::write);
  ASSERT_TRUE(first);
  const auto second = Transaction::begin(beside, Transaction::Kind::write);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), reason::store_locked);
}

TEST_F(DatabaseTest, ReadingAHeaderKeepsTheLocksOfTheProcess) {
  auto writing = Transaction::begin(database_, Transaction::Kind::write);
  ASSERT_TRUE(writing);
  ASSERT_TRUE(database_.execute("INSERT INTO t VALUES(1, 'a', NULL)"));
  const auto header = read_file_header(directory_ / "plain.db");
  ASSERT_TRUE(header);
  EXPECT_EQ(as_text(*header).substr(0, 15), "SQLite format 3");
  // A lock of an open file description conflicts with those of every process, this one too.
  const int descriptor = ::open((directory_ / "plain.db").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(descriptor, 0);
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0x40000001;  // SQLite's RESERVED lock
  lock.l_len = 1;
  ASSERT_EQ(::fcntl(descriptor, F_OFD_GETLK, &lock), 0);
  EXPECT_EQ(lock.l_type, F_WRLCK) << "the lock is gone";
  ::close(descriptor);
}

}  // namespace
}  // namespace aceward::store
