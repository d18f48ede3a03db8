// Tests only: an authorization server that signs and encrypts whatever it is told to.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include "aceward/ace/token/token_verifier.h"
#include "aceward/base/random.h"

namespace aceward::ace::testing {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(std::string(result.error().id()));
  return std::move(*result);
}

inline const WallTime test_now{std::chrono::seconds(1'700'000'000)};

/// A P-256 key pair that depends on the seed alone.
inline cose::Key p256_key(std::uint64_t seed) {
  SeededRandom random(seed);
  return cose::Key::from_private(must(crypto::PrivateKey::generate(crypto::Curve::p256, random)));
}
inline cose::Key p256_public_key(std::uint64_t seed) { return must(p256_key(seed).public_part()); }

inline cose::Key symmetric_key(std::uint8_t octet, std::string_view kid, std::size_t size = 16) {
  cose::Key key = must(cose::Key::symmetric(Secret(Bytes(size, octet))));
  if (!kid.empty()) key.kid = to_bytes(kid);
  return key;
}

class TestIssuer {
 public:
  explicit TestIssuer(std::string iss = "coaps://as.example", std::uint64_t seed = 1, std::string_view kid = "as-key")
      : iss_(std::move(iss)), seed_(seed), kid_(to_bytes(kid)), random_(seed + 1000) {}

  cose::Key signing_key() const {
    cose::Key key = p256_key(seed_);
    key.kid = kid_;
    return key;
  }
  cose::Key token_key() const {
    cose::Key key = must(cose::Key::symmetric(Secret(Bytes(16, static_cast<std::uint8_t>(seed_)))));
    key.kid = kid_;
    return key;
  }
  cose::Key mac_key() const {
    cose::Key key = must(cose::Key::symmetric(Secret(Bytes(32, static_cast<std::uint8_t>(seed_ + 100)))));
    key.kid = kid_;
    key.alg = cose::alg::hmac_256_256;
    return key;
  }
  TrustedIssuer trusted() const {
    TrustedIssuer trusted{.iss = iss_, .verifying_keys = {}, .token_keys = {}};
    cose::Key verifying = must(signing_key().public_part());
    verifying.kid = kid_;
    trusted.verifying_keys.push_back(std::move(verifying));
    trusted.token_keys.push_back(token_key());
    trusted.token_keys.push_back(mac_key());
    return trusted;
  }

  /// Good in every way but for the key, which is missing.
  cwt::Claims claims(WallTime now = test_now) const {
    cwt::Claims claims;
    claims.iss = iss_;
    claims.aud = cwt::Audience("rs1");
    claims.iat = now;
    claims.exp = now + std::chrono::seconds(600);
    claims.scope = std::string("read");
    return claims;
  }
  cwt::Claims claims_for(const cose::Key& key, WallTime now = test_now) const {
    cwt::Claims claims = this->claims(now);
    claims.cnf = cwt::Confirmation(key.clone());
    return claims;
  }

  Bytes sign(const cwt::Claims& claims) const {
    return must(cwt::sign(claims, must(cose::SigningKey::from(signing_key()))));
  }
  Bytes mac(const cwt::Claims& claims) const { return must(cwt::mac(claims, must(cose::MacKey::from(mac_key())))); }
  Bytes encrypt(const cwt::Claims& claims) { return must(cwt::encrypt(claims, content_key(), random_)); }
  Bytes sign_then_encrypt(const cwt::Claims& claims) {
    return must(cwt::sign_then_encrypt(claims, must(cose::SigningKey::from(signing_key())), content_key(), random_));
  }
  cose::ContentKey content_key() const {
    return must(cose::ContentKey::from(token_key(), cose::alg::aes_ccm_16_64_128));
  }

 private:
  std::string iss_;
  std::uint64_t seed_;
  Bytes kid_;
  SeededRandom random_;
};

/// Audiences rs1 and rs-group; scopes read (/temp: GET) and write (/temp: PUT, /led: GET PUT).
inline TokenVerifierConfig verifier_config(std::vector<TrustedIssuer> issuers) {
  TokenVerifierConfig config;
  config.issuers = std::move(issuers);
  config.audiences = {"rs1", "rs-group"};
  config.text_scopes.emplace("read", must(Aif::parse_text("/temp=GET")));
  config.text_scopes.emplace("write", must(Aif::parse_text("/temp=PUT /led=GET,PUT")));
  return config;
}
inline TokenVerifierConfig verifier_config(const TestIssuer& issuer) {
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(issuer.trusted());
  return verifier_config(std::move(issuers));
}

}  // namespace aceward::ace::testing
