// Refresh tokens (RFC 6749 section 6, RFC 9200 section 5.8.1): no other key, no other audience, no more rights.
#include <gtest/gtest.h>

#include "aceward/ace/as/token_number.h"
#include "aceward/ace/as/token_test_support.h"
#include "aceward/ace/params/token_hash.h"

namespace aceward::ace::as {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class RefreshTest : public TokenTest {
 protected:
  RefreshTest() {
    for (ServerRecord& record : servers) record.refresh_lifetime = hours(24);
    publish();
  }
};

TEST_F(RefreshTest, ComesWithATokenWhereTheServerHasIt) {
  const GotToken got = grant(by_psk(), request_for("thermometer.example"));
  ASSERT_TRUE(got.information.refresh_token);
  EXPECT_EQ(got.information.refresh_token->size(), opaque_token_size);
  EXPECT_EQ(number_in_opaque(*got.information.refresh_token), got.record.number);
  EXPECT_EQ(got.record.refresh_digest, token_digest(*got.information.refresh_token)) << "the token itself is not kept";
  EXPECT_EQ(got.record.refresh_until, now + hours(24));
  server("thermometer").refresh_lifetime.reset();
  publish();
  const GotToken without = grant(by_psk(), request_for("thermometer.example"));
  EXPECT_FALSE(without.information.refresh_token);
  EXPECT_TRUE(without.record.refresh_digest.empty());
}

TEST_F(RefreshTest, GivesATokenWithTheSameKeyAudienceAndScope) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example", "read"));
  const GotToken next = grant(by_psk(), refresh_of(first), now + hours(2));
  EXPECT_TRUE(next.key().same_key(first.key()));
  EXPECT_EQ(next.key().kid, first.key().kid);
  const cwt::Claims claims = claims_of(next);
  EXPECT_EQ(claims.aud, cwt::Audience("thermometer.example"));
  EXPECT_EQ(claims.scope, cwt::Scope("read"));
  EXPECT_EQ(claims.iat, cwt::NumericDate(now + hours(2)));
  EXPECT_FALSE(next.information.scope) << "it is that of the first token";
  EXPECT_EQ(next.record.origin, first.record.number);
  EXPECT_EQ(audited.back().kind, AuditKind::refresh);
}

TEST_F(RefreshTest, DoesNotRotateAndWorksAgain) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  for (int i = 1; i < 4; ++i) {
    const GotToken next = grant(by_psk(), refresh_of(first), now + hours(i));
    EXPECT_FALSE(next.information.refresh_token);
    EXPECT_TRUE(next.record.refresh_digest.empty());
  }
}

TEST_F(RefreshTest, GivesNothingWhenTheFirstTokenIsRevokedBeforeTheRecord) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  ledger.completion = MemoryLedger::Completion::when_asked;
  std::optional<coap::Response> answer;
  endpoint.process(by_psk(), post(cbor::serialize(refresh_of(first))), now,
                   [&](coap::Response response) { answer = std::move(response); });
  ledger.revoke(first.record.number);
  ASSERT_TRUE(ledger.complete_next());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, coap::code::bad_request);
  EXPECT_EQ(cbor::parse<ErrorResponse>(answer->payload)->error, ErrorCode::invalid_grant);
  EXPECT_EQ(audited.back().reason, "refresh_token_invalid");
  EXPECT_EQ(ledger.tokens.size(), 1U);
}

TEST_F(RefreshTest, OfARawKeyStaysWithIt) {
  const GotToken first = grant(by_raw_key(), raw_key_request("thermometer.example"));
  const GotToken next = grant(by_raw_key(), refresh_of(first));
  EXPECT_TRUE(claims_of(next).cnf->cose_key()->same_key(alice_key.public_part().value()));
  EXPECT_TRUE(next.information.rs_cnf);
  EXPECT_FALSE(next.information.cnf);
}

TEST_F(RefreshTest, EndsWithTheKeyOfTheClient) {
  const GotToken first = grant(by_raw_key(), raw_key_request("thermometer.example"));
  const cose::Key replacement = make_test_key(66);
  clients[0].public_key = public_octets(replacement);
  clients[0].key_thumbprint = thumbprint_octets(replacement);
  publish();
  expect_error(by_raw_key(), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid");
}

TEST_F(RefreshTest, MayNameItsKeyAndAudience) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  TokenRequest request = refresh_of(first);
  request.audience = "thermometer.example";
  request.req_cnf = cwt::Confirmation(cwt::KeyId{*first.key().kid});
  EXPECT_TRUE(grant(by_psk(), request).key().same_key(first.key()));
  const GotToken raw = grant(by_raw_key(), raw_key_request("thermometer.example"));
  request = refresh_of(raw);
  request.req_cnf = cwt::Confirmation(alice_key.public_part().value());
  EXPECT_EQ(grant(by_raw_key(), request).record.key_thumbprint, thumbprint_octets(alice_key));
}

TEST_F(RefreshTest, AsksForNoOtherKey) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  TokenRequest request = refresh_of(first);
  request.req_cnf = cwt::Confirmation(alice_key.public_part().value());
  expect_error(by_raw_key(), request, ErrorCode::invalid_request, "refresh_changes_key");
  const GotToken other = grant(by_psk(), request_for("thermometer.example"));
  request.req_cnf = cwt::Confirmation(cwt::KeyId{*other.key().kid});
  expect_error(by_psk(), request, ErrorCode::invalid_request, "refresh_changes_key");
  request.req_cnf = cwt::Confirmation(first.key().clone());
  expect_error(by_psk(), request, ErrorCode::invalid_request, "refresh_changes_key");
}

TEST_F(RefreshTest, AsksForNoOtherAudience) {
  TokenRequest request = refresh_of(grant(by_psk(), request_for("thermometer.example")));
  request.audience = "encrypted.example";
  expect_error(by_psk(), request, ErrorCode::invalid_request, "refresh_changes_audience");
}

TEST_F(RefreshTest, AsksForNoMoreThanItHad) {
  TokenRequest request = refresh_of(grant(by_psk(), request_for("thermometer.example", "read")));
  for (const char* scope : {"read write", "write"}) {
    request.scope = Scope(scope);
    expect_error(by_psk(), request, ErrorCode::invalid_scope, "refresh_widens_scope");
  }
  request.scope = Scope("read");
  EXPECT_TRUE(grant(by_psk(), request).information.expires_in);
  request.scope = Scope("two  spaces");
  expect_error(by_psk(), request, ErrorCode::invalid_scope, "scope_malformed");
}

TEST_F(RefreshTest, MayAskForLess) {
  TokenRequest request = refresh_of(grant(by_psk(), request_for("thermometer.example")));
  request.scope = Scope("read");
  EXPECT_EQ(claims_of(grant(by_psk(), request)).scope, cwt::Scope("read"));
  request.scope.reset();
  EXPECT_EQ(claims_of(grant(by_psk(), request)).scope, cwt::Scope("read write")) << "that of the first token";
}

TEST_F(RefreshTest, GivesNoMoreThanThePolicyOfToday) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  rules[0].text_scope = "write delete";
  rules[0].lifetime = seconds(30);
  publish();
  const GotToken next = grant(by_psk(), refresh_of(first));
  EXPECT_EQ(claims_of(next).scope, cwt::Scope("write"));
  EXPECT_EQ(next.information.scope, Scope("write")) << "the client is told";
  EXPECT_EQ(next.information.expires_in, 30U);
}

TEST_F(RefreshTest, EndsWithThePolicy) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  rules[0].text_scope = "delete";
  publish();
  expect_error(by_psk(), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid");
  rules.erase(rules.begin());
  publish();
  expect_error(by_psk(), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid");
}

TEST_F(RefreshTest, IsOfItsClientAlone) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  expect_error(by_psk(1), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid");
  EXPECT_EQ(audited.back().detail, "of another client");
}

TEST_F(RefreshTest, EndsAtItsVerySecond) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  EXPECT_TRUE(grant(by_psk(), refresh_of(first), now + hours(24) - seconds(1)).information.expires_in);
  expect_error(by_psk(), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid", now + hours(24));
}

TEST_F(RefreshTest, EndsWithTheRevocationOfItsTokenOrOfOneThatCameOfIt) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  const GotToken second = grant(by_psk(), refresh_of(first));
  ledger.revoke(second.record.number);
  expect_error(by_psk(), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid");
  const GotToken third = grant(by_psk(), request_for("thermometer.example"));
  ledger.tokens.back().revoked = true;
  expect_error(by_psk(), refresh_of(third), ErrorCode::invalid_grant, "refresh_token_invalid");
}

TEST_F(RefreshTest, AGuessedOneIsNone) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  TokenRequest request = refresh_of(first);
  for (const std::size_t octet : {0U, 7U, 8U, 23U}) {
    request.refresh_token = first.information.refresh_token;
    (*request.refresh_token)[octet] ^= 1;
    expect_error(by_psk(), request, ErrorCode::invalid_grant, "refresh_token_invalid");
  }
  request.refresh_token = Bytes();
  expect_error(by_psk(), request, ErrorCode::invalid_grant, "refresh_token_invalid");
  request.refresh_token = Bytes(25, 1);
  expect_error(by_psk(), request, ErrorCode::invalid_grant, "refresh_token_invalid");
  request.refresh_token.reset();
  expect_error(by_psk(), request, ErrorCode::invalid_request, "refresh_token_missing");
}

TEST_F(RefreshTest, TheWireDoesNotTellWhyOneIsNoGood) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  TokenRequest guessed = refresh_of(first);
  (*guessed.refresh_token)[20] ^= 1;
  const coap::Response wrong = ask(by_psk(), guessed);
  EXPECT_EQ(ask(by_psk(1), refresh_of(first)), wrong);
  EXPECT_EQ(ask(by_psk(), refresh_of(first), now + hours(25)), wrong);
}

TEST_F(RefreshTest, AnAccessTokenThatIsAReferenceIsNoRefreshToken) {
  server("thermometer").protection = TokenProtection::reference;
  publish();
  TokenRequest request = refresh_of(grant(by_psk(), request_for("thermometer.example")));
  request.refresh_token =
      cbor::parse<AccessInformation>(ask(by_psk(), request_for("thermometer.example")).payload)->access_token;
  expect_error(by_psk(), request, ErrorCode::invalid_grant, "refresh_token_invalid");
}

TEST_F(RefreshTest, BesideAnotherGrantTypeItCountsForNothing) {
  TokenRequest request = refresh_of(grant(by_psk(), request_for("thermometer.example", "read")));
  request.grant_type.reset();
  request.audience = "thermometer.example";
  const GotToken got = grant(by_psk(), request);
  EXPECT_EQ(got.record.origin, TokenNumber(0));
  EXPECT_EQ(claims_of(got).scope, cwt::Scope("read write"));
}

TEST_F(RefreshTest, EndsWhenTheServersOfItsAudienceAreOthers) {
  add_server("lamp-1", ScopeFormat::text).group_audiences = {"lamps"};
  add_server("lamp-2", ScopeFormat::text).group_audiences = {"lamps"};
  for (const char* name : {"lamp-1", "lamp-2", "thermometer"}) {
    server(name).refresh_lifetime = hours(name[5] == '1' ? 24 : 1);
    add_rule("alice", name, "on");
  }
  publish();
  const GotToken first = grant(by_raw_key(), raw_key_request("lamps"));
  EXPECT_EQ(first.record.refresh_until, now + hours(1)) << "the shortest of all servers";
  EXPECT_EQ(grant(by_raw_key(), refresh_of(first)).record.audience, "lamps");
  server("thermometer").group_audiences = {"lamps"};
  publish();
  expect_error(by_raw_key(), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid");
  server("thermometer").group_audiences.clear();
  server("lamp-2").group_audiences.clear();
  publish();
  expect_error(by_raw_key(), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid");
}

TEST_F(RefreshTest, LastsNoLongerThanTheServerHasItToday) {
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  server("thermometer").refresh_lifetime = hours(1);
  publish();
  EXPECT_EQ(grant(by_psk(), refresh_of(first), now + hours(1) - seconds(1)).record.origin, first.record.number);
  expect_error(by_psk(), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid", now + hours(1));
  server("thermometer").refresh_lifetime.reset();
  publish();
  expect_error(by_psk(), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid");
}

TEST_F(RefreshTest, OfADerivedKeyNeedsATokenKey) {
  server("thermometer").derivation_key = Secret(Bytes(32, 0x11));
  publish();
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  const GotToken next = grant(by_psk(), refresh_of(first), now + hours(3));
  EXPECT_TRUE(claims_of(next).cnf->cose_key()->same_key(first.key())) << "the server may have forgotten it";
  server("thermometer").token_key = Secret();
  publish();
  EXPECT_FALSE(grant(by_psk(), request_for("thermometer.example")).information.refresh_token);
}

TEST_F(RefreshTest, IsToldOnlyWhenTheRecordIsThere) {
  ledger.completion = MemoryLedger::Completion::when_asked;
  std::optional<coap::Response> answer;
  endpoint.process(by_psk(), post(cbor::serialize(request_for("thermometer.example"))), now,
                   [&](coap::Response response) { answer = std::move(response); });
  EXPECT_FALSE(answer);
  ledger.complete_next();
  ASSERT_TRUE(answer);
  GotToken first{cbor::parse<AccessInformation>(answer->payload).value(), {}};
  answer.reset();
  endpoint.process(by_psk(), post(cbor::serialize(refresh_of(first))), now,
                   [&](coap::Response response) { answer = std::move(response); });
  EXPECT_FALSE(answer);
  ledger.complete_next();
  EXPECT_EQ(answer->code, coap::code::created);
}

}  // namespace
}  // namespace aceward::ace::as
