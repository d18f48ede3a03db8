// Nobody hears of a token before it is durable, and everybody is answered once (architecture, contract 8).
#include <gtest/gtest.h>

#include <array>

#include "aceward/ace/as/token_resource.h"
#include "aceward/ace/as/token_world.h"
#include "aceward/cbor/diagnostic.h"

namespace aceward::ace::as {
namespace {

// The store's, which this module does not know.
constexpr Reason unavailable{"store_unavailable", ErrorClass::internal, "", ""};
constexpr Reason missing{"record_missing", ErrorClass::denied, "", ""};

coap::Request thermometer_request() {
  return TokenWorld::post(cbor::from_diagnostic(R"({5: "thermometer.example"})").value());
}

struct Answers {
  std::vector<coap::Response> all;
  TokenEndpoint::Done done() {
    return [this](coap::Response response) { all.push_back(std::move(response)); };
  }
};

TEST(TokenDurability, TheClientHearsNothingBeforeTheRecordIsThere) {
  TokenWorld world;
  world.ledger.completion = MemoryLedger::Completion::when_asked;
  Answers answers;
  world.endpoint.process(world.by_psk(), thermometer_request(), TokenWorld::now, answers.done());
  EXPECT_TRUE(answers.all.empty());
  EXPECT_TRUE(world.audited.empty());
  ASSERT_TRUE(world.ledger.complete_next());
  ASSERT_EQ(answers.all.size(), 1U);
  EXPECT_EQ(answers.all[0].code, coap::code::created);
  ASSERT_EQ(world.audited.size(), 1U);
  EXPECT_TRUE(world.audited[0].granted);
}

TEST(TokenDurability, AFailedRecordGivesNoToken) {
  TokenWorld world;
  world.ledger.record_error = Error(unavailable);
  const coap::Response retry = world.ask(world.by_psk(), thermometer_request());
  EXPECT_EQ(retry.code, coap::code::service_unavailable);
  EXPECT_TRUE(retry.payload.empty());
  EXPECT_EQ(retry.options.find_uint(coap::option::max_age), 5U);
  EXPECT_FALSE(world.audited.back().granted);
  EXPECT_EQ(world.audited.back().reason, "store_unavailable");
  // Whatever class the store's refusal has, the fault is not the client's.
  world.ledger.record_error = Error(missing);
  const coap::Response fault = world.ask(world.by_psk(), thermometer_request());
  EXPECT_EQ(fault.code, coap::code::internal_server_error);
  EXPECT_TRUE(fault.payload.empty());
  EXPECT_EQ(world.endpoint.counters().granted, 0U);
  EXPECT_EQ(world.endpoint.counters().refused.at("record_missing"), 1U);
}

TEST(TokenDurability, AStoreThatCannotBeAskedIsUnavailable) {
  TokenWorld world;
  world.ledger.number_error = Error(unavailable);
  EXPECT_EQ(world.ask(world.by_psk(), thermometer_request()).code, coap::code::service_unavailable);
  world.ledger.look_up_error = Error(unavailable);
  EXPECT_EQ(world
                .ask(world.by_psk(),
                     TokenWorld::post(cbor::from_diagnostic(R"({5: "thermometer.example", 4: {3: h'01'}})").value()))
                .code,
            coap::code::service_unavailable);
}

TEST(TokenDurability, ALedgerThatForgetsIsAnsweredFor) {
  TokenWorld world;
  world.ledger.completion = MemoryLedger::Completion::never;
  EXPECT_EQ(world.ask(world.by_psk(), thermometer_request()).code, coap::code::service_unavailable);
  EXPECT_EQ(world.audited.back().reason, "ledger_silent");
  EXPECT_EQ(world.endpoint.counters().refused.at("ledger_silent"), 1U);
  EXPECT_EQ(world.endpoint.counters().granted, 0U);
}

TEST(TokenDurability, AnAnswerComesOnceEvenAfterTheEndpointIsGone) {
  SeededRandom random(1);
  MemoryLedger ledger;
  ledger.completion = MemoryLedger::Completion::when_asked;
  TokenWorld world;
  Answers answers;
  {
    auto endpoint = TokenEndpoint::create({}, world.as_key, random, ledger).value();
    endpoint.set_registry(world.publish());
    endpoint.set_audit([](const AuditRecord&) { FAIL() << "the endpoint is gone"; });
    endpoint.process(world.by_psk(), thermometer_request(), TokenWorld::now, answers.done());
  }
  EXPECT_TRUE(answers.all.empty());
  ASSERT_TRUE(ledger.complete_next());
  ASSERT_EQ(answers.all.size(), 1U);
  EXPECT_EQ(answers.all[0].code, coap::code::created);
}

TEST(TokenDurability, AnswersKeepApart) {
  TokenWorld world;
  world.ledger.completion = MemoryLedger::Completion::when_asked;
  Answers alice, bob;
  world.endpoint.process(world.by_psk(0), thermometer_request(), TokenWorld::now, alice.done());
  world.endpoint.process(world.by_psk(1), thermometer_request(), TokenWorld::now, bob.done());
  world.ledger.complete_next();
  EXPECT_EQ(alice.all.size(), 1U);
  EXPECT_TRUE(bob.all.empty());
  world.ledger.complete_next();
  ASSERT_EQ(bob.all.size(), 1U);
  EXPECT_NE(alice.all[0].payload, bob.all[0].payload);
}

/// A layer that notes what is answered.
class NotingLayer final : public coap::Layer {
 public:
  std::vector<std::pair<coap::ExchangeId, coap::Response>> answers;
  std::vector<Instant> times;

  Result<coap::ExchangeId> request(const coap::Peer&, coap::Request, coap::Delivery, Instant) override {
    throw std::logic_error("no requests here");
  }
  void respond(coap::ExchangeId id, coap::Response response, coap::Delivery, Instant now) override {
    answers.emplace_back(id, std::move(response));
    times.push_back(now);
  }
  void cancel(coap::ExchangeId) override {}
  std::optional<coap::Event> next_event(Instant) override { return std::nullopt; }
};

class OneChannel final : public ChannelDirectory {
 public:
  std::optional<AuthenticatedClient> client;
  std::optional<AuthenticatedClient> client_of(const coap::Peer& peer) const override {
    return peer.transport == coap::Transport::dtls ? client : std::nullopt;
  }
};

struct ResourceWorld : TokenWorld {
  NotingLayer layer;
  OneChannel channels;
  ManualClock clock;
  int wakes = 0;
  coap::Router router{layer};
  std::optional<TokenResource> resource;

  ResourceWorld() {
    channels.client = by_psk();
    resource.emplace(endpoint, channels, layer, clock, [this] { ++wakes; });
    router.add("token", *resource);
  }
  void arrive(std::uint64_t id, coap::Request request, coap::Transport transport = coap::Transport::dtls) {
    coap::Peer peer;
    peer.transport = transport;
    router.dispatch({coap::ExchangeId(id), peer, std::move(request), coap::Reliability::confirmable}, clock.now());
  }
};

TEST(TokenResource, AnswersAtOnceWhereItCan) {
  ResourceWorld world;
  world.arrive(5, thermometer_request());
  ASSERT_EQ(world.layer.answers.size(), 1U);
  EXPECT_EQ(world.layer.answers[0].first, coap::ExchangeId(5));
  EXPECT_EQ(world.layer.answers[0].second.code, coap::code::created);
  EXPECT_EQ(world.wakes, 0);
}

TEST(TokenResource, AnswersLaterThroughTheLayerAndWakesIt) {
  ResourceWorld world;
  world.ledger.completion = MemoryLedger::Completion::when_asked;
  world.arrive(5, thermometer_request());
  EXPECT_TRUE(world.layer.answers.empty());
  world.clock.advance(std::chrono::seconds(2));
  world.ledger.complete_next();
  ASSERT_EQ(world.layer.answers.size(), 1U);
  EXPECT_EQ(world.layer.answers[0].first, coap::ExchangeId(5));
  EXPECT_EQ(world.layer.answers[0].second.code, coap::code::created);
  EXPECT_EQ(world.layer.times[0], world.clock.now());
  EXPECT_EQ(world.wakes, 1);
}

TEST(TokenResource, DropsAnswersThatComeAfterItIsGone) {
  ResourceWorld world;
  world.ledger.completion = MemoryLedger::Completion::when_asked;
  world.arrive(5, thermometer_request());
  world.router.remove(coap::path_of("token"));
  world.resource.reset();
  world.ledger.complete_next();
  EXPECT_TRUE(world.layer.answers.empty());
  EXPECT_EQ(world.wakes, 0);
}

TEST(TokenResource, APeerWithoutAChannelIsAnInvalidClient) {
  ResourceWorld world;
  world.arrive(5, thermometer_request(), coap::Transport::udp);
  ASSERT_EQ(world.layer.answers.size(), 1U);
  EXPECT_EQ(world.layer.answers[0].second.code, coap::code::unauthorized);
  EXPECT_EQ(to_hex(world.layer.answers[0].second.payload), "a1181e02");
  EXPECT_EQ(world.audited.back().reason, "client_not_authenticated");
  EXPECT_TRUE(world.ledger.tokens.empty());
}

TEST(TokenResource, TakesPostAlone) {
  ResourceWorld world;
  coap::Request request = thermometer_request();
  std::uint64_t id = 1;
  for (const coap::Code method : {coap::code::get, coap::code::put, coap::code::delete_, coap::code::fetch}) {
    request.method = method;
    world.arrive(id++, request);
    EXPECT_EQ(world.layer.answers.back().second.code, coap::code::method_not_allowed);
  }
  EXPECT_TRUE(world.ledger.tokens.empty());
}

}  // namespace
}  // namespace aceward::ace::as
