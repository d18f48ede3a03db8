// How a resource server recognises clients in DTLS handshakes, and which key each session stands for (RFC 9202
// sections 3.2.2, 3.3.2, 4 and 5).
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "aceward/ace/rs/access_control.h"
#include "aceward/ace/rs/authz_info.h"
#include "aceward/tls/credentials.h"

namespace aceward::ace::dtls {

/// Answers the handshake's questions from the token store, and binds each session that comes of it to the key that was
/// proven. Not thread-safe.
class RsChannel final : public tls::ServerCredentials, public rs::ChannelBindings {
 public:
  /// `allows_anonymous`: whether a client may come without authenticating itself, to post a token unseen by others (RFC
  /// 9200 section 6.5); its session is bound to no key. `clock` outlives this object.
  explicit RsChannel(const Clock& clock, bool allows_anonymous = false)
      : clock_(clock), allows_anonymous_(allows_anonymous) {}
  /// Until this is called every handshake is refused. Both outlive the last handshake.
  void attach(rs::TokenStore& tokens, rs::AuthzInfo& authz_info);

  /// The identity of a configured key, octet by octet, comes first. A kid must name exactly one live symmetric key; a
  /// token is verified and stored as authz-info does. Errors: `psk_identity_malformed`, `psk_kid_unknown`,
  /// `psk_kid_ambiguous`, `psk_key_not_symmetric`, `psk_token_outdated`, those of AuthzInfo::take.
  Result<tls::PskCredential> psk(BytesView identity) override;
  /// Only a key to which a live token is bound, or that is configured. Errors: `raw_key_without_token`, those of
  /// crypto::public_key_from_spki.
  Result<void> raw_public_key(BytesView spki_der) override;

  bool allows_no_identity() const override { return allows_anonymous_; }
  /// The key's token is looked up anew: without a live one there is no resumption (RFC 9202 section 7.1), so that no
  /// ticket lives longer than the token. Errors: `raw_key_without_token`, `psk_kid_unknown`, `raw_key_refused`.
  Result<void> resume(const tls::PeerIdentity& identity) override;

  const Binding* binding_of(const coap::Peer& peer) const override;

  /// The session is established. False when its key has no live token any more: then it must be closed. A session
  /// without identity is bound to nothing, and stays.
  bool bind(const coap::Peer& peer, const tls::PeerIdentity& identity);
  void unbind(const coap::Peer& peer);
  /// The sessions that are bound to a key.
  std::vector<std::uint64_t> sessions_of(rs::EntryId entry) const;
  std::size_t bound_count() const { return bindings_.size(); }

 private:
  Result<rs::EntryId> entry_of_psk(BytesView identity);
  Result<rs::EntryId> entry_of_raw_key(BytesView spki_der) const;
  Result<rs::EntryId> entry_of(const tls::PeerIdentity& identity) const;

  const Clock& clock_;
  bool allows_anonymous_;
  rs::TokenStore* tokens_ = nullptr;
  rs::AuthzInfo* authz_info_ = nullptr;
  std::unordered_map<std::uint64_t, Binding> bindings_;  ///< by Peer::session
};

}  // namespace aceward::ace::dtls
