// The messages of the deployments that RFC 9200 appendix F walks through: figures 12, 13 and 17.
#include <gtest/gtest.h>

#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/token_request.h"
#include "aceward/cbor/diagnostic.h"
#include "aceward/cose/cwt/claims.h"

namespace aceward::ace {
namespace {

constexpr std::string_view key_of_figure_12 =
    R"({ / kid / 2 : b64'1Bg8vub9tLe1gHMzV76e', / kty / 1 : 2 / EC2 /, / crv / -1 : 1 / P-256 /,
         / x / -2 : b64'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
         / y / -3 : b64'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' })";

/// Reads the figure, writes it, and reads that again: the same octets, and as many as the figure has.
template <class T>
T both_ways(const std::string& figure) {
  const Bytes octets = cbor::from_diagnostic(figure).value();
  T message = cbor::parse<T>(octets).value();
  const Bytes written = cbor::serialize(message);
  EXPECT_EQ(written.size(), octets.size());
  EXPECT_EQ(to_hex(cbor::serialize(cbor::parse<T>(written).value())), to_hex(written));
  return message;
}

TEST(TokenRequest, Figure12OfRfc9200) {
  const auto request = both_ways<TokenRequest>(
      R"({ / audience / 5 : "tempSensorInLivingRoom", / client_id / 24 : "myclient", / req_cnf / 4 : {
           / COSE_Key / 1 : )" +
      std::string(key_of_figure_12) + " } }");
  EXPECT_EQ(request.audience, "tempSensorInLivingRoom");
  EXPECT_EQ(request.client_id, "myclient");
  ASSERT_TRUE(request.req_cnf && request.req_cnf->cose_key() != nullptr);
  EXPECT_EQ(request.req_cnf->cose_key()->crv(), cose::crv::p256);
  EXPECT_EQ(to_hex(*request.req_cnf->cose_key()->kid), "d4183cbee6fdb4b7b580733357be9e");
}

TEST(AccessInformation, Figure12OfRfc9200) {
  const auto information = both_ways<AccessInformation>(
      R"({ / access_token / 1 : b64'0INDoQEKoQVNKkXfb7xaWqMT', / rs_cnf / 41 : { / COSE_Key / 1 : {
           / kid / 2 : b64'c29tZSBwdWJsaWMga2V5IGlk', / kty / 1 : 2 / EC2 /, / crv / -1 : 1 / P-256 /,
           / x / -2 : b64'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
           / y / -3 : b64'4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM' } } })");
  EXPECT_EQ(to_hex(information.access_token), "d08343a1010aa1054d2a45df6fbc5a5aa313");
  ASSERT_TRUE(information.rs_cnf && information.rs_cnf->cose_key() != nullptr);
  EXPECT_EQ(as_text(*information.rs_cnf->cose_key()->kid), "some public key id");
}

TEST(AccessToken, ClaimsOfFigure13OfRfc9200) {
  const Bytes octets =
      cbor::from_diagnostic(R"({ / aud / 3 : "tempSensorInLivingRoom", / iat / 6 : 1563451500, / exp / 4 : 1563453000,
           / scope / 9 :  "temperature_g firmware_p", / cnf / 8 : { / COSE_Key / 1 : )" +
                            std::string(key_of_figure_12) + " } }")
          .value();
  const cwt::Claims claims = cwt::Claims::parse(octets).value();
  EXPECT_EQ(claims.exp, cwt::NumericDate(WallTime(std::chrono::seconds(1'563'453'000))));
  EXPECT_EQ(claims.iat, cwt::NumericDate(WallTime(std::chrono::seconds(1'563'451'500))));
  ASSERT_TRUE(claims.cnf && claims.cnf->cose_key() != nullptr);
  EXPECT_FALSE(claims.cnf->cose_key()->has_private());
  const Secret written = claims.serialize().value();
  EXPECT_EQ(written.expose().size(), octets.size());
  EXPECT_EQ(to_hex(cwt::Claims::parse(written.expose())->serialize()->expose()), to_hex(written.expose()));
}

TEST(TokenRequest, Figure17OfRfc9200) {
  const auto request = both_ways<TokenRequest>(R"({ / client_id / 24 : "keyfob", / audience / 5   : "PACS1337" })");
  EXPECT_EQ(request.client_id, "keyfob");
  EXPECT_EQ(request.audience, "PACS1337");
}

TEST(AccessInformation, Figure17OfRfc9200) {
  const auto information = both_ways<AccessInformation>(
      R"({ / access_token / 1 : b64'VGVzdCB0b2tlbg', / cnf / 8 : { / COSE_Key / 1 : {
           / kid / 2 : b64'c29tZSBwdWJsaWMga2V5IGlk', / kty / 1 : 4 / Symmetric /,
           / k / -1  : b64'ZoRSOrFzN_FzUA5XKMYoVHyzff5oRJxl-IXRtztJ6uE' } } })");
  EXPECT_EQ(as_text(information.access_token), "Test token");
  ASSERT_TRUE(information.cnf && information.cnf->cose_key() != nullptr);
  EXPECT_EQ(information.cnf->cose_key()->k().size(), 32U);
}

}  // namespace
}  // namespace aceward::ace
