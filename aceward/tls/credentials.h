// What a side of a DTLS handshake authenticates itself with, and the port that a server asks about its clients.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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

/// How a client authenticates itself with a raw public key, and which server it wants. The server's key is compared
/// before the session is established; another key is a handshake failure `server_key_unexpected`.
struct RawKeyClient {
  RawKeyPair key;
  Bytes expected_server_spki;
};

using ClientCredentials = std::variant<PskClient, RawKeyClient>;

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
};

}  // namespace aceward::tls
