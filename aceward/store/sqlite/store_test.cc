// How changes and their completions pass between the loop, the writer and other processes.
#include "aceward/store/sqlite/store.h"

#include <atomic>
#include <thread>

#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

class StoreCompletions : public StoreTest {};

TEST_F(StoreCompletions, AreToldOnlyWhenAnotherConnectionSeesTheCommit) {
  std::atomic<std::int64_t> seen_when_posted = -1;
  Options options = fast();
  options.durability = Durability::full;
  options.post = [&, post = loop_.poster()](std::move_only_function<void()> function) {
    seen_when_posted = open_beside(file()).integer("SELECT count(*) FROM client").value_or(-2);
    post(std::move(function));
  };
  auto store = open(std::move(options));
  bool told = false;
  store->add_client(client_record("c"), [&](Result<Added> added) { told = added.has_value(); });
  loop_.run_until([&] { return told; });
  EXPECT_EQ(seen_when_posted, 1);
  EXPECT_TRUE(store->client("c"));
}

TEST_F(StoreCompletions, ComeInTheOrderOfTheChanges) {
  auto store = open();
  std::vector<int> order;
  for (int i = 0; i < 500; ++i) {
    // Every third fails: it must not overtake.
    const std::string name = i % 3 == 0 ? "taken" : "client-" + std::to_string(i);
    store->add_client(client_record(name), [&order, i](Result<Added> added) {
      order.push_back(i);
      EXPECT_EQ(added.has_value(), i == 0 || i % 3 != 0);
    });
  }
  EXPECT_TRUE(order.empty()) << "none runs inside the call";
  loop_.run_until([&] { return order.size() == 500; });
  for (int i = 0; i < 500; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST_F(StoreCompletions, RunOnTheLoopsThread) {
  auto store = open();
  std::thread::id ran_on;
  bool told = false;
  store->add_client(client_record("c"), [&](Result<Added>) {
    ran_on = std::this_thread::get_id();
    told = true;
  });
  loop_.run_until([&] { return told; });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST_F(StoreCompletions, AllHaveRunWhenTheStoreIsGone) {
  int told = 0;
  {
    auto store = open();
    for (int i = 0; i < 300; ++i)
      store->add_client(client_record("client-" + std::to_string(i)), [&](Result<Added> added) {
        told += added ? 1 : 0;
        // One that hands in more while the store closes is told so, too.
        if (told == 300) store->add_client(client_record("late"), [&](Result<Added> late) { told += late ? 1 : 1000; });
      });
  }
  EXPECT_EQ(told, 1300);
  EXPECT_EQ((*open()->registry())->clients().size(), 300u);
}

TEST_F(StoreCompletions, MayDestroyTheStore) {
  auto store = open();
  int told = 0;
  for (int i = 0; i < 3; ++i)
    store->add_client(client_record(std::to_string(i)), [&](Result<Added>) {
      ++told;
      store.reset();
    });
  loop_.run_until([&] { return told > 0; });
  EXPECT_EQ(told, 3);
  EXPECT_EQ(store, nullptr);
}

TEST_F(StoreCompletions, WithoutALoopRunOnTheWritersThread) {
  Options options = fast();
  options.post = nullptr;
  std::atomic<bool> elsewhere = false;
  {
    auto store = open(std::move(options));
    store->add_client(client_record("c"), [&, here = std::this_thread::get_id()](Result<Added>) {
      elsewhere = std::this_thread::get_id() != here;
    });
  }
  EXPECT_TRUE(elsewhere);
}

TEST_F(StoreCompletions, AFullQueueRefusesAtOnceAndTakesMoreLater) {
  Options options = fast();
  options.queue_limit = 2;
  options.busy_timeout = std::chrono::minutes(10);
  auto store = open(std::move(options));
  ASSERT_TRUE(store->reserve_number());  // the first block is there: nothing else is being written
  int refused = 0, done = 0;
  {
    // While another process writes, the writer holds at most one group of two, and two more wait.
    Database beside = open_beside(file());
    auto held = Transaction::begin(beside, Transaction::Kind::write);
    ASSERT_TRUE(held);
    for (int i = 0; i < 10; ++i)
      store->add_client(client_record(std::to_string(i)), [&](Result<Added> added) {
        if (added) {
          ++done;
        } else {
          EXPECT_EQ(added.error(), reason::store_unavailable);
          ++refused;
        }
      });
    EXPECT_EQ(refused, 0) << "not inside the call";
    loop_.run_until([&] { return refused >= 6; });
    EXPECT_EQ(done, 0);
  }
  loop_.run_until([&] { return refused + done == 10; });
  EXPECT_GE(done, 2);
  EXPECT_TRUE(store->add_client_now(client_record("later")));
}

TEST_F(StoreCompletions, AnotherProcessThatHoldsTheLockIsTold) {
  Options options = fast();
  options.busy_timeout = std::chrono::milliseconds(0);
  auto store = open(std::move(options));
  ASSERT_TRUE(store->reserve_number());
  {
    Database beside = open_beside(file());
    auto held = Transaction::begin(beside, Transaction::Kind::write);
    ASSERT_TRUE(held);
    EXPECT_EQ(store->add_client_now(client_record("c")).error(), reason::store_locked);
    EXPECT_TRUE(store->registry()) << "readers wait for nobody";
  }
  EXPECT_TRUE(store->add_client_now(client_record("c")));
}

TEST_F(StoreCompletions, CommitsOfManyTokensAreShared) {
  auto store = open();
  const auto c = store->add_client_now(client_record("c"));
  const auto s = store->add_server_now(server_record("s"));
  const auto before = store->statistics();
  int told = 0;
  {
    Database beside = open_beside(file());
    auto held = Transaction::begin(beside, Transaction::Kind::write);
    ASSERT_TRUE(held);
    for (int i = 0; i < 500; ++i)
      store->record(token_record(store->reserve_number()->value, c->id, s->id),
                    [&](Result<> recorded) { told += recorded ? 1 : 0; });
  }
  loop_.run_until([&] { return told == 500; });
  // The writer began with some of them before the rest had come; 500 make it reserve one block of numbers.
  EXPECT_LE(store->statistics().commits - before.commits, 4u);
  EXPECT_EQ(store->tokens({.limit = 1000})->size(), 500u);
}

}  // namespace
}  // namespace aceward::store
