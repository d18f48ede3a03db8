#include "aceward/crypto/encoding.h"

#include <gtest/gtest.h>

#include "aceward/crypto/reasons.h"

namespace aceward::crypto {
namespace {

Bytes encoding_octets(std::string_view hex) { return from_hex(hex).value(); }

// RFC 8410 sections 10.1 and 10.3.
constexpr std::string_view rfc8410_public =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view rfc8410_private =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "-----END PRIVATE KEY-----\n";

// Made by another tool from the key pair of RFC 6979 appendix A.2.5.
constexpr std::string_view p256_x = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
constexpr std::string_view p256_y = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
constexpr std::string_view p256_d = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
constexpr std::string_view p256_public_pem = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7
Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==
-----END PUBLIC KEY-----
)";
constexpr std::string_view p256_private_pem = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX
Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth
+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ
-----END PRIVATE KEY-----
)";
constexpr std::string_view rsa_public_pem = R"(-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC23V6btZzVwj8rkUHUJPUReIOl
zcnlWeuMMf77Fuq/5DCzB3sEtWQxS+OZIyUEcuCO3g1L0yF4gtr05JmU0vHDK+S0
rSYTUW74MfyQjnOwzatKCmxcRJHClegqnuazNh4qJDvzP+4vg32pNe5Q6ehxu9Cn
P/w0/6zX2k438T9WJwIDAQAB
-----END PUBLIC KEY-----
)";
constexpr std::string_view p384_private_pem = R"(-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMDmhZANiAAToa5leNQ5N
MSqVprfV2M3NtGgvWIgAoc1sly4dyypaw42QBGlRsDzLOxeaif2oixtIW58sH0Sw
3UHObjw6aQu/qr7B4f9K77JGH92mYpvsvUPPdME9jBoWJWEiQ/AEYUg=
-----END PRIVATE KEY-----
)";

PrivateKey p256_key() { return PrivateKey::from_octets(Curve::p256, encoding_octets(p256_d)).value(); }

TEST(KeyEncoding, WritesAndReadsTheExamplesOfRfc8410) {
  const auto key = private_key_from_pem(rfc8410_private);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->curve(), Curve::ed25519);
  EXPECT_EQ(as_text(private_key_pem(*key).expose()), rfc8410_private);
  EXPECT_EQ(public_key_pem(key->public_key()), rfc8410_public);
  EXPECT_EQ(public_key_from_pem(rfc8410_public).value(), key->public_key());
}

TEST(KeyEncoding, WritesP256AsOtherToolsDo) {
  const auto key = p256_key();
  EXPECT_EQ(public_key_pem(key.public_key()), p256_public_pem);
  EXPECT_EQ(as_text(private_key_pem(key).expose()), p256_private_pem);
  EXPECT_TRUE(private_key_from_pem(p256_private_pem).value().d().equals(key.d()));
  EXPECT_EQ(public_key_from_pem(p256_public_pem).value(), key.public_key());
  EXPECT_EQ(spki_der(key.public_key()).size(), 91U);
}

TEST(KeyEncoding, RoundTripsEveryCurve) {
  SeededRandom random(7);
  for (const Curve curve : {Curve::p256, Curve::ed25519, Curve::x25519}) {
    const auto key = PrivateKey::generate(curve, random).value();
    EXPECT_EQ(public_key_from_spki(spki_der(key.public_key())).value(), key.public_key());
    EXPECT_TRUE(private_key_from_pkcs8(pkcs8_der(key).expose()).value().d().equals(key.d()));
  }
}

TEST(KeyEncoding, ReadsCompressedSpki) {
  Bytes der = encoding_octets("3039301306072a8648ce3d020106082a8648ce3d03010703220003");
  const Bytes x = encoding_octets(p256_x);
  der.insert(der.end(), x.begin(), x.end());
  EXPECT_EQ(to_hex(public_key_from_spki(der).value().y()), p256_y);
  der[26] = 0x05;
  EXPECT_EQ(public_key_from_spki(der).error(), reason::crypto_encoding_malformed);
}

TEST(KeyEncoding, RefusesTrailingOctetsTruncationAndOffCurvePoints) {
  const auto key = p256_key();
  Bytes spki = spki_der(key.public_key());
  spki.push_back(0);
  EXPECT_EQ(public_key_from_spki(spki).error(), reason::crypto_encoding_malformed);
  spki.resize(90);
  EXPECT_EQ(public_key_from_spki(spki).error(), reason::crypto_encoding_malformed);
  EXPECT_EQ(public_key_from_spki({}).error(), reason::crypto_encoding_malformed);
  spki = spki_der(key.public_key());
  spki.back() ^= 1;
  EXPECT_EQ(public_key_from_spki(spki).error(), reason::crypto_key_invalid);

  Bytes pkcs8 = to_bytes(pkcs8_der(key).expose());
  pkcs8.push_back(0);
  EXPECT_EQ(private_key_from_pkcs8(pkcs8).error(), reason::crypto_encoding_malformed);
  EXPECT_EQ(private_key_from_pkcs8({}).error(), reason::crypto_encoding_malformed);
}

TEST(KeyEncoding, RefusesPemWithoutAKeyInIt) {
  const auto armored = [](std::string_view body) {
    return "-----BEGIN PRIVATE KEY-----" + std::string(body) + "-----END PRIVATE KEY-----\n";
  };
  for (const std::string_view body :
       {"", "\n", "\n\n \t", "\nMA==\n", "\nMA=\n", "\nM\n", "\n====\n", "\nMIG\xc3(\n"}) {
    EXPECT_EQ(private_key_from_pem(armored(body)).error(), reason::crypto_encoding_malformed) << body;
  }
  EXPECT_EQ(private_key_from_pem("").error(), reason::crypto_encoding_malformed);
  EXPECT_EQ(private_key_from_pem("-----BEGIN PRIVATE KEY-----").error(), reason::crypto_encoding_malformed);
  EXPECT_EQ(private_key_from_pem("-----END PRIVATE KEY----------BEGIN PRIVATE KEY-----").error(),
            reason::crypto_encoding_malformed);
  // A public key is none, and the other way round.
  EXPECT_FALSE(private_key_from_pem(public_key_pem(p256_key().public_key())));
  EXPECT_FALSE(public_key_from_pem(as_text(private_key_pem(p256_key()).expose())));
}

TEST(KeyEncoding, TellsOtherKindsOfKeyFromNonsense) {
  EXPECT_EQ(public_key_from_pem(rsa_public_pem).error(), reason::crypto_key_unsuitable);
  EXPECT_EQ(private_key_from_pem(p384_private_pem).error(), reason::crypto_key_unsuitable);
  EXPECT_EQ(public_key_from_pem("hello").error(), reason::crypto_encoding_malformed);
  EXPECT_EQ(public_key_from_pem(rfc8410_private).error(), reason::crypto_encoding_malformed);
  EXPECT_EQ(private_key_from_pem("-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----\n").error(),
            reason::crypto_encoding_malformed);
  EXPECT_EQ(private_key_from_pem("-----BEGIN PRIVATE KEY-----\nMC4C").error(), reason::crypto_encoding_malformed);
}

}  // namespace
}  // namespace aceward::crypto
