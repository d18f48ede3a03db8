// A client whose identity its channel to the authorization server has proved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aceward/base/bytes.h"
#include "aceward/coap/peer.h"

namespace aceward::ace::as {

struct AuthenticationMint;

enum class ClientAuthentication : std::uint8_t { pre_shared_key = 1, raw_public_key = 2 };

/// A registered client at the other end of a channel that authenticated it (RFC 9200 section 5.5). A proof type: only
/// channels make one, through authentication_mint.h. True at the moment it is made; asked for anew at every request.
class AuthenticatedClient {
 public:
  std::int64_t id() const { return id_; }            ///< ClientRecord::id
  const std::string& name() const { return name_; }  ///< ClientRecord::name
  ClientAuthentication authentication() const { return authentication_; }
  /// COSE key thumbprint (32 octets) of the raw public key whose possession the channel's handshake proved; empty where
  /// the channel was authenticated with a pre-shared key.
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

/// The port that knows the channels: who is at the other end of one. Not thread-safe: belongs to the loop of the
/// channels.
class ChannelDirectory {
 public:
  virtual ~ChannelDirectory() = default;
  /// Nothing for a peer without a channel, and for a client that has been removed since its channel was made.
  virtual std::optional<AuthenticatedClient> client_of(const coap::Peer& peer) const = 0;
};

}  // namespace aceward::ace::as
