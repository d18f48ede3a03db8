#include "aceward/ace/client/token_cache.h"

#include <algorithm>
#include <utility>

#include "aceward/ace/client/reasons.h"

namespace aceward::ace::client {
namespace {

/// Nothing that a token says of time is later than this: the year 9999.
constexpr std::uint64_t latest_time = 253'402'300'799;
constexpr std::size_t longest_name = 1024;

std::uint64_t since_1970(WallTime time) {
  const auto seconds = time.time_since_epoch().count();
  return seconds < 0 ? 0 : std::min(static_cast<std::uint64_t>(seconds), latest_time);
}

std::unexpected<Error> cache_fault(std::string_view where) { return fail(reason::cached_token_malformed, where); }

Result<cose::Key> stored_key(const std::optional<Secret>& octets, std::string_view where) {
  if (!octets) return cache_fault(where);
  auto key = cose::Key::parse(octets->expose());
  if (!key) return cache_fault(where);
  return std::move(*key);
}

/// The keys that a token of its kind needs, and no others.
Result<> take_keys(const StoredToken& stored, HeldToken& token) {
  if (stored.kind == PopKind::pre_shared_key) {
    token.psk = ACEWARD_TRY(stored_key(stored.psk, "psk"));
    if (!token.psk->is_symmetric() || !token.psk->kid || *token.psk->kid != stored.key_id) return cache_fault("psk");
    if (stored.rs_key) return cache_fault("rs_key");
  } else if (stored.kind == PopKind::raw_public_key) {
    token.rs_key = ACEWARD_TRY(stored_key(stored.rs_key, "rs_key"));
    if (token.rs_key->is_symmetric() || token.rs_key->has_private()) return cache_fault("rs_key");
    if (stored.psk) return cache_fault("psk");
  } else {
    return cache_fault("kind");
  }
  return {};
}

}  // namespace

Secret serialize_token(const CacheBinding& binding, const HeldToken& token, const std::optional<Scope>& asked,
                       bool uploaded, Instant now, WallTime wall) {
  StoredToken stored;
  stored.server = binding.server;
  stored.audience = binding.audience;
  stored.as_uri = binding.as_uri;
  stored.client = binding.client;
  stored.kind = token.kind;
  stored.access_token = token.access_token;
  if (token.psk) stored.psk = token.psk->serialize();
  if (token.rs_key) stored.rs_key = token.rs_key->serialize();
  stored.scope = token.scope;
  stored.asked = asked;
  // Rounded so that the file never says more than there is.
  stored.obtained = since_1970(wall - std::chrono::ceil<std::chrono::seconds>(now - token.obtained_at));
  stored.expires = since_1970(wall + std::chrono::floor<std::chrono::seconds>(token.expires_at - now));
  stored.expires_in = token.expires_in;
  stored.key_id = token.key_id;
  stored.uploaded = uploaded;
  if (token.refresh_token) stored.refresh_token = token.refresh_token->clone();
  // Room for all of it at once: what grows leaves copies of secrets behind.
  Bytes octets;
  octets.reserve(1024 + 2 * longest_name + stored.access_token.size() + stored.server.size() + stored.audience.size() +
                 stored.as_uri.size() + (stored.refresh_token ? stored.refresh_token->size() : 0) +
                 (stored.scope ? 2048 : 0) + (stored.asked ? 2048 : 0));
  cbor::serialize_to(octets, stored);
  return Secret(std::move(octets));
}

Result<StoredToken> parse_stored_token(BytesView octets) {
  if (octets.size() > max_cached_token_size) return cache_fault("size");
  auto stored = cbor::parse<StoredToken>(octets);
  if (!stored) return cache_fault(stored.error().detail());
  if (stored->version != 1) return cache_fault("version");
  for (const std::string* name : {&stored->server, &stored->audience, &stored->as_uri}) {
    if (name->size() > longest_name) return cache_fault("name");
  }
  if (stored->client.size() != 32) return cache_fault("client");
  if (stored->access_token.empty()) return cache_fault("access_token");
  if (stored->refresh_token && stored->refresh_token->empty()) return cache_fault("refresh_token");
  if (stored->obtained > stored->expires || stored->expires > latest_time) return cache_fault("expires");
  HeldToken keys;
  ACEWARD_TRY(take_keys(*stored, keys));
  return stored;
}

Result<CachedToken> restore_token(const StoredToken& stored, const CacheBinding& binding, Instant now, WallTime wall) {
  const bool is_ours = stored.server == binding.server && stored.audience == binding.audience &&
                       stored.as_uri == binding.as_uri && equal(stored.client, binding.client);
  if (!is_ours) return fail(reason::cached_token_foreign);
  CachedToken cached;
  HeldToken& token = cached.token;
  ACEWARD_TRY(take_keys(stored, token));
  token.kind = stored.kind;
  token.access_token = stored.access_token;
  token.scope = stored.scope;
  token.expires_in = stored.expires_in;
  token.key_id = stored.key_id;
  if (stored.refresh_token) token.refresh_token = stored.refresh_token->clone();
  cached.asked = stored.asked;
  cached.uploaded = stored.uploaded;
  // More than a century is as good as for ever, and cannot overflow the clock.
  constexpr std::int64_t longest = 100LL * 366 * 24 * 3600;
  const auto wall_seconds = static_cast<std::int64_t>(since_1970(wall));
  const std::int64_t lifetime = std::min(static_cast<std::int64_t>(stored.expires - stored.obtained), longest);
  const std::int64_t rest = std::min(static_cast<std::int64_t>(stored.expires) - wall_seconds, lifetime);
  token.expires_at = now + std::chrono::seconds(std::max<std::int64_t>(rest, 0));
  token.obtained_at = token.expires_at - std::chrono::seconds(lifetime);
  return cached;
}

}  // namespace aceward::ace::client
