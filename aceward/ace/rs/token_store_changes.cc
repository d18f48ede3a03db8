// What ends or changes entries besides tokens and time: revocation, introspection, configuration.
#include <algorithm>
#include <utility>

#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/rs/token_store.h"

namespace aceward::ace::rs {
namespace {

constexpr std::size_t min_configured_octets = 16;
constexpr std::size_t max_configured_octets = 256;

std::optional<TokenHash> token_hash_in(BytesView hash) {
  if (hash.size() != token_hash_size) return std::nullopt;
  TokenHash read{};
  std::ranges::copy(hash, read.begin());
  return read;
}

Result<> check_configured(const ConfiguredKey& configured) {
  const cose::Key& key = configured.key;
  if (configured.name.empty()) return fail(reason::configured_key_invalid, "name");
  if (!key.is_symmetric()) {
    if (key.has_private() || key.crv() != cose::crv::p256) return fail(reason::configured_key_invalid, "public key");
    if (!configured.psk_identity.empty()) return fail(reason::configured_key_invalid, "identity of a public key");
    return {};
  }
  if (key.k().size() < min_configured_octets || key.k().size() > max_configured_octets) {
    return fail(reason::configured_key_invalid, "length of k");
  }
  if (configured.psk_identity.empty()) return fail(reason::configured_key_invalid, "identity");
  return {};
}

}  // namespace

std::optional<EntryId> TokenStore::holding(const TokenHash& hash, WallTime now) const {
  const auto known = by_hash_.find(hash);
  if (known == by_hash_.end()) return std::nullopt;
  // Not find(): the rights of a configured key do not make its token live longer.
  if (ends_at(entries_.at(known->second)) <= now) return std::nullopt;
  return known->second;
}

bool TokenStore::confirm(EntryId id, const TokenHash& hash, Instant until) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || !found->second.has_token || found->second.hash != hash) return false;
  TokenEntry& entry = found->second;
  if (entry.confirmed_until) staleness_.erase({*entry.confirmed_until, id});
  entry.confirmed_until = until;
  entry.is_stale = false;
  staleness_.emplace(until, id);
  return true;
}

void TokenStore::age(Instant now) {
  while (!staleness_.empty() && staleness_.begin()->first <= now) {
    entries_.at(staleness_.begin()->second).is_stale = true;
    staleness_.erase(staleness_.begin());
  }
}

std::optional<Instant> TokenStore::next_staleness() const {
  if (staleness_.empty()) return std::nullopt;
  return staleness_.begin()->first;
}

bool TokenStore::is_revoked(const TokenHash& hash) const { return revoked_.contains(hash); }

void TokenStore::remember_revoked(const TokenHash& hash, WallTime until, WallTime now) {
  while (!revoked_ends_.empty() && revoked_ends_.begin()->first <= now) {
    revoked_.erase(revoked_ends_.begin()->second);
    revoked_ends_.erase(revoked_ends_.begin());
  }
  const auto known = revoked_.find(hash);
  if (known != revoked_.end()) {
    revoked_ends_.erase({known->second, hash});
    revoked_.erase(known);
  }
  if (revoked_.size() >= limits_.revoked) {
    forgot_revoked_ = true;
    return;
  }
  revoked_.emplace(hash, until);
  revoked_ends_.emplace(until, hash);
}

bool TokenStore::end_token(BytesView octets, WallTime now) {
  const auto hash = token_hash_in(octets);
  if (!hash) return false;
  const auto held = by_hash_.find(*hash);
  if (held == by_hash_.end()) {
    if (!is_revoked(*hash)) remember_revoked(*hash, now + limits_.revoked_for, now);
    return false;
  }
  const EntryId id = held->second;
  const WallTime ends = entries_.at(id).expires_at;
  // Of one without an end the authorization server is asked before it is taken again.
  remember_revoked(*hash, ends == WallTime::max() ? now + limits_.revoked_for : ends, now);
  drop(id);
  return true;
}

Result<> TokenStore::set_configured(std::vector<ConfiguredKey> keys, const ScopeMap& scopes, WallTime now) {
  sweep(now);
  struct Wanted {
    cose::Key key;
    Bytes psk_identity;
    std::shared_ptr<const Permissions> permissions;
  };
  std::map<KeyName, Wanted> wanted;
  std::map<Bytes, KeyName> identities;
  for (ConfiguredKey& configured : keys) {
    ACEWARD_TRY(check_configured(configured));
    auto permissions = ACEWARD_TRY(scopes.resolve(configured.scope));
    KeyName name = name_of(configured.key, {});
    const bool is_new_identity =
        configured.psk_identity.empty() || identities.emplace(configured.psk_identity, name).second;
    if (!is_new_identity) return fail(reason::configured_key_invalid, "identity twice");
    const bool is_new =
        wanted
            .emplace(std::move(name), Wanted{std::move(configured.key), configured.psk_identity,
                                             std::make_shared<const Permissions>(std::move(permissions))})
            .second;
    if (!is_new) return fail(reason::configured_key_invalid, "key twice");
  }

  configured_psks_.clear();
  for (const auto& [name, before] : configured_) {
    if (wanted.contains(name)) continue;
    const EntryId id = by_key_.at(name);
    TokenEntry& entry = entries_.at(id);
    entry.configured = nullptr;
    if (!entry.has_token) drop(id);
  }
  configured_.clear();
  for (auto& [name, one] : wanted) {
    configured_.emplace(name, one.permissions);
    const auto known = by_key_.find(name);
    EntryId id;
    if (known != by_key_.end()) {
      id = known->second;
      entries_.at(id).configured = std::move(one.permissions);
    } else {
      id = EntryId{++last_id_};
      insert(configured_entry(id, std::move(one.key), std::move(one.permissions)), name);
    }
    if (!one.psk_identity.empty()) configured_psks_.emplace(std::move(one.psk_identity), id);
  }
  return {};
}

std::optional<EntryId> TokenStore::configured_psk(BytesView psk_identity) const {
  const auto known = configured_psks_.find(to_bytes(psk_identity));
  if (known == configured_psks_.end()) return std::nullopt;
  return known->second;
}

void TokenStore::reconsider(const TokenVerifier& verifier, WallTime now) {
  sweep(now);
  std::vector<EntryId> ended;
  for (auto& [id, entry] : entries_) {
    if (!entry.has_token) continue;
    if (!verifier.trusts(entry.issuer)) {
      ended.push_back(id);
      continue;
    }
    if (entry.text_scope.empty()) continue;
    auto permissions = verifier.scopes().resolve(Scope(entry.text_scope));
    if (permissions) {
      entry.permissions = std::move(*permissions);
    } else {
      ended.push_back(id);
    }
  }
  for (const EntryId id : ended) drop(id);
}

}  // namespace aceward::ace::rs
