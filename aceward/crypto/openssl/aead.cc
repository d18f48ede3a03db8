#include "aceward/crypto/aead.h"

#include <algorithm>

#include "aceward/base/secret.h"
#include "aceward/crypto/openssl/handle.h"
#include "aceward/crypto/reasons.h"

namespace aceward::crypto {

namespace {

using openssl::CipherContext;

const EVP_CIPHER* cipher_of(AeadAlgorithm algorithm) {
  switch (algorithm) {
    case AeadAlgorithm::aes_ccm_16_64_128:
    case AeadAlgorithm::aes_ccm_16_128_128: return EVP_aes_128_ccm();
    case AeadAlgorithm::aes_ccm_16_64_256:
    case AeadAlgorithm::aes_ccm_16_128_256: return EVP_aes_256_ccm();
    case AeadAlgorithm::aes_128_gcm: return EVP_aes_128_gcm();
    case AeadAlgorithm::aes_192_gcm: return EVP_aes_192_gcm();
    case AeadAlgorithm::aes_256_gcm: return EVP_aes_256_gcm();
    case AeadAlgorithm::chacha20_poly1305: return EVP_chacha20_poly1305();
  }
  return nullptr;
}

bool is_ccm(AeadAlgorithm algorithm) {
  switch (algorithm) {
    case AeadAlgorithm::aes_ccm_16_64_128:
    case AeadAlgorithm::aes_ccm_16_64_256:
    case AeadAlgorithm::aes_ccm_16_128_128:
    case AeadAlgorithm::aes_ccm_16_128_256: return true;
    default: return false;
  }
}

// OpenSSL counts in int.
constexpr std::size_t aead_aad_limit = 1U << 30;

class OpenSslAead final : public Aead {
 public:
  explicit OpenSslAead(AeadAlgorithm algorithm) : Aead(algorithm), ccm_(is_ccm(algorithm)) {}

  Result<> load(BytesView key) {
    seal_.reset(EVP_CIPHER_CTX_new());
    open_.reset(EVP_CIPHER_CTX_new());
    if (!seal_ || !open_) return fail(reason::crypto_failed, "cipher context");
    const EVP_CIPHER* cipher = cipher_of(algorithm());
    const int nonce_size = static_cast<int>(sizes().nonce);
    const int tag_size = static_cast<int>(sizes().tag);
    for (const bool sealing : {true, false}) {
      EVP_CIPHER_CTX* context = sealing ? seal_.get() : open_.get();
      if (EVP_CipherInit_ex(context, cipher, nullptr, nullptr, nullptr, sealing ? 1 : 0) != 1 ||
          EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, nonce_size, nullptr) != 1 ||
          // CCM's tag length is part of its first block, so it must be known before the key is used.
          (ccm_ && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_size, nullptr) != 1) ||
          EVP_CipherInit_ex(context, nullptr, nullptr, key.data(), nullptr, -1) != 1) {
        return fail(reason::crypto_failed, "cipher key");
      }
    }
    return {};
  }

  Result<> seal(BytesView nonce, BytesView aad, BytesView plaintext, std::span<std::uint8_t> out) override {
    if (nonce.size() != sizes().nonce) return fail(reason::crypto_length_wrong, "nonce");
    if (plaintext.size() > sizes().plaintext_limit || aad.size() > aead_aad_limit) {
      return fail(reason::crypto_length_wrong, "plaintext");
    }
    if (out.size() != plaintext.size() + sizes().tag) return fail(reason::crypto_length_wrong, "output");
    EVP_CIPHER_CTX* context = seal_.get();
    int written = 0;
    const int length = static_cast<int>(plaintext.size());
    if (EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) != 1 ||
        (ccm_ && EVP_EncryptUpdate(context, nullptr, &written, nullptr, length) != 1) ||
        (!aad.empty() &&
         EVP_EncryptUpdate(context, nullptr, &written, aad.data(), static_cast<int>(aad.size())) != 1) ||
        EVP_EncryptUpdate(context, out.data(), &written, data_of(plaintext), length) != 1 || written != length ||
        EVP_EncryptFinal_ex(context, out.data() + written, &written) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(sizes().tag),
                            out.data() + plaintext.size()) != 1) {
      wipe(out);
      return fail(reason::crypto_failed, "seal");
    }
    return {};
  }

  Result<> open(BytesView nonce, BytesView aad, BytesView ciphertext, std::span<std::uint8_t> out) override {
    if (nonce.size() != sizes().nonce) return refuse(out, reason::crypto_length_wrong, "nonce");
    if (ciphertext.size() < sizes().tag || ciphertext.size() - sizes().tag > sizes().plaintext_limit ||
        aad.size() > aead_aad_limit) {
      return refuse(out, reason::crypto_length_wrong, "ciphertext");
    }
    const BytesView tag = ciphertext.last(sizes().tag);
    const BytesView body = ciphertext.first(ciphertext.size() - tag.size());
    if (out.size() != body.size()) return refuse(out, reason::crypto_length_wrong, "output");

    const openssl::ErrorScope errors;
    std::array<std::uint8_t, 16> expected{};
    std::copy(tag.begin(), tag.end(), expected.begin());
    EVP_CIPHER_CTX* context = open_.get();
    int written = 0;
    const int length = static_cast<int>(body.size());
    if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), expected.data()) != 1 ||
        EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) != 1 ||
        (ccm_ && EVP_DecryptUpdate(context, nullptr, &written, nullptr, length) != 1) ||
        (!aad.empty() &&
         EVP_DecryptUpdate(context, nullptr, &written, aad.data(), static_cast<int>(aad.size())) != 1)) {
      return refuse(out, reason::crypto_failed, "open");
    }
    // CCM verifies here, the others at the end. The scratch octet stands in for an empty output, which OpenSSL would
    // take for additional data.
    std::uint8_t scratch[16] = {};
    std::uint8_t* target = out.empty() ? scratch : out.data();
    if (EVP_DecryptUpdate(context, target, &written, data_of(body), length) != 1 || written != length ||
        (!ccm_ && EVP_DecryptFinal_ex(context, scratch, &written) != 1)) {
      return refuse(out, reason::crypto_authentication_failed, "tag");
    }
    return {};
  }

 private:
  // OpenSSL takes a null pointer for "no data yet", and an empty view may have one.
  static const std::uint8_t* data_of(BytesView view) {
    static constexpr std::uint8_t nothing = 0;
    return view.empty() ? &nothing : view.data();
  }

  static std::unexpected<Error> refuse(std::span<std::uint8_t> out, const Reason& why, std::string_view detail) {
    wipe(out);
    return fail(why, detail);
  }

  bool ccm_;
  CipherContext seal_;
  CipherContext open_;
};

}  // namespace

AeadSizes sizes_of(AeadAlgorithm algorithm) {
  // CCM-16 has a length field of two octets. GCM and ChaCha20 could take more than the int that OpenSSL counts in.
  constexpr std::uint64_t ccm_limit = 65535;
  constexpr std::uint64_t stream_limit = 1U << 30;
  switch (algorithm) {
    case AeadAlgorithm::aes_ccm_16_64_128: return {16, 13, 8, ccm_limit};
    case AeadAlgorithm::aes_ccm_16_64_256: return {32, 13, 8, ccm_limit};
    case AeadAlgorithm::aes_ccm_16_128_128: return {16, 13, 16, ccm_limit};
    case AeadAlgorithm::aes_ccm_16_128_256: return {32, 13, 16, ccm_limit};
    case AeadAlgorithm::aes_128_gcm: return {16, 12, 16, stream_limit};
    case AeadAlgorithm::aes_192_gcm: return {24, 12, 16, stream_limit};
    case AeadAlgorithm::aes_256_gcm: return {32, 12, 16, stream_limit};
    case AeadAlgorithm::chacha20_poly1305: return {32, 12, 16, stream_limit};
  }
  return {};
}

Result<std::unique_ptr<Aead>> make_aead(AeadAlgorithm algorithm, BytesView key) {
  if (key.size() != sizes_of(algorithm).key || key.empty()) return fail(reason::crypto_length_wrong, "key");
  auto aead = std::make_unique<OpenSslAead>(algorithm);
  ACEWARD_TRY(aead->load(key));
  return aead;
}

Result<Bytes> Aead::seal(BytesView nonce, BytesView aad, BytesView plaintext) {
  Bytes out(plaintext.size() + sizes_.tag);
  ACEWARD_TRY(seal(nonce, aad, plaintext, std::span(out)));
  return out;
}

Result<Bytes> Aead::open(BytesView nonce, BytesView aad, BytesView ciphertext) {
  if (ciphertext.size() < sizes_.tag) return fail(reason::crypto_length_wrong, "ciphertext");
  Bytes out(ciphertext.size() - sizes_.tag);
  ACEWARD_TRY(open(nonce, aad, ciphertext, std::span(out)));
  return out;
}

}  // namespace aceward::crypto
