// How large the file is that tokens come to and go from.
#include <chrono>

#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

using ace::as::IssuedToken;
using ace::as::TokenNumber;

class StoreRetention : public StoreTest {
 protected:
  StoreRetention() {
    Options options = fast();
    options.token_retention = std::chrono::seconds(0);
    options.post = nullptr;
    store_ = open(std::move(options));
    c_ = store_->add_client_now(client_record("c"))->id;
    s_ = store_->add_server_now(server_record("s"))->id;
    EXPECT_TRUE(store_->registry());
  }
  /// Issues one a second that lives for 100 seconds, removes the expired as a server does, and gives the pages used.
  std::int64_t pages_after(std::int64_t tokens) {
    for (std::int64_t i = 1; i <= tokens; ++i) {
      IssuedToken token = token_record(++number_, c_, s_);
      token.key_id = random_.bytes(8);
      token.issued_at = at(number_);
      token.expires_at = at(number_ + 100);
      store_->record(std::move(token), [](Result<> recorded) { EXPECT_TRUE(recorded); });
      if (i % 100 == 0) {
        EXPECT_TRUE(store_->remove_expired_now(at(number_), 1000));
      }
    }
    return pages();
  }
  std::int64_t pages() { return open_beside(file()).integer("PRAGMA page_count").value_or(-1); }

  std::unique_ptr<Store> store_;
  std::int64_t c_ = 0, s_ = 0, number_ = 0;
};

TEST_F(StoreRetention, ManyShortTokensLeaveTheFileNoLargerThanTheLiveOnesNeed) {
  const std::int64_t few = pages_after(1000);
  EXPECT_LE(pages_after(10'000), few + 16);
  EXPECT_LE(store_->tokens({.limit = 1000})->size(), 200u);
}

/// ./store_test --gtest_also_run_disabled_tests --gtest_filter='*AMillion*'
TEST_F(StoreRetention, DISABLED_AMillionShortTokensLeaveTheFileNoLargerThanTheLiveOnesNeed) {
  const std::int64_t few = pages_after(1000);
  const std::int64_t many = pages_after(1'000'000);
  EXPECT_LE(many, few + 16) << few;
}

TEST_F(StoreRetention, APeakOfTokensIsGivenBackToTheFileSystem) {
  for (int i = 1; i <= 8000; ++i) {
    IssuedToken token = token_record(++number_, c_, s_);
    token.scope.resize(400);
    store_->record(std::move(token), [](Result<>) {});
    // The queue takes 4096.
    if (i % 2000 == 0) {
      ASSERT_TRUE(store_->remove_expired_now(at(0), 1));
    }
  }
  ASSERT_GT(pages(), 700);
  int steps = 0;
  while (store_->remove_expired_now(at(100'000), 500) == 500) ++steps;
  EXPECT_GE(steps, 15) << "in small steps";
  for (int i = 0; i < 3; ++i) ASSERT_EQ(store_->remove_expired_now(at(100'000), 500), 0);
  EXPECT_LT(pages(), 350) << "what is kept free for new tokens is a megabyte";
}

}  // namespace
}  // namespace aceward::store
