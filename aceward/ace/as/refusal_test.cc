// What a client does not get, and what it hears.
#include "aceward/ace/as/refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/token_world.h"
#include "aceward/cbor/diagnostic.h"

namespace aceward::ace::as {
namespace {

class TokenRefusalTest : public ::testing::Test, protected TokenWorld {
 protected:
  coap::Response ask_text(const AuthenticatedClient& client, std::string_view diagnostic) {
    return ask(client, post(cbor::from_diagnostic(diagnostic).value()));
  }

  /// The request is refused with that error code, for that reason; nothing is recorded.
  void expect_refused(const coap::Response& response, ErrorCode code, std::string_view reason_id) {
    const auto wanted = code == ErrorCode::invalid_client ? coap::code::unauthorized : coap::code::bad_request;
    EXPECT_EQ(response.code, wanted) << response.code.to_string();
    EXPECT_EQ(response.options.content_format(), coap::content_format::ace_cbor);
    const auto error = cbor::parse<ErrorResponse>(response.payload);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->error, code) << name_of(error->error);
    EXPECT_EQ(last_reason(), reason_id);
    EXPECT_TRUE(ledger.tokens.empty());
  }
  void expect_bare(const coap::Response& response, coap::Code code, std::string_view reason_id) {
    EXPECT_EQ(response.code, code) << response.code.to_string();
    EXPECT_TRUE(response.payload.empty());
    EXPECT_EQ(last_reason(), reason_id);
    EXPECT_TRUE(ledger.tokens.empty());
  }
  std::string_view last_reason() const { return audited.empty() ? "" : audited.back().reason; }

  std::string key_text(const cose::Key& key) const { return cbor::to_diagnostic(key.serialize().expose()); }
};

struct RefusalCase {
  const char* name;
  const char* request;
  ErrorCode code;
  const char* reason_id;
};

// Alice asks over her pre-shared key.
constexpr RefusalCase refusal_cases[] = {
    {"EmptyPayload", "", ErrorCode::invalid_request, "cbor_truncated"},
    {"NotAMap", "[]", ErrorCode::invalid_request, "cbor_unexpected_kind"},
    {"DuplicateParameter", R"({5: "thermometer.example", 5: "thermometer.example"})", ErrorCode::invalid_request,
     "cbor_duplicate_key"},
    {"NotPreferredEncoding", R"({5_0: "thermometer.example"})", ErrorCode::invalid_request, "cbor_not_preferred"},
    {"TrailingOctets", R"({5: "thermometer.example"}, 0)", ErrorCode::invalid_request, "cbor_trailing_bytes"},
    {"GrantTypePassword", R"({5: "thermometer.example", 33: 0})", ErrorCode::unsupported_grant_type,
     "grant_type_unsupported"},
    {"GrantTypeUnknown", R"({5: "thermometer.example", 33: 99})", ErrorCode::unsupported_grant_type,
     "grant_type_unsupported"},
    {"AnotherClientsId", R"({5: "thermometer.example", 24: "bob"})", ErrorCode::invalid_client, "client_id_mismatch"},
    {"UnknownClientId", R"({5: "thermometer.example", 24: "nobody"})", ErrorCode::invalid_client, "client_id_mismatch"},
    {"ClientSecret", R"({5: "thermometer.example", 24: "alice", 25: h'00'})", ErrorCode::invalid_client,
     "client_secret_unexpected"},
    {"NoAudienceAmongMany", "{}", ErrorCode::invalid_request, "audience_missing"},
    {"UnknownAudience", R"({5: "nowhere.example"})", ErrorCode::invalid_request, "audience_unknown"},
    {"AudienceIsNotTheName", R"({5: "thermometer"})", ErrorCode::invalid_request, "audience_unknown"},
    {"AudienceWithoutPolicy", R"({5: "secret-server.example"})", ErrorCode::invalid_request, "audience_without_policy"},
    {"OtherProfile", R"({5: "thermometer.example", 38: 2})", ErrorCode::incompatible_ace_profiles,
     "ace_profile_incompatible"},
    {"CnonceEmpty", R"({5: "thermometer.example", 39: h''})", ErrorCode::invalid_request, "cnonce_too_long"},
    {"SymmetricKey", R"({5: "thermometer.example", 4: {1: {1: 4, 2: h'01', -1: h'00112233445566778899aabbccddeeff'}}})",
     ErrorCode::invalid_request, "req_cnf_secret"},
    {"EncryptedKey", R"({5: "thermometer.example", 4: {2: [h'a1010a', {5: h'00'}, h'00']}})",
     ErrorCode::unsupported_pop_key, "pop_key_method_unsupported"},
    {"OscoreMaterial", R"({5: "thermometer.example", 4: {4: {0: h'01', 2: h'02'}}})", ErrorCode::unsupported_pop_key,
     "pop_key_method_unsupported"},
    {"UnsupportedCurve", R"({5: "thermometer.example", 4: {1: {1: 2, -1: 2, -2: h'00', -3: h'00'}}})",
     ErrorCode::unsupported_pop_key, "cose_key_unsupported"},
    {"UnknownKid", R"({5: "thermometer.example", 4: {3: h'ea483475724cd775'}})", ErrorCode::unsupported_pop_key,
     "pop_key_unknown"},
    {"EmptyKid", R"({5: "thermometer.example", 4: {3: h''}})", ErrorCode::invalid_request, "req_cnf_kid_too_long"},
    {"RegisteredKidWhereKeysAreShared", R"({5: "shared-keys-only.example", 4: {3: h'11'}})",
     ErrorCode::unsupported_pop_key, "pop_key_unsuitable"},
    {"ScopeAsOctetsForText", R"({5: "thermometer.example", 9: h'80'})", ErrorCode::invalid_scope,
     "scope_format_mismatch"},
    {"ScopeAsTextForAif", R"({5: "valve.example", 9: "read"})", ErrorCode::invalid_scope, "scope_format_mismatch"},
    {"ScopeEmpty", R"({5: "thermometer.example", 9: ""})", ErrorCode::invalid_scope, "scope_malformed"},
    {"ScopeMalformed", R"({5: "thermometer.example", 9: "read  write"})", ErrorCode::invalid_scope, "scope_malformed"},
    {"AifIsNotAif", R"({5: "valve.example", 9: h'a0'})", ErrorCode::invalid_scope, "scope_malformed"},
    {"AifIsNotCbor", R"({5: "valve.example", 9: h'ff'})", ErrorCode::invalid_scope, "scope_malformed"},
    {"ScopeDenied", R"({5: "thermometer.example", 9: "delete"})", ErrorCode::invalid_scope, "scope_denied"},
    {"AifDenied", R"({5: "valve.example", 9: h'8182652f6f70656e01'})", ErrorCode::invalid_scope, "scope_denied"},
    {"AifOfNothing", R"({5: "valve.example", 9: h'80'})", ErrorCode::invalid_scope, "scope_denied"},
};

class TokenRefusalCases : public TokenRefusalTest, public ::testing::WithParamInterface<RefusalCase> {};

TEST_P(TokenRefusalCases, AreAnsweredAsTheStandardAsks) {
  const RefusalCase& c = GetParam();
  expect_refused(ask_text(by_psk(), c.request), c.code, c.reason_id);
  EXPECT_EQ(endpoint.counters().refused.at(c.reason_id), 1U);
  EXPECT_EQ(endpoint.counters().granted, 0U);
  EXPECT_EQ(audited.back().client, "alice");
}

INSTANTIATE_TEST_SUITE_P(All, TokenRefusalCases, ::testing::ValuesIn(refusal_cases),
                         [](const auto& c) { return std::string(c.param.name); });

TEST_F(TokenRefusalTest, NeedsTheContentFormat) {
  coap::Request request = post(cbor::from_diagnostic(R"({5: "thermometer.example"})").value());
  request.options.remove(coap::option::content_format);
  expect_bare(ask(by_psk(), request), coap::code::unsupported_content_format, "token_request_format");
  request.options.set_content_format(coap::content_format::cbor);
  expect_bare(ask(by_psk(), request), coap::code::unsupported_content_format, "token_request_format");
}

TEST_F(TokenRefusalTest, AnAcceptOptionForAnotherFormatIsRefused) {
  coap::Request request = post(cbor::from_diagnostic(R"({5: "thermometer.example"})").value());
  request.options.set_accept(coap::content_format::json);
  expect_bare(ask(by_psk(), request), coap::code::not_acceptable, "token_request_accept");
  request.options.set_accept(coap::content_format::ace_cbor);
  EXPECT_EQ(ask(by_psk(), request).code, coap::code::created);
}

TEST_F(TokenRefusalTest, APeerThatNobodyAuthenticatedIsAnInvalidClient) {
  expect_refused(endpoint.refuse_unauthenticated(now), ErrorCode::invalid_client, "client_not_authenticated");
}

TEST_F(TokenRefusalTest, AClientThatIsGoneIsAnInvalidClient) {
  const AuthenticatedClient alice = by_raw_key();
  clients.erase(clients.begin());
  publish();
  expect_refused(ask_text(alice, R"({5: "thermometer.example"})"), ErrorCode::invalid_client, "client_unregistered");
}

TEST_F(TokenRefusalTest, AnotherClientUnderTheSameNameIsNotTheSameClient) {
  const AuthenticatedClient alice = by_raw_key();
  clients[0].id = 77;
  publish();
  expect_refused(ask_text(alice, R"({5: "thermometer.example"})"), ErrorCode::invalid_client, "client_unregistered");
}

TEST_F(TokenRefusalTest, BeforeTheFirstRegistryNobodyIsKnown) {
  auto fresh = TokenEndpoint::create({}, as_key, random, ledger).value();
  std::optional<coap::Response> answer;
  fresh.process(by_psk(), post(cbor::from_diagnostic("{}").value()), now,
                [&](coap::Response response) { answer = std::move(response); });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, coap::code::unauthorized);
}

TEST_F(TokenRefusalTest, SomebodyElsesPublicKeyIsRefused) {
  // RFC 9202 section 7: else Alice could have a token made for Bob's key.
  for (const AuthenticatedClient& alice : {by_raw_key(), by_psk()})
    expect_refused(
        ask_text(alice, "{5: \"thermometer.example\", 4: {1: " + key_text(bob_key.public_part().value()) + "}}"),
        ErrorCode::unsupported_pop_key, "pop_key_not_proven");
  const cose::Key unknown = make_test_key(55).public_part().value();
  expect_refused(ask_text(by_raw_key(), "{5: \"thermometer.example\", 4: {1: " + key_text(unknown) + "}}"),
                 ErrorCode::unsupported_pop_key, "pop_key_not_proven");
}

TEST_F(TokenRefusalTest, APrivateKeyIsRefused) {
  expect_refused(ask_text(by_raw_key(), "{5: \"thermometer.example\", 4: {1: " + key_text(alice_key) + "}}"),
                 ErrorCode::invalid_request, "req_cnf_secret");
}

TEST_F(TokenRefusalTest, APublicKeyIsRefusedWhereTheServerTakesSharedKeysAlone) {
  expect_refused(ask_text(by_raw_key(), "{5: \"shared-keys-only.example\", 4: {1: " +
                                            key_text(alice_key.public_part().value()) + "}}"),
                 ErrorCode::unsupported_pop_key, "pop_key_unsuitable");
}

TEST_F(TokenRefusalTest, AKeyThatIsNoRawPublicKeyOfTheProfileIsRefused) {
  cose::Key ed25519 = make_test_key(8, crypto::Curve::ed25519).public_part().value();
  clients[0].public_key = public_octets(ed25519);
  clients[0].key_thumbprint = thumbprint_octets(ed25519);
  publish();
  expect_refused(ask_text(by_raw_key(), "{5: \"thermometer.example\", 4: {1: " + key_text(ed25519) + "}}"),
                 ErrorCode::unsupported_pop_key, "pop_key_unsuitable");
}

TEST_F(TokenRefusalTest, AKeyWhoseAlgOrKeyOpsForbidTheUseIsRefused) {
  cose::Key key = alice_key.public_part().value();
  key.key_ops = {cose::key_op::derive_key};
  expect_refused(ask_text(by_raw_key(), "{5: \"thermometer.example\", 4: {1: " + key_text(key) + "}}"),
                 ErrorCode::unsupported_pop_key, "pop_key_unsuitable");
  key = alice_key.public_part().value();
  key.alg = cose::Algorithm(-25);  // ECDH-ES + HKDF-256
  expect_refused(ask_text(by_raw_key(), "{5: \"thermometer.example\", 4: {1: " + key_text(key) + "}}"),
                 ErrorCode::unsupported_pop_key, "pop_key_unsuitable");
}

TEST_F(TokenRefusalTest, WithoutARegisteredKeyAServerForRawKeysAloneCannotBeServed) {
  clients[0].public_key.clear();
  clients[0].key_thumbprint.clear();
  publish();
  expect_refused(ask_text(by_psk(), R"({5: "raw-keys-only.example"})"), ErrorCode::unsupported_pop_key,
                 "pop_key_unsuitable");
}

TEST_F(TokenRefusalTest, LimitsOnWhatIsCopiedIntoTheToken) {
  const std::string long_octets = to_hex(Bytes(65, 0xab));
  expect_refused(ask_text(by_psk(), "{5: \"thermometer.example\", 39: h'" + long_octets + "'}"),
                 ErrorCode::invalid_request, "cnonce_too_long");
  expect_refused(ask_text(by_psk(), "{5: \"thermometer.example\", 4: {3: h'" + long_octets + "'}}"),
                 ErrorCode::invalid_request, "req_cnf_kid_too_long");
  cose::Key key = alice_key.public_part().value();
  key.kid = Bytes(65, 0xab);
  expect_refused(ask_text(by_raw_key(), "{5: \"thermometer.example\", 4: {1: " + key_text(key) + "}}"),
                 ErrorCode::invalid_request, "req_cnf_kid_too_long");
}

TEST_F(TokenRefusalTest, AnUnknownAudienceAndOneWithoutPolicyLookTheSame) {
  const coap::Response unknown = ask_text(by_psk(), R"({5: "nowhere.example", 9: "x", 4: {3: h'01'}})");
  const coap::Response denied = ask_text(by_psk(), R"({5: "secret-server.example", 9: "x", 4: {3: h'01'}})");
  EXPECT_EQ(unknown, denied);
}

TEST_F(TokenRefusalTest, NoAnswerNamesOtherClientsServersOrScopes) {
  for (const RefusalCase& c : refusal_cases) {
    const coap::Response response = ask_text(by_psk(), c.request);
    const std::string text(as_text(response.payload));
    for (const char* name : {"bob", "thermometer", "secret-server", "read", "write"})
      EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr(name))) << c.name;
  }
}

TEST_F(TokenRefusalTest, DescriptionsKeepToTheirCharacters) {
  for (const RefusalCase& c : refusal_cases) {
    const auto error = cbor::parse<ErrorResponse>(ask_text(by_psk(), c.request).payload).value();
    for (const char character : error.error_description.value_or(""))
      EXPECT_TRUE(character >= 0x20 && character <= 0x7e && character != '"' && character != '\\') << c.name;
  }
}

TEST_F(TokenRefusalTest, AServerWithoutATokenKeyIsOurOwnFault) {
  server("thermometer").token_key = Secret();
  publish();
  expect_bare(ask_text(by_psk(), R"({5: "thermometer.example"})"), coap::code::internal_server_error,
              "server_token_key_missing");
  server("encrypted").token_key = Secret();
  publish();
  expect_bare(ask_text(by_raw_key(), "{5: \"encrypted.example\", 4: {3: h'11'}}"), coap::code::internal_server_error,
              "server_token_key_missing");
}

TEST_F(TokenRefusalTest, AServerWithoutAPublicKeyIsOurOwnFaultForRawKeys) {
  server("thermometer").public_key.clear();
  publish();
  expect_bare(ask_text(by_raw_key(), R"({5: "thermometer.example", 4: {3: h'11'}})"), coap::code::internal_server_error,
              "server_public_key_missing");
}

TEST_F(TokenRefusalTest, ARuleThatCannotBeReadIsOurOwnFault) {
  add_rule("alice", "thermometer", "two  spaces");
  publish();
  expect_bare(ask_text(by_psk(), R"({5: "thermometer.example"})"), coap::code::internal_server_error,
              "policy_unusable");
}

TEST_F(TokenRefusalTest, AServersKeyOfAWrongLengthIsOurOwnFault) {
  server("thermometer").token_key = Secret(Bytes(7, 1));
  publish();
  expect_bare(ask_text(by_psk(), R"({5: "thermometer.example"})"), coap::code::internal_server_error, "token_not_made");
}

TEST_F(TokenRefusalTest, AKidOfAnExpiredOrRevokedTokenIsUnknown) {
  ASSERT_EQ(ask_text(by_psk(), R"({5: "thermometer.example"})").code, coap::code::created);
  const std::string kid = to_hex(ledger.tokens[0].key_id);
  const coap::Request update =
      post(cbor::from_diagnostic("{5: \"thermometer.example\", 4: {3: h'" + kid + "'}}").value());
  EXPECT_EQ(ask(by_psk(), update, now + std::chrono::seconds(3599)).code, coap::code::created);
  ledger.tokens.pop_back();
  EXPECT_EQ(ask(by_psk(), update, now + std::chrono::seconds(3600)).code, coap::code::bad_request);
  EXPECT_EQ(last_reason(), "pop_key_unknown");
  ledger.tokens[0].revoked = true;
  EXPECT_EQ(ask(by_psk(), update).code, coap::code::bad_request);
}

TEST_F(TokenRefusalTest, AnotherClientsOrServersKidIsUnknown) {
  ASSERT_EQ(ask_text(by_psk(), R"({5: "thermometer.example"})").code, coap::code::created);
  const std::string cnf = "4: {3: h'" + to_hex(ledger.tokens[0].key_id) + "'}}";
  EXPECT_EQ(ask_text(by_psk(1), "{5: \"thermometer.example\", " + cnf).code, coap::code::bad_request);
  EXPECT_EQ(last_reason(), "pop_key_unknown");
  EXPECT_EQ(ask_text(by_psk(0), "{5: \"encrypted.example\", " + cnf).code, coap::code::bad_request);
  EXPECT_EQ(last_reason(), "pop_key_unknown");
  EXPECT_EQ(ask_text(by_psk(0), "{5: \"thermometer.example\", " + cnf).code, coap::code::created);
}

TEST_F(TokenRefusalTest, AKeyThatTheClientWasRegisteredWithBeforeIsNotGivenOutByItsKid) {
  const coap::Request by_kid = post(cbor::from_diagnostic(R"({5: "thermometer.example", 4: {3: h'11'}})").value());
  ASSERT_EQ(ask(by_raw_key(), by_kid).code, coap::code::created);
  const cose::Key replacement = make_test_key(66);
  clients[0].public_key = public_octets(replacement);
  clients[0].key_thumbprint = thumbprint_octets(replacement);
  publish();
  EXPECT_EQ(ask(by_raw_key(), by_kid).code, coap::code::bad_request);
  EXPECT_EQ(last_reason(), "pop_key_unknown");
}

TEST_F(TokenRefusalTest, ATokenThatNoLongerFitsTheServerIsNotUpdated) {
  ASSERT_EQ(ask_text(by_psk(), R"({5: "thermometer.example"})").code, coap::code::created);
  server("thermometer").accepts_symmetric = false;
  publish();
  const std::string kid = to_hex(ledger.tokens[0].key_id);
  EXPECT_EQ(ask_text(by_psk(), "{5: \"thermometer.example\", 4: {3: h'" + kid + "'}}").code, coap::code::bad_request);
  EXPECT_EQ(last_reason(), "pop_key_unsuitable");
}

}  // namespace
}  // namespace aceward::ace::as
