#include "aceward/cose/cwt/claims.h"

#include <gtest/gtest.h>

#include <limits>

#include "aceward/cbor/reasons.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/cwt/rfc8392_figures.h"

namespace aceward::cwt {
namespace {

Bytes claims_octets_of(std::string_view hex) { return from_hex(hex).value(); }
Result<Claims> claims_of(std::string_view hex) { return Claims::parse(claims_octets_of(hex)); }

std::string claims_hex(const Claims& claims) {
  const auto encoded = claims.serialize();
  return encoded ? to_hex(encoded->expose()) : std::string(encoded.error().id());
}

WallTime claims_time(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

TEST(CwtClaims, ReadsAndWritesTheClaimsOfRfc8392) {
  const auto claims = claims_of(rfc8392::a_1_claims);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->iss, "coap://as.example.com");
  EXPECT_EQ(claims->sub, "erikw");
  ASSERT_TRUE(claims->aud);
  EXPECT_TRUE(claims->aud->contains("coap://light.example.com"));
  EXPECT_FALSE(claims->aud->contains("coap://light.example.co"));
  EXPECT_EQ(claims->exp, NumericDate(1444064944));
  EXPECT_EQ(claims->nbf, NumericDate(1443944944));
  EXPECT_EQ(claims->iat, NumericDate(1443944944));
  EXPECT_EQ(to_hex(*claims->cti), "0b71");
  EXPECT_TRUE(claims->others.empty());
  EXPECT_EQ(claims_hex(*claims), rfc8392::a_1_claims);
  EXPECT_EQ(claims_hex(claims->clone()), rfc8392::a_1_claims);
}

TEST(CwtClaims, AnEmptySetIsASet) {
  const auto claims = claims_of("a0");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims_hex(*claims), "a0");
}

TEST(CwtClaims, ReadsAndWritesTheClaimsOfAce) {
  // scope bytes, ace_profile, cnonce, exi.
  const std::string text =
      "a4"
      "0942aabb"
      "182601"
      "182741cc"
      "1828190e10";
  const auto claims = claims_of(text);
  ASSERT_TRUE(claims);
  EXPECT_EQ(std::get<Bytes>(*claims->scope), (Bytes{0xaa, 0xbb}));
  EXPECT_EQ(claims->ace_profile, 1);
  EXPECT_EQ(claims->cnonce, Bytes{0xcc});
  EXPECT_EQ(claims->exi, 3600U);
  EXPECT_EQ(claims_hex(*claims), text);
  EXPECT_EQ(std::get<std::string>(*claims_of("a109627277")->scope), "rw");
}

TEST(CwtClaims, KeepsClaimsThatItDoesNotKnow) {
  const std::string text =
      "a3"
      "0162"
      "6173"
      "19ffff81a10102"
      "646e6f7465f6";
  const auto claims = claims_of(text);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->others.size(), 2U);
  EXPECT_NE(claims->other(65535), nullptr);
  EXPECT_NE(claims->other(std::string("note")), nullptr);
  EXPECT_EQ(claims->other(65534), nullptr);
  EXPECT_EQ(claims_hex(*claims), text);
}

TEST(CwtClaims, AudienceIsTextOrArray) {
  const auto one = claims_of(
      "a103"
      "6161");
  ASSERT_TRUE(one);
  EXPECT_FALSE(one->aud->as_array);
  const auto several = claims_of(
      "a103"
      "8261616162");
  ASSERT_TRUE(several);
  EXPECT_TRUE(several->aud->as_array);
  EXPECT_TRUE(several->aud->contains("b"));
  EXPECT_EQ(claims_hex(*several), "a1038261616162");
  // An array of one stays an array.
  EXPECT_EQ(claims_hex(*claims_of("a103816161")), "a103816161");
  EXPECT_EQ(claims_of("a1038101").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a1034161").error(), reason::cwt_claim_malformed);
}

TEST(CwtClaims, TextWithAColonIsAUri) {
  EXPECT_TRUE(
      claims_of("a101"
                "63613a62"));  // a:b
  EXPECT_EQ(claims_of("a101"
                      "623a61")
                .error(),
            reason::cwt_claim_malformed);  // :a
  EXPECT_EQ(claims_of("a102"
                      "63313a61")
                .error(),
            reason::cwt_claim_malformed);  // 1:a
  EXPECT_EQ(claims_of("a103"
                      "64612062"
                      "3a")
                .error(),
            reason::cwt_claim_malformed);  // "a b:"
  EXPECT_EQ(claims_of("a103"
                      "65613a622063")
                .error(),
            reason::cwt_claim_malformed);  // "a:b c"
  EXPECT_TRUE(
      claims_of("a101"
                "63612062"));  // "a b", no URI
  Claims claims;
  claims.sub = ":nobody";
  EXPECT_EQ(claims.serialize().error(), reason::cwt_claim_malformed);
}

TEST(CwtClaims, DoesNotWriteWhatItWouldNotRead) {
  const auto with_other = [](const cose::Label& label, Bytes value) {
    Claims claims;
    claims.exp = NumericDate(1);
    claims.others.push_back({label, std::move(value)});
    return claims.serialize();
  };
  EXPECT_TRUE(with_other(100, {0x01}));
  // A second exp: which of the two counts would be up to the reader.
  EXPECT_EQ(with_other(claim::exp, {0x1a, 0xff, 0xff, 0xff, 0xff}).error(), reason::cwt_claim_malformed);
  // Even without a first one, the kept members are no way around the checks of the declared ones.
  Claims hidden;
  hidden.others.push_back({claim::cnf, from_hex("a101a10104").value()});
  EXPECT_EQ(hidden.serialize().error(), reason::cwt_claim_malformed);
  // Not one item: none, one and a half, two.
  EXPECT_EQ(with_other(100, {}).error(), reason::cwt_claim_malformed);
  EXPECT_EQ(with_other(100, {0x42, 0x01}).error(), reason::cwt_claim_malformed);
  EXPECT_EQ(with_other(100, {0x01, 0x18, 0x65}).error(), reason::cwt_claim_malformed);
  // Text that is none.
  Claims claims;
  claims.iss = "\xc3(";
  EXPECT_EQ(claims.serialize().error(), reason::cwt_claim_malformed);
  claims.iss.reset();
  claims.scope = std::string("\xff");
  EXPECT_EQ(claims.serialize().error(), reason::cwt_claim_malformed);
  // The keys of a map nested in a claim.
  EXPECT_EQ(with_other(100, {0xa2, 0x01, 0x01, 0x01, 0x01}).error(), reason::cwt_claim_malformed);
}

TEST(CwtClaims, KeyZeroHasNoMeaning) {
  const auto claims = claims_of("a1001a5612aeb0");
  ASSERT_TRUE(claims);
  EXPECT_NE(claims->other(0), nullptr);
  EXPECT_FALSE(claims->iss || claims->sub || claims->aud || claims->exp || claims->nbf || claims->iat || claims->cti ||
               claims->cnf || claims->scope || claims->ace_profile || claims->cnonce || claims->exi);
}

TEST(CwtClaims, NamesInTextAreNotTheClaimsInNumbers) {
  // {"exp": 1, "cnf": {…}, "aud": …} beside nothing: three claims that nobody knows.
  const auto claims = claims_of(
      "a36365787001636175646161"
      "63636e66a1034101");
  ASSERT_TRUE(claims);
  EXPECT_FALSE(claims->exp);
  EXPECT_FALSE(claims->aud);
  EXPECT_FALSE(claims->cnf);
  EXPECT_EQ(claims->others.size(), 3U);
  // Nor is 4.0 the key 4, nor 4 in a longer form or as a bignum.
  EXPECT_EQ(claims_of("a1f9440001").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a1180401").error(), reason::cbor_not_preferred);
  EXPECT_EQ(claims_of("a1c2410401").error(), reason::cwt_claim_malformed);
}

TEST(CwtClaims, RefusesADuplicateAmongMany) {
  // Beyond sixteen keys duplicates are found in another way: 4 stands first and last.
  std::string hex = "b3";
  hex += "0401";
  for (int i = 0; i < 17; ++i) hex += "18" + to_hex(Bytes{static_cast<std::uint8_t>(100 + i)}) + "00";
  EXPECT_TRUE(claims_of(hex + "0000"));
  EXPECT_EQ(claims_of(hex + "0402").error(), reason::cbor_duplicate_key);
}

TEST(CwtClaims, RefusesDatesThatNoClockCanTell) {
  EXPECT_EQ(claims_of("a1041b8000000000000000").error(), reason::cwt_claim_malformed);  // 2^63
  EXPECT_EQ(claims_of("a1043b8000000000000000").error(), reason::cwt_claim_malformed);  // -1 - 2^63
  EXPECT_EQ(claims_of("a104f97e00").error(), reason::cwt_claim_malformed);              // NaN
  EXPECT_EQ(claims_of("a104f97e01").error(), reason::cwt_claim_malformed);              // another NaN
  EXPECT_EQ(claims_of("a104fa7f800001").error(), reason::cwt_claim_malformed);          // one that signals
  EXPECT_EQ(claims_of("a104f97c00").error(), reason::cwt_claim_malformed);              // Infinity
  EXPECT_EQ(claims_of("a105f9fc00").error(), reason::cwt_claim_malformed);              // -Infinity
  const WallTime now(std::chrono::seconds(1'700'000'000));
  // 1e300 as exp: never; as nbf: never yet. -1e300 the other way round.
  EXPECT_TRUE(check_times(claims_of("a104fb7e37e43c8800759c").value(), now));
  EXPECT_EQ(check_times(claims_of("a105fb7e37e43c8800759c").value(), now).error(), reason::token_not_yet_valid);
  EXPECT_EQ(check_times(claims_of("a104fbfe37e43c8800759c").value(), now).error(), reason::token_expired);
  EXPECT_TRUE(check_times(claims_of("a105fbfe37e43c8800759c").value(), now));
  EXPECT_EQ(check_times(claims_of("a1043b7fffffffffffffff").value(), now).error(), reason::token_expired);
  EXPECT_EQ(check_times(claims_of("a1051b7fffffffffffffff").value(), now, std::chrono::hours(1)).error(),
            reason::token_not_yet_valid);
}

TEST(CwtClaims, RefusesTaggedValues) {
  EXPECT_EQ(claims_of("a104c11a5612aeb0").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a105c11a5612aeb0").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a106c1fb41d584367c200000").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a101d8206161").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a107d8254161").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a108d83da1034101").error(), reason::cwt_confirmation_malformed);
}

TEST(CwtClaims, RefusesWrongTypes) {
  EXPECT_EQ(claims_of("a10101").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a1024161").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a1046131").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a104f97e00").error(), reason::cwt_claim_malformed) << "NaN";
  EXPECT_EQ(claims_of("a104f97c00").error(), reason::cwt_claim_malformed) << "infinity";
  EXPECT_EQ(claims_of("a1076161").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a10801").error(), reason::cwt_confirmation_malformed);
  EXPECT_EQ(claims_of("a10901").error(), reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a1182661"
                      "61")
                .error(),
            reason::cwt_claim_malformed);
  EXPECT_EQ(claims_of("a1182820").error(), reason::cwt_claim_malformed) << "exi below zero";
}

TEST(CwtClaims, RefusesWhatIsNoMap) {
  EXPECT_EQ(claims_of("80").error(), reason::cwt_malformed);
  EXPECT_EQ(claims_of("00").error(), reason::cwt_malformed);
  EXPECT_FALSE(claims_of(""));
  EXPECT_EQ(claims_of("a0a0").error(), reason::cbor_trailing_bytes);
  EXPECT_EQ(claims_of("a201616101"
                      "6162")
                .error(),
            reason::cbor_duplicate_key);
  EXPECT_EQ(claims_of("a1416101").error(), reason::cwt_claim_malformed);
}

TEST(CwtTimes, ExpiresAtExpAndNotBefore) {
  Claims claims;
  EXPECT_TRUE(check_times(claims, claims_time(0)));
  claims.exp = NumericDate(1000);
  EXPECT_TRUE(check_times(claims, claims_time(999)));
  EXPECT_EQ(check_times(claims, claims_time(1000)).error(), reason::token_expired);
  EXPECT_TRUE(check_times(claims, claims_time(1009), std::chrono::seconds(10)));
  EXPECT_EQ(check_times(claims, claims_time(1010), std::chrono::seconds(10)).error(), reason::token_expired);
}

TEST(CwtTimes, IsNotValidBeforeNbf) {
  Claims claims;
  claims.nbf = NumericDate(1000);
  EXPECT_EQ(check_times(claims, claims_time(999)).error(), reason::token_not_yet_valid);
  EXPECT_TRUE(check_times(claims, claims_time(1000)));
  EXPECT_TRUE(check_times(claims, claims_time(990), std::chrono::seconds(10)));
  EXPECT_EQ(check_times(claims, claims_time(989), std::chrono::seconds(10)).error(), reason::token_not_yet_valid);
}

TEST(CwtTimes, IssuedAtDoesNotJudge) {
  Claims claims;
  claims.iat = NumericDate(5000);
  EXPECT_TRUE(check_times(claims, claims_time(1)));
}

TEST(CwtTimes, CountFractions) {
  Claims claims;
  claims.exp = NumericDate::from_float(1000.5).value();
  EXPECT_TRUE(check_times(claims, claims_time(1000)));
  EXPECT_EQ(check_times(claims, claims_time(1001)).error(), reason::token_expired);
  claims.exp = NumericDate::from_float(1000.0).value();
  EXPECT_EQ(check_times(claims, claims_time(1000)).error(), reason::token_expired);
  claims.exp.reset();
  claims.nbf = NumericDate::from_float(999.5).value();
  EXPECT_EQ(check_times(claims, claims_time(999)).error(), reason::token_not_yet_valid);
  EXPECT_TRUE(check_times(claims, claims_time(1000)));
}

TEST(CwtTimes, SurviveDatesBeyondAllClocks) {
  Claims claims;
  claims.exp = NumericDate::from_float(1e300).value();
  claims.nbf = NumericDate::from_float(-1e300).value();
  EXPECT_TRUE(check_times(claims, claims_time(1'700'000'000), std::chrono::hours(1)));
  claims.exp = NumericDate(std::numeric_limits<std::int64_t>::max());
  claims.nbf = NumericDate(std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(check_times(claims, claims_time(1'700'000'000), std::chrono::hours(1)));
  claims.nbf = NumericDate(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(check_times(claims, claims_time(1'700'000'000)).error(), reason::token_not_yet_valid);
}

}  // namespace
}  // namespace aceward::cwt
