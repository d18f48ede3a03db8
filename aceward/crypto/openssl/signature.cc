#include "aceward/crypto/signature.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <sodium.h>

#include <algorithm>

#include "aceward/crypto/hash.h"
#include "aceward/crypto/openssl/curve.h"
#include "aceward/crypto/reasons.h"

namespace aceward::crypto {

namespace {

using EcdsaSignature = std::unique_ptr<ECDSA_SIG, openssl::Deleter<ECDSA_SIG_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, openssl::Deleter<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, openssl::Deleter<OSSL_PARAM_free>>;

constexpr std::size_t coordinate_size = 32;
// A SEQUENCE of two INTEGERs of at most 33 octets each.
constexpr std::size_t ecdsa_der_limit = 72;

// A context that signs (`d` given) or verifies SHA-256 digests.
openssl::KeyContext ecdsa_context(const PublicKey& key, const Secret* d) {
  std::array<std::uint8_t, 65> point{0x04};
  std::copy(key.x().begin(), key.x().end(), point.begin() + 1);
  std::copy(key.y().begin(), key.y().end(), point.begin() + 33);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  openssl::require(
      builder && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
          OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1,
      "ECDSA key");
  openssl::Number scalar;
  if (d != nullptr) {
    scalar.reset(BN_secure_new());
    openssl::require(scalar && BN_bin2bn(d->expose().data(), static_cast<int>(d->size()), scalar.get()) != nullptr &&
                         OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) == 1,
                     "ECDSA key");
  }
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const openssl::KeyContext maker(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  openssl::require(parameters && maker && EVP_PKEY_fromdata_init(maker.get()) == 1 &&
                       EVP_PKEY_fromdata(maker.get(), &made, d != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                                         parameters.get()) == 1,
                   "ECDSA key");
  const openssl::KeyHandle handle(made);
  openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, handle.get(), nullptr));
  openssl::require(
      context && (d != nullptr ? EVP_PKEY_sign_init(context.get()) : EVP_PKEY_verify_init(context.get())) == 1,
      "ECDSA context");
  return context;
}

class EcdsaSigner final : public Signer {
 public:
  explicit EcdsaSigner(const PrivateKey& key)
      : Signer(SignatureAlgorithm::es256, key.public_key()), context_(ecdsa_context(key.public_key(), &key.d())) {}

  Result<Bytes> sign(BytesView message) override {
    const auto hashed = sha256(message);
    std::array<std::uint8_t, ecdsa_der_limit> der{};
    std::size_t length = der.size();
    // OpenSSL mixes the private key and the digest into the nonce's draw, so that a weak generator alone does not
    // give the key away.
    if (EVP_PKEY_sign(context_.get(), der.data(), &length, hashed.data(), hashed.size()) != 1) {
      return fail(reason::crypto_failed, "ecdsa sign");
    }
    const std::uint8_t* at = der.data();
    const EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length)));
    Bytes out(2 * coordinate_size);
    if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.data(), coordinate_size) != coordinate_size ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out.data() + coordinate_size, coordinate_size) !=
            coordinate_size) {
      return fail(reason::crypto_failed, "ecdsa signature");
    }
    return out;
  }

 private:
  openssl::KeyContext context_;
};

class EcdsaVerifier final : public Verifier {
 public:
  explicit EcdsaVerifier(const PublicKey& key)
      : Verifier(SignatureAlgorithm::es256, key), context_(ecdsa_context(key, nullptr)) {}

  Result<> verify(BytesView message, BytesView signature) override {
    if (signature.size() != 2 * coordinate_size) return fail(reason::crypto_authentication_failed, "signature length");
    const openssl::ErrorScope errors;
    openssl::Number r(BN_bin2bn(signature.data(), coordinate_size, nullptr));
    openssl::Number s(BN_bin2bn(signature.data() + coordinate_size, coordinate_size, nullptr));
    const EcdsaSignature parsed(ECDSA_SIG_new());
    openssl::require(r && s && parsed && ECDSA_SIG_set0(parsed.get(), r.get(), s.get()) == 1, "ecdsa signature");
    (void)r.release();
    (void)s.release();
    std::array<std::uint8_t, ecdsa_der_limit> der{};
    std::uint8_t* at = der.data();
    const int length = i2d_ECDSA_SIG(parsed.get(), &at);
    const auto hashed = sha256(message);
    if (length <= 0 || EVP_PKEY_verify(context_.get(), der.data(), static_cast<std::size_t>(length), hashed.data(),
                                       hashed.size()) != 1) {
      return fail(reason::crypto_authentication_failed, "ecdsa");
    }
    return {};
  }

 private:
  openssl::KeyContext context_;
};

class Ed25519Signer final : public Signer {
 public:
  explicit Ed25519Signer(const PrivateKey& key) : Signer(SignatureAlgorithm::ed25519, key.public_key()) {
    openssl::prepare_sodium();
    std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> unused{};
    crypto_sign_seed_keypair(unused.data(), expanded_.data(), key.d().expose().data());
  }
  ~Ed25519Signer() override { wipe(expanded_); }

  Result<Bytes> sign(BytesView message) override {
    Bytes out(crypto_sign_BYTES);
    if (crypto_sign_detached(out.data(), nullptr, message.data(), message.size(), expanded_.data()) != 0) {
      return fail(reason::crypto_failed, "ed25519 sign");
    }
    return out;
  }

 private:
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded_{};
};

class Ed25519Verifier final : public Verifier {
 public:
  explicit Ed25519Verifier(const PublicKey& key) : Verifier(SignatureAlgorithm::ed25519, key) {
    openssl::prepare_sodium();
  }

  Result<> verify(BytesView message, BytesView signature) override {
    if (signature.size() != crypto_sign_BYTES) return fail(reason::crypto_authentication_failed, "signature length");
    if (crypto_sign_verify_detached(signature.data(), message.data(), message.size(), public_key().x().data()) != 0) {
      return fail(reason::crypto_authentication_failed, "ed25519");
    }
    return {};
  }
};

}  // namespace

Result<std::unique_ptr<Signer>> make_signer(const PrivateKey& key) {
  switch (key.curve()) {
    case Curve::p256: return std::make_unique<EcdsaSigner>(key);
    case Curve::ed25519: return std::make_unique<Ed25519Signer>(key);
    case Curve::x25519: break;
  }
  return fail(reason::crypto_key_unsuitable, "X25519 does not sign");
}

Result<std::unique_ptr<Verifier>> make_verifier(const PublicKey& key) {
  switch (key.curve()) {
    case Curve::p256: return std::make_unique<EcdsaVerifier>(key);
    case Curve::ed25519: return std::make_unique<Ed25519Verifier>(key);
    case Curve::x25519: break;
  }
  return fail(reason::crypto_key_unsuitable, "X25519 does not sign");
}

}  // namespace aceward::crypto
