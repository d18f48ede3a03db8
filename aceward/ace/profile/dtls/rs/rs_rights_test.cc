// Where rights come from and what ends them: derived keys, configured keys, revocation, reloading, resumption.
#include "aceward/ace/profile/dtls/rs/rs_fixture.h"
#include "aceward/ace/token/key_derivation.h"
#include "aceward/cbor/schema.h"

namespace aceward::ace::dtls {
namespace {

using namespace testing;

class RsRightsTest : public RsFixture {
 protected:
  rs::ConfiguredKey configured(std::string name, const cose::Key& key, const std::string& scope, Bytes identity = {}) {
    return {.name = std::move(name), .key = key.clone(), .psk_identity = std::move(identity), .scope = scope};
  }
  TokenVerifierConfig tokens() const {
    std::vector<TrustedIssuer> issuers;
    issuers.push_back(a_.trusted());
    return ace::testing::verifier_config(std::move(issuers));
  }
  RsReload reload(TokenVerifierConfig tokens) const {
    return {.tokens = std::move(tokens), .hints = {}, .hosts = {}, .configured_keys = {}};
  }
  /// What a change outside of any datagram leads to.
  void settle() {
    service_->pump(clock_.now());
    carry();
  }
};

TEST_F(RsRightsTest, AKeyThatTheTokenOnlyNamesIsDerivedFromIt) {
  const Secret derivation(Bytes(16, 0x5a));
  start([&](RsServiceConfig& config) {
    for (auto& issuer : config.tokens.issuers) issuer.derivation_keys.push_back(derivation.clone());
  });
  auto claims = a_.claims();
  claims.cnf = cwt::Confirmation(cwt::KeyId{to_bytes("new kid")});
  const Bytes token = a_.encrypt(claims);
  const cose::Key key = must(cose::Key::symmetric(must(derive_pop_key(derivation, token))));
  const auto in_handshake = connect_psk(token, key);
  ASSERT_TRUE(is_up(in_handshake));
  EXPECT_EQ(ask(in_handshake, coap::code::get), coap::code::content);
  const auto by_kid = connect_psk(serialize_kid_identity(to_bytes("new kid")), key);
  ASSERT_TRUE(is_up(by_kid));
  EXPECT_EQ(ask(by_kid, coap::code::get), coap::code::content);

  // A later token with this kid is an update: it keeps the key, though another could be derived from it.
  claims.iat = clock_.wall() + seconds(1);
  claims.scope = std::string("read write");
  EXPECT_EQ(post(a_.encrypt(claims)), coap::code::created);
  EXPECT_EQ(ask(by_kid, coap::code::put), coap::code::content);
}

TEST_F(RsRightsTest, ADerivedKeyOfOneIssuerIsNoKeyOfAnother) {
  start([&](RsServiceConfig& config) { config.tokens.issuers.at(0).derivation_keys.emplace_back(Bytes(16, 1)); });
  auto claims = b_.claims();
  claims.cnf = cwt::Confirmation(cwt::KeyId{to_bytes("kid")});
  EXPECT_EQ(post(b_.encrypt(claims)), coap::code::bad_request);
}

TEST_F(RsRightsTest, AConfiguredRawKeyNeedsNoToken) {
  start([&](RsServiceConfig& config) {
    config.configured_keys.push_back(configured("gateway", p256_public_key(1), "read"));
  });
  const auto peer = connect_raw(1);
  ASSERT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  EXPECT_EQ(ask(peer, coap::code::put), coap::code::method_not_allowed);
  advance(std::chrono::hours(10));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  expect_failed(connect_raw(2), tls::Alert::bad_certificate, reason::raw_key_without_token);
}

TEST_F(RsRightsTest, AConfiguredPskIsKnownByItsIdentity) {
  const auto key = symmetric_key(9, {});
  start([&](RsServiceConfig& config) {
    config.configured_keys.push_back(configured("old sensor", key, "read", to_bytes("sensor-7")));
  });
  const auto peer = connect_psk(to_bytes("sensor-7"), key);
  ASSERT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  EXPECT_FALSE(is_up(connect_psk(to_bytes("sensor-7"), symmetric_key(8, {}))));
  expect_failed(connect_psk(to_bytes("sensor-8"), key), tls::Alert::illegal_parameter, reason::psk_identity_malformed);
}

TEST_F(RsRightsTest, ATokenAddsToAConfiguredKeyAndTakesAwayOnlyItsOwn) {
  start([&](RsServiceConfig& config) {
    config.configured_keys.push_back(configured("gateway", p256_public_key(1), "read"));
  });
  const auto peer = connect_raw(1);
  EXPECT_EQ(post(token(a_, p256_public_key(1), "write", seconds(60))), coap::code::created);
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  EXPECT_EQ(ask(peer, coap::code::put), coap::code::content);
  advance(seconds(60));
  EXPECT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  EXPECT_EQ(ask(peer, coap::code::put), coap::code::method_not_allowed);
}

TEST_F(RsRightsTest, AKeyThatIsNotConfiguredAnyMoreLosesItsSession) {
  start([&](RsServiceConfig& config) {
    config.configured_keys.push_back(configured("one", p256_public_key(1), "read"));
    config.configured_keys.push_back(configured("two", p256_public_key(2), "read"));
  });
  const auto one = connect_raw(1);
  const auto two = connect_raw(2);
  auto next = reload(tokens());
  next.configured_keys.push_back(configured("two", p256_public_key(2), "write"));
  ASSERT_TRUE(service_->reconfigure(std::move(next)));
  settle();
  EXPECT_FALSE(is_up(one));
  ASSERT_TRUE(is_up(two));
  EXPECT_EQ(ask(two, coap::code::get), coap::code::method_not_allowed);
  EXPECT_EQ(ask(two, coap::code::put), coap::code::content);
}

TEST_F(RsRightsTest, ARevokedTokenEndsItsSessionAndDoesNotComeBack) {
  const Bytes first = token(a_, p256_public_key(1), "read");
  EXPECT_EQ(post(first), coap::code::created);
  const auto peer = connect_raw(1);
  temp_.waits = true;
  const auto waiting = must(client_.layer().request(peer, make_request(coap::code::get, "/temp"), {}, clock_.now()));
  carry();
  ASSERT_EQ(temp_.waiting.size(), 1U);
  EXPECT_TRUE(service_->end_token(token_hash(first)));
  settle();
  const auto answer = std::ranges::find_if(events_, [&](const coap::Event& event) {
    const auto* arrived = std::get_if<coap::ResponseArrived>(&event);
    return arrived != nullptr && arrived->id == waiting;
  });
  ASSERT_NE(answer, events_.end());
  EXPECT_EQ(std::get<coap::ResponseArrived>(*answer).response.code, coap::code::unauthorized);
  EXPECT_FALSE(is_up(peer));
  EXPECT_EQ(post(first), coap::code::unauthorized);
  expect_failed(connect_raw(1), tls::Alert::bad_certificate, reason::raw_key_without_token);
  EXPECT_FALSE(service_->end_token(token_hash(first)));
}

TEST_F(RsRightsTest, AnObserverIsTold401WhenItsTokenEndsThoughNothingHasChanged) {
  service_->observations().allow("/temp");
  EXPECT_EQ(post(token(a_, p256_public_key(1), "read", seconds(60))), coap::code::created);
  EXPECT_EQ(post(token(a_, p256_public_key(2), "read", seconds(90))), coap::code::created);
  const auto observe = [&](const coap::Peer& peer) {
    auto request = make_request(coap::code::get, "/temp");
    request.options.set_uint(coap::option::observe, 0);
    const auto id = must(client_.layer().request(peer, std::move(request), {}, clock_.now()));
    carry();
    return id;
  };
  const auto answers_to = [&](coap::ExchangeId id) {
    std::vector<coap::Code> codes;
    for (const auto& event : events_) {
      const auto* arrived = std::get_if<coap::ResponseArrived>(&event);
      if (arrived != nullptr && arrived->id == id) codes.push_back(arrived->response.code);
    }
    return codes;
  };
  const auto peer = connect_raw(1);
  const auto other = connect_raw(2);
  const auto observation = observe(peer);
  const auto longer = observe(other);
  EXPECT_EQ(service_->observations().observers(), 2U);
  advance(seconds(60));
  EXPECT_EQ(answers_to(observation), (std::vector{coap::code::content, coap::code::unauthorized}));
  EXPECT_FALSE(is_up(peer));
  EXPECT_TRUE(is_up(other));
  EXPECT_EQ(service_->observations().observers(), 1U);
  service_->observations().changed("/temp", clock_.now());
  settle();
  EXPECT_EQ(answers_to(longer), (std::vector{coap::code::content, coap::code::content}));
}

TEST_F(RsRightsTest, ATokenThatWasRevokedBeforeItCameIsRefused) {
  const auto key = symmetric_key(1, "kid-1");
  const Bytes unseen = token(a_, key, "read");
  EXPECT_FALSE(service_->end_token(token_hash(unseen)));
  EXPECT_EQ(post(unseen), coap::code::unauthorized);
  expect_failed(connect_psk(unseen, key), tls::Alert::illegal_parameter, reason::token_revoked);
}

TEST_F(RsRightsTest, AReloadKeepsTokensAndSessions) {
  EXPECT_EQ(post(token(a_, p256_public_key(1), "read")), coap::code::created);
  const auto peer = connect_raw(1);
  ASSERT_TRUE(service_->reconfigure(reload(tokens())));
  settle();
  ASSERT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
}

TEST_F(RsRightsTest, AReloadChangesWhatATextScopeMeans) {
  EXPECT_EQ(post(token(a_, p256_public_key(1), "read")), coap::code::created);
  const auto peer = connect_raw(1);
  auto changed = tokens();
  changed.text_scopes.insert_or_assign("read", must(Aif::parse_text("/temp=PUT")));
  ASSERT_TRUE(service_->reconfigure(reload(std::move(changed))));
  settle();
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::method_not_allowed);
  EXPECT_EQ(ask(peer, coap::code::put), coap::code::content);
  changed = tokens();
  changed.text_scopes.erase("read");
  ASSERT_TRUE(service_->reconfigure(reload(std::move(changed))));
  settle();
  EXPECT_FALSE(is_up(peer));
}

TEST_F(RsRightsTest, WhoIsTrustedNoMoreLosesHisTokensAndTheOthersKeepTheirs) {
  EXPECT_EQ(post(token(a_, p256_public_key(1), "read")), coap::code::created);
  EXPECT_EQ(post(token(b_, p256_public_key(2), "read")), coap::code::created);
  const auto of_a = connect_raw(1);
  const auto of_b = connect_raw(2);
  ASSERT_TRUE(service_->reconfigure(reload(tokens())));  // a alone
  settle();
  EXPECT_TRUE(is_up(of_a));
  EXPECT_FALSE(is_up(of_b));
  EXPECT_EQ(post(token(b_, p256_public_key(2), "read")), coap::code::unauthorized);
}

TEST_F(RsRightsTest, AReloadThatFailsChangesNothing) {
  EXPECT_EQ(post(token(a_, p256_public_key(1), "read")), coap::code::created);
  auto broken = tokens();
  broken.issuers.at(0).iss.clear();
  EXPECT_FALSE(service_->reconfigure(reload(std::move(broken))));
  settle();
  EXPECT_TRUE(is_up(connect_raw(1)));
}

TEST_F(RsRightsTest, AReloadWhoseConfiguredKeysAreWrongChangesNothing) {
  EXPECT_EQ(post(token(b_, p256_public_key(1), "read")), coap::code::created);
  const auto peer = connect_raw(1);
  auto broken = reload(tokens());  // b is trusted no more, but for the key that cannot be
  broken.configured_keys.push_back(configured("gateway", p256_public_key(2), "fly"));
  EXPECT_EQ(service_->reconfigure(std::move(broken)).error(), reason::token_scope_unrecognised);
  settle();
  ASSERT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  EXPECT_EQ(post(token(b_, p256_public_key(3), "read")), coap::code::created);
}

TEST_F(RsRightsTest, AnExiTokenEndsByTheServersOwnTimeAndNotByItsCivilClock) {
  RememberedSequences memory;
  const auto with_exi = [&](RsServiceConfig& config) {
    config.sequences = &memory;
    config.tokens.clock_is_synchronized = false;
  };
  start(with_exi);
  auto claims = a_.claims_for(p256_public_key(1));
  claims.exp.reset();
  claims.exi = 60;
  claims.cti = to_bytes("rs1\x01");
  const Bytes token = a_.sign(claims);
  EXPECT_EQ(post(token), coap::code::created);
  EXPECT_EQ(memory.highest("a"), 1U);
  const auto peer = connect_raw(1);
  clock_.set_wall(clock_.wall() + std::chrono::days(1000));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  clock_.set_wall(WallTime{});
  advance(seconds(59));
  EXPECT_EQ(post(token), coap::code::created);  // does not begin anew
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  advance(seconds(1));
  EXPECT_FALSE(is_up(peer));
  EXPECT_EQ(post(token), coap::code::unauthorized);
}

TEST_F(RsRightsTest, AnExiTokenTakenBeforeARestartIsRefusedAfterIt) {
  RememberedSequences memory;
  const auto with_exi = [&](RsServiceConfig& config) { config.sequences = &memory; };
  start(with_exi);
  auto claims = a_.claims_for(p256_public_key(1));
  claims.exp.reset();
  claims.exi = 60;
  claims.cti = to_bytes("rs1\x05");
  const Bytes token = a_.sign(claims);
  EXPECT_EQ(post(token), coap::code::created);
  start(with_exi);
  EXPECT_EQ(post(token), coap::code::unauthorized);
  claims.cti = to_bytes("rs1\x04");
  EXPECT_EQ(post(a_.sign(claims)), coap::code::unauthorized);
  claims.cti = to_bytes("rs1\x06");
  EXPECT_EQ(post(a_.sign(claims)), coap::code::created);
  memory.fails = true;
  claims.cti = to_bytes("rs1\x07");
  EXPECT_EQ(post(a_.sign(claims)), coap::code::service_unavailable);
}

TEST_F(RsRightsTest, HintsCarryANonceAndTheTokenMustHaveIt) {
  start([](RsServiceConfig& config) { config.server.cnonce_lifetime = seconds(120); });
  const auto refused = ask(client_.plain_peer(plain_listener), make_request(coap::code::get, "/temp"));
  const auto hints = must(cbor::parse<CreationHints>(refused.payload));
  ASSERT_TRUE(hints.cnonce);
  EXPECT_EQ(post(token(a_, p256_public_key(1), "read")), coap::code::unauthorized);
  auto claims = a_.claims_for(p256_public_key(1));
  claims.cnonce = hints.cnonce;
  const Bytes fresh = a_.sign(claims);
  clock_.advance(seconds(119));
  EXPECT_EQ(post(fresh), coap::code::created);
  clock_.advance(seconds(1));
  EXPECT_EQ(post(fresh), coap::code::created);  // it is held
  claims.cnf = cwt::Confirmation(p256_public_key(2));
  EXPECT_EQ(post(a_.sign(claims)), coap::code::unauthorized);
}

TEST_F(RsRightsTest, WithoutIdentityATokenCanBePostedAndNothingElse) {
  const auto anonymous = [&] { return connect(tls::AnonymousClient{to_bytes(raw_key_pair(900).spki())}); };
  EXPECT_FALSE(is_up(anonymous()));
  start([](RsServiceConfig& config) { config.anonymous = AnonymousSessions{.most = 2, .longest = seconds(60)}; });
  const auto peer = anonymous();
  ASSERT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, token_post(token(a_, p256_public_key(1), "read"))).code, coap::code::created);
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::unauthorized);
  EXPECT_TRUE(is_up(connect_raw(1)));
  // A client that has a key is asked for it all the same.
  expect_failed(connect_raw(2), tls::Alert::bad_certificate, reason::raw_key_without_token);

  const auto second = anonymous();
  EXPECT_TRUE(is_up(second));
  EXPECT_FALSE(is_up(anonymous()));  // there are two
  advance(seconds(60));
  EXPECT_FALSE(is_up(peer));
  EXPECT_FALSE(is_up(second));
  EXPECT_TRUE(is_up(anonymous()));
}

TEST_F(RsRightsTest, ResumptionNeedsALiveToken) {
  const auto key = symmetric_key(1, "kid-1");
  EXPECT_EQ(post(token(a_, key, "read", seconds(60))), coap::code::created);
  EXPECT_EQ(post(token(a_, p256_public_key(1), "read", seconds(60))), coap::code::created);
  std::vector<tls::PeerIdentity> identities;
  service_->set_session_observer([&](const coaps::SessionEvent& event) {
    const auto* established = std::get_if<coaps::SessionEstablished>(&event);
    if (established != nullptr) identities.push_back(established->identity);
  });
  connect_psk(serialize_kid_identity(to_bytes("kid-1")), key);
  connect_raw(1);
  ASSERT_EQ(identities.size(), 2U);
  auto& port = const_cast<RsChannel&>(service_->channel());
  for (const auto& identity : identities) EXPECT_TRUE(port.resume(identity));
  clock_.advance(seconds(59));
  for (const auto& identity : identities) EXPECT_TRUE(port.resume(identity));
  clock_.advance(seconds(1));
  EXPECT_EQ(port.resume(identities.at(0)).error(), reason::psk_kid_unknown);
  EXPECT_EQ(port.resume(identities.at(1)).error(), reason::raw_key_without_token);
}

TEST_F(RsRightsTest, ATicketResumesASessionOnlyWithALiveTokenAndWithTheRightsOfThat) {
  start([](RsServiceConfig& config) { config.stack.dtls->ticket_key = must(tls::TicketKey::generate()); });
  const auto secret = symmetric_key(1, "kid-1");
  const auto psk = [&]() -> tls::ClientCredentials {
    return tls::PskClient{serialize_kid_identity(to_bytes("kid-1")), Secret::copy_of(secret.k())};
  };
  const auto raw = [&]() -> tls::ClientCredentials {
    return tls::RawKeyClient{raw_key_pair(1), to_bytes(raw_key_pair(900).spki())};
  };
  std::vector<tls::ResumptionTicket> tickets;
  const auto use = [&](const cose::Key& key, const std::function<tls::ClientCredentials()>& credentials) {
    EXPECT_EQ(post(token(a_, key, "read", seconds(60))), coap::code::created);
    const auto first = connect(credentials());
    ASSERT_TRUE(established(first) != nullptr && established(first)->ticket);
    EXPECT_FALSE(established(first)->info.resumed);
    tickets.push_back(*established(first)->ticket);
    EXPECT_EQ(ask(first, coap::code::get), coap::code::content);
    client_.close(first.session, clock_.now());
    carry();
    // What came since counts, not what counted when the ticket was given.
    clock_.advance(seconds(1));
    EXPECT_EQ(post(token(a_, key, "write", seconds(59))), coap::code::created);
    const auto again = connect(credentials(), tickets.back());
    ASSERT_TRUE(established(again));
    EXPECT_TRUE(established(again)->info.resumed);
    EXPECT_EQ(ask(again, coap::code::get), coap::code::method_not_allowed);
    EXPECT_EQ(ask(again, coap::code::put), coap::code::content);
    ASSERT_TRUE(established(again)->ticket);
    const auto third = connect(credentials(), established(again)->ticket);
    ASSERT_TRUE(established(third));
    EXPECT_TRUE(established(third)->info.resumed);
    EXPECT_EQ(ask(third, coap::code::put), coap::code::content);
  };
  use(secret, psk);
  use(p256_public_key(1), raw);
  ASSERT_EQ(tickets.size(), 2U);
  EXPECT_EQ(service_->stack().tls_counters().resumed, 4U);

  advance(seconds(60));
  EXPECT_EQ(service_->stack().session_count(), 0U);
  expect_failed(connect(psk(), tickets.at(0)), tls::Alert::illegal_parameter, reason::psk_kid_unknown);
  expect_failed(connect(raw(), tickets.at(1)), tls::Alert::bad_certificate, reason::raw_key_without_token);
  EXPECT_EQ(service_->stack().tls_counters().resumptions_refused, 2U);

  // Nor after a revocation, however long the token would have lived.
  const Bytes last = token(a_, p256_public_key(1), "read");
  EXPECT_EQ(post(last), coap::code::created);
  EXPECT_TRUE(service_->end_token(token_hash(last)));
  expect_failed(connect(raw(), tickets.at(1)), tls::Alert::bad_certificate, reason::raw_key_without_token);
  EXPECT_EQ(service_->stack().tls_counters().resumed, 4U);
}

TEST_F(RsRightsTest, AResumptionDoesNotReachTheTokenOfAnotherWithTheSameKid) {
  const auto mine = symmetric_key(1, "kid-1");
  EXPECT_EQ(post(token(a_, mine, "read", seconds(60))), coap::code::created);
  std::optional<tls::PeerIdentity> identity;
  service_->set_session_observer([&](const coaps::SessionEvent& event) {
    if (const auto* established = std::get_if<coaps::SessionEstablished>(&event)) identity = established->identity;
  });
  connect_psk(serialize_kid_identity(to_bytes("kid-1")), mine);
  ASSERT_TRUE(identity);
  clock_.advance(seconds(60));
  EXPECT_EQ(post(token(a_, symmetric_key(2, "kid-1"), "write", seconds(60))), coap::code::created);
  EXPECT_FALSE(const_cast<RsChannel&>(service_->channel()).resume(*identity));
}

}  // namespace
}  // namespace aceward::ace::dtls
