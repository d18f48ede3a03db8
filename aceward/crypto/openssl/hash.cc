#include "aceward/crypto/hash.h"

#include "aceward/crypto/openssl/handle.h"
#include "aceward/crypto/openssl/message_digest.h"

namespace aceward::crypto {

namespace openssl {

const EVP_MD* message_digest(HashAlgorithm algorithm) {
  // Fetched once: an implicit fetch at every initialisation costs more than a short hash does.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA384", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  switch (algorithm) {
    case HashAlgorithm::sha256: return sha256;
    case HashAlgorithm::sha384: return sha384;
    case HashAlgorithm::sha512: return sha512;
  }
  return nullptr;
}

}  // namespace openssl

namespace {

class OpenSslHash final : public Hash {
 public:
  explicit OpenSslHash(HashAlgorithm algorithm) : Hash(algorithm), context_(EVP_MD_CTX_new()) {
    openssl::require(context_ != nullptr, "digest context");
    start();
  }

  void update(BytesView data) override {
    openssl::require(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1, "digest update");
  }

  void finish(std::span<std::uint8_t> out) override {
    openssl::require(out.size() >= size_of(algorithm()), "digest output too small");
    openssl::require(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1, "digest final");
    start();
  }

  Bytes peek() const override {
    const openssl::DigestContext copy(EVP_MD_CTX_new());
    openssl::require(copy && EVP_MD_CTX_copy_ex(copy.get(), context_.get()) == 1, "digest copy");
    Bytes out(size_of(algorithm()));
    openssl::require(EVP_DigestFinal_ex(copy.get(), out.data(), nullptr) == 1, "digest final");
    return out;
  }

 private:
  void start() {
    openssl::require(EVP_DigestInit_ex(context_.get(), openssl::message_digest(algorithm()), nullptr) == 1,
                     "digest init");
  }

  openssl::DigestContext context_;
};

}  // namespace

std::unique_ptr<Hash> make_hash(HashAlgorithm algorithm) { return std::make_unique<OpenSslHash>(algorithm); }

Bytes digest(HashAlgorithm algorithm, BytesView data) {
  Bytes out(size_of(algorithm));
  openssl::require(
      EVP_Digest(data.data(), data.size(), out.data(), nullptr, openssl::message_digest(algorithm), nullptr) == 1,
      "digest");
  return out;
}

std::array<std::uint8_t, 32> sha256(BytesView data) {
  std::array<std::uint8_t, 32> out{};
  openssl::require(EVP_Digest(data.data(), data.size(), out.data(), nullptr,
                              openssl::message_digest(HashAlgorithm::sha256), nullptr) == 1,
                   "digest");
  return out;
}

}  // namespace aceward::crypto
