// How clients authenticate to the authorization server over DTLS (RFC 9202 sections 3.1 and 6).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/registry.h"
#include "aceward/base/secret.h"
#include "aceward/tls/credentials.h"

namespace aceward::ace::dtls {

/// Answers the handshake's questions from the registry, remembers which session proved which key, and tells at each
/// request who that is according to the registry of that moment: a client that was removed, or whose key was replaced,
/// is no longer authenticated on the sessions it still has. Belongs to the loop of the DTLS server.
class AsChannel final : public tls::ServerCredentials, public as::ChannelDirectory {
 public:
  explicit AsChannel(as::RegistrySnapshot registry = nullptr) { set_registry(std::move(registry)); }

  void set_registry(as::RegistrySnapshot registry);

  /// The key of a registered client with that identity. Errors: `psk_identity_refused`.
  Result<tls::PskCredential> psk(BytesView identity) override;
  /// Is it the key of a registered client? Errors: `raw_key_refused`, also for a key that does not parse.
  Result<void> raw_public_key(BytesView spki_der) override;

  /// A handshake was completed (coaps::SessionEstablished): `session` is what Peer::session will be.
  void on_established(std::uint64_t session, const tls::PeerIdentity& identity);
  /// The session is gone (coaps::SessionClosed). Unknown ones are ignored.
  void on_closed(std::uint64_t session);

  std::optional<as::AuthenticatedClient> client_of(const coap::Peer& peer) const override;

  std::size_t session_count() const { return sessions_.size(); }

 private:
  /// What a session proved. With a pre-shared key: the identity and a fingerprint of the key, so that its replacement
  /// is noticed.
  struct Proof {
    Bytes identity;
    std::uint64_t psk_fingerprint = 0;
    Bytes key_thumbprint;  ///< 32 octets; empty with a pre-shared key
  };

  as::RegistrySnapshot registry_;
  std::unordered_map<std::uint64_t, Proof> sessions_;
};

}  // namespace aceward::ace::dtls
