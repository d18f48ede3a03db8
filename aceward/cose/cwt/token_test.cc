#include "aceward/cose/cwt/token.h"

#include <gtest/gtest.h>

#include "aceward/cbor/reasons.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/cwt/rfc8392_figures.h"
#include "aceward/cose/encrypt0.h"
#include "aceward/cose/mac0.h"
#include "aceward/cose/reasons.h"
#include "aceward/cose/sign1.h"
#include "aceward/crypto/openssl/random.h"

namespace aceward::cwt {
namespace {

Bytes token_octets(std::string_view hex) { return from_hex(hex).value(); }

cose::Key figure_key(std::string_view hex) { return cose::Key::parse(token_octets(hex)).value(); }

// Appendix A.2.2's figure in hexadecimal says AES-CCM; its diagnostic notation says HMAC 256/64, which A.4 and A.7 use.
cose::Key mac_figure_key() {
  cose::Key key = figure_key(rfc8392::a_2_2_key);
  key.alg = cose::alg::hmac_256_64;
  return key;
}

// Some keys, each with the issuer it belongs to; given by kid as a real source does.
class TestKeys final : public KeySource {
 public:
  void candidates(const Query& query, std::vector<Candidate>& out) override {
    ++queries;
    last = query.protection;
    const auto fits = [&](const auto& key) {
      return key.kid() && query.kid ? equal(*key.kid(), *query.kid) : !query.kid;
    };
    switch (query.protection) {
      case Protection::signature:
        for (const auto& [key, issuer] : verifying) {
          if (fits(key)) out.push_back({&key, issuer});
        }
        break;
      case Protection::mac:
        for (const auto& [key, issuer] : macs) {
          if (fits(key)) out.push_back({&key, issuer});
        }
        break;
      case Protection::encryption:
        for (const auto& [key, issuer] : contents) {
          if (fits(key)) out.push_back({&key, issuer});
        }
        break;
    }
  }

  static TestKeys of_rfc8392() {
    TestKeys keys;
    keys.verifying.emplace_back(cose::VerifyingKey::from(figure_key(rfc8392::a_2_3_key)).value(), IssuerId(1));
    keys.macs.emplace_back(cose::MacKey::from(mac_figure_key()).value(), IssuerId(2));
    keys.contents.emplace_back(cose::ContentKey::from(figure_key(rfc8392::a_2_1_key)).value(), IssuerId(3));
    return keys;
  }

  std::vector<std::pair<cose::VerifyingKey, IssuerId>> verifying;
  std::vector<std::pair<cose::MacKey, IssuerId>> macs;
  std::vector<std::pair<cose::ContentKey, IssuerId>> contents;
  int queries = 0;
  Protection last = Protection::mac;
};

Claims figure_claims() { return Claims::parse(token_octets(rfc8392::a_1_claims)).value(); }

cose::Key new_key(crypto::Curve curve, Bytes kid) {
  crypto::openssl::SystemRandom random;
  cose::Key key = cose::Key::from_private(crypto::PrivateKey::generate(curve, random).value());
  key.kid = std::move(kid);
  return key;
}

Claims symmetric_claims() {
  Claims claims;
  claims.cnf = Confirmation(cose::Key::symmetric(Secret(Bytes(16, 9))).value());
  return claims;
}

// The octets of `hex` in a COSE message of their own, protected with the keys of RFC 8392.
Bytes signed_octets(BytesView payload) {
  const auto key = cose::SigningKey::from(figure_key(rfc8392::a_2_3_key)).value();
  cose::Headers headers;
  headers.unprotected_map.kid = key.kid();
  return cose::Sign1::create(key, headers, payload).value();
}

TEST(CwtOpen, VerifiesTheSignedTokenOfRfc8392) {
  TestKeys keys = TestKeys::of_rfc8392();
  const auto token = open(token_octets(rfc8392::a_3_signed), keys);
  ASSERT_TRUE(token) << token.error().id();
  EXPECT_EQ(to_hex(token->claims_octets()), rfc8392::a_1_claims);
  EXPECT_EQ(token->claims().sub, "erikw");
  ASSERT_EQ(token->layers().size(), 1U);
  EXPECT_EQ(token->layers()[0].protection, Protection::signature);
  EXPECT_EQ(token->layers()[0].algorithm, cose::alg::es256);
  EXPECT_EQ(as_text(*token->layers()[0].kid), "AsymmetricECDSA256");
  EXPECT_EQ(token->issuer(), IssuerId(1));
  EXPECT_FALSE(token->is_encrypted());
  EXPECT_EQ(to_hex(token->octets()), rfc8392::a_3_signed);
}

TEST(CwtOpen, VerifiesTheMacedTokenOfRfc8392WithItsCwtTag) {
  TestKeys keys = TestKeys::of_rfc8392();
  const auto token = open(token_octets(rfc8392::a_4_maced), keys);
  ASSERT_TRUE(token) << token.error().id();
  EXPECT_EQ(to_hex(token->claims_octets()), rfc8392::a_1_claims);
  EXPECT_EQ(token->layers()[0].protection, Protection::mac);
  EXPECT_EQ(token->issuer(), IssuerId(2));
}

TEST(CwtOpen, DecryptsTheEncryptedTokenOfRfc8392) {
  TestKeys keys = TestKeys::of_rfc8392();
  const auto token = open(token_octets(rfc8392::a_5_encrypted), keys);
  ASSERT_TRUE(token) << token.error().id();
  EXPECT_EQ(to_hex(token->claims_octets()), rfc8392::a_1_claims);
  EXPECT_TRUE(token->is_encrypted());
  EXPECT_EQ(token->issuer(), IssuerId(3));
}

TEST(CwtOpen, OpensTheNestedTokenOfRfc8392) {
  TestKeys keys = TestKeys::of_rfc8392();
  const auto token = open(token_octets(rfc8392::a_6_nested), keys);
  ASSERT_TRUE(token) << token.error().id();
  EXPECT_EQ(to_hex(token->claims_octets()), rfc8392::a_1_claims);
  ASSERT_EQ(token->layers().size(), 2U);
  EXPECT_EQ(token->layers()[0].protection, Protection::encryption);
  EXPECT_EQ(token->layers()[1].protection, Protection::signature);
  EXPECT_EQ(token->issuer(), IssuerId(1)) << "the issuer is who signed the claims";
  EXPECT_TRUE(token->is_encrypted());
}

TEST(CwtOpen, ReadsTheFloatingPointDateOfRfc8392) {
  TestKeys keys = TestKeys::of_rfc8392();
  const auto token = open(token_octets(rfc8392::a_7_float), keys);
  ASSERT_TRUE(token) << token.error().id();
  EXPECT_TRUE(token->claims().iat->is_float());
  EXPECT_EQ(*token->claims().iat, NumericDate::from_float(1443944944.5).value());
}

TEST(CwtMake, ReproducesTheMacedTokensOfRfc8392) {
  const auto key = cose::MacKey::from(mac_figure_key()).value();
  EXPECT_EQ(to_hex(mac(figure_claims(), key, Tagging::cose_and_cwt).value()), rfc8392::a_4_maced);
  Claims claims;
  claims.iat = NumericDate::from_float(1443944944.5).value();
  EXPECT_EQ(to_hex(mac(claims, key).value()), rfc8392::a_7_float);
}

TEST(CwtMake, ReproducesTheEncryptedTokenOfRfc8392) {
  // The random source gives the figure's nonce.
  class FigureNonce final : public Random {
   public:
    void fill(std::span<std::uint8_t> out) override {
      const Bytes nonce = from_hex("99a0d7846e762c49ffe8a63e0b").value();
      ASSERT_EQ(out.size(), nonce.size());
      std::copy(nonce.begin(), nonce.end(), out.begin());
    }
  } random;
  const auto key = cose::ContentKey::from(figure_key(rfc8392::a_2_1_key)).value();
  EXPECT_EQ(to_hex(encrypt(figure_claims(), key, random).value()), rfc8392::a_5_encrypted);
}

TEST(CwtMake, SignsLikeTheFigureUpToTheSignature) {
  const auto key = cose::SigningKey::from(figure_key(rfc8392::a_2_3_key)).value();
  const Bytes token = sign(figure_claims(), key).value();
  const Bytes figure = token_octets(rfc8392::a_3_signed);
  ASSERT_EQ(token.size(), figure.size());
  EXPECT_TRUE(equal(BytesView(token).first(token.size() - 64), BytesView(figure).first(figure.size() - 64)));
  TestKeys keys = TestKeys::of_rfc8392();
  EXPECT_TRUE(open(token, keys));
}

TEST(CwtMake, RoundTripsEveryKindAndTagging) {
  crypto::openssl::SystemRandom random;
  TestKeys keys = TestKeys::of_rfc8392();
  const auto signing = cose::SigningKey::from(figure_key(rfc8392::a_2_3_key)).value();
  const auto& mac_key = keys.macs[0].first;
  const auto& content = keys.contents[0].first;
  for (const Tagging tagging : {Tagging::none, Tagging::cose, Tagging::cose_and_cwt}) {
    const std::pair<Protection, Bytes> tokens[] = {
        {Protection::signature, sign(figure_claims(), signing, tagging).value()},
        {Protection::mac, mac(figure_claims(), mac_key, tagging).value()},
        {Protection::encryption, encrypt(figure_claims(), content, random, tagging).value()},
        {Protection::encryption, sign_then_encrypt(figure_claims(), signing, content, random, tagging).value()},
    };
    for (const auto& [protection, token] : tokens) {
      OpenOptions options;
      if (tagging == Tagging::none) options.untagged = protection;
      const auto opened = open(token, keys, options);
      ASSERT_TRUE(opened) << opened.error().id();
      EXPECT_EQ(to_hex(opened->claims_octets()), rfc8392::a_1_claims);
      EXPECT_EQ(opened->layers()[0].protection, protection);
    }
  }
}

TEST(CwtMake, DrawsANewNonceOf13OctetsForEachToken) {
  crypto::openssl::SystemRandom random;
  const auto key = cose::ContentKey::from(figure_key(rfc8392::a_2_1_key)).value();
  const auto one = cose::Encrypt0::parse(encrypt(figure_claims(), key, random).value()).value();
  const auto two = cose::Encrypt0::parse(encrypt(figure_claims(), key, random).value()).value();
  EXPECT_EQ(one.headers().iv()->size(), 13U);
  EXPECT_NE(*one.headers().iv(), *two.headers().iv());
}

TEST(CwtMake, DoesNotShowASymmetricKey) {
  crypto::openssl::SystemRandom random;
  TestKeys keys = TestKeys::of_rfc8392();
  const auto signing = cose::SigningKey::from(figure_key(rfc8392::a_2_3_key)).value();
  EXPECT_EQ(sign(symmetric_claims(), signing).error(), reason::cwt_key_unprotected);
  EXPECT_EQ(mac(symmetric_claims(), keys.macs[0].first).error(), reason::cwt_key_unprotected);
  const auto encrypted = encrypt(symmetric_claims(), keys.contents[0].first, random);
  ASSERT_TRUE(encrypted);
  EXPECT_TRUE(check_key_protected(*open(*encrypted, keys)));
  const auto nested = sign_then_encrypt(symmetric_claims(), signing, keys.contents[0].first, random);
  ASSERT_TRUE(nested);
  EXPECT_TRUE(check_key_protected(*open(*nested, keys)));
}

TEST(CwtOpen, ShowsThatASymmetricKeyWasReadable) {
  TestKeys keys = TestKeys::of_rfc8392();
  const Bytes token = signed_octets(symmetric_claims().serialize().value().expose());
  const auto opened = open(token, keys);
  ASSERT_TRUE(opened);
  EXPECT_FALSE(opened->is_encrypted());
  EXPECT_EQ(check_key_protected(*opened).error(), reason::cwt_key_unprotected);
  // A token with OSCORE input material holds a secret too (RFC 9203 section 3.2.1).
  EXPECT_EQ(check_key_protected(*open(signed_octets(token_octets("a108a104a0")), keys)).error(),
            reason::cwt_key_unprotected);
  EXPECT_TRUE(check_key_protected(*open(token_octets(rfc8392::a_3_signed), keys)));
}

TEST(CwtOpen, TellsWhichOfTwoIssuersWithOneKidSigned) {
  const cose::Key a = new_key(crypto::Curve::p256, {1});
  const cose::Key b = new_key(crypto::Curve::p256, {1});
  const cose::Key c = new_key(crypto::Curve::ed25519, {1});
  TestKeys keys;
  keys.verifying.emplace_back(cose::VerifyingKey::from(a).value(), IssuerId(10));
  keys.verifying.emplace_back(cose::VerifyingKey::from(b).value(), IssuerId(20));
  keys.verifying.emplace_back(cose::VerifyingKey::from(c).value(), IssuerId(30));
  EXPECT_EQ(open(sign(figure_claims(), cose::SigningKey::from(a).value()).value(), keys)->issuer(), IssuerId(10));
  EXPECT_EQ(open(sign(figure_claims(), cose::SigningKey::from(b).value()).value(), keys)->issuer(), IssuerId(20));
  EXPECT_EQ(open(sign(figure_claims(), cose::SigningKey::from(c).value()).value(), keys)->issuer(), IssuerId(30));
  const cose::Key stranger = new_key(crypto::Curve::p256, {1});
  EXPECT_EQ(open(sign(figure_claims(), cose::SigningKey::from(stranger).value()).value(), keys).error(),
            reason::cwt_verification_failed);
}

TEST(CwtOpen, RefusesWhenNoKeyIsKnown) {
  TestKeys nobody;
  EXPECT_EQ(open(token_octets(rfc8392::a_3_signed), nobody).error(), reason::cwt_key_unknown);
  EXPECT_EQ(nobody.queries, 1);
  EXPECT_EQ(nobody.last, Protection::signature);
  // A key of the right kid and another algorithm is none.
  TestKeys other;
  other.verifying.emplace_back(
      cose::VerifyingKey::from(new_key(crypto::Curve::ed25519, to_bytes("AsymmetricECDSA256"))).value(), IssuerId(1));
  EXPECT_EQ(open(token_octets(rfc8392::a_3_signed), other).error(), reason::cwt_key_unknown);
}

TEST(CwtOpen, PassesOverAKeyOfAnotherKind) {
  // A source that answers a question about signatures with a MAC key.
  class Confused final : public KeySource {
   public:
    explicit Confused(const cose::MacKey& key) : key_(key) {}
    void candidates(const Query&, std::vector<Candidate>& out) override { out.push_back({&key_, IssuerId(1)}); }

   private:
    const cose::MacKey& key_;
  };
  const auto key = cose::MacKey::from(mac_figure_key()).value();
  Confused keys(key);
  EXPECT_EQ(open(token_octets(rfc8392::a_3_signed), keys).error(), reason::cwt_key_unknown);
}

TEST(CwtOpen, TriesABoundedNumberOfKeys) {
  TestKeys keys;
  for (int i = 0; i < 3; ++i) {
    keys.verifying.emplace_back(cose::VerifyingKey::from(new_key(crypto::Curve::p256, {1})).value(), IssuerId(i + 1));
  }
  const cose::Key right = new_key(crypto::Curve::p256, {1});
  keys.verifying.emplace_back(cose::VerifyingKey::from(right).value(), IssuerId(9));
  const Bytes token = sign(figure_claims(), cose::SigningKey::from(right).value()).value();
  EXPECT_EQ(open(token, keys, {.max_candidates = 3}).error(), reason::cwt_verification_failed);
  EXPECT_EQ(open(token, keys, {.max_candidates = 4})->issuer(), IssuerId(9));
}

TEST(CwtOpen, RefusesEveryFlippedOctetOfASignedToken) {
  TestKeys keys = TestKeys::of_rfc8392();
  Bytes token = token_octets(rfc8392::a_3_signed);
  for (std::size_t i = 0; i < token.size(); ++i) {
    token[i] ^= 0x01;
    // The kid is not protected, but finds the key. Octet 7 is its label: without a kid all keys are tried.
    EXPECT_EQ(open(token, keys).has_value(), i == 7) << "octet " << i;
    token[i] ^= 0x01;
  }
}

TEST(CwtOpen, RefusesTheCwtTagWithoutACoseTag) {
  TestKeys keys = TestKeys::of_rfc8392();
  const Bytes tagged = token_octets(rfc8392::a_3_signed);
  Bytes bare = token_octets("d83d");
  bare.insert(bare.end(), tagged.begin() + 1, tagged.end());
  EXPECT_EQ(open(bare, keys).error(), reason::cwt_malformed);
  EXPECT_EQ(open(bare, keys, {.untagged = Protection::signature}).error(), reason::cwt_malformed);
  // 61 twice.
  Bytes twice = token_octets("d83dd83d");
  twice.insert(twice.end(), tagged.begin(), tagged.end());
  EXPECT_EQ(open(twice, keys).error(), reason::cwt_malformed);
  // 61 before a bare claims set.
  EXPECT_EQ(open(token_octets("d83da0"), keys).error(), reason::cwt_malformed);
}

TEST(CwtOpen, TakesTheTypeOfAnUntaggedTokenFromTheContextAlone) {
  TestKeys keys = TestKeys::of_rfc8392();
  const Bytes tagged = token_octets(rfc8392::a_3_signed);
  const Bytes untagged(tagged.begin() + 1, tagged.end());
  EXPECT_EQ(open(untagged, keys).error(), reason::cwt_malformed);
  EXPECT_TRUE(open(untagged, keys, {.untagged = Protection::signature}));
  EXPECT_FALSE(open(untagged, keys, {.untagged = Protection::mac}));
  EXPECT_FALSE(open(untagged, keys, {.untagged = Protection::encryption}));
}

TEST(CwtOpen, RefusesUnprotectedClaims) {
  TestKeys keys = TestKeys::of_rfc8392();
  EXPECT_FALSE(open(token_octets(rfc8392::a_1_claims), keys));
  EXPECT_FALSE(open(token_octets(rfc8392::a_1_claims), keys, {.untagged = Protection::signature}));
  EXPECT_FALSE(open({}, keys));
}

TEST(CwtOpen, RefusesOtherCoseMessages) {
  TestKeys keys = TestKeys::of_rfc8392();
  for (const std::string tag : {"d860", "d861", "d862", "c1"}) {  // COSE_Encrypt, COSE_Mac, COSE_Sign, a date
    EXPECT_EQ(open(token_octets(tag + "8440a04040"), keys).error(), reason::cwt_malformed) << tag;
    EXPECT_EQ(open(token_octets("d83d" + tag + "8440a04040"), keys).error(), reason::cwt_malformed) << tag;
  }
}

TEST(CwtOpen, BoundsTheDepthOfNesting) {
  TestKeys keys = TestKeys::of_rfc8392();
  Bytes token = token_octets(rfc8392::a_1_claims);
  for (std::size_t layers = 1; layers <= 4; ++layers) {
    token = signed_octets(token);
    const auto opened = open(token, keys);
    if (layers <= 3) {
      ASSERT_TRUE(opened);
      EXPECT_EQ(opened->layers().size(), layers);
    } else {
      EXPECT_EQ(opened.error(), reason::cwt_nested_too_deep);
    }
  }
  EXPECT_EQ(open(token_octets(rfc8392::a_6_nested), keys, {.max_layers = 1}).error(), reason::cwt_nested_too_deep);
}

TEST(CwtOpen, VerifiesTheInnerLayerToo) {
  TestKeys keys = TestKeys::of_rfc8392();
  Bytes inner = token_octets(rfc8392::a_3_signed);
  inner.back() ^= 1;
  EXPECT_EQ(open(signed_octets(inner), keys).error(), reason::cwt_verification_failed);
}

TEST(CwtOpen, RefusesAPayloadThatIsNoClaimsSet) {
  TestKeys keys = TestKeys::of_rfc8392();
  EXPECT_EQ(open(signed_octets(token_octets("80")), keys).error(), reason::cwt_malformed);
  EXPECT_FALSE(open(signed_octets({}), keys));
  EXPECT_FALSE(open(signed_octets(token_octets("a001")), keys));
  // A CWT tag within: only COSE tags nest (RFC 8392 section 7.2, step 6).
  Bytes cwt = token_octets("d83d");
  const Bytes inner = token_octets(rfc8392::a_3_signed);
  cwt.insert(cwt.end(), inner.begin(), inner.end());
  EXPECT_EQ(open(signed_octets(cwt), keys).error(), reason::cwt_malformed);
}

TEST(CwtOpen, RefusesTrailingOctetsAtEveryLevel) {
  TestKeys keys = TestKeys::of_rfc8392();
  for (const std::string_view figure : {rfc8392::a_3_signed, rfc8392::a_4_maced, rfc8392::a_5_encrypted}) {
    Bytes token = token_octets(figure);
    token.push_back(0x00);
    EXPECT_EQ(open(token, keys).error(), reason::cbor_trailing_bytes) << figure;
  }
  // Behind the claims set, the nested token, the protected map; all verify.
  Bytes claims = token_octets(rfc8392::a_1_claims);
  claims.push_back(0xa0);
  EXPECT_EQ(open(signed_octets(claims), keys).error(), reason::cbor_trailing_bytes);
  Bytes nested = token_octets(rfc8392::a_3_signed);
  nested.push_back(0xf6);
  EXPECT_EQ(open(signed_octets(nested), keys).error(), reason::cbor_trailing_bytes);
  EXPECT_EQ(open(token_octets("d28444a1012600a041a040"), keys).error(), reason::cbor_trailing_bytes);
}

TEST(CwtOpen, RefusesIndefiniteLengthsAndBombsInWhatVerifies) {
  TestKeys keys = TestKeys::of_rfc8392();
  EXPECT_EQ(open(signed_octets(token_octets("bf0401ff")), keys).error(), reason::cbor_not_preferred);
  EXPECT_EQ(open(signed_octets(token_octets("a1017fff")), keys).error(), reason::cbor_not_preferred);
  EXPECT_EQ(open(signed_octets(token_octets("a118649fff")), keys).error(), reason::cbor_not_preferred);
  EXPECT_EQ(open(token_octets("9f43a10126a041a040ff"), keys, {.untagged = Protection::signature}).error(),
            reason::cose_message_malformed);
  EXPECT_EQ(open(token_octets("d28444bf0126ffa041a040"), keys).error(), reason::cbor_not_preferred);
  // A claim nobody knows: arrays within arrays, tags within tags, counts and lengths at the end of 64 bits.
  for (const std::uint8_t nesting : Bytes{0x81, 0xc1, 0xd8}) {
    Bytes bomb = token_octets("a11864");
    for (int i = 0; i < 4000; ++i) {
      bomb.push_back(nesting);
      if (nesting == 0xd8) bomb.push_back(0x3d);
    }
    bomb.push_back(0x00);
    EXPECT_EQ(open(signed_octets(bomb), keys).error(), reason::cbor_too_deep);
    EXPECT_FALSE(open(bomb, keys));
  }
  for (const std::string head : {"5b", "7b", "9b", "bb"}) {
    for (const std::string count : {"ffffffffffffffff", "fffffffffffffffe", "8000000000000000", "7fffffffffffffff"}) {
      EXPECT_EQ(open(signed_octets(token_octets("a11864" + head + count)), keys).error(), reason::cbor_truncated);
      EXPECT_FALSE(open(token_octets(head + count), keys));
      EXPECT_FALSE(open(token_octets("d284" + head + count), keys));
      EXPECT_FALSE(open(token_octets("d28443a10126" + head + count), keys));
    }
  }
}

TEST(CwtOpen, InsistsOnAProtectedAlgorithmAndKnownCriticalHeaders) {
  TestKeys keys = TestKeys::of_rfc8392();
  EXPECT_EQ(open(token_octets("d28440a1012641a040"), keys).error(), reason::cose_algorithm_missing);
  EXPECT_EQ(open(token_octets("d2844aa3012602811821182101a041a040"), keys).error(), reason::cose_critical_unknown);
  // alg in the bucket that is not protected, beside an empty one in either form; in both buckets; crit unprotected.
  EXPECT_EQ(open(token_octets("d28440a1012641a040"), keys).error(), reason::cose_algorithm_missing);
  EXPECT_EQ(open(token_octets("d28441a0a1012641a040"), keys).error(), reason::cose_algorithm_missing);
  EXPECT_EQ(open(token_octets("d28443a10126a1012641a040"), keys).error(), reason::cose_header_malformed);
  EXPECT_EQ(open(token_octets("d28443a10126a202811821182101"
                              "41a040"),
                 keys)
                .error(),
            reason::cose_header_malformed);
  EXPECT_EQ(keys.queries, 0) << "keys were sought for a message that cannot be accepted";
}

TEST(CwtOpen, BoundsTheSize) {
  TestKeys keys = TestKeys::of_rfc8392();
  EXPECT_EQ(open(Bytes(20000, 0), keys).error(), reason::cwt_malformed);
  EXPECT_EQ(open(token_octets(rfc8392::a_3_signed), keys, {.max_octets = 174}).error(), reason::cwt_malformed);
  EXPECT_TRUE(open(token_octets(rfc8392::a_3_signed), keys, {.max_octets = 175}));
}

TEST(CwtOpen, ReadsNoClock) {
  // The figure's exp passed in 2015; whether that matters is for check_times.
  TestKeys keys = TestKeys::of_rfc8392();
  const auto token = open(token_octets(rfc8392::a_3_signed), keys);
  ASSERT_TRUE(token);
  EXPECT_EQ(check_times(token->claims(), WallTime(std::chrono::seconds(1'700'000'000))).error(), reason::token_expired);
  EXPECT_TRUE(check_times(token->claims(), WallTime(std::chrono::seconds(1'444'000'000))));
}

}  // namespace
}  // namespace aceward::cwt
