// What an endpoint does with requests of its own, datagram by datagram.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "aceward/coap/reliability/client_fixture.h"

namespace aceward::coap {
namespace {

TEST_F(CoapClient, TakesAPiggybackedResponse) {
  const auto id = ask();
  const auto request = sent();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->type, Type::confirmable);
  EXPECT_EQ(request->token.size(), 8U);
  receive(reply(Type::acknowledgement, request->message_id, request->token));
  EXPECT_EQ(next_text(), "v");
  EXPECT_EQ(last->id, id);
  EXPECT_TRUE(last->final);
  EXPECT_EQ(last->peer, server);
  advance(100s);
  EXPECT_FALSE(sent());
  EXPECT_EQ(endpoint.occupancy().requests, 0U);
}

TEST_F(CoapClient, RetransmitsWithExponentialBackOffAndThenGivesUp) {
  ask();
  const auto first = sent();
  const auto begin = now;
  std::vector<Instant::duration> gaps;
  while (endpoint.occupancy().requests != 0) {
    const auto due = endpoint.next_timeout().value();
    gaps.push_back(due - now);
    advance(due - now);
    if (const auto copy = sent()) {
      EXPECT_EQ(*copy, *first);
    }
  }
  ASSERT_EQ(gaps.size(), 5U);
  EXPECT_GE(gaps[0], 2s);
  EXPECT_LE(gaps[0], 3s);
  for (std::size_t i = 1; i < gaps.size(); ++i) EXPECT_EQ(gaps[i], 2 * gaps[i - 1]);
  EXPECT_LE(now - begin, 93s);
  EXPECT_EQ(endpoint.counters().retransmitted, 4U);
  EXPECT_EQ(next_text(), "coap_not_acknowledged");
  EXPECT_EQ(next_text(), "");
}

TEST_F(CoapClient, TellsOfARequestThatDoesNotGetThrough) {
  const auto id = ask();
  for (int transmission = 0; transmission < 2; ++transmission) {
    ASSERT_TRUE(sent());
    EXPECT_FALSE(endpoint.next_stalled());
    advance(*endpoint.next_timeout() - now);
  }
  const auto stalled = endpoint.next_stalled();
  ASSERT_TRUE(stalled);
  EXPECT_EQ(stalled->id, id);
  EXPECT_EQ(stalled->peer, server);
  EXPECT_EQ(stalled->retransmissions, 2U);
  EXPECT_FALSE(endpoint.next_stalled());
  while (const auto next = endpoint.next_timeout()) advance(*next - now);
  EXPECT_FALSE(endpoint.next_stalled()) << "once for each request";
}

TEST_F(CoapClient, WhatIsStalledDoesNotPileUpWhereNobodyAsks) {
  for (int i = 0; i < 50; ++i) {
    ask();
    while (endpoint.occupancy().requests != 0) {
      advance(*endpoint.next_timeout() - now);
      while (sent()) continue;
    }
    EXPECT_EQ(next_text(), "coap_not_acknowledged");
    EXPECT_EQ(endpoint.occupancy().stalled, 1U);
  }
  EXPECT_FALSE(endpoint.next_stalled());
  EXPECT_EQ(endpoint.occupancy().stalled, 0U);
}

TEST_F(CoapClient, WhatIsAnsweredInTimeIsNotStalled) {
  ask();
  const auto request = sent();
  for (int i = 0; i < 2; ++i) advance(*endpoint.next_timeout() - now);
  receive({Type::acknowledgement, code::empty, request->message_id, {}, {}, {}});
  EXPECT_FALSE(endpoint.next_stalled());
}

TEST_F(CoapClient, AnEmptyAcknowledgementStopsRetransmissionAndTheSeparateResponseIsAcknowledged) {
  ask();
  const auto request = sent();
  receive({Type::acknowledgement, code::empty, request->message_id, {}, {}, {}});
  advance(100s);
  EXPECT_FALSE(sent());
  receive(reply(Type::confirmable, 0x4444, request->token));
  EXPECT_EQ(next_text(), "v");
  const Message acknowledgement{Type::acknowledgement, code::empty, 0x4444, {}, {}, {}};
  EXPECT_EQ(sent(), acknowledgement);
  receive(reply(Type::confirmable, 0x4444, request->token));
  EXPECT_EQ(sent(), acknowledgement) << "a repetition is acknowledged again";
  EXPECT_EQ(next_text(), "");
}

TEST_F(CoapClient, AResponseBeforeTheAcknowledgementCounts) {
  ask();
  const auto request = sent();
  receive(reply(Type::confirmable, 0x4444, request->token));
  EXPECT_EQ(next_text(), "v");
  EXPECT_EQ(sent()->type, Type::acknowledgement);
  receive({Type::acknowledgement, code::empty, request->message_id, {}, {}, {}});
  advance(100s);
  EXPECT_FALSE(sent());
  EXPECT_EQ(next_text(), "");
}

TEST_F(CoapClient, AnAcknowledgedRequestStillTimesOut) {
  ask();
  receive({Type::acknowledgement, code::empty, sent()->message_id, {}, {}, {}});
  advance(246s);
  EXPECT_EQ(next_text(), "");
  advance(1s);
  EXPECT_EQ(next_text(), "coap_not_answered");
}

TEST_F(CoapClient, APingIsEmptyAndAnsweredByAReset) {
  const auto id = endpoint.ping(server, 30s, now).value();
  const auto datagram = endpoint.next_datagram();
  ASSERT_TRUE(datagram);
  ASSERT_EQ(datagram->datagram.size(), 4U);
  const auto ping = parse(datagram->datagram).value();
  EXPECT_EQ(ping.type, Type::confirmable);
  EXPECT_TRUE(ping.code.is_empty());
  receive({Type::reset, code::empty, ping.message_id, {}, {}, {}});
  const auto event = endpoint.next_event(now);
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<ExchangeGone>(*event).id, id);
  EXPECT_EQ(std::get<ExchangeGone>(*event).reason, reason::coap_reset_by_peer);
  EXPECT_EQ(endpoint.occupancy().requests, 0U);
}

TEST_F(CoapClient, APingThatNobodyAnswersEndsInTime) {
  ASSERT_TRUE(endpoint.ping(server, 5s, now));
  const auto ping = sent();
  ASSERT_TRUE(ping);
  // An acknowledgement stops the retransmission; an answer to an empty message it is not.
  receive({Type::acknowledgement, code::empty, ping->message_id, {}, {}, {}});
  EXPECT_EQ(next_text(), "");
  advance(5s);
  EXPECT_EQ(next_text(), "coap_not_answered");
  EXPECT_FALSE(sent());
}

TEST_F(CoapClient, AResetEndsARequestOfEitherKind) {
  ask();
  receive({Type::reset, code::empty, sent()->message_id, {}, {}, {}});
  EXPECT_EQ(next_text(), "coap_reset_by_peer");
  ask({Reliability::non_confirmable});
  receive({Type::reset, code::empty, sent()->message_id, {}, {}, {}});
  EXPECT_EQ(next_text(), "coap_reset_by_peer");
}

TEST_F(CoapClient, ForgedAnswersAreNotTaken) {
  ask();
  const auto request = sent();
  const Token wrong(Bytes{1, 2, 3, 4, 5, 6, 7, 8});
  const auto other_id = static_cast<std::uint16_t>(request->message_id + 1);
  receive(reply(Type::acknowledgement, request->message_id, wrong));  // token
  receive(reply(Type::acknowledgement, request->message_id, Token(request->token.view().first(7))));
  receive(reply(Type::acknowledgement, other_id, request->token));  // Message ID
  receive({Type::acknowledgement, code::empty, other_id, {}, {}, {}});
  receive({Type::reset, code::empty, other_id, {}, {}, {}});
  EXPECT_FALSE(sent()) << "acknowledgements and resets are never answered";
  receive(reply(Type::confirmable, 7, wrong));
  EXPECT_EQ(sent()->type, Type::reset) << "an unexpected confirmable response is rejected";
  auto elsewhere = server;
  elsewhere.remote.port = 5685;
  endpoint.receive(elsewhere, serialize(reply(Type::acknowledgement, request->message_id, request->token)), now);
  auto session = server;
  session.transport = Transport::dtls;
  session.session = 3;
  endpoint.receive(session, serialize(reply(Type::acknowledgement, request->message_id, request->token)), now);
  EXPECT_EQ(next_text(), "");
  advance(4s);
  EXPECT_EQ(sent(), request) << "still retransmitting";
  receive(reply(Type::acknowledgement, request->message_id, request->token, "true one"));
  EXPECT_EQ(next_text(), "true one");
}

TEST_F(CoapClient, AForgedEmptyAcknowledgementDoesNotShutOutThePiggybackedResponse) {
  ask();
  const auto request = sent();
  receive({Type::acknowledgement, code::empty, request->message_id, {}, {}, {}});
  receive(reply(Type::acknowledgement, request->message_id, request->token));
  EXPECT_EQ(next_text(), "v");
}

TEST_F(CoapClient, AnAnswerAtAnyAddressOfOursMatchesARequestThatNamedNone) {
  ask();
  const auto request = sent();
  auto from = server;
  from.local = Address::v4(192, 0, 2, 77, 40000);
  endpoint.receive(from, serialize(reply(Type::acknowledgement, request->message_id, request->token)), now);
  EXPECT_EQ(next_text(), "v");
  EXPECT_EQ(last->peer, server);
}

TEST_F(CoapClient, AResponseWithAnUnknownCriticalOptionIsRejected) {
  ask();
  auto request = sent();
  auto bad = reply(Type::acknowledgement, request->message_id, request->token);
  bad.options.add_empty(OptionNumber(65001));
  receive(bad);
  EXPECT_EQ(next_text(), "coap_response_bad_option");
  EXPECT_FALSE(sent());
  for (const auto type : {Type::confirmable, Type::non_confirmable}) {
    ask();
    request = sent();
    bad.type = type;
    bad.token = request->token;
    receive(bad);
    EXPECT_EQ(next_text(), "coap_response_bad_option");
    EXPECT_EQ(sent()->type, Type::reset);
  }
}

TEST_F(CoapClient, AnOversizedResponseEndsTheExchange) {
  ask();
  const auto request = sent();
  auto big = reply(Type::acknowledgement, request->message_id, request->token);
  big.payload.resize(2000);
  receive(big);
  EXPECT_EQ(next_text(), "coap_response_too_large");
}

TEST_F(CoapClient, AnObservationGoesOnUntilAResponseWithoutObserve) {
  Request observe{code::get, {}, {}};
  observe.options.add_uint(option::observe, 0);
  const auto id = endpoint.request(server, std::move(observe), {}, now).value();
  const auto request = sent();
  auto notification = reply(Type::acknowledgement, request->message_id, request->token, "first");
  notification.options.set_uint(option::observe, 12);
  receive(notification);
  EXPECT_EQ(next_text(), "first");
  EXPECT_EQ(last->order, 12U);
  EXPECT_FALSE(last->final);
  advance(1h);
  notification = reply(Type::confirmable, 900, request->token, "second");
  notification.options.set_uint(option::observe, 13);
  receive(notification);
  EXPECT_EQ(next_text(), "second");
  EXPECT_EQ(sent()->type, Type::acknowledgement);
  receive(reply(Type::non_confirmable, 901, request->token, "end"));
  EXPECT_EQ(next_text(), "end");
  EXPECT_TRUE(last->final);
  EXPECT_EQ(last->id, id);
  notification.message_id = 902;
  receive(notification);
  EXPECT_EQ(sent()->type, Type::reset);
}

TEST_F(CoapClient, ALostSessionEndsWhatIsOpenAndWhatWaits) {
  const auto first = ask();
  const auto second = ask();
  (void)sent();
  endpoint.peer_gone(server, Error(reason::coap_not_answered, "closed"), now);
  for (const auto id : {first, second}) {
    const auto event = endpoint.next_event(now);
    ASSERT_TRUE(event);
    EXPECT_EQ(std::get<ExchangeGone>(*event).id, id);
  }
  EXPECT_FALSE(sent()) << "the queue is not sent to a peer that is gone";
  EXPECT_FALSE(endpoint.next_timeout());
}

/// Remembers what it gave out.
class ToldRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    source_.fill(out);
    given.emplace_back(out.begin(), out.end());
  }
  std::vector<Bytes> given;

 private:
  SeededRandom source_{77};
};

TEST(CoapTokens, AreEightOctetsOfTheRandomSourceDrawnForEachRequest) {
  ToldRandom told;
  Endpoint client(Parameters{}, Limits{}, told);
  std::set<Token> seen;
  for (std::uint8_t host = 1; host <= 100; ++host) {
    told.given.clear();
    Peer peer;
    peer.remote = Address::v4(192, 0, 2, host, 5683);
    ASSERT_TRUE(client.request(peer, Request{}, {}, Instant(1s)));
    const auto token = parse(client.next_datagram()->datagram)->token;
    EXPECT_EQ(token.size(), 8U);
    EXPECT_TRUE(std::ranges::find(told.given, to_bytes(token.view())) != told.given.end());
    EXPECT_TRUE(seen.insert(token).second);
  }
}

TEST(CoapTokens, AreNotUsedAgainForTheNextRequestToAPeer) {
  SeededRandom random(3);
  Endpoint client(Parameters{}, Limits{}, random);
  const Peer peer{Transport::udp, Address::v4(192, 0, 2, 9, 5683), {}, 0, 0};
  std::set<Token> seen;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(client.request(peer, Request{}, {}, Instant(1s)));
    const auto request = parse(client.next_datagram()->datagram).value();
    EXPECT_TRUE(seen.insert(request.token).second);
    const Message response{Type::acknowledgement, code::content, request.message_id, request.token, {}, {}};
    client.receive(peer, serialize(response), Instant(1s));
    ASSERT_TRUE(client.next_event(Instant(1s)));
    // The token of the request before answers nothing any more.
    client.receive(peer, serialize(response), Instant(1s));
    EXPECT_FALSE(client.next_event(Instant(1s)));
  }
}

TEST_F(CoapClient, MessageIdsStartAtRandomForEachPeer) {
  std::set<std::uint16_t> starts;
  for (std::uint8_t host = 1; host <= 20; ++host) {
    server.remote = Address::v4(192, 0, 2, host, 5683);
    ask();
    starts.insert(sent()->message_id);
  }
  EXPECT_GE(starts.size(), 19U);
}

TEST_F(CoapClient, ARequestThatDoesNotFitADatagramIsRefused) {
  Request request{code::post, {}, Bytes(1500, 'x')};
  EXPECT_EQ(endpoint.request(server, std::move(request), {}, now).error(), reason::coap_message_too_large);
  EXPECT_EQ(endpoint.occupancy().peers, 0U);
}

class CoapSmallClient : public CoapClient {
 protected:
  static Limits small() {
    Limits limits;
    limits.requests_per_peer = 2;
    limits.requests = 3;
    limits.peers = 2;
    return limits;
  }
  CoapSmallClient() : CoapClient(small()) {}
};

TEST_F(CoapSmallClient, OpenRequestsAreBounded) {
  ask();
  ask();
  const auto again = [&] { return endpoint.request(server, {}, {}, now); };
  EXPECT_EQ(again().error(), reason::coap_too_many_requests);
  server.remote.port = 1;
  ask();
  EXPECT_EQ(again().error(), reason::coap_too_many_requests);
  EXPECT_EQ(endpoint.counters().refused_requests, 2U);
}

TEST_F(CoapSmallClient, PeersAreBounded) {
  ask();
  server.remote.port = 1;
  ask();
  server.remote.port = 2;
  EXPECT_EQ(endpoint.request(server, {}, {}, now).error(), reason::coap_too_many_peers);
}

}  // namespace
}  // namespace aceward::coap
