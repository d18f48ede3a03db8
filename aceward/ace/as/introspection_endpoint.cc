#include "aceward/ace/as/introspection_endpoint.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "aceward/ace/as/introspection_token.h"
#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/refusal.h"
#include "aceward/ace/as/token_number.h"
#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/introspection.h"
#include "aceward/ace/params/token_hash.h"
#include "aceward/coap/resource/answers.h"
#include "aceward/cose/key.h"

namespace aceward::ace::as {

namespace {

constexpr cbor::Limits scope_limits{.max_depth = 4, .max_items = 16, .max_size = 65536};
constexpr std::chrono::seconds retry_after_limit{1};

/// Who asks, as the registry of this moment has them.
struct Known {
  const ClientRecord* client = nullptr;
  const ServerRecord* server = nullptr;
};

/// What an asker may ask at once, filled up second by second.
struct Allowance {
  std::uint64_t left = 0;
  WallTime filled_at;
  bool was_refused = false;  ///< since it was filled
};

/// A recognised token, and as whom the asker may hear of it.
struct Seen {
  IssuedToken token;
  bool as_server = false;
};

coap::Response introspection_error(coap::Code code, ErrorCode error) {
  ErrorResponse body;
  body.error = error;
  return coap::make_response(code, coap::content_format::ace_cbor, cbor::serialize(body));
}

coap::Response refuse_introspection(const Error& error) {
  if (error == reason::introspection_by_nobody)
    return introspection_error(coap::code::unauthorized, ErrorCode::invalid_client);
  if (error == reason::introspection_not_for_clients) return coap::make_response(coap::code::forbidden);
  if (error == reason::introspection_format) return coap::make_response(coap::code::unsupported_content_format);
  if (error == reason::introspection_accept) return coap::make_response(coap::code::not_acceptable);
  if (error == reason::introspection_too_many) {
    coap::Response response = coap::make_response(coap::code::too_many_requests);
    coap::set_max_age(response.options, retry_after_limit);
    return response;
  }
  if (error.error_class() == ErrorClass::internal) return refusal_by_ledger(error);
  return introspection_error(coap::code::bad_request, ErrorCode::invalid_request);
}

/// What makes a token worth nothing, as opposed to a request that got an error.
bool is_inactive(const Error& error) {
  return error == reason::introspected_unknown || error == reason::introspected_of_others ||
         error == reason::introspected_expired || error == reason::introspected_revoked ||
         error == reason::introspected_unregistered;
}

bool is_of_server(const IssuedToken& token, std::int64_t server) {
  return token.server_id == server || std::ranges::find(token.more_servers, server) != token.more_servers.end();
}

/// The key of the client. Whoever is not the server does not get a symmetric one: it has it, or should not have it.
Result<std::optional<cwt::Confirmation>> confirmation_for(const Seen& seen) {
  const IssuedToken& token = seen.token;
  const auto by_kid = [&]() -> std::optional<cwt::Confirmation> {
    if (token.key_id.empty()) return std::nullopt;
    return cwt::Confirmation(cwt::KeyId{token.key_id});
  };
  if (token.pop_key.empty()) return by_kid();
  auto key = cose::Key::parse(token.pop_key.expose());
  if (!key) return fail(reason::introspected_unreadable, "key");
  if (key->is_symmetric()) {
    if (!seen.as_server) return by_kid();
    return cwt::Confirmation(std::move(*key));
  }
  auto shown = key->public_part();
  if (!shown) return fail(reason::introspected_unreadable, "key");
  return cwt::Confirmation(std::move(*shown));
}

}  // namespace

struct IntrospectionEndpoint::State {
  IntrospectionEndpointConfig config;
  Ledger& ledger;
  RegistrySnapshot registry;
  Audit audit;
  Counters counters;
  bool is_quiet = false;  ///< the refusal is counted, but not told to the log: many of the same came
  std::unordered_map<std::int64_t, Allowance> client_allowances;
  std::unordered_map<std::int64_t, Allowance> server_allowances;
  /// Servers by the kid of a key of theirs; made when first needed, of one registry.
  std::unordered_map<std::string, std::vector<std::size_t>> servers_by_kid;
  bool has_index = false;

  Result<Known> know(const IntrospectionAsker& asker) const;
  Result<> allow(const Known& known, WallTime now);
  bool take_one(std::unordered_map<std::int64_t, Allowance>& allowances, std::int64_t id, WallTime now);
  void index_keys();
  std::vector<TokenKeyView> keys_for(const PresentedToken& presented, const Known& known);
  Result<Seen> recognise(BytesView token, const Known& known, WallTime now, AuditRecord& record);
  Result<coap::Response> describe(const Seen& seen, WallTime now) const;
  Result<coap::Response> answer(const IntrospectionAsker& asker, const coap::Request& request, WallTime now,
                                AuditRecord& record);
  coap::Response answer_inactive() const;
};

Result<Known> IntrospectionEndpoint::State::know(const IntrospectionAsker& asker) const {
  Known known;
  if (registry != nullptr) {
    if (asker.client) {
      const ClientRecord* client = registry->client_by_name(asker.client->name());
      if (client != nullptr && client->id == asker.client->id()) known.client = client;
    }
    if (asker.server) {
      const ServerRecord* server = registry->server_by_name(asker.server->name());
      if (server != nullptr && server->id == asker.server->id()) known.server = server;
    }
  }
  if (known.client == nullptr && known.server == nullptr) return fail(reason::introspection_by_nobody);
  if (known.server == nullptr && !config.clients_may_ask) return fail(reason::introspection_not_for_clients);
  return known;
}

bool IntrospectionEndpoint::State::take_one(std::unordered_map<std::int64_t, Allowance>& allowances, std::int64_t id,
                                            WallTime now) {
  const std::uint64_t most = std::max<std::uint64_t>(config.asks_at_once, 1);
  const auto [found, is_new] = allowances.try_emplace(id, Allowance{most, now});
  Allowance& allowance = found->second;
  if (now > allowance.filled_at) {
    const auto seconds = static_cast<std::uint64_t>((now - allowance.filled_at).count());
    // Beyond what fills it whole, time gives nothing more.
    const std::uint64_t enough = most / config.asks_per_second + 1;
    allowance.left = std::min(most, allowance.left + std::min(seconds, enough) * config.asks_per_second);
  }
  if (now != allowance.filled_at) allowance.filled_at = now;  // also when civil time was set back
  if (allowance.left == 0) {
    is_quiet = std::exchange(allowance.was_refused, true);
    return false;
  }
  allowance.was_refused = false;
  --allowance.left;
  return true;
}

Result<> IntrospectionEndpoint::State::allow(const Known& known, WallTime now) {
  if (config.asks_per_second == 0) return {};
  const bool allowed = known.server != nullptr ? take_one(server_allowances, known.server->id, now)
                                               : take_one(client_allowances, known.client->id, now);
  if (!allowed) return fail(reason::introspection_too_many);
  return {};
}

void IntrospectionEndpoint::State::index_keys() {
  if (has_index) return;
  has_index = true;
  const auto& servers = registry->servers();
  const auto enter = [&](const Bytes& kid, const Secret& key, std::size_t i) {
    if (key.empty() || kid.empty()) return;
    auto& list = servers_by_kid[std::string(as_text(kid))];
    if (list.size() < max_token_keys_tried) list.push_back(i);
  };
  for (std::size_t i = 0; i < servers.size(); ++i) {
    enter(servers[i].token_key_id, servers[i].token_key, i);
    enter(servers[i].previous_token_key_id, servers[i].previous_token_key, i);
  }
}

std::vector<TokenKeyView> IntrospectionEndpoint::State::keys_for(const PresentedToken& presented, const Known& known) {
  std::vector<TokenKeyView> keys;
  if (presented.kind != PresentedToken::Kind::encrypted_cwt) return keys;
  const auto add = [&](const ServerRecord& server) {
    keys.push_back({&server.token_key, server.token_key_id});
    keys.push_back({&server.previous_token_key, server.previous_token_key_id});
  };
  if (known.server != nullptr) add(*known.server);
  // A client cannot name the server, and the token of a group audience may be under another server's key.
  if (presented.kid) {
    index_keys();
    const auto found = servers_by_kid.find(std::string(as_text(*presented.kid)));
    if (found != servers_by_kid.end())
      for (const std::size_t i : found->second) add(registry->servers()[i]);
  } else if (known.client != nullptr) {
    for (const ServerRecord* server : registry->servers_for(known.client->name)) add(*server);
  }
  return keys;
}

Result<Seen> IntrospectionEndpoint::State::recognise(BytesView token, const Known& known, WallTime now,
                                                     AuditRecord& record) {
  const auto presented = presented_token(token);
  if (!presented) return fail(reason::introspected_unknown, "format");
  const auto number = number_in_presented(token, *presented, keys_for(*presented, known));
  if (!number) return fail(reason::introspected_unknown, "number");
  auto found = ACEWARD_TRY(ledger.find(*number));
  if (!found) return fail(reason::introspected_unknown);
  Seen seen{std::move(*found), false};
  // What claims the number of a token without being that token says nothing about it.
  if (!equal_constant_time(token_digest(token), seen.token.token_digest))
    return fail(reason::introspected_unknown, "digest");
  record.number = *number;
  seen.as_server = known.server != nullptr && is_of_server(seen.token, known.server->id);
  const bool as_client = known.client != nullptr && config.clients_may_ask && seen.token.client_id == known.client->id;
  if (!seen.as_server && !as_client) return fail(reason::introspected_of_others);
  if (seen.as_server) record.client = seen.token.client;
  if (!seen.as_server) record.server = seen.token.server;
  if (seen.token.revoked) return fail(reason::introspected_revoked);
  if (now >= seen.token.expires_at) return fail(reason::introspected_expired);
  const ClientRecord* client = registry->client_by_name(seen.token.client);
  if (client == nullptr || client->id != seen.token.client_id) return fail(reason::introspected_unregistered, "client");
  if (!seen.as_server && registry->server_by_id(seen.token.server_id) == nullptr)
    return fail(reason::introspected_unregistered, "server");
  return seen;
}

coap::Response IntrospectionEndpoint::State::answer_inactive() const {
  coap::Response response = coap::make_response(coap::code::created, coap::content_format::ace_cbor,
                                                cbor::serialize(IntrospectionResponse{}));
  coap::set_max_age(response.options, config.cache_for);
  return response;
}

Result<coap::Response> IntrospectionEndpoint::State::describe(const Seen& seen, WallTime now) const {
  const IssuedToken& token = seen.token;
  IntrospectionResponse told;
  told.active = true;
  if (!config.issuer.empty()) told.iss = config.issuer;
  std::string audience = token.audience;
  if (audience.empty())
    if (const ServerRecord* server = registry->server_by_id(token.server_id)) audience = server->audience;
  told.iat = cwt::NumericDate(token.issued_at);
  auto keep_for = std::min<std::chrono::seconds>(config.cache_for, token.expires_at - now);
  if (token.exi) {
    told.exi = static_cast<std::uint64_t>(std::max<std::int64_t>(token.exi->count(), 0));
    told.cti = sequence_octets_of(audience, token.number);
    keep_for = std::min(keep_for, *token.exi);
  } else {
    told.exp = cwt::NumericDate(token.expires_at);
    told.cti = octets_of(token.number);
  }
  if (!audience.empty()) told.aud = std::move(audience);
  auto scope = cbor::parse<Scope>(token.scope, scope_limits);
  if (!scope) return fail(reason::introspected_unreadable, "scope");
  told.scope = std::move(*scope);
  told.token_type = TokenType::pop;
  told.ace_profile = token.profile;
  if (!token.cnonce.empty()) told.cnonce = token.cnonce;
  told.cnf = ACEWARD_TRY(confirmation_for(seen));
  coap::Response response =
      coap::make_response(coap::code::created, coap::content_format::ace_cbor, cbor::serialize(told));
  coap::set_max_age(response.options, std::max(keep_for, std::chrono::seconds(0)));
  return response;
}

Result<coap::Response> IntrospectionEndpoint::State::answer(const IntrospectionAsker& asker,
                                                            const coap::Request& request, WallTime now,
                                                            AuditRecord& record) {
  const Known known = ACEWARD_TRY(know(asker));
  ACEWARD_TRY(allow(known, now));
  if (coap::refuse_content_format(request, coap::content_format::ace_cbor)) return fail(reason::introspection_format);
  if (coap::refuse_accept(request, {coap::content_format::ace_cbor})) return fail(reason::introspection_accept);
  const IntrospectionRequest parsed = ACEWARD_TRY(parse_introspection_request(request.payload));
  const Seen seen = ACEWARD_TRY(recognise(parsed.token, known, now, record));
  return describe(seen, now);
}

IntrospectionEndpoint::IntrospectionEndpoint(IntrospectionEndpointConfig config, Ledger& ledger)
    : state_(std::make_unique<State>(State{.config = std::move(config),
                                           .ledger = ledger,
                                           .registry = {},
                                           .audit = {},
                                           .counters = {},
                                           .is_quiet = false,
                                           .client_allowances = {},
                                           .server_allowances = {},
                                           .servers_by_kid = {},
                                           .has_index = false})) {}
IntrospectionEndpoint::IntrospectionEndpoint(IntrospectionEndpoint&&) noexcept = default;
IntrospectionEndpoint& IntrospectionEndpoint::operator=(IntrospectionEndpoint&&) noexcept = default;
IntrospectionEndpoint::~IntrospectionEndpoint() = default;

void IntrospectionEndpoint::set_registry(RegistrySnapshot registry) {
  state_->registry = std::move(registry);
  state_->servers_by_kid.clear();
  state_->has_index = false;
  if (state_->registry == nullptr) return;
  // No more allowances than registered askers.
  std::erase_if(state_->server_allowances,
                [&](const auto& entry) { return state_->registry->server_by_id(entry.first) == nullptr; });
  if (state_->client_allowances.size() > state_->registry->clients().size()) state_->client_allowances.clear();
}

void IntrospectionEndpoint::set_audit(Audit audit) { state_->audit = std::move(audit); }

coap::Response IntrospectionEndpoint::process(const IntrospectionAsker& asker, const coap::Request& request,
                                              WallTime now) {
  AuditRecord record;
  record.at = now;
  record.kind = AuditKind::introspection;
  if (asker.server) {
    record.server = asker.server->name();
  } else if (asker.client) {
    record.client = asker.client->name();
    record.authentication = asker.client->authentication();
  }
  state_->is_quiet = false;
  auto answer = state_->answer(asker, request, now, record);
  record.granted = answer.has_value();
  if (answer) {
    ++state_->counters.active;
  } else {
    const Error& error = answer.error();
    record.reason = error.id();
    record.detail = error.detail();
    ++(is_inactive(error) ? state_->counters.inactive : state_->counters.refused)[error.id()];
  }
  if (state_->audit && !state_->is_quiet) state_->audit(record);
  if (answer) return std::move(*answer);
  return is_inactive(answer.error()) ? state_->answer_inactive() : refuse_introspection(answer.error());
}

const IntrospectionEndpoint::Counters& IntrospectionEndpoint::counters() const { return state_->counters; }

}  // namespace aceward::ace::as
