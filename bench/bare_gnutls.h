// DTLS 1.2 by GnuTLS alone, both sides in one thread and the datagrams in memory: what tls/ is measured against.
#pragma once

#include <memory>

#include "aceward/base/bytes.h"
#include "aceward/crypto/key.h"

namespace aceward::bench {

/// The same cipher suites and credentials as tls/, without cookies, limits, clocks and events.
class BareGnutls {
 public:
  /// TLS_PSK_WITH_AES_128_CCM_8.
  static BareGnutls with_psk(BytesView identity, BytesView key);
  /// TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, a raw public key on each side.
  static BareGnutls with_raw_keys(const crypto::PrivateKey& server, const crypto::PrivateKey& client);
  BareGnutls(BareGnutls&&) noexcept;
  ~BareGnutls();

  /// A whole handshake between two fresh sessions, which take the place of those before.
  void handshake();
  /// One record each way in the session of the last handshake.
  void round_trip(BytesView request, BytesView response);

 private:
  struct Impl;
  explicit BareGnutls(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::bench
