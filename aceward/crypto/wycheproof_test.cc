// The public Wycheproof vectors, read in place when they are there.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "aceward/crypto/aead.h"
#include "aceward/crypto/encoding.h"
#include "aceward/crypto/hkdf.h"
#include "aceward/crypto/signature.h"

namespace aceward::crypto {
namespace {

using nlohmann::json;

std::optional<json> wycheproof(const std::string& name) {
  std::ifstream file("../shared/vectors/crypto/wycheproof-" + name + ".json");
  if (!file) return std::nullopt;
  return json::parse(file);
}

#define WYCHEPROOF_OR_SKIP(name)       \
  const auto suite = wycheproof(name); \
  if (!suite) GTEST_SKIP() << "the vectors " << (name) << " are not there"

Bytes field(const json& test, const char* name) { return from_hex(test.at(name).get<std::string>()).value(); }

bool is_expected(const json& test) { return test.at("result") != "invalid"; }

TEST(Wycheproof, AesCcm) {
  WYCHEPROOF_OR_SKIP("aes_ccm_test");
  int used = 0;
  for (const json& group : suite->at("testGroups")) {
    const int key_bits = group.at("keySize");
    const int tag_bits = group.at("tagSize");
    const int iv_bits = group.at("ivSize");
    for (const AeadAlgorithm algorithm : {AeadAlgorithm::aes_ccm_16_64_128, AeadAlgorithm::aes_ccm_16_64_256,
                                          AeadAlgorithm::aes_ccm_16_128_128, AeadAlgorithm::aes_ccm_16_128_256}) {
      const AeadSizes sizes = sizes_of(algorithm);
      if (sizes.key * 8 != static_cast<std::size_t>(key_bits) || sizes.tag * 8 != static_cast<std::size_t>(tag_bits) ||
          sizes.nonce * 8 != static_cast<std::size_t>(iv_bits)) {
        continue;
      }
      for (const json& test : group.at("tests")) {
        const auto aead = make_aead(algorithm, field(test, "key")).value();
        Bytes sealed = field(test, "ct");
        const Bytes tag = field(test, "tag");
        sealed.insert(sealed.end(), tag.begin(), tag.end());
        const auto opened = aead->open(field(test, "iv"), field(test, "aad"), sealed);
        EXPECT_EQ(opened.has_value(), is_expected(test)) << test.at("tcId");
        if (is_expected(test)) {
          EXPECT_EQ(*opened, field(test, "msg")) << test.at("tcId");
          EXPECT_EQ(aead->seal(field(test, "iv"), field(test, "aad"), field(test, "msg")).value(), sealed)
              << test.at("tcId");
        }
        ++used;
      }
    }
  }
  // Few of them have the nonce of 13 octets that the COSE algorithms take.
  EXPECT_GE(used, 12);
}

TEST(Wycheproof, EcdsaP256) {
  WYCHEPROOF_OR_SKIP("ecdsa_secp256r1_sha256_p1363_test");
  int used = 0;
  for (const json& group : suite->at("testGroups")) {
    const auto key = public_key_from_spki(field(group, "publicKeyDer"));
    ASSERT_TRUE(key);
    const auto verifier = make_verifier(*key).value();
    for (const json& test : group.at("tests")) {
      EXPECT_EQ(verifier->verify(field(test, "msg"), field(test, "sig")).has_value(), is_expected(test))
          << test.at("tcId") << test.at("comment");
      ++used;
    }
  }
  EXPECT_GT(used, 200);
}

TEST(Wycheproof, EcdhP256) {
  WYCHEPROOF_OR_SKIP("ecdh_secp256r1_ecpoint_test");
  int used = 0;
  for (const json& group : suite->at("testGroups")) {
    for (const json& test : group.at("tests")) {
      const Bytes point = field(test, "public");
      Bytes d = field(test, "private");
      if (d.size() > 32) d.erase(d.begin(), d.end() - 32);  // a leading zero octet
      d.insert(d.begin(), 32 - d.size(), 0);
      const auto own = PrivateKey::from_octets(Curve::p256, d);
      ASSERT_TRUE(own) << test.at("tcId");
      std::optional<PublicKey> peer;
      if (point.size() == 65 && point[0] == 0x04) {
        if (const auto key = PublicKey::p256(BytesView(point).subspan(1, 32), BytesView(point).last(32))) peer = *key;
      } else if (point.size() == 33 && (point[0] == 0x02 || point[0] == 0x03)) {
        if (const auto key = PublicKey::p256_compressed(BytesView(point).last(32), point[0] == 0x03)) peer = *key;
      }
      EXPECT_EQ(peer.has_value(), is_expected(test)) << test.at("tcId") << test.at("comment");
      if (peer && is_expected(test)) {
        EXPECT_EQ(to_hex(ecdh(*own, *peer).value().expose()), to_hex(field(test, "shared"))) << test.at("tcId");
      }
      ++used;
    }
  }
  EXPECT_GT(used, 100);
}

TEST(Wycheproof, X25519) {
  WYCHEPROOF_OR_SKIP("x25519_test");
  int used = 0;
  for (const json& group : suite->at("testGroups")) {
    for (const json& test : group.at("tests")) {
      const auto own = PrivateKey::from_octets(Curve::x25519, field(test, "private"));
      const auto peer = PublicKey::x25519(field(test, "public"));
      ASSERT_TRUE(own && peer) << test.at("tcId");
      const Bytes expected = field(test, "shared");
      const auto shared = ecdh(*own, *peer);
      const bool is_zero = std::ranges::all_of(expected, [](std::uint8_t octet) { return octet == 0; });
      EXPECT_EQ(shared.has_value(), !is_zero) << test.at("tcId");
      if (shared) {
        EXPECT_EQ(to_hex(shared->expose()), to_hex(expected)) << test.at("tcId");
      }
      ++used;
    }
  }
  EXPECT_GT(used, 100);
}

TEST(Wycheproof, HkdfSha256) {
  WYCHEPROOF_OR_SKIP("hkdf_sha256_test");
  int used = 0;
  for (const json& group : suite->at("testGroups")) {
    for (const json& test : group.at("tests")) {
      const auto okm = hkdf(HashAlgorithm::sha256, field(test, "salt"), field(test, "ikm"), field(test, "info"),
                            test.at("size").get<std::size_t>());
      EXPECT_EQ(okm.has_value(), is_expected(test)) << test.at("tcId");
      if (okm) {
        EXPECT_EQ(to_hex(okm->expose()), test.at("okm").get<std::string>()) << test.at("tcId");
      }
      ++used;
    }
  }
  EXPECT_GT(used, 50);
}

}  // namespace
}  // namespace aceward::crypto
