#include "aceward/crypto/mac.h"

#include <algorithm>

#include "aceward/base/secret.h"
#include "aceward/crypto/openssl/handle.h"
#include "aceward/crypto/openssl/message_digest.h"

namespace aceward::crypto {

namespace {

std::size_t block_size_of(HashAlgorithm hash) { return hash == HashAlgorithm::sha256 ? 64 : 128; }

// HMAC as RFC 2104 writes it, over contexts that have already hashed the padded key: copying a digest's state costs
// less than OpenSSL's HMAC does to start anew.
class OpenSslHmac final : public Mac {
 public:
  OpenSslHmac(HashAlgorithm hash, BytesView key) : Mac(hash) {
    const EVP_MD* md = openssl::message_digest(hash);
    std::array<std::uint8_t, 128> pad{};
    const std::size_t block = block_size_of(hash);
    if (key.size() > block) {
      openssl::require(EVP_Digest(key.data(), key.size(), pad.data(), nullptr, md, nullptr) == 1, "hmac key");
    } else {
      std::copy(key.begin(), key.end(), pad.begin());
    }
    for (std::uint8_t& octet : pad) octet ^= 0x36;
    load(inner_, md, std::span(pad).first(block));
    for (std::uint8_t& octet : pad) octet ^= 0x36 ^ 0x5c;
    load(outer_, md, std::span(pad).first(block));
    wipe(pad);
    work_.reset(EVP_MD_CTX_new());
    openssl::require(work_ != nullptr, "hmac context");
  }

  void compute(std::span<const BytesView> parts, std::span<std::uint8_t> out) override {
    const std::size_t size = size_of(hash());
    openssl::require(out.size() <= size, "hmac output too long");
    std::array<std::uint8_t, max_hash_size> full{};
    openssl::require(EVP_MD_CTX_copy_ex(work_.get(), inner_.get()) == 1, "hmac copy");
    for (const BytesView part : parts) {
      openssl::require(EVP_DigestUpdate(work_.get(), part.data(), part.size()) == 1, "hmac update");
    }
    openssl::require(EVP_DigestFinal_ex(work_.get(), full.data(), nullptr) == 1 &&
                         EVP_MD_CTX_copy_ex(work_.get(), outer_.get()) == 1 &&
                         EVP_DigestUpdate(work_.get(), full.data(), size) == 1 &&
                         EVP_DigestFinal_ex(work_.get(), full.data(), nullptr) == 1,
                     "hmac final");
    std::copy_n(full.begin(), out.size(), out.begin());
    wipe(full);
  }

 private:
  static void load(openssl::DigestContext& context, const EVP_MD* md, BytesView block) {
    context.reset(EVP_MD_CTX_new());
    openssl::require(context && EVP_DigestInit_ex(context.get(), md, nullptr) == 1 &&
                         EVP_DigestUpdate(context.get(), block.data(), block.size()) == 1,
                     "hmac init");
  }

  openssl::DigestContext inner_;
  openssl::DigestContext outer_;
  openssl::DigestContext work_;
};

}  // namespace

bool Mac::verify(BytesView message, BytesView tag, std::size_t tag_size) {
  if (tag.size() != tag_size || tag_size == 0 || tag_size > size_of(hash_)) return false;
  std::array<std::uint8_t, max_hash_size> expected{};
  const auto whole = std::span(expected).first(tag_size);
  compute(message, whole);
  const bool same = equal_constant_time(whole, tag);
  wipe(expected);
  return same;
}

std::unique_ptr<Mac> make_hmac(HashAlgorithm hash, BytesView key) { return std::make_unique<OpenSslHmac>(hash, key); }

Bytes hmac(HashAlgorithm hash, BytesView key, BytesView message) {
  OpenSslHmac mac(hash, key);
  Bytes out(size_of(hash));
  static_cast<Mac&>(mac).compute(message, out);
  return out;
}

}  // namespace aceward::crypto
