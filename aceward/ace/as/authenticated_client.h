// Clients and resource servers whose identity their channel to the authorization server has proved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aceward/base/bytes.h"
#include "aceward/coap/peer.h"

namespace aceward::ace::as {

struct AuthenticationMint;

enum class ClientAuthentication : std::uint8_t {
  pre_shared_key = 1,
  raw_public_key = 2,
  certificate = 3,
  client_secret = 4,  ///< in the request, over a channel that authenticates the AS alone (RFC 6749 section 2.3.1)
};

/// A registered client at the other end of a channel that authenticated it (RFC 9200 section 5.5), or that showed its
/// client_secret. A proof type: only what checks makes one, through authentication_mint.h. True at the moment it is
/// made; asked for anew at every request.
class AuthenticatedClient {
 public:
  std::int64_t id() const { return id_; }            ///< ClientRecord::id
  const std::string& name() const { return name_; }  ///< ClientRecord::name
  ClientAuthentication authentication() const { return authentication_; }
  /// COSE key thumbprint (32 octets) of the raw public key, or the key of the certificate, whose possession the
  /// channel's handshake proved; empty where it proved none.
  const Bytes& key_thumbprint() const { return key_thumbprint_; }

 private:
  friend struct AuthenticationMint;
  AuthenticatedClient(std::int64_t id, std::string name, ClientAuthentication authentication, Bytes key_thumbprint)
      : id_(id), name_(std::move(name)), authentication_(authentication), key_thumbprint_(std::move(key_thumbprint)) {}

  std::int64_t id_;
  std::string name_;
  ClientAuthentication authentication_;
  Bytes key_thumbprint_;
};

/// A registered resource server at the other end of a channel that authenticated it, as AuthenticatedClient is one.
class AuthenticatedServer {
 public:
  std::int64_t id() const { return id_; }            ///< ServerRecord::id
  const std::string& name() const { return name_; }  ///< ServerRecord::name

 private:
  friend struct AuthenticationMint;
  AuthenticatedServer(std::int64_t id, std::string name) : id_(id), name_(std::move(name)) {}

  std::int64_t id_;
  std::string name_;
};

/// The port that knows the channels: who is at the other end of one. One party may be registered as a client and as a
/// server. Not thread-safe: belongs to the loop of the channels.
class ChannelDirectory {
 public:
  virtual ~ChannelDirectory() = default;
  /// Nothing for a peer without a channel, and for a client that has been removed since its channel was made.
  virtual std::optional<AuthenticatedClient> client_of(const coap::Peer& peer) const = 0;
  /// The same for a resource server.
  virtual std::optional<AuthenticatedServer> server_of(const coap::Peer& peer) const {
    static_cast<void>(peer);
    return std::nullopt;
  }
  /// Whether the peer's channel is protected and authenticated the AS, but not the peer: there it may show a
  /// client_secret.
  virtual bool is_protected_without_identity(const coap::Peer& peer) const {
    static_cast<void>(peer);
    return false;
  }
};

}  // namespace aceward::ace::as
