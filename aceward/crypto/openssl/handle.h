// Owning handles of OpenSSL's objects. Included by the .cc files of this folder only.
#pragma once

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace aceward::crypto::openssl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;
using NumberContext = std::unique_ptr<BN_CTX, Deleter<BN_CTX_free>>;
using Group = std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>>;
using SecretPoint = std::unique_ptr<EC_POINT, Deleter<EC_POINT_clear_free>>;
using Point = std::unique_ptr<EC_POINT, Deleter<EC_POINT_free>>;

/// Takes back what OpenSSL's error queue gets while this lives: a refusal that was expected must not be taken for the
/// failure of whoever uses OpenSSL next in this thread.
class ErrorScope {
 public:
  ErrorScope() { ERR_set_mark(); }
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
  ~ErrorScope() { ERR_pop_to_mark(); }
};

/// Failures that only a lack of memory or a broken installation explains.
inline void require(bool success, const char* what) {
  if (!success) throw std::runtime_error(what);
}

}  // namespace aceward::crypto::openssl
