#include "aceward/ace/profile/dtls/as/as_channel.h"

#include <utility>

#include "aceward/ace/as/authentication_mint.h"
#include "aceward/cose/key.h"
#include "aceward/crypto/encoding.h"
#include "aceward/crypto/hash.h"
#include "aceward/tls/reasons.h"

namespace aceward::ace::dtls {

namespace {

/// Empty for what is no public key.
Bytes thumbprint_of_spki(BytesView spki_der) {
  const auto key = crypto::public_key_from_spki(spki_der);
  if (!key) return {};
  const auto thumbprint = cose::Key::from_public(*key).thumbprint();
  return to_bytes(thumbprint);
}

/// Tells one key of a client from the next. Stays in memory.
std::uint64_t fingerprint_of(const Secret& psk) {
  const auto digest = crypto::sha256(psk.expose());
  std::uint64_t fingerprint = 0;
  for (std::size_t i = 0; i < sizeof fingerprint; ++i) fingerprint = fingerprint << 8 | digest[i];
  return fingerprint;
}

}  // namespace

void AsChannel::set_registry(as::RegistrySnapshot registry) { registry_ = std::move(registry); }

Result<tls::PskCredential> AsChannel::psk(BytesView identity) {
  const as::ClientRecord* client = registry_ == nullptr ? nullptr : registry_->client_by_psk_identity(identity);
  if (client == nullptr || client->psk.empty()) return fail(reason::psk_identity_refused);
  return tls::PskCredential{client->psk.clone(), fingerprint_of(client->psk)};
}

Result<void> AsChannel::raw_public_key(BytesView spki_der) {
  const Bytes thumbprint = thumbprint_of_spki(spki_der);
  if (thumbprint.empty() || registry_ == nullptr || registry_->client_by_key_thumbprint(thumbprint) == nullptr)
    return fail(reason::raw_key_refused);
  return {};
}

void AsChannel::on_established(std::uint64_t session, const tls::PeerIdentity& identity) {
  Proof proof;
  if (const auto* psk = std::get_if<tls::PskIdentity>(&identity)) {
    proof.identity = to_bytes(psk->identity());
    proof.psk_fingerprint = psk->handle();
  } else if (const auto* raw = std::get_if<tls::RawPublicKey>(&identity)) {
    proof.key_thumbprint = thumbprint_of_spki(raw->spki());
    if (proof.key_thumbprint.empty()) return;
  } else {
    return;
  }
  sessions_.insert_or_assign(session, std::move(proof));
}

void AsChannel::on_closed(std::uint64_t session) { sessions_.erase(session); }

std::optional<as::AuthenticatedClient> AsChannel::client_of(const coap::Peer& peer) const {
  if (peer.transport != coap::Transport::dtls || registry_ == nullptr) return std::nullopt;
  const auto found = sessions_.find(peer.session);
  if (found == sessions_.end()) return std::nullopt;
  const Proof& proof = found->second;
  if (!proof.key_thumbprint.empty()) {
    const as::ClientRecord* client = registry_->client_by_key_thumbprint(proof.key_thumbprint);
    if (client == nullptr) return std::nullopt;
    return as::AuthenticationMint::with_raw_public_key(*client);
  }
  const as::ClientRecord* client = registry_->client_by_psk_identity(proof.identity);
  if (client == nullptr || fingerprint_of(client->psk) != proof.psk_fingerprint) return std::nullopt;
  return as::AuthenticationMint::with_pre_shared_key(*client);
}

}  // namespace aceward::ace::dtls
