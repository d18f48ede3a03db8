// Tokens that live from their arrival, opaque ones, and those that name a key instead of holding it.
#include <gtest/gtest.h>

#include "aceward/ace/as/token_number.h"
#include "aceward/ace/as/token_test_support.h"
#include "aceward/ace/params/token_hash.h"
#include "aceward/ace/token/key_derivation.h"

namespace aceward::ace::as {
namespace {

using std::chrono::seconds;

Secret derivation_secret(std::uint8_t octet = 0x5d) { return Secret(Bytes(32, octet)); }

class TokenKindsTest : public TokenTest {};

TEST(TokenNumbers, AreTheOctetsOfACti) {
  EXPECT_EQ(to_hex(octets_of(TokenNumber(258))), "0000000000000102");
  EXPECT_EQ(number_in(octets_of(TokenNumber(258))), TokenNumber(258));
  EXPECT_EQ(to_hex(sequence_octets_of("rs", TokenNumber(1))), "72730000000000000001");
  EXPECT_EQ(number_in(sequence_octets_of("rs", TokenNumber(77))), TokenNumber(77));
  EXPECT_EQ(number_in(Bytes(7, 1)), std::nullopt);
  EXPECT_EQ(number_in(Bytes(8, 0)), std::nullopt);
  EXPECT_EQ(number_in(Bytes(8, 0xff)), std::nullopt);
  SeededRandom random(1);
  const Bytes opaque = make_opaque_token(TokenNumber(9), random);
  EXPECT_EQ(opaque.size(), 24U);
  EXPECT_EQ(number_in_opaque(opaque), TokenNumber(9));
  EXPECT_EQ(number_in_opaque(BytesView(opaque).first(23)), std::nullopt);
  EXPECT_NE(make_opaque_token(TokenNumber(9), random), opaque);
}

TEST_F(TokenKindsTest, AServerWithoutAClockGetsExiAndASequenceAndNoExp) {
  server("thermometer").uses_exi = true;
  publish();
  const GotToken got = grant(by_psk(), request_for("thermometer.example"));
  const cwt::Claims claims = claims_of(got);
  EXPECT_EQ(claims.exi, 3600U);
  EXPECT_FALSE(claims.exp);
  EXPECT_TRUE(claims.iat);
  // RFC 9200 section 5.10.3: the identifier of the server, then the sequence number.
  EXPECT_EQ(claims.cti, sequence_octets_of("thermometer.example", got.record.number));
  EXPECT_EQ(got.information.expires_in, 3600U);
  EXPECT_EQ(got.record.exi, seconds(3600));
  EXPECT_EQ(got.record.expires_at, now + seconds(3600) + std::chrono::hours(24));
  const GotToken next = grant(by_psk(), request_for("thermometer.example"));
  EXPECT_GT(number_in(*claims_of(next).cti), number_in(*claims.cti)) << "the sequence grows";
}

TEST_F(TokenKindsTest, TheArrivalAllowanceCanBeSet) {
  TokenEndpointConfig config = configuration();
  config.arrival_allowance = seconds(10);
  endpoint = TokenEndpoint::create(std::move(config), as_key, random, ledger).value();
  server("thermometer").uses_exi = true;
  publish();
  EXPECT_EQ(grant(by_psk(), request_for("thermometer.example")).record.expires_at, now + seconds(3610));
}

TEST_F(TokenKindsTest, ATokenWithExpHasNoExi) {
  const GotToken got = grant(by_psk(), request_for("thermometer.example"));
  const cwt::Claims claims = claims_of(got);
  EXPECT_FALSE(claims.exi);
  EXPECT_EQ(claims.cti, octets_of(got.record.number));
  EXPECT_FALSE(got.record.exi);
}

TEST_F(TokenKindsTest, AReferenceIsANumberAndRandomOctetsAndNeedsNoTokenKey) {
  ServerRecord& record = server("thermometer");
  record.protection = TokenProtection::reference;
  record.token_key = Secret();
  publish();
  const GotToken got = grant(by_psk(), request_for("thermometer.example"));
  const Bytes& token = got.information.access_token;
  EXPECT_EQ(token.size(), opaque_token_size);
  EXPECT_EQ(number_in_opaque(token), got.record.number);
  EXPECT_FALSE(open(token)) << "it is no CWT";
  // The client has the key; the server will get the same one by introspection.
  EXPECT_EQ(got.key().k().size(), 16U);
  EXPECT_TRUE(cose::Key::parse(got.record.pop_key.expose())->same_key(got.key()));
  EXPECT_EQ(got.record.token_digest, token_digest(token));
  const GotToken next = grant(by_psk(), request_for("thermometer.example"));
  EXPECT_FALSE(equal(BytesView(next.information.access_token).subspan(8), BytesView(token).subspan(8)));
}

TEST_F(TokenKindsTest, AReferenceForARawKeyComesWithTheServersKey) {
  server("thermometer").protection = TokenProtection::reference;
  publish();
  const GotToken got = grant(by_raw_key(), raw_key_request("thermometer.example"));
  EXPECT_EQ(got.information.access_token.size(), opaque_token_size);
  EXPECT_TRUE(got.information.rs_cnf);
  EXPECT_EQ(got.record.key_thumbprint, thumbprint_octets(alice_key));
}

TEST_F(TokenKindsTest, AReferenceWithExiExpiresLikeTheOthers) {
  ServerRecord& record = server("thermometer");
  record.protection = TokenProtection::reference;
  record.uses_exi = true;
  publish();
  const GotToken got = grant(by_psk(), request_for("thermometer.example"));
  EXPECT_EQ(got.record.expires_at, now + seconds(3600)) << "introspection tells its end, whoever has no clock";
  EXPECT_FALSE(got.record.exi);
}

TEST_F(TokenKindsTest, TheLedgerKnowsEveryTokenByDigestAndHash) {
  for (const char* audience : {"thermometer.example", "encrypted.example"}) {
    const GotToken got = grant(by_psk(), request_for(audience));
    EXPECT_EQ(got.record.token_digest, token_digest(got.information.access_token));
    EXPECT_EQ(got.record.token_hash, token_hash(got.information.access_token));
    EXPECT_EQ(got.record.audience, audience);
  }
}

/// RFC 9202 section 3.3.1 and figure 7.
TEST_F(TokenKindsTest, ADerivedKeyIsNamedInTheTokenAndToldToTheClient) {
  ServerRecord& record = server("thermometer");
  record.derivation_key = derivation_secret();
  record.token_key = Secret();
  publish();
  const GotToken got = grant(by_psk(), request_for("thermometer.example"));
  const auto token = open(got.information.access_token).value();
  ASSERT_EQ(token.layers().size(), 1U);
  EXPECT_EQ(token.layers()[0].protection, cwt::Protection::signature) << "nothing in it is secret";
  ASSERT_TRUE(token.claims().cnf && token.claims().cnf->kid() != nullptr);
  EXPECT_EQ(token.claims().cnf->kid()->value, got.key().kid);
  EXPECT_TRUE(token.claims().iat && token.claims().exp);
  const Secret derived = derive_pop_key(derivation_secret(), got.information.access_token).value();
  EXPECT_TRUE(derived.equals(got.key().k()));
  EXPECT_FALSE(got.information.rs_cnf);
  EXPECT_TRUE(cose::Key::parse(got.record.pop_key.expose())->same_key(got.key()));
  // The form of figure 7: a COSE_Key of kty and kid, nothing else.
  const std::string cnf = "08a101a2010402" + to_hex(Bytes{static_cast<std::uint8_t>(0x40 + got.key().kid->size())}) +
                          to_hex(*got.key().kid);
  EXPECT_NE(to_hex(token.claims_octets()).find(cnf), std::string::npos);
}

TEST_F(TokenKindsTest, EveryDerivedKeyIsAnotherOneAndSaysFromWhichKey) {
  server("thermometer").derivation_key = derivation_secret();
  publish();
  const GotToken one = grant(by_psk(), request_for("thermometer.example"));
  const GotToken two = grant(by_psk(), request_for("thermometer.example"));
  EXPECT_FALSE(one.key().same_key(two.key()));
  EXPECT_NE(one.key().kid, two.key().kid);
  const Bytes id = derivation_key_id(derivation_secret());
  EXPECT_TRUE(equal(BytesView(*one.key().kid).first(id.size()), id));
}

TEST_F(TokenKindsTest, ADerivedKeyInAnEncryptedToken) {
  server("encrypted").derivation_key = derivation_secret();
  publish();
  const GotToken got = grant(by_psk(), request_for("encrypted.example"));
  const auto token = open(got.information.access_token).value();
  EXPECT_TRUE(token.is_encrypted());
  EXPECT_NE(token.claims().cnf->kid(), nullptr);
  EXPECT_TRUE(derive_pop_key(derivation_secret(), got.information.access_token)->equals(got.key().k()));
}

TEST_F(TokenKindsTest, AnUpdateKeepsADerivedKey) {
  server("thermometer").derivation_key = derivation_secret();
  publish();
  const GotToken before = grant(by_psk(), request_for("thermometer.example", "read"));
  TokenRequest update = request_for("thermometer.example", "write");
  update.req_cnf = cwt::Confirmation(cwt::KeyId{*before.key().kid});
  const GotToken by_value = grant(by_psk(), update);
  EXPECT_TRUE(by_value.key().same_key(before.key()));
  const auto token = open(by_value.information.access_token).value();
  EXPECT_TRUE(token.is_encrypted()) << "there is a token key: the server need not have kept the key";
  EXPECT_TRUE(token.claims().cnf->cose_key()->same_key(before.key()));

  server("thermometer").token_key = Secret();
  publish();
  const GotToken by_name = grant(by_psk(), update);
  EXPECT_TRUE(by_name.key().same_key(before.key()));
  const cwt::Claims claims = claims_of(by_name);
  ASSERT_NE(claims.cnf->kid(), nullptr) << "the key itself must not stand in a token that is only signed";
  EXPECT_EQ(claims.cnf->kid()->value, before.key().kid);
}

TEST_F(TokenKindsTest, ADerivationKeyOfAWrongLengthIsOurOwnFault) {
  server("thermometer").derivation_key = Secret(Bytes(5, 1));
  publish();
  expect_bare(ask(by_psk(), request_for("thermometer.example")), coap::code::internal_server_error,
              "server_derivation_key_unusable");
}

TEST_F(TokenKindsTest, AThumbprintNamesTheRegisteredKey) {
  const auto by_thumbprint = [](Bytes thumbprint) {
    TokenRequest request = request_for("thermometer.example");
    cwt::Confirmation confirmation;
    Bytes value{0x58, static_cast<std::uint8_t>(thumbprint.size())};
    value.insert(value.end(), thumbprint.begin(), thumbprint.end());
    confirmation.others.emplace_back(cose::Label(5), std::move(value));
    request.req_cnf = std::move(confirmation);
    return request;
  };
  const GotToken got = grant(by_psk(), by_thumbprint(thumbprint_octets(alice_key)));
  EXPECT_TRUE(claims_of(got).cnf->cose_key()->same_key(alice_key.public_part().value()));
  expect_error(by_psk(), by_thumbprint(thumbprint_octets(bob_key)), ErrorCode::unsupported_pop_key, "pop_key_unknown");
  expect_error(by_psk(), by_thumbprint(Bytes(31, 1)), ErrorCode::unsupported_pop_key, "pop_key_method_unsupported");
}

TEST_F(TokenKindsTest, AServerOfOtherProfilesGetsNoToken) {
  server("thermometer").profiles = {Profile::coap_oscore};
  publish();
  expect_error(by_psk(), request_for("thermometer.example"), ErrorCode::incompatible_ace_profiles,
               "ace_profile_incompatible");
  server("thermometer").profiles = {Profile::coap_oscore, Profile::coap_dtls};
  publish();
  TokenRequest request = request_for("thermometer.example");
  const GotToken got = grant(by_psk(), request);
  EXPECT_FALSE(got.information.ace_profile);
  EXPECT_EQ(claims_of(got).ace_profile, 1) << "the server could take the token for one of another profile";
  request.ace_profile = cbor::Nullable<Profile>();
  EXPECT_EQ(grant(by_psk(), request).information.ace_profile, Profile::coap_dtls);
  request.ace_profile = cbor::Nullable<Profile>(Profile::coap_oscore);
  expect_error(by_psk(), request, ErrorCode::incompatible_ace_profiles, "ace_profile_incompatible");
}

TEST_F(TokenKindsTest, IssueTimesDoNotFollowASmallStepBack) {
  const auto iat = [this](WallTime at) {
    return claims_of(grant(by_psk(), request_for("thermometer.example"), at)).iat.value();
  };
  EXPECT_EQ(iat(now), cwt::NumericDate(now));
  EXPECT_EQ(iat(now - std::chrono::minutes(5)), cwt::NumericDate(now));
  EXPECT_EQ(iat(now + seconds(1)), cwt::NumericDate(now + seconds(1)));
  EXPECT_EQ(iat(now - std::chrono::minutes(6)), cwt::NumericDate(now - std::chrono::minutes(6)))
      << "after a large one they follow the clock";
  const GotToken got = grant(by_psk(), request_for("thermometer.example"), now - std::chrono::minutes(8));
  EXPECT_EQ(claims_of(got).exp, cwt::NumericDate(now - std::chrono::minutes(8) + seconds(3600)))
      << "a token lives no longer for it";
}

TEST_F(TokenKindsTest, TheFirstOfTwoSigningKeysSigns) {
  std::vector<cose::Key> keys;
  keys.push_back(named(make_test_key(71), {0xb1}));
  keys.push_back(named(as_key, {0xa5}));
  ASSERT_TRUE(endpoint.set_signing_keys(keys));
  as_key = make_test_key(71);
  const GotToken got = grant(by_raw_key(), raw_key_request("thermometer.example"));
  EXPECT_EQ(open(got.information.access_token)->layers()[0].kid, Bytes{0xb1});
  EXPECT_FALSE(endpoint.set_signing_keys({}));
  keys[1] = keys[1].public_part().value();
  keys[0] = named(make_test_key(72), {0xb2});
  EXPECT_FALSE(endpoint.set_signing_keys(keys)) << "none of them may be unusable";
  EXPECT_EQ(open(grant(by_raw_key(), raw_key_request("thermometer.example")).information.access_token)->layers()[0].kid,
            Bytes{0xb1});
}

}  // namespace
}  // namespace aceward::ace::as
