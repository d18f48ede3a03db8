#include "aceward/ace/rs/access_control.h"

#include <algorithm>

#include "aceward/ace/rs/reasons.h"
#include "aceward/coap/resource/router.h"

namespace aceward::ace::rs {
namespace {

constexpr std::uint64_t retry_after_seconds = 2;

std::optional<Scope> scope_to_suggest(const HintsConfig& hints, const ScopeMap& scopes, const coap::Options& options,
                                      coap::Code method) {
  if (hints.suggest_scope == HintsConfig::SuggestScope::text) {
    const std::string* name = scopes.suggest(options, method);
    if (name != nullptr) return Scope(*name);
  }
  if (hints.suggest_scope == HintsConfig::SuggestScope::aif) {
    MethodSet methods;
    methods.add(method.detail());
    Aif aif;
    if (aif.add(Target::of(options).to_local_path(), methods)) return Scope(aif.serialize());
  }
  return std::nullopt;
}

enum class Judgement : std::uint8_t { allowed, method_not_covered, target_not_covered, unconfirmed, no_token };

/// What the owner gave to the key, then what its token gives.
Judgement judge_entry(const TokenEntry& entry, const coap::Options& options, coap::Code method, WallTime now) {
  Verdict best = Verdict::target_not_covered;
  if (entry.configured) best = entry.configured->judge(options, method);
  if (best == Verdict::allowed) return Judgement::allowed;
  const bool has_token = entry.has_token && entry.expires_at > now;
  if (!has_token && !entry.configured) return Judgement::no_token;
  if (has_token) {
    const Verdict verdict = entry.permissions.judge(options, method);
    if (verdict == Verdict::allowed) return entry.is_stale ? Judgement::unconfirmed : Judgement::allowed;
    if (verdict == Verdict::method_not_covered) best = verdict;
  }
  return best == Verdict::method_not_covered ? Judgement::method_not_covered : Judgement::target_not_covered;
}

}  // namespace

AccessControl::AccessControl(const TokenStore& store, const ChannelBindings& bindings, const ScopeMap& scopes,
                             HintsConfig hints, std::vector<std::string> hosts, const ClientNonces* nonces)
    : store_(store),
      bindings_(bindings),
      scopes_(scopes),
      hints_(std::move(hints)),
      hosts_(std::move(hosts)),
      nonces_(nonces) {}

void AccessControl::reconfigure(HintsConfig hints, std::vector<std::string> hosts) {
  hints_ = std::move(hints);
  hosts_ = std::move(hosts);
}

bool AccessControl::is_for_us(const coap::Options& options) const {
  if (options.has(coap::option::proxy_uri) || options.has(coap::option::proxy_scheme)) return false;
  const auto host = options.find_text(coap::option::uri_host);
  return !host || hosts_.empty() || std::ranges::find(hosts_, *host) != hosts_.end();
}

Refusal AccessControl::refuse(const Reason& reason, coap::Code code, const ChannelBindings::Binding* binding,
                              const coap::Options& options, coap::Code method, WallTime now) {
  if (code == coap::code::unauthorized) ++counters_.unauthorized;
  if (code == coap::code::forbidden) ++counters_.forbidden;
  if (code == coap::code::method_not_allowed) ++counters_.method_not_allowed;
  Refusal refusal{Error(reason), coap::make_response(code)};
  if (code == coap::code::service_unavailable) {
    // A new token would not help: no hints.
    ++counters_.unconfirmed;
    refusal.response.options.add_uint(coap::option::max_age, retry_after_seconds);
    if (binding != nullptr) refusal.unconfirmed = binding->entry;
    return refusal;
  }
  if (!hints_.as_uri) return refusal;
  CreationHints hints{.as_uri = hints_.as_uri,
                      .kid = binding != nullptr ? binding->kid : std::nullopt,
                      .audience = hints_.audience,
                      .scope = scope_to_suggest(hints_, scopes_, options, method),
                      .cnonce = nonces_ != nullptr ? std::optional(nonces_->give(now)) : std::nullopt};
  refusal.response = coap::make_response(code, coap::content_format::ace_cbor, cbor::serialize(hints));
  return refusal;
}

std::expected<EntryId, Refusal> AccessControl::judge(const coap::Peer& peer, const coap::Options& options,
                                                     coap::Code method, WallTime now) {
  const ChannelBindings::Binding* binding = bindings_.binding_of(peer);
  const auto no = [&](const Reason& reason, coap::Code code) {
    return std::unexpected(refuse(reason, code, binding, options, method, now));
  };
  if (binding == nullptr) return no(reason::request_unprotected, coap::code::unauthorized);
  const TokenEntry* entry = store_.find(binding->entry, now);
  if (entry == nullptr) return no(reason::request_without_token, coap::code::unauthorized);
  if (!is_for_us(options)) return no(reason::request_not_for_us, coap::code::forbidden);
  switch (judge_entry(*entry, options, method, now)) {
    case Judgement::allowed: break;
    case Judgement::method_not_covered: return no(reason::request_method_not_covered, coap::code::method_not_allowed);
    case Judgement::target_not_covered: return no(reason::request_target_not_covered, coap::code::forbidden);
    case Judgement::unconfirmed: return no(reason::introspection_unavailable, coap::code::service_unavailable);
    case Judgement::no_token: return no(reason::request_without_token, coap::code::unauthorized);
  }
  ++counters_.allowed;
  return entry->id;
}

bool AccessControl::allows(const coap::Peer& peer, const coap::Request& request, WallTime now) const {
  const ChannelBindings::Binding* binding = bindings_.binding_of(peer);
  if (binding == nullptr || !is_for_us(request.options)) return false;
  const TokenEntry* entry = store_.find(binding->entry, now);
  return entry != nullptr && judge_entry(*entry, request.options, request.method, now) == Judgement::allowed;
}

std::optional<Refusal> AccessControl::renew(const Grant& grant, WallTime now) {
  const ChannelBindings::Binding* binding = bindings_.binding_of(grant.peer_);
  if (binding != nullptr && binding->entry != grant.entry_) {
    return refuse(reason::request_without_token, coap::code::unauthorized, binding, grant.options_, grant.method_, now);
  }
  auto entry = judge(grant.peer_, grant.options_, grant.method_, now);
  if (!entry) return std::move(entry.error());
  return std::nullopt;
}

}  // namespace aceward::ace::rs
