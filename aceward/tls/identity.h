// Who the peer of a DTLS session proved to be.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"

namespace aceward::tls {

namespace detail {
struct IdentityMint;
}

/// The peer proved to know the key that belongs to this PSK identity (RFC 4279; RFC 9202 section 3.3). Any octets,
/// zero included, of any length up to 65535. Only a completed handshake makes one.
class PskIdentity {
 public:
  BytesView identity() const { return identity_; }
  /// At a server: that of the PskCredential whose key was used. 0 at a client.
  std::uint64_t handle() const { return handle_; }
  friend bool operator==(const PskIdentity&, const PskIdentity&) = default;

 private:
  friend struct detail::IdentityMint;
  PskIdentity(Bytes identity, std::uint64_t handle) : identity_(std::move(identity)), handle_(handle) {}
  Bytes identity_;
  std::uint64_t handle_;
};

/// The peer proved to hold the private key of this raw public key (RFC 7250). Only a completed handshake makes one.
class RawPublicKey {
 public:
  /// The DER of the SubjectPublicKeyInfo, as it was received.
  BytesView spki() const { return spki_; }
  friend bool operator==(const RawPublicKey&, const RawPublicKey&) = default;

 private:
  friend struct detail::IdentityMint;
  explicit RawPublicKey(Bytes spki) : spki_(std::move(spki)) {}
  Bytes spki_;
};

/// What an X.509 certificate says of its holder (RFC 5280, RFC 7925 section 4.4).
struct Certificate {
  Bytes der;
  Bytes spki;  ///< the DER of its SubjectPublicKeyInfo: uncompressed P-256
  /// The dNSNames, in lower case, and URIs of subjectAltName; where there is none of either, the common name of the
  /// subject (which is where RFC 7925 section 4.4.2 lets a client's EUI-64 stand). No name is empty or holds a control
  /// character. Wildcards are names like others, and match nothing but themselves.
  std::vector<std::string> names;

  bool has_name(std::string_view name) const;
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

/// The peer proved to hold the private key of a certificate that an authority vouches for. Only a completed handshake
/// makes one. Cheap to copy.
class CertificateIdentity {
 public:
  const Certificate& certificate() const { return *certificate_; }
  friend bool operator==(const CertificateIdentity& a, const CertificateIdentity& b) {
    return *a.certificate_ == *b.certificate_;
  }

 private:
  friend struct detail::IdentityMint;
  explicit CertificateIdentity(std::shared_ptr<const Certificate> certificate) : certificate_(std::move(certificate)) {}
  std::shared_ptr<const Certificate> certificate_;
};

/// The peer authenticated with nothing; the session is confidential all the same, and its server authenticated. Only
/// at a server that allows it. Only a completed handshake makes one.
class NoIdentity {
 public:
  friend bool operator==(const NoIdentity&, const NoIdentity&) = default;

 private:
  friend struct detail::IdentityMint;
  explicit NoIdentity(int) {}
};

/// How the peer authenticated. At a client that used a PSK it is the identity that the client itself sent: the server
/// proved to know its key. In a resumed session it is what the full handshake before it had proved.
using PeerIdentity = std::variant<PskIdentity, RawPublicKey, CertificateIdentity, NoIdentity>;

/// For a log or a trace: `psk:<hex, shortened>`, `rpk:<hex of the last octets of the key>`, `x509:<first name>` or
/// `none`. Holds no secret.
std::string describe(const PeerIdentity& identity);

/// A point of P-256 in affine coordinates, big-endian: what a COSE_Key carries as x and y.
struct P256Point {
  std::array<std::uint8_t, 32> x{};
  std::array<std::uint8_t, 32> y{};
  friend bool operator==(const P256Point&, const P256Point&) = default;
};

/// The DER of the SubjectPublicKeyInfo of an uncompressed P-256 key (RFC 5480): 91 octets.
Bytes serialize_spki(const P256Point& point);

/// Takes exactly that form: uncompressed, named curve, nothing after it. Whether the point is on the curve is for the
/// one who uses the key to check. Errors: `spki_malformed`.
Result<P256Point> parse_spki(BytesView spki_der);

}  // namespace aceward::tls
