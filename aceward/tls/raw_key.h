// What a RawKeyPair holds, and how it becomes a GnuTLS credential. Internal to tls/.
#pragma once

#include <mutex>

#include "aceward/tls/credentials.h"
#include "aceward/tls/gnutls_handles.h"

namespace aceward::tls {

namespace detail {
using SharedCertificate = std::shared_ptr<std::remove_pointer_t<gnutls_certificate_credentials_t>>;

/// What many connections with one key share.
struct CredentialCache {
  std::mutex mutex;
  SharedCertificate certificate;
};
}  // namespace detail

struct RawKeyPair::Material {
  P256Point point;
  Secret d;
  Bytes spki;
  std::shared_ptr<detail::CredentialCache> cache = std::make_shared<detail::CredentialCache>();
};

namespace detail {
/// Errors: `raw_key_malformed`.
Result<PrivateKeyHandle> make_private_key(const RawKeyPair::Material& material);
/// Certificate credentials with the raw public key, the chain, either or (for a client without identity) none, that ask
/// the connection about its peer. Made once for the same pair and chain, since many connections can share them; they
/// live as long as whoever holds them. Errors: `tls_setup_failed`, `raw_key_malformed`.
Result<SharedCertificate> make_certificate(const RawKeyPair* pair, const CertificateChain* chain);
}  // namespace detail

}  // namespace aceward::tls
