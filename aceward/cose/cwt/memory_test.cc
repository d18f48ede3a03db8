// A symmetric proof-of-possession key must not be left in memory that is given back.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "aceward/cose/cwt/token.h"
#include "aceward/cose/encrypt0.h"
#include "aceward/cose/mac0.h"
#include "aceward/cose/sign1.h"
#include "aceward/crypto/openssl/random.h"

namespace {

// What no block may hold when it is freed. In static memory, so that the watch does not find itself.
constexpr std::array<std::uint8_t, 16> watched_octets{0x5e, 0xc4, 0xe7, 0x0f, 0x4b, 0x21, 0x9d, 0x63,
                                                      0xa8, 0x17, 0xd2, 0x3c, 0x76, 0xe9, 0x05, 0xbb};
bool is_watching = false;
int blocks_with_secret = 0;

// Before each block: its size, and room that keeps the alignment.
constexpr std::size_t block_head = 16;

void* watched_allocate(std::size_t size) {
  // Zeroed, so that what others left behind is not taken for ours.
  auto* memory = static_cast<std::uint8_t*>(std::calloc(1, size + block_head));
  if (memory == nullptr) throw std::bad_alloc();
  std::memcpy(memory, &size, sizeof size);
  return memory + block_head;
}

void watched_free(void* memory) {
  if (memory == nullptr) return;
  auto* const begin = static_cast<std::uint8_t*>(memory);
  std::size_t size = 0;
  std::memcpy(&size, begin - block_head, sizeof size);
  // Half the secret is too much already.
  const auto* const end = watched_octets.data() + watched_octets.size() / 2;
  if (is_watching && std::search(begin, begin + size, watched_octets.data(), end) != begin + size) ++blocks_with_secret;
  std::free(begin - block_head);
}

}  // namespace

void* operator new(std::size_t size) { return watched_allocate(size); }
void operator delete(void* memory) noexcept { watched_free(memory); }
void operator delete(void* memory, std::size_t) noexcept { watched_free(memory); }

namespace aceward::cwt {
namespace {

/// Counts the blocks that are freed with the secret in them while `run` runs.
template <class F>
int blocks_left_by(F&& run) {
  blocks_with_secret = 0;
  is_watching = true;
  run();
  is_watching = false;
  return blocks_with_secret;
}

cose::Key watched_key() { return cose::Key::symmetric(Secret::copy_of(watched_octets)).value(); }

class MemoryKeys final : public KeySource {
 public:
  void candidates(const Query& query, std::vector<Candidate>& out) override {
    if (query.protection == Protection::signature) out.push_back({&verifying, IssuerId(1)});
    if (query.protection == Protection::mac) out.push_back({&mac, IssuerId(1)});
    if (query.protection == Protection::encryption) out.push_back({&content, IssuerId(1)});
  }

  crypto::openssl::SystemRandom random;
  cose::Key own = cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, random).value());
  cose::Key shared = cose::Key::symmetric(Secret(Bytes(16, 0x11))).value();
  cose::SigningKey signing = cose::SigningKey::from(own).value();
  cose::VerifyingKey verifying = cose::VerifyingKey::from(own).value();
  cose::MacKey mac = cose::MacKey::from(shared, cose::alg::hmac_256_256).value();
  cose::ContentKey content = cose::ContentKey::from(shared, cose::alg::aes_ccm_16_64_128).value();
};

Claims watched_claims() {
  Claims claims;
  claims.iss = "coap://as.example.com";
  claims.exp = NumericDate(2'000'000'000);
  claims.cnf = Confirmation(watched_key());
  claims.scope = std::string("a scope that is long enough for the heap");
  return claims;
}

// Encrypts octets that no honest issuer would take for a claims set.
Bytes encrypted_octets(MemoryKeys& keys, BytesView plaintext) {
  cose::Headers headers;
  headers.unprotected_map.iv = Bytes(13, 1);
  return cose::Encrypt0::create(keys.content, std::move(headers), plaintext).value();
}

TEST(CwtMemory, TheWatchSeesWhatIsLeft) {
  EXPECT_EQ(blocks_left_by([] { Bytes(watched_octets.begin(), watched_octets.end()); }), 1);
  EXPECT_EQ(blocks_left_by([] { Secret::copy_of(watched_octets); }), 0);
}

TEST(CwtMemory, MakingTokensLeavesNoKey) {
  MemoryKeys keys;
  EXPECT_EQ(blocks_left_by([&] {
              const Claims claims = watched_claims();
              (void)encrypt(claims, keys.content, keys.random);
            }),
            0);
  EXPECT_EQ(blocks_left_by([&] {
              const Claims claims = watched_claims();
              (void)sign_then_encrypt(claims, keys.signing, keys.content, keys.random);
            }),
            0);
}

TEST(CwtMemory, OpeningTokensLeavesNoKey) {
  MemoryKeys keys;
  const Claims claims = watched_claims();
  const Bytes encrypted = encrypt(claims, keys.content, keys.random).value();
  const Bytes nested = sign_then_encrypt(claims, keys.signing, keys.content, keys.random).value();
  for (const Bytes& token : {encrypted, nested}) {
    EXPECT_EQ(blocks_left_by([&] {
                const auto opened = open(token, keys);
                ASSERT_TRUE(opened);
                ASSERT_EQ(opened->claims().cnf->cose_key()->k().size(), watched_octets.size());
                const Claims copy = opened->claims().clone();
              }),
              0);
  }
}

TEST(CwtMemory, OpeningAMacedLayerWithinAnEncryptedOneLeavesNoKey) {
  MemoryKeys keys;
  const Bytes inner = cose::Mac0::create(keys.mac, {}, watched_claims().serialize()->expose()).value();
  const Bytes token = encrypted_octets(keys, inner);
  EXPECT_EQ(blocks_left_by([&] { ASSERT_TRUE(open(token, keys)); }), 0);
}

TEST(CwtMemory, RefusedTokensLeaveNoKey) {
  MemoryKeys keys;
  // Both claims are there: cnf, which is good, and after it a scope that is a number.
  Bytes bad = from_hex("a208a101a201042050").value();
  bad.insert(bad.end(), watched_octets.begin(), watched_octets.end());
  bad.insert(bad.end(), {0x09, 0x01});
  const Bytes token = encrypted_octets(keys, bad);
  const Bytes inner = cose::Sign1::create(keys.signing, {}, bad).value();
  Bytes forged = inner;
  forged.back() ^= 1;
  for (const Bytes& refused : {token, encrypted_octets(keys, inner), encrypted_octets(keys, forged)}) {
    EXPECT_EQ(blocks_left_by([&] { ASSERT_FALSE(open(refused, keys)); }), 0);
  }
}

TEST(CwtMemory, AnotherMethodsSecretIsNotLeftEither) {
  // cnf with osc (RFC 9203 section 3.2.1), whose ms is secret.
  Bytes octets = from_hex("a104a10250").value();
  octets.insert(octets.end(), watched_octets.begin(), watched_octets.end());
  EXPECT_EQ(blocks_left_by([&] {
              auto cnf = Confirmation::parse(octets);
              ASSERT_TRUE(cnf);
              Confirmation copy = cnf->clone();
              copy = std::move(*cnf);
              const Secret again = copy.serialize();
              ASSERT_EQ(again.size(), octets.size());
            }),
            0);
}

TEST(CwtMemory, AnEncryptedKeyIsNotLeft) {
  MemoryKeys keys;
  EXPECT_EQ(blocks_left_by([&] {
              const auto encrypted = EncryptedKey::encrypt(watched_key(), keys.content, keys.random);
              ASSERT_TRUE(encrypted);
              ASSERT_TRUE(encrypted->decrypt(keys.content));
            }),
            0);
}

TEST(CwtMemory, AKeyIsNotLeft) {
  const Secret encoded = watched_key().serialize();
  EXPECT_EQ(blocks_left_by([&] {
              auto key = cose::Key::parse(encoded.expose());
              ASSERT_TRUE(key);
              cose::Key copy = key->clone();
              copy = std::move(*key);
              (void)copy.serialize();
              (void)copy.thumbprint();
              ASSERT_TRUE(cose::MacKey::from(copy, cose::alg::hmac_256_256));
              ASSERT_TRUE(cose::ContentKey::from(copy, cose::alg::aes_ccm_16_64_128));
            }),
            0);
}

}  // namespace
}  // namespace aceward::cwt
