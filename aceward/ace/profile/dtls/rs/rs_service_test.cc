#include "aceward/ace/profile/dtls/rs/rs_service.h"

#include "aceward/ace/profile/dtls/rs/rs_fixture.h"
#include "aceward/coap/blockwise/block_option.h"
#include "aceward/cose/cwt/reasons.h"

namespace aceward::ace::dtls {
namespace {

using namespace testing;

class RsServiceTest : public RsFixture {};

TEST_F(RsServiceTest, RawKeyAfterUpload) {
  EXPECT_EQ(post(token(a_, p256_public_key(1), "read")), coap::code::created);
  const auto peer = connect_raw(1);
  ASSERT_TRUE(is_up(peer));
  EXPECT_EQ(suite_of(peer), "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8");
  const auto answer = ask(peer, make_request(coap::code::get, "/temp"));
  EXPECT_EQ(answer.code, coap::code::content);
  EXPECT_EQ(answer.payload, to_bytes("21.5 C"));
}

TEST_F(RsServiceTest, RawKeyWithoutUploadIsABadCertificate) {
  expect_failed(connect_raw(1), tls::Alert::bad_certificate, reason::raw_key_without_token);
  EXPECT_EQ(post(token(a_, p256_public_key(2), "read")), coap::code::created);
  expect_failed(connect_raw(1), tls::Alert::bad_certificate, reason::raw_key_without_token);
}

TEST_F(RsServiceTest, RawKeyWhoseTokenHasExpiredIsRefused) {
  post(token(a_, p256_public_key(1), "read", seconds(10)));
  clock_.advance(seconds(10));
  expect_failed(connect_raw(1), tls::Alert::bad_certificate, reason::raw_key_without_token);
}

TEST_F(RsServiceTest, PskByKidAfterUpload) {
  const auto key = symmetric_key(1, "kid-1");
  EXPECT_EQ(post(token(a_, key, "read")), coap::code::created);
  const auto peer = connect_psk(serialize_kid_identity(to_bytes("kid-1")), key);
  ASSERT_TRUE(is_up(peer));
  EXPECT_EQ(suite_of(peer), "TLS_PSK_WITH_AES_128_CCM_8");
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  EXPECT_EQ(ask(peer, coap::code::put), coap::code::method_not_allowed);
}

TEST_F(RsServiceTest, PskByTokenNeedsNoUpload) {
  const auto key = symmetric_key(1, "kid-1");
  const auto peer = connect_psk(token(a_, key, "read"), key);
  ASSERT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
}

TEST_F(RsServiceTest, PskIdentitiesOfNoUseAreIllegalParameters) {
  const auto key = symmetric_key(1, "kid-1");
  const auto refused = [&](Bytes identity, const Reason& why) {
    expect_failed(connect_psk(std::move(identity), key), tls::Alert::illegal_parameter, why);
    EXPECT_EQ(service_->server().tokens().size(), 0U) << why.id;
  };
  refused(to_bytes("alice"), reason::psk_identity_malformed);
  refused(serialize_kid_identity(to_bytes("kid-1")), reason::psk_kid_unknown);
  Bytes forged = token(a_, key, "read");
  forged.back() ^= 1;
  refused(std::move(forged), reason::cwt_verification_failed);
  Bytes expired = token(a_, key, "read", seconds(0));
  refused(std::move(expired), reason::token_expired);
  auto claims = a_.claims_for(key, clock_.wall());
  claims.aud = cwt::Audience("rs2");
  refused(a_.encrypt(claims), reason::token_audience_unknown);
  refused(token(a_, p256_public_key(1), "read"), reason::token_cnf_unusable);
}

TEST_F(RsServiceTest, AWrongPskDoesNotConnect) {
  post(token(a_, symmetric_key(1, "kid-1"), "read"));
  const auto peer = connect_psk(serialize_kid_identity(to_bytes("kid-1")), symmetric_key(2, ""));
  EXPECT_FALSE(is_up(peer));
  EXPECT_EQ(service_->channel().bound_count(), 0U);
}

TEST_F(RsServiceTest, AKidOfTwoClientsIsAmbiguousButTheirTokensAreNot) {
  const auto first = symmetric_key(1, "kid");
  const auto second = symmetric_key(2, "kid");
  const Bytes first_token = token(a_, first, "read");
  post(first_token);
  const Bytes second_token = token(a_, second, "write");
  post(second_token);
  expect_failed(connect_psk(serialize_kid_identity(to_bytes("kid")), first), tls::Alert::illegal_parameter,
                reason::psk_kid_ambiguous);
  const auto first_peer = connect_psk(first_token, first);
  const auto second_peer = connect_psk(second_token, second);
  EXPECT_EQ(ask(first_peer, coap::code::get), coap::code::content);
  EXPECT_EQ(ask(first_peer, coap::code::put), coap::code::method_not_allowed);
  EXPECT_EQ(ask(second_peer, coap::code::get), coap::code::method_not_allowed);
  EXPECT_EQ(ask(second_peer, coap::code::put), coap::code::content);
}

TEST_F(RsServiceTest, AKidOfTwoIssuersIsAmbiguous) {
  post(token(a_, symmetric_key(1, "kid"), "read"));
  post(token(b_, symmetric_key(2, "kid"), "write"));
  expect_failed(connect_psk(serialize_kid_identity(to_bytes("kid")), symmetric_key(1, "")),
                tls::Alert::illegal_parameter, reason::psk_kid_ambiguous);
}

TEST_F(RsServiceTest, TwoIssuersWithOneKidKeepTheirClientsApart) {
  const auto of_a = symmetric_key(1, "kid");
  const auto of_b = symmetric_key(2, "kid");
  const auto peer_a = connect_psk(token(a_, of_a, "read"), of_a);
  const auto peer_b = connect_psk(token(b_, of_b, "write"), of_b);
  EXPECT_EQ(ask(peer_a, coap::code::put), coap::code::method_not_allowed);
  EXPECT_EQ(ask(peer_b, coap::code::get), coap::code::method_not_allowed);
  // b updates "kid": that is b's client, never a's.
  clock_.advance(seconds(1));
  auto claims = b_.claims(clock_.wall());
  claims.scope = std::string("read write");
  claims.cnf = cwt::Confirmation(cwt::KeyId{to_bytes("kid")});
  EXPECT_EQ(post(b_.encrypt(claims)), coap::code::created);
  EXPECT_EQ(ask(peer_a, coap::code::put), coap::code::method_not_allowed);
  EXPECT_EQ(ask(peer_b, coap::code::get), coap::code::content);
}

/// Another client's token with the same kid comes after each of the handshake's datagrams, once with each: the session
/// must fail, or have the rights of the key that was used.
TEST_F(RsServiceTest, ATokenWithTheSameKidWithinTheHandshakeGivesItNoRights) {
  int established = 0;
  for (std::uint8_t after = 1; after <= 6; ++after) {
    const std::string kid = "kid-" + std::to_string(after);
    const auto own = symmetric_key(after, kid);
    const auto other = symmetric_key(static_cast<std::uint8_t>(100 + after), kid);
    ASSERT_EQ(post(token(a_, own, "read")), coap::code::created);
    const Bytes late = token(a_, other, "write");
    int seen = 0;
    between_datagrams_ = [&] {
      if (++seen != after) return;
      EXPECT_TRUE(service_->server().authz_info().take(late, true, clock_.now(), clock_.wall()).has_value());
    };
    const auto peer = connect_psk(serialize_kid_identity(to_bytes(kid)), own);
    between_datagrams_ = nullptr;
    if (!is_up(peer)) continue;
    ++established;
    EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
    EXPECT_EQ(ask(peer, coap::code::put), coap::code::method_not_allowed);
  }
  EXPECT_GT(established, 0);
}

TEST_F(RsServiceTest, ATokenForTheKeyUpdatesTheRunningSession) {
  const auto key = symmetric_key(1, "kid-1");
  const auto peer = connect_psk(token(a_, key, "read"), key);
  EXPECT_EQ(ask(peer, coap::code::put), coap::code::method_not_allowed);
  clock_.advance(seconds(1));
  EXPECT_EQ(post(token(a_, key, "read write")), coap::code::created);
  EXPECT_EQ(ask(peer, coap::code::put), coap::code::content);
  EXPECT_TRUE(is_up(peer));
  clock_.advance(seconds(1));
  // The upload may come within the session just as well.
  EXPECT_EQ(ask(peer, token_post(token(a_, key, "read"))).code, coap::code::created);
  EXPECT_EQ(ask(peer, coap::code::put), coap::code::method_not_allowed);
}

// The rest of a long answer is fetched from below access control.
TEST_F(RsServiceTest, TheRestOfAnAnswerIsNotGivenToWhoseRightsWereTakenMeanwhile) {
  NamedResource large(std::string(3000, 'x'));
  service_->server().add("/temp", large);
  const auto key = symmetric_key(1, "kid-1");
  const auto peer = connect_psk(token(a_, key, "read"), key);
  const auto block = [&](std::uint32_t number) {
    auto request = make_request(coap::code::get, "/temp");
    coap::set_block(request.options, coap::option::block2, {number, false, coap::Szx(6)});
    return request;
  };
  // Read goes and write stays: the session lives on.
  const auto fetched_until = [&](std::uint32_t number, const std::string& scope) {
    clock_.advance(seconds(1));
    EXPECT_EQ(post(token(a_, key, scope)), coap::code::created);
    return ask(peer, block(number)).code;
  };
  // The layer of the client passes single blocks, but puts together what begins with the first.
  const auto whole = ask(peer, make_request(coap::code::get, "/temp"));
  EXPECT_EQ(whole.payload.size(), 3000U);
  EXPECT_EQ(large.calls, 1);
  EXPECT_EQ(ask(peer, block(1)).code, coap::code::content);
  EXPECT_EQ(large.calls, 2);
  ASSERT_GT(service_->stack().blockwise().occupancy().held, 0U);
  EXPECT_EQ(fetched_until(1, "write"), coap::code::method_not_allowed);
  EXPECT_EQ(service_->stack().blockwise().occupancy().held, 0U);
  EXPECT_EQ(large.calls, 2);
  EXPECT_TRUE(is_up(peer));
  EXPECT_EQ(fetched_until(1, "read"), coap::code::content);
}

TEST_F(RsServiceTest, ASessionEndsWithItsLastToken) {
  const auto key = symmetric_key(1, "kid-1");
  const auto peer = connect_psk(token(a_, key, "read", seconds(10)), key);
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  ASSERT_TRUE(service_->next_timeout().has_value());
  EXPECT_LE(*service_->next_timeout(), clock_.now() + seconds(10));
  advance(seconds(9));
  EXPECT_TRUE(is_up(peer));
  advance(seconds(1));
  EXPECT_FALSE(is_up(peer));
  EXPECT_EQ(service_->stack().session_count(), 0U);
  EXPECT_EQ(service_->channel().bound_count(), 0U);
  EXPECT_EQ(service_->server().tokens().size(), 0U);
}

TEST_F(RsServiceTest, ARequestAtTheEndIsAnsweredBeforeTheSessionCloses) {
  const auto key = symmetric_key(1, "kid-1");
  const auto peer = connect_psk(token(a_, key, "read", seconds(10)), key);
  clock_.advance(seconds(10));
  const auto answer = ask(peer, make_request(coap::code::get, "/temp"));
  EXPECT_EQ(answer.code, coap::code::unauthorized);
  EXPECT_EQ(must(cbor::parse<CreationHints>(answer.payload)).kid, to_bytes("kid-1"));
  EXPECT_FALSE(is_up(peer));
  EXPECT_EQ(temp_.calls, 0);
}

TEST_F(RsServiceTest, ALongRequestIsAnsweredWith401BeforeTheSessionCloses) {
  const auto key = symmetric_key(1, "kid-1");
  const auto peer = connect_psk(token(a_, key, "read", seconds(10)), key);
  temp_.waits = true;
  const auto id = must(client_.layer().request(peer, make_request(coap::code::get, "/temp"), {}, clock_.now()));
  carry();
  ASSERT_EQ(temp_.waiting.size(), 1U);
  advance(seconds(10));
  const auto answered = std::ranges::any_of(events_, [&](const coap::Event& event) {
    const auto* arrived = std::get_if<coap::ResponseArrived>(&event);
    return arrived != nullptr && arrived->id == id && arrived->response.code == coap::code::unauthorized;
  });
  EXPECT_TRUE(answered);
  EXPECT_FALSE(is_up(peer));
}

TEST_F(RsServiceTest, ARenewedTokenKeepsTheSession) {
  const auto key = symmetric_key(1, "kid-1");
  const auto peer = connect_psk(token(a_, key, "read", seconds(10)), key);
  advance(seconds(5));
  post(token(a_, key, "read", seconds(100)));
  advance(seconds(5));
  EXPECT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  advance(seconds(95));
  EXPECT_FALSE(is_up(peer));
}

TEST_F(RsServiceTest, RefusedRequestsDoNotEndTheSession) {
  const auto key = symmetric_key(1, "kid-1");
  const auto peer = connect_psk(token(a_, key, "read"), key);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ask(peer, coap::code::put), coap::code::method_not_allowed);
    EXPECT_EQ(ask(peer, make_request(coap::code::get, "/other")).code, coap::code::forbidden);
  }
  EXPECT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
}

TEST_F(RsServiceTest, AnExpiryIsNoticedAfterAStepOfTheClock) {
  const auto key = symmetric_key(1, "kid-1");
  const auto peer = connect_psk(token(a_, key, "read", seconds(3600)), key);
  clock_.set_wall(clock_.wall() + seconds(3600));
  ASSERT_TRUE(service_->next_own_timeout().has_value());
  EXPECT_LE(*service_->next_own_timeout(), clock_.now() + seconds(60));
  advance(seconds(60));
  EXPECT_FALSE(is_up(peer));
}

TEST_F(RsServiceTest, PlainRequestsGetHintsAndNothingElse) {
  const auto answer = ask(client_.plain_peer(plain_listener), make_request(coap::code::get, "/temp"));
  EXPECT_EQ(answer.code, coap::code::unauthorized);
  const auto hints = must(cbor::parse<CreationHints>(answer.payload));
  EXPECT_EQ(hints.as_uri, "coaps://as.example/token");
  EXPECT_EQ(hints.kid, std::nullopt);
  EXPECT_EQ(temp_.calls, 0);
}

TEST_F(RsServiceTest, AClosedSessionHasNoRightsLeft) {
  const auto key = symmetric_key(1, "kid-1");
  const auto peer = connect_psk(token(a_, key, "read"), key);
  EXPECT_EQ(service_->channel().bound_count(), 1U);
  client_.close(peer.session, clock_.now());
  carry();
  EXPECT_EQ(service_->channel().bound_count(), 0U);
  EXPECT_EQ(service_->server().tokens().size(), 1U);
}

TEST_F(RsServiceTest, TheSameClientMayConnectAgain) {
  const auto key = symmetric_key(1, "kid-1");
  const Bytes octets = token(a_, key, "read");
  const auto first = connect_psk(octets, key);
  const auto second = connect_psk(octets, key);
  EXPECT_EQ(ask(first, coap::code::get), coap::code::content);
  EXPECT_EQ(ask(second, coap::code::get), coap::code::content);
  EXPECT_EQ(service_->server().tokens().size(), 1U);
}

TEST_F(RsServiceTest, AnOutdatedTokenAsIdentityGivesNoOldRights) {
  const auto key = symmetric_key(1, "kid-1");
  const Bytes older = token(a_, key, "write");
  clock_.advance(seconds(1));
  post(token(a_, key, "read", seconds(10)));
  const auto peer = connect_psk(older, key);
  ASSERT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, coap::code::put), coap::code::method_not_allowed);
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  advance(seconds(10));
  expect_failed(connect_psk(older, key), tls::Alert::illegal_parameter, reason::psk_token_outdated);
}

TEST(RsChannelTest, RefusesEverybodyBeforeItIsAttached) {
  const ManualClock clock;
  RsChannel channel(clock);
  EXPECT_FALSE(channel.psk(serialize_kid_identity(to_bytes("kid"))).has_value());
  EXPECT_FALSE(channel.raw_public_key(raw_key_pair(1).spki()).has_value());
}

TEST_F(RsServiceTest, ANumberOfAPlainPeerIsNoSession) {
  const auto key = symmetric_key(0x42, "kid");
  ASSERT_EQ(post(token(a_, key, "read")), coap::code::created);
  ASSERT_TRUE(is_up(connect_psk(serialize_kid_identity(to_bytes("kid")), key)));
  const auto entries = service_->server().tokens().symmetric_by_kid(to_bytes("kid"), clock_.wall());
  ASSERT_EQ(entries.size(), 1U);
  const auto sessions = service_->channel().sessions_of(entries.front());
  ASSERT_EQ(sessions.size(), 1U);
  coap::Peer peer = plain_peer();
  peer.session = sessions.front();
  EXPECT_EQ(service_->channel().binding_of(peer), nullptr);
  peer.transport = coap::Transport::dtls;
  EXPECT_NE(service_->channel().binding_of(peer), nullptr);
  ++peer.session;
  EXPECT_EQ(service_->channel().binding_of(peer), nullptr);
}

}  // namespace
}  // namespace aceward::ace::dtls
