// HKDF (RFC 5869).
#pragma once

#include <cstddef>

#include "aceward/base/secret.h"
#include "aceward/crypto/hash.h"

namespace aceward::crypto {

/// RFC 5869 section 2.2. An empty salt stands for one of zeros. The result has size_of(hash) octets.
Secret hkdf_extract(HashAlgorithm hash, BytesView salt, BytesView ikm);

/// RFC 5869 section 2.3: `length` octets, 1 to 255 * size_of(hash). `prk` has at least size_of(hash) octets.
/// Errors: `crypto_length_wrong`.
Result<Secret> hkdf_expand(HashAlgorithm hash, BytesView prk, BytesView info, std::size_t length);

/// Extract, then expand. Errors: `crypto_length_wrong`.
Result<Secret> hkdf(HashAlgorithm hash, BytesView salt, BytesView ikm, BytesView info, std::size_t length);

}  // namespace aceward::crypto
