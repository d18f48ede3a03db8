// The stateless cookie exchange of a DTLS server (RFC 6347 section 4.2.1). Internal to tls/.
#pragma once

#include <gnutls/dtls.h>

#include <array>
#include <optional>

#include "aceward/base/address.h"
#include "aceward/base/random.h"
#include "aceward/base/secret.h"
#include "aceward/base/time.h"
#include "aceward/tls/records.h"

namespace aceward::tls::detail {

/// Cookies are bound to both addresses and to the ClientHello's parameters. The key changes every `lifetime`; cookies
/// of the key before count too.
class CookieJar {
 public:
  CookieJar(Random& random, std::chrono::nanoseconds lifetime) : random_(random), lifetime_(lifetime) {}

  /// What the session goes on with, if the hello brings back a cookie of ours.
  std::optional<gnutls_dtls_prestate_st> verify(const Address& from, const Address& local, const ClientHello& hello,
                                                BytesView record, Instant now);
  /// The HelloVerifyRequest, shorter than any ClientHello; empty if it cannot be made.
  Bytes challenge(const Address& from, const Address& local, const ClientHello& hello, BytesView record, Instant now);

 private:
  void rotate(Instant now);

  Random& random_;
  std::chrono::nanoseconds lifetime_;
  std::optional<Instant> since_;
  Secret current_;
  Secret previous_;
};

}  // namespace aceward::tls::detail
