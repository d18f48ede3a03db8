// The simulator itself: that it repeats, that it keeps its promises, and that its invariants can fail.
#include <gtest/gtest.h>

#include <deque>

#include "sim/ledger.h"
#include "sim/runner.h"

namespace aceward::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A layer that passes everything on: what is broken below overrides one thing.
class PassingLayer : public coap::Layer {
 public:
  explicit PassingLayer(coap::Layer& below) : below_(below) {}
  Result<coap::ExchangeId> request(const coap::Peer& to, coap::Request request, coap::Delivery delivery,
                                   Instant now) override {
    return below_.request(to, std::move(request), delivery, now);
  }
  void respond(coap::ExchangeId id, coap::Response response, coap::Delivery hint, Instant now) override {
    below_.respond(id, std::move(response), hint, now);
  }
  void cancel(coap::ExchangeId id) override { below_.cancel(id); }
  std::optional<coap::Event> next_event(Instant now) override { return below_.next_event(now); }
  std::optional<Instant> next_timeout() const override { return below_.next_timeout(); }
  void on_timeout(Instant now) override { below_.on_timeout(now); }

 protected:
  coap::Layer& below_;
};

/// Every request arrives twice, as if the message layer knew no duplicates.
class ActsTwice final : public PassingLayer {
 public:
  using PassingLayer::PassingLayer;
  std::optional<coap::Event> next_event(Instant now) override {
    if (again_) return std::exchange(again_, std::nullopt);
    auto event = below_.next_event(now);
    if (event && std::holds_alternative<coap::RequestArrived>(*event)) again_ = event;
    return event;
  }

 private:
  std::optional<coap::Event> again_;
};

/// Every answer goes to the request before.
class AnswersAnother final : public PassingLayer {
 public:
  using PassingLayer::PassingLayer;
  void respond(coap::ExchangeId id, coap::Response response, coap::Delivery hint, Instant now) override {
    std::swap(response, last_);
    below_.respond(id, std::move(response), hint, now);
  }

 private:
  coap::Response last_;
};

/// Forgets every other answer.
class ForgetsAnswers final : public PassingLayer {
 public:
  using PassingLayer::PassingLayer;
  std::optional<coap::Event> next_event(Instant now) override {
    auto event = below_.next_event(now);
    return event && (++count_ % 2 == 0) ? std::nullopt : event;
  }

 private:
  unsigned count_ = 0;
};

template <class Broken>
MakeLayers broken() {
  return [](coap::Layer& below, Random&) {
    Layers layers;
    layers.push_back(std::make_unique<Broken>(below));
    return layers;
  };
}

void ask_and_check(Run& run, MakeLayers at_server, MakeLayers at_client) {
  Network network(run);
  Ledger ledger(run, network);
  ServerSetup server_setup;
  server_setup.make_layers = std::move(at_server);
  ServerHost server(run, std::move(server_setup));
  network.attach(server.setup().plain, server);
  ledger.serve(server);
  ClientSetup client_setup;
  client_setup.make_layers = std::move(at_client);
  ClientHost client(run, std::move(client_setup));
  network.attach(client.setup().address, client);
  ledger.listen(client);
  for (int i = 0; i < 6; ++i) {
    ledger.ask(client, client.stack().plain_peer(server.setup().plain), coap::code::post,
               coap::Reliability::confirmable);
  }
  run.require(network.run([&] { return ledger.all_ended(); }, seconds(400)), "every request comes to an end");
  ledger.check_each_ended_once();
  ledger.check_none_acted_twice();
}

void play_sound(Run& run) { ask_and_check(run, {}, {}); }
void play_acting_twice(Run& run) { ask_and_check(run, broken<ActsTwice>(), {}); }
void play_answering_another(Run& run) { ask_and_check(run, broken<AnswersAnother>(), {}); }
void play_forgetting(Run& run) { ask_and_check(run, {}, broken<ForgetsAnswers>()); }

std::string violation_of(void (*play_it)(Run&)) {
  const Scenario scenario{"test", "", play_it, {}};
  return play(scenario, 7).violation;
}

TEST(SimInvariants, HoldWhereNothingIsBroken) { EXPECT_EQ(violation_of(&play_sound), ""); }

TEST(SimInvariants, CatchALayerThatActsTwice) {
  EXPECT_NE(violation_of(&play_acting_twice).find("acted once"), std::string::npos);
}

TEST(SimInvariants, CatchALayerThatMixesAnswersUp) {
  EXPECT_NE(violation_of(&play_answering_another).find("is that of this request"), std::string::npos);
}

TEST(SimInvariants, CatchALayerThatForgetsAnswers) {
  EXPECT_NE(violation_of(&play_forgetting).find("comes to an end"), std::string::npos);
}

TEST(SimRuns, RepeatByTheirSeedWhateverRanBefore) {
  for (const auto& scenario : all_scenarios()) {
    const auto first = play(scenario, 11);
    play(scenario, 12);
    EXPECT_EQ(play(scenario, 11).hash, first.hash) << scenario.name;
    EXPECT_NE(play(scenario, 12).hash, first.hash) << scenario.name;
  }
}

TEST(SimRuns, RepeatOnSeveralThreads) {
  const auto* scenario = find_scenario("dtls-raw-key");
  ASSERT_NE(scenario, nullptr);
  const auto alone = play_many(*scenario, {.first = 1, .seeds = 12, .jobs = 1, .on_progress = {}});
  const auto together = play_many(*scenario, {.first = 1, .seeds = 12, .jobs = 3, .on_progress = {}});
  EXPECT_EQ(alone.hash, together.hash);
  EXPECT_EQ(alone.branches, together.branches);
}

TEST(SimRuns, TracingChangesNothing) {
  const auto* scenario = find_scenario("plain-requests");
  ASSERT_NE(scenario, nullptr);
  std::size_t lines = 0;
  const auto traced = play(*scenario, 3, [&](const std::string&) { ++lines; });
  EXPECT_GT(lines, 10U);
  EXPECT_EQ(traced.hash, play(*scenario, 3).hash);
}

// What mutants are tried on: CTest plays all scenarios with more seeds.
TEST(SimScenarios, ObserversAreNeitherForgottenNorKeptForEver) {
  const auto* scenario = find_scenario("observe");
  ASSERT_NE(scenario, nullptr);
  const auto report = play_many(*scenario, {.first = 1, .seeds = 300, .jobs = 1, .on_progress = {}});
  EXPECT_TRUE(report.good()) << describe(report, "aceward-sim");
}

TEST(SimReport, NamesAFailingSeedAndTheCommandThatRepeatsIt) {
  const Scenario scenario{"breaks", "", [](sim::Run& run) { run.require(run.seed() != 4, "four is no good"); }, {}};
  const auto report = play_many(scenario, {.first = 1, .seeds = 6, .jobs = 2, .on_progress = {}});
  EXPECT_EQ(report.failed, 1U);
  EXPECT_FALSE(report.good());
  const auto text = describe(report, "aceward-sim");
  EXPECT_NE(text.find("four is no good"), std::string::npos);
  EXPECT_NE(text.find("aceward-sim --scenario breaks --first 4 --seeds 1 --trace"), std::string::npos);
}

TEST(SimReport, ABranchThatIsNeverReachedFailsAThousandSeeds) {
  const Scenario scenario{"lazy", "", [](sim::Run& run) { run.reach("seen"); }, {"seen", "never seen"}};
  const auto few = play_many(scenario, {.first = 1, .seeds = 10, .jobs = 1, .on_progress = {}});
  EXPECT_TRUE(few.good());
  const auto many = play_many(scenario, {.first = 1, .seeds = 1000, .jobs = 1, .on_progress = {}});
  EXPECT_FALSE(many.good());
  EXPECT_EQ(many.never_reached, std::vector<std::string_view>{"never seen"});
  EXPECT_NE(describe(many, "x").find("NEVER REACHED: never seen"), std::string::npos);
}

/// Notes what arrives, and sends what it is given.
class Mailbox final : public Node {
 public:
  void receive(const Datagram& datagram, Instant now) override { arrived.emplace_back(datagram, now); }
  std::optional<Datagram> next_datagram(Instant) override {
    if (outgoing.empty()) return std::nullopt;
    auto datagram = std::move(outgoing.front());
    outgoing.pop_front();
    return datagram;
  }
  void on_timeout(Instant) override {}
  std::optional<Instant> next_timeout() const override { return std::nullopt; }
  std::vector<std::pair<Datagram, Instant>> arrived;
  std::deque<Datagram> outgoing;
};

struct TwoMailboxes {
  explicit TwoMailboxes(std::uint64_t seed = 1) : run(seed), network(run) {
    network.attach(a, at_a);
    network.attach(b, at_b);
  }
  void send(std::size_t count, std::size_t size = 10) {
    for (std::size_t i = 0; i < count; ++i) at_a.outgoing.push_back({a, b, Bytes(size, static_cast<std::uint8_t>(i))});
    network.run([] { return false; }, seconds(200));
  }
  Run run;
  Network network;
  Address a = Address::v4(10, 0, 0, 1, 1), b = Address::v4(10, 0, 0, 2, 2);
  Mailbox at_a, at_b;
};

TEST(SimNetwork, LosesAboutAsManyAsItIsTold) {
  TwoMailboxes world;
  world.network.set_weather({.loss = 250});
  world.send(4000);
  EXPECT_NEAR(static_cast<double>(world.at_b.arrived.size()), 3000, 150);
}

TEST(SimNetwork, NothingArrivesLaterThanMaxLatency) {
  TwoMailboxes world;
  world.network.set_weather({.duplication = 500, .most_delay = std::chrono::hours(1)});
  const Instant sent = world.run.now();
  world.send(500);
  ASSERT_GT(world.at_b.arrived.size(), 500U);
  bool reordered = false;
  for (std::size_t i = 0; i < world.at_b.arrived.size(); ++i) {
    EXPECT_LE(world.at_b.arrived[i].second - sent, max_latency);
    if (i > 0) reordered = reordered || world.at_b.arrived[i].first.octets < world.at_b.arrived[i - 1].first.octets;
  }
  EXPECT_TRUE(reordered);
}

TEST(SimNetwork, ACutLetsNothingThroughUntilItHeals) {
  TwoMailboxes world;
  world.network.separate(world.b, world.a);
  world.send(5);
  EXPECT_TRUE(world.at_b.arrived.empty());
  world.network.join(world.a, world.b);
  world.send(5);
  EXPECT_EQ(world.at_b.arrived.size(), 5U);
}

TEST(SimNetwork, WhatIsLargerThanTheMtuIsLost) {
  TwoMailboxes world;
  world.network.set_weather({.mtu = 100});
  world.send(1, 100);
  world.send(1, 101);
  EXPECT_EQ(world.at_b.arrived.size(), 1U);
}

}  // namespace
}  // namespace aceward::sim
