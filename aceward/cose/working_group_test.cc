// The COSE working group's examples, read in place when they are there.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "aceward/cose/encrypt0.h"
#include "aceward/cose/mac0.h"
#include "aceward/cose/sign1.h"

namespace aceward::cose {
namespace {

using nlohmann::json;

std::vector<std::filesystem::path> examples_in(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("../shared/vectors/cose/" + folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

json example(const std::filesystem::path& file) {
  std::ifstream in(file);
  return json::parse(in);
}

Bytes base64url(const std::string& text) {
  Bytes out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    bits = (bits << 6) | static_cast<std::uint32_t>(digits.find(c));
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  return out;
}

Bytes key_member(const json& key, const std::string& name) {
  if (key.contains(name + "_hex")) return from_hex(key.at(name + "_hex").get<std::string>()).value();
  return base64url(key.at(name));
}

// Empty for curves that are not implemented.
std::optional<Key> example_key(const json& key) {
  if (key.at("kty") == "oct") return Key::symmetric(Secret(key_member(key, "k"))).value();
  if (key.at("crv") == "P-256") {
    return Key::from_private(crypto::PrivateKey::from_octets(crypto::Curve::p256, key_member(key, "d")).value());
  }
  if (key.at("crv") == "Ed25519") {
    return Key::from_private(crypto::PrivateKey::from_octets(crypto::Curve::ed25519, key_member(key, "d")).value());
  }
  return std::nullopt;
}

std::optional<Algorithm> example_algorithm(const std::string& name) {
  static const std::map<std::string, Algorithm> names = {
      {"ES256", alg::es256},
      {"EdDSA", alg::eddsa},
      {"HS256", alg::hmac_256_256},
      {"HS256/64", alg::hmac_256_64},
      {"HS384", alg::hmac_384_384},
      {"HS512", alg::hmac_512_512},
      {"AES-CCM-16-128/64", alg::aes_ccm_16_64_128},
      {"AES-CCM-16-128/128", alg::aes_ccm_16_128_128},
      {"AES-CCM-16-256/64", alg::aes_ccm_16_64_256},
      {"AES-CCM-16-256/128", alg::aes_ccm_16_128_256},
      {"A128GCM", alg::a128gcm},
      {"A192GCM", alg::a192gcm},
      {"A256GCM", alg::a256gcm},
      {"ChaCha-Poly1305", alg::chacha20_poly1305},
  };
  const auto found = names.find(name);
  return found == names.end() ? std::nullopt : std::optional(found->second);
}

std::string stated_algorithm(const json& part) {
  for (const char* bucket : {"protected", "unprotected"}) {
    if (part.contains(bucket) && part.at(bucket).contains("alg")) return part.at(bucket).at("alg");
  }
  return part.at("alg");
}

Bytes external_of(const json& part) {
  return part.contains("external") ? from_hex(part.at("external").get<std::string>()).value() : Bytes();
}

// Which outcome does an example give? Empty: not of a kind that is implemented.
std::optional<bool> verifies(const json& one) {
  const json& input = one.at("input");
  const Bytes encoded = from_hex(one.at("output").at("cbor").get<std::string>()).value();
  const Bytes plaintext = to_bytes(input.at("plaintext").get<std::string>());
  if (input.contains("sign0")) {
    const json& part = input.at("sign0");
    const auto key = example_key(part.at("key"));
    const auto algorithm = example_algorithm(stated_algorithm(part));
    if (!key || !algorithm) return std::nullopt;
    const Bytes aad = external_of(part);
    const auto verifying = VerifyingKey::from(*key, *algorithm).value();
    const auto message = Sign1::parse(encoded);
    if (!message) return false;
    const auto payload = message->verify(verifying, {.external_aad = aad, .algorithm = AlgorithmRule::anywhere});
    return payload && equal(*payload, plaintext);
  }
  if (input.contains("mac0")) {
    const json& part = input.at("mac0");
    const auto key = example_key(part.at("recipients").at(0).at("key"));
    const auto algorithm = example_algorithm(stated_algorithm(part));
    if (!key || !algorithm) return std::nullopt;
    const Bytes aad = external_of(part);
    const auto mac = MacKey::from(*key, *algorithm).value();
    const auto message = Mac0::parse(encoded);
    if (!message) return false;
    const auto payload = message->verify(mac, {.external_aad = aad, .algorithm = AlgorithmRule::anywhere});
    return payload && equal(*payload, plaintext);
  }
  if (input.contains("encrypted")) {
    const json& part = input.at("encrypted");
    const auto key = example_key(part.at("recipients").at(0).at("key"));
    const auto algorithm = example_algorithm(stated_algorithm(part));
    if (!key || !algorithm) return std::nullopt;
    const Bytes aad = external_of(part);
    const auto content = ContentKey::from(*key, *algorithm).value();
    const auto message = Encrypt0::parse(encoded);
    if (!message) return false;
    const auto opened = message->decrypt(content, {.external_aad = aad, .algorithm = AlgorithmRule::anywhere});
    return opened && equal(opened->expose(), plaintext);
  }
  return std::nullopt;
}

class WorkingGroupExamples : public testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(WorkingGroupExamples, GiveTheStatedOutcome) {
  const auto [folder, least] = GetParam();
  const auto files = examples_in(folder);
  if (files.empty()) GTEST_SKIP() << "the examples of " << folder << " are not there";
  int used = 0;
  for (const auto& file : files) {
    const json one = example(file);
    const auto outcome = verifies(one);
    if (!outcome) continue;
    EXPECT_EQ(*outcome, !one.value("fail", false)) << file << ": " << one.at("title");
    ++used;
  }
  EXPECT_GE(used, least);
}

INSTANTIATE_TEST_SUITE_P(Cose, WorkingGroupExamples,
                         testing::Values(std::pair("sign1-tests", 9), std::pair("mac0-tests", 10),
                                         std::pair("ecdsa-examples", 1), std::pair("eddsa-examples", 1),
                                         std::pair("aes-ccm-examples", 4), std::pair("aes-gcm-examples", 3),
                                         std::pair("chacha-poly-examples", 1), std::pair("hmac-examples", 4)));

}  // namespace
}  // namespace aceward::cose
