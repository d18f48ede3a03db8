#include "aceward/ace/profile/dtls/rs/rs_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "aceward/ace/profile/dtls/psk_identity.h"
#include "aceward/ace/profile/dtls/reasons.h"
#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/rs/rs_test_support.h"
#include "aceward/ace/token/reasons.h"
#include "aceward/coap/blockwise/block_option.h"
#include "aceward/coaps/client_stack.h"
#include "aceward/cose/cwt/reasons.h"

namespace aceward::ace::dtls {
namespace {

using namespace rs::testing;
using ace::testing::p256_key;
using std::chrono::seconds;

const Address plain_listener = Address::v4(192, 0, 2, 1, 5683);
const Address secure_listener = Address::v4(192, 0, 2, 1, 5684);

tls::RawKeyPair raw_key_pair(std::uint64_t seed) {
  return must(tls::RawKeyPair::from_key(must(p256_key(seed).private_key())));
}

/// A resource server and a client with a wire between them that takes no time.
class RsServiceTest : public ::testing::Test {
 protected:
  RsServiceTest() : client_({}, random_) {
    RsServiceConfig config;
    std::vector<TrustedIssuer> issuers;
    issuers.push_back(a_.trusted());
    issuers.push_back(b_.trusted());
    config.tokens = ace::testing::verifier_config(std::move(issuers));
    config.server.hints.as_uri = "coaps://as.example/token";
    config.server.authz_info = {.per_peer = 1000, .in_all = 1000, .peers = 10};
    config.stack.dtls = tls::ServerConfig{.raw_key = raw_key_pair(900)};
    service_ = must(RsService::create(std::move(config), clock_, random_));
    service_->server().add("/temp", temp_);
    service_->set_session_observer([this](const coaps::SessionEvent& event) {
      if (const auto* failed = std::get_if<coaps::SessionFailed>(&event)) failures_.push_back(*failed);
    });
  }

  Address address_of(coaps::Channel channel) const {
    return Address::v4(198, 51, 100, 7, static_cast<std::uint16_t>(40'000 + channel));
  }
  void carry() {
    const Instant now = clock_.now();
    for (bool moved = true; moved;) {
      moved = false;
      while (auto out = client_.next_datagram(now)) {
        moved = true;
        const bool secure = out->to == secure_listener;
        service_->receive(secure ? coaps::ListenerKind::secure : coaps::ListenerKind::plain, address_of(out->channel),
                          out->to, out->datagram, now);
        if (between_datagrams_) between_datagrams_();
      }
      while (auto out = service_->next_datagram(now)) {
        moved = true;
        client_.receive(out->to.port - 40'000U, out->local, out->datagram, now);
      }
      while (auto event = client_.next_session_event()) session_events_.push_back(std::move(*event));
      while (auto event = client_.layer().next_event(now)) events_.push_back(std::move(*event));
      const auto due = service_->next_timeout();
      if (!moved && due && *due <= now) {
        service_->on_timeout(now);
        moved = true;
      }
    }
  }
  /// Moves the clocks and lets the service do what is due.
  void advance(seconds by) {
    clock_.advance(by);
    service_->on_timeout(clock_.now());
    carry();
  }

  Bytes token(TestIssuer& issuer, const cose::Key& key, const std::string& scope, seconds lifetime = seconds(600)) {
    auto claims = issuer.claims_for(key, clock_.wall());
    claims.scope = scope;
    claims.exp = clock_.wall() + lifetime;
    return issuer.encrypt(claims);
  }
  coap::Code post(Bytes octets) { return ask(client_.plain_peer(plain_listener), token_post(std::move(octets))).code; }
  coap::Response ask(const coap::Peer& peer, coap::Request request) {
    const auto id = must(client_.layer().request(peer, std::move(request), {}, clock_.now()));
    carry();
    for (const auto& event : events_) {
      const auto* arrived = std::get_if<coap::ResponseArrived>(&event);
      if (arrived != nullptr && arrived->id == id) return arrived->response;
    }
    return coap::make_response(coap::code::empty);
  }
  coap::Code ask(const coap::Peer& peer, coap::Code method) { return ask(peer, make_request(method, "/temp")).code; }

  coap::Peer connect(tls::ClientCredentials credentials) {
    const auto peer = must(client_.connect(secure_listener, std::move(credentials), clock_.now()));
    carry();
    return peer;
  }
  coap::Peer connect_psk(Bytes identity, const cose::Key& key) {
    return connect(tls::PskClient{std::move(identity), Secret::copy_of(key.k())});
  }
  coap::Peer connect_raw(std::uint64_t seed) {
    return connect(tls::RawKeyClient{raw_key_pair(seed), to_bytes(raw_key_pair(900).spki())});
  }
  bool is_up(const coap::Peer& peer) const { return client_.identity(peer.session) != nullptr; }
  std::string suite_of(const coap::Peer& peer) const {
    for (const auto& event : session_events_) {
      const auto* established = std::get_if<coaps::SessionEstablished>(&event);
      if (established != nullptr && established->peer == peer) return established->info.cipher_suite;
    }
    return {};
  }
  void expect_failed(const coap::Peer& peer, tls::Alert alert, const Reason& why) {
    EXPECT_FALSE(is_up(peer));
    ASSERT_FALSE(failures_.empty());
    EXPECT_EQ(failures_.back().alert_sent, alert);
    EXPECT_EQ(failures_.back().why.id(), why.id);
  }

  TestIssuer a_{"a", 1, "as"};
  TestIssuer b_{"b", 2, "as"};
  ManualClock clock_;
  SeededRandom random_{77};
  NamedResource temp_{"21.5 C"};
  std::unique_ptr<RsService> service_;
  coaps::ClientStack client_;
  std::vector<coaps::SessionEvent> session_events_;
  std::vector<coaps::SessionFailed> failures_;
  std::vector<coap::Event> events_;
  std::function<void()> between_datagrams_;
};

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
