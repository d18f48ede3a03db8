// When a request of ours may leave: NSTART, PROBING_RATE, Message IDs (RFC 7252 sections 4.4, 4.7).
#include <string>
#include <vector>

#include "aceward/coap/reliability/client_fixture.h"

namespace aceward::coap {
namespace {

TEST_F(CoapClient, OneRequestAtATimeToOnePeer) {
  ask();
  ask();
  const auto first = sent();
  EXPECT_FALSE(sent());
  receive(reply(Type::acknowledgement, first->message_id, first->token));
  const auto second = sent();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->message_id, static_cast<std::uint16_t>(first->message_id + 1));
  EXPECT_NE(second->token, first->token);
  ask();
  receive({Type::acknowledgement, code::empty, second->message_id, {}, {}, {}});
  EXPECT_TRUE(sent()) << "an acknowledged request is no longer outstanding";
}

TEST_F(CoapClient, ANonConfirmableRequestHoldsItsPlaceAsLongAsTheProbingRateSays) {
  ask({Reliability::non_confirmable});
  ask();
  const auto size = std::chrono::seconds(serialize(*sent()).size());
  EXPECT_FALSE(sent());
  advance(size - 1s);
  EXPECT_FALSE(sent());
  advance(1s);
  EXPECT_TRUE(sent());
}

TEST_F(CoapClient, CancellingStopsEverythingAndLetsTheNextGoWhenTheProbingRateDoes) {
  const auto id = ask();
  ask();
  const auto first = sent();
  endpoint.cancel(id);
  EXPECT_LE(endpoint.next_timeout(), now);
  endpoint.on_timeout(now);
  const auto hold = std::chrono::seconds(serialize(*first).size());
  EXPECT_EQ(endpoint.next_timeout(), now + hold) << "PROBING_RATE: an octet a second to who does not answer";
  advance(hold - 1s);
  EXPECT_FALSE(sent());
  advance(1s);
  const auto second = sent();
  ASSERT_TRUE(second);
  EXPECT_NE(second->token, first->token);
  receive(reply(Type::acknowledgement, first->message_id, first->token));
  EXPECT_EQ(next_text(), "");
  receive(reply(Type::acknowledgement, second->message_id, second->token));
  EXPECT_EQ(next_text(), "v");
  EXPECT_EQ(endpoint.occupancy().peers, 0U);
}

TEST_F(CoapClient, TheCallersTimeoutDoesNotOutrunTheProbingRate) {
  for (const auto reliability : {Reliability::confirmable, Reliability::non_confirmable}) {
    SCOPED_TRACE(static_cast<int>(reliability));
    std::size_t octets = 0;
    const auto begin = now;
    for (int i = 0; i < 100; ++i) {
      (void)endpoint.request(server, Request{}, {reliability, 1s}, now);
      advance(1s);
      while (const auto request = sent()) octets += serialize(*request).size();
      while (endpoint.next_event(now)) continue;
    }
    EXPECT_LE(octets, static_cast<std::size_t>((now - begin) / 1s) + 12);
    EXPECT_GE(octets, 60U);
    advance(1h);
    EXPECT_EQ(endpoint.occupancy().peers, 0U);
  }
}

TEST_F(CoapClient, APeerThatAcknowledgesAndNeverAnswersIsProbedNoFaster) {
  std::size_t octets = 0;
  const auto begin = now;
  for (int i = 0; i < 200; ++i) {
    (void)endpoint.request(server, Request{}, {}, now);
    while (const auto request = sent()) {
      octets += serialize(*request).size();
      receive({Type::acknowledgement, code::empty, request->message_id, {}, {}, {}});
    }
    advance(1s);
    while (endpoint.next_event(now)) continue;
  }
  EXPECT_LE(octets, static_cast<std::size_t>((now - begin) / 1s) + 12);
  EXPECT_GE(octets, 150U);
}

TEST_F(CoapClient, WaitsForAMessageIdRatherThanFail) {
  server.session = 1;
  server.transport = Transport::dtls;
  ask({}, code::get);
  for (int i = 0; i < 65536; ++i) {
    const auto request = sent();
    ASSERT_TRUE(request) << i;
    receive(reply(Type::acknowledgement, request->message_id, request->token));
    ASSERT_EQ(next_text(), "v");
    ask();
  }
  EXPECT_FALSE(sent()) << "all are in use";
  EXPECT_EQ(endpoint.counters().refused_message_ids, 1U);
  const auto due = endpoint.next_timeout();
  ASSERT_TRUE(due);
  EXPECT_GE(*due, now + 247s);
  EXPECT_EQ(next_text(), "");
}

TEST_F(CoapClient, ARequestThatWaitedForAMessageIdLeavesWhenOneIsFree) {
  server.session = 1;
  server.transport = Transport::dtls;
  for (int i = 0; i < 65536; ++i) {
    ask();
    const auto request = sent();
    ASSERT_TRUE(request) << i;
    receive(reply(Type::acknowledgement, request->message_id, request->token));
    ASSERT_EQ(next_text(), "v");
    if (i % 256 == 0) advance(500ms);
  }
  ask({Reliability::automatic, 1h});
  EXPECT_FALSE(sent());
  const auto due = endpoint.next_timeout();
  ASSERT_TRUE(due);
  EXPECT_GT(*due, now);
  advance(*due - now);
  const auto request = sent();
  ASSERT_TRUE(request);
  receive(reply(Type::acknowledgement, request->message_id, request->token));
  EXPECT_EQ(next_text(), "v");
}

TEST_F(CoapClient, NothingFollowsACancel) {
  const auto id = ask();
  const auto request = sent();
  receive(reply(Type::acknowledgement, request->message_id, request->token));
  endpoint.cancel(id);
  EXPECT_EQ(next_text(), "");
}

TEST_F(CoapClient, ACallersTimeoutCountsTheTimeInTheQueue) {
  ask();
  ask({Reliability::automatic, 5s});
  advance(5s);
  EXPECT_EQ(next_text(), "coap_not_answered");
  EXPECT_EQ(endpoint.occupancy().requests, 1U);
}

TEST_F(CoapClient, AfterAnAnswerARequestThatIsGivenUpDelaysTheNextNoLongerThanARetransmissionWould) {
  for (const auto reliability : {Reliability::confirmable, Reliability::non_confirmable}) {
    SCOPED_TRACE(static_cast<int>(reliability));
    ask();
    const auto heard = sent();
    ASSERT_TRUE(heard);
    receive(reply(Type::acknowledgement, heard->message_id, heard->token));
    EXPECT_EQ(next_text(), "v");
    const Request large{code::fetch, {}, Bytes(1000, 'x')};
    ASSERT_TRUE(endpoint.request(server, large, {reliability, 1s}, now));
    EXPECT_TRUE(sent());
    advance(1s);
    EXPECT_EQ(next_text(), "coap_not_answered");
    ask({Reliability::automatic, 10s});
    advance(1999ms);
    EXPECT_FALSE(sent()) << "but no faster than that";
    advance(1ms);
    const auto next = sent();
    ASSERT_TRUE(next);
    receive(reply(Type::acknowledgement, next->message_id, next->token));
    EXPECT_EQ(next_text(), "v");
  }
  // Then it falls silent.
  advance(247s);
  ASSERT_TRUE(endpoint.request(server, Request{}, {Reliability::non_confirmable, 1s}, now));
  const auto hold = std::chrono::seconds(serialize(*sent()).size());
  ask({Reliability::automatic, 1h});
  advance(hold - 1s);
  EXPECT_FALSE(sent());
  advance(1s);
  EXPECT_TRUE(sent());
}

TEST_F(CoapClient, AfterAllItsRetransmissionsALargeRequestHoldsNobodyBack) {
  ASSERT_TRUE(endpoint.request(server, Request{code::put, {}, Bytes(1000, 'x')}, {}, now));
  const auto begin = now;
  ask({Reliability::automatic, 1h});
  bool next = false;
  while (!next) {
    advance(*endpoint.next_timeout() - now);
    while (const auto message = sent()) next |= message->code == code::get;
  }
  EXPECT_LE(now - begin, Parameters{}.max_transmit_wait());
  EXPECT_EQ(next_text(), "coap_not_acknowledged");
}

TEST_F(CoapClient, ATimerThatFiresLateStillLeavesTimeForTheAnswer) {
  ask();
  const auto begin = now;
  const auto request = sent();
  advance(46s);
  EXPECT_FALSE(sent()) << "MAX_TRANSMIT_SPAN is over";
  EXPECT_EQ(next_text(), "");
  EXPECT_EQ(endpoint.next_timeout(), begin + Parameters{}.max_transmit_wait());
  receive(reply(Type::acknowledgement, request->message_id, request->token));
  EXPECT_EQ(next_text(), "v");
  ask();
  (void)sent();
  advance(46s);
  advance(47s);
  EXPECT_EQ(next_text(), "coap_not_acknowledged");
}

}  // namespace
}  // namespace aceward::coap
