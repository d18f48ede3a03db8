// Issued tokens and their numbers.
#include <set>

#include "aceward/store/sqlite/number_blocks.h"
#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

using ace::as::TokenNumber;

class StoreTokens : public StoreTest {
 protected:
  StoreTokens() { reopen(fast()); }
  void reopen(Options options) {
    store_.reset();
    store_ = open(std::move(options));
    if (store_->client("c")) return;
    c_ = store_->add_client_now(client_record("c"))->id;
    d_ = store_->add_client_now(client_record("d"))->id;
    s_ = store_->add_server_now(server_record("s"))->id;
    t_ = store_->add_server_now(server_record("t"))->id;
  }
  std::vector<std::int64_t> listed(const TokenFilter& filter) {
    std::vector<std::int64_t> numbers;
    const auto tokens = store_->tokens(filter);
    if (!tokens) return {-1};
    for (const auto& token : *tokens) numbers.push_back(token.number.value);
    return numbers;
  }
  std::int64_t found(BytesView key_id, WallTime now) {
    const auto token = store_->find_by_key_id(c_, s_, key_id, now);
    return token && *token ? (*token)->number.value : 0;
  }

  std::unique_ptr<Store> store_;
  std::int64_t c_ = 0, d_ = 0, s_ = 0, t_ = 0;
};

using Numbers = std::vector<std::int64_t>;

TEST_F(StoreTokens, NumbersRiseByOneAcrossBlocks) {
  Options options = fast();
  options.number_block = 4;
  reopen(std::move(options));
  std::int64_t last = store_->reserve_number()->value;
  for (int i = 0; i < 100; ++i) {
    const auto number = store_->reserve_number();
    ASSERT_TRUE(number);
    EXPECT_EQ(number->value, last + 1);
    last = number->value;
  }
}

TEST_F(StoreTokens, NumbersNeverComeBackAfterReopening) {
  std::set<std::int64_t> given;
  for (int round = 0; round < 5; ++round) {
    Options options = fast();
    options.number_block = 10;
    reopen(std::move(options));
    for (int i = 0; i < 7 * round; ++i) EXPECT_TRUE(given.insert(store_->reserve_number()->value).second);
  }
  EXPECT_EQ(given.size(), 70u);
}

TEST_F(StoreTokens, NumbersNeverComeBackAfterACrash) {
  Options options = fast();
  options.number_block = 10;
  reopen(std::move(options));
  for (int crash = 0; crash < 5; ++crash) {
    std::int64_t highest = 0;
    for (int i = 0; i < 6 * crash + 1; ++i) highest = store_->reserve_number()->value;
    // What a power cut at this moment would leave.
    const auto copy = directory_ / ("crash-" + std::to_string(crash)).c_str();
    for (const char* suffix : {"", "-wal"})
      std::filesystem::copy_file(file().string() + suffix, copy.string() + suffix);
    auto after = Store::open(copy, fast(), random_);
    ASSERT_TRUE(after) << after.error().id();
    EXPECT_GT((*after)->reserve_number()->value, highest);
  }
}

TEST_F(StoreTokens, AnExhaustedNumberIsDamageAndNotANegativeOne) {
  store_.reset();
  ASSERT_TRUE(open_beside(file()).execute("UPDATE meta SET next_token = 9223372036854775000"));
  store_ = open();
  EXPECT_EQ(store_->reserve_number().error(), reason::store_damaged);
}

TEST(NumberBlocksTest, AsksForTheNextBlockWhenHalfIsLeftAndOnlyOnce) {
  NumberBlocks numbers(4);
  EXPECT_TRUE(numbers.claim_reservation());
  EXPECT_FALSE(numbers.claim_reservation()) << "one is under way";
  numbers.add(1);
  EXPECT_FALSE(numbers.claim_reservation());
  EXPECT_EQ(numbers.take()->value, 1);
  EXPECT_FALSE(numbers.claim_reservation());
  EXPECT_EQ(numbers.take()->value, 2);
  EXPECT_TRUE(numbers.claim_reservation());
  EXPECT_EQ(numbers.take()->value, 3);
  numbers.add(9);
  EXPECT_EQ(numbers.take()->value, 4);
  EXPECT_EQ(numbers.take()->value, 9);
}

TEST(NumberBlocksTest, TellsWhyThereIsNoneAndAsksAgain) {
  NumberBlocks numbers(4);
  EXPECT_EQ(numbers.take().error(), reason::store_unavailable);
  EXPECT_TRUE(numbers.claim_reservation());
  numbers.give_up(Error(reason::store_full));
  EXPECT_EQ(numbers.take().error(), reason::store_full);
  EXPECT_TRUE(numbers.claim_reservation());
  numbers.add(5);
  EXPECT_EQ(numbers.take()->value, 5);
}

TEST_F(StoreTokens, GivesBackEveryMember) {
  ASSERT_TRUE(store_->record_now(token_record(5, c_, s_)));
  const auto token = store_->token(TokenNumber(5));
  ASSERT_TRUE(token);
  const auto given = token_record(5, c_, s_);
  EXPECT_EQ(token->number, given.number);
  EXPECT_EQ(token->client_id, c_);
  EXPECT_EQ(token->server_id, s_);
  EXPECT_EQ(token->client, "c");
  EXPECT_EQ(token->server, "s");
  EXPECT_EQ(token->scope, given.scope);
  EXPECT_EQ(token->key_id, given.key_id);
  EXPECT_EQ(token->key_thumbprint, given.key_thumbprint);
  EXPECT_TRUE(token->pop_key.equals(given.pop_key));
  EXPECT_EQ(token->issued_at, at(1000));
  EXPECT_EQ(token->expires_at, at(2000));
  EXPECT_FALSE(token->revoked);
  EXPECT_EQ(store_->token(TokenNumber(6)).error(), reason::record_missing);
}

TEST_F(StoreTokens, FindsTheLatestLiveTokenOfAKey) {
  for (const std::int64_t number : {3, 5, 7}) ASSERT_TRUE(store_->record_now(token_record(number, c_, s_)));
  ASSERT_TRUE(store_->record_now(token_record(8, d_, s_)));
  ASSERT_TRUE(store_->record_now(token_record(9, c_, t_)));
  auto other_key = token_record(10, c_, s_);
  other_key.key_id = {0x01, 0x00};
  ASSERT_TRUE(store_->record_now(std::move(other_key)));
  auto short_lived = token_record(11, c_, s_);
  short_lived.expires_at = at(1500);
  ASSERT_TRUE(store_->record_now(std::move(short_lived)));

  EXPECT_EQ(found(Bytes{0x01}, at(1499)), 11);
  EXPECT_EQ(found(Bytes{0x01}, at(1500)), 7) << "at its `exp` a token is no longer valid";
  EXPECT_EQ(found(Bytes{0x01}, at(2000)), 0);
  EXPECT_EQ(found(Bytes{0x01, 0x00}, at(1000)), 10);
  EXPECT_EQ(found(Bytes{0x02}, at(1000)), 0);
  EXPECT_EQ(store_->revoke_token_now(TokenNumber(7)), 1);
  EXPECT_EQ(found(Bytes{0x01}, at(1500)), 5);
}

TEST_F(StoreTokens, ATokenWithoutAKeyIdIsNotFoundByAnEmptyOne) {
  auto token = token_record(1, c_, s_);
  token.key_id.clear();
  ASSERT_TRUE(store_->record_now(std::move(token)));
  EXPECT_EQ(found({}, at(1000)), 0);
}

TEST_F(StoreTokens, ANumberIsRecordedOnce) {
  ASSERT_TRUE(store_->record_now(token_record(1, c_, s_)));
  EXPECT_EQ(store_->record_now(token_record(1, d_, t_)).error(), reason::record_exists);
  EXPECT_EQ(store_->token(TokenNumber(1))->client_id, c_);
}

TEST_F(StoreTokens, ATokenCannotSlipPastTheRemovalOfItsClient) {
  // The endpoint decided on an older snapshot; the removal was handed in first.
  std::vector<std::string> order;
  store_->remove_client("c", [&](Result<Removal> removal) { order.push_back(removal ? "removed" : "failed"); });
  store_->record(token_record(1, c_, s_),
                 [&](Result<> recorded) { order.emplace_back(recorded ? "recorded" : recorded.error().id()); });
  loop_.run_until([&] { return order.size() == 2; });
  EXPECT_EQ(order, (std::vector<std::string>{"removed", "record_missing"}));
  EXPECT_EQ(listed({}), Numbers{});
}

TEST_F(StoreTokens, RefusesATokenThatNoEndpointWouldMake) {
  const auto expect_invalid = [&](std::string_view member, auto spoil) {
    auto token = token_record(1, c_, s_);
    spoil(token);
    const auto recorded = store_->record_now(std::move(token));
    ASSERT_FALSE(recorded) << member;
    EXPECT_EQ(recorded.error(), reason::record_invalid);
    EXPECT_EQ(recorded.error().detail(), member);
  };
  expect_invalid("number", [](auto& token) { token.number = TokenNumber(0); });
  expect_invalid("scope", [](auto& token) { token.scope.clear(); });
  expect_invalid("scope", [](auto& token) { token.scope.resize(4097); });
  expect_invalid("key_id", [](auto& token) { token.key_id.resize(256); });
  expect_invalid("key_thumbprint", [](auto& token) { token.key_thumbprint.resize(31); });
  expect_invalid("pop_key", [](auto& token) { token.pop_key = Secret(Bytes(4097)); });
  expect_invalid("expires_at", [](auto& token) { token.expires_at = at(999); });
}

TEST_F(StoreTokens, ListsByClientServerAndLife) {
  ASSERT_TRUE(store_->record_now(token_record(1, c_, s_)));
  ASSERT_TRUE(store_->record_now(token_record(2, d_, s_)));
  ASSERT_TRUE(store_->record_now(token_record(3, c_, t_)));
  ASSERT_TRUE(store_->record_now(token_record(4, c_, s_)));
  ASSERT_TRUE(store_->revoke_token_now(TokenNumber(4)));
  EXPECT_EQ(listed({}), (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(listed({.client = "c"}), (Numbers{1, 3, 4}));
  EXPECT_EQ(listed({.server = "s"}), (Numbers{1, 2, 4}));
  EXPECT_EQ(listed({.client = "c", .server = "s"}), (Numbers{1, 4}));
  EXPECT_EQ(listed({.client = "c", .live_at = at(1999)}), (Numbers{1, 3}));
  EXPECT_EQ(listed({.live_at = at(2000)}), Numbers{});
  EXPECT_EQ(listed({.client = "nobody"}), Numbers{-1});
  EXPECT_TRUE(store_->tokens({})->front().pop_key.empty()) << "a list shows no keys";
}

TEST_F(StoreTokens, ListsInSteps) {
  for (std::int64_t number = 1; number <= 5; ++number) ASSERT_TRUE(store_->record_now(token_record(number, c_, s_)));
  EXPECT_EQ(listed({.limit = 2}), (Numbers{1, 2}));
  EXPECT_EQ(listed({.after = TokenNumber(2), .limit = 2}), (Numbers{3, 4}));
  EXPECT_EQ(listed({.client = "c", .after = TokenNumber(4), .limit = 2}), (Numbers{5}));
  EXPECT_EQ(store_->tokens({.limit = 0}).error(), reason::record_invalid);
  EXPECT_EQ(store_->tokens({.limit = 1001}).error(), reason::record_invalid);
}

TEST_F(StoreTokens, RevokesOneOrAllOfAClientOrServer) {
  for (std::int64_t number = 1; number <= 3; ++number) ASSERT_TRUE(store_->record_now(token_record(number, c_, s_)));
  ASSERT_TRUE(store_->record_now(token_record(4, d_, s_)));
  ASSERT_TRUE(store_->record_now(token_record(5, d_, t_)));
  EXPECT_EQ(store_->revoke_token_now(TokenNumber(1)), 1);
  EXPECT_EQ(store_->revoke_token_now(TokenNumber(1)), 0) << "it was revoked before";
  EXPECT_EQ(store_->revoke_client_now("c"), 2);
  EXPECT_EQ(store_->revoke_server_now("s"), 1);
  EXPECT_EQ(listed({.live_at = at(1000)}), Numbers{5});
  EXPECT_EQ(store_->revoke_token_now(TokenNumber(77)).error(), reason::record_missing);
  EXPECT_EQ(store_->revoke_client_now("nobody").error(), reason::record_missing);
  EXPECT_EQ(store_->revoke_server_now("nobody").error(), reason::record_missing);
}

TEST_F(StoreTokens, RemovesTheExpiredInStepsOnceTheirRetentionIsOver) {
  Options options = fast();
  options.token_retention = std::chrono::seconds(100);
  reopen(std::move(options));
  for (std::int64_t number = 1; number <= 5; ++number) {
    auto token = token_record(number, c_, s_);
    token.expires_at = at(2000 + number);
    ASSERT_TRUE(store_->record_now(std::move(token)));
  }
  EXPECT_EQ(store_->remove_expired_now(at(2101), 10), 0);
  EXPECT_EQ(store_->remove_expired_now(at(2102), 10), 1);
  EXPECT_EQ(store_->remove_expired_now(at(9000), 3), 3);
  EXPECT_EQ(listed({}), Numbers{5});
  EXPECT_EQ(store_->remove_expired_now(at(9000), 3), 1);
  EXPECT_EQ(store_->remove_expired_now(at(9000), 0).error(), reason::record_invalid);
  EXPECT_EQ(store_->remove_expired_now(at(9000), 10'001).error(), reason::record_invalid);
}

TEST_F(StoreTokens, AFullStoreRefusesAndRecovers) {
  Options options = fast();
  options.max_pages = 60;
  options.token_retention = std::chrono::seconds(0);
  reopen(std::move(options));
  std::int64_t number = 0;
  Result<> recorded;
  while (recorded && number < 1000) {
    auto token = token_record(++number, c_, s_);
    token.scope.resize(4000);
    recorded = store_->record_now(std::move(token));
  }
  ASSERT_FALSE(recorded);
  EXPECT_EQ(recorded.error(), reason::store_full);
  EXPECT_GT(number, 20);
  EXPECT_EQ(store_->token(TokenNumber(number)).error(), reason::record_missing);
  EXPECT_TRUE(store_->token(TokenNumber(number - 1))) << "what was told stays";
  EXPECT_EQ(store_->remove_expired_now(at(5000), 1000), number - 1);
  auto token = token_record(number, c_, s_);
  token.scope.resize(4000);
  EXPECT_TRUE(store_->record_now(std::move(token)));
}

}  // namespace
}  // namespace aceward::store
