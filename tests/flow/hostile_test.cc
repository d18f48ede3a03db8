// What strangers on the network, servers that misbehave and unlucky moments can do to a client and its server: each
// test is an attack or an accident.
#include <gtest/gtest.h>

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/params/access_information.h"
#include "aceward/coap/message/message.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/crypto/key.h"
#include "tests/flow/world.h"

namespace aceward::tests {
namespace {

using ace::client::PopKind;
using ace::dtls::Stage;
using std::chrono::seconds;

bool holds(BytesView octets, BytesView part) { return !std::ranges::search(octets, part).empty(); }

/// Somebody at the server's plain address who answers in its place.
void answer_in_its_place(World& world, const std::function<std::optional<coap::Response>(const coap::Message&)>& lie) {
  world.copies = [&world, lie](const Flying& datagram) {
    if (datagram.to != world.rs_plain) return 1;
    const auto request = coap::parse(datagram.octets);
    if (!request || !request->code.is_request()) return 1;
    auto response = lie(*request);
    if (!response) return 1;
    coap::Message forged;
    forged.type = coap::Type::acknowledgement;
    forged.code = response->code;
    forged.message_id = request->message_id;
    forged.token = request->token;
    forged.options = std::move(response->options);
    forged.payload = std::move(response->payload);
    world.wire.push_back({world.rs_plain, datagram.from, coap::serialize(forged)});
    return 0;
  };
}

bool is_upload(const coap::Message& request) { return request.options.content_format() == coap::content_format::cwt; }

coap::Response hints_with(coap::Code code, const ace::CreationHints& hints) {
  return coap::make_response(code, coap::content_format::ace_cbor, cbor::serialize(hints));
}

/// Answers as it is told, and counts.
class Scripted final : public ace::rs::GuardedResource {
 public:
  explicit Scripted(std::function<std::optional<coap::Response>(int)> script) : script_(std::move(script)) {}
  void handle(coap::ExchangeId id, const ace::rs::AuthorizedRequest&, coap::Responder& responder) override {
    if (auto response = script_(++count)) responder.respond(id, std::move(*response));
  }
  int count = 0;

 private:
  std::function<std::optional<coap::Response>(int)> script_;
};

TEST(FlowAttack, AServerThatForEverAsksForATokenIsLeftAlone) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  Scripted never([](int) { return coap::make_response(coap::code::unauthorized); });
  world.rs->server().add("temp", never);
  const auto asked = world.ask(alice, coap::code::get, "temp");
  ASSERT_FALSE(asked.result);
  EXPECT_EQ(asked.result.error(), reason::access_still_denied);
  EXPECT_EQ(never.count, 2);
  EXPECT_EQ(world.ledger.tokens.size(), 2U);
}

TEST(FlowAttack, AServerThatForEverLacksRightsIsAskedTwice) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  ace::CreationHints hints;
  hints.scope = ace::Scope("rTemp");
  Scripted never([&](int) { return hints_with(coap::code::forbidden, hints); });
  world.rs->server().add("temp", never);
  EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::forbidden);
  EXPECT_EQ(never.count, 2);
  EXPECT_EQ(world.ledger.tokens.size(), 2U);
}

/// The token ends while the request is at work, and the server says so with 4.01: it may have been done.
TEST(FlowAttack, APostThatEndedWithTheTokenIsNotDoneTwice) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "wDoor", seconds(10));
  Scripted slow([](int) { return std::nullopt; });
  world.rs->server().add("door", slow);
  const auto posted = world.ask(alice, coap::code::post, "door", to_bytes("open"));
  EXPECT_EQ(code_of(posted), coap::code::unauthorized);
  EXPECT_EQ(slow.count, 1);
}

TEST(FlowAttack, AnAnswerThatComesAfterTheKeysEndedIsNotProcessed) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    ClientNode& alice = world.add_client("alice", kind);
    world.allow("alice", "rTemp", seconds(10));
    world.copies = [&world](const Flying& datagram) {
      if (datagram.from == world.rs_secure && !world.served.empty()) world.clock.advance(seconds(11));
      return 1;
    };
    const auto read = world.ask(alice, coap::code::get, "temp");
    ASSERT_FALSE(read.result);
    EXPECT_EQ(read.result.error(), reason::token_expired);
    EXPECT_EQ(alice.access->token(0), nullptr);
    EXPECT_EQ(alice.access->session(0), 0U);
  }
}

TEST(FlowAttack, TokensThatEndBeforeTheyAreUsedAreNotAskedForWithoutEnd) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp", seconds(1));
  world.copies = [&world](const Flying& datagram) {
    const auto message = coap::parse(datagram.octets);
    if (datagram.to == world.rs_plain && message && is_upload(*message)) world.clock.advance(seconds(2));
    return 1;
  };
  const auto read = world.ask(alice, coap::code::get, "temp");
  EXPECT_FALSE(read.result);
  EXPECT_LE(world.ledger.tokens.size(), 4U);
}

TEST(FlowAttack, ASuccessThatAStrangerInventsForAPayloadNobodySentIsNone) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rwLed");
  answer_in_its_place(world, [](const coap::Message&) { return coap::make_response(coap::code::changed); });
  const auto put = world.ask(alice, coap::code::put, "led", to_bytes("on"));
  ASSERT_FALSE(put.result);
  EXPECT_EQ(put.result.error(), reason::server_unprotected);
  EXPECT_TRUE(world.served.empty());
}

TEST(FlowAttack, AnObservationOfWhatThePayloadDidNotSayIsNone) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  answer_in_its_place(world, [](const coap::Message&) {
    coap::Response lie = coap::make_response(coap::code::content);
    lie.options.add_uint(coap::option::observe, 1);
    return lie;
  });
  ace::dtls::Operation fetch;
  fetch.request.method = coap::code::fetch;
  fetch.request.options.add_path("/temp").add_empty(coap::option::observe);
  fetch.request.payload = to_bytes("the part that is meant");
  fetch.plain_answer_allowed = true;
  alice.access->submit(0, std::move(fetch), world.clock.now());
  world.run();
  EXPECT_FALSE(alice.access->next_notification());
  const auto completed = alice.access->next_completed();
  ASSERT_TRUE(completed);
  ASSERT_FALSE(completed->result);
  EXPECT_EQ(completed->result.error(), reason::server_unprotected);
}

TEST(FlowAttack, WhereDtlsIsWantedNoPlainAnswerCounts) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  answer_in_its_place(world, [](const coap::Message&) {
    coap::Response lie = coap::make_response(coap::code::content);
    lie.payload = to_bytes("forty degrees");
    return lie;
  });
  const auto read = world.ask(alice, coap::code::get, "temp", {}, false);
  ASSERT_FALSE(read.result);
  EXPECT_EQ(read.result.error(), reason::token_refused);
  EXPECT_EQ(read.stage, Stage::upload);
  for (const Flying& datagram : world.seen) {
    if (datagram.to != world.rs_plain) continue;
    EXPECT_TRUE(is_upload(coap::parse(datagram.octets).value()));
  }
}

/// Somebody with a key of his own at the server's address, who takes the token and waits for the request.
TEST(FlowAttack, AnImpostorWithAnotherKeyGetsTheTokenButNoRequest) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    ClientNode& alice = world.add_client("alice", kind);
    world.allow("alice", "rwLed");
    if (kind == PopKind::raw_public_key) {
      world.rs_key = cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, world.random).value());
      world.start_rs();
    } else {
      answer_in_its_place(world, [](const coap::Message& request) -> std::optional<coap::Response> {
        if (!is_upload(request)) return std::nullopt;
        return coap::make_response(coap::code::created);
      });
    }
    const Bytes secret = to_bytes("the code is 4711");
    const auto put = world.ask(alice, coap::code::put, "led", secret);
    EXPECT_FALSE(put.result);
    EXPECT_EQ(put.stage, Stage::access);
    EXPECT_TRUE(world.served.empty());
    for (const Flying& datagram : world.seen) EXPECT_FALSE(holds(datagram.octets, secret));
  }
}

TEST(FlowAttack, ForgedHintsAreRefusedAndNobodyIsAsked) {
  struct Case {
    coap::Response lie;
    const Reason& why;
  };
  ace::CreationHints other_audience;
  other_audience.audience = "bank";
  ace::CreationHints other_as;
  other_as.as_uri = "coaps://10.0.0.1/other";
  const Case cases[] = {
      {hints_with(coap::code::unauthorized, other_audience), reason::hint_audience_unexpected},
      {hints_with(coap::code::unauthorized, other_as), reason::hint_as_not_allowed},
      {coap::make_response(coap::code::unauthorized, coap::content_format::ace_cbor, {0xa1, 0x01}),
       reason::hint_malformed},
  };
  for (const Case& one : cases) {
    World world;
    ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
    world.allow("alice", "rTemp");
    answer_in_its_place(world, [&](const coap::Message&) { return one.lie; });
    const auto read = world.ask(alice, coap::code::get, "temp");
    ASSERT_FALSE(read.result);
    EXPECT_EQ(read.result.error(), one.why);
    EXPECT_TRUE(world.ledger.tokens.empty());
    for (const Flying& datagram : world.seen) EXPECT_EQ(datagram.to.port, world.rs_plain.port);
  }
}

TEST(FlowAttack, AScopeInAForgedHintGivesNoMoreThanThePolicy) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  ace::CreationHints hints;
  hints.scope = ace::Scope("rConfig rTemp rwLed wDoor");
  answer_in_its_place(world, [&](const coap::Message& request) -> std::optional<coap::Response> {
    if (is_upload(request)) return std::nullopt;
    return hints_with(coap::code::unauthorized, hints);
  });
  EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_EQ(std::get<std::string>(*alice.access->token(0)->scope), "rTemp");
}

TEST(FlowAttack, TheNonceOfAHintIsInTheToken) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.allow("alice", "rTemp");
  ace::CreationHints hints;
  hints.cnonce = to_bytes("first nonce");
  answer_in_its_place(world, [&](const coap::Message& request) -> std::optional<coap::Response> {
    if (is_upload(request)) return std::nullopt;
    return hints_with(coap::code::unauthorized, hints);
  });
  ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_TRUE(holds(alice.access->token(0)->access_token, to_bytes("first nonce")));

  hints.cnonce = to_bytes("second nonce");
  hints.scope = ace::Scope("rTemp");
  Scripted once([&](int count) {
    return count == 1 ? hints_with(coap::code::forbidden, hints) : coap::make_response(coap::code::content);
  });
  world.rs->server().add("temp", once);
  ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  EXPECT_TRUE(holds(alice.access->token(0)->access_token, to_bytes("second nonce")));
}

TEST(FlowAttack, ABusyServerDoesNotCostTheToken) {
  for (const coap::Code code : {coap::code::too_many_requests, coap::code::service_unavailable}) {
    World world;
    ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
    world.allow("alice", "rTemp");
    answer_in_its_place(world, [code](const coap::Message& request) -> std::optional<coap::Response> {
      if (!is_upload(request)) return std::nullopt;
      return coap::make_response(code);
    });
    const auto refused = world.ask(alice, coap::code::get, "temp");
    ASSERT_FALSE(refused.result);
    EXPECT_EQ(refused.result.error(), reason::token_refused);
    EXPECT_EQ(refused.refused_with, code);
    ASSERT_NE(alice.access->token(0), nullptr);
    world.copies = {};
    EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
    EXPECT_EQ(world.ledger.tokens.size(), 1U);
  }
}

TEST(FlowAttack, WhatWaitsBehindASlowOperationEndsInItsTime) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  world.copies = [](const Flying&) { return 0; };
  ace::dtls::Operation slow;
  slow.request.options.add_path("temp");
  slow.plain_answer_allowed = true;
  ace::dtls::Operation quick = slow;
  quick.timeout = seconds(5);
  const auto first = alice.access->submit(0, slow, world.clock.now());
  const auto second = alice.access->submit(0, quick, world.clock.now());
  const Instant began = world.clock.now();
  world.run(seconds(6));
  const auto ended = alice.access->next_completed();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->id, second);
  EXPECT_EQ(ended->result.error(), reason::operation_canceled);
  EXPECT_LT(world.clock.now() - began, seconds(7));
  world.run();
  EXPECT_EQ(alice.access->next_completed()->id, first);
  EXPECT_FALSE(alice.access->next_completed());
}

/// At every moment of the flow: the token is forgotten, or the sessions closed. One Completed comes, and the next
/// operation succeeds.
TEST(FlowAttack, ForgettingAndClosingAtAnyMomentEndsTheOperationOnce) {
  for (const bool forgets : {true, false}) {
    for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
      for (int moment = 0; moment < 32; ++moment) {
        World world;
        ClientNode& alice = world.add_client("alice", kind);
        world.allow("alice", "rwLed");
        int sent = 0;
        world.copies = [&](const Flying&) {
          if (sent++ == moment) {
            if (forgets) {
              alice.access->forget(0, world.clock.now());
            } else {
              alice.access->close_session(0, world.clock.now());
            }
          }
          return 1;
        };
        ace::dtls::Operation put;
        put.request.method = coap::code::put;
        put.request.options.add_path("led");
        put.request.payload = to_bytes("on");
        put.plain_answer_allowed = true;
        alice.access->submit(0, put, world.clock.now());
        world.run();
        ASSERT_TRUE(alice.access->next_completed()) << moment;
        EXPECT_FALSE(alice.access->next_completed()) << moment;
        EXPECT_LE(world.served.size(), 1U) << moment;
        world.copies = {};
        const auto next = world.ask(alice, coap::code::put, "led", to_bytes("off"));
        EXPECT_EQ(code_of(next), coap::code::changed)
            << moment << " " << static_cast<int>(next.stage) << (next.result ? "" : next.result.error().id());
      }
    }
  }
}

/// The server is replaced (its sessions and tokens are gone) at every moment: a PUT acts at most once, and is never
/// told to have succeeded when it has not.
TEST(FlowAttack, ARestartOfTheServerAtAnyMomentRepeatsNothing) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    for (int moment = 0; moment < 32; ++moment) {
      World world;
      ClientNode& alice = world.add_client("alice", kind);
      world.allow("alice", "wDoor");
      int sent = 0;
      bool restarts = false;
      world.copies = [&](const Flying&) {
        restarts = restarts || sent == moment;
        ++sent;
        return 1;
      };
      ace::dtls::Operation post;
      post.request.method = coap::code::post;
      post.request.options.add_path("door");
      post.request.payload = to_bytes("open");
      alice.access->submit(0, post, world.clock.now());
      world.before_each_step = [&] {
        if (std::exchange(restarts, false)) world.start_rs();
      };
      world.run();
      const auto completed = alice.access->next_completed();
      ASSERT_TRUE(completed) << moment;
      EXPECT_LE(world.served.size(), 1U) << moment;
      if (code_of(*completed) == coap::code::changed) {
        EXPECT_EQ(world.served.size(), 1U) << moment;
      }
    }
  }
}

TEST(FlowAttack, AnUpdateUnderAnotherKeyDoesNotGoOnInTheSession) {
  class FalseUpdate final : public coap::Resource {
   public:
    Bytes answer;
    std::span<const coap::Code> methods() const override {
      static constexpr std::array<coap::Code, 1> post_alone{coap::code::post};
      return post_alone;
    }
    void handle(coap::ExchangeId id, const coap::Peer&, const coap::Request&, coap::Responder& responder) override {
      responder.respond(id, coap::make_response(coap::code::created, coap::content_format::ace_cbor, answer));
    }
  };
  World world;
  ClientNode& bob = world.add_client("bob", PopKind::pre_shared_key);
  world.allow("bob", "rTemp");
  ASSERT_EQ(code_of(world.ask(bob, coap::code::get, "temp")), coap::code::content);
  const std::uint64_t session = bob.access->session(0);
  ace::AccessInformation information;
  information.access_token = bob.access->token(0)->access_token;
  information.expires_in = 60;
  cose::Key other = cose::Key::symmetric(Secret(Bytes(16, 0x55))).value();
  other.kid = bob.access->token(0)->key_id;
  information.cnf = cwt::Confirmation(std::move(other));
  FalseUpdate as;
  as.answer = cbor::serialize(information);
  world.as->add("/token", as);
  const auto read = world.ask(bob, coap::code::get, "config");
  EXPECT_NE(bob.access->session(0), session);
  EXPECT_FALSE(read.result);
  EXPECT_EQ(world.served.size(), 1U);
}

TEST(FlowAttack, NothingGoesToTheAsButDtls) {
  for (const PopKind kind : {PopKind::raw_public_key, PopKind::pre_shared_key}) {
    World world;
    ClientNode& alice = world.add_client("alice", kind);
    world.allow("alice", "rTemp");
    ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
    int datagrams = 0;
    for (const Flying& datagram : world.seen) {
      if (datagram.to != world.as_address && datagram.from != world.as_address) continue;
      ++datagrams;
      // Content types of DTLS 1.2: 20 to 23. A CoAP message begins with 64 or more.
      EXPECT_TRUE(datagram.octets.front() >= 20 && datagram.octets.front() <= 23);
      EXPECT_FALSE(holds(datagram.octets, to_bytes("house")));
      EXPECT_FALSE(holds(datagram.octets, alice.access->token(0)->access_token));
    }
    EXPECT_GT(datagrams, 4);
  }
}

TEST(FlowAttack, AnAsWithAnotherKeyIsAskedForNothing) {
  World world;
  const cose::Key other =
      cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, world.random).value());
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key, [&](auto& config) {
    config.authorization_servers[0].credentials = ace::dtls::AsRawKey{other.public_part().value()};
  });
  world.allow("alice", "rTemp");
  const auto read = world.ask(alice, coap::code::get, "temp");
  EXPECT_FALSE(read.result);
  EXPECT_EQ(read.stage, Stage::token);
  EXPECT_TRUE(world.ledger.tokens.empty());
  EXPECT_EQ(world.as->tokens().counters().refused.size(), 0U);
  EXPECT_EQ(world.as->channel().session_count(), 0U);
}

}  // namespace
}  // namespace aceward::tests
