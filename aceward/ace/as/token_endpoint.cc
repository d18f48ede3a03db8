#include "aceward/ace/as/token_endpoint.h"

#include <algorithm>
#include <array>
#include <utility>

#include "aceward/ace/as/granted_scope.h"
#include "aceward/ace/as/pop_key.h"
#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/refusal.h"
#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/token_request.h"
#include "aceward/coap/resource/router.h"
#include "aceward/cose/cwt/token.h"
#include "aceward/cose/usable_key.h"

namespace aceward::ace::as {

namespace {

constexpr std::size_t symmetric_key_size = 16;
constexpr std::size_t max_cnonce_size = 64;
/// Far above what a datagram holds, and enough for a block-wise request with the largest AIF that makes sense.
constexpr cbor::Limits request_limits{.max_depth = 8, .max_items = 1024, .max_size = 16384};

Bytes octets_of(TokenNumber number) {
  Bytes octets(8);
  for (std::size_t i = 0; i < octets.size(); ++i)
    octets[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(number.value) >> (8 * (7 - i)));
  return octets;
}

/// The kid of a symmetric key. The number makes it unique among all keys of this authorization server (RFC 9202 section
/// 3.3.1); the random octets keep it apart from those of other servers that count too, since a resource server that
/// trusts both could not tell which key a kid means. No leading zeros: every octet is paid for in each token.
Bytes key_id_of(TokenNumber number, Random& random) {
  Bytes octets = octets_of(number);
  octets.erase(octets.begin(), std::ranges::find_if(octets, [](std::uint8_t octet) { return octet != 0; }));
  const Bytes apart = random.bytes(4);
  octets.insert(octets.end(), apart.begin(), apart.end());
  return octets;
}

std::unexpected<Error> not_made(const Error& error) { return fail(reason::token_not_made, error.id()); }

/// The Done of one request. Whatever happens to it, the client is answered once.
class Answer {
 public:
  explicit Answer(TokenEndpoint::Done done) : done_(std::move(done)) {}
  Answer(Answer&& other) noexcept
      : done_(std::exchange(other.done_, nullptr)), forgotten_(std::move(other.forgotten_)) {}
  Answer& operator=(Answer&&) = delete;
  ~Answer() {
    if (!done_) return;
    const Error error(reason::ledger_silent);
    if (forgotten_) forgotten_(error);
    give(refusal(error));
  }

  /// Hears of it when nobody gives the answer.
  void on_forgotten(std::move_only_function<void(const Error&)> forgotten) { forgotten_ = std::move(forgotten); }
  void give(coap::Response response) { std::exchange(done_, nullptr)(std::move(response)); }

 private:
  TokenEndpoint::Done done_;
  std::move_only_function<void(const Error&)> forgotten_;
};

/// A decision in the client's favour, before the token is made.
struct Grant {
  const ServerRecord* server = nullptr;
  PopKey key;
  GrantedScope scope;
  std::chrono::seconds lifetime{0};
};

struct Made {
  Bytes token;
  IssuedToken record;
  coap::Response response;
};

}  // namespace

struct TokenEndpoint::State {
  TokenEndpointConfig config;
  std::optional<cose::SigningKey> signing_key;
  Random& random;
  Ledger& ledger;
  RegistrySnapshot registry;
  std::function<void(const AuditRecord&)> audit;
  Counters counters;

  Result<> use_signing_key(const cose::Key& key);
  void tell(const AuditRecord& record);
  void tell_refusal(AuditRecord record, const Error& error);

  Result<TokenRequest> read(const coap::Request& request) const;
  Result<const ClientRecord*> find_client(const AuthenticatedClient& channel, const TokenRequest& request) const;
  Result<const ServerRecord*> find_server(const ClientRecord& client, const TokenRequest& request) const;
  Result<Grant> decide(const AuthenticatedClient& channel, const TokenRequest& request, WallTime now,
                       AuditRecord& record);
  Result<Bytes> protect(const cwt::Claims& claims, const Grant& grant);
  Result<Made> make(Grant grant, const ClientRecord& client, const TokenRequest& request, WallTime now);
  Result<Made> answer(const AuthenticatedClient& channel, const coap::Request& request, WallTime now,
                      AuditRecord& record);
};

Result<> TokenEndpoint::State::use_signing_key(const cose::Key& key) {
  cose::Key named = key.clone();
  if (!named.kid) {
    const auto thumbprint = named.thumbprint();
    named.kid = to_bytes(BytesView(thumbprint).first(8));
  }
  signing_key.emplace(ACEWARD_TRY(cose::SigningKey::from(named)));
  return {};
}

void TokenEndpoint::State::tell(const AuditRecord& record) {
  if (record.granted) {
    ++counters.granted;
  } else {
    ++counters.refused[record.reason];
  }
  if (audit) audit(record);
}

void TokenEndpoint::State::tell_refusal(AuditRecord record, const Error& error) {
  record.granted = false;
  record.scope.clear();
  record.reason = error.id();
  record.detail = error.detail();
  tell(record);
}

Result<TokenRequest> TokenEndpoint::State::read(const coap::Request& request) const {
  if (coap::refuse_content_format(request, coap::content_format::ace_cbor)) return fail(reason::token_request_format);
  if (coap::refuse_accept(request, {coap::content_format::ace_cbor})) return fail(reason::token_request_accept);
  TokenRequest parsed = ACEWARD_TRY(cbor::parse<TokenRequest>(request.payload, request_limits));
  if (parsed.grant_type && *parsed.grant_type != GrantType::client_credentials)
    return fail(reason::grant_type_unsupported);
  return parsed;
}

Result<const ClientRecord*> TokenEndpoint::State::find_client(const AuthenticatedClient& channel,
                                                              const TokenRequest& request) const {
  const ClientRecord* client = registry == nullptr ? nullptr : registry->client_by_name(channel.name());
  // A name can have been given to another client since the channel was asked.
  if (client == nullptr || client->id != channel.id()) return fail(reason::client_unregistered);
  if (request.client_id && *request.client_id != client->name) return fail(reason::client_id_mismatch);
  if (request.client_secret) return fail(reason::client_secret_unexpected);
  return client;
}

Result<const ServerRecord*> TokenEndpoint::State::find_server(const ClientRecord& client,
                                                              const TokenRequest& request) const {
  if (request.audience) {
    const ServerRecord* server = registry->server_by_audience(*request.audience);
    if (server == nullptr) return fail(reason::audience_unknown);
    return server;
  }
  const auto servers = registry->servers_for(client.name);
  if (servers.size() != 1) return fail(reason::audience_missing);
  return servers.front();
}

Result<Grant> TokenEndpoint::State::decide(const AuthenticatedClient& channel, const TokenRequest& request,
                                           WallTime now, AuditRecord& record) {
  const ClientRecord* client = ACEWARD_TRY(find_client(channel, request));
  Grant grant;
  grant.server = ACEWARD_TRY(find_server(*client, request));
  const ServerRecord& server = *grant.server;
  record.server = server.name;
  const auto rules = registry->rules_for(client->name, server.name);
  if (rules.empty()) return fail(reason::audience_without_policy);
  if (request.ace_profile && *request.ace_profile && **request.ace_profile != Profile::coap_dtls)
    return fail(reason::ace_profile_incompatible);
  if (request.cnonce && (request.cnonce->empty() || request.cnonce->size() > max_cnonce_size))
    return fail(reason::cnonce_too_long);
  grant.key = ACEWARD_TRY(choose_pop_key(request.req_cnf, {channel, *client, server}, ledger, now));
  grant.scope = ACEWARD_TRY(grant_scope(request.scope, server.scope_format, rules));
  grant.lifetime = std::min(server.token_lifetime, config.maximum_lifetime);
  if (grant.scope.lifetime) grant.lifetime = std::min(grant.lifetime, *grant.scope.lifetime);
  if (grant.lifetime < std::chrono::seconds(1)) return fail(reason::policy_unusable, "a lifetime of nothing");
  return grant;
}

Result<Bytes> TokenEndpoint::State::protect(const cwt::Claims& claims, const Grant& grant) {
  const ServerRecord& server = *grant.server;
  // RFC 9202 section 3.3.1: a token that carries a symmetric key is encrypted.
  if (!grant.key.is_symmetric() && server.protection == TokenProtection::signed_cwt) {
    auto token = cwt::sign(claims, *signing_key);
    if (!token) return not_made(token.error());
    return token;
  }
  if (server.token_key.empty()) return fail(reason::server_token_key_missing);
  auto shared = cose::Key::symmetric(server.token_key.clone());
  if (!shared) return not_made(shared.error());
  if (!server.token_key_id.empty()) shared->kid = server.token_key_id;
  const auto content_key = cose::ContentKey::from(*shared, cose::alg::aes_ccm_16_64_128);
  if (!content_key) return not_made(content_key.error());
  auto token = cwt::encrypt(claims, *content_key, random);
  if (!token) return not_made(token.error());
  return token;
}

Result<Made> TokenEndpoint::State::make(Grant grant, const ClientRecord& client, const TokenRequest& request,
                                        WallTime now) {
  const ServerRecord& server = *grant.server;
  const bool is_symmetric = grant.key.is_symmetric();
  std::optional<cose::Key> server_key;
  if (!is_symmetric) {
    auto key = cose::Key::parse(server.public_key);
    if (!key || key->is_symmetric()) return fail(reason::server_public_key_missing);
    server_key = ACEWARD_TRY(key->public_part());
  } else if (server.token_key.empty()) {
    return fail(reason::server_token_key_missing);
  }
  const TokenNumber number = ACEWARD_TRY(ledger.reserve_number());
  if (!grant.key.key) {
    auto key = cose::Key::symmetric(Secret(random.bytes(symmetric_key_size)));
    if (!key) return not_made(key.error());
    key->kid = key_id_of(number, random);
    grant.key.key = std::move(*key);
  }
  const cose::Key& key = *grant.key.key;

  cwt::Claims claims;
  if (!config.issuer.empty()) claims.iss = config.issuer;
  claims.aud = cwt::Audience(server.audience);
  claims.iat = cwt::NumericDate(now);
  claims.exp = cwt::NumericDate(now + grant.lifetime);
  claims.cti = octets_of(number);
  claims.cnf = cwt::Confirmation(key.clone());
  claims.scope = grant.scope.value;
  claims.cnonce = request.cnonce;
  Bytes token = ACEWARD_TRY(protect(claims, grant));

  AccessInformation information;
  information.access_token = token;
  information.expires_in = static_cast<std::uint64_t>(grant.lifetime.count());
  if (is_symmetric || grant.key.chosen_here) information.cnf = cwt::Confirmation(key.clone());
  if (!grant.scope.as_requested) information.scope = grant.scope.value;
  if (request.ace_profile) information.ace_profile = Profile::coap_dtls;
  if (server_key) information.rs_cnf = cwt::Confirmation(std::move(*server_key));

  const auto thumbprint = key.thumbprint();
  Made made{.token = std::move(token),
            .record = {.number = number,
                       .client_id = client.id,
                       .server_id = server.id,
                       .client = client.name,
                       .server = server.name,
                       .scope = cbor::serialize(grant.scope.value),
                       .key_id = key.kid.value_or(Bytes()),
                       .key_thumbprint = to_bytes(thumbprint),
                       .pop_key = key.serialize(),
                       .issued_at = now,
                       .expires_at = now + grant.lifetime},
            .response =
                coap::make_response(coap::code::created, coap::content_format::ace_cbor, cbor::serialize(information))};
  // RFC 9202 section 3.2.1: no cache may give the answer out longer than the token lives.
  made.response.options.set_uint(coap::option::max_age, *information.expires_in);
  return made;
}

Result<Made> TokenEndpoint::State::answer(const AuthenticatedClient& channel, const coap::Request& request,
                                          WallTime now, AuditRecord& record) {
  const TokenRequest parsed = ACEWARD_TRY(read(request));
  Grant grant = ACEWARD_TRY(decide(channel, parsed, now, record));
  record.scope = grant.scope.text;
  return make(std::move(grant), *registry->client_by_name(channel.name()), parsed, now);
}

TokenEndpoint::TokenEndpoint(std::shared_ptr<State> state) : state_(std::move(state)) {}
TokenEndpoint::TokenEndpoint(TokenEndpoint&&) noexcept = default;
TokenEndpoint& TokenEndpoint::operator=(TokenEndpoint&&) noexcept = default;
TokenEndpoint::~TokenEndpoint() = default;

Result<TokenEndpoint> TokenEndpoint::create(TokenEndpointConfig config, const cose::Key& signing_key, Random& random,
                                            Ledger& ledger) {
  auto state = std::make_shared<State>(State{.config = std::move(config),
                                             .signing_key = {},
                                             .random = random,
                                             .ledger = ledger,
                                             .registry = {},
                                             .audit = {},
                                             .counters = {}});
  ACEWARD_TRY(state->use_signing_key(signing_key));
  return TokenEndpoint(std::move(state));
}

void TokenEndpoint::set_registry(RegistrySnapshot registry) { state_->registry = std::move(registry); }

Result<> TokenEndpoint::set_signing_key(const cose::Key& signing_key) { return state_->use_signing_key(signing_key); }

void TokenEndpoint::set_audit(std::function<void(const AuditRecord&)> audit) { state_->audit = std::move(audit); }

void TokenEndpoint::process(const AuthenticatedClient& client, const coap::Request& request, WallTime now, Done done) {
  Answer answer(std::move(done));
  AuditRecord record;
  record.at = now;
  record.client = client.name();
  auto made = state_->answer(client, request, now, record);
  if (!made) {
    state_->tell_refusal(std::move(record), made.error());
    answer.give(refusal(made.error()));
    return;
  }
  record.number = made->record.number;
  record.granted = true;
  answer.on_forgotten([record, weak = std::weak_ptr<State>(state_)](const Error& error) {
    if (const auto state = weak.lock()) state->tell_refusal(record, error);
  });
  state_->ledger.record(std::move(made->record),
                        [answer = std::move(answer), response = std::move(made->response), record = std::move(record),
                         weak = std::weak_ptr<State>(state_)](Result<> recorded) mutable {
                          if (const auto state = weak.lock()) {
                            if (recorded) {
                              state->tell(record);
                            } else {
                              state->tell_refusal(record, recorded.error());
                            }
                          }
                          answer.give(recorded ? std::move(response) : refusal_by_ledger(recorded.error()));
                        });
}

coap::Response TokenEndpoint::refuse_unauthenticated(WallTime now) {
  const Error error(reason::client_not_authenticated);
  AuditRecord record;
  record.at = now;
  state_->tell_refusal(std::move(record), error);
  return refusal(error);
}

const TokenEndpoint::Counters& TokenEndpoint::counters() const { return state_->counters; }

}  // namespace aceward::ace::as
