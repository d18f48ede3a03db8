// X.509 certificates as DTLS uses them (RFC 5280, RFC 7925 section 4.4). Internal to tls/.
#pragma once

#include <gnutls/x509.h>

#include <array>
#include <span>
#include <vector>

#include "aceward/base/time.h"
#include "aceward/tls/credentials.h"
#include "aceward/tls/gnutls_handles.h"
#include "aceward/tls/raw_key.h"

namespace aceward::tls {

namespace detail {
struct FreesTrustList {
  void operator()(gnutls_x509_trust_list_t list) const { gnutls_x509_trust_list_deinit(list, 1); }
};
using TrustListHandle = std::unique_ptr<std::remove_pointer_t<gnutls_x509_trust_list_t>, FreesTrustList>;
}  // namespace detail

struct CertificateChain::Material {
  Certificate certificate;
  std::vector<Bytes> ders;  ///< the own one first
  RawKeyPair key;
  std::shared_ptr<detail::CredentialCache> cache = std::make_shared<detail::CredentialCache>();
};

struct Authorities::Material {
  detail::TrustListHandle list;
  std::array<std::uint8_t, 32> digest{};  ///< tells one set of authorities from another
};

struct ResumptionTicket::Material {
  Secret session;                                     ///< as GnuTLS serializes it
  std::array<std::uint8_t, 32> credentials_digest{};  ///< of what it was made with
};

namespace detail {

/// Details of `certificate_untrusted` that have an alert of their own.
inline constexpr std::string_view expired = "its time is over, or has not come";
inline constexpr std::string_view unknown_authority = "no authority of ours";

enum class Purpose : std::uint8_t { server, client };

/// Does an authority vouch for the chain (DER, the peer's own first) at this time, for this purpose? Says what the
/// first certificate holds. Errors: `certificate_untrusted`, `certificate_unsupported`.
Result<Certificate> verify_chain(const Authorities& authorities, std::span<const gnutls_datum_t> chain, Purpose purpose,
                                 WallTime at);

/// RFC 7252 section 9.1.3.3, RFC 7925 section 4.4.1: is the name one of the certificate's, or the host of its URI with
/// the scheme coaps?
bool is_certificate_of(const Certificate& certificate, std::string_view server_name);

/// Tells apart credentials, keys included. A digest of secrets: not to be shown.
std::array<std::uint8_t, 32> digest_of(const ClientCredentials& credentials);

}  // namespace detail
}  // namespace aceward::tls
