#include "aceward/cose/cwt/confirmation.h"

#include <gtest/gtest.h>

#include "aceward/cose/cwt/claims.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/encrypt0.h"
#include "aceward/cose/reasons.h"
#include "aceward/crypto/openssl/random.h"

namespace aceward::cwt {
namespace {

Bytes confirmation_octets(std::string_view hex) { return from_hex(hex).value(); }
Result<Confirmation> confirmation_of(const std::string& hex) { return Confirmation::parse(confirmation_octets(hex)); }

// RFC 8747 section 3.2.
const std::string public_key_3_2 =
    "a401022001215820d7cc072de2205bdc1537a543d53c60a6acb62eccd890c7fa27c9e354089bbe13"
    "225820f95e1d4b851a2cc80fff87d8e23f22afb725d535e515d020731e79a3b4e47120";
// Section 3.3: the key that is encrypted, and what it was encrypted with.
const std::string symmetric_key_3_3 =
    "a301040305205820"
    "6684523ab17337f173500e5728c628547cb37dfe68449c65f885d1b73b49eae1";
constexpr std::string_view wrapping_key_3_3 = "6162630405060708090a0b0c0d0e0f10";
const std::string encrypted_3_3 =
    "8343a1010aa1054d636898994ff0ec7bfcf6d3f95b5830"
    "0573318a3573eb983e55a7c2f06cadd0796c9e584f1d0e3ea8c5b052592a8b2694be9654f0431f38d5bbc8049fa7f13f";

cose::ContentKey wrapping_key(std::string_view hex, cose::Algorithm algorithm = cose::alg::aes_ccm_16_64_128) {
  const auto key = cose::Key::symmetric(Secret(confirmation_octets(hex))).value();
  return cose::ContentKey::from(key, algorithm).value();
}

TEST(CwtConfirmation, HoldsThePublicKeyOfRfc8747) {
  const auto cnf = confirmation_of("a101" + public_key_3_2);
  ASSERT_TRUE(cnf);
  ASSERT_NE(cnf->cose_key(), nullptr);
  EXPECT_EQ(cnf->cose_key()->kty(), cose::kty::ec2);
  EXPECT_EQ(cnf->encrypted_key(), nullptr);
  EXPECT_EQ(cnf->kid(), nullptr);
  EXPECT_EQ(to_hex(cnf->serialize().expose()), "a101" + public_key_3_2);
  EXPECT_EQ(to_hex(cnf->clone().serialize().expose()), "a101" + public_key_3_2);
}

TEST(CwtConfirmation, ReadsTheWholeClaimsSetOfRfc8747) {
  // Section 3.4: iss, aud, exp and a cnf with a kid.
  const auto claims = Claims::parse(confirmation_octets(
      "a40176636f6170733a2f2f61732e6578616d706c652e636f6d03781c636f6170733a2f2f7265736f757263652e6578616d706c652e6f7267"
      "041a51254c2808a10350dfd1aa976d8d4575a0fe34b96de2bfad"));
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->iss, "coaps://as.example.com");
  EXPECT_EQ(claims->exp, NumericDate(1361398824));
  ASSERT_NE(claims->cnf->kid(), nullptr);
  EXPECT_EQ(to_hex(claims->cnf->kid()->value), "dfd1aa976d8d4575a0fe34b96de2bfad");
  EXPECT_FALSE(claims->carries_bare_secret());
}

TEST(CwtConfirmation, ASymmetricKeyOfKidAloneNamesAKeyAsInRfc9202Figure7) {
  const auto figure = confirmation_of("a101a2010402483d027833fc6267ce");
  ASSERT_TRUE(figure);
  EXPECT_EQ(figure->cose_key(), nullptr);
  ASSERT_NE(figure->kid(), nullptr);
  EXPECT_EQ(to_hex(figure->kid()->value), "3d027833fc6267ce");
  EXPECT_EQ(to_hex(figure->serialize().expose()), "a103483d027833fc6267ce");
  // With k it is a key; of another type it is one that lacks its point; with anything else it is more than a name.
  const auto whole = confirmation_of("a101a301040241012050000102030405060708090a0b0c0d0e0f");
  ASSERT_TRUE(whole);
  EXPECT_NE(whole->cose_key(), nullptr);
  EXPECT_FALSE(confirmation_of("a101a20102024101"));
  EXPECT_FALSE(confirmation_of("a101a301040241010301"));
  EXPECT_FALSE(confirmation_of("a101a20104026161"));
  EXPECT_FALSE(confirmation_of("a101a10104"));
  EXPECT_FALSE(confirmation_of("a101a2024101030a")) << "no kty";
  EXPECT_FALSE(confirmation_of("a101a20104030a")) << "no kid";
  EXPECT_EQ(confirmation_of("a201a20104024101034101").error(), reason::cwt_confirmation_malformed);
}

TEST(CwtConfirmation, RefusesTwoKeysInOneCnf) {
  const std::string kid = "034101";
  EXPECT_EQ(confirmation_of("a201" + public_key_3_2 + "02" + encrypted_3_3).error(),
            reason::cwt_confirmation_malformed);
  EXPECT_EQ(confirmation_of("a201" + public_key_3_2 + kid).error(), reason::cwt_confirmation_malformed);
  EXPECT_EQ(confirmation_of("a202" + encrypted_3_3 + kid).error(), reason::cwt_confirmation_malformed);
}

TEST(CwtConfirmation, OscBesideAKeyIsASecondKey) {
  EXPECT_EQ(confirmation_of("a201" + public_key_3_2 + "04a0").error(), reason::cwt_confirmation_malformed);
  EXPECT_EQ(confirmation_of("a202" + encrypted_3_3 + "04a0").error(), reason::cwt_confirmation_malformed);
  EXPECT_EQ(confirmation_of("a204a0034101").error(), reason::cwt_confirmation_malformed) << "in the other order";
}

TEST(CwtConfirmation, KeepsMethodsThatItDoesNotKnow) {
  const auto beside = confirmation_of("a2034101186480");
  ASSERT_TRUE(beside);
  ASSERT_NE(beside->kid(), nullptr);
  EXPECT_NE(beside->other(100), nullptr);
  EXPECT_EQ(to_hex(beside->serialize().expose()), "a2034101186480");
  const auto alone = confirmation_of("a104a0");
  ASSERT_TRUE(alone);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(alone->key));
  EXPECT_NE(alone->other(confirmation_method::osc), nullptr);
  EXPECT_EQ(to_hex(alone->clone().serialize().expose()), "a104a0");
}

TEST(CwtConfirmation, RefusesWrongTypes) {
  EXPECT_EQ(confirmation_of("a0").error(), reason::cwt_confirmation_malformed);
  EXPECT_EQ(confirmation_of("a1036131").error(), reason::cwt_confirmation_malformed);
  EXPECT_FALSE(confirmation_of("a10101"));
  EXPECT_FALSE(confirmation_of("a10201"));
  EXPECT_EQ(confirmation_of("a141"
                            "6101")
                .error(),
            reason::cwt_confirmation_malformed);
  // A COSE_Key without its required members (section 3.2).
  EXPECT_EQ(confirmation_of("a101a10102").error(), reason::cose_key_malformed);
  // COSE_Encrypt, tagged and not.
  EXPECT_EQ(confirmation_of("a102d86084"
                            "40a04080")
                .error(),
            reason::cwt_confirmation_unsupported);
  EXPECT_EQ(confirmation_of("a10284"
                            "40a04080")
                .error(),
            reason::cwt_confirmation_unsupported);
}

TEST(CwtEncryptedKey, DecryptsTheExampleOfRfc8747) {
  const auto cnf = confirmation_of("a102" + encrypted_3_3);
  ASSERT_TRUE(cnf);
  ASSERT_NE(cnf->encrypted_key(), nullptr);
  const auto key = cnf->encrypted_key()->decrypt(wrapping_key(wrapping_key_3_3));
  ASSERT_TRUE(key) << key.error().id();
  EXPECT_EQ(to_hex(key->k()), symmetric_key_3_3.substr(16));
  EXPECT_EQ(key->alg, cose::alg::hmac_256_256);
  EXPECT_EQ(to_hex(cnf->serialize().expose()), "a102" + encrypted_3_3);
}

TEST(CwtEncryptedKey, RoundTripsTaggedAndUntagged) {
  crypto::openssl::SystemRandom random;
  const auto key = cose::Key::parse(confirmation_octets(symmetric_key_3_3)).value();
  const auto wrapping = wrapping_key(wrapping_key_3_3);
  EncryptedKey encrypted = EncryptedKey::encrypt(key, wrapping, random).value();
  EXPECT_TRUE(encrypted.decrypt(wrapping)->same_key(key));
  const EncryptedKey again = EncryptedKey::encrypt(key, wrapping, random).value();
  EXPECT_NE(again.encrypt0, encrypted.encrypt0) << "the nonce was repeated";
  encrypted.encrypt0.insert(encrypted.encrypt0.begin(), 0xd0);
  const Confirmation cnf(std::move(encrypted));
  const auto parsed = Confirmation::parse(cnf.serialize().expose());
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->encrypted_key()->decrypt(wrapping)->same_key(key));
}

TEST(CwtEncryptedKey, IsSymmetric) {
  // RFC 8747 section 3.3. A private key in its place would be one that its holder does not hold alone.
  crypto::openssl::SystemRandom random;
  const auto wrapping = wrapping_key(wrapping_key_3_3);
  const auto own = cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, random).value());
  for (const cose::Key& key : {own.clone(), own.public_part().value()}) {
    EXPECT_EQ(EncryptedKey::encrypt(key, wrapping, random).error(), reason::cwt_confirmation_malformed);
    cose::Headers headers;
    headers.unprotected_map.iv = random.bytes(13);
    const EncryptedKey forced{
        cose::Encrypt0::create(wrapping, std::move(headers), key.serialize().expose(), {.tagged = false}).value()};
    EXPECT_EQ(forced.decrypt(wrapping).error(), reason::cwt_confirmation_malformed);
  }
}

TEST(CwtEncryptedKey, RefusesAnotherKeyAndADamagedOne) {
  EncryptedKey encrypted{confirmation_octets(encrypted_3_3)};
  EXPECT_EQ(encrypted.decrypt(wrapping_key("00000000000000000000000000000000")).error(),
            reason::cose_verification_failed);
  encrypted.encrypt0.back() ^= 1;
  EXPECT_EQ(encrypted.decrypt(wrapping_key(wrapping_key_3_3)).error(), reason::cose_verification_failed);
}

}  // namespace
}  // namespace aceward::cwt
