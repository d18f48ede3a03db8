#include "aceward/ace/rs/token_store.h"

#include <gtest/gtest.h>

#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/rs/rs_test_support.h"

namespace aceward::ace::rs {
namespace {

using namespace testing;
using std::chrono::seconds;

bool allows(const TokenEntry* entry, std::string_view path, coap::Code method) {
  if (entry == nullptr) return false;
  coap::Options options;
  options.add_path(path);
  return entry->permissions.judge(options, method) == Verdict::allowed;
}

class TokenStoreTest : public ::testing::Test {
 protected:
  TokenStoreTest() : a_("a", 1, "as"), b_("b", 2, "as"), verifier_(make_verifier()) {}

  TokenVerifier make_verifier() const {
    std::vector<TrustedIssuer> issuers;
    issuers.push_back(a_.trusted());
    issuers.push_back(b_.trusted());
    return must(TokenVerifier::create(ace::testing::verifier_config(std::move(issuers))));
  }

  struct Wish {
    std::string scope = "read";
    std::chrono::seconds iat{0};
    std::chrono::seconds exp{600};
    Bytes cti = {};
  };
  static cwt::Claims claims(const TestIssuer& issuer, const Wish& wish) {
    auto claims = issuer.claims();
    claims.scope = wish.scope;
    claims.iat = test_now + wish.iat;
    claims.exp = test_now + wish.exp;
    if (!wish.cti.empty()) claims.cti = wish.cti;
    return claims;
  }
  /// Encrypted, so that the key may be of any kind.
  VerifiedToken token(TestIssuer& issuer, const cose::Key& key, const Wish& wish, seconds at = seconds(0)) {
    auto all = claims(issuer, wish);
    all.cnf = cwt::Confirmation(key.clone());
    return must(verifier_.verify(issuer.encrypt(all), test_now + at));
  }
  VerifiedToken token(TestIssuer& issuer, const cose::Key& key) { return token(issuer, key, Wish{}); }
  VerifiedToken reference(TestIssuer& issuer, std::string_view kid, const Wish& wish) {
    auto all = claims(issuer, wish);
    all.cnf = cwt::Confirmation(cwt::KeyId{to_bytes(kid)});
    return must(verifier_.verify(issuer.encrypt(all), test_now));
  }
  Result<TokenStore::Outcome> store(VerifiedToken verified, seconds at = seconds(0)) {
    return store_.store(std::move(verified), test_now + at);
  }
  const TokenEntry* find(EntryId id, seconds at = seconds(0)) const { return store_.find(id, test_now + at); }

  TestIssuer a_;
  TestIssuer b_;
  TokenVerifier verifier_;
  TokenStore store_;
};

TEST_F(TokenStoreTest, KeepsOneTokenForEachKey) {
  const auto first = must(store(token(a_, p256_public_key(1), {.iat = seconds(0)})));
  const auto second = must(store(token(a_, p256_public_key(1), {.scope = "write", .iat = seconds(1)})));
  EXPECT_EQ(first.change, Change::stored);
  EXPECT_EQ(second, (TokenStore::Outcome{first.entry, Change::superseded}));
  EXPECT_EQ(store_.size(), 1U);
  // Replaced, not added up.
  EXPECT_TRUE(allows(find(first.entry), "/temp", coap::code::put));
  EXPECT_FALSE(allows(find(first.entry), "/temp", coap::code::get));
}

TEST_F(TokenStoreTest, OtherKeysHaveOtherEntries) {
  const auto first = must(store(token(a_, p256_public_key(1))));
  const auto second = must(store(token(a_, p256_public_key(2))));
  EXPECT_NE(first.entry, second.entry);
  EXPECT_LT(first.entry, second.entry);
  EXPECT_EQ(store_.size(), 2U);
}

TEST_F(TokenStoreTest, TheSameTokenAgainChangesNothing) {
  auto all = claims(a_, {});
  all.cnf = cwt::Confirmation(p256_public_key(1));
  const Bytes octets = a_.sign(all);
  const auto first = must(store(must(verifier_.verify(octets, test_now))));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(store(must(verifier_.verify(octets, test_now))), (TokenStore::Outcome{first.entry, Change::repeated}));
  }
  EXPECT_EQ(store_.size(), 1U);
}

TEST_F(TokenStoreTest, AnOlderTokenBringsNoRightsBack) {
  const auto newer = must(store(token(a_, p256_public_key(1), {.scope = "read", .iat = seconds(10)})));
  const auto older = store(token(a_, p256_public_key(1), {.scope = "write", .iat = seconds(9)}));
  EXPECT_EQ(older, (TokenStore::Outcome{newer.entry, Change::outdated}));
  EXPECT_TRUE(allows(find(newer.entry), "/temp", coap::code::get));
  EXPECT_FALSE(allows(find(newer.entry), "/temp", coap::code::put));
}

TEST_F(TokenStoreTest, OfOneSecondTheGreaterCtiIsTheLater) {
  const auto key = p256_public_key(1);
  const auto first = must(store(token(a_, key, {.scope = "read", .cti = {0, 2}})));
  EXPECT_EQ(must(store(token(a_, key, {.scope = "write", .cti = {0, 1}}))).change, Change::outdated);
  EXPECT_EQ(must(store(token(a_, key, {.scope = "write", .cti = {0xff}}))).change, Change::outdated);
  EXPECT_TRUE(allows(find(first.entry), "/temp", coap::code::get));
  EXPECT_EQ(must(store(token(a_, key, {.scope = "write", .cti = {0, 3}}))).change, Change::superseded);
  EXPECT_EQ(must(store(token(a_, key, {.scope = "read", .cti = {0, 0, 0}}))).change, Change::superseded);
}

TEST_F(TokenStoreTest, ATokenWithoutIatSupersedesNoneThatHasIt) {
  const auto key = p256_public_key(1);
  must(store(token(a_, key)));
  auto all = claims(a_, {.scope = "write", .exp = seconds(9000)});
  all.iat.reset();
  all.cnf = cwt::Confirmation(key.clone());
  EXPECT_EQ(must(store(must(verifier_.verify(a_.sign(all), test_now)))).change, Change::outdated);
}

TEST_F(TokenStoreTest, ASupersededTokenStaysOutAfterTheLaterOneHasExpired) {
  const auto key = p256_public_key(1);
  auto broad = [&](seconds at) {
    return token(a_, key, {.scope = "write", .iat = seconds(0), .exp = seconds(1000)}, at);
  };
  must(store(broad(seconds(0))));
  const auto narrow = must(store(token(a_, key, {.scope = "read", .iat = seconds(1), .exp = seconds(100)})));
  store_.mark_used(narrow.entry);
  EXPECT_EQ(store_.expire(test_now + seconds(100)), std::vector{narrow.entry});
  EXPECT_EQ(store(broad(seconds(200)), seconds(200)), (TokenStore::Outcome{EntryId{}, Change::outdated}));
  EXPECT_EQ(store_.size(), 0U);
  // A newer one is welcome, and the key is a new entry.
  const auto next = must(store(token(a_, key, {.iat = seconds(200)}, seconds(200)), seconds(200)));
  EXPECT_EQ(next.change, Change::stored);
  EXPECT_GT(next.entry, narrow.entry);
}

TEST_F(TokenStoreTest, AnOlderTokenThatCameAfterItsSuccessorIsRememberedToo) {
  const auto key = p256_public_key(1);
  const auto narrow = must(store(token(a_, key, {.scope = "read", .iat = seconds(1), .exp = seconds(100)})));
  store_.mark_used(narrow.entry);
  const Wish broad{.scope = "write", .iat = seconds(0), .exp = seconds(1000)};
  EXPECT_EQ(must(store(token(a_, key, broad))).change, Change::outdated);
  EXPECT_EQ(must(store(token(a_, key, broad, seconds(500)), seconds(500))).change, Change::outdated);
  EXPECT_EQ(store_.size(), 0U);
}

TEST_F(TokenStoreTest, ExpiresAtTheVerySecond) {
  const auto stored = must(store(token(a_, p256_public_key(1), {.exp = seconds(100)})));
  EXPECT_EQ(store_.next_expiry(), test_now + seconds(100));
  EXPECT_NE(find(stored.entry, seconds(99)), nullptr);
  EXPECT_EQ(find(stored.entry, seconds(100)), nullptr);
  EXPECT_TRUE(store_.expire(test_now + seconds(99)).empty());
  EXPECT_EQ(store_.expire(test_now + seconds(100)), std::vector{stored.entry});
  EXPECT_TRUE(store_.expire(test_now + seconds(101)).empty());
  EXPECT_EQ(store_.size(), 0U);
  EXPECT_EQ(store_.next_expiry(), std::nullopt);
}

TEST_F(TokenStoreTest, ASuccessorMovesTheEnd) {
  const auto stored = must(store(token(a_, p256_public_key(1), {.exp = seconds(100)})));
  must(store(token(a_, p256_public_key(1), {.iat = seconds(1), .exp = seconds(300)})));
  store_.mark_used(stored.entry);
  EXPECT_TRUE(store_.expire(test_now + seconds(100)).empty());
  EXPECT_NE(find(stored.entry, seconds(299)), nullptr);
  EXPECT_EQ(store_.expire(test_now + seconds(300)), std::vector{stored.entry});
}

TEST_F(TokenStoreTest, ForgetsAKeyThatNobodyUsed) {
  TokenStore store(TokenStoreLimits{.unused = seconds(50)});
  const auto used = must(store.store(token(a_, p256_public_key(1)), test_now));
  const auto unused = must(store.store(token(a_, p256_public_key(2)), test_now));
  store.mark_used(used.entry);
  EXPECT_EQ(store.next_expiry(), test_now + seconds(50));
  EXPECT_EQ(store.expire(test_now + seconds(50)), std::vector{unused.entry});
  EXPECT_NE(store.find(used.entry, test_now + seconds(50)), nullptr);
}

TEST_F(TokenStoreTest, TakesAForgottenTokenAgain) {
  TokenStore store(TokenStoreLimits{.unused = seconds(50)});
  auto all = claims(a_, {});
  all.cnf = cwt::Confirmation(p256_public_key(2));
  const Bytes octets = a_.sign(all);
  must(store.store(must(verifier_.verify(octets, test_now)), test_now));
  store.expire(test_now + seconds(50));
  EXPECT_EQ(must(store.store(must(verifier_.verify(octets, test_now + seconds(60))), test_now + seconds(60))).change,
            Change::stored);
}

TEST_F(TokenStoreTest, ReportsEntriesThatAStoredTokenDisplaced) {
  const auto old = must(store(token(a_, p256_public_key(1), {.exp = seconds(100)})));
  must(store(token(a_, p256_public_key(2), {}, seconds(100)), seconds(100)));
  EXPECT_LE(*store_.next_expiry(), test_now);
  EXPECT_EQ(store_.expire(test_now + seconds(100)), std::vector{old.entry});
}

TEST_F(TokenStoreTest, TwoClientsWithOneKidAreTwoKeys) {
  const auto first = must(store(token(a_, symmetric_key(1, "kid"), {.scope = "read"})));
  const auto second = must(store(token(a_, symmetric_key(2, "kid"), {.scope = "write"})));
  EXPECT_NE(first.entry, second.entry);
  EXPECT_FALSE(allows(find(first.entry), "/temp", coap::code::put));
  EXPECT_FALSE(allows(find(second.entry), "/temp", coap::code::get));
  EXPECT_EQ(store_.symmetric_by_kid(to_bytes("kid"), test_now).size(), 2U);
}

TEST_F(TokenStoreTest, TwoIssuersWithOneKidAndEvenOneKeyAreTwoEntries) {
  const auto of_a = must(store(token(a_, symmetric_key(1, "kid"), {.scope = "read"})));
  const auto of_b = must(store(token(b_, symmetric_key(1, "kid"), {.scope = "write", .iat = seconds(1)})));
  EXPECT_NE(of_a.entry, of_b.entry);
  EXPECT_TRUE(allows(find(of_a.entry), "/temp", coap::code::get));
  EXPECT_FALSE(allows(find(of_a.entry), "/temp", coap::code::put));
}

TEST_F(TokenStoreTest, OnePublicKeyIsOneEntryWhoeverIssues) {
  const auto of_a = must(store(token(a_, p256_public_key(1), {.scope = "read"})));
  EXPECT_EQ(store(token(b_, p256_public_key(1), {.scope = "write", .iat = seconds(1)})),
            (TokenStore::Outcome{of_a.entry, Change::superseded}));
}

TEST_F(TokenStoreTest, AReferenceUpdatesTheKeyOfItsIssuer) {
  const auto of_a = must(store(token(a_, symmetric_key(1, "kid"), {.scope = "read"})));
  const auto of_b = must(store(token(b_, symmetric_key(2, "kid"), {.scope = "read"})));
  EXPECT_EQ(store(reference(b_, "kid", {.scope = "write", .iat = seconds(1)})),
            (TokenStore::Outcome{of_b.entry, Change::superseded}));
  EXPECT_TRUE(allows(find(of_a.entry), "/temp", coap::code::get));
  EXPECT_TRUE(allows(find(of_b.entry), "/temp", coap::code::put));
  EXPECT_TRUE(find(of_b.entry)->key.same_key(symmetric_key(2, "")));
}

TEST_F(TokenStoreTest, AClientsPublicKeyDoesNotTakeThePlaceOfAnothersSharedKey) {
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(a_.trusted());
  issuers.at(0).derivation_keys.emplace_back(Bytes(16, 0x5a));
  verifier_ = must(TokenVerifier::create(ace::testing::verifier_config(std::move(issuers))));
  auto own = p256_public_key(1);
  own.kid = to_bytes("kid");  // chosen by who learnt it from another's handshake
  const auto intruder = must(store(token(a_, own, {.scope = "read"})));
  // Neither the token with which the shared key begins, nor one that would update it.
  const auto derived = must(store(reference(a_, "kid", {.scope = "write"})));
  EXPECT_NE(derived.entry, intruder.entry);
  EXPECT_FALSE(allows(find(intruder.entry), "/temp", coap::code::put));
  // Nor does it keep the update out while both are held.
  EXPECT_EQ(store(reference(a_, "kid", {.scope = "read write", .iat = seconds(1)})),
            (TokenStore::Outcome{derived.entry, Change::superseded}));
  EXPECT_TRUE(allows(find(derived.entry), "/temp", coap::code::get));
  EXPECT_FALSE(allows(find(intruder.entry), "/temp", coap::code::put));
}

TEST_F(TokenStoreTest, WhereNoKeyIsDerivedAReferenceMayNameAPublicKey) {
  auto key = p256_public_key(1);
  key.kid = to_bytes("kid");
  const auto first = must(store(token(a_, key, {.scope = "read"})));
  EXPECT_EQ(store(reference(a_, "kid", {.scope = "write", .iat = seconds(1)})),
            (TokenStore::Outcome{first.entry, Change::superseded}));
}

TEST_F(TokenStoreTest, AReferenceToAnUnknownKeyIsRefused) {
  must(store(token(a_, symmetric_key(1, "kid"), {.exp = seconds(10)})));
  EXPECT_EQ(store(reference(a_, "other", {})).error(), reason::token_kid_unknown);
  EXPECT_EQ(store(reference(b_, "kid", {})).error(), reason::token_kid_unknown);
  EXPECT_EQ(store(reference(a_, "kid", {}), seconds(10)).error(), reason::token_kid_unknown);
}

TEST_F(TokenStoreTest, AnAmbiguousReferenceIsRefusedAndChangesNothing) {
  const auto first = must(store(token(a_, symmetric_key(1, "kid"), {.scope = "read"})));
  const auto second = must(store(token(a_, symmetric_key(2, "kid"), {.scope = "read"})));
  const auto refused = store(reference(a_, "kid", {.scope = "write", .iat = seconds(5)}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), reason::token_kid_ambiguous);
  EXPECT_FALSE(allows(find(first.entry), "/temp", coap::code::put));
  EXPECT_FALSE(allows(find(second.entry), "/temp", coap::code::put));
}

TEST_F(TokenStoreTest, FindsOnlySymmetricKeysByKid) {
  auto raw = p256_public_key(1);
  raw.kid = to_bytes("kid");
  must(store(token(a_, raw)));
  EXPECT_TRUE(store_.symmetric_by_kid(to_bytes("kid"), test_now).empty());
  const auto symmetric = must(store(token(a_, symmetric_key(1, "kid"))));
  EXPECT_EQ(store_.symmetric_by_kid(to_bytes("kid"), test_now), std::vector{symmetric.entry});
  EXPECT_TRUE(store_.symmetric_by_kid(to_bytes("kid"), test_now + seconds(600)).empty());
}

TEST_F(TokenStoreTest, FindsAPublicKeyOnlyWhileItsTokenLives) {
  const auto key = p256_public_key(1);
  EXPECT_EQ(store_.by_public_key(must(key.public_key()), test_now), std::nullopt);
  const auto stored = must(store(token(a_, key, {.exp = seconds(10)})));
  EXPECT_EQ(store_.by_public_key(must(key.public_key()), test_now), stored.entry);
  EXPECT_EQ(store_.by_public_key(must(key.public_key()), test_now + seconds(10)), std::nullopt);
  EXPECT_EQ(store_.by_public_key(must(p256_public_key(2).public_key()), test_now), std::nullopt);
}

TEST_F(TokenStoreTest, IsBounded) {
  TokenStore store(TokenStoreLimits{.tokens = 3, .tokens_per_issuer = 2});
  const auto use = [&](VerifiedToken verified) {
    store.mark_used(must(store.store(std::move(verified), test_now)).entry);
  };
  use(token(a_, p256_public_key(1)));
  use(token(a_, p256_public_key(2)));
  EXPECT_EQ(store.store(token(a_, p256_public_key(3)), test_now).error(), reason::token_store_full);
  use(token(b_, p256_public_key(4)));
  EXPECT_EQ(store.store(token(b_, p256_public_key(5)), test_now).error(), reason::token_store_full);
  EXPECT_EQ(store.size(), 3U);
  // Keys that are known can still be updated.
  EXPECT_EQ(must(store.store(token(a_, p256_public_key(1), {.iat = seconds(1)}), test_now)).change, Change::superseded);
}

TEST_F(TokenStoreTest, WhoHoardsTokensKeepsNobodyOut) {
  TokenStore store(TokenStoreLimits{.tokens = 4, .tokens_per_issuer = 3});
  const auto used = must(store.store(token(a_, p256_public_key(1)), test_now)).entry;
  store.mark_used(used);
  const auto others = must(store.store(token(b_, p256_public_key(2)), test_now)).entry;
  const auto first = must(store.store(token(a_, p256_public_key(3)), test_now)).entry;
  const auto second = must(store.store(token(a_, p256_public_key(4)), test_now)).entry;
  for (std::uint64_t seed = 10; seed < 20; ++seed) {
    EXPECT_TRUE(store.store(token(a_, p256_public_key(seed)), test_now).has_value());
    EXPECT_EQ(store.size(), 4U);
  }
  EXPECT_NE(store.find(used, test_now), nullptr);
  EXPECT_NE(store.find(others, test_now), nullptr) << "an issuer's tokens make way for its own first";
  EXPECT_EQ(store.find(first, test_now), nullptr);
  EXPECT_EQ(store.find(second, test_now), nullptr);
  EXPECT_EQ(store.expire(test_now).size(), 10U);
  const auto newcomer = must(store.store(token(b_, p256_public_key(30)), test_now)).entry;
  EXPECT_NE(store.find(newcomer, test_now), nullptr);
  EXPECT_EQ(store.find(others, test_now), nullptr);
}

TEST_F(TokenStoreTest, RoomComesBackWhenTokensExpire) {
  TokenStore store(TokenStoreLimits{.tokens = 1});
  store.mark_used(must(store.store(token(a_, p256_public_key(1), {.exp = seconds(10)}), test_now)).entry);
  EXPECT_FALSE(store.store(token(a_, p256_public_key(2)), test_now).has_value());
  EXPECT_TRUE(store.store(token(a_, p256_public_key(2)), test_now + seconds(10)).has_value());
}

TEST_F(TokenStoreTest, RemembersABoundedNumberOfKeysThatEnded) {
  TokenStore store(TokenStoreLimits{.remembered = 1});
  const auto run = [&](std::uint64_t seed) {
    must(store.store(token(a_, p256_public_key(seed), {.iat = seconds(1), .exp = seconds(500)}), test_now));
    must(store.store(token(a_, p256_public_key(seed), {.iat = seconds(2), .exp = seconds(10)}), test_now));
  };
  run(1);
  run(2);
  store.expire(test_now + seconds(10));
  const auto again = [&](std::uint64_t seed) {
    return must(store.store(token(a_, p256_public_key(seed), {.iat = seconds(0), .exp = seconds(400)}, seconds(20)),
                            test_now + seconds(20)))
        .change;
  };
  must(store.store(token(a_, p256_public_key(3), {}, seconds(20)), test_now + seconds(20)));
  EXPECT_EQ(static_cast<int>(again(1) == Change::outdated) + static_cast<int>(again(2) == Change::outdated), 1);
}

}  // namespace
}  // namespace aceward::ace::rs
