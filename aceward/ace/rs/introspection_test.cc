// A resource server that asks its authorization server about tokens.
#include <gtest/gtest.h>

#include "aceward/ace/rs/rs_test_support.h"
#include "aceward/ace/token/reasons.h"
#include "aceward/cose/cwt/reasons.h"

namespace aceward::ace::rs {
namespace {

using namespace testing;
using std::chrono::seconds;

const Bytes reference_token{0, 0, 0, 0, 0, 0, 0, 9, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

class IntrospectionTest : public ::testing::Test {
 protected:
  IntrospectionTest() { start(IntrospectionUse::references); }

  void start(IntrospectionUse use) {
    ResourceServerConfig config;
    config.hints.as_uri = "coaps://as.example/token";
    config.pending = 3;
    config.introspection = {.use = use,
                            .cache = seconds(30),
                            .rate = {.per_peer = 3, .in_all = 10, .peers = 10},
                            .in_flight = 3,
                            .in_flight_per_peer = 2,
                            .max_reference_octets = 64};
    server_ = must(ResourceServer::create(std::move(config), ace::testing::verifier_config(issuer_), layer_, bindings_,
                                          clock_, {.sequences = nullptr, .introspector = &as_, .random = nullptr}));
    server_->add("/temp", temp_);
  }
  coap::ExchangeId post(Bytes token, coap::ContentFormat format = coap::content_format::cwt, std::uint8_t host = 1) {
    auto request = token_post(std::move(token));
    request.options.set_content_format(format);
    return send(plain_peer(host), std::move(request));
  }
  coap::ExchangeId send(const coap::Peer& peer, coap::Request request) {
    const auto id = layer_.arrive(peer, std::move(request));
    server_->pump(clock_.now());
    return id;
  }
  coap::ExchangeId get() { return send(session_peer(1), make_request(coap::code::get, "/temp")); }
  /// Empty: not answered yet.
  coap::Code answer_to(coap::ExchangeId id) {
    server_->pump(clock_.now());
    for (const auto& sent : layer_.sent) {
      if (sent.id == id) return sent.response.code;
    }
    return coap::code::empty;
  }
  cwt::Claims claims() const {
    auto claims = issuer_.claims_for(symmetric_key(5, "fob"), clock_.wall());
    claims.iss.reset();
    claims.aud.reset();
    return claims;
  }
  /// A client whose reference token was found to be good just now, in session 1.
  EntryId let_in() {
    const auto id = post(reference_token);
    as_.say(claims());
    EXPECT_EQ(answer_to(id), coap::code::created);
    const auto found = server_->tokens().symmetric_by_kid(to_bytes("fob"), clock_.wall());
    EXPECT_EQ(found.size(), 1U);
    bindings_.bindings[1] = {found.at(0), std::nullopt};
    server_->tokens().mark_used(found.at(0));
    return found.at(0);
  }

  TestIssuer issuer_;
  FakeLayer layer_;
  FakeBindings bindings_;
  FakeIntrospector as_;
  ManualClock clock_;
  std::unique_ptr<ResourceServer> server_;
  NamedResource temp_{"temp"};
};

TEST_F(IntrospectionTest, AReferenceTokenIsAnsweredWhenTheAsHasAnswered) {
  for (const auto format : {coap::content_format::octet_stream, coap::content_format::cwt}) {
    start(IntrospectionUse::references);
    const auto id = post(reference_token, format);
    EXPECT_EQ(answer_to(id), coap::code::empty);
    ASSERT_FALSE(as_.asked.empty());
    EXPECT_EQ(as_.asked.back(), reference_token);
    as_.say(claims());
    EXPECT_EQ(answer_to(id), coap::code::created);
    EXPECT_EQ(server_->tokens().size(), 1U);
  }
}

TEST_F(IntrospectionTest, ATokenThatIsNotActiveIsUnauthorized) {
  const auto id = post(reference_token);
  as_.say(std::nullopt);
  EXPECT_EQ(answer_to(id), coap::code::unauthorized);
  EXPECT_EQ(server_->tokens().size(), 0U);
}

TEST_F(IntrospectionTest, WhatTheAsSaysIsJudgedLikeAToken) {
  auto wrong = claims();
  wrong.aud = cwt::Audience("rs2");
  auto id = post(reference_token);
  as_.say(std::move(wrong));
  EXPECT_EQ(answer_to(id), coap::code::forbidden);
  wrong = claims();
  wrong.scope = std::string("fly");
  id = post(reference_token);
  as_.say(std::move(wrong));
  EXPECT_EQ(answer_to(id), coap::code::bad_request);
  EXPECT_EQ(server_->tokens().size(), 0U);
}

TEST_F(IntrospectionTest, WithoutTheAsNoTokenIsTaken) {
  as_.is_away = true;
  EXPECT_EQ(answer_to(post(reference_token)), coap::code::service_unavailable);
  as_.is_away = false;
  const auto id = post(reference_token);
  as_.say_nothing();
  EXPECT_EQ(answer_to(id), coap::code::service_unavailable);
  EXPECT_EQ(server_->tokens().size(), 0U);
  EXPECT_EQ(server_->authz_info().counters().unasked, 2U);
}

TEST_F(IntrospectionTest, NobodyIsAskedAboutWhatIsNoReference) {
  EXPECT_EQ(answer_to(post(Bytes(65, 0x42))), coap::code::bad_request);
  EXPECT_EQ(answer_to(post({})), coap::code::bad_request);
  Bytes broken = issuer_.sign(issuer_.claims_for(p256_public_key(50)));
  broken.back() ^= 1;
  EXPECT_EQ(answer_to(post(broken)), coap::code::unauthorized);
  EXPECT_TRUE(as_.asked.empty());
}

TEST_F(IntrospectionTest, QuestionsOfOneAddressAndOfAllAreBounded) {
  const auto token = [](std::uint8_t n) { return Bytes(24, n); };
  EXPECT_EQ(answer_to(post(token(1), coap::content_format::cwt, 1)), coap::code::empty);
  EXPECT_EQ(answer_to(post(token(2), coap::content_format::cwt, 1)), coap::code::empty);
  EXPECT_EQ(answer_to(post(token(3), coap::content_format::cwt, 1)), coap::code::service_unavailable);
  EXPECT_EQ(answer_to(post(token(4), coap::content_format::cwt, 2)), coap::code::empty);
  EXPECT_EQ(answer_to(post(token(5), coap::content_format::cwt, 3)), coap::code::service_unavailable);
  as_.say(std::nullopt, 2);
  EXPECT_EQ(answer_to(post(token(6), coap::content_format::cwt, 3)), coap::code::empty);
}

TEST_F(IntrospectionTest, QuestionsOfOneAddressAreLimitedInTime) {
  for (std::uint8_t n = 0; n < 3; ++n) {
    const auto id = post(Bytes(24, n));
    as_.say(std::nullopt);
    EXPECT_EQ(answer_to(id), coap::code::unauthorized);
  }
  EXPECT_EQ(answer_to(post(Bytes(24, 9))), coap::code::too_many_requests);
  clock_.advance(seconds(1));
  EXPECT_EQ(answer_to(post(Bytes(24, 9))), coap::code::empty);
}

TEST_F(IntrospectionTest, AnAnswerCountsForTheConfiguredTimeAndIsThenAskedForAgain) {
  let_in();
  const auto asked = as_.asked.size();
  clock_.advance(seconds(29));
  EXPECT_EQ(answer_to(get()), coap::code::content);
  EXPECT_EQ(as_.asked.size(), asked);
  clock_.advance(seconds(1));
  const auto id = get();
  EXPECT_EQ(answer_to(id), coap::code::empty);  // it waits
  EXPECT_EQ(as_.asked.size(), asked + 1);
  EXPECT_EQ(as_.asked.back(), reference_token);
  as_.say(claims());
  EXPECT_EQ(answer_to(id), coap::code::content);
  EXPECT_EQ(server_->held_count(), 0U);
}

TEST_F(IntrospectionTest, TheTimeOfAnAnswerCountsFromItsQuestion) {
  const auto id = post(reference_token);
  clock_.advance(seconds(20));
  as_.say(claims());
  EXPECT_EQ(answer_to(id), coap::code::created);
  bindings_.bindings[1] = {server_->tokens().symmetric_by_kid(to_bytes("fob"), clock_.wall()).at(0), std::nullopt};
  clock_.advance(seconds(10));
  EXPECT_EQ(answer_to(get()), coap::code::empty);
}

TEST_F(IntrospectionTest, ACivilClockThatIsSteppedBackDoesNotMakeAnAnswerCountLonger) {
  let_in();
  clock_.advance(seconds(30));
  clock_.set_wall(clock_.wall() - seconds(3600));
  EXPECT_EQ(answer_to(get()), coap::code::empty);
}

TEST_F(IntrospectionTest, WhileTheAsCannotBeAskedThereIsNoAccess) {
  let_in();
  clock_.advance(seconds(30));
  as_.is_away = true;
  EXPECT_EQ(answer_to(get()), coap::code::service_unavailable);
  as_.is_away = false;
  const auto id = get();
  as_.say_nothing();
  EXPECT_EQ(answer_to(id), coap::code::service_unavailable);
  EXPECT_EQ(temp_.calls, 0);
  const auto later = get();
  as_.say(claims());
  EXPECT_EQ(answer_to(later), coap::code::content);
}

TEST_F(IntrospectionTest, ATokenThatEndedAtTheAsEndsHere) {
  const EntryId entry = let_in();
  clock_.advance(seconds(30));
  const auto id = get();
  as_.say(std::nullopt);
  EXPECT_EQ(answer_to(id), coap::code::unauthorized);
  EXPECT_EQ(server_->end_expired(clock_.now()), std::vector{entry});
  EXPECT_EQ(answer_to(post(reference_token)), coap::code::empty);  // asked about anew
  as_.say(claims());
  server_->pump(clock_.now());
  EXPECT_EQ(layer_.sent.back().response.code, coap::code::unauthorized);
}

TEST_F(IntrospectionTest, RequestsThatWaitAreBounded) {
  let_in();
  clock_.advance(seconds(30));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answer_to(get()), coap::code::empty);
  EXPECT_EQ(answer_to(get()), coap::code::service_unavailable);
  EXPECT_EQ(server_->held_count(), 3U);
  EXPECT_EQ(as_.asked.size(), 2U);  // one question for all of them
}

TEST_F(IntrospectionTest, ARequestThatIsGoneDoesNotWait) {
  let_in();
  clock_.advance(seconds(30));
  layer_.lose(get());
  server_->pump(clock_.now());
  EXPECT_EQ(server_->held_count(), 0U);
  as_.say(claims());
  server_->pump(clock_.now());
  EXPECT_EQ(temp_.calls, 0);
}

TEST_F(IntrospectionTest, AnObservationIsConfirmedBeforeItsTimeIsUp) {
  let_in();
  temp_.waits = true;
  get();
  const auto asked = as_.asked.size();
  for (int i = 0; i < 6 && as_.asked.size() == asked; ++i) {
    clock_.advance(seconds(5));
    const auto due = server_->next_timeout();
    ASSERT_TRUE(due && *due <= clock_.now());
    server_->pump(clock_.now());
  }
  ASSERT_EQ(as_.asked.size(), asked + 1);
  as_.say(claims());
  server_->pump(clock_.now());
  clock_.advance(seconds(14));
  server_->layer().respond(temp_.waiting.at(0), coap::make_response(coap::code::content), {}, clock_.now());
  EXPECT_EQ(layer_.sent.back().response.code, coap::code::content);
}

TEST_F(IntrospectionTest, WhatIsAnsweredLaterIsNotAnsweredOnAnOldConfirmation) {
  let_in();
  temp_.waits = true;
  const auto id = get();
  clock_.advance(seconds(30));
  server_->layer().respond(temp_.waiting.at(0), coap::make_response(coap::code::content), {}, clock_.now());
  EXPECT_EQ(answer_to(id), coap::code::service_unavailable);
}

TEST_F(IntrospectionTest, TokensThatSpeakForThemselvesAreAskedAboutOnlyWhereThatIsWanted) {
  const Bytes token = issuer_.sign(issuer_.claims_for(p256_public_key(50)));
  EXPECT_EQ(answer_to(post(token)), coap::code::created);
  EXPECT_TRUE(as_.asked.empty());

  start(IntrospectionUse::always);
  auto id = post(token);
  EXPECT_EQ(answer_to(id), coap::code::empty);
  as_.say(cwt::Claims());  // active, and nothing more
  EXPECT_EQ(answer_to(id), coap::code::created);
  const auto entry = server_->tokens().by_public_key(must(p256_public_key(50).public_key()), clock_.wall());
  ASSERT_TRUE(entry);
  EXPECT_EQ(server_->tokens().find(*entry, clock_.wall())->expires_at, test_now + seconds(600));
  id = post(issuer_.sign(issuer_.claims_for(p256_public_key(51))));
  as_.say(std::nullopt);
  EXPECT_EQ(answer_to(id), coap::code::unauthorized);
}

TEST_F(IntrospectionTest, ATokenOfAnotherIssuerIsNotAskedAbout) {
  start(IntrospectionUse::always);
  TestIssuer other("coaps://other.example", 2);
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(issuer_.trusted());
  issuers.push_back(other.trusted());
  ASSERT_TRUE(server_->reconfigure(ace::testing::verifier_config(std::move(issuers)), {}, {}));
  EXPECT_EQ(answer_to(post(other.sign(other.claims_for(p256_public_key(50))))), coap::code::created);
  EXPECT_TRUE(as_.asked.empty());
  EXPECT_EQ(answer_to(post(issuer_.sign(issuer_.claims_for(p256_public_key(51))))), coap::code::empty);
}

TEST_F(IntrospectionTest, ATokenIsJudgedByTheTimeAndTheConfigurationOfTheAnswer) {
  start(IntrospectionUse::always);
  auto claims = issuer_.claims_for(p256_public_key(50));
  claims.exp = test_now + seconds(2);
  auto id = post(issuer_.sign(claims));
  clock_.advance(seconds(2));
  as_.say(cwt::Claims());
  EXPECT_EQ(answer_to(id), coap::code::unauthorized);

  id = post(issuer_.sign(issuer_.claims_for(p256_public_key(51))));
  ASSERT_EQ(answer_to(id), coap::code::empty);
  TestIssuer other("coaps://other.example", 2);
  ASSERT_TRUE(server_->reconfigure(ace::testing::verifier_config(other), {}, {}));
  as_.say(cwt::Claims());
  EXPECT_EQ(answer_to(id), coap::code::unauthorized);
  EXPECT_EQ(server_->tokens().size(), 0U);
}

TEST_F(IntrospectionTest, ATokenThatItsHolderCouldChangeIsRefusedAndNotAskedAbout) {
  auto issuer = issuer_.trusted();
  issuer.is_followed = true;
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(std::move(issuer));
  server_ = nullptr;
  ResourceServerConfig config;  // references of up to 256 octets
  server_ =
      must(ResourceServer::create(std::move(config), ace::testing::verifier_config(std::move(issuers)), layer_,
                                  bindings_, clock_, {.sequences = nullptr, .introspector = &as_, .random = nullptr}));
  const Bytes untagged = issuer_.encrypt(issuer_.claims_for(symmetric_key(1, "k")));
  ASSERT_LE(untagged.size(), 256U);
  EXPECT_EQ(answer_to(post(untagged)), coap::code::bad_request);
  EXPECT_EQ(server_->authz_info().take(untagged, true, clock_.now(), clock_.wall()).error(), reason::cwt_alterable);
  EXPECT_TRUE(as_.asked.empty());
}

TEST_F(IntrospectionTest, AnExiTokenThatEndedDoesNotBeginAnewAsAReference) {
  RememberedSequences memory;
  const auto begin = [&] {
    server_ = nullptr;
    server_ = must(ResourceServer::create({}, ace::testing::verifier_config(issuer_), layer_, bindings_, clock_,
                                          {.sequences = &memory, .introspector = &as_, .random = nullptr}));
  };
  begin();
  const auto claims = [&] {
    auto made = issuer_.claims_for(p256_public_key(50));
    made.exp.reset();
    made.exi = 60;
    made.cti = to_bytes("rs1\x05");
    return made;
  };
  const Bytes token = issuer_.sign(claims());
  EXPECT_EQ(answer_to(post(token)), coap::code::created);
  clock_.advance(seconds(60));
  server_->end_expired(clock_.now());
  EXPECT_EQ(answer_to(post(token)), coap::code::unauthorized);
  const auto as_reference = [&] {
    const auto id = post(token, coap::content_format::octet_stream);
    EXPECT_EQ(answer_to(id), coap::code::empty);
    as_.say(claims());  // which counts it as live until the last moment at which it might have come
    return answer_to(id);
  };
  EXPECT_EQ(as_reference(), coap::code::unauthorized);
  begin();
  EXPECT_EQ(as_reference(), coap::code::unauthorized);
  EXPECT_EQ(server_->tokens().size(), 0U);
}

TEST_F(IntrospectionTest, ATokenThatIsHeldIsNotAskedAboutAgain) {
  let_in();
  const auto asked = as_.asked.size();
  EXPECT_EQ(answer_to(post(reference_token)), coap::code::created);
  EXPECT_EQ(as_.asked.size(), asked);
}

TEST_F(IntrospectionTest, WithinAHandshakeNobodyCanBeAsked) {
  EXPECT_EQ(server_->authz_info().take(reference_token, true, clock_.now(), clock_.wall()).error(),
            reason::token_needs_introspection);
  start(IntrospectionUse::always);
  const Bytes token = issuer_.encrypt(issuer_.claims_for(symmetric_key(1, "k")));
  EXPECT_EQ(server_->authz_info().take(token, true, clock_.now(), clock_.wall()).error(),
            reason::token_needs_introspection);
  EXPECT_TRUE(as_.asked.empty());
}

TEST_F(IntrospectionTest, WithoutAnyoneToAskAReferenceIsABadRequest) {
  server_ = must(ResourceServer::create({}, ace::testing::verifier_config(issuer_), layer_, bindings_, clock_));
  EXPECT_EQ(answer_to(post(reference_token)), coap::code::bad_request);
  EXPECT_EQ(answer_to(post(reference_token, coap::content_format::octet_stream)),
            coap::code::unsupported_content_format);
}

}  // namespace
}  // namespace aceward::ace::rs
