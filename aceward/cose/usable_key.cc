#include "aceward/cose/usable_key.h"

#include "aceward/cose/reasons.h"

namespace aceward::cose {

namespace {

Result<Algorithm> chosen_algorithm(const Key& key, std::optional<Algorithm> asked) {
  if (asked) return *asked;
  if (key.alg) return *key.alg;
  if (key.crv() == crv::p256) return alg::es256;
  if (key.crv() == crv::ed25519) return alg::eddsa;
  return fail(reason::cose_key_incomplete, "no algorithm");
}

// RFC 9052 section 7.1: the key's type must suit the algorithm.
Result<> check_signature_key(const Key& key, Algorithm algorithm) {
  if (algorithm == alg::es256) {
    if (key.crv() != crv::p256) return fail(reason::cose_key_restricted, "key type");
  } else if (algorithm == alg::eddsa) {
    if (key.crv() != crv::ed25519) return fail(reason::cose_key_restricted, "key type");
  } else {
    return fail(reason::cose_algorithm_unsupported, "signature");
  }
  return {};
}

// RFC 9053 section 3.1 asks for an appropriate length, and would like the hash's; less than 128 bits can be guessed.
constexpr std::size_t shortest_mac_key = 16;

struct HmacShape {
  crypto::HashAlgorithm hash;
  std::size_t tag_size;
};

std::optional<HmacShape> hmac_shape(Algorithm algorithm) {
  if (algorithm == alg::hmac_256_64) return HmacShape{crypto::HashAlgorithm::sha256, 8};
  if (algorithm == alg::hmac_256_256) return HmacShape{crypto::HashAlgorithm::sha256, 32};
  if (algorithm == alg::hmac_384_384) return HmacShape{crypto::HashAlgorithm::sha384, 48};
  if (algorithm == alg::hmac_512_512) return HmacShape{crypto::HashAlgorithm::sha512, 64};
  return std::nullopt;
}

std::optional<crypto::AeadAlgorithm> aead_of(Algorithm algorithm) {
  using enum crypto::AeadAlgorithm;
  if (algorithm == alg::aes_ccm_16_64_128) return aes_ccm_16_64_128;
  if (algorithm == alg::aes_ccm_16_64_256) return aes_ccm_16_64_256;
  if (algorithm == alg::aes_ccm_16_128_128) return aes_ccm_16_128_128;
  if (algorithm == alg::aes_ccm_16_128_256) return aes_ccm_16_128_256;
  if (algorithm == alg::a128gcm) return aes_128_gcm;
  if (algorithm == alg::a192gcm) return aes_192_gcm;
  if (algorithm == alg::a256gcm) return aes_256_gcm;
  if (algorithm == alg::chacha20_poly1305) return chacha20_poly1305;
  return std::nullopt;
}

}  // namespace

Result<SigningKey> SigningKey::from(const Key& key, std::optional<Algorithm> algorithm) {
  SigningKey out;
  out.algorithm_ = ACEWARD_TRY(chosen_algorithm(key, algorithm));
  ACEWARD_TRY(check_signature_key(key, out.algorithm_));
  ACEWARD_TRY(key.permits(key_op::sign, out.algorithm_));
  const crypto::PrivateKey private_key = ACEWARD_TRY(key.private_key());
  out.signer_ = ACEWARD_TRY(crypto::make_signer(private_key));
  out.kid_ = key.kid;
  return out;
}

Result<VerifyingKey> VerifyingKey::from(const Key& key, std::optional<Algorithm> algorithm) {
  VerifyingKey out;
  out.algorithm_ = ACEWARD_TRY(chosen_algorithm(key, algorithm));
  ACEWARD_TRY(check_signature_key(key, out.algorithm_));
  ACEWARD_TRY(key.permits(key_op::verify, out.algorithm_));
  const crypto::PublicKey public_key = ACEWARD_TRY(key.public_key());
  out.verifier_ = ACEWARD_TRY(crypto::make_verifier(public_key));
  out.kid_ = key.kid;
  return out;
}

Result<MacKey> MacKey::from(const Key& key, std::optional<Algorithm> algorithm) {
  MacKey out;
  out.algorithm_ = ACEWARD_TRY(chosen_algorithm(key, algorithm));
  const auto shape = hmac_shape(out.algorithm_);
  if (!shape) return fail(reason::cose_algorithm_unsupported, "MAC");
  if (!key.is_symmetric()) return fail(reason::cose_key_restricted, "key type");
  const auto create = key.permits(key_op::mac_create, out.algorithm_);
  const auto verify = key.permits(key_op::mac_verify, out.algorithm_);
  if (!create && !verify) return std::unexpected(verify.error());
  if (key.k().size() < shortest_mac_key) return fail(reason::cose_key_malformed, "k");
  out.may_create_ = create.has_value();
  out.may_verify_ = verify.has_value();
  out.mac_ = crypto::make_hmac(shape->hash, key.k());
  out.tag_size_ = shape->tag_size;
  out.kid_ = key.kid;
  return out;
}

Result<ContentKey> ContentKey::from(const Key& key, std::optional<Algorithm> algorithm) {
  ContentKey out;
  out.algorithm_ = ACEWARD_TRY(chosen_algorithm(key, algorithm));
  const auto aead = aead_of(out.algorithm_);
  if (!aead) return fail(reason::cose_algorithm_unsupported, "encryption");
  if (!key.is_symmetric()) return fail(reason::cose_key_restricted, "key type");
  const auto encrypt = key.permits(key_op::encrypt, out.algorithm_);
  const auto decrypt = key.permits(key_op::decrypt, out.algorithm_);
  if (!encrypt && !decrypt) return std::unexpected(decrypt.error());
  if (key.k().size() != crypto::sizes_of(*aead).key) return fail(reason::cose_key_malformed, "k");
  out.may_encrypt_ = encrypt.has_value();
  out.may_decrypt_ = decrypt.has_value();
  out.aead_ = ACEWARD_TRY(crypto::make_aead(*aead, key.k()));
  out.kid_ = key.kid;
  return out;
}

}  // namespace aceward::cose
