// What is told of tokens, and to whom (RFC 9200 section 5.9, RFC 7662 section 2.2).
#include <gtest/gtest.h>

#include <algorithm>

#include "aceward/ace/as/authentication_mint.h"
#include "aceward/ace/as/introspection_endpoint.h"
#include "aceward/ace/as/introspection_token.h"
#include "aceward/ace/as/memory_ledger.h"
#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/token_number.h"
#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/introspection.h"
#include "aceward/ace/params/token_hash.h"
#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/resource/answers.h"
#include "aceward/cose/cwt/token.h"
#include "aceward/cose/encrypt0.h"

namespace aceward::ace::as {
namespace {

using std::chrono::seconds;

const WallTime introspection_now{seconds(1'700'000'000)};

cose::Key a_key_pair() {
  SeededRandom random(107);
  return cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, random).value());
}

/// Two clients, three servers of which two share an audience, and a ledger into which tests put tokens.
struct IntrospectionWorld {
  SeededRandom random{105};
  MemoryLedger ledger;
  std::vector<ClientRecord> clients;
  std::vector<ServerRecord> servers;
  IntrospectionEndpoint endpoint;
  std::vector<AuditRecord> audit;
  std::uint64_t version = 0;

  explicit IntrospectionWorld(IntrospectionEndpointConfig config = {.issuer = "coaps://as"})
      : endpoint(std::move(config), ledger) {
    for (const auto* name : {"fob", "panel"}) {
      ClientRecord& client = clients.emplace_back();
      client.id = static_cast<std::int64_t>(clients.size());
      client.name = name;
    }
    for (const auto* name : {"lock", "lamp", "oven"}) {
      ServerRecord& server = servers.emplace_back();
      server.id = 10 + static_cast<std::int64_t>(servers.size());
      server.name = name;
      server.audience = std::string("coap://") + name;
      server.token_key = Secret(random.bytes(16));
      server.token_key_id = random.bytes(2);
    }
    register_all();
    endpoint.set_audit([this](const AuditRecord& record) { audit.push_back(record); });
  }

  void register_all() {
    std::vector<ClientRecord> client_copies;
    for (const ClientRecord& record : clients) client_copies.push_back(clone(record));
    std::vector<ServerRecord> server_copies;
    for (const ServerRecord& record : servers) server_copies.push_back(clone(record));
    endpoint.set_registry(std::make_shared<const Registry>(++version, std::move(client_copies),
                                                           std::move(server_copies), std::vector<PolicyRule>()));
  }

  IntrospectionAsker server(std::size_t i = 0) const {
    return {std::nullopt, AuthenticationMint::server(servers.at(i))};
  }
  IntrospectionAsker client(std::size_t i = 0) const {
    return {AuthenticationMint::with_pre_shared_key(clients.at(i)), std::nullopt};
  }

  /// A row for a token of clients[0] at servers[0], which lives for an hour; `token` is what the client got.
  IssuedToken& keep(TokenNumber number, BytesView token) {
    IssuedToken row;
    row.number = number;
    row.client_id = clients[0].id;
    row.server_id = servers[0].id;
    row.client = clients[0].name;
    row.server = servers[0].name;
    row.audience = servers[0].audience;
    row.scope = cbor::serialize(Scope("open close"));
    cose::Key key = cose::Key::symmetric(Secret(Bytes(16, 0x5a))).value();
    key.kid = Bytes{0xab, 0xcd};
    row.key_id = *key.kid;
    row.pop_key = key.serialize();
    row.token_digest = token_digest(token);
    row.token_hash = token_hash(token);
    row.issued_at = introspection_now;
    row.expires_at = introspection_now + seconds(3600);
    ledger.tokens.push_back(std::move(row));
    return ledger.tokens.back();
  }
  Bytes reference() {
    const TokenNumber number = ledger.reserve_number().value();
    Bytes token = make_opaque_token(number, random);
    keep(number, token);
    return token;
  }
  cwt::Claims claims(TokenNumber number) const {
    cwt::Claims claims;
    claims.iss = "coaps://as";
    claims.aud = cwt::Audience(servers[0].audience);
    claims.cti = octets_of(number);
    claims.scope = "open close";
    return claims;
  }
  Bytes signed_token() {
    const TokenNumber number = ledger.reserve_number().value();
    const cose::Key key = a_key_pair();
    Bytes token = cwt::sign(claims(number), cose::SigningKey::from(key).value(), cwt::Tagging::one_form).value();
    keep(number, token);
    return token;
  }
  Bytes encrypted_token(const Secret& under, const Bytes& kid) {
    const TokenNumber number = ledger.reserve_number().value();
    cose::Key key = cose::Key::symmetric(under.clone()).value();
    if (!kid.empty()) key.kid = kid;
    const auto content_key = cose::ContentKey::from(key, cose::alg::aes_ccm_16_64_128).value();
    Bytes token = cwt::encrypt(claims(number), content_key, random, cwt::Tagging::one_form).value();
    keep(number, token);
    return token;
  }

  static coap::Request post(BytesView token) {
    coap::Request request;
    request.method = coap::code::post;
    request.options.set_content_format(coap::content_format::ace_cbor);
    IntrospectionRequest asked;
    asked.token = to_bytes(token);
    request.payload = cbor::serialize(asked);
    return request;
  }
  coap::Response ask(const IntrospectionAsker& asker, BytesView token, WallTime at = introspection_now) {
    return endpoint.process(asker, post(token), at);
  }
  IntrospectionResponse tell(const IntrospectionAsker& asker, BytesView token, WallTime at = introspection_now) {
    const coap::Response response = ask(asker, token, at);
    EXPECT_EQ(response.code, coap::code::created);
    EXPECT_EQ(response.options.content_format(), coap::content_format::ace_cbor);
    return parse_introspection_response(response.payload).value();
  }
  /// The octets of the answer, for a token of which nothing must be told.
  std::string silence(const IntrospectionAsker& asker, BytesView token, WallTime at = introspection_now) {
    const coap::Response response = ask(asker, token, at);
    EXPECT_EQ(response.code, coap::code::created);
    return to_hex(response.payload);
  }
};

constexpr std::string_view inactive = "a10af4";  // {10: false}

TEST(Introspection, TellsTheServerEverythingOfAReferenceToken) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  const IntrospectionResponse told = world.tell(world.server(), token);
  EXPECT_TRUE(told.active);
  EXPECT_EQ(told.iss, "coaps://as");
  EXPECT_EQ(told.aud, "coap://lock");
  EXPECT_EQ(told.scope, Scope("open close"));
  EXPECT_EQ(told.iat, cwt::NumericDate(introspection_now));
  EXPECT_EQ(told.exp, cwt::NumericDate(introspection_now + seconds(3600)));
  EXPECT_EQ(told.cti, (Bytes{0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(told.token_type, TokenType::pop);
  EXPECT_EQ(told.ace_profile, Profile::coap_dtls);
  EXPECT_FALSE(told.exi);
  EXPECT_FALSE(told.client_id);
  ASSERT_TRUE(told.cnf && told.cnf->cose_key() != nullptr);
  EXPECT_EQ(to_hex(told.cnf->cose_key()->k()), to_hex(Bytes(16, 0x5a)));
  EXPECT_EQ(told.cnf->cose_key()->kid, (Bytes{0xab, 0xcd}));
  ASSERT_EQ(world.audit.size(), 1U);
  EXPECT_TRUE(world.audit[0].granted);
  EXPECT_EQ(world.audit[0].kind, AuditKind::introspection);
  EXPECT_EQ(world.audit[0].server, "lock");
  EXPECT_EQ(world.audit[0].client, "fob");
  EXPECT_EQ(world.audit[0].number, TokenNumber(1));
  EXPECT_EQ(world.endpoint.counters().active, 1U);
}

TEST(Introspection, KnowsSignedAndEncryptedTokens) {
  IntrospectionWorld world;
  EXPECT_TRUE(world.tell(world.server(), world.signed_token()).active);
  const ServerRecord& lock = world.servers[0];
  EXPECT_TRUE(world.tell(world.server(), world.encrypted_token(lock.token_key, lock.token_key_id)).active);
  EXPECT_TRUE(world.tell(world.server(), world.encrypted_token(lock.token_key, {})).active);
}

TEST(Introspection, KnowsTheSignedAndEncryptedTokenOfAGroup) {
  IntrospectionWorld world;
  const TokenNumber number = world.ledger.reserve_number().value();
  const auto signing = cose::SigningKey::from(a_key_pair()).value();
  const cose::Key shared = cose::Key::symmetric(world.servers[0].token_key.clone()).value();
  const auto content_key = cose::ContentKey::from(shared, cose::alg::aes_ccm_16_64_128).value();
  const Bytes token =
      cwt::sign_then_encrypt(world.claims(number), signing, content_key, world.random, cwt::Tagging::one_form).value();
  world.keep(number, token).more_servers = {world.servers[1].id};
  EXPECT_TRUE(world.tell(world.server(), token).active);
}

TEST(Introspection, KnowsTokensUnderTheKeyBefore) {
  IntrospectionWorld world;
  ServerRecord& lock = world.servers[0];
  const Bytes token = world.encrypted_token(lock.token_key, lock.token_key_id);
  lock.previous_token_key = std::move(lock.token_key);
  lock.previous_token_key_id = lock.token_key_id;
  lock.token_key = Secret(world.random.bytes(16));
  lock.token_key_id = Bytes{9};
  world.register_all();
  EXPECT_TRUE(world.tell(world.server(), token).active);
  EXPECT_TRUE(world.tell(world.client(), token).active);
  lock.previous_token_key = Secret();
  world.register_all();
  EXPECT_EQ(world.silence(world.server(), token), inactive);
}

TEST(Introspection, TellsAClientOfItsOwnTokenWithoutTheSecret) {
  IntrospectionWorld world;
  const ServerRecord& lock = world.servers[0];
  for (const Bytes& token : {world.reference(), world.encrypted_token(lock.token_key, lock.token_key_id)}) {
    const IntrospectionResponse told = world.tell(world.client(), token);
    EXPECT_TRUE(told.active);
    EXPECT_EQ(told.aud, "coap://lock");
    ASSERT_TRUE(told.cnf);
    EXPECT_EQ(told.cnf->cose_key(), nullptr);
    ASSERT_NE(told.cnf->kid(), nullptr);
    EXPECT_EQ(told.cnf->kid()->value, (Bytes{0xab, 0xcd}));
  }
}

TEST(Introspection, AClientHearsItsPublicKeyAndNeverAPrivateOne) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  const cose::Key key = a_key_pair();
  world.ledger.tokens.back().pop_key = key.serialize();
  for (const IntrospectionAsker& asker : {world.client(), world.server()}) {
    const IntrospectionResponse told = world.tell(asker, token);
    ASSERT_TRUE(told.cnf && told.cnf->cose_key() != nullptr);
    EXPECT_TRUE(told.cnf->cose_key()->same_key(key.public_part().value()));
    EXPECT_FALSE(told.cnf->cose_key()->has_private());
  }
}

TEST(Introspection, OtherServersAndClientsLearnNothing) {
  IntrospectionWorld world;
  const ServerRecord& lock = world.servers[0];
  for (const Bytes& token :
       {world.reference(), world.signed_token(), world.encrypted_token(lock.token_key, lock.token_key_id)}) {
    EXPECT_EQ(world.silence(world.server(1), token), inactive);
    EXPECT_EQ(world.silence(world.client(1), token), inactive);
    // The same as for octets that were never a token, Max-Age included.
    const coap::Response foreign = world.ask(world.server(1), token);
    const coap::Response invented = world.ask(world.server(1), world.random.bytes(opaque_token_size));
    EXPECT_EQ(foreign, invented);
  }
  EXPECT_EQ(world.audit.front().reason, reason::introspected_of_others.id);
}

TEST(Introspection, EachServerOfAGroupAudienceHearsOfTheToken) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  world.ledger.tokens.back().more_servers = {world.servers[1].id};
  world.ledger.tokens.back().audience = "coap://all-lamps";
  EXPECT_EQ(world.tell(world.server(0), token).aud, "coap://all-lamps");
  EXPECT_EQ(world.tell(world.server(1), token).aud, "coap://all-lamps");
  EXPECT_EQ(world.silence(world.server(2), token), inactive);
}

TEST(Introspection, APartyThatIsBothHearsAsWhatItIsToTheToken) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  IntrospectionAsker both = world.server(1);
  both.client = world.client(0).client;
  const IntrospectionResponse told = world.tell(both, token);
  EXPECT_TRUE(told.active);
  EXPECT_EQ(told.cnf->cose_key(), nullptr);
}

TEST(Introspection, ARevokedTokenIsInactive) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  EXPECT_TRUE(world.tell(world.server(), token).active);
  world.ledger.revoke(TokenNumber(1));
  EXPECT_EQ(world.silence(world.server(), token), inactive);
  EXPECT_EQ(world.silence(world.client(), token), inactive);
  EXPECT_EQ(world.audit.back().reason, reason::introspected_revoked.id);
  EXPECT_EQ(world.endpoint.counters().inactive.at(reason::introspected_revoked.id), 2U);
}

TEST(Introspection, AnExpiredTokenIsInactiveAtTheSecond) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  EXPECT_TRUE(world.tell(world.server(), token, introspection_now + seconds(3599)).active);
  EXPECT_EQ(world.silence(world.server(), token, introspection_now + seconds(3600)), inactive);
  EXPECT_EQ(world.audit.back().reason, reason::introspected_expired.id);
}

TEST(Introspection, ATokenOfARemovedClientIsInactive) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  world.clients[0].id = 77;  // removed, and another registered under the name
  world.register_all();
  EXPECT_EQ(world.silence(world.server(), token), inactive);
  EXPECT_EQ(world.audit.back().reason, reason::introspected_unregistered.id);
}

TEST(Introspection, ATokenOfARemovedServerIsInactive) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  world.servers.erase(world.servers.begin());
  world.register_all();
  EXPECT_EQ(world.silence(world.client(), token), inactive);
}

TEST(Introspection, OctetsThatOnlyClaimANumberAreNoToken) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  Bytes forged = token;
  forged.back() ^= 1;
  EXPECT_EQ(world.silence(world.server(), forged), inactive);
  EXPECT_EQ(world.audit.back().detail, "digest");
  // A CWT of somebody else that names the number in its cti, and one whose signature was altered.
  const cose::Key key = a_key_pair();
  const Bytes foreign =
      cwt::sign(world.claims(TokenNumber(1)), cose::SigningKey::from(key).value(), cwt::Tagging::one_form).value();
  EXPECT_EQ(world.silence(world.server(), foreign), inactive);
  Bytes altered = world.signed_token();
  altered.back() ^= 1;
  EXPECT_EQ(world.silence(world.server(), altered), inactive);
  // The same token in another encoding: not the octets that the client got.
  const Bytes whole = world.signed_token();
  EXPECT_EQ(world.silence(world.server(), BytesView(whole).subspan(2)), inactive);
}

TEST(Introspection, ATokenOfATimeWithoutDigestsIsInactive) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  world.ledger.tokens.back().token_digest.clear();
  EXPECT_EQ(world.silence(world.server(), token), inactive);
}

TEST(Introspection, RubbishIsAnInactiveToken) {
  IntrospectionWorld world;
  for (const std::string_view hex :
       {"00", "ff", "d2", "d0", "d83d", "d83dd2", "d28440a0", "d28440a040a0", "d28443a10126a04040", "d18440a04040",
        "d08340a040", "d08343a1010aa040", "d28440a041a140", "d28440a043a1074040",
        "d28440a0581ca1075818000000000000000000000000000000000000000000000001",  // a truncated claims set
        "8440a04040", "6474657874"}) {
    EXPECT_EQ(world.silence(world.server(), from_hex(hex).value()), inactive) << hex;
    EXPECT_EQ(world.audit.back().reason, reason::introspected_unknown.id) << hex;
  }
}

TEST(Introspection, ATokenWithExiTellsThatInsteadOfExp) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  world.ledger.tokens.back().exi = seconds(600);
  world.ledger.tokens.back().cnonce = Bytes{1, 2, 3};
  const IntrospectionResponse told = world.tell(world.server(), token);
  EXPECT_EQ(told.exi, 600U);
  EXPECT_FALSE(told.exp);
  EXPECT_EQ(told.cti, sequence_octets_of("coap://lock", TokenNumber(1)));
  EXPECT_EQ(told.cnonce, (Bytes{1, 2, 3}));
}

TEST(Introspection, AnswersMayBeKeptForTheConfiguredTime) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  const auto max_age = [&](WallTime at) { return coap::max_age_of(world.ask(world.server(), token, at).options); };
  EXPECT_EQ(max_age(introspection_now), seconds(30));
  EXPECT_EQ(max_age(introspection_now + seconds(3590)), seconds(10));
  EXPECT_EQ(max_age(introspection_now + seconds(3600)), seconds(30));  // inactive, and stays so
  IntrospectionWorld eager({.cache_for = seconds(0)});
  EXPECT_EQ(coap::max_age_of(eager.ask(eager.server(), eager.reference()).options), seconds(0));
}

TEST(Introspection, AnAskerThatNobodyKnowsGets401) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  const auto expect_refused = [&](const IntrospectionAsker& asker) {
    const coap::Response response = world.ask(asker, token);
    EXPECT_EQ(response.code, coap::code::unauthorized);
    EXPECT_EQ(response.options.content_format(), coap::content_format::ace_cbor);
    EXPECT_EQ(to_hex(response.payload), "a1181e02");  // {30: invalid_client}
  };
  expect_refused({});
  const IntrospectionAsker gone = world.server(0);
  world.servers[0].id = 99;
  world.register_all();
  expect_refused(gone);
  const IntrospectionAsker gone_client = world.client(0);
  world.clients.erase(world.clients.begin());
  world.register_all();
  expect_refused(gone_client);
  EXPECT_EQ(world.audit.back().reason, reason::introspection_by_nobody.id);
  world.endpoint.set_registry(nullptr);
  expect_refused(world.server(1));
}

TEST(Introspection, AClientThatMayNotAskGets403WithoutPayload) {
  IntrospectionWorld world({.clients_may_ask = false});
  const Bytes token = world.reference();
  const coap::Response response = world.ask(world.client(), token);
  EXPECT_EQ(response.code, coap::code::forbidden);
  EXPECT_TRUE(response.payload.empty());
  EXPECT_TRUE(world.tell(world.server(), token).active);
  // Nor by the detour that it is a server too.
  IntrospectionAsker both = world.server(1);
  both.client = world.client(0).client;
  EXPECT_EQ(world.silence(both, token), inactive);
}

TEST(Introspection, RequestsThatCannotBeReadGet400) {
  IntrospectionWorld world;
  for (const std::string_view diagnostic : {"{}", "[]", "{11: h''}", "{11: 1}", R"({11: "token"})"}) {
    coap::Request request = IntrospectionWorld::post(Bytes{1});
    request.payload = cbor::from_diagnostic(diagnostic).value();
    const coap::Response response = world.endpoint.process(world.server(), request, introspection_now);
    EXPECT_EQ(response.code, coap::code::bad_request) << diagnostic;
    EXPECT_EQ(to_hex(response.payload), "a1181e01") << diagnostic;  // {30: invalid_request}
  }
  coap::Request empty = IntrospectionWorld::post(Bytes{1});
  empty.payload.clear();
  EXPECT_EQ(world.endpoint.process(world.server(), empty, introspection_now).code, coap::code::bad_request);
}

TEST(Introspection, OtherContentFormatsAreRefused) {
  IntrospectionWorld world;
  coap::Request request = IntrospectionWorld::post(world.reference());
  request.options.set_content_format(coap::content_format::cbor);
  EXPECT_EQ(world.endpoint.process(world.server(), request, introspection_now).code,
            coap::code::unsupported_content_format);
  request = IntrospectionWorld::post(Bytes{1});
  request.options.set_accept(coap::content_format::json);
  EXPECT_EQ(world.endpoint.process(world.server(), request, introspection_now).code, coap::code::not_acceptable);
}

TEST(Introspection, AnAskerIsHeldToItsRate) {
  IntrospectionWorld world({.asks_per_second = 2, .asks_at_once = 3});
  const Bytes token = world.reference();
  const auto code_at = [&](int second, std::size_t server = 0) {
    return world.ask(world.server(server), token, introspection_now + seconds(second)).code;
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(code_at(0), coap::code::created);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(code_at(0), coap::code::too_many_requests);
  EXPECT_EQ(world.audit.size(), 4U) << "a flood does not flood the log";
  EXPECT_EQ(world.endpoint.counters().refused.at("introspection_too_many"), 50U);
  EXPECT_EQ(code_at(0, 1), coap::code::created) << "another asker has its own";
  EXPECT_EQ(world.ask(world.client(), token).code, coap::code::created) << "as has a client";
  for (int i = 0; i < 2; ++i) EXPECT_EQ(code_at(1), coap::code::created);
  world.audit.clear();
  EXPECT_EQ(code_at(1), coap::code::too_many_requests);
  EXPECT_EQ(world.audit.size(), 1U) << "the next flood is logged again";
  EXPECT_EQ(code_at(-100), coap::code::too_many_requests) << "nothing is gained by setting the clock back";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(code_at(1000), coap::code::created);
  EXPECT_EQ(code_at(1000), coap::code::too_many_requests) << "no more than fits";
}

TEST(Introspection, ALedgerOutOfReachGets503) {
  static constexpr Reason out_of_reach{"store_unavailable", ErrorClass::internal, "", ""};
  IntrospectionWorld world;
  const Bytes token = world.reference();
  world.ledger.look_up_error = Error(out_of_reach);
  const coap::Response response = world.ask(world.server(), token);
  EXPECT_EQ(response.code, coap::code::service_unavailable);
  EXPECT_TRUE(response.options.has(coap::option::max_age));
}

TEST(Introspection, ARowThatCannotBeReadGets500) {
  IntrospectionWorld world;
  const Bytes token = world.reference();
  world.ledger.tokens.back().pop_key = Secret(Bytes{0xff});
  EXPECT_EQ(world.ask(world.server(), token).code, coap::code::internal_server_error);
  EXPECT_EQ(world.audit.back().reason, reason::introspected_unreadable.id);
}

TEST(Introspection, TriesNoMoreKeysThanItsLimit) {
  IntrospectionWorld world;
  const Bytes token = world.encrypted_token(world.servers[0].token_key, {});
  const auto presented = presented_token(token);
  ASSERT_TRUE(presented);
  EXPECT_EQ(presented->kind, PresentedToken::Kind::encrypted_cwt);
  std::vector<Secret> wrong;
  std::vector<TokenKeyView> keys;
  for (std::size_t i = 0; i < max_token_keys_tried; ++i) wrong.emplace_back(world.random.bytes(16));
  for (const Secret& key : wrong) keys.push_back({&key, {}});
  keys.push_back({&world.servers[0].token_key, {}});
  EXPECT_FALSE(number_in_presented(token, *presented, keys));
  EXPECT_EQ(number_in_presented(token, *presented, std::span(keys).subspan(1)), TokenNumber(1));
}

}  // namespace
}  // namespace aceward::ace::as
