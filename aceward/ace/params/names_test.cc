#include "aceward/ace/params/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aceward/cbor/diagnostic.h"

namespace aceward::ace {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Bytes item(std::string_view diagnostic) { return cbor::from_diagnostic(diagnostic).value(); }

constexpr std::string_view ec2_key = "{1: 2, 2: h'11', 3: -7, 4: [2], -1: 1, -2: h'aa', -3: h'bb'}";

TEST(MessageNames, ATokenRequestReadsLikeTheFigures) {
  const std::string text = to_text(
      Message::token_request, item(R"({33: 2, 5: "tempSensor4711", 38: null, 4: {1: )" + std::string(ec2_key) + "}}"));
  EXPECT_EQ(
      text,
      R"({/ grant_type / 33 : / client_credentials / 2, / audience / 5 : "tempSensor4711", / ace_profile / 38 : null, )"
      R"(/ req_cnf / 4 : {/ COSE_Key / 1 : {/ kty / 1 : / EC2 / 2, / kid / 2 : h'11', / alg / 3 : / ES256 / -7, )"
      R"(/ key_ops / 4 : [/ verify / 2], / crv / -1 : / P-256 / 1, / x / -2 : h'aa', / y / -3 : h'bb'}}})");
}

TEST(MessageNames, ErrorsAndProfilesHaveTheirNames) {
  EXPECT_EQ(to_text(Message::token_error, item("{30: 7}")), "{/ error / 30 : / unsupported_pop_key / 7}");
  EXPECT_THAT(to_text(Message::access_information, item("{1: h'', 38: 1, 34: 2}")), HasSubstr("/ coap_dtls / 1"));
  EXPECT_EQ(to_text(Message::creation_hints, item(R"({1: "coaps://as", 39: h'01'})")),
            R"({/ AS / 1 : "coaps://as", / cnonce / 39 : h'01'})");
}

TEST(MessageNames, ASymmetricKeyIsNeverShown) {
  const std::string_view key = "{1: 4, 2: h'0102', -1: h'73657373696f6e6b6579'}";
  for (const auto& [message, octets] : {
           std::pair(Message::cose_key, item(key)),
           std::pair(Message::confirmation, item("{1: " + std::string(key) + "}")),
           std::pair(Message::claims, item("{8: {1: " + std::string(key) + "}}")),
           std::pair(Message::access_information, item("{1: h'01', 8: {1: " + std::string(key) + "}}")),
           std::pair(Message::token_request, item("{4: {1: " + std::string(key) + "}}")),
       }) {
    const std::string text = to_text(message, octets);
    EXPECT_THAT(text, Not(HasSubstr("73657373"))) << text;
    EXPECT_THAT(text, HasSubstr("/ k / -1 :"));
    EXPECT_THAT(text, HasSubstr("10 octets"));
    EXPECT_THAT(text, HasSubstr("h'0102'"));
  }
}

TEST(MessageNames, PrivateKeysAndClientSecretsAreNeverShown) {
  EXPECT_THAT(to_text(Message::cose_key, item("{1: 2, -1: 1, -2: h'aa', -4: h'5ec7e7'}")), Not(HasSubstr("5ec7e7")));
  EXPECT_THAT(to_text(Message::token_request, item("{25: h'5ec7e7', 37: h'5ec7e7', 36: \"5ec7e7\"}")),
              Not(HasSubstr("5ec7e7")));
  EXPECT_THAT(to_text(Message::confirmation, item("{4: {0: h'01', 2: h'5ec7e7'}}")), Not(HasSubstr("5ec7e7")));
}

TEST(MessageNames, AKeyOfUnknownKindAndABrokenMessageShowNoSecret) {
  EXPECT_THAT(to_text(Message::cose_key, item("{2: h'01', -1: h'5ec7e7'}")), Not(HasSubstr("5ec7e7")));
  Bytes broken = item("{1: h'01', 8: {1: {1: 4, -1: h'5ec7e75ec7e7'}}}");
  broken.pop_back();
  const std::string text = to_text(Message::access_information, broken);
  EXPECT_THAT(text, Not(HasSubstr("5ec7")));
  EXPECT_THAT(text, HasSubstr(std::to_string(broken.size()) + " octets"));
}

TEST(MessageNames, ASignedTokenIsShownFromTheInside) {
  const Bytes claims = item("{3: \"rs\", 4: 1700003600, 8: {1: " + std::string(ec2_key) + "}, 9: \"read\"}");
  const Bytes token = item("18([h'a10126', {4: h'6b'}, h'" + to_hex(claims) + "', h'5151'])");
  const std::string text = to_text(Message::access_information, item("{1: h'" + to_hex(token) + "', 2: 3600}"));
  EXPECT_THAT(text, HasSubstr("/ access_token / 1 : <<18([/ protected / <<{/ alg / 1 : / ES256 / -7}>>"));
  EXPECT_THAT(text, HasSubstr("/ unprotected / {/ kid / 4 : h'6b'}"));
  EXPECT_THAT(text,
              HasSubstr("/ payload / <<{/ aud / 3 : \"rs\", / exp / 4 : 1700003600, / cnf / 8 : {/ COSE_Key / 1 :"));
  EXPECT_THAT(text, HasSubstr("/ signature / h'5151'"));
  EXPECT_THAT(to_text(Message::token, token), HasSubstr("/ scope / 9 : \"read\""));
}

TEST(MessageNames, AnEncryptedTokenIsShownFromTheOutside) {
  const std::string text = to_text(Message::token, item("61(16([h'a1010a', {5: h'00', 4: h'01'}, h'c0ffee']))"));
  EXPECT_THAT(text, HasSubstr("/ alg / 1 : / AES-CCM-16-64-128 / 10"));
  EXPECT_THAT(text, HasSubstr("/ IV / 5 : h'00'"));
  EXPECT_THAT(text, HasSubstr("/ ciphertext / h'c0ffee'"));
}

TEST(MessageNames, AnOpaqueTokenIsShownAsOctets) {
  EXPECT_THAT(to_text(Message::access_information, item("{1: h'ff00'}")), HasSubstr("/ access_token / 1 : h'ff00'"));
}

TEST(MessageNames, ThePskIdentityOfFigure9OfRfc9202) {
  const Bytes identity = from_hex("A1 08 A1 01 A2 01 04 02 48 3D 02 78 33 FC 62 67 CE").value();
  EXPECT_EQ(to_text(Message::claims, identity),
            "{/ cnf / 8 : {/ COSE_Key / 1 : {/ kty / 1 : / Symmetric / 4, / kid / 2 : h'3d027833fc6267ce'}}}");
}

TEST(MessageNames, TellsErrorsFromHints) {
  EXPECT_EQ(message_in_response(true, item("{1: h''}")), Message::access_information);
  EXPECT_EQ(message_in_response(false, item("{30: 1}")), Message::token_error);
  EXPECT_EQ(message_in_response(false, item("{1: \"coaps://as\"}")), Message::creation_hints);
  EXPECT_EQ(message_in_response(false, Bytes{0xff}), Message::creation_hints);
}

}  // namespace
}  // namespace aceward::ace
