#include "aceward/ace/rs/authz_info.h"

#include <gtest/gtest.h>

#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/rs/rs_test_support.h"
#include "aceward/ace/token/reasons.h"
#include "aceward/cose/cwt/reasons.h"

namespace aceward::ace::rs {
namespace {

using namespace testing;
using std::chrono::seconds;

const Instant authz_start{std::chrono::hours(1)};

class AuthzInfoTest : public ::testing::Test {
 protected:
  AuthzInfoTest()
      : verifier_(must(TokenVerifier::create(ace::testing::verifier_config(issuer_)))),
        store_(TokenStoreLimits{.tokens = 2}),
        authz_info_(verifier_, store_) {}

  AuthzInfo::Answer post(Bytes token, const coap::Peer& from = plain_peer()) {
    return authz_info_.handle(from, token_post(std::move(token)), authz_start, test_now);
  }
  Bytes good(std::uint64_t seed = 50) const { return issuer_.sign(issuer_.claims_for(p256_public_key(seed))); }

  TestIssuer issuer_;
  TokenVerifier verifier_;
  TokenStore store_;
  AuthzInfo authz_info_;
};

TEST_F(AuthzInfoTest, AnswersAGoodTokenWith201AndNothingMore) {
  const auto answer = post(good());
  EXPECT_EQ(answer.response.code, coap::code::created);
  EXPECT_TRUE(answer.response.payload.empty());
  EXPECT_TRUE(answer.response.options.empty());
  EXPECT_EQ(answer.outcome->change, Change::stored);
  EXPECT_EQ(authz_info_.counters().accepted, 1U);
}

TEST_F(AuthzInfoTest, NeedsNoSecureChannel) {
  EXPECT_EQ(post(good(), plain_peer()).response.code, coap::code::created);
  EXPECT_EQ(post(good(), session_peer(7)).response.code, coap::code::created);
}

TEST_F(AuthzInfoTest, TheSameTokenAgainIsCreatedAgain) {
  post(good());
  const Bytes token = good(51);
  EXPECT_EQ(post(token).outcome->change, Change::stored);
  const auto again = post(token);
  EXPECT_EQ(again.response.code, coap::code::created);
  EXPECT_EQ(again.outcome->change, Change::repeated);
}

TEST_F(AuthzInfoTest, KnowsNoMethodButPost) {
  for (const auto method : {coap::code::get, coap::code::put, coap::code::delete_, coap::code::fetch, coap::code::patch,
                            coap::code::ipatch, coap::Code(0, 30)}) {
    auto request = token_post(good());
    request.method = method;
    const auto answer = authz_info_.handle(plain_peer(), request, authz_start, test_now);
    EXPECT_EQ(answer.response.code, coap::code::method_not_allowed) << method.number();
    EXPECT_TRUE(answer.response.payload.empty());
  }
  EXPECT_EQ(store_.size(), 0U);
}

TEST_F(AuthzInfoTest, WantsContentFormatCwt) {
  for (const auto format : {coap::content_format::cbor, coap::content_format::ace_cbor,
                            coap::content_format::octet_stream, coap::content_format::cose_sign1}) {
    auto request = token_post(good());
    request.options.set_content_format(format);
    EXPECT_EQ(authz_info_.handle(plain_peer(), request, authz_start, test_now).response.code,
              coap::code::unsupported_content_format);
  }
  auto request = token_post(good());
  request.options.remove(coap::option::content_format);
  EXPECT_EQ(authz_info_.handle(plain_peer(), request, authz_start, test_now).response.code,
            coap::code::unsupported_content_format);
  EXPECT_EQ(store_.size(), 0U);
}

TEST_F(AuthzInfoTest, RefusalsFollowTheTokensFaultAndChangeNothing) {
  post(good());
  const auto expect_code = [&](Bytes token, coap::Code code, const Reason& reason) {
    const auto answer = post(std::move(token));
    EXPECT_EQ(answer.response.code, code) << reason.id;
    EXPECT_TRUE(answer.response.payload.empty()) << reason.id;
    ASSERT_TRUE(answer.why.has_value()) << reason.id;
    EXPECT_EQ(answer.why->id(), reason.id);
    EXPECT_EQ(store_.size(), 1U) << reason.id;
  };
  Bytes broken = good(51);
  broken.back() ^= 1;
  expect_code(broken, coap::code::unauthorized, reason::cwt_verification_failed);
  auto claims = issuer_.claims_for(p256_public_key(51));
  claims.exp = test_now;
  expect_code(issuer_.sign(claims), coap::code::unauthorized, reason::token_expired);
  claims = issuer_.claims_for(p256_public_key(51));
  claims.aud = cwt::Audience("rs2");
  expect_code(issuer_.sign(claims), coap::code::forbidden, reason::token_audience_unknown);
  claims = issuer_.claims_for(p256_public_key(51));
  claims.scope = std::string("fly");
  expect_code(issuer_.sign(claims), coap::code::bad_request, reason::token_scope_unrecognised);
  claims = issuer_.claims();
  claims.cnf = cwt::Confirmation(cwt::KeyId{to_bytes("nobody")});
  expect_code(issuer_.sign(claims), coap::code::bad_request, reason::token_kid_unknown);
  EXPECT_EQ(authz_info_.counters().refused, 5U);
}

TEST_F(AuthzInfoTest, AFullStoreIsUnavailable) {
  for (const std::uint64_t seed : {1, 2}) store_.mark_used(post(good(seed)).outcome->entry);
  EXPECT_EQ(post(good(3)).response.code, coap::code::service_unavailable);
  EXPECT_EQ(store_.size(), 2U);
}

TEST_F(AuthzInfoTest, LimitsTheVerificationsOfOnePeer) {
  AuthzInfo limited(verifier_, store_, {.per_peer = 2, .in_all = 100, .peers = 10});
  int ports = 0;
  const auto post_at = [&](std::uint8_t host, Instant now) {
    auto peer = plain_peer(host);
    peer.remote.port = static_cast<std::uint16_t>(peer.remote.port + ++ports);
    return limited.handle(peer, token_post(good()), now, test_now).response;
  };
  EXPECT_EQ(post_at(1, authz_start).code, coap::code::created);
  EXPECT_EQ(post_at(1, authz_start).code, coap::code::created);
  const auto busy = post_at(1, authz_start + std::chrono::milliseconds(999));
  EXPECT_EQ(busy.code, coap::code::too_many_requests);
  EXPECT_EQ(busy.options.find_uint(coap::option::max_age), 1U);
  EXPECT_EQ(post_at(2, authz_start).code, coap::code::created);
  EXPECT_EQ(post_at(1, authz_start + seconds(1)).code, coap::code::created);
  EXPECT_EQ(limited.counters().limited, 1U);
}

TEST_F(AuthzInfoTest, LimitsTheVerificationsOfAll) {
  AuthzInfo limited(verifier_, store_, {.per_peer = 10, .in_all = 3, .peers = 10});
  int created = 0;
  for (std::uint8_t host = 1; host <= 5; ++host) {
    created += limited.handle(plain_peer(host), token_post(good()), authz_start, test_now).response.code ==
               coap::code::created;
  }
  EXPECT_EQ(created, 3);
  EXPECT_EQ(limited.take(good(), false, authz_start, test_now).error(), reason::authz_info_busy);
  EXPECT_TRUE(limited.take(good(), false, authz_start + seconds(1), test_now).has_value());
}

TEST_F(AuthzInfoTest, ManyAddressesShareOneBudget) {
  AuthzInfo limited(verifier_, store_, {.per_peer = 1, .in_all = 100, .peers = 2});
  int created = 0;
  for (std::uint8_t host = 1; host <= 10; ++host) {
    created += limited.handle(plain_peer(host), token_post(good()), authz_start, test_now).response.code ==
               coap::code::created;
  }
  EXPECT_EQ(created, 3);
}

TEST_F(AuthzInfoTest, TakesOnlySymmetricKeysWhereAskedTo) {
  const auto refused = authz_info_.take(good(), true, authz_start, test_now);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), reason::token_cnf_unusable);
  EXPECT_EQ(store_.size(), 0U);
  EXPECT_TRUE(authz_info_.take(issuer_.encrypt(issuer_.claims_for(symmetric_key(1, "k"))), true, authz_start, test_now)
                  .has_value());
}

}  // namespace
}  // namespace aceward::ace::rs
