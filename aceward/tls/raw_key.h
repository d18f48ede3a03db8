// What a RawKeyPair holds, and how it becomes a GnuTLS credential. Internal to tls/.
#pragma once

#include "aceward/tls/credentials.h"
#include "aceward/tls/gnutls_handles.h"

namespace aceward::tls {

struct RawKeyPair::Material {
  P256Point point;
  Secret d;
  Bytes spki;
};

namespace detail {
/// Errors: `raw_key_malformed`.
Result<PrivateKeyHandle> make_private_key(const RawKeyPair::Material& material);
/// Certificate credentials with the pair as the one raw public key. Errors: `tls_setup_failed`, `raw_key_malformed`.
Result<CertificateHandle> make_certificate(const RawKeyPair& pair);
}  // namespace detail

}  // namespace aceward::tls
