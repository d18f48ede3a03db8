// The nonces in creation hints, by which a resource server without a synchronized clock tells that a token is fresh
// (RFC 9200 section 5.3.1).
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "aceward/base/random.h"
#include "aceward/base/time.h"

namespace aceward::crypto {
class Mac;
}

namespace aceward::ace {

/// Makes nonces that it need not remember: when each was given out, and eight octets of an HMAC-SHA-256 over that under
/// a key of this process. However many strangers ask, nothing grows; a nonce of the future cannot be had today, and
/// none outlives a restart. One nonce may stand in several tokens. Not thread-safe.
class ClientNonces {
 public:
  /// Octets of a nonce.
  static constexpr std::size_t size = 16;

  /// `lifetime`: what it takes a client to get a token after it was refused, with some allowance.
  ClientNonces(std::chrono::seconds lifetime, Random& random);
  ~ClientNonces();
  ClientNonces(const ClientNonces&) = delete;
  ClientNonces& operator=(const ClientNonces&) = delete;

  Bytes give(WallTime now) const;
  /// When the nonce was given out; nullopt if that was not here, or too long ago, or in the future.
  std::optional<WallTime> given_at(BytesView nonce, WallTime now) const;

 private:
  std::chrono::seconds lifetime_;
  std::unique_ptr<crypto::Mac> mac_;
};

}  // namespace aceward::ace
