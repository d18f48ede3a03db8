#include "aceward/ace/rs/expired_sequences.h"

#include <gtest/gtest.h>

#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/rs/rs_test_support.h"
#include "aceward/ace/token/reasons.h"

namespace aceward::ace::rs {
namespace {

using namespace testing;
using std::chrono::seconds;

class ExiTermsTest : public ::testing::Test {
 protected:
  Result<WallTime> admit(std::uint64_t sequence, seconds lifetime, seconds at, const std::string& issuer = "a") {
    return terms_.admit(issuer, sequence, test_now + at + lifetime, test_now + at);
  }

  RememberedSequences memory_;
  ExiTerms terms_{&memory_, 4};
};

TEST_F(ExiTermsTest, ATokenLivesFromItsFirstArrivalHoweverOftenItComes) {
  EXPECT_EQ(admit(1, seconds(60), seconds(0)), test_now + seconds(60));
  EXPECT_EQ(admit(1, seconds(60), seconds(59)), test_now + seconds(60));
  EXPECT_EQ(admit(1, seconds(60), seconds(60)).error(), reason::token_sequence_expired);
}

TEST_F(ExiTermsTest, WhatIsNotAboveTheHighestExpiredIsExpiredToo) {
  EXPECT_TRUE(admit(5, seconds(60), seconds(0)));
  EXPECT_TRUE(admit(4, seconds(60), seconds(0)));  // later than 5, and yet alive
  EXPECT_EQ(admit(3, seconds(60), seconds(60)).error(), reason::token_sequence_expired);
  EXPECT_EQ(admit(5, seconds(60), seconds(60)).error(), reason::token_sequence_expired);
  EXPECT_TRUE(admit(6, seconds(60), seconds(60)));
}

TEST_F(ExiTermsTest, ANumberIsDurableBeforeItsTokenIsTaken) {
  EXPECT_TRUE(admit(5, seconds(60), seconds(0)));
  EXPECT_EQ(memory_.highest("a"), 5U);
  memory_.fails = true;
  EXPECT_EQ(admit(6, seconds(60), seconds(0)).error(), reason::token_store_full);
  EXPECT_TRUE(admit(4, seconds(60), seconds(0)));  // 5 covers it
  memory_.fails = false;
  EXPECT_TRUE(admit(6, seconds(60), seconds(0)));
}

TEST_F(ExiTermsTest, WhatWasTakenBeforeARestartHasExpired) {
  EXPECT_TRUE(admit(5, seconds(600), seconds(0)));
  ExiTerms restarted(&memory_);
  for (const std::uint64_t sequence : {1, 4, 5}) {
    EXPECT_EQ(restarted.admit("a", sequence, test_now + seconds(600), test_now).error(),
              reason::token_sequence_expired);
  }
  EXPECT_TRUE(restarted.admit("a", 6, test_now + seconds(600), test_now));
  EXPECT_TRUE(restarted.admit("b", 1, test_now + seconds(600), test_now));
}

TEST_F(ExiTermsTest, IssuersAreCountedApart) {
  EXPECT_TRUE(admit(100, seconds(1), seconds(0), "a"));
  EXPECT_TRUE(admit(1, seconds(60), seconds(10), "b"));
  EXPECT_EQ(admit(1, seconds(60), seconds(10), "a").error(), reason::token_sequence_expired);
}

TEST_F(ExiTermsTest, BeyondItsMemoryTheLowestCountsAsExpired) {
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) EXPECT_TRUE(admit(sequence, seconds(60), seconds(0)));
  EXPECT_EQ(admit(1, seconds(60), seconds(1)).error(), reason::token_sequence_expired);
  EXPECT_EQ(admit(2, seconds(60), seconds(1)), test_now + seconds(60));
}

TEST_F(ExiTermsTest, WithoutMemoryNoneIsTaken) {
  ExiTerms without(nullptr);
  EXPECT_EQ(without.admit("a", 1, test_now + seconds(60), test_now).error(), reason::token_exi_unsupported);
}

}  // namespace
}  // namespace aceward::ace::rs
