// How long tokens live, with and without a clock, and keys that they only name.
#include <gtest/gtest.h>

#include "aceward/ace/token/key_derivation.h"
#include "aceward/ace/token/reasons.h"
#include "aceward/ace/token/test_issuer.h"
#include "aceward/cose/cwt/reasons.h"

namespace aceward::ace {
namespace {

using std::chrono::seconds;
using testing::must;
using testing::p256_public_key;
using testing::test_now;
using testing::TestIssuer;

Bytes numbered_cti(std::string_view audience, std::uint64_t number) {
  Bytes cti = to_bytes(audience);
  for (int shift = 56; shift >= 0; shift -= 8) cti.push_back(static_cast<std::uint8_t>(number >> shift));
  return cti;
}

class TokenTermsTest : public ::testing::Test {
 protected:
  TokenTermsTest() : nonces_(seconds(60), random_) {}

  TokenVerifier verifier(bool is_synchronized, bool with_nonces = false) {
    auto config = testing::verifier_config(issuer_);
    config.clock_is_synchronized = is_synchronized;
    config.takes_exi = true;
    if (with_nonces) config.nonces = &nonces_;
    return must(TokenVerifier::create(std::move(config)));
  }
  cwt::Claims good() const { return issuer_.claims_for(p256_public_key(50)); }
  cwt::Claims exi_claims(std::uint64_t exi) const {
    auto claims = good();
    claims.exp.reset();
    claims.exi = exi;
    claims.cti = numbered_cti("rs1", 42);
    return claims;
  }
  Result<VerifiedToken> verify(TokenVerifier& verifier, const cwt::Claims& claims, WallTime now = test_now) const {
    return verifier.verify(issuer_.sign(claims), now);
  }

  TestIssuer issuer_;
  SeededRandom random_{7};
  ClientNonces nonces_;
};

TEST_F(TokenTermsTest, ExiCountsFromThisMoment) {
  for (const bool is_synchronized : {true, false}) {
    auto verifier = this->verifier(is_synchronized);
    const auto verified = verify(verifier, exi_claims(60));
    ASSERT_TRUE(verified) << verified.error().id();
    EXPECT_EQ(verified->expires_at(), test_now + seconds(60));
    EXPECT_EQ(verified->exi_sequence(), 42U);
  }
}

TEST_F(TokenTermsTest, TheFirstOfExiAndExpIsTheEnd) {
  auto verifier = this->verifier(true);
  auto claims = exi_claims(60);
  claims.exp = test_now + seconds(30);
  EXPECT_EQ(verify(verifier, claims)->expires_at(), test_now + seconds(30));
  claims.exp = test_now + seconds(90);
  EXPECT_EQ(verify(verifier, claims)->expires_at(), test_now + seconds(60));
  claims.exp = test_now;
  EXPECT_EQ(verify(verifier, claims).error(), reason::token_expired);
}

TEST_F(TokenTermsTest, ExiNeedsASequenceNumberAndALifetime) {
  auto verifier = this->verifier(true);
  auto claims = exi_claims(60);
  claims.cti.reset();
  const auto without = verify(verifier, claims);
  EXPECT_EQ(without.error(), reason::token_exi_without_sequence);
  EXPECT_EQ(wire_answer(without.error()), coap::code::bad_request);
  claims.cti = Bytes();
  EXPECT_EQ(verify(verifier, claims).error(), reason::token_exi_without_sequence);
  EXPECT_EQ(verify(verifier, exi_claims(0)).error(), reason::token_expired);
  EXPECT_TRUE(verify(verifier, exi_claims(~std::uint64_t{0})));
}

TEST_F(TokenTermsTest, TheSequenceNumberFollowsTheAudienceOrIsTheEndOfTheCti) {
  const std::vector<std::string> audiences{"rs1", "rs1-west", "tempSensor4711"};
  EXPECT_EQ(exi_sequence_in(numbered_cti("rs1", 7), audiences), 7U);
  EXPECT_EQ(exi_sequence_in(numbered_cti("rs1-west", 7), audiences), 7U);
  EXPECT_EQ(exi_sequence_in(to_bytes("tempSensor4711\x01"), audiences), 1U);
  EXPECT_EQ(exi_sequence_in(to_bytes("rs1\x01\x02"), audiences), 0x0102U);
  EXPECT_EQ(exi_sequence_in(Bytes{1, 0}, audiences), 256U);
  EXPECT_EQ(exi_sequence_in(numbered_cti("somebody else", 9), audiences), 9U);
  EXPECT_EQ(exi_sequence_in(Bytes(8, 0xff), audiences), ~std::uint64_t{0});
  EXPECT_EQ(exi_sequence_in({}, audiences), std::nullopt);
}

TEST_F(TokenTermsTest, WithoutAClockExpAloneCannotBeJudged) {
  auto verifier = this->verifier(false);
  const auto verified = verify(verifier, good());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error(), reason::token_clock_needed);
  EXPECT_EQ(wire_answer(verified.error()), coap::code::unauthorized);
  auto claims = exi_claims(60);
  claims.nbf = test_now + seconds(5);
  EXPECT_EQ(verify(verifier, claims).error(), reason::token_clock_needed);
  claims.nbf = test_now;
  EXPECT_TRUE(verify(verifier, claims));
  claims.exp = test_now - seconds(1000);  // by whose clock?
  EXPECT_TRUE(verify(verifier, claims));
}

TEST_F(TokenTermsTest, WithoutAClockExpIsCountedFromWhenTheNonceWasGiven) {
  auto verifier = this->verifier(false, true);
  const WallTime own_time{seconds(5000)};
  auto claims = good();  // 600 s between iat and exp
  claims.cnonce = nonces_.give(own_time);
  const auto verified = verify(verifier, claims, own_time + seconds(20));
  ASSERT_TRUE(verified) << verified.error().id();
  EXPECT_EQ(verified->expires_at(), own_time + seconds(600));
  claims.exp = test_now + seconds(10);
  EXPECT_EQ(verify(verifier, claims, own_time + seconds(20)).error(), reason::token_expired);
  claims.exp = test_now - seconds(1);
  EXPECT_EQ(verify(verifier, claims, own_time).error(), reason::token_expired);
  claims.exp = test_now + seconds(600);
  claims.iat.reset();
  EXPECT_EQ(verify(verifier, claims, own_time).error(), reason::token_clock_needed);
}

TEST_F(TokenTermsTest, ATokenWithoutAFreshNonceIsRefusedWhereNoncesAreUsed) {
  auto verifier = this->verifier(true, true);
  auto claims = good();
  auto verified = verify(verifier, claims);
  EXPECT_EQ(verified.error(), reason::token_cnonce_missing);
  EXPECT_EQ(wire_answer(verified.error()), coap::code::unauthorized);
  claims.cnonce = nonces_.give(test_now - seconds(59));
  EXPECT_TRUE(verify(verifier, claims));
  claims.cnonce = nonces_.give(test_now - seconds(60));
  verified = verify(verifier, claims);
  EXPECT_EQ(verified.error(), reason::token_cnonce_stale);
  EXPECT_EQ(wire_answer(verified.error()), coap::code::unauthorized);
  claims.cnonce = Bytes(ClientNonces::size, 1);
  EXPECT_EQ(verify(verifier, claims).error(), reason::token_cnonce_stale);
}

TEST_F(TokenTermsTest, ATokenOfAFutureThatNeverCameIsRefused) {
  auto verifier = this->verifier(true);
  auto claims = good();
  claims.iat = test_now + seconds(300);
  EXPECT_TRUE(verify(verifier, claims));
  claims.iat = test_now + seconds(301);
  EXPECT_EQ(verify(verifier, claims).error(), reason::token_from_the_future);
}

TEST_F(TokenTermsTest, ATokenCanOnlyBeMadeToEndEarlier) {
  auto verifier = this->verifier(true);
  auto verified = must(verify(verifier, good()));
  verified.end_by(test_now + seconds(700));
  EXPECT_EQ(verified.expires_at(), test_now + seconds(600));
  verified.end_by(test_now + seconds(5));
  EXPECT_EQ(verified.expires_at(), test_now + seconds(5));
}

TEST_F(TokenTermsTest, AKeyThatIsOnlyNamedIsDerivedFromTheWholeToken) {
  auto trusted = issuer_.trusted();
  trusted.derivation_keys.emplace_back(Bytes(32, 9));
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(std::move(trusted));
  auto verifier = must(TokenVerifier::create(testing::verifier_config(std::move(issuers))));
  auto claims = issuer_.claims();
  claims.cnf = cwt::Confirmation(cwt::KeyId{to_bytes("k1")});
  const Bytes token = issuer_.sign(claims);
  const auto verified = verifier.verify(token, test_now);
  ASSERT_TRUE(verified);
  EXPECT_EQ(std::get<PopKeyReference>(verified->pop_key()), PopKeyReference{to_bytes("k1")});
  ASSERT_TRUE(verified->derived_key());
  EXPECT_TRUE(equal(verified->derived_key()->k(), derive_pop_key(Secret(Bytes(32, 9)), token)->expose()));
  EXPECT_EQ(verified->derived_key()->kid, to_bytes("k1"));
}

TEST_F(TokenTermsTest, OfTwoDerivationKeysTheKidNamesOneAndElseTheFirstCounts) {
  const Secret fresh(Bytes(16, 1));
  const Secret before(Bytes(16, 2));
  auto trusted = issuer_.trusted();
  trusted.derivation_keys.push_back(fresh.clone());
  trusted.derivation_keys.push_back(before.clone());
  std::vector<TrustedIssuer> list;
  list.push_back(std::move(trusted));
  const auto issuers = must(TrustedIssuers::from(std::move(list)));
  const auto chosen = [&](const Secret& key) {
    Bytes kid = derivation_key_id(key);
    kid.push_back(5);
    return issuers.derivation_key(cwt::IssuerId(0), kid)->clone();
  };
  EXPECT_TRUE(chosen(fresh).equals(fresh));
  EXPECT_TRUE(chosen(before).equals(before));
  EXPECT_TRUE(chosen(Secret(Bytes(16, 3))).equals(fresh));
  EXPECT_TRUE(issuers.derivation_key(cwt::IssuerId(0), {})->equals(fresh));
}

TEST_F(TokenTermsTest, AShortDerivationKeyAndAnIssuerWithoutKeysAreRefused) {
  auto trusted = issuer_.trusted();
  trusted.derivation_keys.emplace_back(Bytes(15, 1));
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(std::move(trusted));
  EXPECT_EQ(TrustedIssuers::from(std::move(issuers)).error(), reason::issuer_config_invalid);
  std::vector<TrustedIssuer> asked;
  asked.push_back({.iss = "as", .verifying_keys = {}, .token_keys = {}, .derivation_keys = {}, .is_asked = true});
  EXPECT_TRUE(TrustedIssuers::from(std::move(asked)));
}

TEST_F(TokenTermsTest, TwoSigningKeysLiveAtATime) {
  const TestIssuer before("coaps://as.example", 1, "2025");
  const TestIssuer after("coaps://as.example", 2, "2026");
  auto trusted = before.trusted();
  for (auto& key : after.trusted().verifying_keys) trusted.verifying_keys.push_back(key.clone());
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(std::move(trusted));
  auto verifier = must(TokenVerifier::create(testing::verifier_config(std::move(issuers))));
  EXPECT_TRUE(verifier.verify(before.sign(good()), test_now));
  EXPECT_TRUE(verifier.verify(after.sign(good()), test_now));
}

TEST_F(TokenTermsTest, WhatTheIssuerVouchesForNeedsNoExpAndNoAudience) {
  for (const bool is_synchronized : {true, false}) {
    auto verifier = this->verifier(is_synchronized);
    auto claims = good();
    claims.exp.reset();
    claims.aud.reset();
    const auto verified = verifier.verify_introspected(Bytes{1, 2, 3}, claims, "coaps://as.example", test_now);
    ASSERT_TRUE(verified) << verified.error().id();
    EXPECT_EQ(verified->expires_at(), WallTime::max());
    EXPECT_EQ(verified->issuer(), "coaps://as.example");
  }
}

TEST_F(TokenTermsTest, ExiThatTheIssuerVouchesForIsCountedLikeThatOfTheTokenItself) {
  auto verifier = this->verifier(true);
  const auto verified = verifier.verify_introspected(Bytes{1}, exi_claims(60), "coaps://as.example", test_now);
  ASSERT_TRUE(verified) << verified.error().id();
  EXPECT_EQ(verified->exi_sequence(), 42U);
  EXPECT_EQ(verified->expires_at(), test_now + seconds(60));
  auto claims = exi_claims(60);
  claims.cti.reset();
  EXPECT_EQ(verifier.verify_introspected(Bytes{1}, claims, "coaps://as.example", test_now).error(),
            reason::token_exi_without_sequence);
  auto without = must(TokenVerifier::create(ace::testing::verifier_config(issuer_)));
  EXPECT_EQ(without.verify_introspected(Bytes{1}, exi_claims(60), "coaps://as.example", test_now).error(),
            reason::token_exi_unsupported);
}

TEST_F(TokenTermsTest, WhatTheIssuerSaysIsCheckedWhereItIsThere) {
  auto verifier = this->verifier(true);
  const auto refused = [&](const cwt::Claims& claims, std::string_view iss = "coaps://as.example") {
    const auto verified = verifier.verify_introspected(Bytes{1}, claims, iss, test_now);
    return verified ? std::string("accepted") : std::string(verified.error().id());
  };
  EXPECT_EQ(refused(good(), "coaps://other.example"), reason::token_issuer_mismatch.id);
  auto claims = good();
  claims.iss = "coaps://other.example";
  EXPECT_EQ(refused(claims), reason::token_issuer_mismatch.id);
  claims = good();
  claims.exp = test_now;
  EXPECT_EQ(refused(claims), reason::token_expired.id);
  claims = good();
  claims.aud = cwt::Audience("rs2");
  EXPECT_EQ(refused(claims), reason::token_audience_unknown.id);
  claims = good();
  claims.scope.reset();
  EXPECT_EQ(refused(claims), reason::token_scope_unrecognised.id);
  claims = good();
  claims.cnf.reset();
  EXPECT_EQ(refused(claims), reason::token_cnf_missing.id);
  claims = good();
  claims.ace_profile = 2;
  EXPECT_EQ(refused(claims), reason::token_profile_unsupported.id);
}

}  // namespace
}  // namespace aceward::ace
