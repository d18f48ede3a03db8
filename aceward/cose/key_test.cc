#include "aceward/cose/key.h"

#include <gtest/gtest.h>

#include "aceward/cose/reasons.h"
#include "aceward/cose/usable_key.h"

namespace aceward::cose {
namespace {

Bytes cose_key_octets(std::string_view hex) { return from_hex(hex).value(); }

// RFC 9052 appendix C.7: the key with kid "11".
const std::string eleven_x = "bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff";
const std::string eleven_y = "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e";
const std::string eleven_d = "57c92077664146e876760c9520d054aa93c3afb04e306705db6090308507b4d3";
const std::string eleven_public = "a50102024231312001215820" + eleven_x + "225820" + eleven_y;
const std::string eleven_private = "a60102024231312001215820" + eleven_x + "225820" + eleven_y + "235820" + eleven_d;
// RFC 8032 section 7.1, test 1.
const std::string ed25519_x = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const std::string ed25519_d = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
// RFC 8392 appendix A.2.1 and A.2.2 in hexadecimal; note that the second says alg 10.
const std::string symmetric128 = "a42050231f4c4d4d3051fdc2ec0a3851d5b3830104024c53796d6d6574726963313238030a";
const std::string symmetric256 =
    "a4205820403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d795693880104024c53796d6d6574726963323536030a";

Key cose_key(const std::string& hex) { return Key::parse(cose_key_octets(hex)).value(); }
Error cose_key_error(const std::string& hex) { return Key::parse(cose_key_octets(hex)).error(); }

TEST(CoseKey, ReadsAndWritesEc2Keys) {
  const Key key = cose_key(eleven_public);
  EXPECT_EQ(key.kty(), kty::ec2);
  EXPECT_EQ(key.crv(), crv::p256);
  EXPECT_EQ(as_text(*key.kid), "11");
  EXPECT_FALSE(key.has_private());
  EXPECT_EQ(to_hex(key.public_key().value().x()), eleven_x);
  EXPECT_EQ(key.private_key().error(), reason::cose_key_incomplete);
  EXPECT_EQ(to_hex(key.serialize().expose()), eleven_public);

  const Key own = cose_key(eleven_private);
  EXPECT_TRUE(own.has_private());
  EXPECT_EQ(to_hex(own.private_key().value().d().expose()), eleven_d);
  EXPECT_EQ(to_hex(own.serialize().expose()), eleven_private);
  EXPECT_EQ(to_hex(own.public_part().value().serialize().expose()), eleven_public) << "the public part leaks d";
}

TEST(CoseKey, ReadsAndWritesOkpKeys) {
  const std::string text = "a401012006215820" + ed25519_x + "235820" + ed25519_d;
  const Key key = cose_key(text);
  EXPECT_EQ(key.kty(), kty::okp);
  EXPECT_EQ(key.crv(), crv::ed25519);
  EXPECT_EQ(to_hex(key.serialize().expose()), text);
  const Key agreement = cose_key("a301012004215820" + std::string(62, '0') + "09");
  EXPECT_EQ(agreement.crv(), crv::x25519);
  EXPECT_EQ(SigningKey::from(agreement).error(), reason::cose_key_incomplete);
}

TEST(CoseKey, ReadsAndWritesSymmetricKeysInDeterministicOrder) {
  const Key key = cose_key(symmetric128);
  EXPECT_TRUE(key.is_symmetric());
  EXPECT_EQ(key.kty(), kty::symmetric);
  EXPECT_EQ(to_hex(key.k()), "231f4c4d4d3051fdc2ec0a3851d5b383");
  EXPECT_EQ(key.alg, alg::aes_ccm_16_64_128);
  EXPECT_EQ(to_hex(key.serialize().expose()),
            "a40104024c53796d6d6574726963313238030a2050231f4c4d4d3051fdc2ec0a3851d5b383");
  EXPECT_EQ(key.public_part().error(), reason::cose_key_incomplete);
}

TEST(CoseKey, AcceptsACompressedPoint) {
  // y ends in an even octet, so its sign is false.
  const Key key = cose_key("a401022001215820" + eleven_x + "22f4");
  EXPECT_EQ(to_hex(key.public_key().value().y()), eleven_y);
  EXPECT_NE(cose_key("a401022001215820" + eleven_x + "22f5").public_key().value(), key.public_key().value());
}

TEST(CoseKey, ComputesThePublicKeyWhenOnlyDIsThere) {
  EXPECT_EQ(to_hex(cose_key("a301022001235820" + eleven_d).public_key().value().x()), eleven_x);
  EXPECT_EQ(to_hex(cose_key("a301012006235820" + ed25519_d).public_key().value().x()), ed25519_x);
}

TEST(CoseKey, KeepsUnknownMembersAndAllCommonOnes) {
  // kty, kid, alg, key_ops [1, 2], Base IV, crv, x, y, "note": [1].
  const std::string full =
      "a9"
      "0102"
      "02423131"
      "0326"
      "04820102"
      "0542aabb"
      "2001"
      "215820" +
      eleven_x + "225820" + eleven_y + "646e6f74658101";
  const Key key = cose_key(full);
  EXPECT_EQ(key.alg, alg::es256);
  EXPECT_EQ(key.key_ops, (std::vector<KeyOperation>{key_op::sign, key_op::verify}));
  EXPECT_EQ(to_hex(*key.base_iv), "aabb");
  ASSERT_EQ(key.others.size(), 1U);
  EXPECT_EQ(key.others[0], (Member{Label(std::string("note")), {0x81, 0x01}}));
  EXPECT_EQ(to_hex(key.serialize().expose()), full);
  EXPECT_EQ(to_hex(key.clone().serialize().expose()), full);
}

TEST(CoseKey, RefusesMissingMembers) {
  EXPECT_EQ(cose_key_error("a0"), reason::cose_key_malformed);
  EXPECT_EQ(cose_key_error("a12050231f4c4d4d3051fdc2ec0a3851d5b383"), reason::cose_key_malformed);  // kty
  EXPECT_EQ(cose_key_error("a10104"), reason::cose_key_malformed);                                  // k
  EXPECT_EQ(cose_key_error("a2010420"
                           "40"),
            reason::cose_key_malformed);                                                 // k empty
  EXPECT_EQ(cose_key_error("a10102"), reason::cose_key_malformed);                       // crv
  EXPECT_EQ(cose_key_error("a201022001"), reason::cose_key_malformed);                   // x, y
  EXPECT_EQ(cose_key_error("a301022001215820" + eleven_x), reason::cose_key_malformed);  // y
  EXPECT_EQ(cose_key_error("a301022001225820" + eleven_y), reason::cose_key_malformed);  // x
  EXPECT_EQ(cose_key_error("a201012006"), reason::cose_key_malformed);                   // x
}

TEST(CoseKey, RefusesWrongLengthsAndPoints) {
  // A leading zero octet must not be dropped or added (RFC 9053 section 7.1.1).
  EXPECT_EQ(cose_key_error("a40102200121581f" + eleven_x.substr(2) + "225820" + eleven_y), reason::cose_key_malformed);
  EXPECT_EQ(cose_key_error("a40102200121582100" + eleven_x + "225820" + eleven_y), reason::cose_key_malformed);
  EXPECT_EQ(cose_key_error("a401022001215820" + eleven_x + "22582100" + eleven_y), reason::cose_key_malformed);
  EXPECT_EQ(cose_key_error("a401022001215820" + eleven_y + "225820" + eleven_x), reason::cose_key_malformed);
  EXPECT_EQ(cose_key_error("a401022001215820" + eleven_x + "2201"), reason::cose_key_malformed);
  EXPECT_EQ(cose_key_error("a301012006"
                           "21581f" +
                           ed25519_x.substr(2)),
            reason::cose_key_malformed);
  // d of another key than x and y.
  EXPECT_EQ(cose_key_error("a501022001215820" + eleven_x + "225820" + eleven_y + "235820" + ed25519_d),
            reason::cose_key_malformed);
  // An OKP curve in an EC2 key, and the reverse.
  EXPECT_EQ(cose_key_error("a401022006215820" + eleven_x + "225820" + eleven_y), reason::cose_key_malformed);
  EXPECT_EQ(cose_key_error("a301012001215820" + eleven_x), reason::cose_key_malformed);
}

TEST(CoseKey, RefusesWrongTypesDuplicatesAndTrailingOctets) {
  EXPECT_EQ(cose_key_error("a201042001"), reason::cose_key_malformed);  // k an integer
  EXPECT_EQ(cose_key_error("a301040262313120"
                           "4101"),
            reason::cose_key_malformed);  // kid text
  EXPECT_EQ(cose_key_error("a30104048020"
                           "4101"),
            reason::cose_key_malformed);  // key_ops empty
  EXPECT_EQ(cose_key_error("a30104040120"
                           "4101"),
            reason::cose_key_malformed);  // key_ops no array
  EXPECT_EQ(cose_key_error("a3010440002041"
                           "01"),
            reason::cose_key_malformed);  // a label of bytes
  EXPECT_FALSE(
      Key::parse(cose_key_octets("a3010401042041"
                                 "01")));  // kty twice
  EXPECT_FALSE(
      Key::parse(cose_key_octets("a201042041"
                                 "0100")));  // an octet too many
  EXPECT_TRUE(Key::parse(cose_key_octets("a20104204101")));
}

TEST(CoseKey, SaysWhatItDoesNotSupport) {
  EXPECT_EQ(cose_key_error("a10103"), reason::cose_key_unsupported);  // RSA
  EXPECT_EQ(cose_key_error("a10164"
                           "6e616d65"),
            reason::cose_key_unsupported);  // a key type of text
  EXPECT_EQ(cose_key_error("a4010220022141012241"
                           "02"),
            reason::cose_key_unsupported);  // P-384
  EXPECT_EQ(cose_key_error("a3010120072141"
                           "01"),
            reason::cose_key_unsupported);  // Ed448
}

TEST(CoseKey, ComparesTheKeyAndNotItsNames) {
  Key renamed = cose_key(eleven_public);
  renamed.kid = Bytes{1, 2, 3};
  EXPECT_TRUE(renamed.same_key(cose_key(eleven_public)));
  EXPECT_FALSE(renamed.same_key(cose_key(eleven_private)));
  EXPECT_TRUE(renamed.same_key(cose_key(eleven_private).public_part().value()));
  EXPECT_FALSE(cose_key(symmetric128).same_key(cose_key(symmetric256)));
  EXPECT_TRUE(cose_key(symmetric256).same_key(cose_key(symmetric256)));
  EXPECT_FALSE(cose_key(symmetric128).same_key(renamed));
}

TEST(CoseKey, ThumbprintIsThatOfRfc9679) {
  // RFC 9679 section 6, over the key "meriadoc.brandybuck@buckland.example" of RFC 9052 appendix C.7.1.
  const std::string x = "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d";
  const std::string y = "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c";
  const std::string expected = "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec";
  EXPECT_EQ(to_hex(cose_key("a401022001215820" + x + "225820" + y).thumbprint()), expected);
  // A compressed point, a kid and a private key do not change it.
  EXPECT_EQ(to_hex(cose_key("a50102024101200121"
                            "5820" +
                            x + "22f4")
                       .thumbprint()),
            expected);
  EXPECT_EQ(cose_key(eleven_private).thumbprint(), cose_key(eleven_public).thumbprint());
  EXPECT_NE(cose_key(symmetric128).thumbprint(), cose_key(symmetric256).thumbprint());
}

TEST(CoseKeyUse, IsRefusedAgainstItsAlgorithm) {
  Key key = cose_key(eleven_private);
  EXPECT_TRUE(SigningKey::from(key));
  key.alg = alg::eddsa;
  EXPECT_EQ(SigningKey::from(key).error(), reason::cose_key_restricted);
  EXPECT_EQ(SigningKey::from(key, alg::es256).error(), reason::cose_key_restricted);
  EXPECT_EQ(VerifyingKey::from(key, alg::es256).error(), reason::cose_key_restricted);
  // The hexadecimal of RFC 8392 appendix A.2.2 says AES-CCM, though the appendix uses the key for HMAC.
  EXPECT_EQ(MacKey::from(cose_key(symmetric256), alg::hmac_256_64).error(), reason::cose_key_restricted);
  EXPECT_TRUE(ContentKey::from(cose_key(symmetric128)));
  EXPECT_EQ(ContentKey::from(cose_key(symmetric128), alg::aes_ccm_16_128_128).error(), reason::cose_key_restricted);
}

TEST(CoseKeyUse, IsRefusedAgainstItsOperations) {
  Key key = cose_key(eleven_private);
  key.key_ops = {key_op::verify};
  EXPECT_EQ(SigningKey::from(key).error(), reason::cose_key_restricted);
  EXPECT_TRUE(VerifyingKey::from(key));
  key.key_ops = {key_op::sign};
  EXPECT_TRUE(SigningKey::from(key));
  EXPECT_EQ(VerifyingKey::from(key).error(), reason::cose_key_restricted);
  key.key_ops = {key_op::derive_key};
  EXPECT_EQ(SigningKey::from(key).error(), reason::cose_key_restricted);

  Key secret = Key::symmetric(Secret(Bytes(16, 1))).value();
  secret.key_ops = {key_op::mac_create};
  const auto mac = MacKey::from(secret, alg::hmac_256_256);
  ASSERT_TRUE(mac);
  EXPECT_TRUE(mac->may_create());
  EXPECT_FALSE(mac->may_verify());
  EXPECT_EQ(ContentKey::from(secret, alg::aes_ccm_16_64_128).error(), reason::cose_key_restricted);
  secret.key_ops = {key_op::unwrap_key};
  const auto content = ContentKey::from(secret, alg::aes_ccm_16_64_128);
  ASSERT_TRUE(content);
  EXPECT_TRUE(content->may_decrypt());
  EXPECT_FALSE(content->may_encrypt());
}

TEST(CoseKeyUse, IsRefusedForAnotherKeyType) {
  EXPECT_EQ(SigningKey::from(cose_key(eleven_private), alg::eddsa).error(), reason::cose_key_restricted);
  EXPECT_EQ(MacKey::from(cose_key(eleven_private), alg::hmac_256_256).error(), reason::cose_key_restricted);
  EXPECT_EQ(ContentKey::from(cose_key(eleven_private), alg::aes_ccm_16_64_128).error(), reason::cose_key_restricted);
  const Key secret = Key::symmetric(Secret(Bytes(16, 1))).value();
  EXPECT_EQ(VerifyingKey::from(secret, alg::es256).error(), reason::cose_key_restricted);
  EXPECT_EQ(MacKey::from(secret).error(), reason::cose_key_incomplete) << "a symmetric key's algorithm was guessed";

  // RFC 9053 section 3.1: the length must be appropriate. Whoever guesses a short key makes any token.
  EXPECT_EQ(MacKey::from(Key::symmetric(Secret(Bytes(15, 1))).value(), alg::hmac_256_64).error(),
            reason::cose_key_malformed);
  EXPECT_TRUE(MacKey::from(Key::symmetric(Secret(Bytes(16, 1))).value(), alg::hmac_256_64));
  EXPECT_EQ(ContentKey::from(secret, alg::aes_ccm_16_64_256).error(), reason::cose_key_malformed);
  EXPECT_EQ(ContentKey::from(secret, Algorithm(999)).error(), reason::cose_algorithm_unsupported);
  EXPECT_EQ(SigningKey::from(cose_key(eleven_public)).error(), reason::cose_key_incomplete);
}

}  // namespace
}  // namespace aceward::cose
