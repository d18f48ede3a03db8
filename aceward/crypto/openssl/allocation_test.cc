// That a kept AEAD key allocates nothing, neither here nor within OpenSSL.
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <array>
#include <atomic>
#include <cstdlib>

#include "aceward/crypto/aead.h"
#include "aceward/crypto/encoding.h"
#include "aceward/crypto/signature.h"

namespace aceward::crypto {
namespace {

std::atomic<long> openssl_allocations = 0;

// OpenSSL takes other memory functions only before it has first allocated, so this runs before main.
const bool are_counted = CRYPTO_set_mem_functions(
                             [](std::size_t size, const char*, int) -> void* {
                               ++openssl_allocations;
                               return std::malloc(size);
                             },
                             [](void* memory, std::size_t size, const char*, int) -> void* {
                               ++openssl_allocations;
                               return std::realloc(memory, size);
                             },
                             [](void* memory, const char*, int) { std::free(memory); }) == 1;

TEST(Aead, AllocatesNothingWithAKeptKey) {
  ASSERT_TRUE(are_counted);
  for (const AeadAlgorithm algorithm :
       {AeadAlgorithm::aes_ccm_16_64_128, AeadAlgorithm::aes_ccm_16_128_256, AeadAlgorithm::aes_128_gcm}) {
    const long before_load = openssl_allocations;
    const auto aead = make_aead(algorithm, Bytes(sizes_of(algorithm).key, 1)).value();
    EXPECT_GT(openssl_allocations, before_load) << "the counter does not count";
    std::array<std::uint8_t, 13> nonce_octets{};
    const BytesView nonce = BytesView(nonce_octets).first(aead->sizes().nonce);
    std::array<std::uint8_t, 64> plaintext{};
    std::array<std::uint8_t, 80> out{};
    const auto sealed = std::span(out).first(plaintext.size() + aead->sizes().tag);
    for (int i = 0; i < 3; ++i) {
      const long before = openssl_allocations;
      ASSERT_TRUE(aead->seal(nonce, nonce, plaintext, sealed));
      ASSERT_TRUE(aead->open(nonce, nonce, sealed, std::span(plaintext)));
      // The first use may set something up; from then on nothing does.
      if (i > 0) {
        EXPECT_EQ(openssl_allocations, before);
      }
    }
  }
}

TEST(OpenSslErrors, AreNotLeftBehindByRefusals) {
  ERR_clear_error();
  SeededRandom random(1);
  const auto key = PrivateKey::generate(Curve::p256, random).value();
  const auto aead = make_aead(AeadAlgorithm::aes_ccm_16_64_128, Bytes(16)).value();
  EXPECT_FALSE(aead->open(Bytes(13), {}, Bytes(20)));
  EXPECT_FALSE(make_verifier(key.public_key()).value()->verify({}, Bytes(64)));
  EXPECT_FALSE(make_verifier(key.public_key()).value()->verify({}, Bytes(64, 1)));
  EXPECT_FALSE(PublicKey::p256(Bytes(32, 1), Bytes(32, 1)));
  EXPECT_FALSE(public_key_from_spki(Bytes(20, 0x30)));
  EXPECT_FALSE(private_key_from_pkcs8(Bytes(20, 0x30)));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace aceward::crypto
