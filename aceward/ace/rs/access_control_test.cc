#include "aceward/ace/rs/access_control.h"

#include <gtest/gtest.h>

#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/rs/rs_test_support.h"

namespace aceward::ace::rs {
namespace {

using namespace testing;
using std::chrono::seconds;

static_assert(!std::is_copy_constructible_v<AuthorizedRequest> && !std::is_move_constructible_v<AuthorizedRequest>);
static_assert(!std::is_default_constructible_v<VerifiedToken> && !std::is_copy_constructible_v<VerifiedToken>);

class AccessControlTest : public ::testing::Test {
 protected:
  AccessControlTest()
      : verifier_(must(TokenVerifier::create(ace::testing::verifier_config(issuer_)))),
        access_(store_, bindings_, verifier_.scopes(), hints()) {}

  static HintsConfig hints(HintsConfig::SuggestScope suggest = HintsConfig::SuggestScope::no) {
    return {.as_uri = "coaps://as.example/token", .audience = "rs1", .suggest_scope = suggest};
  }
  EntryId upload(const cose::Key& key, std::string scope, seconds iat = seconds(0)) {
    auto claims = issuer_.claims_for(key);
    claims.scope = std::move(scope);
    claims.iat = test_now + iat;
    return must(store_.store(must(verifier_.verify(issuer_.encrypt(claims), test_now)), test_now)).entry;
  }
  void bind(std::uint64_t session, EntryId entry) {
    bindings_.bindings[session] = {entry, to_bytes("kid-" + std::to_string(session))};
    store_.mark_used(entry);
  }
  /// What is refused; nothing when it is allowed.
  std::optional<Refusal> ask(AccessControl& access, const coap::Peer& peer, const coap::Request& request,
                             seconds at = seconds(0)) {
    bool used = false;
    auto refusal = access.authorize(peer, request, test_now + at, [&](const AuthorizedRequest& authorized) {
      used = true;
      EXPECT_EQ(&authorized.request(), &request);
      EXPECT_EQ(authorized.peer(), peer);
    });
    EXPECT_NE(used, refusal.has_value());
    return refusal;
  }
  std::optional<Refusal> ask(const coap::Peer& peer, const coap::Request& request, seconds at = seconds(0)) {
    return ask(access_, peer, request, at);
  }
  void expect_refused(const std::optional<Refusal>& refusal, coap::Code code, const Reason& reason) {
    ASSERT_TRUE(refusal.has_value()) << reason.id;
    EXPECT_EQ(refusal->why.id(), reason.id);
    EXPECT_EQ(refusal->response.code, code);
  }
  static CreationHints hints_of(const Refusal& refusal) {
    EXPECT_EQ(refusal.response.options.content_format(), coap::content_format::ace_cbor);
    return must(cbor::parse<CreationHints>(refusal.response.payload));
  }

  static CreationHints hints_with(std::optional<Bytes> kid) {
    CreationHints hints;
    hints.as_uri = "coaps://as.example/token";
    hints.audience = "rs1";
    hints.kid = std::move(kid);
    return hints;
  }

  TestIssuer issuer_;
  TokenVerifier verifier_;
  TokenStore store_;
  FakeBindings bindings_;
  AccessControl access_;
};

const coap::Request get_temp = make_request(coap::code::get, "/temp");

TEST_F(AccessControlTest, AllowsWhatTheTokenAllows) {
  bind(1, upload(p256_public_key(1), "read"));
  EXPECT_FALSE(ask(session_peer(1), get_temp).has_value());
  EXPECT_EQ(access_.counters().allowed, 1U);
}

TEST_F(AccessControlTest, AnUnprotectedRequestIsUnauthorized) {
  upload(p256_public_key(1), "read");
  expect_refused(ask(plain_peer(), get_temp), coap::code::unauthorized, reason::request_unprotected);
}

TEST_F(AccessControlTest, ASessionWithoutATokenIsUnauthorized) {
  bind(1, upload(p256_public_key(1), "read"));
  expect_refused(ask(session_peer(2), get_temp), coap::code::unauthorized, reason::request_unprotected);
  bindings_.bindings[3] = {EntryId{99}, std::nullopt};
  expect_refused(ask(session_peer(3), get_temp), coap::code::unauthorized, reason::request_without_token);
}

TEST_F(AccessControlTest, AnExpiredTokenIsUnauthorizedAtItsVerySecond) {
  bind(1, upload(p256_public_key(1), "read"));
  EXPECT_FALSE(ask(session_peer(1), get_temp, seconds(599)).has_value());
  expect_refused(ask(session_peer(1), get_temp, seconds(600)), coap::code::unauthorized, reason::request_without_token);
}

TEST_F(AccessControlTest, AnotherPathIsForbidden) {
  bind(1, upload(p256_public_key(1), "read"));
  for (const std::string_view path : {"/led", "/", "/temp/x", "/nowhere"}) {
    expect_refused(ask(session_peer(1), make_request(coap::code::get, path)), coap::code::forbidden,
                   reason::request_target_not_covered);
  }
}

TEST_F(AccessControlTest, AnotherMethodIsNotAllowed) {
  bind(1, upload(p256_public_key(1), "read"));
  for (const auto method : {coap::code::put, coap::code::post, coap::code::delete_, coap::code::fetch}) {
    expect_refused(ask(session_peer(1), make_request(method, "/temp")), coap::code::method_not_allowed,
                   reason::request_method_not_covered);
  }
}

TEST_F(AccessControlTest, ASlashWithinASegmentIsNoSeparator) {
  auto claims = issuer_.claims_for(p256_public_key(1));
  claims.scope = Aif::parse_text("/a/b=GET")->serialize();
  bind(1, must(store_.store(must(verifier_.verify(issuer_.sign(claims), test_now)), test_now)).entry);
  EXPECT_FALSE(ask(session_peer(1), make_request(coap::code::get, "/a/b")).has_value());
  coap::Request one_segment{.method = coap::code::get, .options = {}, .payload = {}};
  one_segment.options.add(coap::option::uri_path, "a/b");
  expect_refused(ask(session_peer(1), one_segment), coap::code::forbidden, reason::request_target_not_covered);
}

TEST_F(AccessControlTest, OneClientsSessionNeverHasAnothersRights) {
  auto first = symmetric_key(1, "kid");
  auto second = symmetric_key(2, "kid");
  bind(1, upload(first, "read"));
  bind(2, upload(second, "write"));
  EXPECT_FALSE(ask(session_peer(1), get_temp).has_value());
  EXPECT_TRUE(ask(session_peer(2), get_temp).has_value());
  EXPECT_TRUE(ask(session_peer(1), make_request(coap::code::put, "/temp")).has_value());
  EXPECT_FALSE(ask(session_peer(2), make_request(coap::code::put, "/temp")).has_value());
}

TEST_F(AccessControlTest, ANewTokenCountsAtOnce) {
  bind(1, upload(p256_public_key(1), "read"));
  EXPECT_TRUE(ask(session_peer(1), make_request(coap::code::put, "/temp")).has_value());
  upload(p256_public_key(1), "write", seconds(1));
  EXPECT_FALSE(ask(session_peer(1), make_request(coap::code::put, "/temp")).has_value());
  expect_refused(ask(session_peer(1), get_temp), coap::code::method_not_allowed, reason::request_method_not_covered);
}

TEST_F(AccessControlTest, RequestsForOthersAreForbidden) {
  bind(1, upload(p256_public_key(1), "read"));
  AccessControl named(store_, bindings_, verifier_.scopes(), hints(), {"rs.example"});
  auto request = get_temp;
  EXPECT_FALSE(ask(named, session_peer(1), request).has_value());
  request.options.add(coap::option::uri_host, "rs.example");
  EXPECT_FALSE(ask(named, session_peer(1), request).has_value());
  request.options.remove(coap::option::uri_host);
  request.options.add(coap::option::uri_host, "other.example");
  expect_refused(ask(named, session_peer(1), request), coap::code::forbidden, reason::request_not_for_us);
  EXPECT_FALSE(ask(session_peer(1), request).has_value());
  for (const auto option : {coap::option::proxy_uri, coap::option::proxy_scheme}) {
    auto proxied = get_temp;
    proxied.options.add(option, "coap");
    expect_refused(ask(session_peer(1), proxied), coap::code::forbidden, reason::request_not_for_us);
  }
}

TEST_F(AccessControlTest, HintsOnAnUnprotectedChannelTellNoKid) {
  EXPECT_EQ(hints_of(*ask(plain_peer(), get_temp)), hints_with(std::nullopt));
}

TEST_F(AccessControlTest, HintsWithinASessionTellItsKid) {
  bind(1, upload(p256_public_key(1), "read"));
  const CreationHints expected = hints_with(to_bytes("kid-1"));
  EXPECT_EQ(hints_of(*ask(session_peer(1), make_request(coap::code::get, "/led"))), expected);
  EXPECT_EQ(hints_of(*ask(session_peer(1), make_request(coap::code::put, "/temp"))), expected);
  EXPECT_EQ(hints_of(*ask(session_peer(1), get_temp, seconds(600))), expected);
}

TEST_F(AccessControlTest, HintsAreThoseOfRfc9200Figure3WithoutANonce) {
  std::map<std::string, Aif> scopes;
  scopes.emplace("rTempC", *Aif::parse_text("/temp=GET"));
  const auto map = *ScopeMap::from(scopes);
  AccessControl access(store_, bindings_, map,
                       {.as_uri = "coaps://as.example.com/token",
                        .audience = "coaps://rs.example.com",
                        .suggest_scope = HintsConfig::SuggestScope::text});
  EXPECT_EQ(to_hex(ask(access, plain_peer(), get_temp)->response.payload),
            "a301781c636f6170733a2f2f61732e6578616d706c652e636f6d2f746f6b656e"
            "0576636f6170733a2f2f72732e6578616d706c652e636f6d096672"
            "54656d7043");
}

TEST_F(AccessControlTest, SuggestsAScopeThatWouldAllowTheRequest) {
  AccessControl access(store_, bindings_, verifier_.scopes(), hints(HintsConfig::SuggestScope::text));
  EXPECT_EQ(hints_of(*ask(access, plain_peer(), get_temp)).scope, Scope(std::string("read")));
  EXPECT_EQ(hints_of(*ask(access, plain_peer(), make_request(coap::code::put, "/led"))).scope,
            Scope(std::string("write")));
  EXPECT_EQ(hints_of(*ask(access, plain_peer(), make_request(coap::code::delete_, "/led"))).scope, std::nullopt);
}

TEST_F(AccessControlTest, SuggestsAnAifOfExactlyWhatWasAsked) {
  AccessControl access(store_, bindings_, verifier_.scopes(), hints(HintsConfig::SuggestScope::aif));
  auto request = make_request(coap::code::put, "/a/b");
  request.options.add(coap::option::uri_path, "c/d").add(coap::option::uri_query, "x&y");
  const auto scope = hints_of(*ask(access, plain_peer(), request)).scope;
  ASSERT_TRUE(scope.has_value());
  EXPECT_EQ(Aif::parse(std::get<Bytes>(*scope))->to_text(), "/a/b/c%2Fd?x%26y=PUT");
  auto long_request = make_request(coap::code::get, "/" + std::string(255, 'a'));
  EXPECT_EQ(hints_of(*ask(access, plain_peer(), long_request)).scope, std::nullopt);
}

TEST_F(AccessControlTest, WithoutAnAsThereAreNoHints) {
  AccessControl access(store_, bindings_, verifier_.scopes(), {});
  const auto refusal = ask(access, plain_peer(), get_temp);
  EXPECT_TRUE(refusal->response.payload.empty());
  EXPECT_TRUE(refusal->response.options.empty());
}

TEST_F(AccessControlTest, AGrantIsAskedAgain) {
  const EntryId entry = upload(p256_public_key(1), "read");
  bind(1, entry);
  std::optional<Grant> grant;
  ASSERT_FALSE(access_.authorize(session_peer(1), get_temp, test_now,
                                 [&](const AuthorizedRequest& request) { grant = request.grant(); }));
  EXPECT_FALSE(access_.renew(*grant, test_now + seconds(599)).has_value());
  expect_refused(access_.renew(*grant, test_now + seconds(600)), coap::code::unauthorized,
                 reason::request_without_token);
  upload(p256_public_key(1), "write", seconds(1));
  expect_refused(access_.renew(*grant, test_now), coap::code::method_not_allowed, reason::request_method_not_covered);
  upload(p256_public_key(1), "read", seconds(2));
  EXPECT_FALSE(access_.renew(*grant, test_now).has_value());
  bindings_.bindings.clear();
  expect_refused(access_.renew(*grant, test_now), coap::code::unauthorized, reason::request_unprotected);
}

TEST_F(AccessControlTest, AGrantEndsWithItsKeyEvenIfTheSessionHasAnother) {
  bind(1, upload(p256_public_key(1), "read"));
  std::optional<Grant> grant;
  access_.authorize(session_peer(1), get_temp, test_now,
                    [&](const AuthorizedRequest& request) { grant = request.grant(); });
  bind(1, upload(p256_public_key(2), "read"));
  expect_refused(access_.renew(*grant, test_now), coap::code::unauthorized, reason::request_without_token);
}

}  // namespace
}  // namespace aceward::ace::rs
