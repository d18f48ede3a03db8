// Tokens that nobody can change into others that verify too (RFC 9770 sections 3 and 14.6).
#include "aceward/cose/cwt/one_form.h"

#include <gtest/gtest.h>

#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/cwt/rfc8392_figures.h"
#include "aceward/cose/cwt/token.h"
#include "aceward/cose/encrypt0.h"
#include "aceward/cose/sign1.h"

namespace aceward::cwt {
namespace {

struct OneKind {
  SeededRandom random{109};
  cose::Key signing = cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, random).value());
  cose::Key shared = cose::Key::symmetric(Secret(Bytes(16, 7))).value();
  Claims claims;

  OneKind() {
    signing.kid = Bytes{1};
    shared.kid = Bytes{2};
    claims.iss = "as";
  }
  Bytes sign(Tagging tagging = Tagging::one_form) {
    return cwt::sign(claims, cose::SigningKey::from(signing).value(), tagging).value();
  }
  Bytes encrypt(Tagging tagging = Tagging::one_form) {
    const auto key = cose::ContentKey::from(shared, cose::alg::aes_ccm_16_64_128).value();
    return cwt::encrypt(claims, key, random, tagging).value();
  }
  /// The other signature of the same message: (r, n - s).
  static Bytes with_other_s(Bytes token) {
    const Bytes order = from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").value();
    int borrow = 0;
    for (std::size_t i = 32; i-- > 0;) {
      std::uint8_t& octet = token[token.size() - 32 + i];
      const int difference = order[i] - octet - borrow;
      borrow = difference < 0 ? 1 : 0;
      octet = static_cast<std::uint8_t>(difference & 0xff);
    }
    return token;
  }
};

TEST(CwtOneForm, TokensAreTaggedTwiceAndHaveNothingUnprotected) {
  OneKind one;
  EXPECT_TRUE(to_hex(one.sign()).starts_with("d83dd28446a20126044101a0"));
  EXPECT_TRUE(to_hex(one.encrypt()).starts_with("d83dd08355a3"));
  EXPECT_TRUE(check_one_form(one.sign()));
  EXPECT_TRUE(check_one_form(one.encrypt()));
}

TEST(CwtOneForm, TheSignatureIsTheOneWithTheSmallerS) {
  OneKind one;
  const auto key = cose::VerifyingKey::from(one.signing.public_part().value()).value();
  for (int i = 0; i < 32; ++i) {
    one.claims.exi = i;
    const Bytes token = one.sign();
    ASSERT_TRUE(check_one_form(token));
    const Bytes other = OneKind::with_other_s(token);
    // Whoever holds the token can make this one, and it verifies.
    for (const Bytes* form : {&token, &other}) {
      const auto message = cose::Sign1::parse(BytesView(*form).subspan(2)).value();
      EXPECT_TRUE(message.verify(key));
    }
    EXPECT_EQ(check_one_form(other).error(), reason::cwt_alterable);
  }
}

TEST(CwtOneForm, OtherFormsAreRefused) {
  OneKind one;
  EXPECT_EQ(check_one_form(one.sign(Tagging::cose)).error(), reason::cwt_alterable);
  EXPECT_EQ(check_one_form(one.sign(Tagging::cose_and_cwt)).error().detail(), "unprotected header");
  EXPECT_EQ(check_one_form(one.encrypt(Tagging::cose_and_cwt)).error().detail(), "unprotected header");
  EXPECT_EQ(check_one_form(one.sign(Tagging::none)).error(), reason::cwt_alterable);
  const Bytes token = one.sign();
  Bytes longer_tag = token;
  longer_tag[2] = 0xd8;  // 18 in two octets
  longer_tag.insert(longer_tag.begin() + 3, 0x12);
  EXPECT_EQ(check_one_form(longer_tag).error().detail(), "encoding");
  Bytes twice{0xd8, 0x3d};
  twice.insert(twice.end(), token.begin(), token.end());
  EXPECT_EQ(check_one_form(twice).error(), reason::cwt_alterable);
  Bytes wrong_tag = one.encrypt();
  wrong_tag[2] = 0xd2;
  EXPECT_EQ(check_one_form(wrong_tag).error().detail(), "COSE tag");
  Bytes trailing = token;
  trailing.push_back(0);
  EXPECT_EQ(check_one_form(trailing).error(), reason::cwt_alterable);
  for (std::size_t length = 0; length < token.size(); ++length)
    EXPECT_FALSE(check_one_form(BytesView(token).first(length)));
}

TEST(CwtOneForm, TheTokenInFigure2OfTheDraftIsOfIt) {
  EXPECT_TRUE(check_one_form(
      from_hex(
          "d83dd0835820a3010a044c53796d6d6574726963313238054d99a0d7846e762c49ffe8a63e0ba05858b918a11fd81e438b7f973d"
          "9e2e119bcb22424ba0f38a80f27562f400ee1d0d6c0fdb559c02421fd384fc2ebe22d7071378b0ea7428fff157444d45f7e6af"
          "cda1aae5f6495830c58627087fc5b4974f319a8707a635dd643b")
          .value()));
}

}  // namespace
}  // namespace aceward::cwt
