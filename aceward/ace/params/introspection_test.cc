// Introspection as the figures of RFC 9200 and RFC 9201 show it, and what is refused.
#include "aceward/ace/params/introspection.h"

#include <gtest/gtest.h>

#include "aceward/ace/params/reasons.h"
#include "aceward/cbor/diagnostic.h"

namespace aceward::ace {
namespace {

Bytes octets_of_diagnostic(std::string_view diagnostic) { return cbor::from_diagnostic(diagnostic).value(); }

IntrospectionResponse read_response(std::string_view diagnostic) {
  const Bytes octets = octets_of_diagnostic(diagnostic);
  IntrospectionResponse response = parse_introspection_response(octets).value();
  // What was read is written in as many octets, and means the same when read again.
  const Bytes written = cbor::serialize(response);
  EXPECT_EQ(written.size(), octets.size());
  EXPECT_EQ(to_hex(cbor::serialize(parse_introspection_response(written).value())), to_hex(written));
  return response;
}

TEST(IntrospectionRequest, Figure9OfRfc9200) {
  const Bytes octets = octets_of_diagnostic("{ / token / 11 : b64'7gj0dXJQ43U', / token_type_hint / 33 : 2 / PoP / }");
  const IntrospectionRequest request = parse_introspection_request(octets).value();
  EXPECT_EQ(to_hex(request.token), "ee08f4757250e375");
  EXPECT_EQ(request.token_type_hint, TokenTypeHint(TokenType::pop));
  EXPECT_EQ(to_hex(cbor::serialize(request)), to_hex(octets));
}

TEST(IntrospectionRequest, Figure19OfRfc9200) {
  const Bytes octets =
      octets_of_diagnostic(R"({ / token / 11 : b64'VGVzdCB0b2tlbg', / client_id / 24 : "FrontDoor" })");
  const IntrospectionRequest request = parse_introspection_request(octets).value();
  EXPECT_EQ(as_text(request.token), "Test token");
  EXPECT_EQ(request.client_id, "FrontDoor");
  EXPECT_EQ(to_hex(cbor::serialize(request)), to_hex(octets));
}

TEST(IntrospectionRequest, TakesTheHintAsTextToo) {
  const auto request = parse_introspection_request(octets_of_diagnostic(R"({11: h'01', 33: "access_token"})")).value();
  EXPECT_EQ(request.token_type_hint, TokenTypeHint("access_token"));
}

TEST(IntrospectionRequest, IgnoresContextThatItDoesNotKnow) {
  const auto request = parse_introspection_request(octets_of_diagnostic(R"({11: h'01', 99: [1, {}], "x": 2})"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->token, Bytes{1});
}

TEST(IntrospectionRequest, RefusesWhatHoldsNoToken) {
  EXPECT_EQ(parse_introspection_request(octets_of_diagnostic("{}")).error(), reason::cbor_key_missing);
  EXPECT_EQ(parse_introspection_request(octets_of_diagnostic("{11: h''}")).error(), reason::introspection_malformed);
  EXPECT_EQ(parse_introspection_request(octets_of_diagnostic(R"({11: "text"})")).error(), reason::cbor_unexpected_kind);
  EXPECT_EQ(parse_introspection_request(octets_of_diagnostic("{11: h'01', 11: h'02'}")).error(),
            reason::cbor_duplicate_key);
  IntrospectionRequest request;
  request.token = Bytes(max_introspected_token, 1);
  EXPECT_TRUE(parse_introspection_request(cbor::serialize(request)));
  request.token.push_back(1);
  EXPECT_EQ(parse_introspection_request(cbor::serialize(request)).error(), reason::introspection_malformed);
}

TEST(IntrospectionResponse, Figure10OfRfc9200) {
  const auto response = read_response(R"({ / active / 10 : true, / scope / 9 : "read",
      / ace_profile / 38 : 1 / coap_dtls /,
      / cnf / 8 : { / COSE_Key / 1 : { / kty / 1 : 4 / Symmetric /, / kid / 2 : b64'39Gqlw',
                                       / k / -1 : b64'hJtXhkV8FJG+Onbc6mxC' } } })");
  EXPECT_TRUE(response.active);
  EXPECT_EQ(response.scope, Scope("read"));
  EXPECT_EQ(response.ace_profile, Profile::coap_dtls);
  ASSERT_TRUE(response.cnf && response.cnf->cose_key() != nullptr);
  EXPECT_EQ(to_hex(response.cnf->cose_key()->kid.value()), "dfd1aa97");
  EXPECT_EQ(to_hex(response.cnf->cose_key()->k()), "849b5786457c1491be3a76dcea6c42");
}

TEST(IntrospectionResponse, Figure19OfRfc9200) {
  const auto response = read_response(R"({ / active / 10 : true, / aud / 3 : "lockOfDoor4711",
      / scope / 9 : "open close", / iat / 6 : 1563454000, / cnf / 8 : { / kid / 3 : b64'c29tZSBwdWJsaWMga2V5IGlk' } })");
  EXPECT_EQ(response.aud, "lockOfDoor4711");
  EXPECT_EQ(response.iat, cwt::NumericDate(1563454000));
  ASSERT_TRUE(response.cnf && response.cnf->kid() != nullptr);
  EXPECT_EQ(as_text(response.cnf->kid()->value), "some public key id");
}

TEST(IntrospectionResponse, Figure4OfRfc9201) {
  const auto response = read_response(R"({ / active / 10 : true, / scope / 9 : "read", / aud / 3 : "tempSensor4711",
      / cnf / 8 : { / COSE_Key / 1 : { / kty /  1 : 2 / EC2 /, / kid /  2 : h'11', / crv / -1 : 1 / P-256 /,
         / x / -2 : h'BAC5B11CAD8F99F9C72B05CF4B9E26D244DC189F745228255A219A86D6A09EFF',
         / y / -3 : h'20138BF82DC1B6D562BE0FA54AB7804A3A64B6D72CCFED6B6FB6ED28BBFC117E' } } })");
  ASSERT_TRUE(response.cnf && response.cnf->cose_key() != nullptr);
  EXPECT_EQ(response.cnf->cose_key()->crv(), cose::crv::p256);
}

TEST(IntrospectionResponse, EveryParameterOfTable6) {
  const auto response = read_response(R"({10: true, 1: "as", 2: "sub", 3: "aud", 4: 7, 5: 1.5, 6: -1, 7: h'0708',
      8: {3: h'01'}, 9: h'80', 24: "client", 34: 2, 35: "user", 38: 1, 39: h'aa', 40: 60})");
  EXPECT_EQ(response.iss, "as");
  EXPECT_EQ(response.sub, "sub");
  EXPECT_EQ(response.exp, cwt::NumericDate(7));
  EXPECT_EQ(response.nbf, cwt::NumericDate::from_float(1.5).value());
  EXPECT_EQ(response.iat, cwt::NumericDate(-1));
  EXPECT_EQ(response.cti, (Bytes{7, 8}));
  EXPECT_EQ(response.scope, Scope(Bytes{0x80}));
  EXPECT_EQ(response.client_id, "client");
  EXPECT_EQ(response.token_type, TokenType::pop);
  EXPECT_EQ(response.username, "user");
  EXPECT_EQ(response.cnonce, Bytes{0xaa});
  EXPECT_EQ(response.exi, 60U);
}

TEST(IntrospectionResponse, ATokenThatIsNotActiveHasNothingElse) {
  EXPECT_EQ(to_hex(cbor::serialize(IntrospectionResponse{})), "a10af4");
  const auto response =
      parse_introspection_response(octets_of_diagnostic(R"({10: false, 9: "all", 8: {3: h'01'}, 40: 9})")).value();
  EXPECT_FALSE(response.active);
  EXPECT_FALSE(response.scope);
  EXPECT_FALSE(response.cnf);
  EXPECT_FALSE(response.exi);
}

TEST(IntrospectionResponse, RefusesWhatDoesNotSayWhetherTheTokenIsActive) {
  EXPECT_EQ(parse_introspection_response(octets_of_diagnostic(R"({9: "read"})")).error(), reason::cbor_key_missing);
  EXPECT_EQ(parse_introspection_response(octets_of_diagnostic("{10: 1}")).error(), reason::cbor_unexpected_kind);
  EXPECT_FALSE(parse_introspection_response(octets_of_diagnostic("{10: true, 4: NaN}")));
  EXPECT_FALSE(parse_introspection_response(octets_of_diagnostic("{10: true, 8: {1: {1: 4}, 3: h'01'}}")));
  EXPECT_FALSE(parse_introspection_response(octets_of_diagnostic("{10: true, 40: -1}")));
}

}  // namespace
}  // namespace aceward::ace
