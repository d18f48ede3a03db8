// A server that was restarted, and a way that is bad for a while: what a client repeats, and what it must not.
#include <gtest/gtest.h>

#include "aceward/ace/profile/dtls/client/access_layer.h"
#include "tests/flow/world.h"

namespace aceward::tests {
namespace {

using ace::client::PopKind;
using std::chrono::seconds;

ace::dtls::OperationId submit(World& world, ClientNode& node, coap::Code method, std::string_view path,
                              bool observe = false) {
  ace::dtls::Operation operation;
  operation.request.method = method;
  operation.request.options.add_path(path);
  if (observe) operation.request.options.add_empty(coap::option::observe);
  return node.access->submit(0, std::move(operation), world.clock.now());
}

struct Recovery : testing::TestWithParam<PopKind> {
  Recovery() {
    world.allow("alice", "rTemp rwLed wDoor");
    node = &world.add_client("alice", GetParam(), [](ace::dtls::AccessClientConfig& config) {
      config.servers[0].scope = ace::Scope("rTemp rwLed wDoor");
    });
    EXPECT_EQ(code_of(world.ask(*node, coap::code::get, "/temp")), coap::code::content);
    world.served.clear();
    session = node->access->session(0);
  }
  World world;
  ClientNode* node = nullptr;
  std::uint64_t session = 0;
};

TEST_P(Recovery, AGetMeetsARestartedServerAndIsAnsweredWithinTheRetransmissionsOfOneMessage) {
  world.start_rs();  // without sessions and tokens
  const Instant before = world.clock.now();
  EXPECT_EQ(code_of(world.ask(*node, coap::code::get, "/temp")), coap::code::content);
  EXPECT_LT(world.clock.now() - before, seconds(30));
  EXPECT_NE(node->access->session(0), session);
  EXPECT_EQ(world.served.size(), 1U);
  EXPECT_EQ(node->stack->connection_count(), 2U) << "the old session is closed; one with each server is left";
}

TEST_P(Recovery, APostIsNotRepeatedAndTheNextOperationDoesNotWaitForIt) {
  world.start_rs();
  const Instant before = world.clock.now();
  const auto post = submit(world, *node, coap::code::post, "/door");
  const auto get = submit(world, *node, coap::code::get, "/temp");
  std::optional<Instant> got;
  world.before_each_step = [&] {
    if (!got && !world.served.empty()) got = world.clock.now();
  };
  world.run();
  auto first = node->access->next_completed();
  auto second = node->access->next_completed();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->id, get);
  EXPECT_EQ(code_of(*first), coap::code::content);
  EXPECT_EQ(second->id, post);
  EXPECT_FALSE(second->result);
  ASSERT_TRUE(got);
  EXPECT_LT(*got - before, seconds(30));
  ASSERT_EQ(world.served.size(), 1U);
  EXPECT_EQ(world.served[0].path, "temp");
}

TEST(RecoveryOfASlowServer, APostIsAnsweredOnTheOldSessionAndActsOnce) {
  for (const PopKind kind : {PopKind::pre_shared_key, PopKind::raw_public_key}) {
    World world;
    world.allow("alice", "wDoor");
    ClientNode& node = world.add_client("alice", kind);
    ASSERT_EQ(code_of(world.ask(node, coap::code::post, "/door")), coap::code::changed);
    world.served.clear();
    const Instant start = world.clock.now();
    world.copies = [&](const Flying&) { return world.clock.now() - start < seconds(25) ? 0 : 1; };
    EXPECT_EQ(code_of(world.ask(node, coap::code::post, "/door")), coap::code::changed);
    EXPECT_EQ(world.served.size(), 1U);
  }
}

TEST_P(Recovery, AGetWhoseServerWasOnlySlowCompletesOnceWhicheverAnswerComesFirst) {
  const Instant start = world.clock.now();
  world.copies = [&](const Flying&) { return world.clock.now() - start < seconds(25) ? 0 : 1; };
  EXPECT_EQ(code_of(world.ask(*node, coap::code::get, "/temp")), coap::code::content);
  EXPECT_FALSE(node->access->next_completed());
  world.copies = nullptr;
  EXPECT_EQ(code_of(world.ask(*node, coap::code::get, "/temp")), coap::code::content);
}

TEST_P(Recovery, NothingIsRepeatedForeverWhenTheServerIsGone) {
  world.copies = [](const Flying&) { return 0; };
  const auto answer = world.ask(*node, coap::code::get, "/temp");
  EXPECT_FALSE(answer.result);
  world.copies = nullptr;
  EXPECT_EQ(code_of(world.ask(*node, coap::code::get, "/temp")), coap::code::content);
}

TEST_P(Recovery, AnOperationThatIsCancelledLeavesTheOthersAlone) {
  const auto first = submit(world, *node, coap::code::get, "/temp");
  const auto second = submit(world, *node, coap::code::get, "/led");
  const auto third = submit(world, *node, coap::code::get, "/temp");
  node->access->cancel(second, world.clock.now());
  node->access->cancel(first, world.clock.now());
  world.run();
  const auto completed = node->access->next_completed();
  ASSERT_TRUE(completed);
  EXPECT_EQ(completed->id, third);
  EXPECT_EQ(code_of(*completed), coap::code::content);
  EXPECT_FALSE(node->access->next_completed());
}

/// Keeps its observers and tells them when it is asked to.
class Sensor final : public ace::rs::GuardedResource {
 public:
  void handle(coap::ExchangeId id, const ace::rs::AuthorizedRequest&, coap::Responder& responder) override {
    observers.push_back(id);
    responder.respond(id, notification());
  }
  void change(coap::Layer& layer, Instant now) {
    for (const auto id : observers) layer.respond(id, notification(), {}, now);
  }
  std::vector<coap::ExchangeId> observers;

 private:
  coap::Response notification() {
    coap::Response response;
    response.options.add_uint(coap::option::observe, ++count_);
    response.payload = to_bytes(std::to_string(count_));
    return response;
  }
  unsigned count_ = 0;
};

seconds late{0};

std::vector<std::string> take_notifications(ClientNode& node) {
  std::vector<std::string> all;
  while (auto next = node.access->next_notification()) all.emplace_back(as_text(next->response.payload));
  return all;
}

TEST_P(Recovery, AnObservationGoesOnBesideOtherOperationsAndEndsWhenItIsCancelled) {
  Sensor sensor;
  world.rs->server().add("temp", sensor);
  const auto watch = submit(world, *node, coap::code::get, "/temp", true);
  world.run();
  EXPECT_EQ(take_notifications(*node), std::vector<std::string>{"1"});
  sensor.change(world.rs->server().layer(), world.clock.now());
  EXPECT_EQ(code_of(world.ask(*node, coap::code::get, "/led")), coap::code::content);
  EXPECT_EQ(take_notifications(*node), std::vector<std::string>{"2"});
  node->access->cancel(watch, world.clock.now());
  sensor.change(world.rs->server().layer(), world.clock.now());
  world.run();
  EXPECT_EQ(code_of(world.ask(*node, coap::code::get, "/led")), coap::code::content);
  EXPECT_TRUE(take_notifications(*node).empty());
  EXPECT_EQ(world.rs->server().pending_count(), 0U) << "the Reset ended it";
  EXPECT_FALSE(node->access->next_completed());
}

TEST_P(Recovery, AnObservationIsEndedAtTheServerByARequestThatTakesOverItsToken) {
  Sensor sensor;
  world.rs->server().add("temp", sensor);
  const auto watch = submit(world, *node, coap::code::get, "/temp", true);
  world.run();
  EXPECT_EQ(take_notifications(*node).size(), 1U);
  ace::dtls::Operation end;
  end.request.options.add_path("/temp").add_uint(coap::option::observe, 1);
  end.renews = watch;
  const auto ended = node->access->submit(0, std::move(end), world.clock.now());
  world.run();
  const auto completed = node->access->next_completed();
  ASSERT_TRUE(completed);
  EXPECT_EQ(completed->id, ended);
  EXPECT_EQ(code_of(*completed), coap::code::content);
  sensor.change(world.rs->server().layer(), world.clock.now());
  world.run();
  EXPECT_TRUE(take_notifications(*node).empty());
}

TEST_P(Recovery, AnObservationIsRegisteredAgainWhenItsSessionIsLost) {
  Sensor before;
  world.rs->server().add("temp", before);
  submit(world, *node, coap::code::get, "/temp", true);
  world.run();
  EXPECT_EQ(take_notifications(*node).size(), 1U);
  world.clock.advance(seconds(10));
  world.rs->stack().close_all(world.clock.now());
  world.start_rs();
  Sensor after;
  world.rs->server().add("temp", after);
  EXPECT_EQ(code_of(world.ask(*node, coap::code::get, "/led")), coap::code::content);
  world.run();
  EXPECT_EQ(take_notifications(*node), std::vector<std::string>{"1"});
  EXPECT_EQ(after.observers.size(), 1U);
}

TEST_P(Recovery, AnObservationEndsWithTheToken) {
  Sensor sensor;
  world.rs->server().add("temp", sensor);
  submit(world, *node, coap::code::get, "/temp", true);
  world.run();
  EXPECT_EQ(take_notifications(*node).size(), 1U);
  node->access->forget(0, world.clock.now());
  world.rules.clear();
  world.publish();
  world.clock.advance(seconds(10));
  sensor.change(world.rs->server().layer(), world.clock.now());
  world.run();
  EXPECT_TRUE(take_notifications(*node).empty());
}

/// Nothing comes through for some seconds; from then on what the session's own socket sends and receives.
void let_only_the_old_session_through(World& world, std::uint64_t session, const Address& server) {
  const Instant start = world.clock.now();
  const auto port = static_cast<std::uint16_t>(world.nodes.front().address.port + session);
  world.copies = [&world, start, port, server](const Flying& datagram) {
    if (datagram.to != server && datagram.from != server) return 1;
    const bool is_old = datagram.from.port == port || datagram.to.port == port;
    return is_old && world.clock.now() - start > seconds(20) ? 1 : 0;
  };
}

TEST_P(Recovery, AnObservationThatIsAcceptedOnTheOldSessionGoesOnThere) {
  Sensor sensor;
  world.rs->server().add("temp", sensor);
  let_only_the_old_session_through(world, session, world.rs_secure);
  submit(world, *node, coap::code::get, "/temp", true);
  world.run();
  EXPECT_EQ(take_notifications(*node), std::vector<std::string>{"1"});
  EXPECT_FALSE(node->access->next_completed()) << "it is not over";
  EXPECT_EQ(node->access->session(0), session);
  sensor.change(world.rs->server().layer(), world.clock.now());
  EXPECT_EQ(code_of(world.ask(*node, coap::code::get, "/led")), coap::code::content);
  EXPECT_EQ(take_notifications(*node), std::vector<std::string>{"2"});
}

TEST(RecoveryOfSharedKeys, AnObservationWhoseRightsWereTakenAwayAsksForThemAgain) {
  World world;
  world.allow("alice", "rTemp rwLed");
  std::optional<cose::Key> key;
  ClientNode& watching = world.add_client("alice", PopKind::raw_public_key, [&](ace::dtls::AccessClientConfig& config) {
    key.emplace(config.key->clone());
    config.servers[0].scope = ace::Scope("rTemp");
  });
  ClientNode& other = world.add_client("twin", PopKind::raw_public_key, [&](ace::dtls::AccessClientConfig& config) {
    config.key.emplace(key->clone());
    config.servers[0].scope = ace::Scope("rwLed");
  });
  Sensor sensor;
  world.rs->server().add("temp", sensor);
  submit(world, watching, coap::code::get, "/temp", true);
  world.run();
  EXPECT_EQ(take_notifications(watching), std::vector<std::string>{"1"});
  // The resource server keeps one token for a key: this one takes the place of the other.
  EXPECT_EQ(code_of(world.ask(other, coap::code::get, "/led")), coap::code::content);
  sensor.change(world.rs->server().layer(), world.clock.now());
  world.run();
  EXPECT_EQ(take_notifications(watching), std::vector<std::string>{"3"}) << "registered again";
  EXPECT_FALSE(watching.access->next_completed());
}

TEST_P(Recovery, AServerThatIsTooBusyForATokenGetsItLater) {
  for (int i = 0; i < 15; ++i) {  // more than it takes at once from one address
    node->access->forget(0, world.clock.now());
    EXPECT_EQ(code_of(world.ask(*node, coap::code::get, "/temp")), coap::code::content) << i;
  }
  EXPECT_GT(world.rs->server().authz_info().counters().limited, 0U);
}

TEST_P(Recovery, WhatIsCancelledSaysNothingEvenIfItWasAboutTo) {
  Sensor sensor;
  world.rs->server().add("temp", sensor);
  const auto watch = submit(world, *node, coap::code::get, "/temp", true);
  const auto get = submit(world, *node, coap::code::get, "/led");
  world.run();
  node->access->cancel(watch, world.clock.now());
  node->access->cancel(get, world.clock.now());
  EXPECT_TRUE(take_notifications(*node).empty());
  EXPECT_FALSE(node->access->next_completed());
}

TEST_P(Recovery, AGetIsRepeatedWhenItsSessionEndsWithTheToken) {
  submit(world, *node, coap::code::get, "/temp");
  node->access->forget(0, world.clock.now());
  world.run();
  const auto completed = node->access->next_completed();
  ASSERT_TRUE(completed);
  EXPECT_EQ(code_of(*completed), coap::code::content);
}

TEST_P(Recovery, APostIsNotRepeatedWhenItsSessionEndsWithTheToken) {
  submit(world, *node, coap::code::post, "/door");
  node->access->forget(0, world.clock.now());
  world.run();
  const auto completed = node->access->next_completed();
  ASSERT_TRUE(completed);
  EXPECT_FALSE(completed->result);
  EXPECT_LE(world.served.size(), 1U);
}

ClientNode& add_client_of_two_servers(World& world) {
  return world.add_client("alice", PopKind::raw_public_key, [](ace::dtls::AccessClientConfig& config) {
    ace::dtls::ServerAccess other;
    other.entry = config.servers[0].entry;
    other.entry.name = "shed";
    other.entry.plain.reset();
    other.entry.secure = Address::v4(10, 0, 0, 3, 5684);
    config.servers.push_back(std::move(other));
  });
}

TEST(RecoveryWithOneAs, TwoServersWhoseTokensAreAnsweredOnTheOldSessionBothGetThem) {
  World world;
  world.allow("alice", "rTemp");
  ClientNode& node = add_client_of_two_servers(world);
  node.access->obtain_token(0, seconds(90), world.clock.now());
  world.run();
  ASSERT_TRUE(node.access->next_completed());
  let_only_the_old_session_through(world, 1, world.as_address);
  node.access->obtain_token(0, seconds(90), world.clock.now());
  node.access->obtain_token(1, seconds(90), world.clock.now());
  world.run();
  for (int i = 0; i < 2; ++i) {
    const auto completed = node.access->next_completed();
    ASSERT_TRUE(completed);
    EXPECT_EQ(code_of(*completed), coap::code::created);
  }
  EXPECT_EQ(node.stack->connection_count(), 1U);
}

TEST(RecoveryOfShortTokens, ANotificationUnderAnEndedKeyIsNotTaken) {
  for (const PopKind kind : {PopKind::pre_shared_key, PopKind::raw_public_key}) {
    World world;
    world.allow("alice", "rTemp", seconds(60));
    ClientNode& node = world.add_client("alice", kind);
    Sensor sensor;
    world.rs->server().add("temp", sensor);
    submit(world, node, coap::code::get, "/temp", true);
    world.run();
    ASSERT_EQ(take_notifications(node).size(), 1U);
    // On its way when the token ends: whoever holds the key by then could have sent it.
    sensor.change(world.rs->server().layer(), world.clock.now());
    world.before_each_step = [&] {
      if (!world.wire.empty()) world.clock.advance(std::exchange(late, seconds(0)));
    };
    late = seconds(120);
    world.rules.clear();
    world.publish();
    world.run();
    EXPECT_TRUE(take_notifications(node).empty());
  }
}

TEST_P(Recovery, TheAccessLayerIsALayerLikeAnyOther) {
  Sensor sensor;
  world.rs->server().add("temp", sensor);
  ace::dtls::AccessLayer layer(*node->access);
  coap::Request request;
  request.options.add_path("/temp").add_empty(coap::option::observe);
  const auto id = layer.request(node->stack->plain_peer(world.rs_plain), request, {}, world.clock.now());
  ASSERT_TRUE(id);
  world.run();
  auto event = layer.next_event(world.clock.now());
  ASSERT_TRUE(event);
  const auto* arrived = std::get_if<coap::ResponseArrived>(&*event);
  ASSERT_NE(arrived, nullptr);
  EXPECT_EQ(arrived->id, *id);
  EXPECT_FALSE(arrived->final);
  EXPECT_EQ(as_text(arrived->response.payload), "1");
  EXPECT_TRUE(arrived->order);
  layer.cancel(*id);
  sensor.change(world.rs->server().layer(), world.clock.now());
  world.run();
  EXPECT_FALSE(layer.next_event(world.clock.now()));
  EXPECT_FALSE(layer.request({}, request, {}, world.clock.now())) << "an address that nobody configured";
}

INSTANTIATE_TEST_SUITE_P(Keys, Recovery, testing::Values(PopKind::pre_shared_key, PopKind::raw_public_key),
                         [](const auto& each) { return each.param == PopKind::pre_shared_key ? "Psk" : "RawKey"; });

}  // namespace
}  // namespace aceward::tests
