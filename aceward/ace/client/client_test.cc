#include <gtest/gtest.h>

#include "aceward/ace/client/exchange.h"
#include "aceward/ace/client/reasons.h"
#include "aceward/ace/client/trust.h"
#include "aceward/coap/message/content_format.h"

namespace aceward::ace::client {
namespace {

cose::Key key_from(std::uint64_t seed) {
  SeededRandom random(seed);
  cose::Key key = cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, random).value());
  key.kid = Bytes{0x11};
  return key;
}

cose::Key psk_of(std::uint8_t octet) {
  cose::Key key = cose::Key::symmetric(Secret(Bytes(16, octet))).value();
  key.kid = from_hex("3d027833fc6267ce").value();
  return key;
}

const ServerEntry server{.name = "house", .plain = {}, .secure = {}, .audience = "house"};
const AuthorizationServerEntry as_entry{.token_uri = "coaps://as.example.com/token", .address = {}};

TEST(ClientTrust, SchemeMayBeAdaptedButNothingElse) {
  EXPECT_TRUE(same_endpoint("coaps://as.example.com/token", "coaps://as.example.com/token"));
  EXPECT_TRUE(same_endpoint("coap://as.example.com/token", "coaps://AS.example.com:5684/token"));
  EXPECT_FALSE(same_endpoint("coaps://as.example.com/token", "coaps://as.example.com:7777/token"));
  EXPECT_FALSE(same_endpoint("coap://as.example.com:7777/token", "coaps://as.example.com/token"));
  EXPECT_FALSE(same_endpoint("coaps://as.example.com/token", "coaps://as.example.com/token/"));
  EXPECT_FALSE(same_endpoint("coaps://as.example.com/token", "coaps://as.example.com.evil.example/token"));
  EXPECT_FALSE(same_endpoint("coaps://as.example.com/token", "coaps://as.example.com/token?x"));
  EXPECT_FALSE(same_endpoint("as.example.com", "as.example.com"));
}

TEST(ClientTrust, HintsAreCheckedAgainstTheConfiguration) {
  CreationHints hints;
  EXPECT_TRUE(check_hints(hints, server, as_entry));
  hints.as_uri = "coap://as.example.com/token";
  hints.audience = "house";
  EXPECT_TRUE(check_hints(hints, server, as_entry));
  hints.as_uri = "coaps://as.evil.example/token";
  EXPECT_EQ(check_hints(hints, server, as_entry).error(), reason::hint_as_not_allowed);
  hints.as_uri.reset();
  hints.audience = "garage";
  EXPECT_EQ(check_hints(hints, server, as_entry).error(), reason::hint_audience_unexpected);
}

TEST(ClientExchange, RawKeyRequestCarriesThePublicPartOnly) {
  const cose::Key own = key_from(1);
  Wish wish;
  wish.audience = "house";
  wish.cnonce = Bytes{1, 2, 3};
  const auto request = token_request(wish, &own);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, coap::code::post);
  EXPECT_EQ(request->options.content_format(), coap::content_format::ace_cbor);
  const auto parsed = cbor::parse<TokenRequest>(request->payload);
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->req_cnf->cose_key()->has_private());
  EXPECT_EQ(parsed->cnonce, (Bytes{1, 2, 3}));
  EXPECT_EQ(token_request(wish, nullptr).error(), reason::client_key_missing);
}

TEST(ClientExchange, SymmetricRequestIsRfc9202Figure5) {
  Wish wish;
  wish.audience = "smokeSensor1807";
  wish.kind = PopKind::pre_shared_key;
  EXPECT_EQ(to_hex(token_request(wish, nullptr)->payload), "a1056f736d6f6b6553656e736f7231383037");
}

TEST(ClientExchange, UpdateNamesTheKeyOfTheSession) {
  Wish wish;
  wish.audience = "house";
  wish.update_key_id = Bytes{0x11};
  const auto parsed = cbor::parse<TokenRequest>(token_request(wish, nullptr)->payload);
  EXPECT_EQ(parsed->req_cnf->kid()->value, Bytes{0x11});
}

TEST(ClientExchange, ARefreshAsksForNothingThatTheTokenDoesNotHave) {
  Wish wish;
  wish.audience = "house";
  wish.scope = Scope("more than before");
  wish.update_key_id = Bytes{0x11};
  wish.refresh_token = Secret(Bytes{0xaa, 0xbb});
  // {33: 3, 37: h'aabb'}: no key and no audience (RFC 9200 section 5.8.1).
  EXPECT_EQ(to_hex(token_request(wish, nullptr)->payload),
            "a218210318"
            "2542aabb");
}

TEST(ClientExchange, TheProfileIsAskedForWithNull) {
  Wish wish;
  wish.kind = PopKind::pre_shared_key;
  wish.audience = "house";
  wish.ask_profile = true;
  const auto parsed = cbor::parse<TokenRequest>(token_request(wish, nullptr)->payload);
  ASSERT_TRUE(parsed->ace_profile);
  EXPECT_FALSE(*parsed->ace_profile);
}

TEST(ClientExchange, ASecretGoesWithTheNameItBelongsTo) {
  Wish wish;
  wish.kind = PopKind::pre_shared_key;
  wish.client_id = "lamp";
  wish.client_secret = Secret(Bytes(16, 3));
  const auto parsed = cbor::parse<TokenRequest>(token_request(wish, nullptr)->payload);
  EXPECT_EQ(parsed->client_id, "lamp");
  EXPECT_TRUE(parsed->client_secret->equals(Bytes(16, 3)));
}

TEST(ClientExchange, OnlyARefusalThatSaysWhenIsToBeAskedAgain) {
  coap::Response response;
  response.code = coap::code::service_unavailable;
  EXPECT_FALSE(retry_after(response));
  response.options.set_uint(coap::option::max_age, 90);
  EXPECT_EQ(retry_after(response), std::chrono::seconds(90));
  response.code = coap::code::too_many_requests;
  EXPECT_EQ(retry_after(response), std::chrono::seconds(90));
  response.code = coap::code::forbidden;
  EXPECT_FALSE(retry_after(response));
}

TEST(ClientExchange, AuthzInfoIsTheFirstOfItsTypeAtTheServerItself) {
  const auto found = [](std::string_view links) {
    coap::Response response;
    response.code = coap::code::content;
    response.payload = to_bytes(links);
    return authz_info_in(response);
  };
  EXPECT_EQ(found("</temp>;rt=\"x\",</authz-info>;rt=\"ace.ai\";ct=61"), "authz-info");
  EXPECT_EQ(found("</a/b>;rt=\"core.s ace.ai\""), "a/b");
  EXPECT_EQ(found("<coap://evil.example/x>;rt=\"ace.ai\",</y>;rt=\"ace.ai\""), "y");
  EXPECT_FALSE(found("<//evil.example/x>;rt=\"ace.ai\""));
  EXPECT_FALSE(found("<coaps://this.invalid/x>;rt=\"ace.ai\""));
  EXPECT_FALSE(found("</>;rt=\"ace.ai\""));
  EXPECT_FALSE(found("</x%2Fy>;rt=\"ace.ai\""));
  EXPECT_FALSE(found("</x>;rt=\"ace.aif\""));
  EXPECT_FALSE(found("no links"));
}

struct ClientAnswers : testing::Test {
  cose::Key own = key_from(1);
  Wish wish;
  AccessInformation information;
  coap::Code code = coap::code::created;
  coap::ContentFormat format = coap::content_format::ace_cbor;
  std::optional<ErrorResponse> refusal;
  Instant now{std::chrono::hours(1)};

  ClientAnswers() {
    wish.audience = "house";
    information.access_token = {1, 2, 3};
    information.expires_in = 3600;
  }
  Result<HeldToken> read(const HeldToken* previous = nullptr) {
    coap::Response response;
    response.code = code;
    response.options.set_content_format(format);
    response.payload = cbor::serialize(information);
    return read_token_response(response, wish, &own, previous, now, refusal);
  }
};

TEST_F(ClientAnswers, RawKeyTokenNeedsTheServersKey) {
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  information.rs_cnf = cwt::Confirmation(key_from(2).public_part().value());
  information.expires_in = 60;
  const auto token = read();
  ASSERT_TRUE(token);
  EXPECT_TRUE(token->rs_key->same_key(key_from(2).public_part().value()));
  EXPECT_TRUE(token->usable_at(now + std::chrono::seconds(59)));
  EXPECT_FALSE(token->usable_at(now + std::chrono::seconds(60)));
  EXPECT_EQ(token->key_id, Bytes{0x11});
}

TEST_F(ClientAnswers, ServerKeyMustBeAPublicKey) {
  information.rs_cnf = cwt::Confirmation(psk_of(7));
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  information.rs_cnf = cwt::Confirmation(key_from(2));
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
}

TEST_F(ClientAnswers, AServerKeyThatIsNotMeantForSigningIsNotUsed) {
  cose::Key key = key_from(2).public_part().value();
  key.key_ops = {cose::key_op::derive_key};
  information.rs_cnf = cwt::Confirmation(key.clone());
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  key.key_ops = {cose::key_op::verify};
  information.rs_cnf = cwt::Confirmation(key.clone());
  EXPECT_TRUE(read());
  key.alg = cose::alg::eddsa;
  information.rs_cnf = cwt::Confirmation(std::move(key));
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
}

TEST_F(ClientAnswers, KeyThatTheClientDoesNotHoldIsRefused) {
  information.rs_cnf = cwt::Confirmation(key_from(2).public_part().value());
  information.cnf = cwt::Confirmation(key_from(3).public_part().value());
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  information.cnf = cwt::Confirmation(own.public_part().value());
  EXPECT_TRUE(read());
}

TEST_F(ClientAnswers, SymmetricTokenNeedsItsKeyWithAKid) {
  wish.kind = PopKind::pre_shared_key;
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  cose::Key without_kid = psk_of(7);
  without_kid.kid.reset();
  information.cnf = cwt::Confirmation(without_kid.clone());
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  information.cnf = cwt::Confirmation(key_from(2).public_part().value());
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  information.cnf = cwt::Confirmation(psk_of(7));
  const auto token = read();
  ASSERT_TRUE(token);
  EXPECT_EQ(token->key_id, from_hex("3d027833fc6267ce").value());
}

TEST_F(ClientAnswers, UpdateKeepsTheKeysOfTheSession) {
  wish.kind = PopKind::pre_shared_key;
  information.cnf = cwt::Confirmation(psk_of(7));
  const auto first = read();
  wish.update_key_id = first->key_id;
  information.cnf.reset();
  const auto second = read(&*first);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->psk->same_key(*first->psk));
}

TEST_F(ClientAnswers, OtherProfilesAndTokenTypesAreNotForThisClient) {
  information.rs_cnf = cwt::Confirmation(key_from(2).public_part().value());
  information.ace_profile = Profile::coap_oscore;
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  information.ace_profile = Profile::coap_dtls;
  information.token_type = TokenType::bearer;
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  information.token_type = TokenType::pop;
  EXPECT_TRUE(read());
  format = coap::content_format::cbor;
  EXPECT_EQ(read().error(), reason::as_answer_malformed);
}

TEST_F(ClientAnswers, LifetimeBeyondReasonDoesNotOverflow) {
  information.rs_cnf = cwt::Confirmation(key_from(2).public_part().value());
  information.expires_in = UINT64_MAX;
  EXPECT_TRUE(read()->usable_at(now + std::chrono::hours(24 * 365)));
}

TEST_F(ClientAnswers, ATokenOfWhichNobodyKnowsTheEndIsNotUsed) {
  information.rs_cnf = cwt::Confirmation(key_from(2).public_part().value());
  information.expires_in.reset();
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  wish.default_lifetime = std::chrono::seconds(60);
  const auto agreed = read();
  ASSERT_TRUE(agreed);
  EXPECT_TRUE(agreed->usable_at(now + std::chrono::seconds(59)));
  EXPECT_FALSE(agreed->usable_at(now + std::chrono::seconds(60)));
  information.expires_in = 10;
  EXPECT_FALSE(read()->usable_at(now + std::chrono::seconds(10)));
  information.expires_in = 0;
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
}

TEST_F(ClientAnswers, AProfileThatWasAskedForMustBeTold) {
  information.rs_cnf = cwt::Confirmation(key_from(2).public_part().value());
  wish.ask_profile = true;
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  information.ace_profile = Profile::coap_oscore;
  EXPECT_EQ(read().error(), reason::as_answer_unusable);
  information.ace_profile = Profile::coap_dtls;
  EXPECT_TRUE(read());
}

TEST_F(ClientAnswers, TheConfiguredServerKeyStandsInForOneThatIsNotTold) {
  const cose::Key pinned = key_from(2).public_part().value();
  wish.server_key = &pinned;
  const auto token = read();
  ASSERT_TRUE(token);
  EXPECT_TRUE(token->rs_key->same_key(pinned));
}

TEST_F(ClientAnswers, TheConfiguredServerKeyAndTheToldOneMustAgree) {
  const cose::Key pinned = key_from(2).public_part().value();
  wish.server_key = &pinned;
  information.rs_cnf = cwt::Confirmation(key_from(3).public_part().value());
  EXPECT_EQ(read().error(), reason::server_key_conflict);
  information.rs_cnf = cwt::Confirmation(key_from(2).public_part().value());
  EXPECT_TRUE(read());
}

TEST_F(ClientAnswers, ARefreshKeepsKeysScopeAndRefreshTokenWhereNothingElseIsSaid) {
  wish.kind = PopKind::pre_shared_key;
  wish.scope = Scope("a b");
  information.cnf = cwt::Confirmation(psk_of(7));
  information.refresh_token = Bytes{1, 1};
  const auto first = read();
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->refresh_token->equals(Bytes{1, 1}));
  wish.scope.reset();
  wish.refresh_token = first->refresh_token->clone();
  information.cnf.reset();
  information.refresh_token.reset();
  const auto second = read(&*first);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->psk->same_key(*first->psk));
  EXPECT_EQ(second->scope, Scope("a b"));
  EXPECT_TRUE(second->refresh_token->equals(Bytes{1, 1}));
  information.refresh_token = Bytes{2, 2};
  EXPECT_TRUE(read(&*first)->refresh_token->equals(Bytes{2, 2}));
}

TEST_F(ClientAnswers, ATokenFromAFullRequestHasNoOldRefreshToken) {
  wish.kind = PopKind::pre_shared_key;
  information.cnf = cwt::Confirmation(psk_of(7));
  information.refresh_token = Bytes{1, 1};
  const auto first = read();
  information.refresh_token.reset();
  EXPECT_FALSE(read(&*first)->refresh_token);
}

TEST_F(ClientAnswers, TheLastFifthOfALifeIsForRenewal) {
  information.rs_cnf = cwt::Confirmation(key_from(2).public_part().value());
  information.expires_in = 100;
  EXPECT_EQ(read()->renew_at(std::chrono::seconds(60)), now + std::chrono::seconds(80));
  EXPECT_EQ(read()->renew_at(std::chrono::seconds(5)), now + std::chrono::seconds(95));
}

TEST_F(ClientAnswers, AnOwnerWhoHasToDecideIsNoRefusal) {
  coap::Response response;
  response.code = coap::code::service_unavailable;
  EXPECT_EQ(read_token_response(response, wish, &own, nullptr, now, refusal).error(), reason::as_refused);
  response.options.set_uint(coap::option::max_age, 90);
  EXPECT_EQ(read_token_response(response, wish, &own, nullptr, now, refusal).error(), reason::approval_pending);
  EXPECT_FALSE(refusal);
}

TEST_F(ClientAnswers, RefusalsKeepTheirErrorCode) {
  coap::Response response;
  response.code = coap::code::bad_request;
  response.options.set_content_format(coap::content_format::ace_cbor);
  response.payload = cbor::serialize(ErrorResponse{ErrorCode::invalid_scope, {}, {}});
  const auto refused = read_token_response(response, wish, &own, nullptr, now, refusal);
  EXPECT_EQ(refused.error(), reason::as_refused);
  EXPECT_EQ(refused.error().detail(), "invalid_scope");
  EXPECT_EQ(refusal->error, ErrorCode::invalid_scope);
  response.payload = {0xff};
  EXPECT_EQ(read_token_response(response, wish, &own, nullptr, now, refusal).error(), reason::as_refused);
  EXPECT_FALSE(refusal);
}

TEST(ClientExchange, WidenedScopesKeepWhatWasHeld) {
  EXPECT_EQ(std::get<std::string>(widened(Scope("b a"), Scope("c a"))), "a b c");
  EXPECT_EQ(std::get<std::string>(widened(std::nullopt, Scope("c"))), "c");
  const Bytes held = Aif::parse_text("/temp=GET")->serialize();
  const Bytes wanted = Aif::parse_text("/temp=PUT /led=GET")->serialize();
  EXPECT_EQ(Aif::parse(std::get<Bytes>(widened(Scope(held), Scope(wanted))))->to_text(),
            Aif::parse_text("/temp=GET,PUT /led=GET")->to_text());
  EXPECT_EQ(std::get<Bytes>(widened(Scope("a"), Scope(wanted))), wanted);
}

}  // namespace
}  // namespace aceward::ace::client
