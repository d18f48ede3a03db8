// What a client gets: the answer and the token in it.
#include "aceward/ace/as/token_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "aceward/ace/as/token_world.h"
#include "aceward/cbor/diagnostic.h"

namespace aceward::ace::as {
namespace {

class TokenEndpointTest : public ::testing::Test, protected TokenWorld {
 protected:
  /// The Access Information of a 2.01, and the opened token.
  struct Granted {
    AccessInformation information;
    cwt::OpenedToken token;
    const cwt::Claims& claims() const { return token.claims(); }
    const cose::Key& token_key() const { return *token.claims().cnf->cose_key(); }
  };

  Granted grant(const AuthenticatedClient& client, const TokenRequest& request, WallTime at = now) {
    coap::Response response = ask(client, request, at);
    EXPECT_EQ(response.code, coap::code::created) << cbor::to_diagnostic(response.payload);
    EXPECT_EQ(response.options.content_format(), coap::content_format::ace_cbor);
    auto information = cbor::parse<AccessInformation>(response.payload).value();
    auto token = open(information.access_token).value();
    return {std::move(information), std::move(token)};
  }

  static TokenRequest request_for(std::string audience) {
    TokenRequest request;
    request.audience = std::move(audience);
    return request;
  }
  TokenRequest raw_key_request(std::string audience) const {
    TokenRequest request = request_for(std::move(audience));
    request.req_cnf = cwt::Confirmation(alice_key.public_part().value());
    return request;
  }
};

TEST_F(TokenEndpointTest, ARawKeyRequestGetsASignedTokenForThatKey) {
  TokenRequest request = raw_key_request("thermometer.example");
  request.scope = Scope("read");
  const Granted granted = grant(by_raw_key(), request);
  ASSERT_EQ(granted.token.layers().size(), 1U);
  EXPECT_EQ(granted.token.layers()[0].protection, cwt::Protection::signature);
  EXPECT_EQ(granted.token.layers()[0].kid, Bytes{0xa5});
  EXPECT_TRUE(granted.token_key().same_key(alice_key.public_part().value()));
  EXPECT_FALSE(granted.token_key().has_private());
  EXPECT_EQ(granted.token_key().kid, Bytes{0x11});
  EXPECT_EQ(granted.claims().scope, cwt::Scope("read"));
}

TEST_F(TokenEndpointTest, TheTokenHoldsTheseClaimsAndNoOthers) {
  TokenRequest request = raw_key_request("thermometer.example");
  request.scope = Scope("read");
  request.cnonce = Bytes{0xe0, 0xa1};
  const Granted granted = grant(by_raw_key(), request);
  const cwt::Claims& claims = granted.claims();
  EXPECT_EQ(claims.iss, "coaps://as.example.com");
  EXPECT_EQ(claims.aud, cwt::Audience("thermometer.example"));
  EXPECT_EQ(claims.iat, cwt::NumericDate(now));
  EXPECT_EQ(claims.exp, cwt::NumericDate(now + std::chrono::seconds(3600)));
  EXPECT_EQ(to_hex(claims.cti.value()), "0000000000000001");
  EXPECT_EQ(claims.cnonce, (Bytes{0xe0, 0xa1}));
  EXPECT_FALSE(claims.sub || claims.nbf || claims.exi || claims.ace_profile);
  EXPECT_TRUE(claims.others.empty());
}

TEST_F(TokenEndpointTest, TheAnswerToARawKeyRequest) {
  TokenRequest request = raw_key_request("thermometer.example");
  request.scope = Scope("read");
  const Granted granted = grant(by_raw_key(), request);
  EXPECT_EQ(granted.information.expires_in, 3600U);
  ASSERT_TRUE(granted.information.rs_cnf);
  EXPECT_TRUE(granted.information.rs_cnf->cose_key()->same_key(server_key.public_part().value()));
  // The client named its key, got the scope it asked for, and did not ask for the profile.
  EXPECT_FALSE(granted.information.cnf);
  EXPECT_FALSE(granted.information.scope);
  EXPECT_FALSE(granted.information.ace_profile);
  EXPECT_FALSE(granted.information.token_type);
}

TEST_F(TokenEndpointTest, WithoutReqCnfTheKeyIsANewSymmetricOneInAnEncryptedToken) {
  const Granted granted = grant(by_psk(), request_for("thermometer.example"));
  ASSERT_TRUE(granted.token.is_encrypted());
  EXPECT_EQ(granted.token.layers()[0].algorithm, cose::alg::aes_ccm_16_64_128);
  EXPECT_EQ(granted.token.layers()[0].kid, Bytes{0x7e});
  ASSERT_TRUE(granted.information.cnf && granted.information.cnf->cose_key());
  const cose::Key& told = *granted.information.cnf->cose_key();
  EXPECT_EQ(told.k().size(), 16U);
  EXPECT_TRUE(told.same_key(granted.token_key()));
  EXPECT_EQ(told.kid, granted.token_key().kid);
  EXPECT_EQ(told.kid->size(), 5U) << "the token's number, without leading zeros, and four random octets";
  EXPECT_FALSE(granted.information.rs_cnf) << "RFC 9201 section 3.2: not with a symmetric key";
}

TEST_F(TokenEndpointTest, ASymmetricKeyIsNeverInASignedTokenNorInTheClear) {
  for (const char* audience : {"thermometer.example", "encrypted.example", "shared-keys-only.example"}) {
    const Granted granted = grant(by_psk(), request_for(audience));
    EXPECT_TRUE(cwt::check_key_protected(granted.token));
    EXPECT_TRUE(granted.token.is_encrypted());
    const BytesView k = granted.information.cnf->cose_key()->k();
    const Bytes& token = granted.information.access_token;
    EXPECT_TRUE(std::ranges::search(token, k).empty());
  }
}

TEST_F(TokenEndpointTest, EverySymmetricKeyAndItsKidAreNew) {
  std::vector<std::pair<Bytes, Bytes>> seen;
  for (int i = 0; i < 50; ++i) {
    const Granted granted = grant(by_psk(), request_for("thermometer.example"));
    const cose::Key& key = *granted.information.cnf->cose_key();
    for (const auto& [k, kid] : seen) {
      ASSERT_FALSE(equal(k, key.k()));
      ASSERT_NE(kid, *key.kid);
    }
    seen.emplace_back(to_bytes(key.k()), *key.kid);
  }
}

TEST_F(TokenEndpointTest, AServerRegisteredForEncryptionGetsEncryptedTokensForRawKeysToo) {
  const Granted granted = grant(by_raw_key(), raw_key_request("encrypted.example"));
  EXPECT_TRUE(granted.token.is_encrypted());
  EXPECT_TRUE(granted.token_key().same_key(alice_key.public_part().value()));
  EXPECT_TRUE(granted.information.rs_cnf);
}

TEST_F(TokenEndpointTest, AServerForRawKeysAloneGetsTheRegisteredKeyAndTheClientIsTold) {
  const Granted granted = grant(by_psk(), request_for("raw-keys-only.example"));
  EXPECT_TRUE(granted.token_key().same_key(alice_key.public_part().value()));
  ASSERT_TRUE(granted.information.cnf);
  EXPECT_TRUE(granted.information.cnf->cose_key()->same_key(granted.token_key()));
  EXPECT_TRUE(granted.information.rs_cnf);
}

TEST_F(TokenEndpointTest, ARegisteredKeyDoesOverAChannelWithAPreSharedKey) {
  EXPECT_TRUE(
      grant(by_psk(), raw_key_request("thermometer.example")).token_key().same_key(alice_key.public_part().value()));
}

TEST_F(TokenEndpointTest, WhatAClientAddsToItsKeyStaysOutOfTheToken) {
  TokenRequest request = request_for("thermometer.example");
  cose::Key key = alice_key.public_part().value();
  key.kid = Bytes{0x99};
  key.key_ops = {cose::key_op::verify};
  key.others.push_back({cose::Label(-70000), Bytes{0x01}});
  request.req_cnf = cwt::Confirmation(std::move(key));
  const Granted granted = grant(by_raw_key(), request);
  EXPECT_EQ(granted.token_key().kid, Bytes{0x99});
  EXPECT_TRUE(granted.token_key().others.empty());
  EXPECT_TRUE(granted.token_key().key_ops.empty());
}

TEST_F(TokenEndpointTest, AKeyWithoutKidGetsTheOneItIsRegisteredWith) {
  TokenRequest request = request_for("thermometer.example");
  cose::Key key = alice_key.public_part().value();
  key.kid.reset();
  request.req_cnf = cwt::Confirmation(std::move(key));
  EXPECT_EQ(grant(by_raw_key(), request).token_key().kid, Bytes{0x11});
}

TEST_F(TokenEndpointTest, TheKidOfTheRegisteredKeyNamesIt) {
  TokenRequest request = request_for("thermometer.example");
  request.req_cnf = cwt::Confirmation(cwt::KeyId{{0x11}});
  EXPECT_TRUE(grant(by_raw_key(), request).token_key().same_key(alice_key.public_part().value()));
}

TEST_F(TokenEndpointTest, TwoClientsWithOneKidNeverGetEachOthersKey) {
  TokenRequest request = request_for("thermometer.example");
  request.req_cnf = cwt::Confirmation(cwt::KeyId{{0x11}});
  EXPECT_TRUE(grant(by_raw_key(0), request).token_key().same_key(alice_key.public_part().value()));
  EXPECT_TRUE(grant(by_raw_key(1), request).token_key().same_key(bob_key.public_part().value()));
  // Once more, now that the ledger knows both.
  EXPECT_TRUE(grant(by_raw_key(0), request).token_key().same_key(alice_key.public_part().value()));
}

TEST_F(TokenEndpointTest, AnUpdateByKidKeepsKeyAndKidAndCanChangeTheScope) {
  TokenRequest first = request_for("thermometer.example");
  first.scope = Scope("read");
  const Granted before = grant(by_psk(), first);
  TokenRequest update = request_for("thermometer.example");
  update.scope = Scope("write");
  update.req_cnf = cwt::Confirmation(cwt::KeyId{*before.token_key().kid});
  const Granted after = grant(by_psk(), update, now + std::chrono::seconds(60));
  EXPECT_TRUE(after.token_key().same_key(before.token_key()));
  EXPECT_EQ(after.token_key().kid, before.token_key().kid);
  EXPECT_EQ(after.claims().scope, cwt::Scope("write"));
  EXPECT_TRUE(after.token.is_encrypted());
  EXPECT_NE(after.claims().cti, before.claims().cti);
  EXPECT_LT(before.claims().cti, after.claims().cti) << "a later token has a higher cti (RFC 9202 section 3.4)";
}

/// By a COSE_Key of kty and kid, as in figure 7 of RFC 9202.
TEST_F(TokenEndpointTest, AnUpdateMayNameItsKeyByACoseKeyOfKidAlone) {
  const Granted before = grant(by_psk(), request_for("thermometer.example"));
  const auto request_with = [](BytesView kid) {
    return post(from_hex("a204a101a2010402" + to_hex(Bytes{static_cast<std::uint8_t>(0x40 + kid.size())}) +
                         to_hex(kid) + "0573" + to_hex(to_bytes("thermometer.example")))
                    .value());
  };
  const auto answer = ask(by_psk(), request_with(*before.token_key().kid));
  ASSERT_EQ(answer.code, coap::code::created);
  const auto after = cbor::parse<AccessInformation>(answer.payload);
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->cnf->cose_key()->same_key(before.token_key()));
  EXPECT_EQ(ask(by_psk(), request_with(Bytes(8, 0xee))).code, coap::code::bad_request);
  EXPECT_EQ(audited.back().reason, "pop_key_unknown");
}

TEST_F(TokenEndpointTest, TheOnlyServerOfAClientNeedsNoAudience) {
  const Granted granted = grant(by_psk(1), TokenRequest());
  EXPECT_EQ(granted.claims().aud, cwt::Audience("thermometer.example"));
}

TEST_F(TokenEndpointTest, WithoutAScopeAllOfThePolicyIsGrantedAndTold) {
  const Granted granted = grant(by_psk(), request_for("thermometer.example"));
  EXPECT_EQ(granted.claims().scope, cwt::Scope("read write"));
  EXPECT_EQ(granted.information.scope, Scope("read write"));
}

TEST_F(TokenEndpointTest, AScopeThatIsCutDownIsTold) {
  TokenRequest request = request_for("thermometer.example");
  request.scope = Scope("delete read");
  const Granted granted = grant(by_psk(), request);
  EXPECT_EQ(granted.claims().scope, cwt::Scope("read"));
  EXPECT_EQ(granted.information.scope, Scope("read"));
}

TEST_F(TokenEndpointTest, AScopeInAnotherOrderIsTheSame) {
  TokenRequest request = request_for("thermometer.example");
  request.scope = Scope("write read");
  EXPECT_FALSE(grant(by_psk(), request).information.scope);
}

TEST_F(TokenEndpointTest, AifIsGrantedMethodByMethod) {
  TokenRequest request = request_for("valve.example");
  request.scope = Scope(Aif::parse_text("/open=GET,POST /close=POST /state=GET").value().serialize());
  const Granted granted = grant(by_psk(), request);
  const Bytes expected = Aif::parse_text("/open=POST /state=GET").value().serialize();
  EXPECT_EQ(granted.claims().scope, cwt::Scope(expected));
  EXPECT_EQ(granted.information.scope, Scope(expected));
}

TEST_F(TokenEndpointTest, TheProfileIsToldWhenAskedFor) {
  TokenRequest request = request_for("thermometer.example");
  request.ace_profile = cbor::Nullable<Profile>();
  EXPECT_EQ(grant(by_psk(), request).information.ace_profile, Profile::coap_dtls);
  request.ace_profile = cbor::Nullable<Profile>(Profile::coap_dtls);
  EXPECT_EQ(grant(by_psk(), request).information.ace_profile, Profile::coap_dtls);
}

TEST_F(TokenEndpointTest, ClientIdAndGrantTypeMayBeSent) {
  TokenRequest request = request_for("thermometer.example");
  request.client_id = "alice";
  request.grant_type = GrantType::client_credentials;
  EXPECT_TRUE(grant(by_psk(), request).information.expires_in);
}

TEST_F(TokenEndpointTest, TheShortestOfAllLifetimesCounts) {
  const auto lifetime = [this](std::string_view scope) {
    TokenRequest request = request_for("thermometer.example");
    request.scope = Scope(std::string(scope));
    coap::Response response = ask(by_psk(), request);
    const auto information = cbor::parse<AccessInformation>(response.payload).value();
    EXPECT_EQ(response.options.find_uint(coap::option::max_age), information.expires_in);
    const auto token = open(information.access_token).value();
    EXPECT_EQ(token.claims().exp, cwt::NumericDate(now + std::chrono::seconds(*information.expires_in)));
    return *information.expires_in;
  };
  EXPECT_EQ(lifetime("read"), 3600U);
  add_rule("alice", "thermometer", "calibrate").lifetime = std::chrono::seconds(30);
  publish();
  EXPECT_EQ(lifetime("read"), 3600U) << "a rule that grants nothing of it shortens nothing";
  EXPECT_EQ(lifetime("read calibrate"), 30U);
  rules.back().lifetime = std::chrono::hours(10);
  publish();
  EXPECT_EQ(lifetime("calibrate"), 3600U) << "a rule never lengthens";
  server("thermometer").token_lifetime = std::chrono::hours(24 * 365);
  publish();
  EXPECT_EQ(lifetime("read"), 30U * 24 * 3600) << "nor does the server beyond the maximum";
}

TEST_F(TokenEndpointTest, TheLedgerHoldsWhatTheTokenSays) {
  const Granted granted = grant(by_psk(), request_for("thermometer.example"));
  ASSERT_EQ(ledger.tokens.size(), 1U);
  const IssuedToken& record = ledger.tokens[0];
  EXPECT_EQ(record.number, TokenNumber(1));
  EXPECT_EQ(record.client_id, 1);
  EXPECT_EQ(record.server_id, 101);
  EXPECT_EQ(record.client, "alice");
  EXPECT_EQ(record.server, "thermometer");
  EXPECT_EQ(cbor::from_diagnostic(R"("read write")").value(), record.scope);
  EXPECT_EQ(record.key_id, granted.token_key().kid);
  EXPECT_EQ(record.key_thumbprint, thumbprint_octets(granted.token_key()));
  EXPECT_TRUE(cose::Key::parse(record.pop_key.expose())->same_key(granted.token_key()));
  EXPECT_EQ(record.issued_at, now);
  EXPECT_EQ(record.expires_at, now + std::chrono::seconds(3600));
}

TEST_F(TokenEndpointTest, AnEd25519KeySignsAsWell) {
  as_key = make_test_key(9, crypto::Curve::ed25519);
  ASSERT_TRUE(endpoint.set_signing_key(as_key));
  const Granted granted = grant(by_raw_key(), raw_key_request("thermometer.example"));
  EXPECT_EQ(granted.token.layers()[0].algorithm, cose::alg::eddsa);
  const auto thumbprint = as_key.thumbprint();
  EXPECT_EQ(granted.token.layers()[0].kid, to_bytes(BytesView(thumbprint).first(8)));
}

TEST_F(TokenEndpointTest, APublicOrSymmetricKeyCannotSign) {
  EXPECT_FALSE(endpoint.set_signing_key(as_key.public_part().value()));
  EXPECT_FALSE(endpoint.set_signing_key(cose::Key::symmetric(Secret(Bytes(16, 1))).value()));
  EXPECT_TRUE(ask(by_raw_key(), raw_key_request("thermometer.example")).code.is_success());
}

TEST_F(TokenEndpointTest, EveryGrantIsAuditedAndCounted) {
  grant(by_psk(), request_for("thermometer.example"));
  ASSERT_EQ(audited.size(), 1U);
  EXPECT_TRUE(audited[0].granted);
  EXPECT_EQ(audited[0].at, now);
  EXPECT_EQ(audited[0].client, "alice");
  EXPECT_EQ(audited[0].server, "thermometer");
  EXPECT_EQ(audited[0].scope, "read write");
  EXPECT_EQ(audited[0].number, TokenNumber(1));
  EXPECT_EQ(audited[0].reason, "");
  EXPECT_EQ(endpoint.counters().granted, 1U);
  EXPECT_TRUE(endpoint.counters().refused.empty());
}

}  // namespace
}  // namespace aceward::ace::as
