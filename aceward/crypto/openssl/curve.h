// P-256's group, and libsodium made ready. Included by the .cc files of this folder only.
#pragma once

#include "aceward/base/bytes.h"
#include "aceward/crypto/openssl/handle.h"

namespace aceward::crypto::openssl {

/// Made once; safe to read from several threads.
const EC_GROUP* p256_group();

/// The uncompressed or compressed encoding (SEC 1 section 2.3.4) as a point that is on the curve and not infinity; null
/// when it is not.
Point p256_point(BytesView encoded);

/// Writes x and y, 32 octets each, to `xy`.
void p256_coordinates(const EC_POINT* point, std::span<std::uint8_t, 64> xy);

/// Must run before any other call into libsodium.
void prepare_sodium();

}  // namespace aceward::crypto::openssl
