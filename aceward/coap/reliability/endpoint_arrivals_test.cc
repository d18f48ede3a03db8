// Requests from addresses that may be invented: what they get before they have shown that somebody is there.
#include <gtest/gtest.h>

#include <string>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

class CoapUnknownAddress : public ::testing::Test {
 protected:
  static Limits few() {
    Limits limits;
    limits.remembered = 8;
    limits.remembered_per_peer = 6;
    limits.peers = 8;
    return limits;
  }

  void receive(const Message& message) { receive_from(client, message); }
  void receive_from(const Peer& from, const Message& message) { endpoint.receive(from, serialize(message), now); }
  std::optional<Message> sent() {
    const auto next = endpoint.next_datagram();
    if (!next) return std::nullopt;
    last_size = next->datagram.size();
    return parse(next->datagram).value();
  }
  std::optional<RequestArrived> arrived() {
    auto event = endpoint.next_event(now);
    if (!event) return std::nullopt;
    return std::get<RequestArrived>(std::move(*event));
  }
  static Message request_of(Code method, std::uint16_t message_id, Type type = Type::confirmable) {
    return {type, method, message_id, Token(Bytes{1, 2}), {}, {}};
  }
  void answer(ExchangeId id, std::size_t octets, Code status = code::content, Delivery hint = {}) {
    endpoint.respond(id, Response{status, {}, Bytes(octets, 'x')}, hint, now);
  }
  void advance(Instant::duration by) {
    now += by;
    endpoint.on_timeout(now);
  }
  /// Shows that `from` receives what is sent to it.
  void prove(const Peer& from, std::uint16_t message_id = 0x7000) {
    receive_from(from, request_of(code::get, message_id));
    answer(arrived()->id, 500);
    const auto asked = sent();
    ASSERT_EQ(asked->code, code::unauthorized);
    auto again = request_of(code::get, static_cast<std::uint16_t>(message_id + 1));
    again.options.add(option::echo, *asked->options.find(option::echo));
    receive_from(from, again);
    answer(arrived()->id, 500);
    ASSERT_EQ(sent()->code, code::content);
  }

  SeededRandom random{5};
  Instant now{1000s};
  Peer client{Transport::udp, Address::v4(192, 0, 2, 1, 5683), Address::v4(192, 0, 2, 200, 5683), 0, 0};
  std::size_t last_size = 0;
  Endpoint endpoint{Parameters{}, few(), random};
};

TEST_F(CoapUnknownAddress, GetsAtMost136OctetsAndElseEcho) {
  for (const auto type : {Type::confirmable, Type::non_confirmable}) {
    receive(request_of(code::get, 1, type));
    auto request = arrived();
    EXPECT_EQ(request->answer_limit, 136U);
    answer(request->id, 136 - 4 - 2 - 1);
    EXPECT_EQ(sent()->code, code::content);
    EXPECT_EQ(last_size, 136U);

    receive(request_of(code::get, 2, type));
    answer(arrived()->id, 136 - 4 - 2, code::content, {Reliability::confirmable});
    const auto asked = sent();
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->code, code::unauthorized);
    EXPECT_EQ(asked->token, request_of(code::get, 2).token);
    EXPECT_TRUE(asked->options.find(option::echo));
    EXPECT_TRUE(asked->payload.empty());
    // RFC 9175 section 2.4: piggybacked or non-confirmable, never what is retransmitted.
    if (type == Type::confirmable) {
      EXPECT_EQ(asked->type, Type::acknowledgement);
      EXPECT_EQ(asked->message_id, 2);
    }
    EXPECT_NE(asked->type, Type::confirmable);
    advance(200s);
    EXPECT_FALSE(sent());
  }
  EXPECT_EQ(endpoint.counters().challenged, 2U);
}

TEST_F(CoapUnknownAddress, AnEchoLeavesNothingBehind) {
  receive(request_of(code::get, 2));
  answer(arrived()->id, 500);
  EXPECT_EQ(sent()->code, code::unauthorized);
  EXPECT_EQ(endpoint.occupancy().peers, 0U);
  EXPECT_EQ(endpoint.occupancy().remembered, 0U);
  EXPECT_FALSE(endpoint.next_timeout());
}

TEST_F(CoapUnknownAddress, AnEchoAfterTheEmptyAcknowledgementIsNonConfirmable) {
  receive(request_of(code::get, 2));
  const auto id = arrived()->id;
  advance(250ms);
  EXPECT_EQ(sent()->code, code::empty);
  answer(id, 500);
  const auto asked = sent();
  EXPECT_EQ(asked->code, code::unauthorized);
  EXPECT_EQ(asked->type, Type::non_confirmable);
  advance(200s);
  EXPECT_FALSE(sent());
  EXPECT_EQ(endpoint.occupancy().answers, 0U);
}

TEST_F(CoapUnknownAddress, IsKnownOnceItEchoes) {
  prove(client);
  EXPECT_EQ(endpoint.counters().verified, 1U);
  receive(request_of(code::get, 9));
  const auto request = arrived();
  EXPECT_EQ(request->answer_limit, std::nullopt);
  answer(request->id, 1000);
  EXPECT_EQ(sent()->code, code::content);
  advance(4h);
  receive(request_of(code::get, 10));
  EXPECT_EQ(arrived()->answer_limit, 136U) << "not for ever";
}

TEST_F(CoapUnknownAddress, OurEchoIsConsumedAndAnyOtherHandedUp) {
  receive(request_of(code::get, 2));
  answer(arrived()->id, 500);
  const auto asked = sent();
  auto request = request_of(code::get, 3);
  request.options.add(option::echo, *asked->options.find(option::echo));
  receive(request);
  EXPECT_FALSE(arrived()->request.options.has(option::echo));
  // An application's own, of the same length.
  request = request_of(code::get, 4);
  request.options.add(option::echo, Bytes(8, 9));
  receive(request);
  EXPECT_TRUE(arrived()->request.options.has(option::echo));
  EXPECT_EQ(endpoint.counters().bad_echo, 0U);
}

TEST_F(CoapUnknownAddress, AnotherAddresssEchoIsWorthNothing) {
  receive(request_of(code::get, 2));
  answer(arrived()->id, 500);
  const auto asked = sent();
  auto request = request_of(code::get, 3);
  request.options.add(option::echo, *asked->options.find(option::echo));
  auto elsewhere = client;
  ++elsewhere.remote.port;
  receive_from(elsewhere, request);
  EXPECT_EQ(arrived()->answer_limit, 136U);
  EXPECT_EQ(endpoint.counters().bad_echo, 1U);
  advance(4min);
  receive(request);
  EXPECT_EQ(arrived()->answer_limit, 136U) << "too old";
  EXPECT_EQ(endpoint.counters().bad_echo, 2U);
}

TEST_F(CoapUnknownAddress, AnUnsafeRequestHasActedSoItsAnswerIsCutDown) {
  receive(request_of(code::post, 2));
  Response created{code::created, {}, Bytes(300, 'x')};
  created.options.add(option::location_path, "made");
  endpoint.respond(arrived()->id, created, {}, now);
  auto cut = sent();
  EXPECT_EQ(cut->code, code::created);
  EXPECT_EQ(cut->options.find_text(option::location_path), "made") << "the payload goes first";
  EXPECT_TRUE(cut->payload.empty());

  receive(request_of(code::post, 3));
  created.options.add(option::location_path, std::string(200, 'x'));
  endpoint.respond(arrived()->id, created, {}, now);
  cut = sent();
  EXPECT_EQ(cut->code, code::created);
  EXPECT_TRUE(cut->options.empty());
  EXPECT_EQ(endpoint.counters().shortened, 2U);
}

TEST_F(CoapUnknownAddress, CopiesOfASeparateAnswerStayWithinTheBoundTogether) {
  receive(request_of(code::post, 2));
  const auto id = arrived()->id;
  advance(250ms);
  EXPECT_EQ(sent()->code, code::empty);
  answer(id, 40, code::changed);
  std::size_t octets = 0;
  while (const auto next = endpoint.next_timeout()) {
    while (sent()) octets += last_size;
    advance(*next - now);
  }
  EXPECT_LE(octets, 136U);
  EXPECT_GE(octets, 2U * 47);
  EXPECT_EQ(std::get<ExchangeGone>(*endpoint.next_event(now)).reason, reason::coap_not_acknowledged);
}

TEST_F(CoapUnknownAddress, NotificationsAreConfirmableUntilOneIsAcknowledged) {
  auto request = request_of(code::get, 2);
  request.options.add_uint(option::observe, 0);
  receive(request);
  const auto id = arrived()->id;
  const auto notify = [&](std::uint64_t number) {
    Response response{code::content, {}, to_bytes("v")};
    response.options.set_uint(option::observe, number);
    endpoint.respond(id, response, {Reliability::non_confirmable}, now);
  };
  notify(1);
  EXPECT_EQ(sent()->type, Type::acknowledgement);
  notify(2);
  const auto second = sent();
  EXPECT_EQ(second->type, Type::confirmable);
  notify(3);
  EXPECT_FALSE(sent());
  receive({Type::acknowledgement, code::empty, second->message_id, {}, {}, {}});
  EXPECT_EQ(sent()->type, Type::confirmable) << "it was given while nothing was acknowledged";
  notify(4);
  EXPECT_FALSE(sent());
}

TEST_F(CoapUnknownAddress, WhatTheMessageLayerAnswersItselfStaysWithinTheBound) {
  std::vector<Message> provoking;
  auto critical = request_of(code::get, 1);
  critical.token = Token(Bytes(64, 7));
  critical.options.add_empty(OptionNumber(65001));
  provoking.push_back(critical);
  auto proxy = request_of(code::get, 2);
  proxy.options.add(option::proxy_uri, "coap://h/");
  provoking.push_back(proxy);
  auto large = request_of(code::put, 3);
  large.token = Token(Bytes(64, 7));
  large.payload.resize(2000);
  provoking.push_back(large);
  provoking.push_back(request_of(code::empty, 4));
  provoking.back().token = {};
  for (const auto& message : provoking) {
    receive(message);
    ASSERT_TRUE(sent()) << message.message_id;
    EXPECT_LE(last_size, 136U);
    EXPECT_FALSE(arrived());
  }
}

TEST_F(CoapUnknownAddress, MayBeTrustedListenerByListener) {
  endpoint.set_unverified_answer(Address::parse("[::]:5683").value(), 0);
  endpoint.set_unverified_answer(Address::v4(192, 0, 2, 201, 5683), 50);
  receive(request_of(code::get, 1));
  EXPECT_EQ(arrived()->answer_limit, std::nullopt);
  auto other = client;
  other.local = Address::v4(192, 0, 2, 201, 5683);
  receive_from(other, request_of(code::get, 2));
  EXPECT_EQ(arrived()->answer_limit, 50U);
  other.local.port = 61616;
  receive_from(other, request_of(code::get, 3));
  EXPECT_EQ(arrived()->answer_limit, 136U);
}

TEST_F(CoapUnknownAddress, ASessionNeedsNoProof) {
  client.transport = Transport::dtls;
  client.session = 4;
  auto request = request_of(code::get, 1);
  request.options.add(option::echo, Bytes(8, 1));
  receive(request);
  const auto one = arrived();
  EXPECT_EQ(one->answer_limit, std::nullopt);
  EXPECT_TRUE(one->request.options.has(option::echo)) << "freshness is for others to judge";
}

TEST_F(CoapUnknownAddress, UnderPressureAPostFirstShowsWhereItComesFrom) {
  const auto at = [&](std::uint8_t host) {
    auto peer = client;
    peer.remote = Address::v4(198, 51, 100, host, 5683);
    return peer;
  };
  unsigned acted = 0;
  for (std::uint8_t host = 1; host <= 200; ++host) {
    receive_from(at(host), request_of(code::post, 1));
    if (const auto request = arrived()) {
      ++acted;
      answer(request->id, 1, code::changed);
      EXPECT_EQ(sent()->code, code::changed);
    } else {
      const auto asked = sent();
      EXPECT_EQ(asked->code, code::unauthorized);
      EXPECT_TRUE(asked->options.has(option::echo));
    }
    EXPECT_LE(endpoint.occupancy().remembered, 5U);
    EXPECT_LE(endpoint.occupancy().peers, 5U);
  }
  EXPECT_EQ(acted, 5U) << "half the room and one";
  // Who echoes has the other half.
  receive(request_of(code::post, 7));
  auto again = request_of(code::post, 8);
  again.options.add(option::echo, *sent()->options.find(option::echo));
  receive(again);
  const auto request = arrived();
  ASSERT_TRUE(request);
  answer(request->id, 1, code::changed);
  EXPECT_EQ(sent()->code, code::changed);
  receive_from(at(250), request_of(code::get, 1));
  EXPECT_TRUE(arrived()) << "what is safe takes no room";
}

TEST_F(CoapUnknownAddress, AnExtendedTokenIsEchoed) {
  auto request = request_of(code::post, 1);
  request.token = Token(random.bytes(64));
  receive(request);
  const auto id = arrived()->id;
  advance(250ms);
  EXPECT_EQ(sent()->code, code::empty);
  answer(id, 1, code::changed);
  EXPECT_EQ(sent()->token, request.token);
}

TEST_F(CoapUnknownAddress, ATokenBeyondTheLimitGets400AndNoReset) {  // RFC 8974 section 2.2.2
  auto request = request_of(code::get, 1);
  request.token = Token(Bytes(64, 7));
  receive(request);
  EXPECT_TRUE(arrived());
  for (const std::size_t size : {65U, 300U, 1000U, 1300U}) {
    request.token = Token(Bytes(size, 7));
    ++request.message_id;
    receive(request);
    EXPECT_FALSE(arrived());
    const auto next = endpoint.next_datagram();
    ASSERT_TRUE(next);
    const auto refusal = parse(next->datagram, {.token = 1300}).value();
    EXPECT_EQ(refusal.type, Type::acknowledgement);
    EXPECT_EQ(refusal.code, code::bad_request);
    EXPECT_EQ(refusal.token, request.token);
    EXPECT_LE(next->datagram.size(), serialize(request).size()) << "no more than was received";
  }
}

TEST_F(CoapUnknownAddress, NewerNotificationsStayWithinTheBoundToo) {
  auto request = request_of(code::get, 2);
  request.options.add_uint(option::observe, 0);
  receive(request);
  const auto id = arrived()->id;
  std::uint64_t number = 0;
  const auto notify = [&] {
    Response response{code::content, {}, Bytes(40, 'x')};
    response.options.set_uint(option::observe, ++number);
    endpoint.respond(id, response, {}, now);
  };
  notify();
  EXPECT_EQ(sent()->type, Type::acknowledgement);
  std::size_t octets = 0;
  while (endpoint.occupancy().answers != 0) {
    notify();
    while (sent()) octets += last_size;
    advance(1s);
  }
  EXPECT_LE(octets, 136U);
  EXPECT_GE(octets, 2U * 47);
}

TEST(CoapCrowd, InventedAddressesDoNotFillThePlacesOfThoseWhoAreOwedAnAnswer) {
  Limits limits;
  limits.answers = 20;
  SeededRandom random(1);
  Instant now{1000s};
  Endpoint endpoint(Parameters{}, limits, random);
  const auto ask = [&](std::uint8_t host, Code method, const Options& options = {}) {
    const Peer from{Transport::udp, Address::v4(192, 0, 2, host, 5683), {}, 0, 0};
    endpoint.receive(from, serialize(Message{Type::confirmable, method, host, {}, options, {}}), now);
    while (endpoint.next_event(now)) continue;  // nothing is answered at once
    const auto answer = endpoint.next_datagram();
    return answer ? parse(answer->datagram).value() : Message{};
  };
  for (std::uint8_t host = 1; host < 200; ++host) {
    for (const auto method : {code::get, code::put, code::post}) (void)ask(host, method);
  }
  EXPECT_EQ(endpoint.occupancy().answers, 11U);
  EXPECT_EQ(endpoint.counters().refused_answers, 0U);
  for (const auto method : {code::get, code::put, code::post}) {
    const auto asked = ask(200, method);
    ASSERT_EQ(asked.code, code::unauthorized);
    EXPECT_EQ(asked.type, Type::acknowledgement);
    Options echo;
    echo.add(option::echo, *asked.options.find(option::echo));
    EXPECT_EQ(ask(201, method, echo).code, code::unauthorized) << "what somebody else was sent";
  }
  Options echo;
  echo.add(option::echo, *ask(202, code::get).options.find(option::echo));
  EXPECT_EQ(ask(202, code::get, echo).code, code::empty);
  EXPECT_EQ(endpoint.occupancy().answers, 12U) << "who showed where it is gets a place";
}

}  // namespace
}  // namespace aceward::coap
