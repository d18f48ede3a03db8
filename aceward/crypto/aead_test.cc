#include "aceward/crypto/aead.h"

#include <gtest/gtest.h>

#include "aceward/crypto/reasons.h"

namespace aceward::crypto {
namespace {

Bytes aead_octets(std::string_view hex) { return from_hex(hex).value(); }

struct CcmPacket {
  std::string_view nonce;
  std::string_view aad;
  std::string_view plaintext;
  std::string_view sealed;
};

// RFC 3610 section 8, packet vectors 1 to 4: L = 2, M = 8, which is AES-CCM-16-64-128.
constexpr std::string_view rfc3610_key = "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf";
constexpr CcmPacket rfc3610_packets[] = {
    {"00000003020100a0a1a2a3a4a5", "0001020304050607", "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
     "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0"},
    {"00000004030201a0a1a2a3a4a5", "0001020304050607", "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3ba091d56e10400916"},
    {"00000005040302a0a1a2a3a4a5", "0001020304050607", "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
     "51b1e5f44a197d1da46b0f8e2d282ae871e838bb64da8596574adaa76fbd9fb0c5"},
    {"00000006050403a0a1a2a3a4a5", "000102030405060708090a0b", "0c0d0e0f101112131415161718191a1b1c1d1e",
     "a28c6865939a9a79faaa5c4c2a9d4a91cdac8c96c861b9c9e61ef1"},
};

constexpr AeadAlgorithm all_aeads[] = {
    AeadAlgorithm::aes_ccm_16_64_128,  AeadAlgorithm::aes_ccm_16_64_256, AeadAlgorithm::aes_ccm_16_128_128,
    AeadAlgorithm::aes_ccm_16_128_256, AeadAlgorithm::aes_128_gcm,       AeadAlgorithm::aes_192_gcm,
    AeadAlgorithm::aes_256_gcm,        AeadAlgorithm::chacha20_poly1305,
};

TEST(Aead, SealsAndOpensThePacketsOfRfc3610WithOneKeptKey) {
  const auto aead = make_aead(AeadAlgorithm::aes_ccm_16_64_128, aead_octets(rfc3610_key)).value();
  for (int round = 0; round < 2; ++round) {
    for (const CcmPacket& packet : rfc3610_packets) {
      const Bytes nonce = aead_octets(packet.nonce);
      const Bytes aad = aead_octets(packet.aad);
      EXPECT_EQ(to_hex(aead->seal(nonce, aad, aead_octets(packet.plaintext)).value()), packet.sealed);
      EXPECT_EQ(to_hex(aead->open(nonce, aad, aead_octets(packet.sealed)).value()), packet.plaintext);
    }
  }
}

TEST(Aead, OpensChaCha20Poly1305OfRfc8439) {
  // RFC 8439 section 2.8.2.
  const auto aead = make_aead(AeadAlgorithm::chacha20_poly1305,
                              aead_octets("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"))
                        .value();
  const Bytes sealed = aead_octets(
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
      "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
      "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
  const auto opened =
      aead->open(aead_octets("070000004041424344454647"), aead_octets("50515253c0c1c2c3c4c5c6c7"), sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(*opened),
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen "
            "would be it.");
}

TEST(Aead, EveryAlgorithmRoundTripsAtEveryLengthAndRefusesEveryFlippedOctet) {
  for (const AeadAlgorithm algorithm : all_aeads) {
    const AeadSizes sizes = sizes_of(algorithm);
    const auto aead = make_aead(algorithm, Bytes(sizes.key, 7)).value();
    for (const std::size_t length : {0UZ, 1UZ, 15UZ, 16UZ, 17UZ, 64UZ}) {
      for (const std::size_t aad_length : {0UZ, 1UZ, 30UZ}) {
        const Bytes nonce(sizes.nonce, 9);
        const Bytes aad(aad_length, 3);
        const Bytes plaintext(length, 5);
        Bytes sealed = aead->seal(nonce, aad, plaintext).value();
        ASSERT_EQ(sealed.size(), length + sizes.tag);
        ASSERT_EQ(aead->open(nonce, aad, sealed).value(), plaintext);
        for (std::uint8_t& octet : sealed) {
          octet ^= 0x40;
          Bytes out(length, 0xee);
          const auto refused = aead->open(nonce, aad, sealed, std::span(out));
          ASSERT_FALSE(refused);
          ASSERT_EQ(refused.error(), reason::crypto_authentication_failed);
          ASSERT_EQ(out, Bytes(length, 0)) << "unverified plaintext was released";
          octet ^= 0x40;
        }
        Bytes other_aad = aad;
        other_aad.push_back(0);
        ASSERT_FALSE(aead->open(nonce, other_aad, sealed));
        Bytes other_nonce = nonce;
        other_nonce[0] ^= 1;
        ASSERT_FALSE(aead->open(other_nonce, aad, sealed));
        // A refusal leaves the kept context fit for the next message.
        ASSERT_EQ(aead->open(nonce, aad, sealed).value(), plaintext);
      }
    }
  }
}

TEST(Aead, WorksInPlace) {
  for (const AeadAlgorithm algorithm : all_aeads) {
    const AeadSizes sizes = sizes_of(algorithm);
    const auto aead = make_aead(algorithm, Bytes(sizes.key, 1)).value();
    const Bytes nonce(sizes.nonce, 2);
    const Bytes plaintext(50, 3);
    Bytes buffer = plaintext;
    buffer.resize(50 + sizes.tag);
    ASSERT_TRUE(aead->seal(nonce, {}, BytesView(buffer).first(50), std::span(buffer)));
    EXPECT_EQ(buffer, aead->seal(nonce, {}, plaintext).value());
    ASSERT_TRUE(aead->open(nonce, {}, buffer, std::span(buffer).first(50)));
    EXPECT_EQ(Bytes(buffer.begin(), buffer.begin() + 50), plaintext);
  }
}

TEST(Aead, RefusesWrongLengths) {
  EXPECT_EQ(make_aead(AeadAlgorithm::aes_ccm_16_64_128, Bytes(32)).error(), reason::crypto_length_wrong);
  EXPECT_EQ(make_aead(AeadAlgorithm::aes_ccm_16_64_256, Bytes(16)).error(), reason::crypto_length_wrong);
  const auto aead = make_aead(AeadAlgorithm::aes_ccm_16_64_128, Bytes(16)).value();
  EXPECT_EQ(aead->seal(Bytes(12), {}, Bytes(3)).error(), reason::crypto_length_wrong);
  EXPECT_EQ(aead->seal(Bytes(7), {}, Bytes(3)).error(), reason::crypto_length_wrong);
  EXPECT_EQ(aead->open(Bytes(13), {}, Bytes(7)).error(), reason::crypto_length_wrong);
  EXPECT_EQ(aead->seal(Bytes(13), {}, Bytes(65536)).error(), reason::crypto_length_wrong);
  EXPECT_TRUE(aead->seal(Bytes(13), {}, Bytes(65535)));
  Bytes small(10);
  EXPECT_EQ(aead->seal(Bytes(13), {}, Bytes(3), std::span(small)).error(), reason::crypto_length_wrong);
}

}  // namespace
}  // namespace aceward::crypto
