#include "aceward/ace/as/token_decision.h"

#include <algorithm>
#include <array>

#include "aceward/ace/as/policy.h"
#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/token_number.h"
#include "aceward/ace/params/token_hash.h"
#include "aceward/base/secret.h"
#include "aceward/cbor/codec.h"

namespace aceward::ace::as {

namespace {

constexpr std::size_t max_cnonce_size = 64;
/// Profiles for which this endpoint makes tokens.
constexpr std::array<Profile, 1> own_profiles{Profile::coap_dtls};

using Servers = std::vector<const ServerRecord*>;

/// One token has to be good at all servers of its audience (RFC 9200 section 6.1: and it is signed).
Result<> check_group(const Servers& servers) {
  if (servers.size() == 1) return {};
  const ServerRecord& first = *servers.front();
  for (const ServerRecord* server : servers) {
    if (server->protection != TokenProtection::signed_cwt)
      return fail(reason::group_audience_unusable, "not all take signed tokens");
    if (server->scope_format != first.scope_format)
      return fail(reason::group_audience_unusable, "scope formats differ");
    if (server->uses_exi != first.uses_exi) return fail(reason::group_audience_unusable, "some alone have a clock");
  }
  return {};
}

class Decider {
 public:
  Decider(const DecisionContext& context, Deliberation& deliberation) : context_(context), about_(deliberation) {}

  Result<Grant> decide() {
    grant_.client = ACEWARD_TRY(find_client());
    if (about_.request.grant_type.value_or(GrantType::client_credentials) == GrantType::refresh_token) {
      ACEWARD_TRY(refresh());
    } else {
      ACEWARD_TRY(new_token());
    }
    return std::move(grant_);
  }

 private:
  const TokenRequest& request() const { return about_.request; }
  const Registry& registry() const { return *context_.registry; }
  Parties parties() const { return {about_.channel, *grant_.client, grant_.servers}; }

  Result<const ClientRecord*> find_client() const;
  Result<> find_servers();
  Result<> name_servers(Servers servers, std::string audience);
  Result<> negotiate_profile();
  Result<> take_cnonce();
  PolicyDecision ask_policy(const std::optional<Scope>& wish);
  Result<> take(PolicyDecision decision);
  Result<> new_token();
  bool may_ask_owner() const;
  Error ask_owner();
  Result<IssuedToken> find_origin() const;
  Result<> refresh();

  const DecisionContext& context_;
  Deliberation& about_;
  Grant grant_;
};

Result<const ClientRecord*> Decider::find_client() const {
  const ClientRecord* client =
      context_.registry == nullptr ? nullptr : registry().client_by_name(about_.channel.name());
  // A name can have been given to another client since the channel was asked.
  if (client == nullptr || client->id != about_.channel.id()) return fail(reason::client_unregistered);
  if (request().client_id && *request().client_id != client->name) return fail(reason::client_id_mismatch);
  // One method of authentication in one request (RFC 6749 section 2.3).
  if (request().client_secret && about_.channel.authentication() != ClientAuthentication::client_secret)
    return fail(reason::client_secret_unexpected);
  return client;
}

Result<> Decider::find_servers() {
  if (request().audience) {
    Servers servers = registry().servers_of_audience(*request().audience);
    if (!servers.empty()) return name_servers(std::move(servers), *request().audience);
    if (registry().servers_for(grant_.client->name).empty()) return fail(reason::client_without_rules);
    return fail(reason::audience_unknown);
  }
  Servers servers = registry().servers_for(grant_.client->name);
  if (servers.empty()) return fail(reason::client_without_rules);
  if (servers.size() != 1) return fail(reason::audience_missing);
  std::string audience = servers.front()->audience;
  return name_servers(std::move(servers), std::move(audience));
}

Result<> Decider::name_servers(Servers servers, std::string audience) {
  about_.record.server = servers.size() == 1 ? servers.front()->name : audience;
  grant_.servers = std::move(servers);
  grant_.audience = std::move(audience);
  return {};
}

/// RFC 9200 section 5.8.4.3.
Result<> Decider::negotiate_profile() {
  const auto spoken = [this](Profile profile) {
    return std::ranges::find(own_profiles, profile) != own_profiles.end() &&
           std::ranges::all_of(grant_.servers, [profile](const ServerRecord* server) {
             return std::ranges::find(server->profiles, profile) != server->profiles.end();
           });
  };
  const auto& asked = request().ace_profile;
  grant_.tell_profile = asked.has_value();
  if (asked && *asked) {
    if (!spoken(**asked)) return fail(reason::ace_profile_incompatible);
    grant_.profile = **asked;
    return {};
  }
  const auto& preferred = grant_.servers.front()->profiles;
  const auto chosen = std::ranges::find_if(preferred, spoken);
  if (chosen == preferred.end()) return fail(reason::ace_profile_incompatible, "none in common");
  grant_.profile = *chosen;
  return {};
}

Result<> Decider::take_cnonce() {
  if (request().cnonce && (request().cnonce->empty() || request().cnonce->size() > max_cnonce_size))
    return fail(reason::cnonce_too_long);
  grant_.cnonce = request().cnonce;
  return {};
}

PolicyDecision Decider::ask_policy(const std::optional<Scope>& wish) {
  PolicyDecision decision = decide_by_policy({.registry = registry(),
                                              .client = grant_.client->name,
                                              .servers = grant_.servers,
                                              .scope = wish,
                                              .now = about_.now,
                                              .maximum_lifetime = context_.maximum_lifetime});
  for (const RuleFinding& finding : decision.findings)
    if (decision.granted && finding.effect == RuleEffect::gave) about_.record.rules.push_back(finding.rule->name);
  return decision;
}

Result<> Decider::take(PolicyDecision decision) {
  if (!decision.granted) return std::unexpected(decision.granted.error());
  grant_.scope = std::move(*decision.granted);
  grant_.lifetime = decision.lifetime;
  return {};
}

bool Decider::may_ask_owner() const {
  return context_.book != nullptr && grant_.servers.size() == 1 &&
         grant_.servers.front()->undecided == Undecided::ask_owner;
}

/// What the client is told of a wish that no rule decides; `to_keep` is set where the book does not yet hold it.
Error Decider::ask_owner() {
  const ServerRecord& server = *grant_.servers.front();
  about_.record.kind = AuditKind::owner_asked;
  Bytes scope;
  if (request().scope) {
    const auto canonical = canonical_scope(*request().scope, server.scope_format);
    if (!canonical) return canonical.error();
    scope = cbor::serialize(*canonical);
  }
  const auto entry = context_.book->find(grant_.client->id, server.id, scope, about_.now);
  if (!entry) return entry.error();
  if (*entry && (*entry)->state == RequestState::denied) return Error(reason::owner_denied);
  // Who comes back sooner than told costs no write.
  const bool is_early =
      *entry && (*entry)->last_asked <= about_.now && about_.now < (*entry)->last_asked + context_.come_back / 2;
  if (!is_early) {
    AccessRequest& wish = about_.to_keep.emplace();
    wish.client_id = grant_.client->id;
    wish.server_id = server.id;
    wish.client = grant_.client->name;
    wish.server = server.name;
    wish.scope = std::move(scope);
    wish.first_asked = wish.last_asked = about_.now;
    wish.expires_at = about_.now + context_.request_kept;
  }
  return Error(reason::owner_asked);
}

Result<> Decider::new_token() {
  ACEWARD_TRY(find_servers());
  PolicyDecision decision = ask_policy(request().scope);
  const bool asks_owner = decision.is_undecided && may_ask_owner();
  if (!decision.granted && decision.granted.error() == reason::audience_without_policy && !asks_owner) {
    if (registry().servers_for(grant_.client->name).empty()) return fail(reason::client_without_rules);
    return fail(reason::audience_without_policy);
  }
  ACEWARD_TRY(check_group(grant_.servers));
  ACEWARD_TRY(negotiate_profile());
  ACEWARD_TRY(take_cnonce());
  grant_.key = ACEWARD_TRY(choose_pop_key(request().req_cnf, parties(), context_.ledger, about_.now));
  if (asks_owner) return std::unexpected(ask_owner());
  return take(std::move(decision));
}

/// The token that the refresh token came with. Every reason why it is no good is the same to the client.
Result<IssuedToken> Decider::find_origin() const {
  if (!request().refresh_token) return fail(reason::refresh_token_missing);
  const Bytes& presented = *request().refresh_token;
  const auto number = number_in_opaque(presented);
  if (!number) return fail(reason::refresh_token_invalid, "not one of ours");
  auto origin = ACEWARD_TRY(context_.ledger.find(*number));
  if (!origin) return fail(reason::refresh_token_invalid, "unknown");
  if (origin->refresh_digest.empty()) return fail(reason::refresh_token_invalid, "ended");
  if (!equal_constant_time(origin->refresh_digest, token_digest(presented)))
    return fail(reason::refresh_token_invalid, "unknown");
  if (origin->client_id != grant_.client->id) return fail(reason::refresh_token_invalid, "of another client");
  if (origin->revoked) return fail(reason::refresh_token_invalid, "revoked");
  if (about_.now >= origin->refresh_until) return fail(reason::refresh_token_invalid, "too old");
  return std::move(*origin);
}

Result<> Decider::refresh() {
  about_.record.kind = AuditKind::refresh;
  const IssuedToken origin = ACEWARD_TRY(find_origin());
  // RFC 9200 section 5.8.1: neither another key nor another audience.
  if (request().audience && *request().audience != origin.audience) return fail(reason::refresh_changes_audience);
  if (request().req_cnf && !names_key_of(*request().req_cnf, origin)) return fail(reason::refresh_changes_key);
  Servers servers = registry().servers_of_audience(origin.audience);
  if (servers.empty() || !is_for(origin, servers)) return fail(reason::refresh_token_invalid, "other servers");
  ACEWARD_TRY(name_servers(std::move(servers), origin.audience));
  // What is registered today counts: their owner may want to be asked again sooner, or refresh tokens no more.
  for (const ServerRecord* server : grant_.servers)
    if (!server->refresh_lifetime || about_.now >= origin.issued_at + *server->refresh_lifetime)
      return fail(reason::refresh_token_invalid, "too old for the server");
  ACEWARD_TRY(check_group(grant_.servers));
  ACEWARD_TRY(negotiate_profile());
  ACEWARD_TRY(take_cnonce());
  auto key = recorded_pop_key(origin, parties());
  // The key is not the client's any more, or the servers take no such keys: the grant has ended with it.
  if (!key) return fail(reason::refresh_token_invalid, key.error().id());
  grant_.key = std::move(*key);

  const ScopeFormat format = grant_.servers.front()->scope_format;
  const auto original = cbor::parse<Scope>(origin.scope);
  if (!original || !canonical_scope(*original, format)) return fail(reason::refresh_token_invalid, "scope format");
  if (request().scope && !ACEWARD_TRY(is_within(*request().scope, *original, format)))
    return fail(reason::refresh_widens_scope);
  // Without a scope it is that of the first token which is asked for (RFC 6749 section 6).
  PolicyDecision decision = ask_policy(request().scope ? *request().scope : *original);
  if (!decision.granted &&
      (decision.granted.error() == reason::scope_denied || decision.granted.error() == reason::audience_without_policy))
    return fail(reason::refresh_token_invalid, "the policy gives nothing of it any more");
  grant_.origin = origin.number;
  return take(std::move(decision));
}

}  // namespace

Result<Grant> decide(const DecisionContext& context, Deliberation& deliberation) {
  return Decider(context, deliberation).decide();
}

}  // namespace aceward::ace::as
