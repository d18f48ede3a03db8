#include "aceward/ace/profile/dtls/rs/rs_channel.h"

#include <utility>

#include "aceward/ace/profile/dtls/psk_identity.h"
#include "aceward/ace/profile/dtls/reasons.h"
#include "aceward/crypto/encoding.h"
#include "aceward/tls/reasons.h"

namespace aceward::ace::dtls {

void RsChannel::attach(rs::TokenStore& tokens, rs::AuthzInfo& authz_info) {
  tokens_ = &tokens;
  authz_info_ = &authz_info;
}

Result<tls::PskCredential> RsChannel::psk(BytesView identity) {
  const rs::EntryId id = ACEWARD_TRY(entry_of_psk(identity));
  const rs::TokenEntry* entry = tokens_->find(id, clock_.wall());
  if (entry == nullptr) return fail(reason::psk_kid_unknown);
  if (!entry->key.is_symmetric()) return fail(reason::psk_key_not_symmetric);
  return tls::PskCredential{Secret::copy_of(entry->key.k()), id.value};
}

Result<rs::EntryId> RsChannel::entry_of_psk(BytesView identity) {
  if (tokens_ == nullptr) return fail(reason::psk_identity_refused);
  if (const auto configured = tokens_->configured_psk(identity)) return *configured;
  const auto parsed = ACEWARD_TRY(parse_psk_identity(identity));
  if (const auto* by_kid = std::get_if<KidIdentity>(&parsed)) {
    const auto candidates = tokens_->symmetric_by_kid(by_kid->kid, clock_.wall());
    if (candidates.empty()) return fail(reason::psk_kid_unknown);
    // Whose key it would be cannot be told, and trying one could hand a session to another client's rights.
    if (candidates.size() > 1) return fail(reason::psk_kid_ambiguous);
    return candidates.front();
  }
  const auto& token = std::get<TokenIdentity>(parsed).token;
  const auto taken = ACEWARD_TRY(authz_info_->take(token, true, clock_.now(), clock_.wall()));
  if (taken.entry == rs::EntryId{}) return fail(reason::psk_token_outdated);
  return taken.entry;
}

Result<void> RsChannel::raw_public_key(BytesView spki_der) {
  ACEWARD_TRY(entry_of_raw_key(spki_der));
  return {};
}

Result<rs::EntryId> RsChannel::entry_of_raw_key(BytesView spki_der) const {
  if (tokens_ == nullptr) return fail(reason::raw_key_refused);
  const auto key = ACEWARD_TRY(crypto::public_key_from_spki(spki_der));
  const auto entry = tokens_->by_public_key(key, clock_.wall());
  if (!entry) return fail(reason::raw_key_without_token);
  return *entry;
}

Result<rs::EntryId> RsChannel::entry_of(const tls::PeerIdentity& identity) const {
  if (const auto* raw = std::get_if<tls::RawPublicKey>(&identity)) return entry_of_raw_key(raw->spki());
  // Not by the identity: by now another key may have its kid. What counts is the key that was used.
  if (const auto* psk = std::get_if<tls::PskIdentity>(&identity)) return rs::EntryId(psk->handle());
  return fail(reason::raw_key_refused, "neither a raw public key nor a pre-shared key");
}

Result<void> RsChannel::resume(const tls::PeerIdentity& identity) {
  const rs::EntryId id = ACEWARD_TRY(entry_of(identity));
  if (tokens_ == nullptr || tokens_->find(id, clock_.wall()) == nullptr) return fail(reason::psk_kid_unknown);
  return {};
}

const rs::ChannelBindings::Binding* RsChannel::binding_of(const coap::Peer& peer) const {
  if (peer.transport != coap::Transport::dtls) return nullptr;
  const auto found = bindings_.find(peer.session);
  return found == bindings_.end() ? nullptr : &found->second;
}

bool RsChannel::bind(const coap::Peer& peer, const tls::PeerIdentity& identity) {
  if (std::holds_alternative<tls::NoIdentity>(identity)) return allows_anonymous_;
  const auto id = entry_of(identity);
  if (!id) return false;
  const rs::TokenEntry* entry = tokens_->find(*id, clock_.wall());
  if (entry == nullptr) return false;
  bindings_.insert_or_assign(peer.session, Binding{*id, entry->kid});
  tokens_->mark_used(*id);
  return true;
}

void RsChannel::unbind(const coap::Peer& peer) { bindings_.erase(peer.session); }

std::vector<std::uint64_t> RsChannel::sessions_of(rs::EntryId entry) const {
  std::vector<std::uint64_t> sessions;
  for (const auto& [session, binding] : bindings_) {
    if (binding.entry == entry) sessions.push_back(session);
  }
  return sessions;
}

}  // namespace aceward::ace::dtls
