#include "aceward/crypto/signature.h"

#include <gtest/gtest.h>

#include "aceward/crypto/openssl/random.h"
#include "aceward/crypto/reasons.h"

namespace aceward::crypto {
namespace {

Bytes signature_octets(std::string_view hex) { return from_hex(hex).value(); }

// RFC 6979 appendix A.2.5.
constexpr std::string_view ecdsa_private = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
constexpr std::string_view ecdsa_x = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
constexpr std::string_view ecdsa_y = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
constexpr std::string_view ecdsa_sample =
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
constexpr std::string_view ecdsa_test =
    "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
    "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083";

TEST(Es256, VerifiesTheSignaturesOfRfc6979) {
  const auto key = PublicKey::p256(signature_octets(ecdsa_x), signature_octets(ecdsa_y)).value();
  EXPECT_EQ(PrivateKey::from_octets(Curve::p256, signature_octets(ecdsa_private)).value().public_key(), key);
  const auto verifier = make_verifier(key).value();
  EXPECT_EQ(verifier->algorithm(), SignatureAlgorithm::es256);
  EXPECT_TRUE(verifier->verify(as_bytes("sample"), signature_octets(ecdsa_sample)));
  EXPECT_TRUE(verifier->verify(as_bytes("test"), signature_octets(ecdsa_test)));
  EXPECT_EQ(verifier->verify(as_bytes("test"), signature_octets(ecdsa_sample)).error(),
            reason::crypto_authentication_failed);
}

TEST(Es256, RefusesWrongLengthsZerosAndDer) {
  const auto key = PublicKey::p256(signature_octets(ecdsa_x), signature_octets(ecdsa_y)).value();
  const auto verifier = make_verifier(key).value();
  Bytes longer = signature_octets(ecdsa_sample);
  longer.push_back(0);
  const Bytes shorter(longer.begin(), longer.begin() + 63);
  EXPECT_FALSE(verifier->verify(as_bytes("sample"), longer));
  EXPECT_FALSE(verifier->verify(as_bytes("sample"), shorter));
  EXPECT_FALSE(verifier->verify(as_bytes("sample"), {}));
  EXPECT_FALSE(verifier->verify(as_bytes("sample"), Bytes(64)));
  EXPECT_FALSE(verifier->verify(as_bytes("sample"), Bytes(64, 0xff)));
  Bytes der = signature_octets("3046022100");
  der.insert(der.end(), longer.begin(), longer.begin() + 32);
  der.insert(der.end(), {0x02, 0x21, 0x00});
  der.insert(der.end(), longer.begin() + 32, longer.begin() + 64);
  EXPECT_FALSE(verifier->verify(as_bytes("sample"), der));
}

TEST(Es256, SignsWithAKeptKeyWhatItsPublicKeyVerifies) {
  const auto key = PrivateKey::from_octets(Curve::p256, signature_octets(ecdsa_private)).value();
  const auto signer = make_signer(key).value();
  const auto verifier = make_verifier(key.public_key()).value();
  for (int i = 0; i < 20; ++i) {
    const std::string message(static_cast<std::size_t>(i), 'm');
    const Bytes signature = signer->sign(as_bytes(message)).value();
    ASSERT_EQ(signature.size(), 64U);
    EXPECT_TRUE(verifier->verify(as_bytes(message), signature));
    EXPECT_FALSE(verifier->verify(as_bytes(message + "x"), signature));
  }
}

struct Ed25519Case {
  std::string_view secret;
  std::string_view message;
  std::string_view signature;
};

TEST(Ed25519, SignsAsRfc8032) {
  // Section 7.1, tests 1 to 3.
  constexpr Ed25519Case cases[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
       "24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302a"
       "eeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed2"
       "8dc027beceea1ec40a"},
  };
  for (const Ed25519Case& one : cases) {
    const auto key = PrivateKey::from_octets(Curve::ed25519, signature_octets(one.secret)).value();
    const Bytes message = signature_octets(one.message);
    EXPECT_EQ(to_hex(make_signer(key).value()->sign(message).value()), one.signature);
    const auto verifier = make_verifier(key.public_key()).value();
    Bytes signature = signature_octets(one.signature);
    EXPECT_TRUE(verifier->verify(message, signature));
    signature[5] ^= 1;
    EXPECT_FALSE(verifier->verify(message, signature));
    signature[5] ^= 1;
    signature.push_back(0);
    EXPECT_FALSE(verifier->verify(message, signature));
  }
}

TEST(Signer, IsNotMadeOfAnAgreementKey) {
  openssl::SystemRandom random;
  const auto key = PrivateKey::generate(Curve::x25519, random).value();
  EXPECT_EQ(make_signer(key).error(), reason::crypto_key_unsuitable);
  EXPECT_EQ(make_verifier(key.public_key()).error(), reason::crypto_key_unsuitable);
}

}  // namespace
}  // namespace aceward::crypto
