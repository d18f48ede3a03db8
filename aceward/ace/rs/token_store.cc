#include "aceward/ace/rs/token_store.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "aceward/ace/rs/reasons.h"

namespace aceward::ace::rs {
bool TokenStore::Order::is_before(const Order& other) const {
  const std::size_t cti_size = cti.size();
  const std::size_t other_cti_size = other.cti.size();
  return std::tie(issued_at, cti_size, cti, expires_at) <
         std::tie(other.issued_at, other_cti_size, other.cti, other.expires_at);
}

TokenStore::TokenStore(TokenStoreLimits limits) : limits_(limits) {}

TokenEntry TokenStore::configured_entry(EntryId id, cose::Key key, std::shared_ptr<const Permissions> permissions) {
  return {.id = id,
          .issuer = {},
          .key = std::move(key),
          .kid = std::nullopt,
          .permissions = {},
          .configured = std::move(permissions),
          .has_token = false,
          .cti = std::nullopt,
          .issued_at = std::nullopt,
          .expires_at = WallTime::max(),
          .digest = {},
          .stored_at = {},
          .used = true,
          .hash = {},
          .text_scope = {},
          .octets = {},
          .is_stale = false,
          .confirmed_until = std::nullopt};
}

TokenStore::KeyName TokenStore::name_of(const cose::Key& key, const std::string& issuer) {
  // A public key is its owner's alone; two issuers that happen to draw one symmetric key must not share an entry.
  return {key.thumbprint(), key.is_symmetric() ? issuer : std::string()};
}

Result<cose::Key> TokenStore::key_of(VerifiedToken& token, WallTime now) const {
  if (const auto* key = std::get_if<cose::Key>(&token.pop_key())) return key->clone();
  const auto named = [&](bool is_symmetric) -> Result<const TokenEntry*> {
    const TokenEntry* found = nullptr;
    const auto [first, last] = by_kid_.equal_range(std::get<PopKeyReference>(token.pop_key()).kid);
    for (auto it = first; it != last; ++it) {
      const TokenEntry* entry = find(it->second, now);
      if (entry == nullptr || entry->issuer != token.issuer() || entry->key.is_symmetric() != is_symmetric) continue;
      if (found != nullptr) return fail(reason::token_kid_ambiguous);
      found = entry;
    }
    return found;
  };
  const TokenEntry* found = ACEWARD_TRY(named(true));
  // Clients choose the kids of their public keys, and could choose that of another's shared key: it must neither stand
  // in its way nor take its place while it is not held.
  if (found == nullptr && !token.derived_key()) found = ACEWARD_TRY(named(false));
  if (found != nullptr) return found->key.clone();
  // A kid of a key that is held means an update, which keeps the key; any other is that of a key to be derived.
  if (token.derived_key()) return token.derived_key()->clone();
  return fail(reason::token_kid_unknown);
}

Result<> TokenStore::make_room(const std::string& issuer) {
  const auto own = std::ranges::count_if(
      entries_, [&](const auto& entry) { return entry.second.has_token && entry.second.issuer == issuer; });
  const bool is_issuer_full = static_cast<std::size_t>(own) >= limits_.tokens_per_issuer;
  if (!is_issuer_full && with_token_ < limits_.tokens) return {};
  // In the order in which the keys came.
  const auto unused = [](const auto& entry) { return entry.second.has_token && !entry.second.used; };
  auto oldest =
      std::ranges::find_if(entries_, [&](const auto& entry) { return unused(entry) && entry.second.issuer == issuer; });
  if (oldest == entries_.end() && !is_issuer_full) oldest = std::ranges::find_if(entries_, unused);
  if (oldest == entries_.end()) return fail(reason::token_store_full, is_issuer_full ? "of one issuer" : "");
  drop(oldest->first);
  return {};
}

Result<TokenStore::Outcome> TokenStore::store(VerifiedToken token, WallTime now, std::optional<Confirmed> confirmed) {
  sweep(now);
  if (is_revoked(token.hash())) return fail(reason::token_revoked);
  if (forgot_revoked_) return fail(reason::token_store_full, "revoked tokens");
  cose::Key key = ACEWARD_TRY(key_of(token, now));
  KeyName name = name_of(key, token.issuer());
  Order order{token.issued_at().value_or(WallTime::min()), token.cti().value_or(Bytes()), token.expires_at()};
  const auto live = by_key_.find(name);
  const auto known = memories_.find(name);

  if (known != memories_.end()) {
    Memory memory = known->second;
    const bool is_latest = memory.digest == token.digest();
    memory.until = std::max(memory.until, token.expires_at());
    const bool has_live_token = live != by_key_.end() && entries_.at(live->second).has_token;
    if (is_latest && has_live_token) {
      if (confirmed) confirm(live->second, token.hash(), confirmed->until);
      return Outcome{live->second, Change::repeated};
    }
    if (!is_latest && !memory.latest.is_before(order)) {
      remember(name, std::move(memory));
      return Outcome{has_live_token ? live->second : EntryId{}, Change::outdated};
    }
  }
  if (live == by_key_.end() || !entries_.at(live->second).has_token) ACEWARD_TRY(make_room(token.issuer()));

  const WallTime until =
      known == memories_.end() ? token.expires_at() : std::max(known->second.until, token.expires_at());
  remember(name, {std::move(order), token.digest(), until});
  TokenEntry entry{.id = {},
                   .issuer = token.issuer(),
                   .key = std::move(key),
                   .kid = token.kid(),
                   .permissions = token.permissions(),
                   .configured = nullptr,
                   .has_token = true,
                   .cti = token.cti(),
                   .issued_at = token.issued_at(),
                   .expires_at = token.expires_at(),
                   .digest = token.digest(),
                   .stored_at = now,
                   .used = false,
                   .hash = token.hash(),
                   .text_scope = token.text_scope(),
                   .octets = confirmed ? std::move(confirmed->octets) : Bytes(),
                   .is_stale = false,
                   .confirmed_until = confirmed ? std::optional(confirmed->until) : std::nullopt};
  Change change = Change::stored;
  if (live != by_key_.end()) {
    const TokenEntry before = take_out(live->second);  // the entry lives on
    entry.id = before.id;
    entry.configured = before.configured;
    entry.used = before.used;
    if (before.has_token) {
      entry.stored_at = before.stored_at;
      change = Change::superseded;
    }
  } else {
    entry.id = EntryId{++last_id_};
  }
  const EntryId id = entry.id;
  insert(std::move(entry), std::move(name));
  trim_memories(now);
  return Outcome{id, change};
}

void TokenStore::insert(TokenEntry entry, KeyName name) {
  const EntryId id = entry.id;
  if (entry.has_token) {
    ends_.emplace(ends_at(entry), id);
    by_hash_.emplace(entry.hash, id);
    if (entry.confirmed_until) staleness_.emplace(*entry.confirmed_until, id);
    ++with_token_;
  }
  by_key_.emplace(std::move(name), id);
  if (entry.kid) by_kid_.emplace(*entry.kid, id);
  entries_.emplace(id, std::move(entry));
}

TokenEntry TokenStore::take_out(EntryId id) {
  const auto found = entries_.find(id);
  TokenEntry entry = std::move(found->second);
  entries_.erase(found);
  if (entry.has_token) {
    ends_.erase({ends_at(entry), id});
    by_hash_.erase(entry.hash);
    if (entry.confirmed_until) staleness_.erase({*entry.confirmed_until, id});
    --with_token_;
  }
  by_key_.erase(name_of(entry.key, entry.issuer));
  if (entry.kid) {
    const auto [first, last] = by_kid_.equal_range(*entry.kid);
    by_kid_.erase(std::find_if(first, last, [&](const auto& known) { return known.second == id; }));
  }
  return entry;
}

void TokenStore::drop(EntryId id) {
  TokenEntry entry = take_out(id);
  if (!entry.configured) {
    dropped_.push_back(id);
    return;
  }
  KeyName name = name_of(entry.key, entry.issuer);
  insert(configured_entry(id, std::move(entry.key), std::move(entry.configured)), std::move(name));
}

void TokenStore::remember(const KeyName& name, Memory memory) {
  const auto known = memories_.find(name);
  if (known != memories_.end()) memory_ends_.erase({known->second.until, name});
  memory_ends_.emplace(memory.until, name);
  memories_.insert_or_assign(name, std::move(memory));
}

void TokenStore::trim_memories(WallTime now) {
  for (auto it = memory_ends_.begin(); it != memory_ends_.end();) {
    const bool is_over = it->first <= now;
    const bool is_crowded = memories_.size() > entries_.size() + limits_.remembered;
    if (!is_over && !is_crowded) return;
    const auto live = by_key_.find(it->second);
    if (live != by_key_.end() && entries_.at(live->second).has_token) {
      ++it;
      continue;
    }
    memories_.erase(it->second);
    it = memory_ends_.erase(it);
  }
}

WallTime TokenStore::ends_at(const TokenEntry& entry) const {
  return entry.used ? entry.expires_at : std::min(entry.expires_at, entry.stored_at + limits_.unused);
}

void TokenStore::sweep(WallTime now) {
  while (!ends_.empty() && ends_.begin()->first <= now) drop(ends_.begin()->second);
}

std::vector<EntryId> TokenStore::expire(WallTime now) {
  sweep(now);
  return std::exchange(dropped_, {});
}

std::optional<WallTime> TokenStore::next_expiry() const {
  // What was dropped on the way is due at once: the earliest time there is.
  if (!dropped_.empty()) return WallTime::min();
  if (ends_.empty()) return std::nullopt;
  return ends_.begin()->first;
}

const TokenEntry* TokenStore::find(EntryId id, WallTime now) const {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return nullptr;
  // The rights of a configured key outlast a token's, whose own are not given any more (AccessControl).
  if (found->second.configured) return &found->second;
  return ends_at(found->second) <= now ? nullptr : &found->second;
}

std::vector<EntryId> TokenStore::symmetric_by_kid(BytesView kid, WallTime now) const {
  std::vector<EntryId> found;
  const auto [first, last] = by_kid_.equal_range(to_bytes(kid));
  for (auto it = first; it != last; ++it) {
    const TokenEntry* entry = find(it->second, now);
    if (entry != nullptr && entry->has_token && entry->key.is_symmetric()) found.push_back(entry->id);
  }
  return found;
}

std::optional<EntryId> TokenStore::by_public_key(const crypto::PublicKey& key, WallTime now) const {
  const auto known = by_key_.find(name_of(cose::Key::from_public(key), {}));
  if (known == by_key_.end() || find(known->second, now) == nullptr) return std::nullopt;
  return known->second;
}

void TokenStore::mark_used(EntryId id) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.used) return;
  if (!found->second.has_token) {
    found->second.used = true;
    return;
  }
  ends_.erase({ends_at(found->second), id});
  found->second.used = true;
  ends_.emplace(ends_at(found->second), id);
}

}  // namespace aceward::ace::rs
