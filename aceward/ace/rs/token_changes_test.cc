// What ends or changes entries besides tokens and time.
#include <gtest/gtest.h>

#include "aceward/ace/rs/rs_test_support.h"
#include "aceward/ace/token/reasons.h"

namespace aceward::ace::rs {
namespace {

using namespace testing;
using std::chrono::seconds;

class TokenChangesTest : public ::testing::Test {
 protected:
  TokenChangesTest() : verifier_(must(TokenVerifier::create(ace::testing::verifier_config(issuer_)))) {}

  VerifiedToken token(const cose::Key& key, seconds iat = seconds(0), const std::string& scope = "read") {
    auto claims = issuer_.claims_for(key);
    claims.iat = test_now + iat;
    claims.scope = scope;
    return must(verifier_.verify(issuer_.encrypt(claims), test_now));
  }
  static ConfiguredKey configured(std::string name, const cose::Key& key, Bytes identity = {},
                                  const std::string& scope = "read") {
    return {.name = std::move(name), .key = key.clone(), .psk_identity = std::move(identity), .scope = scope};
  }
  Result<> configure(ConfiguredKey one, std::optional<ConfiguredKey> other = std::nullopt) {
    std::vector<ConfiguredKey> keys;
    keys.push_back(std::move(one));
    if (other) keys.push_back(std::move(*other));
    return store_.set_configured(std::move(keys), verifier_.scopes(), test_now);
  }
  static Bytes octets(const TokenHash& hash) { return {hash.begin(), hash.end()}; }

  TestIssuer issuer_;
  TokenVerifier verifier_;
  TokenStore store_{TokenStoreLimits{.tokens = 2, .revoked = 3}};
};

TEST_F(TokenChangesTest, ARevokedTokenIsGoneAndRefusedUntilItWouldHaveExpired) {
  auto held = token(p256_public_key(1));
  const TokenHash hash = held.hash();
  const EntryId id = must(store_.store(std::move(held), test_now)).entry;
  EXPECT_EQ(store_.holding(hash, test_now), id);
  EXPECT_TRUE(store_.end_token(octets(hash), test_now));
  EXPECT_EQ(store_.find(id, test_now), nullptr);
  EXPECT_EQ(store_.expire(test_now), std::vector{id});
  EXPECT_EQ(store_.revoked_count(), 1U);
  auto again = issuer_.claims_for(p256_public_key(1));
  const Bytes octets_again = issuer_.sign(again);
  EXPECT_FALSE(store_.end_token(token_hash(octets_again), test_now));
  EXPECT_EQ(store_.store(must(verifier_.verify(octets_again, test_now)), test_now).error(), reason::token_revoked);
}

TEST_F(TokenChangesTest, ARevokedTokenThatLivesLongIsRefusedForAsLong) {
  auto claims = issuer_.claims_for(p256_public_key(1));
  claims.exp = test_now + std::chrono::days(365);
  const Bytes token = issuer_.sign(claims);
  must(store_.store(must(verifier_.verify(token, test_now)), test_now));
  EXPECT_TRUE(store_.end_token(token_hash(token), test_now));
  const WallTime later = test_now + std::chrono::days(364);
  store_.end_token(Bytes(token_hash_size, 9), later);
  EXPECT_EQ(store_.store(must(verifier_.verify(token, later)), later).error(), reason::token_revoked);
  EXPECT_EQ(store_.revoked_count(), 2U);
  store_.end_token(Bytes(token_hash_size, 8), test_now + std::chrono::days(365));
  EXPECT_EQ(store_.revoked_count(), 2U);
}

TEST_F(TokenChangesTest, ARevocationEndsNoOtherTokenOfTheKey) {
  auto first = token(p256_public_key(1));
  const TokenHash hash = first.hash();
  must(store_.store(std::move(first), test_now));
  const auto second = must(store_.store(token(p256_public_key(1), seconds(1)), test_now));
  EXPECT_FALSE(store_.end_token(octets(hash), test_now));
  EXPECT_NE(store_.find(second.entry, test_now), nullptr);
}

TEST_F(TokenChangesTest, AfterTheLatestWasRevokedAnEarlierOneBringsNothingBack) {
  auto early = token(p256_public_key(1), seconds(0));
  auto late = token(p256_public_key(1), seconds(1));
  const TokenHash hash = late.hash();
  must(store_.store(std::move(late), test_now));
  store_.end_token(octets(hash), test_now);
  const auto outcome = must(store_.store(std::move(early), test_now));
  EXPECT_EQ(outcome.change, Change::outdated);
  EXPECT_EQ(outcome.entry, EntryId{});
}

TEST_F(TokenChangesTest, HashesOfRevokedTokensAreForgottenInTime) {
  for (std::uint8_t n = 0; n < 3; ++n) store_.end_token(Bytes(token_hash_size, n), test_now);
  EXPECT_EQ(store_.revoked_count(), 3U);
  store_.end_token(Bytes(token_hash_size, 9), test_now + std::chrono::days(31));
  EXPECT_EQ(store_.revoked_count(), 1U);
  store_.end_token(Bytes(32, 9), test_now);  // of another kind
  EXPECT_EQ(store_.revoked_count(), 1U);
}

TEST_F(TokenChangesTest, WhereARevocationCouldNotBeRememberedNoTokenIsTaken) {
  for (std::uint8_t n = 0; n < 4; ++n) store_.end_token(Bytes(token_hash_size, n), test_now);
  EXPECT_EQ(store_.revoked_count(), 3U);
  EXPECT_EQ(store_.store(token(p256_public_key(1)), test_now).error(), reason::token_store_full);
}

TEST_F(TokenChangesTest, AConfirmationIsForTheTokenThatWasAskedAbout) {
  const Instant now{std::chrono::hours(1)};
  auto first = token(p256_public_key(1));
  const TokenHash hash = first.hash();
  const auto id = must(store_.store(std::move(first), test_now, TokenStore::Confirmed{{1}, now + seconds(30)})).entry;
  EXPECT_EQ(store_.next_staleness(), now + seconds(30));
  store_.age(now + seconds(29));
  EXPECT_FALSE(store_.find(id, test_now)->is_stale);
  store_.age(now + seconds(30));
  EXPECT_TRUE(store_.find(id, test_now)->is_stale);
  EXPECT_TRUE(store_.confirm(id, hash, now + seconds(60)));
  EXPECT_FALSE(store_.find(id, test_now)->is_stale);
  must(store_.store(token(p256_public_key(1), seconds(1)), test_now, TokenStore::Confirmed{{2}, now + seconds(40)}));
  EXPECT_FALSE(store_.confirm(id, hash, now + seconds(90)));
  EXPECT_EQ(store_.next_staleness(), now + seconds(40));
  EXPECT_FALSE(store_.confirm(EntryId{77}, hash, now));
}

TEST_F(TokenChangesTest, ConfiguredKeysTakeNoRoomFromTokensAndDoNotExpire) {
  ASSERT_TRUE(configure(configured("a", p256_public_key(1)), configured("b", symmetric_key(1, {}), to_bytes("b"))));
  EXPECT_EQ(store_.size(), 0U);
  EXPECT_EQ(store_.next_expiry(), std::nullopt);
  for (const std::uint64_t seed : {11, 12}) EXPECT_TRUE(store_.store(token(p256_public_key(seed)), test_now));
  EXPECT_EQ(store_.size(), 2U);
  const WallTime later = test_now + std::chrono::days(1000);
  store_.expire(later);
  EXPECT_EQ(store_.size(), 0U);
  const auto entry = store_.by_public_key(must(p256_public_key(1).public_key()), later);
  ASSERT_TRUE(entry);
  EXPECT_NE(store_.find(*entry, later), nullptr);
  EXPECT_TRUE(store_.configured_psk(to_bytes("b")));
  EXPECT_FALSE(store_.configured_psk(to_bytes("a")));
  EXPECT_TRUE(store_.symmetric_by_kid(to_bytes("b"), later).empty());
}

TEST_F(TokenChangesTest, ATokenOfAnIssuerNeverHasTheRightsOfAConfiguredSymmetricKey) {
  const auto key = symmetric_key(1, "kid");
  ASSERT_TRUE(configure(configured("b", key, to_bytes("b"))));
  const auto stored = must(store_.store(token(key), test_now));
  EXPECT_NE(stored.entry, *store_.configured_psk(to_bytes("b")));
  EXPECT_EQ(store_.find(stored.entry, test_now)->configured, nullptr);
}

TEST_F(TokenChangesTest, AnEntryOutlivesItsTokenIfItsKeyIsConfigured) {
  ASSERT_TRUE(configure(configured("a", p256_public_key(1))));
  auto verified = token(p256_public_key(1), seconds(0), "write");
  const TokenHash hash = verified.hash();
  const auto stored = must(store_.store(std::move(verified), test_now));
  EXPECT_EQ(stored.change, Change::stored);
  EXPECT_TRUE(store_.end_token(octets(hash), test_now));
  const TokenEntry* entry = store_.find(stored.entry, test_now);
  ASSERT_NE(entry, nullptr);
  EXPECT_FALSE(entry->has_token);
  EXPECT_TRUE(entry->permissions.empty());
  EXPECT_TRUE(store_.expire(test_now).empty());
  ASSERT_TRUE(store_.set_configured({}, verifier_.scopes(), test_now));
  EXPECT_EQ(store_.expire(test_now), std::vector{stored.entry});
}

TEST_F(TokenChangesTest, AConfigurationThatIsWrongChangesNothing) {
  ASSERT_TRUE(configure(configured("a", p256_public_key(1))));
  const auto expect_wrong = [&](ConfiguredKey one, std::optional<ConfiguredKey> other = std::nullopt) {
    EXPECT_EQ(configure(std::move(one), std::move(other)).error(), reason::configured_key_invalid);
    EXPECT_TRUE(store_.by_public_key(must(p256_public_key(1).public_key()), test_now));
  };
  expect_wrong(configured("", p256_public_key(2)));
  expect_wrong(configured("x", ace::testing::p256_key(2)));
  expect_wrong(configured("x", p256_public_key(2), to_bytes("identity")));
  expect_wrong(configured("x", symmetric_key(1, {})));
  expect_wrong(configured("x", symmetric_key(1, {}, 15), to_bytes("x")));
  expect_wrong(configured("x", symmetric_key(1, {}, 257), to_bytes("x")));
  expect_wrong(configured("x", p256_public_key(2)), configured("y", p256_public_key(2)));
  expect_wrong(configured("x", symmetric_key(1, {}), to_bytes("x")),
               configured("y", symmetric_key(2, {}), to_bytes("x")));
  EXPECT_EQ(configure(configured("x", p256_public_key(2), {}, "fly")).error(), reason::token_scope_unrecognised);
}

TEST_F(TokenChangesTest, TokensOfTwoIssuersForOneKeyAreOrderedByTime) {
  TestIssuer b("b", 2, "as");
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(issuer_.trusted());
  issuers.push_back(b.trusted());
  auto both = must(TokenVerifier::create(ace::testing::verifier_config(std::move(issuers))));
  auto of_b = b.claims_for(p256_public_key(1));
  of_b.iat = test_now + seconds(1);
  of_b.scope = std::string("write");
  const auto stored = must(store_.store(token(p256_public_key(1)), test_now));
  const auto superseded = must(store_.store(must(both.verify(b.sign(of_b), test_now)), test_now));
  EXPECT_EQ(superseded.change, Change::superseded);
  EXPECT_EQ(superseded.entry, stored.entry);
  EXPECT_EQ(store_.find(stored.entry, test_now)->issuer, "b");
  EXPECT_EQ(must(store_.store(token(p256_public_key(1)), test_now)).change, Change::outdated);
}

}  // namespace
}  // namespace aceward::ace::rs
