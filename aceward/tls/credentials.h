// What a side of a DTLS handshake authenticates itself with, and the port that a server asks about its clients.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "aceward/base/result.h"
#include "aceward/base/secret.h"
#include "aceward/crypto/key.h"
#include "aceward/tls/identity.h"

namespace aceward::tls {

/// A P-256 key pair that is used as a raw public key (RFC 7250). Cheap to copy: copies share the key, which is wiped
/// with the last of them. Immutable, safe to share between threads.
class RawKeyPair {
 public:
  /// An unencrypted PKCS#8 (or SEC 1) PEM. Errors: `raw_key_malformed`.
  static Result<RawKeyPair> from_pem(const Secret& pem);
  /// The public point and the 32 octets of the private scalar. The two are checked to belong together.
  /// Errors: `raw_key_malformed`.
  static Result<RawKeyPair> from_coordinates(const P256Point& point, BytesView d);
  /// The same from a key of crypto/. Errors: `raw_key_malformed` for another curve than P-256.
  static Result<RawKeyPair> from_key(const crypto::PrivateKey& key);
  /// A fresh pair from the DTLS library's own generator. For tests, demonstrations and throw-away clients.
  /// Errors: `tls_setup_failed`.
  static Result<RawKeyPair> generate();

  /// The DER of the SubjectPublicKeyInfo: what the peer will see.
  BytesView spki() const;
  const P256Point& point() const;

  struct Material;
  const Material& material() const { return *material_; }

 private:
  explicit RawKeyPair(std::shared_ptr<const Material> material) : material_(std::move(material)) {}
  std::shared_ptr<const Material> material_;
};

/// How a client authenticates itself with a pre-shared key. `identity` has 1 to 65535 octets of any value.
struct PskClient {
  Bytes identity;
  Secret key;
};

/// A chain of X.509 certificates, each P-256 and signed with ecdsa-with-SHA256, and the private key of the first. Cheap
/// to copy. Immutable, safe to share between threads.
class CertificateChain {
 public:
  /// `chain`: PEM, the own certificate first, at most 6, each the issuer of the one before; the authority itself may be
  /// left out. `key`: its private key. Errors: `certificate_chain_malformed`, also for a key that is not the
  /// certificate's.
  static Result<CertificateChain> from_pem(std::string_view chain, const RawKeyPair& key);

  const Certificate& certificate() const;

  struct Material;
  const Material& material() const { return *material_; }

 private:
  explicit CertificateChain(std::shared_ptr<const Material> material) : material_(std::move(material)) {}
  std::shared_ptr<const Material> material_;
};

/// The certificates that others must be vouched for by. Cheap to copy. Immutable, safe to share between threads.
class Authorities {
 public:
  /// One to 64 CA certificates in PEM, each with a P-256 key. Errors: `authorities_malformed`.
  static Result<Authorities> from_pem(std::string_view certificates);

  struct Material;
  const Material& material() const { return *material_; }

 private:
  explicit Authorities(std::shared_ptr<const Material> material) : material_(std::move(material)) {}
  std::shared_ptr<const Material> material_;
};

/// A server that is known by a name in its certificate (RFC 7925 section 4.4.1).
struct NamedServer {
  Authorities authorities;
  std::string name;  ///< compared with Certificate::names: a host name in lower case, or a URI
};

/// Which server a client wants: the SubjectPublicKeyInfo (DER) of its raw public key, or its name. With a key expected
/// the server must authenticate with a raw public key, with a name it must with a certificate. Compared before the
/// session is established; another key is a handshake failure `server_key_unexpected`, another name
/// `certificate_name_unexpected`, a chain that does not hold `certificate_untrusted`.
using ExpectedServer = std::variant<Bytes, NamedServer>;

/// How a client authenticates itself with a raw public key, and which server it wants.
struct RawKeyClient {
  RawKeyPair key;
  ExpectedServer server;
};

/// The same with a certificate.
struct CertificateClient {
  CertificateChain chain;
  ExpectedServer server;
};

/// A client that does not authenticate itself; the server does.
struct AnonymousClient {
  ExpectedServer server;
};

using ClientCredentials = std::variant<PskClient, RawKeyClient, CertificateClient, AnonymousClient>;

/// What a client needs to resume a session without a full handshake (RFC 5077). As secret as the session's keys; lives
/// in memory alone. Cheap to copy.
class ResumptionTicket {
 public:
  /// Whether it was made with these credentials and so can be offered with them.
  bool belongs_to(const ClientCredentials& credentials) const;

  struct Material;
  const Material& material() const { return *material_; }

 private:
  friend struct detail::IdentityMint;
  explicit ResumptionTicket(std::shared_ptr<const Material> material) : material_(std::move(material)) {}
  std::shared_ptr<const Material> material_;
};

/// The key that a server's session tickets are encrypted under. GnuTLS derives from it the keys of each span of time. A
/// ticket is good at the server that gave it, while that remembers it. Cheap to copy.
class TicketKey {
 public:
  /// A fresh one from the DTLS library's own generator. Errors: `tls_setup_failed`.
  static Result<TicketKey> generate();
  const Secret& octets() const { return *octets_; }

 private:
  explicit TicketKey(std::shared_ptr<const Secret> octets) : octets_(std::move(octets)) {}
  std::shared_ptr<const Secret> octets_;
};

/// The key of a PSK identity. What the handle means is for whoever gives it: it comes back with the identity once the
/// handshake is complete (PskIdentity::handle), so that a session belongs to the key that was really used, whatever
/// else has come to have the same identity in between.
struct PskCredential {
  Secret key;
  std::uint64_t handle = 0;
};

/// What a server asks inside a handshake. Called synchronously from Server::receive: answer from memory, never block,
/// never call the Server back.
class ServerCredentials {
 public:
  virtual ~ServerCredentials() = default;
  /// The key of a PSK identity (RFC 9202 section 3.3.2: an access token, or what names one). The identity is what a
  /// stranger wrote: the answer must not change state that a stranger may not change. Any error ends the handshake with
  /// the alert illegal_parameter and stands in HandshakeFailed. An empty key is treated as `psk_identity_refused`.
  virtual Result<PskCredential> psk(BytesView identity) = 0;
  /// Whether a client with this raw public key is welcome. Asked before the client proved to hold the private key; the
  /// proof follows in the same handshake. Any error ends the handshake with the alert bad_certificate.
  virtual Result<void> raw_public_key(BytesView spki_der) = 0;
  /// Whether a client with this certificate is welcome. The chain holds under ServerConfig::client_authorities at this
  /// time; the proof that the client has the private key follows in the same handshake. Any error ends the handshake
  /// with the alert bad_certificate. By default none is.
  virtual Result<void> certificate(const Certificate& certificate);
  /// Whether a client may come without authenticating itself (with a raw key or certificate of the server's): for what
  /// is open to everybody, such as posting a token. By default not.
  virtual bool allows_no_identity() const { return false; }
  /// Whether a session may be resumed without a full handshake (RFC 5077, RFC 9202 section 7.1): asked at each
  /// resumption, before the peer proved to know the session's keys, which follows in the same handshake. A PskIdentity
  /// has the handle of the credential that the session was made with, whatever has the same identity now. An error
  /// leads to a full handshake. By default none is.
  virtual Result<void> resume(const PeerIdentity& identity);
};

}  // namespace aceward::tls
