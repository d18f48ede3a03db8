// The messages of RFC 9200, 9201 and 9202 as their figures show them, where the figures are whole.
#include <gtest/gtest.h>

#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/creation_hints.h"
#include "aceward/ace/params/token_request.h"
#include "aceward/cbor/diagnostic.h"

namespace aceward::ace {
namespace {

Bytes encoded(std::string_view diagnostic) { return cbor::from_diagnostic(diagnostic).value(); }

template <class T>
void expect_same_octets(std::string_view diagnostic) {
  const Bytes octets = encoded(diagnostic);
  const auto message = cbor::parse<T>(octets);
  ASSERT_TRUE(message) << message.error().id() << " " << message.error().detail();
  // Written deterministically; read again it is the same message.
  const Bytes written = cbor::serialize(*message);
  const auto again = cbor::parse<T>(written);
  ASSERT_TRUE(again);
  EXPECT_EQ(to_hex(cbor::serialize(*again)), to_hex(written));
  EXPECT_EQ(written.size(), octets.size());
}

TEST(CreationHints, Figure3OfRfc9200) {
  const Bytes octets = from_hex(
                           "a4 01 781c 636f6170733a2f2f61732e6578616d706c652e636f6d2f746f6b656e"
                           "05 76 636f6170733a2f2f72732e6578616d706c652e636f6d 09 66 7254656d7043 1827 45 e0a156bb3f")
                           .value();
  const CreationHints hints = cbor::parse<CreationHints>(octets).value();
  EXPECT_EQ(hints.as_uri, "coaps://as.example.com/token");
  EXPECT_EQ(hints.audience, "coaps://rs.example.com");
  EXPECT_EQ(hints.scope, Scope("rTempC"));
  EXPECT_EQ(hints.cnonce, from_hex("e0a156bb3f").value());
  EXPECT_EQ(hints.kid, std::nullopt);
  EXPECT_EQ(cbor::serialize(hints), octets);
}

TEST(CreationHints, Figure2OfRfc9200) {
  expect_same_octets<CreationHints>(R"({
    / AS / 1 : "coaps://as.example.com/token", / audience / 5 : "coaps://rs.example.com",
    / scope / 9 : "rTempC", / cnonce / 39 : h'e0a156bb3f' })");
}

TEST(CreationHints, EveryMemberIsOptional) {
  const CreationHints none = cbor::parse<CreationHints>(encoded("{}")).value();
  EXPECT_EQ(none, CreationHints());
  EXPECT_EQ(to_hex(cbor::serialize(none)), "a0");
}

TEST(TokenRequest, Figure4OfRfc9200) {
  const auto octets = encoded(R"({ / client_id / 24 : "myclient", / audience /  5  : "tempSensor4711" })");
  const TokenRequest request = cbor::parse<TokenRequest>(octets).value();
  EXPECT_EQ(request.client_id, "myclient");
  EXPECT_EQ(request.audience, "tempSensor4711");
  EXPECT_FALSE(request.grant_type);
  EXPECT_FALSE(request.req_cnf);
  expect_same_octets<TokenRequest>(R"({ 5 : "tempSensor4711", 24 : "myclient" })");
}

constexpr std::string_view rfc9201_key_11 =
    R"({ / kty / 1 : 2 / EC2 /, / kid / 2 : h'11', / crv / -1 : 1 / P-256 /,
         / x / -2 : h'BAC5B11CAD8F99F9C72B05CF4B9E26D244DC189F745228255A219A86D6A09EFF',
         / y / -3 : h'20138BF82DC1B6D562BE0FA54AB7804A3A64B6D72CCFED6B6FB6ED28BBFC117E' })";

TEST(TokenRequest, Figure5OfRfc9200) {
  const auto octets = encoded(R"({ / client_id / 24 : "myclient", / req_cnf / 4 : { / COSE_Key / 1 : {
      / kty /  1 : 2 / EC2 /, / kid /  2 : h'11', / crv / -1 : 1 / P-256 /,
      / x /   -2 : b64'usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8',
      / y /   -3 : b64'IBOL+C3BttVivg+lSreASjpkttcsz+1rb7btKLv8EX4' } } })");
  const TokenRequest request = cbor::parse<TokenRequest>(octets).value();
  ASSERT_TRUE(request.req_cnf && request.req_cnf->cose_key() != nullptr);
  EXPECT_TRUE(request.req_cnf->cose_key()->same_key(cose::Key::parse(encoded(rfc9201_key_11)).value()));
  EXPECT_EQ(request.req_cnf->cose_key()->kid, Bytes{0x11});
}

TEST(TokenRequest, Figure6OfRfc9200) {
  const auto octets = encoded(R"({ / client_id / 24 : "myclient", / audience / 5 : "valve424", / scope / 9 : "read",
      / req_cnf / 4 : { / kid / 3 : b64'6kg0dXJM13U' } })");
  const TokenRequest request = cbor::parse<TokenRequest>(octets).value();
  ASSERT_TRUE(request.req_cnf && request.req_cnf->kid() != nullptr);
  EXPECT_EQ(to_hex(request.req_cnf->kid()->value), "ea483475724cd775");
  EXPECT_EQ(request.scope, Scope("read"));
}

TEST(TokenRequest, Figure1OfRfc9201) {
  expect_same_octets<TokenRequest>("{ / req_cnf / 4 : { / COSE_Key / 1 : " + std::string(rfc9201_key_11) + " } }");
}

TEST(TokenRequest, Figure3OfRfc9202WithAWholeKey) {
  const std::string text = R"({ / grant_type / 33 : / client_credentials / 2, / audience / 5 : "tempSensor4711",
      / req_cnf / 4 : { / COSE_Key / 1 : )" +
                           std::string(rfc9201_key_11) + " } }";
  const TokenRequest request = cbor::parse<TokenRequest>(encoded(text)).value();
  EXPECT_EQ(request.grant_type, GrantType::client_credentials);
  expect_same_octets<TokenRequest>(text);
}

TEST(TokenRequest, Figure5OfRfc9202) { expect_same_octets<TokenRequest>(R"({ / audience / 5 : "smokeSensor1807" })"); }

TEST(TokenRequest, TellsANullProfileFromAnAbsentOne) {
  EXPECT_FALSE(cbor::parse<TokenRequest>(encoded("{}"))->ace_profile);
  const TokenRequest asked = cbor::parse<TokenRequest>(encoded("{38: null}")).value();
  ASSERT_TRUE(asked.ace_profile);
  EXPECT_FALSE(*asked.ace_profile);
  EXPECT_EQ(to_hex(cbor::serialize(asked)), "a11826f6");
  const TokenRequest named = cbor::parse<TokenRequest>(encoded("{38: 1}")).value();
  EXPECT_EQ(**named.ace_profile, Profile::coap_dtls);
}

TEST(TokenRequest, TheScopeMayBeAByteString) {
  EXPECT_EQ(cbor::parse<TokenRequest>(encoded("{9: h'80'}"))->scope, Scope(Bytes{0x80}));
}

TEST(TokenRequest, IgnoresUnknownParameters) {
  const TokenRequest request =
      cbor::parse<TokenRequest>(encoded(R"({5: "a", 99: [1], "x": {1: 2}, 26: "code"})")).value();
  EXPECT_EQ(request.audience, "a");
  EXPECT_EQ(cbor::serialize(request), encoded(R"({5: "a"})"));
}

TEST(TokenRequest, KeepsNumbersWithoutAName) {
  EXPECT_EQ(cbor::parse<TokenRequest>(encoded("{33: 77}"))->grant_type, static_cast<GrantType>(77));
  EXPECT_EQ(name_of(static_cast<GrantType>(77)), "");
}

TEST(TokenRequest, RefusesWrongTypesAndDuplicates) {
  for (const char* text :
       {"{5: 1}", "{5: h''}", "{9: 1}", "{24: h'00'}", R"({25: "secret"})", R"({33: "client_credentials"})",
        "{38: \"coap_dtls\"}", "{39: \"x\"}", "{4: []}", "{4: {}}", "{5: \"a\", 5: \"a\"}", "[]", "null",
        "{4: {1: {1: 2}}}", "{4: {3: h'01', 1: {1: 4, -1: h'01'}}}"})
    EXPECT_FALSE(cbor::parse<TokenRequest>(encoded(text))) << text;
  EXPECT_FALSE(cbor::parse<TokenRequest>(Bytes()));
}

TEST(AccessInformation, Figure2OfRfc9201) {
  expect_same_octets<AccessInformation>(R"({ / access_token / 1 : h'4A5015DF686428', / cnf / 8 : { / COSE_Key / 1 : {
      / kty / 1 : 4 / Symmetric /, / kid / 2 : h'DFD1AA97', / k / -1 : h'849B5786457C1491BE3A76DCEA6C427108' } } })");
}

TEST(AccessInformation, Figure3OfRfc9201) {
  const auto octets = encoded(R"({ / access_token / 1 : h'D08343A1010AA1054D2A45DF6FBC5A5A', / rs_cnf / 41 : { 1 : {
      / kty / 1 : 2 /EC2/, / kid / 2 : h'12', / crv / -1 : 1 /P-256/,
      / x / -2 : h'BCEE7EAAC162F91E6F330F5771211E220B8B546C96589B0AC4AD0FD24C77E1F1',
      / y / -3 : h'C647B38C55EFBBC4E62E651720F002D5D75B2E0C02CD1326E662BCA222B90416' } } })");
  const AccessInformation information = cbor::parse<AccessInformation>(octets).value();
  ASSERT_TRUE(information.rs_cnf && information.rs_cnf->cose_key() != nullptr);
  EXPECT_EQ(information.rs_cnf->cose_key()->kid, Bytes{0x12});
  EXPECT_EQ(cbor::serialize(information), octets);
}

TEST(AccessInformation, Figure6OfRfc9202) {
  const auto octets = encoded(R"({ / access_token / 1 : h'd08343a1', / token_type / 34 : / PoP / 2,
      / expires_in / 2 : 86400, / ace_profile / 38 : / coap_dtls / 1, / cnf / 8 : { / COSE_Key / 1 : {
        / kty / 1 : / symmetric / 4, / kid / 2 : h'3d027833fc6267ce', / k / -1 : h'73657373696f6e6b6579' } } })");
  const AccessInformation information = cbor::parse<AccessInformation>(octets).value();
  EXPECT_EQ(information.expires_in, 86400U);
  EXPECT_EQ(information.token_type, TokenType::pop);
  EXPECT_EQ(information.ace_profile, Profile::coap_dtls);
  ASSERT_TRUE(information.cnf && information.cnf->cose_key() != nullptr);
  EXPECT_EQ(as_text(information.cnf->cose_key()->k()), "sessionkey");
}

/// With the number of the profile, as section 5.8.4.3 asks for and the figure does not.
TEST(AccessInformation, Figure7OfRfc9200) {
  const std::string text = R"({ / access_token / 1 : b64'SlAV32hk', / ace_profile / 38 : 1, / expires_in / 2 : 3600,
      / cnf / 8 : { / COSE_Key / 1 : { / kty / 1 : 4 / Symmetric /, / kid / 2 : b64'39Gqlw',
        / k / -1 : b64'hJtXhkV8FJG+Onbc6mxC' } } })";
  const AccessInformation information = cbor::parse<AccessInformation>(encoded(text)).value();
  EXPECT_EQ(to_hex(information.access_token), "4a5015df6864");
  EXPECT_EQ(information.ace_profile, Profile::coap_dtls);
  ASSERT_TRUE(information.cnf && information.cnf->cose_key() != nullptr);
  EXPECT_EQ(to_hex(*information.cnf->cose_key()->kid), "dfd1aa97");
  EXPECT_EQ(to_hex(information.cnf->cose_key()->k()), "849b5786457c1491be3a76dcea6c42");
  expect_same_octets<AccessInformation>(text);
}

/// The figure's key is cut short; here it is that of RFC 9201 figure 1.
TEST(AccessInformation, Figure4OfRfc9202WithAWholeKey) {
  const std::string text = R"({ / access_token / 1 : b64'SlAV32hk', / expires_in / 2 : 3600, / rs_cnf / 41 : {
      / COSE_Key / 1 : )" + std::string(rfc9201_key_11) +
                           " } }";
  const AccessInformation information = cbor::parse<AccessInformation>(encoded(text)).value();
  EXPECT_EQ(information.expires_in, 3600U);
  ASSERT_TRUE(information.rs_cnf && information.rs_cnf->cose_key() != nullptr);
  EXPECT_FALSE(information.cnf);
  expect_same_octets<AccessInformation>(text);
}

TEST(Confirmation, Figure7OfRfc9202NamesASymmetricKey) {
  const Bytes octets = encoded("{ / COSE_Key / 1 : { / kty / 1 : / symmetric / 4, / kid / 2 : h'3d027833fc6267ce' } }");
  const auto confirmation = cwt::Confirmation::parse(octets).value();
  ASSERT_NE(confirmation.kid(), nullptr);
  EXPECT_EQ(to_hex(confirmation.kid()->value), "3d027833fc6267ce");
}

/// RFC 9200 table 5: a byte string under 37.
TEST(RefreshToken, IsAByteStringOnBothWays) {
  const std::string text = "{ / grant_type / 33 : 3, / refresh_token / 37 : h'0102' }";
  const TokenRequest request = cbor::parse<TokenRequest>(encoded(text)).value();
  EXPECT_EQ(request.grant_type, GrantType::refresh_token);
  EXPECT_EQ(request.refresh_token, (Bytes{1, 2}));
  expect_same_octets<TokenRequest>(text);
  expect_same_octets<AccessInformation>("{ 1 : h'00', / refresh_token / 37 : h'0102' }");
  EXPECT_FALSE(cbor::parse<TokenRequest>(encoded(R"({37: "text"})")));
  EXPECT_FALSE(cbor::parse<AccessInformation>(encoded(R"({1: h'00', 37: "text"})")));
}

TEST(AccessInformation, RefusesTheTextualProfileOfFigure7OfRfc9200) {
  // Section 5.8.4.3 forbids in CBOR what the figure shows.
  EXPECT_FALSE(cbor::parse<AccessInformation>(encoded(R"({1: h'00', 38: "coap_dtls", 2: 3600})")));
  EXPECT_TRUE(cbor::parse<AccessInformation>(encoded(R"({1: h'00', 38: 1, 2: 3600})")));
}

TEST(AccessInformation, NeedsAToken) { EXPECT_FALSE(cbor::parse<AccessInformation>(encoded("{2: 3600}"))); }

TEST(TokenError, Figure8OfRfc9202) {
  const Bytes octets = from_hex("a1 181e 01").value();
  const ErrorResponse error = cbor::parse<ErrorResponse>(octets).value();
  EXPECT_EQ(error.error, ErrorCode::invalid_request);
  EXPECT_EQ(cbor::serialize(error), octets);
}

TEST(TokenError, HasTheNumbersOfTable3OfRfc9200) {
  const std::string_view names[] = {"",
                                    "invalid_request",
                                    "invalid_client",
                                    "invalid_grant",
                                    "unauthorized_client",
                                    "unsupported_grant_type",
                                    "invalid_scope",
                                    "unsupported_pop_key",
                                    "incompatible_ace_profiles"};
  for (int i = 0; i < 9; ++i) EXPECT_EQ(name_of(static_cast<ErrorCode>(i)), names[i]);
  EXPECT_EQ(name_of(static_cast<ErrorCode>(9)), "");
}

TEST(TokenError, KeepsDescriptionAndUri) {
  expect_same_octets<ErrorResponse>(R"({30: 6, 31: "no such scope", 32: "https://as.example.com/errors"})");
  EXPECT_FALSE(cbor::parse<ErrorResponse>(encoded(R"({31: "no error"})")));
}

}  // namespace
}  // namespace aceward::ace
