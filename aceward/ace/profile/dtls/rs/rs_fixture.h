// Tests only: a resource server of the DTLS profile and a client, with a wire between them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "aceward/ace/profile/dtls/psk_identity.h"
#include "aceward/ace/profile/dtls/reasons.h"
#include "aceward/ace/profile/dtls/rs/rs_service.h"
#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/rs/rs_test_support.h"
#include "aceward/ace/token/reasons.h"
#include "aceward/coaps/client_stack.h"

namespace aceward::ace::dtls::testing {

using namespace rs::testing;
using ace::testing::p256_key;
using std::chrono::seconds;

inline const Address plain_listener = Address::v4(192, 0, 2, 1, 5683);
inline const Address secure_listener = Address::v4(192, 0, 2, 1, 5684);

inline tls::RawKeyPair raw_key_pair(std::uint64_t seed) {
  return must(tls::RawKeyPair::from_key(must(p256_key(seed).private_key())));
}

/// A resource server and a client with a wire between them that takes no time.
class RsFixture : public ::testing::Test {
 protected:
  RsFixture() : client_({.dtls = {.wants_ticket = true}}, random_) { start({}); }

  using Change = std::function<void(RsServiceConfig&)>;
  /// (Again), with a configuration that was changed; sessions of before are forgotten by the server.
  void start(const Change& change) {
    RsServiceConfig config;
    std::vector<TrustedIssuer> issuers;
    issuers.push_back(a_.trusted());
    issuers.push_back(b_.trusted());
    config.tokens = ace::testing::verifier_config(std::move(issuers));
    config.server.hints.as_uri = "coaps://as.example/token";
    config.server.authz_info = {.per_peer = 1000, .in_all = 1000, .peers = 10};
    config.stack.dtls = tls::ServerConfig{.raw_key = raw_key_pair(900)};
    if (change) change(config);
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
      if (others_) moved = others_() || moved;
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

  coap::Peer connect(tls::ClientCredentials credentials, std::optional<tls::ResumptionTicket> ticket = std::nullopt) {
    const auto peer = must(client_.connect(secure_listener, std::move(credentials), clock_.now(), std::move(ticket)));
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
  /// Null if it never was.
  const coaps::SessionEstablished* established(const coap::Peer& peer) const {
    for (const auto& event : session_events_) {
      const auto* one = std::get_if<coaps::SessionEstablished>(&event);
      if (one != nullptr && one->peer == peer) return one;
    }
    return nullptr;
  }
  std::string suite_of(const coap::Peer& peer) const {
    const auto* session = established(peer);
    return session == nullptr ? std::string() : session->info.cipher_suite;
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
  std::function<bool()> others_;  ///< carries what goes between others; whether there was anything
};

}  // namespace aceward::ace::dtls::testing
