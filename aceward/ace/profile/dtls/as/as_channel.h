// How clients and resource servers authenticate to the authorization server over DTLS (RFC 9202 sections 3.1 and 6).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/registry.h"
#include "aceward/base/secret.h"
#include "aceward/tls/credentials.h"

namespace aceward::ace::dtls {

/// Answers the handshake's questions from the registry, remembers which session proved what, and tells at each request
/// who that is according to the registry of that moment: a party that was removed, or whose key was replaced, is no
/// longer authenticated on the sessions it still has. Clients and resource servers share the identities of pre-shared
/// keys: where both have one, it is the client's. Belongs to the loop of the DTLS server.
class AsChannel final : public tls::ServerCredentials, public as::ChannelDirectory {
 public:
  explicit AsChannel(as::RegistrySnapshot registry = nullptr) { set_registry(std::move(registry)); }

  void set_registry(as::RegistrySnapshot registry);

  /// The key of a registered party with that identity. Errors: `psk_identity_refused`.
  Result<tls::PskCredential> psk(BytesView identity) override;
  /// Is it the key of a registered party? Errors: `raw_key_refused`, also for a key that does not parse.
  Result<void> raw_public_key(BytesView spki_der) override;
  /// Has it the name of a registered party? Names of several clients, or of several servers, are none.
  /// Errors: `certificate_refused`.
  Result<void> certificate(const tls::Certificate& certificate) override;
  /// While a registered party has a client_secret, which it shows in its request.
  bool allows_no_identity() const override { return secrets_registered_; }
  /// Is the party still registered, with the same key? Errors: `resumption_refused`.
  Result<void> resume(const tls::PeerIdentity& identity) override;

  /// A handshake was completed (coaps::SessionEstablished): `session` is what Peer::session will be.
  void on_established(std::uint64_t session, const tls::PeerIdentity& identity);
  /// The session is gone (coaps::SessionClosed). Unknown ones are ignored.
  void on_closed(std::uint64_t session);

  std::optional<as::AuthenticatedClient> client_of(const coap::Peer& peer) const override;
  std::optional<as::AuthenticatedServer> server_of(const coap::Peer& peer) const override;
  bool is_protected_without_identity(const coap::Peer& peer) const override;

  std::size_t session_count() const { return sessions_.size(); }

 private:
  /// What a session proved. With a pre-shared key: the identity and a fingerprint of the key, so that its replacement
  /// is noticed.
  struct PskProof {
    Bytes identity;
    std::uint64_t fingerprint = 0;
  };
  struct KeyProof {
    Bytes thumbprint;  ///< 32 octets
  };
  struct CertificateProof {
    std::vector<std::string> names;
    Bytes thumbprint;
  };
  struct NoProof {};
  using Proof = std::variant<PskProof, KeyProof, CertificateProof, NoProof>;

  static std::optional<Proof> proof_of(const tls::PeerIdentity& identity);
  const Proof* find(const coap::Peer& peer) const;
  /// The registered party that the proof is one of, today; null: none.
  const as::ClientRecord* client_with(const Proof& proof) const;
  const as::ServerRecord* server_with(const Proof& proof) const;

  as::RegistrySnapshot registry_;
  std::unordered_map<std::uint64_t, Proof> sessions_;
  bool secrets_registered_ = false;
};

}  // namespace aceward::ace::dtls
