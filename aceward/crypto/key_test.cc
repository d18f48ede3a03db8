#include "aceward/crypto/key.h"

#include <gtest/gtest.h>

#include "aceward/crypto/openssl/random.h"
#include "aceward/crypto/reasons.h"

namespace aceward::crypto {
namespace {

Bytes key_octets(std::string_view hex) { return from_hex(hex).value(); }

// RFC 5903 section 8.1.
constexpr std::string_view ecp_i = "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433";
constexpr std::string_view ecp_ix = "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180";
constexpr std::string_view ecp_iy = "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3";
constexpr std::string_view ecp_r = "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53";
constexpr std::string_view ecp_rx = "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63";
constexpr std::string_view ecp_ry = "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab";
constexpr std::string_view ecp_shared = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";

// P-256's order n.
constexpr std::string_view order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

TEST(PrivateKey, ComputesItsPublicKeyOnEveryCurve) {
  const auto p256 = PrivateKey::from_octets(Curve::p256, key_octets(ecp_i)).value();
  EXPECT_EQ(to_hex(p256.public_key().x()), ecp_ix);
  EXPECT_EQ(to_hex(p256.public_key().y()), ecp_iy);
  // RFC 8032 section 7.1, test 1.
  const auto ed25519 =
      PrivateKey::from_octets(Curve::ed25519,
                              key_octets("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
          .value();
  EXPECT_EQ(to_hex(ed25519.public_key().x()), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_TRUE(ed25519.public_key().y().empty());
  // RFC 7748 section 6.1.
  const auto x25519 = PrivateKey::from_octets(
                          Curve::x25519, key_octets("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
                          .value();
  EXPECT_EQ(to_hex(x25519.public_key().x()), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
}

TEST(PrivateKey, RefusesScalarsOutOfRange) {
  EXPECT_EQ(PrivateKey::from_octets(Curve::p256, Bytes(32)).error(), reason::crypto_key_invalid);
  EXPECT_EQ(PrivateKey::from_octets(Curve::p256, key_octets(order)).error(), reason::crypto_key_invalid);
  EXPECT_EQ(PrivateKey::from_octets(Curve::p256, Bytes(32, 0xff)).error(), reason::crypto_key_invalid);
  EXPECT_EQ(PrivateKey::from_octets(Curve::p256, Bytes(31, 1)).error(), reason::crypto_length_wrong);
  EXPECT_EQ(PrivateKey::from_octets(Curve::ed25519, Bytes(64, 1)).error(), reason::crypto_length_wrong);
  Bytes largest = key_octets(order);
  largest.back() = static_cast<std::uint8_t>(largest.back() - 1);
  EXPECT_TRUE(PrivateKey::from_octets(Curve::p256, largest));
}

TEST(PrivateKey, IsGeneratedFromTheGivenRandomnessAlone) {
  for (const Curve curve : {Curve::p256, Curve::ed25519, Curve::x25519}) {
    SeededRandom once(42);
    SeededRandom again(42);
    SeededRandom other(43);
    const auto key = PrivateKey::generate(curve, once).value();
    EXPECT_TRUE(key.d().equals(PrivateKey::generate(curve, again).value().d()));
    EXPECT_FALSE(key.d().equals(PrivateKey::generate(curve, other).value().d()));
  }
}

TEST(PrivateKey, GenerationDrawsAgainWhenTheScalarIsOutOfRange) {
  class FirstAllOnes final : public Random {
   public:
    void fill(std::span<std::uint8_t> out) override {
      std::fill(out.begin(), out.end(), static_cast<std::uint8_t>(draws_++ == 0 ? 0xff : 0x11));
    }
    int draws_ = 0;
  } random;
  EXPECT_EQ(to_hex(PrivateKey::generate(Curve::p256, random).value().d().expose()), to_hex(Bytes(32, 0x11)));
  EXPECT_EQ(random.draws_, 2);
}

TEST(PublicKey, RefusesPointsOffTheCurve) {
  Bytes y = key_octets(ecp_iy);
  EXPECT_TRUE(PublicKey::p256(key_octets(ecp_ix), y));
  y.back() ^= 1;
  EXPECT_EQ(PublicKey::p256(key_octets(ecp_ix), y).error(), reason::crypto_key_invalid);
  EXPECT_EQ(PublicKey::p256(Bytes(32), Bytes(32)).error(), reason::crypto_key_invalid);
  // Coordinates not reduced modulo the field's prime.
  EXPECT_EQ(PublicKey::p256(Bytes(32, 0xff), Bytes(32, 0xff)).error(), reason::crypto_key_invalid);
  EXPECT_EQ(PublicKey::p256(Bytes(31), Bytes(32)).error(), reason::crypto_length_wrong);
  EXPECT_EQ(PublicKey::p256(key_octets(ecp_ix), Bytes(33)).error(), reason::crypto_length_wrong);
}

TEST(PublicKey, DecompressesBothSigns) {
  const auto odd = PublicKey::p256_compressed(key_octets(ecp_ix), true).value();
  EXPECT_EQ(to_hex(odd.y()), ecp_iy);
  EXPECT_TRUE(odd.y_is_odd());
  const auto even = PublicKey::p256_x_only(key_octets(ecp_ix)).value();
  EXPECT_FALSE(even.y_is_odd());
  EXPECT_NE(odd, even);
  // About half of all x belong to no point.
  int refused = 0;
  for (std::uint8_t x = 0; x < 32; ++x) {
    Bytes octets(32);
    octets.back() = x;
    const auto key = PublicKey::p256_compressed(octets, false);
    if (!key) {
      EXPECT_EQ(key.error(), reason::crypto_key_invalid);
      ++refused;
    }
  }
  EXPECT_GT(refused, 4);
  EXPECT_LT(refused, 28);
}

TEST(PublicKey, RefusesEd25519PointsOfSmallOrderAndNonCanonicalOnes) {
  Bytes identity(32);
  identity[0] = 1;
  EXPECT_EQ(PublicKey::ed25519(identity).error(), reason::crypto_key_invalid);
  EXPECT_EQ(PublicKey::ed25519(Bytes(32)).error(), reason::crypto_key_invalid);
  EXPECT_EQ(PublicKey::ed25519(Bytes(32, 0xff)).error(), reason::crypto_key_invalid);
  EXPECT_EQ(PublicKey::ed25519(Bytes(33)).error(), reason::crypto_length_wrong);
}

TEST(Ecdh, AgreesOnP256AsRfc5903) {
  const auto i = PrivateKey::from_octets(Curve::p256, key_octets(ecp_i)).value();
  const auto r = PrivateKey::from_octets(Curve::p256, key_octets(ecp_r)).value();
  EXPECT_EQ(r.public_key(), PublicKey::p256(key_octets(ecp_rx), key_octets(ecp_ry)).value());
  EXPECT_EQ(to_hex(ecdh(i, r.public_key()).value().expose()), ecp_shared);
  EXPECT_EQ(to_hex(ecdh(r, i.public_key()).value().expose()), ecp_shared);
  // The sign of y does not matter to the shared x.
  EXPECT_EQ(to_hex(ecdh(i, PublicKey::p256_x_only(key_octets(ecp_rx)).value()).value().expose()), ecp_shared);
}

TEST(Ecdh, AgreesOnX25519AsRfc7748) {
  const auto a = PrivateKey::from_octets(Curve::x25519,
                                         key_octets("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
                     .value();
  const auto b =
      PublicKey::x25519(key_octets("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")).value();
  EXPECT_EQ(to_hex(ecdh(a, b).value().expose()), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(Ecdh, RefusesLowOrderAndForeignKeys) {
  openssl::SystemRandom random;
  const auto x25519 = PrivateKey::generate(Curve::x25519, random).value();
  const auto p256 = PrivateKey::generate(Curve::p256, random).value();
  const auto ed25519 = PrivateKey::generate(Curve::ed25519, random).value();
  EXPECT_EQ(ecdh(x25519, PublicKey::x25519(Bytes(32)).value()).error(), reason::crypto_key_invalid);
  EXPECT_EQ(ecdh(x25519, p256.public_key()).error(), reason::crypto_key_unsuitable);
  EXPECT_EQ(ecdh(ed25519, ed25519.public_key()).error(), reason::crypto_key_unsuitable);
}

TEST(SystemRandom, FillsAllAndDoesNotRepeat) {
  openssl::SystemRandom random;
  const Bytes first = random.bytes(64);
  const Bytes second = random.bytes(64);
  EXPECT_NE(first, second);
  EXPECT_NE(first, Bytes(64));
}

}  // namespace
}  // namespace aceward::crypto
