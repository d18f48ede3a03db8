// Requests that wait for the owner of a server, and clients that ask too often.
#include <gtest/gtest.h>

#include "aceward/ace/as/memory_request_book.h"
#include "aceward/ace/as/token_test_support.h"

namespace aceward::ace::as {
namespace {

using std::chrono::seconds;

constexpr Reason store_is_away{"store_unavailable", ErrorClass::internal, "", ""};

class OwnerAskedTest : public TokenTest {
 protected:
  MemoryRequestBook book;

  OwnerAskedTest() {
    server("secret-server").undecided = Undecided::ask_owner;
    server("thermometer").undecided = Undecided::ask_owner;
    publish();
    endpoint.set_request_book(&book);
  }

  void expect_told_to_come_back(const coap::Response& response, std::uint64_t max_age = 60) {
    EXPECT_EQ(response.code, coap::code::service_unavailable);
    EXPECT_EQ(response.options.find_uint(coap::option::max_age), max_age);
    EXPECT_TRUE(response.payload.empty());
    EXPECT_TRUE(ledger.tokens.empty());
  }
};

TEST_F(OwnerAskedTest, WhatNoRuleDecidesWaits) {
  expect_told_to_come_back(ask(by_psk(), request_for("secret-server.example", "write read")));
  ASSERT_EQ(book.entries.size(), 1U);
  const AccessRequest& entry = book.entries[0];
  EXPECT_EQ(entry.client_id, 1);
  EXPECT_EQ(entry.server_id, server("secret-server").id);
  EXPECT_EQ(entry.client, "alice");
  EXPECT_EQ(entry.server, "secret-server");
  EXPECT_EQ(entry.scope, cbor::from_diagnostic(R"("read write")").value());
  EXPECT_EQ(entry.state, RequestState::waiting);
  EXPECT_EQ(entry.first_asked, now);
  EXPECT_EQ(entry.expires_at, now + std::chrono::hours(24 * 7));
  EXPECT_EQ(audited.back().kind, AuditKind::owner_asked);
  EXPECT_EQ(audited.back().reason, "owner_asked");
  EXPECT_FALSE(audited.back().granted);
}

TEST_F(OwnerAskedTest, AWishWithoutAScopeWaitsToo) {
  expect_told_to_come_back(ask(by_psk(), request_for("secret-server.example")));
  EXPECT_TRUE(book.entries.at(0).scope.empty());
}

TEST_F(OwnerAskedTest, WhoComesBackIsCountedWithoutAWriteForEveryHurry) {
  for (int i = 0; i < 10; ++i)
    expect_told_to_come_back(ask(by_psk(), request_for("secret-server.example", i % 2 == 0 ? "a b" : "b a")));
  EXPECT_EQ(book.entries.size(), 1U) << "one scope in two orders";
  EXPECT_EQ(book.kept, 1U);
  ask(by_psk(), request_for("secret-server.example", "a b"), now + seconds(60));
  EXPECT_EQ(book.kept, 2U);
  EXPECT_EQ(book.entries.at(0).times, 2U);
  EXPECT_EQ(book.entries.at(0).last_asked, now + seconds(60));
}

TEST_F(OwnerAskedTest, TheClientIsToldWhenItIsKept) {
  book.waits = true;
  std::optional<coap::Response> answer;
  endpoint.process(by_psk(), post(cbor::serialize(request_for("secret-server.example"))), now,
                   [&](coap::Response response) { answer = std::move(response); });
  EXPECT_FALSE(answer);
  ASSERT_TRUE(book.complete_next());
  ASSERT_TRUE(answer);
  expect_told_to_come_back(*answer);
}

TEST_F(OwnerAskedTest, ABookThatFailsOrForgetsIsAnsweredFor) {
  book.keep_error = Error(store_is_away);
  expect_told_to_come_back(ask(by_psk(), request_for("secret-server.example")), 5);
  EXPECT_EQ(audited.back().reason, "store_unavailable");
  book.keep_error.reset();
  book.find_error = Error(store_is_away);
  expect_told_to_come_back(ask(by_psk(), request_for("secret-server.example")), 5);
  book.find_error.reset();
  book.forgets = true;
  expect_told_to_come_back(ask(by_psk(), request_for("secret-server.example")), 5);
  EXPECT_EQ(audited.back().reason, "ledger_silent");
}

TEST_F(OwnerAskedTest, ADeniedWishIsAnInvalidScope) {
  ask(by_psk(), request_for("secret-server.example", "open"));
  book.entries[0].state = RequestState::denied;
  expect_error(by_psk(), request_for("secret-server.example", "open"), ErrorCode::invalid_scope, "owner_denied");
  expect_told_to_come_back(ask(by_psk(), request_for("secret-server.example", "look")));
  expect_told_to_come_back(
      ask(by_psk(), request_for("secret-server.example", "open"), now + std::chrono::hours(24 * 7)));
}

TEST_F(OwnerAskedTest, AnApprovedWishIsARule) {
  ask(by_psk(), request_for("secret-server.example", "open"));
  add_rule("alice", "secret-server", "open");
  publish();
  EXPECT_EQ(claims_of(grant(by_psk(), request_for("secret-server.example", "open"))).scope, cwt::Scope("open"));
}

TEST_F(OwnerAskedTest, WhatAPartOfIsDecidedIsGrantedInPartAndNobodyIsAsked) {
  EXPECT_EQ(claims_of(grant(by_psk(), request_for("thermometer.example", "read calibrate"))).scope, cwt::Scope("read"));
  EXPECT_EQ(book.kept, 0U);
  ledger.tokens.clear();
  expect_told_to_come_back(ask(by_psk(), request_for("thermometer.example", "calibrate")));
}

TEST_F(OwnerAskedTest, WhatOtherHoursAllowIsRefusedAndNobodyIsAsked) {
  rules[0].hours = Hours{0x7f, 60, 120};
  publish();
  expect_error(by_psk(), request_for("thermometer.example", "read"), ErrorCode::invalid_scope, "scope_denied");
  EXPECT_EQ(book.kept, 0U);
}

TEST_F(OwnerAskedTest, OnlyAtServersWhoseOwnersWantIt) {
  server("secret-server").undecided = Undecided::refuse;
  publish();
  expect_error(by_psk(), request_for("secret-server.example"), ErrorCode::invalid_request, "audience_without_policy");
  endpoint.set_request_book(nullptr);
  expect_error(by_psk(), request_for("thermometer.example", "calibrate"), ErrorCode::invalid_scope, "scope_denied");
  EXPECT_EQ(book.kept, 0U);
}

TEST_F(OwnerAskedTest, ARequestThatCouldNotBeGrantedAnywayIsNotKept) {
  TokenRequest request = request_for("secret-server.example", "open");
  request.req_cnf = cwt::Confirmation(bob_key.public_part().value());
  expect_error(by_psk(), request, ErrorCode::unsupported_pop_key, "pop_key_not_proven");
  request = request_for("secret-server.example", "two  spaces");
  EXPECT_NE(ask(by_psk(), request).code, coap::code::service_unavailable);
  EXPECT_EQ(book.kept, 0U);
}

TEST_F(OwnerAskedTest, NobodyIsAskedForARefresh) {
  server("thermometer").refresh_lifetime = std::chrono::hours(2);
  publish();
  const GotToken first = grant(by_psk(), request_for("thermometer.example"));
  rules.erase(rules.begin());
  publish();
  expect_error(by_psk(), refresh_of(first), ErrorCode::invalid_grant, "refresh_token_invalid");
  EXPECT_EQ(book.kept, 0U);
}

TEST_F(OwnerAskedTest, TheBookIsBounded) {
  TokenEndpointConfig config = configuration();
  config.request_book = {.in_all = 3, .per_client = 2};
  config.come_back = seconds(90);
  endpoint = TokenEndpoint::create(std::move(config), as_key, random, ledger).value();
  endpoint.set_request_book(&book);
  endpoint.set_audit([this](const AuditRecord& record) { audited.push_back(record); });
  publish();
  for (const char* scope : {"a", "b"})
    expect_told_to_come_back(ask(by_psk(), request_for("secret-server.example", scope)), 90);
  expect_told_to_come_back(ask(by_psk(), request_for("secret-server.example", "c")), 90);
  EXPECT_EQ(audited.back().reason, "requests_full");
  EXPECT_EQ(book.entries.size(), 2U);
  expect_told_to_come_back(ask(by_psk(1), request_for("secret-server.example", "a")), 90);
  expect_told_to_come_back(ask(by_psk(1), request_for("secret-server.example", "b")), 90);
  EXPECT_EQ(book.entries.size(), 3U);
}

TEST_F(OwnerAskedTest, AClientWithoutAnyRuleIsUnauthorizedUnlessAnOwnerIsAsked) {
  rules.clear();
  publish();
  for (const char* audience : {"encrypted.example", "nowhere.example"})
    expect_error(by_psk(), request_for(audience), ErrorCode::unauthorized_client, "client_without_rules");
  expect_error(by_psk(), TokenRequest(), ErrorCode::unauthorized_client, "client_without_rules");
  expect_told_to_come_back(ask(by_psk(), request_for("secret-server.example")));
}

class RequestLimitsTest : public TokenTest {
 protected:
  void limit(TokenEndpointConfig config) {
    endpoint = TokenEndpoint::create(std::move(config), as_key, random, ledger).value();
    endpoint.set_audit([this](const AuditRecord& record) { audited.push_back(record); });
    publish();
  }
};

TEST_F(RequestLimitsTest, TwentyRequestsInTenSecondsAreTheMost) {
  limit({});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(by_psk(), request_for("thermometer.example")).code, coap::code::created);
  const coap::Response refused = ask(by_psk(), request_for("thermometer.example"), now + seconds(3));
  expect_bare(refused, coap::code::too_many_requests, "token_requests_too_many");
  EXPECT_EQ(refused.options.find_uint(coap::option::max_age), 7U);
  EXPECT_EQ(ask(by_psk(1), request_for("thermometer.example")).code, coap::code::created) << "others are not kept out";
  EXPECT_EQ(ask(by_psk(), request_for("thermometer.example"), now + seconds(10)).code, coap::code::created);
}

TEST_F(RequestLimitsTest, ARefusedRequestCountsAndOneOfManyIsAudited) {
  limit({.requests = {.window = seconds(10), .per_client = 2}});
  for (int i = 0; i < 2; ++i) ask(by_psk(), request_for("nowhere.example"));
  audited.clear();
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(ask(by_psk(), request_for("thermometer.example")).code, coap::code::too_many_requests);
  EXPECT_EQ(audited.size(), 1U);
  EXPECT_EQ(endpoint.counters().refused.at("token_requests_too_many"), 100U);
  EXPECT_TRUE(ledger.tokens.empty());
}

TEST_F(RequestLimitsTest, AStepOfTheClockKeepsNobodyOut) {
  limit({.requests = {.window = seconds(10), .per_client = 1}});
  ask(by_psk(), request_for("thermometer.example"));
  EXPECT_EQ(ask(by_psk(), request_for("thermometer.example")).code, coap::code::too_many_requests);
  EXPECT_EQ(ask(by_psk(), request_for("thermometer.example"), now - std::chrono::hours(5)).code, coap::code::created);
}

TEST_F(RequestLimitsTest, AClientHoldsNoMoreLiveTokensThanItMay) {
  limit({.requests = {.per_client = 0}, .live_tokens_per_client = 3});
  rules[0].lifetime = seconds(100);
  publish();
  for (int i = 0; i < 3; ++i) grant(by_psk(), request_for("thermometer.example"), now + seconds(i));
  const coap::Response refused = ask(by_psk(), request_for("thermometer.example"), now + seconds(10));
  expect_bare(refused, coap::code::too_many_requests, "tokens_too_many");
  EXPECT_EQ(refused.options.find_uint(coap::option::max_age), 90U);
  EXPECT_EQ(ask(by_psk(1), request_for("thermometer.example")).code, coap::code::created);
  grant(by_psk(), request_for("thermometer.example"), now + seconds(100));
  EXPECT_EQ(ask(by_psk(), request_for("thermometer.example"), now + seconds(100)).code, coap::code::too_many_requests);
}

TEST_F(RequestLimitsTest, AClientHoldsNoMoreRefreshTokensThanItMay) {
  limit({.requests = {.per_client = 0}, .live_tokens_per_client = 3});
  rules[0].lifetime = seconds(1);
  server("thermometer").refresh_lifetime = std::chrono::hours(1);
  publish();
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(grant(by_psk(), request_for("thermometer.example"), now + seconds(i)).information.refresh_token);
  const GotToken beyond = grant(by_psk(), request_for("thermometer.example"), now + seconds(3));
  EXPECT_FALSE(beyond.information.refresh_token) << "its row would be kept for an hour";
  EXPECT_TRUE(beyond.record.refresh_digest.empty());
  const auto later = now + std::chrono::hours(1);
  EXPECT_TRUE(grant(by_psk(), request_for("thermometer.example"), later).information.refresh_token);
}

TEST_F(RequestLimitsTest, WhatWasNotRecordedIsNoLiveToken) {
  limit({.live_tokens_per_client = 1});
  ledger.record_error = Error(store_is_away);
  for (int i = 0; i < 3; ++i) ask(by_psk(), request_for("thermometer.example"));
  ledger.record_error.reset();
  EXPECT_EQ(ask(by_psk(), request_for("thermometer.example")).code, coap::code::created);
  EXPECT_EQ(ask(by_psk(), request_for("thermometer.example")).code, coap::code::too_many_requests);
}

TEST_F(RequestLimitsTest, AGrantIsAuditedWithItsRulesAndAuthentication) {
  rules[0].name = "alice at the thermometer";
  publish();
  grant(by_raw_key(), raw_key_request("thermometer.example"));
  EXPECT_EQ(audited.back().rules, std::vector<std::string>{"alice at the thermometer"});
  EXPECT_EQ(audited.back().kind, AuditKind::token);
  EXPECT_EQ(audited.back().authentication, ClientAuthentication::raw_public_key);
  expect_error(by_psk(), request_for("thermometer.example", "delete"), ErrorCode::invalid_scope, "scope_denied");
  EXPECT_TRUE(audited.back().rules.empty());
  EXPECT_EQ(audited.back().authentication, ClientAuthentication::pre_shared_key);
}

TEST(AuditNames, AreThoseOfTheLog) {
  EXPECT_EQ(name_of(AuditKind::refresh), "refresh");
  EXPECT_EQ(name_of(AuditKind::owner_asked), "owner_asked");
  EXPECT_EQ(name_of(ClientAuthentication::client_secret), "client_secret");
  for (int i = 1; i <= 5; ++i) EXPECT_NE(name_of(static_cast<AuditKind>(i)), "");
  for (int i = 1; i <= 4; ++i) EXPECT_NE(name_of(static_cast<ClientAuthentication>(i)), "");
}

}  // namespace
}  // namespace aceward::ace::as
