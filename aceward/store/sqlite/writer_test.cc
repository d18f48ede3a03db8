#include "aceward/store/sqlite/writer.h"

#include <semaphore>
#include <string>

#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

/// Runs one SQL statement; reports its name and outcome; may hold the writer up until it is let go.
class SqlChange final : public Change {
 public:
  using Report = std::function<void(const std::string&, Result<>)>;
  SqlChange(std::string name, std::string sql, Report report, std::binary_semaphore* begun = nullptr,
            std::binary_semaphore* go_on = nullptr)
      : name_(std::move(name)), sql_(std::move(sql)), report_(std::move(report)), begun_(begun), go_on_(go_on) {}
  Result<> apply(Database& database) override {
    if (begun_ != nullptr) begun_->release();
    if (go_on_ != nullptr) go_on_->acquire();
    return database.execute(sql_.c_str());
  }
  void finish(Result<> outcome) override { report_(name_, outcome); }

 private:
  std::string name_, sql_;
  Report report_;
  std::binary_semaphore* begun_;
  std::binary_semaphore* go_on_;
};

class WriterTest : public testing::Test {
 protected:
  WriterTest() {
    write_contents(file(), {});
    Database database = open_beside(file());
    EXPECT_TRUE(database.execute("PRAGMA journal_mode = WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, octets BLOB)"));
  }
  std::filesystem::path file() const { return directory_ / "plain.db"; }
  std::unique_ptr<Writer> make(std::size_t limit = 1000, const char* pragma = "PRAGMA synchronous = NORMAL") {
    Database database = open_beside(file());
    EXPECT_TRUE(database.execute(pragma));
    return std::make_unique<Writer>(std::move(database), limit);
  }
  void submit(Writer& writer, const std::string& name, const std::string& sql) {
    writer.submit(std::make_unique<SqlChange>(name, sql, report()));
  }
  /// Ends when the writer stands inside of a transaction of one change.
  void hold_up(Writer& writer) {
    writer.submit(std::make_unique<SqlChange>("gate", "SELECT 1", report(), &begun_, &go_on_));
    begun_.acquire();
  }
  void let_go() { go_on_.release(); }
  SqlChange::Report report() {
    return [this](const std::string& name, const Result<>& outcome) {
      const std::lock_guard lock(mutex_);
      told_.push_back(name + (outcome ? ":ok" : ":" + std::string(outcome.error().id())));
    };
  }
  std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  std::int64_t rows() { return open_beside(file()).integer("SELECT count(*) FROM t").value_or(-1); }

  TemporaryDirectory directory_;
  std::binary_semaphore begun_{0}, go_on_{0};
  std::mutex mutex_;
  std::vector<std::string> told_;
};

TEST_F(WriterTest, GroupsWhatWaitsIntoOneCommit) {
  auto writer = make();
  hold_up(*writer);
  for (int i = 1; i <= 100; ++i)
    submit(*writer, std::to_string(i), "INSERT INTO t(id) VALUES(" + std::to_string(i) + ")");
  let_go();
  writer->stop();
  EXPECT_EQ(writer->statistics().changes, 101u);
  EXPECT_EQ(writer->statistics().commits, 2u);
  EXPECT_EQ(rows(), 100);
}

TEST_F(WriterTest, AFailingChangeLeavesItsGroupAloneAndKeepsItsPlace) {
  auto writer = make();
  hold_up(*writer);
  submit(*writer, "a", "INSERT INTO t(id) VALUES(1)");
  submit(*writer, "b", "INSERT INTO t(id) VALUES(2); INSERT INTO t(id) VALUES(1)");
  submit(*writer, "c", "INSERT INTO t(id) VALUES(3)");
  let_go();
  writer->stop();
  EXPECT_EQ(told(), (std::vector<std::string>{"gate:ok", "a:ok", "b:record_exists", "c:ok"}));
  EXPECT_EQ(rows(), 2) << "the first half of b must be undone";
  EXPECT_EQ(writer->statistics().commits, 2u);
}

TEST_F(WriterTest, AGroupThatFailsAsAWholeCommitsNothing) {
  auto writer = make();
  submit(*writer, "a", "INSERT INTO absent VALUES(1)");
  writer->stop();
  EXPECT_EQ(told(), std::vector<std::string>{"a:store_damaged"});
  EXPECT_EQ(writer->statistics().commits, 0u);
}

TEST_F(WriterTest, AFullDiskFailsOnlyTheChangeThatDoesNotFit) {
  auto writer = make(1000, "PRAGMA max_page_count = 20");
  hold_up(*writer);
  submit(*writer, "a", "INSERT INTO t(id) VALUES(1)");
  submit(*writer, "big", "INSERT INTO t VALUES(2, zeroblob(400000))");
  submit(*writer, "c", "INSERT INTO t(id) VALUES(3)");
  let_go();
  writer->stop();
  EXPECT_EQ(told(), (std::vector<std::string>{"gate:ok", "a:ok", "big:store_full", "c:ok"}));
  EXPECT_EQ(rows(), 2);
}

TEST_F(WriterTest, RefusesAtOnceWhatTheQueueDoesNotHold) {
  auto writer = make(2);
  hold_up(*writer);
  for (const char* name : {"1", "2", "3"}) submit(*writer, name, "INSERT INTO t DEFAULT VALUES");
  EXPECT_EQ(told(), std::vector<std::string>{"3:store_unavailable"});
  let_go();
  writer->stop();
  EXPECT_EQ(told(), (std::vector<std::string>{"3:store_unavailable", "gate:ok", "1:ok", "2:ok"}));
}

TEST_F(WriterTest, WhatTheStoreNeedsGoesFirstAndFitsAlways) {
  auto writer = make(1);
  hold_up(*writer);
  submit(*writer, "1", "INSERT INTO t DEFAULT VALUES");
  writer->submit_first(std::make_unique<SqlChange>("first", "INSERT INTO t DEFAULT VALUES", report()));
  let_go();
  writer->stop();
  EXPECT_EQ(told(), (std::vector<std::string>{"gate:ok", "first:ok", "1:ok"}));
}

TEST_F(WriterTest, StoppingCommitsAllThatWaitsAndThenRefuses) {
  auto writer = make();
  hold_up(*writer);
  for (int i = 0; i < 900; ++i) submit(*writer, "w", "INSERT INTO t DEFAULT VALUES");
  let_go();
  writer->stop();
  EXPECT_EQ(rows(), 900);
  EXPECT_EQ(told().size(), 901u);
  submit(*writer, "late", "INSERT INTO t DEFAULT VALUES");
  writer->submit_first(std::make_unique<SqlChange>("later", "INSERT INTO t DEFAULT VALUES", report()));
  const auto all = told();
  EXPECT_EQ(all[all.size() - 2], "late:store_unavailable");
  EXPECT_EQ(all.back(), "later:store_unavailable");
}

TEST_F(WriterTest, AnotherProcessLockIsToldAndPasses) {
  auto writer = make();
  Database beside = open_beside(file());
  {
    auto held = Transaction::begin(beside, Transaction::Kind::write);
    ASSERT_TRUE(held);
    submit(*writer, "a", "INSERT INTO t DEFAULT VALUES");
    while (told().empty()) std::this_thread::yield();
  }
  submit(*writer, "b", "INSERT INTO t DEFAULT VALUES");
  writer->stop();
  EXPECT_EQ(told(), (std::vector<std::string>{"a:store_locked", "b:ok"}));
}

TEST(CompletionsTest, RunInOrderWithOneWakeUpForAll) {
  std::vector<std::move_only_function<void()>> posted;
  const auto completions =
      std::make_shared<Completions>([&](std::move_only_function<void()> f) { posted.push_back(std::move(f)); });
  std::string order;
  for (const char c : {'a', 'b', 'c'}) completions->push([&order, c] { order += c; });
  EXPECT_EQ(order, "");
  ASSERT_EQ(posted.size(), 1u);
  posted[0]();
  EXPECT_EQ(order, "abc");
}

TEST(CompletionsTest, OneThatComesMeanwhileWaitsForTheNextTurn) {
  std::vector<std::move_only_function<void()>> posted;
  const auto completions =
      std::make_shared<Completions>([&](std::move_only_function<void()> f) { posted.push_back(std::move(f)); });
  std::string order;
  completions->push([&] {
    order += 'a';
    completions->push([&] { order += 'b'; });
  });
  auto first = std::move(posted[0]);
  first();
  EXPECT_EQ(order, "a");
  ASSERT_EQ(posted.size(), 2u);
  posted[1]();
  EXPECT_EQ(order, "ab");
}

TEST(CompletionsTest, DrainingRunsAllAndALateTurnFindsNothing) {
  std::vector<std::move_only_function<void()>> posted;
  auto completions =
      std::make_shared<Completions>([&](std::move_only_function<void()> f) { posted.push_back(std::move(f)); });
  int runs = 0;
  completions->push([&] {
    ++runs;
    completions->push([&] { ++runs; });
  });
  completions->drain();
  EXPECT_EQ(runs, 2);
  for (auto& turn : posted) turn();
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace aceward::store
