#include "aceward/cose/message.h"

#include <gtest/gtest.h>

#include "aceward/cose/encrypt0.h"
#include "aceward/cose/mac0.h"
#include "aceward/cose/reasons.h"
#include "aceward/cose/sign1.h"
#include "aceward/crypto/openssl/random.h"

namespace aceward::cose {
namespace {

Bytes message_octets(std::string_view hex) { return from_hex(hex).value(); }

constexpr std::string_view example_content = "This is the content.";

// RFC 9052 appendix C.7: keys "11" and "our-secret2".
Key key_eleven() {
  return Key::parse(message_octets("a60102024231312001215820"
                                   "bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff225820"
                                   "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e235820"
                                   "57c92077664146e876760c9520d054aa93c3afb04e306705db6090308507b4d3"))
      .value();
}
Key key_our_secret2() { return Key::symmetric(Secret(message_octets("849b5786457c1491be3a76dcea6c4271"))).value(); }

// RFC 9052 appendix C.2.1.
const std::string c_2_1 =
    "d28443a10126a10442313154546869732069732074686520636f6e74656e742e58408eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106"
    "c4d25a91aef0b0117e2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36";
// Appendix C.4.1.
const std::string c_4_1 =
    "d08343a1010aa1054d89f52f65a1c580933b5261a78c581c5974e1b99a3a4cc09a659aa2e9e7fff161d38ce71cb45ce460ffb569";
// COSE working group example HMac-enc-01, whose key is "our-secret".
const std::string hmac_enc_01 =
    "d18443a10105a054546869732069732074686520636f6e74656e742e5820a1a848d3471f9d61ee49018d244c824772f223ad4f935293f1789f"
    "c3"
    "a08d8c58";
Key key_our_secret() {
  return Key::symmetric(Secret(message_octets("849b57219dae48de646d07dbb533566e976686457c1491be3a76dcea6c427188")))
      .value();
}

TEST(Sign1, VerifiesTheExampleOfRfc9052) {
  const auto message = Sign1::parse(message_octets(c_2_1)).value();
  EXPECT_EQ(as_text(*message.headers().kid()), "11");
  const auto payload = message.verify(VerifyingKey::from(key_eleven()).value());
  ASSERT_TRUE(payload);
  EXPECT_EQ(as_text(*payload), example_content);
}

TEST(Sign1, RefusesEveryFlippedOctet) {
  const auto key = VerifyingKey::from(key_eleven()).value();
  Bytes encoded = message_octets(c_2_1);
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    encoded[i] ^= 0x01;
    const auto message = Sign1::parse(encoded);
    // The kid is not protected: octets 7 to 10 are its label and value.
    const bool in_kid = i >= 7 && i <= 10;
    if (message && !in_kid) {
      EXPECT_FALSE(message->verify(key)) << "octet " << i;
    }
    encoded[i] ^= 0x01;
  }
}

TEST(Sign1, RoundTripsWithEs256AndEdDsa) {
  crypto::openssl::SystemRandom random;
  for (const crypto::Curve curve : {crypto::Curve::p256, crypto::Curve::ed25519}) {
    const Key key = Key::from_private(crypto::PrivateKey::generate(curve, random).value());
    const auto signing = SigningKey::from(key).value();
    const auto verifying = VerifyingKey::from(key.public_part().value()).value();
    for (const bool tagged : {true, false}) {
      Headers headers;
      headers.unprotected_map.kid = Bytes{7};
      const Bytes aad = to_bytes("aad");
      const Bytes encoded =
          Sign1::create(signing, headers, as_bytes(example_content), {.external_aad = aad, .tagged = tagged}).value();
      EXPECT_EQ(tag_of(encoded).has_value(), tagged);
      const auto message = Sign1::parse(encoded).value();
      EXPECT_EQ(message.headers().protected_map.alg, signing.algorithm());
      EXPECT_EQ(as_text(message.verify(verifying, {.external_aad = aad}).value()), example_content);
      EXPECT_EQ(message.verify(verifying).error(), reason::cose_verification_failed) << "external data was ignored";
    }
  }
}

TEST(Sign1, DetachesItsPayload) {
  const auto signing = SigningKey::from(key_eleven()).value();
  const auto verifying = VerifyingKey::from(key_eleven()).value();
  const Bytes encoded = Sign1::create(signing, {}, as_bytes(example_content), {.detached = true}).value();
  const auto message = Sign1::parse(encoded).value();
  EXPECT_TRUE(message.is_detached());
  EXPECT_EQ(message.verify(verifying).error(), reason::cose_payload_detached);
  EXPECT_TRUE(message.verify_detached(verifying, as_bytes(example_content)));
  EXPECT_EQ(message.verify_detached(verifying, as_bytes("other")).error(), reason::cose_verification_failed);
  const auto attached = Sign1::parse(message_octets(c_2_1)).value();
  EXPECT_EQ(attached.verify_detached(verifying, as_bytes(example_content)).error(), reason::cose_payload_detached);
}

TEST(Sign1, RefusesAnAlgorithmThatIsNotTheKeys) {
  const auto verifying = VerifyingKey::from(key_eleven()).value();
  Bytes eddsa = message_octets(c_2_1);
  eddsa[5] = 0x27;  // alg -8
  EXPECT_EQ(Sign1::parse(eddsa)->verify(verifying).error(), reason::cose_algorithm_mismatch);
  Headers headers;
  headers.protected_map.alg = alg::eddsa;
  EXPECT_EQ(Sign1::create(SigningKey::from(key_eleven()).value(), headers, {}).error(),
            reason::cose_algorithm_mismatch);
}

TEST(Sign1, TakesAnUnprotectedAlgorithmOnlyWhenAsked) {
  // COSE working group example sign-pass-01: the protected map is empty, alg is in the other bucket.
  const auto message =
      Sign1::parse(message_octets(
                       "d28441a0a201260442313154546869732069732074686520636f6e74656e742e584087db0d2e5571843b78ac33ecb28"
                       "30df7b6e0a4d5b7376de336b23c591c90c425317e56127fbe04370097ce347087b233bf722b64072beb4486bda4031d"
                       "27244f"))
          .value();
  const auto key = VerifyingKey::from(key_eleven()).value();
  EXPECT_EQ(message.verify(key).error(), reason::cose_algorithm_missing);
  EXPECT_TRUE(message.verify(key, {.algorithm = AlgorithmRule::anywhere}));
  EXPECT_TRUE(message.verify(key, {.algorithm = AlgorithmRule::optional}));
}

TEST(CoseMessage, InsistsOnTheTagAsked) {
  const Bytes tagged = message_octets(c_2_1);
  const Bytes untagged(tagged.begin() + 1, tagged.end());
  EXPECT_TRUE(Sign1::parse(tagged, {.tagging = Tagging::required}));
  EXPECT_TRUE(Sign1::parse(untagged, {.tagging = Tagging::absent}));
  EXPECT_EQ(Sign1::parse(untagged, {.tagging = Tagging::required}).error(), reason::cose_tag_unexpected);
  EXPECT_EQ(Sign1::parse(tagged, {.tagging = Tagging::absent}).error(), reason::cose_tag_unexpected);
  EXPECT_EQ(Mac0::parse(tagged).error(), reason::cose_tag_unexpected);
  EXPECT_EQ(Encrypt0::parse(tagged).error(), reason::cose_tag_unexpected);
  EXPECT_EQ(tag_of(tagged), MessageTag::sign1);
  EXPECT_EQ(tag_of(message_octets(c_4_1)), MessageTag::encrypt0);
  EXPECT_EQ(tag_of(untagged), std::nullopt);
  EXPECT_EQ(tag_of(message_octets("d83d00")), std::nullopt);
  EXPECT_EQ(tag_of({}), std::nullopt);
}

TEST(CoseMessage, RefusesWrongShapes) {
  EXPECT_FALSE(Sign1::parse({}));
  EXPECT_EQ(Sign1::parse(message_octets("8340a040")).error(), reason::cose_message_malformed);  // 3 elements
  EXPECT_EQ(Sign1::parse(message_octets("8501a04040"
                                        "40"))
                .error(),
            reason::cose_message_malformed);
  EXPECT_EQ(Sign1::parse(message_octets("84a0a04040")).error(), reason::cose_message_malformed);  // bare map
  EXPECT_EQ(Sign1::parse(message_octets("8440404040")).error(), reason::cose_message_malformed);  // no map
  EXPECT_EQ(Sign1::parse(message_octets("8440a00140")).error(), reason::cose_message_malformed);  // payload
  EXPECT_EQ(Sign1::parse(message_octets("8440a040f6")).error(), reason::cose_message_malformed);  // signature
  EXPECT_FALSE(Sign1::parse(message_octets("8440a0404000")));                                     // trailing
  EXPECT_TRUE(Sign1::parse(message_octets("8440a04040")));
  EXPECT_EQ(Encrypt0::parse(message_octets("8440a04040")).error(), reason::cose_message_malformed);
}

TEST(CoseMessage, AStructureOfOneKindDoesNotVerifyAsAnother) {
  // A MAC over the Sig_structure's octets must not pass: the context string differs.
  const auto mac_key = MacKey::from(key_our_secret(), alg::hmac_256_256).value();
  const Bytes sealed = Mac0::create(mac_key, {}, as_bytes(example_content)).value();
  const auto mac = Mac0::parse(sealed).value();
  EXPECT_TRUE(mac.verify(mac_key));
  Bytes tag(32);
  mac_key.mac().compute(signature1_structure(mac.headers().protected_octets(), {}, as_bytes(example_content)).expose(),
                        tag);
  Bytes forged = sealed;
  std::copy(tag.begin(), tag.end(), forged.end() - 32);
  EXPECT_FALSE(Mac0::parse(forged)->verify(mac_key));
}

TEST(Mac0, VerifiesAWorkingGroupExample) {
  const auto key = MacKey::from(key_our_secret(), alg::hmac_256_256).value();
  const auto message = Mac0::parse(message_octets(hmac_enc_01)).value();
  EXPECT_EQ(as_text(message.verify(key).value()), example_content);
  EXPECT_EQ(to_hex(Mac0::create(key, {}, as_bytes(example_content)).value()), hmac_enc_01);
}

TEST(Mac0, RefusesATruncatedTagAndEveryFlippedOctet) {
  const auto key = MacKey::from(key_our_secret(), alg::hmac_256_256).value();
  Bytes encoded = message_octets(hmac_enc_01);
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    encoded[i] ^= 0x01;
    if (const auto message = Mac0::parse(encoded)) {
      EXPECT_FALSE(message->verify(key)) << "octet " << i;
    }
    encoded[i] ^= 0x01;
  }
  // The first eight octets of the right tag, under the algorithm with the whole tag.
  Bytes truncated(encoded.begin(), encoded.end() - 34);
  truncated.push_back(0x48);
  truncated.insert(truncated.end(), encoded.end() - 32, encoded.end() - 24);
  EXPECT_EQ(Mac0::parse(truncated)->verify(key).error(), reason::cose_verification_failed);
}

TEST(Mac0, KeepsToItsOperations) {
  Key key = key_our_secret();
  key.key_ops = {key_op::mac_verify};
  const auto verify_only = MacKey::from(key, alg::hmac_256_256).value();
  EXPECT_EQ(Mac0::create(verify_only, {}, {}).error(), reason::cose_key_restricted);
  EXPECT_TRUE(Mac0::parse(message_octets(hmac_enc_01))->verify(verify_only));
  key.key_ops = {key_op::mac_create};
  const auto create_only = MacKey::from(key, alg::hmac_256_256).value();
  EXPECT_EQ(Mac0::parse(message_octets(hmac_enc_01))->verify(create_only).error(), reason::cose_key_restricted);
}

TEST(Mac0, RoundTripsEveryAlgorithmAndDetaches) {
  for (const Algorithm algorithm : {alg::hmac_256_64, alg::hmac_256_256, alg::hmac_384_384, alg::hmac_512_512}) {
    const auto key = MacKey::from(key_our_secret(), algorithm).value();
    const Bytes encoded = Mac0::create(key, {}, as_bytes(example_content), {.tagged = false, .detached = true}).value();
    const auto message = Mac0::parse(encoded).value();
    EXPECT_TRUE(message.verify_detached(key, as_bytes(example_content)));
    EXPECT_EQ(message.verify(key).error(), reason::cose_payload_detached);
    EXPECT_FALSE(message.verify_detached(key, as_bytes("x")));
  }
}

TEST(Encrypt0, DecryptsTheExampleOfRfc9052) {
  const auto key = ContentKey::from(key_our_secret2(), alg::aes_ccm_16_64_128).value();
  const auto full = Encrypt0::parse(message_octets(c_4_1))->decrypt(key);
  ASSERT_TRUE(full);
  EXPECT_EQ(as_text(full->expose()), example_content);
}

TEST(Encrypt0, CombinesAPartialIvWithTheContextIv) {
  const auto key = ContentKey::from(key_our_secret2(), alg::aes_ccm_16_64_128).value();
  const Bytes context_iv = message_octets("89f52f65a1c580933b52aabbcc");
  const Bytes nonce = message_octets("89f52f65a1c580933b52aada6b");  // with 0x61a7 added at its end
  Headers headers;
  headers.unprotected_map.iv = nonce;
  Bytes ciphertext;
  ASSERT_TRUE(Encrypt0::create(key, headers, as_bytes(example_content), {.detached = true}, &ciphertext));
  Bytes encoded = message_octets("d08343a1010aa1064261a7581c");
  encoded.insert(encoded.end(), ciphertext.begin(), ciphertext.end());
  const auto message = Encrypt0::parse(encoded).value();
  EXPECT_EQ(as_text(message.decrypt(key, {}, context_iv).value().expose()), example_content);
  EXPECT_EQ(message.decrypt(key, {}, Bytes(13)).error(), reason::cose_verification_failed);
  EXPECT_EQ(message.decrypt(key).error(), reason::cose_nonce_invalid);
}

TEST(Encrypt0, RoundTripsEveryAlgorithm) {
  for (const Algorithm algorithm :
       {alg::aes_ccm_16_64_128, alg::aes_ccm_16_64_256, alg::aes_ccm_16_128_128, alg::aes_ccm_16_128_256, alg::a128gcm,
        alg::a192gcm, alg::a256gcm, alg::chacha20_poly1305}) {
    const std::size_t key_size =
        algorithm == alg::aes_ccm_16_64_128 || algorithm == alg::aes_ccm_16_128_128 || algorithm == alg::a128gcm ? 16
        : algorithm == alg::a192gcm                                                                              ? 24
                                                                                                                 : 32;
    const auto key = ContentKey::from(Key::symmetric(Secret(Bytes(key_size, 3))).value(), algorithm).value();
    Headers headers;
    headers.unprotected_map.iv = Bytes(key.aead().sizes().nonce, 5);
    const Bytes aad = to_bytes("aad");
    const Bytes encoded = Encrypt0::create(key, headers, as_bytes(example_content), {.external_aad = aad}).value();
    Bytes other = encoded;
    other.back() ^= 1;
    EXPECT_EQ(as_text(Encrypt0::parse(encoded)->decrypt(key, {.external_aad = aad}).value().expose()), example_content);
    EXPECT_EQ(Encrypt0::parse(encoded)->decrypt(key).error(), reason::cose_verification_failed);
    EXPECT_EQ(Encrypt0::parse(other)->decrypt(key, {.external_aad = aad}).error(), reason::cose_verification_failed);
  }
}

TEST(Encrypt0, RefusesBadNonces) {
  const auto key = ContentKey::from(key_our_secret2(), alg::aes_ccm_16_64_128).value();
  EXPECT_EQ(Encrypt0::create(key, {}, {}).error(), reason::cose_nonce_invalid);
  Headers headers;
  headers.unprotected_map.iv = Bytes(12);
  EXPECT_EQ(Encrypt0::create(key, headers, {}).error(), reason::cose_nonce_invalid);
  EXPECT_EQ(Encrypt0::parse(message_octets("d08343a1010aa048"
                                           "0102030405060708"))
                ->decrypt(key)
                .error(),
            reason::cose_nonce_invalid);
  EXPECT_EQ(Encrypt0::parse(message_octets("d08343a1010aa10541"
                                           "0148"
                                           "0102030405060708"))
                ->decrypt(key)
                .error(),
            reason::cose_nonce_invalid);
  EXPECT_EQ(Encrypt0::parse(message_octets("d08343a1010aa106"
                                           "4048"
                                           "0102030405060708"))
                ->decrypt(key, {}, Bytes(13))
                .error(),
            reason::cose_nonce_invalid);
}

TEST(Encrypt0, DetachesItsCiphertext) {
  const auto key = ContentKey::from(key_our_secret2(), alg::aes_ccm_16_64_128).value();
  Headers headers;
  headers.unprotected_map.iv = Bytes(13, 1);
  Bytes ciphertext;
  EXPECT_EQ(Encrypt0::create(key, headers, as_bytes(example_content), {.detached = true}).error(),
            reason::cose_payload_detached);
  const Bytes encoded =
      Encrypt0::create(key, headers, as_bytes(example_content), {.detached = true}, &ciphertext).value();
  const auto message = Encrypt0::parse(encoded).value();
  EXPECT_TRUE(message.is_detached());
  EXPECT_EQ(message.decrypt(key).error(), reason::cose_payload_detached);
  EXPECT_EQ(as_text(message.decrypt_detached(key, ciphertext).value().expose()), example_content);
  ciphertext.pop_back();
  EXPECT_EQ(message.decrypt_detached(key, ciphertext).error(), reason::cose_verification_failed);
  EXPECT_EQ(message.decrypt_detached(key, {}).error(), reason::cose_verification_failed);
}

}  // namespace
}  // namespace aceward::cose
