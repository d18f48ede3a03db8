#include "aceward/ace/profile/dtls/rs/as_link.h"

#include "aceward/ace/params/introspection.h"
#include "aceward/ace/params/revocation.h"
#include "aceward/ace/profile/dtls/rs/rs_fixture.h"
#include "aceward/coap/resource/router.h"
#include "aceward/coaps/server_stack.h"

namespace aceward::ace::dtls {
namespace {

using namespace testing;

const Address as_address = Address::v4(203, 0, 113, 1, 5684);
const Bytes fob_token{0, 0, 0, 0, 0, 0, 0, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 9, 8, 7, 6, 5, 4};

/// Knows one resource server by its pre-shared key.
class OneServer final : public tls::ServerCredentials {
 public:
  Result<tls::PskCredential> psk(BytesView identity) override {
    if (as_text(identity) != "rs1") return fail(reason::psk_kid_unknown);
    return tls::PskCredential{Secret(Bytes(16, 0x77)), 1};
  }
  Result<void> raw_public_key(BytesView) override { return fail(reason::raw_key_without_token); }
};

class AsLinkTest : public RsFixture {
 protected:
  AsLinkTest() {
    start_as();
    others_ = [this] { return carry_to_as(); };
  }
  void start_as() {
    coaps::ServerStackConfig config;
    config.dtls = tls::ServerConfig{};
    as_ = must(coaps::ServerStack::create(std::move(config), &credentials_, random_));
  }
  void start_rs(bool follows = false) {
    start([&](RsServiceConfig& config) {
      config.server.introspection = {};
      config.server.introspection.rate.per_peer = 1000;
      config.as_link =
          AsLinkConfig{.iss = "a",
                       .address = as_address,
                       .credentials = [] { return tls::PskClient{to_bytes("rs1"), Secret(Bytes(16, 0x77))}; },
                       .revocations = std::nullopt};
      if (follows) config.as_link->revocations.emplace();
    });
  }
  bool carry_to_as() {
    AsLink* link = service_->as_link();
    if (link == nullptr) return false;
    const Instant now = clock_.now();
    bool moved = false;
    while (auto out = link->stack().next_datagram(now)) {
      moved = true;
      if (!as_is_there_) continue;
      as_->receive(coaps::ListenerKind::secure,
                   Address::v4(192, 0, 2, 1, static_cast<std::uint16_t>(50'000 + out->channel)), out->to, out->datagram,
                   now);
    }
    while (as_->next_session_event()) {
    }
    while (auto event = as_->layer().next_event(now)) {
      if (auto* arrived = std::get_if<coap::RequestArrived>(&*event)) answer(*arrived);
    }
    while (auto out = as_->next_datagram(now)) {
      moved = true;
      link->stack().receive(out->to.port - 50'000U, out->local, out->datagram, now);
    }
    if (moved) service_->pump(now);
    return moved;
  }
  void answer(const coap::RequestArrived& arrived) {
    asked_.push_back(arrived.request);
    const bool is_list = arrived.request.method == coap::code::get;
    coap::Response response =
        is_list ? coap::make_response(coap::code::content, coap::content_format::ace_trl_cbor, cbor::serialize(list_))
                : coap::make_response(answer_code_, coap::content_format::ace_cbor, said_);
    as_->layer().respond(arrived.id, std::move(response), {}, clock_.now());
  }
  void says_active() {
    IntrospectionResponse response;
    response.active = true;
    response.scope = std::string("read");
    response.exp = cwt::NumericDate(clock_.wall() + seconds(600));
    response.cnf = cwt::Confirmation(symmetric_key(5, "fob"));
    response.ace_profile = Profile::coap_dtls;
    said_ = cbor::serialize(response);
  }
  void pass(seconds by) {
    clock_.advance(by);
    client_.on_timeout(clock_.now());
    service_->as_link()->stack().on_timeout(clock_.now());
    service_->on_timeout(clock_.now());
    carry();
  }

  OneServer credentials_;
  std::unique_ptr<coaps::ServerStack> as_;
  bool as_is_there_ = true;
  std::vector<coap::Request> asked_;
  Bytes said_;
  coap::Code answer_code_ = coap::code::created;
  RevocationAnswer list_;
};

TEST_F(AsLinkTest, AKeyFobIsLetInByWhatTheAsSaysOfItsReference) {
  start_rs();
  says_active();
  EXPECT_EQ(post(fob_token), coap::code::created);
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0].method, coap::code::post);
  EXPECT_EQ(asked_[0].options.content_format(), coap::content_format::ace_cbor);
  EXPECT_EQ(must(parse_introspection_request(asked_[0].payload)).token, fob_token);
  const auto peer = connect_psk(serialize_kid_identity(to_bytes("fob")), symmetric_key(5, "fob"));
  ASSERT_TRUE(is_up(peer));
  EXPECT_EQ(ask(peer, coap::code::get), coap::code::content);
  EXPECT_EQ(ask(peer, coap::code::put), coap::code::method_not_allowed);
}

TEST_F(AsLinkTest, Figure10OfRfc9200IsEnoughButForItsShortKey) {
  start_rs();
  const std::string figure = "a40af509647265616418260108a101a301040244dfd1aa9720";
  said_ = *from_hex(figure + "4f849b5786457c1491be3a76dcea6c42");
  EXPECT_EQ(post(fob_token), coap::code::bad_request);
  said_ = *from_hex(figure + "50849b5786457c1491be3a76dcea6c4200");
  EXPECT_EQ(post(fob_token), coap::code::created);
  EXPECT_EQ(service_->server().tokens().symmetric_by_kid(*from_hex("dfd1aa97"), clock_.wall()).size(), 1U);
}

TEST_F(AsLinkTest, WhatIsNotActiveIsRefused) {
  start_rs();
  said_ = cbor::serialize(IntrospectionResponse{});
  EXPECT_EQ(post(fob_token), coap::code::unauthorized);
}

TEST_F(AsLinkTest, ErrorsOfTheAsAreNoAnswer) {
  start_rs();
  says_active();
  for (const auto code : {coap::code::unauthorized, coap::code::forbidden, coap::code::bad_request, coap::code::content,
                          coap::code::internal_server_error}) {
    answer_code_ = code;
    EXPECT_EQ(post(fob_token), coap::code::service_unavailable);
    pass(seconds(2));  // for which the answer asked
  }
  answer_code_ = coap::code::created;
  said_ = Bytes{0xa1};
  EXPECT_EQ(post(fob_token), coap::code::service_unavailable);
  EXPECT_EQ(service_->as_link()->counters().failures, 6U);
  EXPECT_EQ(service_->server().tokens().size(), 0U);
  EXPECT_EQ(service_->as_link()->counters().sessions, 1U);
}

TEST_F(AsLinkTest, AnAsThatIsNotThereIsNotAskedAllTheTime) {
  start_rs();
  as_is_there_ = false;
  EXPECT_EQ(post(fob_token), coap::code::empty);  // waits
  pass(seconds(5));
  EXPECT_EQ(service_->as_link()->counters().failures, 1U);
  for (int i = 0; i < 40; ++i) pass(seconds(1));  // the handshake is given up
  says_active();
  as_is_there_ = true;
  EXPECT_EQ(post(fob_token), coap::code::created);
}

TEST_F(AsLinkTest, ALostSessionIsMadeAnewAfterAWhile) {
  start_rs();
  says_active();
  EXPECT_EQ(post(fob_token), coap::code::created);
  as_->close_all(clock_.now());
  carry();
  EXPECT_FALSE(service_->as_link()->is_connected());
  const Bytes other(24, 3);
  EXPECT_EQ(post(other), coap::code::service_unavailable);
  pass(seconds(1));
  EXPECT_EQ(post(other), coap::code::created);
  EXPECT_EQ(service_->as_link()->counters().sessions, 2U);
  EXPECT_EQ(service_->as_link()->counters().sessions_lost, 1U);
}

TEST_F(AsLinkTest, TheListOfRevokedTokensEndsSessions) {
  start_rs(true);
  const auto claims = a_.claims_for(p256_public_key(1), clock_.wall());
  const Bytes mine = must(cwt::encrypt(claims, a_.content_key(), random_, cwt::Tagging::one_form));
  list_.full_set = std::vector<Bytes>{};
  EXPECT_EQ(post(mine), coap::code::created);
  const auto peer = connect_raw(1);
  ASSERT_TRUE(is_up(peer));
  ASSERT_TRUE(service_->as_link()->is_connected());
  list_.full_set = std::vector<Bytes>{token_hash(mine)};
  for (int i = 0; i < 200 && is_up(peer); ++i) pass(seconds(10));
  EXPECT_FALSE(is_up(peer));
  EXPECT_EQ(post(mine), coap::code::unauthorized);
}

}  // namespace
}  // namespace aceward::ace::dtls
