#include "aceward/ace/rs/resource_server.h"

#include <gtest/gtest.h>

#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/rs/rs_test_support.h"

namespace aceward::ace::rs {
namespace {

using namespace testing;
using std::chrono::seconds;

class PublicResource final : public coap::Resource {
 public:
  void handle(coap::ExchangeId id, const coap::Peer&, const coap::Request&, coap::Responder& responder) override {
    responder.respond(id, coap::make_response(coap::code::content));
  }
  std::span<const coap::Code> methods() const override { return methods_; }

 private:
  std::array<coap::Code, 1> methods_{coap::code::get};
};

class ResourceServerTest : public ::testing::Test {
 protected:
  ResourceServerTest() {
    ResourceServerConfig config;
    config.hints.as_uri = "coaps://as.example/token";
    config.pending = 2;
    server_ = must(
        ResourceServer::create(std::move(config), ace::testing::verifier_config(issuer_), layer_, bindings_, clock_));
    server_->add("/temp", temp_);
    server_->add("/led", led_);
    server_->set_observer([this](const Decision& decision) { decisions_.push_back(decision); });
  }

  /// The answer to one request that is answered at once.
  coap::Response ask(const coap::Peer& peer, coap::Request request) {
    const auto id = layer_.arrive(peer, std::move(request));
    server_->pump(clock_.now());
    if (layer_.sent.empty() || layer_.sent.back().id != id) return coap::make_response(coap::code::empty);
    return layer_.sent.back().response;
  }
  coap::Response ask(const coap::Peer& peer, coap::Code method, std::string_view path) {
    return ask(peer, make_request(method, path));
  }
  EntryId upload(const cose::Key& key, const std::string& scope, seconds lifetime = seconds(600)) {
    auto claims = issuer_.claims_for(key, clock_.wall());
    claims.scope = scope;
    claims.exp = clock_.wall() + lifetime;
    EXPECT_EQ(ask(plain_peer(), token_post(issuer_.sign(claims))).code, coap::code::created);
    return *server_->tokens().by_public_key(must(key.public_key()), clock_.wall());
  }
  void bind(std::uint64_t session, EntryId entry) {
    bindings_.bindings[session] = {entry, std::nullopt};
    server_->tokens().mark_used(entry);
  }
  void advance(seconds by) { clock_.advance(by); }

  TestIssuer issuer_;
  FakeLayer layer_;
  FakeBindings bindings_;
  ManualClock clock_;
  std::unique_ptr<ResourceServer> server_;
  NamedResource temp_{"temp"};
  NamedResource led_{"led"};
  std::vector<Decision> decisions_;
};

TEST_F(ResourceServerTest, TakesATokenAndServesItsHolder) {
  bind(1, upload(p256_public_key(1), "read"));
  const auto answer = ask(session_peer(1), coap::code::get, "/temp");
  EXPECT_EQ(answer.code, coap::code::content);
  EXPECT_EQ(answer.payload, to_bytes("temp"));
  EXPECT_EQ(temp_.calls, 1);
  EXPECT_EQ(server_->pending_count(), 0U);
}

TEST_F(ResourceServerTest, RefusesBeforeTheResourceIsAsked) {
  bind(1, upload(p256_public_key(1), "read"));
  EXPECT_EQ(ask(plain_peer(), coap::code::get, "/temp").code, coap::code::unauthorized);
  EXPECT_EQ(ask(session_peer(2), coap::code::get, "/temp").code, coap::code::unauthorized);
  EXPECT_EQ(ask(session_peer(1), coap::code::get, "/led").code, coap::code::forbidden);
  EXPECT_EQ(ask(session_peer(1), coap::code::put, "/temp").code, coap::code::method_not_allowed);
  EXPECT_EQ(temp_.calls + led_.calls, 0);
}

TEST_F(ResourceServerTest, AStrangerCannotTellWhichPathsExist) {
  const auto existing = ask(plain_peer(), coap::code::get, "/temp");
  const auto missing = ask(plain_peer(), coap::code::get, "/nowhere");
  EXPECT_EQ(existing, missing);
  bind(1, upload(p256_public_key(1), "read"));
  EXPECT_EQ(ask(session_peer(1), coap::code::get, "/led"), ask(session_peer(1), coap::code::get, "/nowhere"));
}

TEST_F(ResourceServerTest, ACoveredPathWithoutAResourceIsNotFound) {
  auto claims = issuer_.claims_for(p256_public_key(1), clock_.wall());
  claims.scope = Aif::parse_text("/nowhere=GET")->serialize();
  ask(plain_peer(), token_post(issuer_.sign(claims)));
  bind(1, *server_->tokens().by_public_key(must(p256_public_key(1).public_key()), clock_.wall()));
  EXPECT_EQ(ask(session_peer(1), coap::code::get, "/nowhere").code, coap::code::not_found);
}

TEST_F(ResourceServerTest, ServesPublicResourcesToAnybody) {
  PublicResource core;
  server_->add_public("/.well-known/core", core);
  EXPECT_EQ(ask(plain_peer(), coap::code::get, "/.well-known/core").code, coap::code::content);
  EXPECT_EQ(ask(plain_peer(), coap::code::put, "/.well-known/core").code, coap::code::method_not_allowed);
  EXPECT_EQ(ask(plain_peer(), coap::code::get, "/.well-known").code, coap::code::unauthorized);
}

TEST_F(ResourceServerTest, AuthzInfoIsExactlyItsPath) {
  EXPECT_EQ(ask(plain_peer(), coap::code::get, "/authz-info").code, coap::code::method_not_allowed);
  EXPECT_EQ(ask(plain_peer(), coap::code::post, "/authz-info/x").code, coap::code::unauthorized);
  EXPECT_EQ(ask(plain_peer(), coap::code::post, "/Authz-Info").code, coap::code::unauthorized);
}

TEST_F(ResourceServerTest, ANewTokenChangesTheRunningSession) {
  bind(1, upload(p256_public_key(1), "read"));
  EXPECT_EQ(ask(session_peer(1), coap::code::put, "/temp").code, coap::code::method_not_allowed);
  advance(seconds(1));
  upload(p256_public_key(1), "write");
  EXPECT_EQ(ask(session_peer(1), coap::code::put, "/temp").code, coap::code::content);
  EXPECT_EQ(ask(session_peer(1), coap::code::get, "/temp").code, coap::code::method_not_allowed);
}

TEST_F(ResourceServerTest, AReplayedOlderTokenChangesNothing) {
  auto claims = issuer_.claims_for(p256_public_key(1), clock_.wall());
  claims.scope = std::string("write");
  const Bytes older = issuer_.sign(claims);
  EXPECT_EQ(ask(plain_peer(), token_post(older)).code, coap::code::created);
  advance(seconds(1));
  bind(1, upload(p256_public_key(1), "read"));
  EXPECT_EQ(ask(plain_peer(), token_post(older)).code, coap::code::created);
  EXPECT_EQ(ask(session_peer(1), coap::code::put, "/temp").code, coap::code::method_not_allowed);
  EXPECT_EQ(ask(session_peer(1), coap::code::get, "/temp").code, coap::code::content);
}

TEST_F(ResourceServerTest, AnExpiredTokenIsRemovedAndItsKeyReported) {
  const EntryId entry = upload(p256_public_key(1), "read", seconds(10));
  bind(1, entry);
  EXPECT_TRUE(server_->end_expired(clock_.now()).empty());
  advance(seconds(10));
  EXPECT_EQ(ask(session_peer(1), coap::code::get, "/temp").code, coap::code::unauthorized);
  EXPECT_EQ(server_->end_expired(clock_.now()), std::vector{entry});
  EXPECT_EQ(server_->tokens().size(), 0U);
  EXPECT_TRUE(server_->end_expired(clock_.now()).empty());
  EXPECT_EQ(temp_.calls, 0);
}

TEST_F(ResourceServerTest, ALateAnswerGoesOutWhileTheRightsLast) {
  bind(1, upload(p256_public_key(1), "read"));
  temp_.waits = true;
  ask(session_peer(1), coap::code::get, "/temp");
  ASSERT_EQ(server_->pending_count(), 1U);
  const auto sent_before = layer_.sent.size();
  advance(seconds(5));
  server_->layer().respond(temp_.waiting.at(0), coap::make_response(coap::code::content), {}, clock_.now());
  ASSERT_EQ(layer_.sent.size(), sent_before + 1);
  EXPECT_EQ(layer_.sent.back().response.code, coap::code::content);
  EXPECT_EQ(server_->pending_count(), 0U);
}

TEST_F(ResourceServerTest, ALateAnswerAfterTheEndIsUnauthorized) {
  bind(1, upload(p256_public_key(1), "read", seconds(10)));
  temp_.waits = true;
  ask(session_peer(1), coap::code::get, "/temp");
  advance(seconds(10));
  auto secret = coap::make_response(coap::code::content, coap::content_format::text_plain, to_bytes("secret"));
  server_->layer().respond(temp_.waiting.at(0), std::move(secret), {}, clock_.now());
  EXPECT_EQ(layer_.sent.back().response.code, coap::code::unauthorized);
  EXPECT_NE(layer_.sent.back().response.payload, to_bytes("secret"));
}

TEST_F(ResourceServerTest, ExpiryAnswersWhatIsPendingOnce) {
  bind(1, upload(p256_public_key(1), "read", seconds(10)));
  bind(2, upload(p256_public_key(2), "read", seconds(100)));
  temp_.waits = true;
  ask(session_peer(1), coap::code::get, "/temp");
  ask(session_peer(2), coap::code::get, "/temp");
  ASSERT_EQ(server_->pending_count(), 2U);
  advance(seconds(10));
  server_->end_expired(clock_.now());
  EXPECT_EQ(layer_.sent.back().id, temp_.waiting.at(0));
  EXPECT_EQ(layer_.sent.back().response.code, coap::code::unauthorized);
  EXPECT_EQ(server_->pending_count(), 1U);
  const auto sent = layer_.sent.size();
  server_->layer().respond(temp_.waiting.at(0), coap::make_response(coap::code::content), {}, clock_.now());
  EXPECT_EQ(layer_.sent.size(), sent);
}

TEST_F(ResourceServerTest, AnObservationIsAskedAtEachNotification) {
  bind(1, upload(p256_public_key(1), "read", seconds(10)));
  temp_.waits = true;
  auto request = make_request(coap::code::get, "/temp");
  request.options.add_uint(coap::option::observe, 0);
  ask(session_peer(1), std::move(request));
  const auto notify = [&](std::uint64_t number) {
    auto notification = coap::make_response(coap::code::content);
    notification.options.add_uint(coap::option::observe, number);
    server_->layer().respond(temp_.waiting.at(0), std::move(notification), {}, clock_.now());
    return layer_.sent.back().response.code;
  };
  EXPECT_EQ(notify(1), coap::code::content);
  EXPECT_EQ(notify(2), coap::code::content);
  EXPECT_EQ(server_->pending_count(), 1U);
  advance(seconds(10));
  EXPECT_EQ(notify(3), coap::code::unauthorized);
  EXPECT_EQ(server_->pending_count(), 0U);
}

TEST_F(ResourceServerTest, AnExchangeThatIsGoneIsForgotten) {
  bind(1, upload(p256_public_key(1), "read"));
  temp_.waits = true;
  ask(session_peer(1), coap::code::get, "/temp");
  layer_.lose(temp_.waiting.at(0));
  server_->pump(clock_.now());
  EXPECT_EQ(server_->pending_count(), 0U);
  ask(session_peer(1), coap::code::get, "/temp");
  server_->layer().cancel(temp_.waiting.at(1));
  EXPECT_EQ(server_->pending_count(), 0U);
  EXPECT_EQ(layer_.canceled, std::vector{temp_.waiting.at(1)});
}

TEST_F(ResourceServerTest, WaitingAnswersAreBounded) {
  bind(1, upload(p256_public_key(1), "read"));
  temp_.waits = true;
  ask(session_peer(1), coap::code::get, "/temp");
  ask(session_peer(1), coap::code::get, "/temp");
  EXPECT_EQ(ask(session_peer(1), coap::code::get, "/temp").code, coap::code::service_unavailable);
  EXPECT_EQ(server_->pending_count(), 2U);
}

TEST_F(ResourceServerTest, TellsWhatItDecidedAndWhy) {
  bind(1, upload(p256_public_key(1), "read"));
  ask(session_peer(1), coap::code::get, "/led");
  ask(session_peer(1), coap::code::get, "/temp");
  ASSERT_EQ(decisions_.size(), 3U);
  EXPECT_EQ(decisions_[0].answered, coap::code::created);
  EXPECT_EQ(decisions_[1].answered, coap::code::forbidden);
  EXPECT_EQ(decisions_[1].why, Error(reason::request_target_not_covered));
  EXPECT_EQ(decisions_[2].why, std::nullopt);
}

/// Messages in any order and number never give more than the last token allows.
TEST_F(ResourceServerTest, StaysRightUnderRepeatedLateAndForgedMessages) {
  SeededRandom random(11);
  const auto key = p256_public_key(1);
  std::vector<Bytes> tokens;
  for (int i = 0; i < 6; ++i) {
    auto claims = issuer_.claims_for(key, clock_.wall());
    claims.iat = clock_.wall() + seconds(i);
    claims.exp = clock_.wall() + seconds(500 + 10 * (6 - i));
    claims.scope = std::string(i % 2 == 0 ? "read" : "write");
    tokens.push_back(issuer_.sign(claims));
  }
  int latest = -1;
  bindings_.bindings[1] = {EntryId{1}, std::nullopt};
  for (int step = 0; step < 400; ++step) {
    const auto which = static_cast<int>(random.below(6));
    Bytes token = tokens[static_cast<std::size_t>(which)];
    const bool forged = random.below(3) == 0;
    if (forged) token[random.below(token.size())] ^= static_cast<std::uint8_t>(1 + random.below(255));
    const auto code = ask(plain_peer(static_cast<std::uint8_t>(step)), token_post(std::move(token))).code;
    if (!forged) {
      EXPECT_EQ(code, coap::code::created);
      latest = std::max(latest, which);
    }
    EXPECT_EQ(ask(session_peer(2), coap::code::get, "/temp").code, coap::code::unauthorized);
    if (latest < 0) continue;
    server_->tokens().mark_used(EntryId{1});
    const bool writes = latest % 2 == 1;
    EXPECT_EQ(ask(session_peer(1), coap::code::get, "/temp").code,
              writes ? coap::code::method_not_allowed : coap::code::content);
    EXPECT_EQ(ask(session_peer(1), coap::code::put, "/temp").code,
              writes ? coap::code::content : coap::code::method_not_allowed);
    clock_.advance(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(latest, 5);
}

}  // namespace
}  // namespace aceward::ace::rs
