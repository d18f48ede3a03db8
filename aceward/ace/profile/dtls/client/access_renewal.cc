// Tokens over time: renewed before they end, and kept beyond the program.
#include <algorithm>
#include <utility>

#include "aceward/ace/profile/dtls/client/access_flow.h"
#include "aceward/crypto/hash.h"

namespace aceward::ace::dtls::detail {

bool AccessFlow::renewal_due(const Target& target, Instant now) const {
  const Pending& pending = target.queue.front();
  return target.token && config.renew_before.count() > 0 && !pending.renewal_tried && pending.asked == 0 &&
         now >= target.token->renew_at(config.renew_before) && now >= target.renew_not_before;
}

void AccessFlow::renew(Target& target, Instant now) {
  Pending& pending = target.queue.front();
  pending.renewal_tried = true;
  pending.renewing = true;
  pending.renewal_deadline = std::min(pending.deadline, now + renewal_patience);
  ask(target, now);
}

void AccessFlow::give_up_renewal(Target& target, Instant now) {
  target.queue.front().renewing = false;
  // A token that goes on may yet meet a 4.01, and another one be asked for, as if nothing had been tried.
  target.queue.front().asked = 0;
  std::chrono::nanoseconds pause = renewal_patience;
  if (target.token) pause = std::max(pause, (target.token->expires_at - now) / 2);
  target.renew_not_before = now + pause;
  ++progress;
}

std::optional<Instant> AccessFlow::renewal_of_watches(const Target& target) const {
  if (target.watches.empty() || !target.token || !target.queue.empty() || config.renew_before.count() == 0) return {};
  const Instant due = std::max(target.token->renew_at(config.renew_before), target.renew_not_before);
  if (due >= target.token->expires_at) return {};
  return due;
}

void AccessFlow::renew_for_watches(Target& target, Instant now) {
  const auto due = renewal_of_watches(target);
  if (!due || now < *due) return;
  Pending pending;
  pending.id = OperationId(++last_operation);
  pending.deadline = now + silent_timeout;
  pending.operation.timeout = silent_timeout;
  pending.token_only = true;
  pending.silent = true;
  target.queue.push_back(std::move(pending));
  advance(target, now);
}

bool AccessFlow::restore(Target& target, client::CachedToken cached, Instant now) {
  const client::HeldToken& token = cached.token;
  const ServerAccess& access = target.access;
  if (token.kind != access.kind) return false;
  if (token.rs_key && access.server_key && !token.rs_key->same_key(*access.server_key)) return false;
  // Whoever names a scope wants that one, and may well want less than before.
  if (access.scope && cached.asked != access.scope && token.scope != access.scope) return false;
  if (!token.usable_at(now) && !token.refresh_token) return false;
  if (is_known_revoked(target, token)) return false;
  drop_token(target, now);
  target.asked = std::move(cached.asked);
  target.uploaded = cached.uploaded;
  (token.usable_at(now) ? target.token : target.spent) = std::move(cached.token);
  ++target.revision;
  return true;
}

client::CacheBinding AccessFlow::cache_binding(const Target& target) const {
  const AsAccess& as = config.authorization_servers[target.access.as];
  client::CacheBinding binding{target.access.entry.name, target.access.entry.audience, as.entry.token_uri, {}};
  const bool is_bound_to_own_key = target.access.kind == client::PopKind::raw_public_key;
  Bytes who;
  if (const auto* psk = std::get_if<AsPsk>(&as.credentials)) {
    who = psk->identity;
  } else if (const auto* certificate = std::get_if<AsCertificate>(&as.credentials)) {
    who = to_bytes(certificate->chain.certificate().der);
  } else if (const auto* secret = std::get_if<AsSecret>(&as.credentials)) {
    who = to_bytes(secret->client_id);
  }
  if (config.key && (is_bound_to_own_key || who.empty())) {
    const auto thumbprint = config.key->thumbprint();
    binding.client.assign(thumbprint.begin(), thumbprint.end());
  } else {
    const auto digest = crypto::sha256(who);
    binding.client.assign(digest.begin(), digest.end());
  }
  return binding;
}

}  // namespace aceward::ace::dtls::detail
