#include "aceward/ace/profile/dtls/as/as_channel.h"

#include <algorithm>
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

template <class Record>
bool has_key(const Record* record, std::uint64_t fingerprint) {
  return record != nullptr && !record->psk.empty() && fingerprint_of(record->psk) == fingerprint;
}

/// The record that the names lead to, if it is one: a certificate of several parties is nobody's.
template <class Lookup>
auto only_one(const std::vector<std::string>& names, const Lookup& lookup) -> decltype(lookup(names.front())) {
  decltype(lookup(names.front())) found = nullptr;
  for (const auto& name : names) {
    const auto* record = lookup(name);
    if (record == nullptr) continue;
    if (found != nullptr && found != record) return nullptr;
    found = record;
  }
  return found;
}

}  // namespace

void AsChannel::set_registry(as::RegistrySnapshot registry) {
  registry_ = std::move(registry);
  const auto has_secret = [](const auto& record) { return !record.secret_digest.empty(); };
  secrets_registered_ = registry_ != nullptr && (std::ranges::any_of(registry_->clients(), has_secret) ||
                                                 std::ranges::any_of(registry_->servers(), has_secret));
}

Result<tls::PskCredential> AsChannel::psk(BytesView identity) {
  if (registry_ == nullptr) return fail(reason::psk_identity_refused);
  const Secret* key = nullptr;
  if (const auto* client = registry_->client_by_psk_identity(identity)) {
    key = &client->psk;
  } else if (const auto* server = registry_->server_by_psk_identity(identity)) {
    key = &server->psk;
  }
  if (key == nullptr || key->empty()) return fail(reason::psk_identity_refused);
  return tls::PskCredential{key->clone(), fingerprint_of(*key)};
}

Result<void> AsChannel::raw_public_key(BytesView spki_der) {
  const Proof proof = KeyProof{thumbprint_of_spki(spki_der)};
  if (client_with(proof) == nullptr && server_with(proof) == nullptr) return fail(reason::raw_key_refused);
  return {};
}

Result<void> AsChannel::certificate(const tls::Certificate& certificate) {
  const Proof proof = CertificateProof{certificate.names, {}};
  if (client_with(proof) == nullptr && server_with(proof) == nullptr) return fail(reason::certificate_refused);
  return {};
}

Result<void> AsChannel::resume(const tls::PeerIdentity& identity) {
  const auto proof = proof_of(identity);
  if (!proof) return fail(reason::resumption_refused);
  const bool known = std::holds_alternative<NoProof>(*proof)
                         ? allows_no_identity()
                         : client_with(*proof) != nullptr || server_with(*proof) != nullptr;
  if (!known) return fail(reason::resumption_refused);
  return {};
}

std::optional<AsChannel::Proof> AsChannel::proof_of(const tls::PeerIdentity& identity) {
  if (const auto* psk = std::get_if<tls::PskIdentity>(&identity)) {
    return PskProof{to_bytes(psk->identity()), psk->handle()};
  }
  if (const auto* raw = std::get_if<tls::RawPublicKey>(&identity)) {
    Bytes thumbprint = thumbprint_of_spki(raw->spki());
    if (thumbprint.empty()) return std::nullopt;
    return KeyProof{std::move(thumbprint)};
  }
  if (const auto* certified = std::get_if<tls::CertificateIdentity>(&identity)) {
    const tls::Certificate& certificate = certified->certificate();
    return CertificateProof{certificate.names, thumbprint_of_spki(certificate.spki)};
  }
  return NoProof{};
}

void AsChannel::on_established(std::uint64_t session, const tls::PeerIdentity& identity) {
  if (auto proof = proof_of(identity)) sessions_.insert_or_assign(session, std::move(*proof));
}

void AsChannel::on_closed(std::uint64_t session) { sessions_.erase(session); }

const AsChannel::Proof* AsChannel::find(const coap::Peer& peer) const {
  if (peer.transport != coap::Transport::dtls) return nullptr;
  const auto found = sessions_.find(peer.session);
  return found == sessions_.end() ? nullptr : &found->second;
}

const as::ClientRecord* AsChannel::client_with(const Proof& proof) const {
  if (registry_ == nullptr) return nullptr;
  if (const auto* psk = std::get_if<PskProof>(&proof)) {
    const auto* client = registry_->client_by_psk_identity(psk->identity);
    return has_key(client, psk->fingerprint) ? client : nullptr;
  }
  if (const auto* key = std::get_if<KeyProof>(&proof)) {
    return key->thumbprint.empty() ? nullptr : registry_->client_by_key_thumbprint(key->thumbprint);
  }
  if (const auto* certified = std::get_if<CertificateProof>(&proof)) {
    return only_one(certified->names, [&](const auto& name) { return registry_->client_by_certificate_name(name); });
  }
  return nullptr;
}

const as::ServerRecord* AsChannel::server_with(const Proof& proof) const {
  if (registry_ == nullptr) return nullptr;
  if (const auto* psk = std::get_if<PskProof>(&proof)) {
    const auto* server = registry_->server_by_psk_identity(psk->identity);
    return has_key(server, psk->fingerprint) ? server : nullptr;
  }
  if (const auto* key = std::get_if<KeyProof>(&proof)) {
    return key->thumbprint.empty() ? nullptr : registry_->server_by_key_thumbprint(key->thumbprint);
  }
  if (const auto* certified = std::get_if<CertificateProof>(&proof)) {
    return only_one(certified->names, [&](const auto& name) { return registry_->server_by_certificate_name(name); });
  }
  return nullptr;
}

std::optional<as::AuthenticatedClient> AsChannel::client_of(const coap::Peer& peer) const {
  const Proof* proof = find(peer);
  const as::ClientRecord* client = proof == nullptr ? nullptr : client_with(*proof);
  if (client == nullptr) return std::nullopt;
  if (std::holds_alternative<KeyProof>(*proof)) return as::AuthenticationMint::with_raw_public_key(*client);
  if (const auto* certified = std::get_if<CertificateProof>(proof)) {
    return as::AuthenticationMint::with_certificate(*client, certified->thumbprint);
  }
  return as::AuthenticationMint::with_pre_shared_key(*client);
}

std::optional<as::AuthenticatedServer> AsChannel::server_of(const coap::Peer& peer) const {
  const Proof* proof = find(peer);
  const as::ServerRecord* server = proof == nullptr ? nullptr : server_with(*proof);
  if (server == nullptr) return std::nullopt;
  return as::AuthenticationMint::server(*server);
}

bool AsChannel::is_protected_without_identity(const coap::Peer& peer) const {
  const Proof* proof = find(peer);
  return proof != nullptr && std::holds_alternative<NoProof>(*proof);
}

}  // namespace aceward::ace::dtls
