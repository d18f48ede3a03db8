// Which of OpenSSL's digests an algorithm is. Included by the .cc files of this folder only.
#pragma once

#include <openssl/evp.h>

#include "aceward/crypto/hash.h"

namespace aceward::crypto::openssl {

const EVP_MD* message_digest(HashAlgorithm algorithm);

}  // namespace aceward::crypto::openssl
