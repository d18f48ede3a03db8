// How fast answers leave: places for confirmable ones, pauses between the others, and what replaces what.
#include <gtest/gtest.h>

#include <string>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

class CoapNotifications : public ::testing::Test {
 protected:
  static Limits trusting() {
    Limits limits;
    limits.unverified_answer = 0;
    return limits;
  }

  ExchangeId observe(std::uint16_t message_id, Type type = Type::confirmable) {
    Message request{type, code::get, message_id, Token(to_bytes(std::to_string(message_id))), {}, {}};
    request.options.add_uint(option::observe, 0);
    endpoint.receive(client, serialize(request), now);
    const auto id = std::get<RequestArrived>(*endpoint.next_event(now)).id;
    notify(id, 1);
    EXPECT_TRUE(sent());
    return id;
  }
  void notify(ExchangeId id, std::uint64_t number, Reliability reliability = Reliability::non_confirmable) {
    Response response{code::content, {}, to_bytes(std::to_string(number))};
    response.options.set_uint(option::observe, number);
    endpoint.respond(id, response, {reliability}, now);
  }
  std::optional<Message> sent() {
    const auto next = endpoint.next_datagram();
    if (!next) return std::nullopt;
    return parse(next->datagram).value();
  }
  void acknowledge(const Message& message) {
    endpoint.receive(client, serialize(Message{Type::acknowledgement, code::empty, message.message_id, {}, {}, {}}),
                     now);
  }
  /// What a client does that is there.
  void serve(const Message& message) {
    acknowledge(message);
    if (!message.code.is_request()) return;
    Message answer{Type::non_confirmable, code::content, ++client_message_id, message.token, {}, {}};
    endpoint.receive(client, serialize(answer), now);
    EXPECT_TRUE(std::holds_alternative<ResponseArrived>(*endpoint.next_event(now)));
  }
  void advance(Instant::duration by) {
    now += by;
    endpoint.on_timeout(now);
  }

  SeededRandom random{6};
  Instant now{1000s};
  std::uint16_t client_message_id = 0x4000;
  Peer client{Transport::udp, Address::v4(192, 0, 2, 1, 5683), {}, 0, 0};
  Endpoint endpoint{Parameters{}, trusting(), random};
};

TEST_F(CoapNotifications, NonConfirmableOnesLeaveThreeSecondsApart) {  // RFC 7641 section 4.5.1
  const auto id = observe(1);
  notify(id, 2);
  EXPECT_EQ(as_text(sent()->payload), "2");
  for (std::uint64_t number = 3; number < 30; ++number) {
    notify(id, number);
    advance(100ms);
    EXPECT_FALSE(sent()) << number;
  }
  EXPECT_EQ(endpoint.next_timeout(), now + 300ms);
  advance(300ms);
  EXPECT_EQ(as_text(sent()->payload), "29") << "the newest, the others are skipped";
  EXPECT_FALSE(sent());
  EXPECT_FALSE(endpoint.next_timeout());
}

TEST_F(CoapNotifications, ThePauseIsForTheClientHoweverManyResourcesItObserves) {
  const auto first = observe(1);
  const auto second = observe(2);
  notify(first, 2);
  notify(second, 2);
  EXPECT_TRUE(sent());
  EXPECT_FALSE(sent());
  advance(3s);
  EXPECT_TRUE(sent());
}

TEST_F(CoapNotifications, AKnownRoundTripTimeShortensThePause) {
  const auto id = observe(1);
  notify(id, 2, Reliability::confirmable);
  const auto confirmable = sent();
  advance(200ms);
  acknowledge(*confirmable);
  notify(id, 3);
  EXPECT_TRUE(sent());
  notify(id, 4);
  advance(199ms);
  EXPECT_FALSE(sent());
  advance(1ms);
  EXPECT_TRUE(sent());
}

TEST_F(CoapNotifications, TheLastWordDoesNotWait) {
  const auto id = observe(1, Type::non_confirmable);
  notify(id, 2);
  EXPECT_FALSE(sent()) << "the first answer was non-confirmable too";
  endpoint.respond(id, Response{code::not_found, {}, {}}, {}, now);
  EXPECT_EQ(sent()->code, code::not_found);
  EXPECT_EQ(endpoint.occupancy().answers, 0U);
  advance(10s);
  EXPECT_FALSE(sent());
}

TEST_F(CoapNotifications, OneThatDoesNotFitEndsTheObservationOnce) {
  const auto id = observe(1);
  Response large{code::content, {}, Bytes(2000, 'x')};
  large.options.set_uint(option::observe, 2);
  endpoint.respond(id, large, {Reliability::confirmable}, now);
  EXPECT_EQ(sent()->code, code::internal_server_error);
  EXPECT_EQ(std::get<ExchangeGone>(*endpoint.next_event(now)).id, id);
  while (const auto next = endpoint.next_timeout()) advance(*next - now);
  EXPECT_FALSE(endpoint.next_event(now)) << "nor is it told again that nobody acknowledged";
  EXPECT_EQ(endpoint.occupancy().answers, 0U);
}

TEST_F(CoapNotifications, OneConfirmableAtATimeToOnePeer) {  // NSTART, RFC 7252 section 4.7
  const auto first = observe(1);
  const auto second = observe(2);
  notify(first, 2, Reliability::confirmable);
  notify(second, 2, Reliability::confirmable);
  const auto one = sent();
  ASSERT_TRUE(one);
  EXPECT_FALSE(sent());
  notify(second, 3, Reliability::confirmable);
  EXPECT_FALSE(sent());
  acknowledge(*one);
  const auto other = sent();
  ASSERT_TRUE(other);
  EXPECT_EQ(as_text(other->payload), "3");
  EXPECT_NE(other->token, one->token);
  EXPECT_FALSE(sent());
}

TEST_F(CoapNotifications, ARequestOfOursWaitsForItsPlaceToo) {
  const auto id = observe(1);
  notify(id, 2, Reliability::confirmable);
  const auto notification = sent();
  ASSERT_TRUE(endpoint.request(client, Request{}, {}, now));
  EXPECT_FALSE(sent());
  acknowledge(*notification);
  EXPECT_TRUE(sent()->code.is_request());
}

TEST_F(CoapNotifications, ALostClientFreesThePlace) {
  const auto first = observe(1);
  const auto second = observe(2);
  notify(first, 2, Reliability::confirmable);
  notify(second, 2, Reliability::confirmable);
  const auto token = sent()->token;
  bool other = false;
  while (const auto next = endpoint.next_timeout()) {
    advance(*next - now);
    while (const auto message = sent()) other |= message->token != token;
  }
  EXPECT_TRUE(other);
  EXPECT_EQ(endpoint.occupancy().answers, 0U);
  EXPECT_EQ(std::get<ExchangeGone>(*endpoint.next_event(now)).id, first);
  EXPECT_EQ(std::get<ExchangeGone>(*endpoint.next_event(now)).id, second);
}

TEST_F(CoapNotifications, ANewerOneTakesThePlaceOfARetransmission) {  // RFC 7641 section 4.5.2
  const auto id = observe(1);
  notify(id, 2, Reliability::confirmable);
  const auto old = sent();
  const auto begin = now;
  const auto timeout = *endpoint.next_timeout() - now;
  notify(id, 3, Reliability::confirmable);
  EXPECT_FALSE(sent()) << "not before the attempt is over";
  advance(timeout);
  const auto newer = sent();
  ASSERT_TRUE(newer);
  EXPECT_EQ(as_text(newer->payload), "3");
  EXPECT_EQ(newer->type, Type::confirmable);
  EXPECT_NE(newer->message_id, old->message_id);
  EXPECT_EQ(*endpoint.next_timeout() - now, 2 * timeout) << "timer and counter are those of the old one";
  acknowledge(*old);
  EXPECT_EQ(endpoint.occupancy().answers, 1U);
  unsigned copies = 1;
  while (const auto next = endpoint.next_timeout()) {
    advance(*next - now);
    while (sent()) ++copies;
  }
  EXPECT_EQ(copies, 4U) << "five attempts with the old one";
  EXPECT_LE(now - begin, 93s);
  EXPECT_EQ(std::get<ExchangeGone>(*endpoint.next_event(now)).reason, reason::coap_not_acknowledged);
}

TEST_F(CoapNotifications, AStateThatChangesAllTheTimeDoesNotKeepOthersWaiting) {
  const auto busy = observe(1);
  const auto quiet = observe(2);
  std::uint64_t number = 2;
  notify(busy, number, Reliability::confirmable);
  notify(quiet, 2, Reliability::confirmable);
  ASSERT_TRUE(endpoint.request(client, Request{}, {}, now));
  bool answered = false;
  bool asked = false;
  for (int round = 0; round < 4; ++round) {
    notify(busy, ++number, Reliability::confirmable);
    const auto message = sent();
    ASSERT_TRUE(message);
    EXPECT_FALSE(sent()) << "one at a time";
    answered |= message->token == Token(to_bytes("2"));
    asked |= message->code.is_request();
    serve(*message);
    advance(100ms);
  }
  EXPECT_TRUE(answered);
  EXPECT_TRUE(asked);
}

TEST_F(CoapNotifications, TwoStatesThatChangeAllTheTimeLeaveOurRequestsTheirTurn) {
  const ExchangeId busy[] = {observe(1), observe(2)};
  std::uint64_t number = 2;
  ASSERT_TRUE(endpoint.request(client, Request{}, {Reliability::non_confirmable}, now));
  EXPECT_TRUE(sent());
  ASSERT_TRUE(endpoint.request(client, Request{}, {}, now));
  ASSERT_TRUE(endpoint.request(client, Request{}, {}, now));
  advance(20s);
  int asked = 0;
  for (int round = 0; round < 8; ++round) {
    for (const auto id : busy) notify(id, ++number, Reliability::confirmable);
    const auto message = sent();
    ASSERT_TRUE(message);
    asked += message->code.is_request();
    serve(*message);
    advance(100ms);
  }
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace aceward::coap
