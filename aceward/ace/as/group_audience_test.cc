// One token for several servers (RFC 9200 section 6.1, RFC 9201 section 5).
#include <gtest/gtest.h>

#include "aceward/ace/as/introspection_token.h"
#include "aceward/ace/as/token_test_support.h"
#include "aceward/ace/token/key_derivation.h"

namespace aceward::ace::as {
namespace {

class GroupAudienceTest : public TokenTest {
 protected:
  GroupAudienceTest() {
    for (const char* name : {"lamp-1", "lamp-2"}) {
      add_server(name, ScopeFormat::text).group_audiences = {"lamps"};
      add_rule("alice", name, "on off");
    }
    add_rule("bob", "lamp-1", "on");
    publish();
  }

  void for_both(void (*change)(ServerRecord&)) {
    for (const char* name : {"lamp-1", "lamp-2"}) change(server(name));
    publish();
  }
};

TEST_F(GroupAudienceTest, ATokenForSeveralServersIsSignedAndTellsNoServersKey) {
  const GotToken got = grant(by_raw_key(), raw_key_request("lamps"));
  const auto token = open(got.information.access_token).value();
  ASSERT_EQ(token.layers().size(), 1U);
  EXPECT_EQ(token.layers()[0].protection, cwt::Protection::signature);
  EXPECT_EQ(token.claims().aud, cwt::Audience("lamps"));
  EXPECT_FALSE(got.information.rs_cnf) << "RFC 9201 section 5";
  EXPECT_EQ(got.record.server, "lamps");
  EXPECT_EQ(got.record.audience, "lamps");
  EXPECT_EQ(got.record.server_id, server("lamp-1").id);
  EXPECT_EQ(got.record.more_servers, std::vector<std::int64_t>{server("lamp-2").id});
  EXPECT_EQ(audited.back().server, "lamps");
}

TEST_F(GroupAudienceTest, WithoutReqCnfItIsTheRegisteredKeyAndNoSharedOne) {
  const GotToken got = grant(by_psk(), request_for("lamps"));
  EXPECT_TRUE(claims_of(got).cnf->cose_key()->same_key(alice_key.public_part().value()));
  EXPECT_TRUE(got.information.cnf) << "the client did not choose it";
}

TEST_F(GroupAudienceTest, ASymmetricKeyIsRefused) {
  clients[0].public_key.clear();
  clients[0].key_thumbprint.clear();
  publish();
  expect_error(by_psk(), request_for("lamps"), ErrorCode::unsupported_pop_key, "group_key_shared");
  server("lamp-1").allows_group_keys = true;
  publish();
  expect_error(by_psk(), request_for("lamps"), ErrorCode::unsupported_pop_key, "group_key_shared");
}

TEST_F(GroupAudienceTest, WhereAllOwnersAllowItASharedKeyIsSignedAndEncrypted) {
  for_both([](ServerRecord& record) { record.allows_group_keys = true; });
  const GotToken got = grant(by_psk(), request_for("lamps"));
  const auto token = open(got.information.access_token).value();
  ASSERT_EQ(token.layers().size(), 2U);
  EXPECT_EQ(token.layers()[0].protection, cwt::Protection::encryption);
  EXPECT_EQ(token.layers()[1].protection, cwt::Protection::signature) << "RFC 9200 section 6.1: signed in any case";
  EXPECT_TRUE(token.claims().cnf->cose_key()->same_key(got.key()));
}

TEST_F(GroupAudienceTest, ATokenThatIsSignedAndEncryptedIsFoundByItsNumber) {
  for_both([](ServerRecord& record) { record.allows_group_keys = true; });
  const GotToken got = grant(by_psk(), request_for("lamps"));
  const auto presented = presented_token(got.information.access_token);
  ASSERT_TRUE(presented);
  const TokenKeyView keys[] = {{&server("lamp-2").token_key, server("lamp-2").token_key_id}};
  EXPECT_EQ(number_in_presented(got.information.access_token, *presented, keys), got.record.number);
}

TEST_F(GroupAudienceTest, ASharedKeyNeedsATokenKeyThatAllServersHave) {
  for_both([](ServerRecord& record) { record.allows_group_keys = true; });
  server("lamp-2").token_key = Secret(Bytes(16, 0x77));
  publish();
  expect_bare(ask(by_psk(), request_for("lamps")), coap::code::internal_server_error, "server_token_key_missing");
  EXPECT_TRUE(ledger.tokens.empty());
}

TEST_F(GroupAudienceTest, ADerivedKeyForSeveralServersNeedsOneDerivationKey) {
  for_both([](ServerRecord& record) {
    record.allows_group_keys = true;
    record.derivation_key = Secret(Bytes(32, 0x42));
  });
  const GotToken got = grant(by_psk(), request_for("lamps"));
  const auto token = open(got.information.access_token).value();
  ASSERT_EQ(token.layers().size(), 1U);
  EXPECT_EQ(token.layers()[0].protection, cwt::Protection::signature);
  EXPECT_NE(token.claims().cnf->kid(), nullptr);
  EXPECT_TRUE(derive_pop_key(Secret(Bytes(32, 0x42)), got.information.access_token)->equals(got.key().k()));
  server("lamp-2").derivation_key = Secret(Bytes(32, 0x43));
  publish();
  EXPECT_EQ(open(grant(by_psk(), request_for("lamps")).information.access_token)->layers().size(), 2U)
      << "else the key itself, encrypted";
}

TEST_F(GroupAudienceTest, AKeyOfOneServerIsNotSpreadToOthersNorTheReverse) {
  for_both([](ServerRecord& record) { record.allows_group_keys = true; });
  const auto update = [](const GotToken& got, std::string audience) {
    TokenRequest request = request_for(std::move(audience));
    request.req_cnf = cwt::Confirmation(cwt::KeyId{*got.key().kid});
    return request;
  };
  const GotToken single = grant(by_psk(), request_for("lamp-1.example"));
  expect_error(by_psk(), update(single, "lamps"), ErrorCode::unsupported_pop_key, "pop_key_of_other_servers");
  const GotToken group = grant(by_psk(), request_for("lamps"));
  expect_error(by_psk(), update(group, "lamp-1.example"), ErrorCode::unsupported_pop_key, "pop_key_of_other_servers");
  EXPECT_TRUE(grant(by_psk(), update(group, "lamps")).key().same_key(group.key()));
  EXPECT_TRUE(grant(by_psk(), update(single, "lamp-1.example")).key().same_key(single.key()));
}

TEST_F(GroupAudienceTest, TheClientMustBeAllowedAtEveryServer) {
  expect_error(by_psk(1), request_for("lamps"), ErrorCode::invalid_request, "audience_without_policy");
  add_rule("bob", "lamp-2", "off");
  publish();
  expect_error(by_psk(1), request_for("lamps"), ErrorCode::invalid_scope, "scope_denied");
  add_rule("bob", "lamp-2", "on");
  publish();
  EXPECT_EQ(claims_of(grant(by_psk(1), request_for("lamps"))).scope, cwt::Scope("on"));
}

TEST_F(GroupAudienceTest, AllServersMustTakeSignedTokensOfOneKind) {
  const auto refused = [this] {
    publish();
    expect_bare(ask(by_raw_key(), raw_key_request("lamps")), coap::code::internal_server_error,
                "group_audience_unusable");
  };
  server("lamp-2").protection = TokenProtection::encrypted_cwt;
  refused();
  server("lamp-2").protection = TokenProtection::reference;
  refused();
  server("lamp-2").protection = TokenProtection::signed_cwt;
  server("lamp-2").uses_exi = true;
  refused();
}

TEST_F(GroupAudienceTest, AProfileMustBeCommonToAll) {
  server("lamp-2").profiles = {Profile::coap_oscore};
  publish();
  expect_error(by_raw_key(), raw_key_request("lamps"), ErrorCode::incompatible_ace_profiles,
               "ace_profile_incompatible");
}

TEST_F(GroupAudienceTest, AKeyMustSuitEveryServer) {
  server("lamp-2").accepts_asymmetric = false;
  publish();
  expect_error(by_raw_key(), raw_key_request("lamps"), ErrorCode::unsupported_pop_key, "pop_key_unsuitable");
}

TEST_F(GroupAudienceTest, EachServerHasItsOwnAudienceToo) {
  const GotToken got = grant(by_psk(), request_for("lamp-1.example"));
  EXPECT_EQ(claims_of(got).aud, cwt::Audience("lamp-1.example"));
  EXPECT_TRUE(got.record.more_servers.empty());
}

}  // namespace
}  // namespace aceward::ace::as
