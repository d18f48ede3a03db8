#include "aceward/crypto/hash.h"

#include <gtest/gtest.h>

#include "aceward/crypto/hkdf.h"
#include "aceward/crypto/mac.h"
#include "aceward/crypto/reasons.h"

namespace aceward::crypto {
namespace {

Bytes hash_octets(std::string_view hex) { return from_hex(hex).value(); }

TEST(Hash, DigestsAbc) {
  // FIPS 180-4's example message.
  const BytesView abc = as_bytes("abc");
  EXPECT_EQ(to_hex(digest(HashAlgorithm::sha256, abc)),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(digest(HashAlgorithm::sha384, abc)),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(to_hex(digest(HashAlgorithm::sha512, abc)),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423"
            "643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(to_hex(sha256(abc)), to_hex(digest(HashAlgorithm::sha256, abc)));
}

TEST(Hash, FedInPiecesPeeksAndStartsAnew) {
  const auto hash = make_hash(HashAlgorithm::sha256);
  hash->update(as_bytes("a"));
  EXPECT_EQ(hash->peek(), digest(HashAlgorithm::sha256, as_bytes("a")));
  hash->update(as_bytes("bc"));
  Bytes out(32);
  hash->finish(out);
  EXPECT_EQ(out, digest(HashAlgorithm::sha256, as_bytes("abc")));
  hash->finish(out);
  EXPECT_EQ(out, digest(HashAlgorithm::sha256, {}));
}

TEST(Hmac, MatchesRfc4231) {
  // RFC 4231 section 4.3 (test case 2) and 4.7 (test case 6, a key longer than a block).
  const BytesView key = as_bytes("Jefe");
  const BytesView data = as_bytes("what do ya want for nothing?");
  EXPECT_EQ(to_hex(hmac(HashAlgorithm::sha256, key, data)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac(HashAlgorithm::sha384, key, data)),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
  EXPECT_EQ(to_hex(hmac(HashAlgorithm::sha512, key, data)),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a3"
            "4d4a6b4b636e070a38bce737");
  const Bytes long_key(131, 0xaa);
  const BytesView long_data = as_bytes("Test Using Larger Than Block-Size Key - Hash Key First");
  EXPECT_EQ(to_hex(hmac(HashAlgorithm::sha256, long_key, long_data)),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(to_hex(hmac(HashAlgorithm::sha384, long_key, long_data)),
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952");
  EXPECT_EQ(to_hex(hmac(HashAlgorithm::sha512, long_key, long_data)),
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73"
            "f63f0aec8b915a985d786598");
}

TEST(Hmac, KeptKeyTakesPartsAndTruncates) {
  const auto mac = make_hmac(HashAlgorithm::sha256, as_bytes("Jefe"));
  const BytesView parts[] = {as_bytes("what do ya "), {}, as_bytes("want for nothing?")};
  for (int round = 0; round < 2; ++round) {
    Bytes tag(8);
    mac->compute(parts, std::span(tag));
    EXPECT_EQ(to_hex(tag), "5bdcc146bf60754e");
  }
}

TEST(Hmac, VerifiesOnlyTheWholeTag) {
  const auto mac = make_hmac(HashAlgorithm::sha256, as_bytes("Jefe"));
  const BytesView data = as_bytes("what do ya want for nothing?");
  Bytes tag = hmac(HashAlgorithm::sha256, as_bytes("Jefe"), data);
  EXPECT_TRUE(mac->verify(data, tag, 32));
  EXPECT_TRUE(mac->verify(data, BytesView(tag).first(8), 8));
  EXPECT_FALSE(mac->verify(data, BytesView(tag).first(8), 32)) << "a truncated tag passed for a whole one";
  EXPECT_FALSE(mac->verify(data, tag, 8));
  EXPECT_FALSE(mac->verify(data, {}, 0));
  tag[31] ^= 1;
  EXPECT_FALSE(mac->verify(data, tag, 32));
}

TEST(Hkdf, MatchesRfc5869) {
  // Appendix A.1.
  const Bytes ikm(22, 0x0b);
  const Bytes salt = hash_octets("000102030405060708090a0b0c");
  const Bytes info = hash_octets("f0f1f2f3f4f5f6f7f8f9");
  EXPECT_EQ(to_hex(hkdf_extract(HashAlgorithm::sha256, salt, ikm).expose()),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(to_hex(hkdf(HashAlgorithm::sha256, salt, ikm, info, 42).value().expose()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  // Appendix A.2: inputs that count up from 00, 60 and b0.
  const auto counting = [](std::uint8_t first) {
    Bytes out(80);
    for (std::uint8_t& octet : out) octet = first++;
    return out;
  };
  EXPECT_EQ(to_hex(hkdf(HashAlgorithm::sha256, counting(0x60), counting(0x00), counting(0xb0), 82).value().expose()),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  // Appendix A.3: no salt, no info.
  EXPECT_EQ(to_hex(hkdf_extract(HashAlgorithm::sha256, {}, ikm).expose()),
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
  EXPECT_EQ(to_hex(hkdf(HashAlgorithm::sha256, {}, ikm, {}, 42).value().expose()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, BoundsItsOutput) {
  const Bytes prk(32, 1);
  EXPECT_EQ(hkdf_expand(HashAlgorithm::sha256, prk, {}, 0).error(), reason::crypto_length_wrong);
  EXPECT_EQ(hkdf_expand(HashAlgorithm::sha256, prk, {}, 255 * 32).value().size(), 255U * 32);
  EXPECT_EQ(hkdf_expand(HashAlgorithm::sha256, prk, {}, 255 * 32 + 1).error(), reason::crypto_length_wrong);
  EXPECT_EQ(hkdf_expand(HashAlgorithm::sha256, Bytes(31), {}, 16).error(), reason::crypto_length_wrong);
}

}  // namespace
}  // namespace aceward::crypto
