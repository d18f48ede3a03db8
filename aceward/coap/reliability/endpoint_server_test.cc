// What an endpoint does with the requests of peers, datagram by datagram.
#include "aceward/coap/reliability/server_fixture.h"

namespace aceward::coap {
namespace {

TEST_F(CoapServer, PiggybacksAnAnswerGivenAtOnce) {  // RFC 7252 figure 17
  receive("41017d3520bb74656d7065726174757265");
  const auto request = arrived();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->peer, client);
  EXPECT_EQ(request->request.method, code::get);
  EXPECT_EQ(request->reliability, Reliability::confirmable);
  EXPECT_EQ(sent(), "");
  answer(request->id, "22.3 C");
  EXPECT_EQ(sent(), "61457d3520ff32322e332043");
  EXPECT_EQ(last_to, client);
  EXPECT_EQ(sent(), "");
  advance(1h);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(endpoint.occupancy().peers, 0U);
}

TEST_F(CoapServer, ARepetitionWhileTheHandlerIsAtWorkIsAcknowledgedAtOnce) {
  receive("41027d3520b161");
  const auto id = arrived()->id;
  EXPECT_EQ(sent(), "");
  receive("41027d3520b161");
  EXPECT_EQ(sent(), "60007d35");
  EXPECT_FALSE(arrived());
  advance(1s);
  EXPECT_EQ(sent(), "") << "and only once";
  answer(id, "x");
  EXPECT_EQ(sent().substr(0, 4), "4145") << "now separate";
}

TEST_F(CoapServer, AGetThatIsAnsweredAtOnceLeavesNothingBehind) {
  for (const auto* hex : {"41017d3520b161", "51017d3520b161", "41057d3520b161"}) {
    receive(hex);
    answer(arrived()->id, "x");
    EXPECT_NE(sent(), "");
    EXPECT_EQ(endpoint.occupancy().peers, 0U);
    EXPECT_EQ(endpoint.occupancy().remembered, 0U);
    EXPECT_EQ(endpoint.occupancy().answers, 0U);
    EXPECT_FALSE(endpoint.next_timeout());
    receive(hex);
    const auto again = arrived();
    ASSERT_TRUE(again) << "and may be processed again";
    answer(again->id, "y");
    EXPECT_NE(sent(), "");
  }
}

TEST_F(CoapServer, AGetThatIsNotAnsweredAtOnceIsRememberedAsAnyOther) {
  receive("41017d3520b161");
  receive("41017d3620b161");
  const auto first = arrived();
  ASSERT_TRUE(first);
  EXPECT_EQ(endpoint.next_timeout(), now + 250ms);
  const auto second = arrived();
  ASSERT_TRUE(second);
  EXPECT_EQ(endpoint.occupancy().remembered, 1U) << "the next one was pulled before this one was answered";
  receive("41017d3520b161");
  receive("41017d3620b161");
  EXPECT_EQ(sent(), "60007d35");
  EXPECT_EQ(sent(), "60007d36");
  EXPECT_FALSE(arrived());
  answer(first->id, "x");
  EXPECT_EQ(sent().substr(0, 4), "4145");
  EXPECT_EQ(endpoint.counters().duplicates, 2U);
}

TEST_F(CoapServer, AGetThatWasRepeatedBeforeAnybodyLookedIsKeptOnce) {
  receive("41017d3520b161");
  receive("41017d3520b161");
  const auto first = arrived();
  const auto second = arrived();
  ASSERT_TRUE(first && second) << "what is safe may be handed up twice";
  EXPECT_FALSE(arrived());
  EXPECT_EQ(endpoint.occupancy().remembered, 1U);
  answer(first->id, "x");
  answer(second->id, "y");
  advance(1h);
  EXPECT_EQ(endpoint.occupancy().remembered, 0U);
  EXPECT_EQ(endpoint.occupancy().peers, 0U);
}

TEST_F(CoapServer, AGetInsideOscoreOrInBlocksIsRememberedAsAPostWouldBe) {
  auto known = KnownOptions::in_requests();
  known.add(option::oscore).add(option::block1);
  endpoint.set_known_options(known, {});
  for (const auto* hex : {"41057d352090ff01", "41057d3620d10e08ff01"}) {
    receive(hex);
    answer(arrived()->id, "x");
    const auto first = sent();
    receive(hex);
    EXPECT_EQ(sent(), first);
    EXPECT_FALSE(arrived());
  }
}

TEST_F(CoapServer, ARepeatedRequestGetsTheSamePiggybackedResponse) {
  receive("41027d3520b161");
  answer(arrived()->id, "x");
  const auto first = sent();
  for (int i = 0; i < 3; ++i) {
    advance(70s);
    receive("41027d3520b161");
    EXPECT_EQ(sent(), first);
    EXPECT_FALSE(arrived());
  }
  advance(40s);  // EXCHANGE_LIFETIME after the first
  receive("41027d3520b161");
  EXPECT_TRUE(arrived());
  EXPECT_EQ(endpoint.counters().duplicates, 3U);
}

TEST_F(CoapServer, ASlowAnswerComesAfterAnEmptyAcknowledgement) {  // figure 20
  receive("41017d3853bb74656d7065726174757265");
  const auto request = arrived();
  EXPECT_EQ(endpoint.next_timeout(), now + 250ms);
  advance(249ms);
  EXPECT_EQ(sent(), "");
  advance(1ms);
  EXPECT_EQ(sent(), "60007d38");
  advance(5s);
  answer(request->id, "22.3 C");
  const auto separate = sent();
  EXPECT_EQ(separate.substr(0, 4), "4145");
  EXPECT_EQ(separate.substr(8), "53ff32322e332043");
  receive("41017d3853bb74656d7065726174757265");
  EXPECT_EQ(sent(), "60007d38") << "the request is acknowledged again, the response is not repeated for it";
  receive("6000" + separate.substr(4, 4));
  advance(100s);
  EXPECT_EQ(sent(), "");
  EXPECT_FALSE(endpoint.next_event(now));
}

TEST_F(CoapServer, ASeparateResponseIsRetransmittedUntilGivenUp) {
  receive("41017d3853b161");
  const auto id = arrived()->id;
  advance(250ms);
  EXPECT_EQ(sent(), "60007d38");
  answer(id, "x");
  const auto separate = sent();
  int copies = 0;
  while (const auto next = endpoint.next_timeout()) {
    advance(*next - now);
    for (auto copy = sent(); !copy.empty(); copy = sent()) {
      EXPECT_EQ(copy, separate);
      ++copies;
    }
  }
  EXPECT_EQ(copies, 4);
  const auto event = endpoint.next_event(now);
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<ExchangeGone>(*event).id, id);
  EXPECT_EQ(std::get<ExchangeGone>(*event).reason, reason::coap_not_acknowledged);
}

TEST_F(CoapServer, AResetOfTheSeparateResponseEndsTheExchange) {  // figure 21
  receive("41017d3964b161");
  const auto id = arrived()->id;
  advance(250ms);
  (void)sent();
  answer(id, "x");
  receive("7000" + sent().substr(4, 4));
  const auto event = endpoint.next_event(now);
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<ExchangeGone>(*event).reason, reason::coap_reset_by_peer);
  advance(100s);
  EXPECT_EQ(sent(), "");
}

TEST_F(CoapServer, ANonConfirmableRequestGetsANonConfirmableResponseAndDuplicatesNothing) {
  receive("51027d4020b161");
  const auto request = arrived();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->reliability, Reliability::non_confirmable);
  receive("51027d4020b161");
  advance(1s);
  EXPECT_EQ(sent(), "");
  answer(request->id, "x");
  EXPECT_EQ(sent().substr(0, 4), "5145");
  receive("51027d4020b161");
  EXPECT_EQ(sent(), "");
  EXPECT_FALSE(arrived());
}

TEST_F(CoapServer, AHintMayMakeTheResponseToANonConfirmableRequestConfirmable) {
  receive("51017d4020b161");
  answer(arrived()->id, "x", Reliability::confirmable);
  EXPECT_EQ(sent().substr(0, 4), "4145");
}

TEST_F(CoapServer, APingGetsAReset) {
  receive("40001234");
  EXPECT_EQ(sent(), "70001234");
  receive("50001234");
  EXPECT_EQ(sent(), "");
}

TEST_F(CoapServer, OnlyConfirmableMalformedMessagesGetAReset) {
  receive("40011234f0");
  EXPECT_EQ(sent(), "70001234");
  for (const auto* hex : {"50011234f0", "60451234f0", "70001234ff", "80011234", "4001", "60011234", "70011234"}) {
    receive(hex);
    EXPECT_EQ(sent(), "") << hex;
  }
  receive("40e11234");  // a reserved code class
  EXPECT_EQ(sent(), "70001234");
  EXPECT_FALSE(arrived());
}

TEST_F(CoapServer, AcknowledgementsAndResetsOfNothingAreIgnored) {
  receive("60001234");
  receive("70001234");
  receive("61451234aa");
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(endpoint.counters().unmatched, 3U);
}

TEST_F(CoapServer, AnUnknownCriticalOptionIsRefusedBeforeAnythingActs) {
  receive("41027d3520e1fcdc01");  // option 65001
  const auto text = sent();
  EXPECT_EQ(text.substr(0, 12), "61827d3520ff");
  EXPECT_EQ(as_text(from_hex(text.substr(12)).value()), "not understood: Option 65001");
  EXPECT_FALSE(arrived());
  receive("51027d3620e1fcdc01");
  EXPECT_EQ(sent(), "70007d36") << "a non-confirmable one is rejected";
  EXPECT_FALSE(arrived());
  receive("41027d3720e1fcdb01");  // option 65000 is elective
  EXPECT_TRUE(arrived());
}

TEST_F(CoapServer, ALayerAboveMayKnowMoreCriticalOptions) {
  auto known = KnownOptions::in_requests();
  known.add(option::oscore);
  endpoint.set_known_options(known, {option::oscore});
  receive("41027d352090ff01");
  EXPECT_TRUE(arrived());
}

TEST_F(CoapServer, RepeatedOrMissizedCriticalOptionsAreBadOptions) {
  receive(
      "41017d3520"
      "d10432"
      "013c");  // Accept twice
  EXPECT_EQ(sent().substr(0, 4), "6182");
  receive("41017d362030");  // an empty Uri-Host
  EXPECT_EQ(sent().substr(0, 4), "6182");
  receive(
      "41017d3820"
      "3168"
      "421633"
      "4161");  // Uri-Host and Uri-Port are accepted
  EXPECT_TRUE(arrived());
}

TEST_F(CoapServer, IsNoProxy) {
  receive(
      "41017d3520"
      "db16636f61703a2f2f682f6162");  // Proxy-Uri
  EXPECT_EQ(sent(), "61a57d3520");
  receive(
      "41017d3620"
      "d41a636f6170");  // Proxy-Scheme
  EXPECT_EQ(sent(), "61a57d3620");
  EXPECT_FALSE(arrived());
}

TEST_F(CoapServer, AnOversizedRequestGets413WithAHint) {
  Message request{Type::confirmable, code::put, 5, {}, {}, Bytes(1500, 'x')};
  request.options.add_path("a");
  endpoint.receive(client, serialize(request), now);
  const auto answer_message = parse(from_hex(sent()).value()).value();
  EXPECT_EQ(answer_message.code, code::request_entity_too_large);
  const auto room = answer_message.options.find_uint(option::size1);
  ASSERT_TRUE(room);
  request.payload.resize(*room);
  EXPECT_EQ(serialize(request).size(), Limits{}.datagram_size);
  EXPECT_FALSE(arrived());
}

TEST_F(CoapServer, AnOversizedAnswerBecomesABare500) {
  receive("41017d3520b161");
  endpoint.respond(arrived()->id, Response{code::content, {}, Bytes(1500, 'x')}, {}, now);
  EXPECT_EQ(sent(), "61a07d3520");
  EXPECT_EQ(endpoint.counters().too_large, 1U);
}

TEST_F(CoapServer, PeersAreApartBySessionAndTransport) {
  Peer first = client;
  first.transport = Transport::dtls;
  first.session = 1;
  Peer second = first;
  second.session = 2;
  receive("41027d3520b161");
  receive_from(first, "41027d3520b161");
  receive_from(second, "41027d3520b161");
  for (const auto& peer : {client, first, second}) {
    const auto request = arrived();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->peer, peer);
  }
  EXPECT_EQ(endpoint.counters().duplicates, 0U);
}

TEST_F(CoapServer, CancellingARequestStillAcknowledgesIt) {
  receive("41027d3520b161");
  const auto id = arrived()->id;
  endpoint.cancel(id);
  EXPECT_EQ(sent(), "60007d35");
  receive("41027d3520b161");
  EXPECT_EQ(sent(), "60007d35");
  answer(id, "late");
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(endpoint.counters().late_answers, 1U);
}

TEST_F(CoapServer, AnAnswerThatNeverComesEndsTheExchange) {
  receive("41027d3520b161");
  const auto id = arrived()->id;
  advance(247s);
  const auto event = endpoint.next_event(now);
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<ExchangeGone>(*event).reason, reason::coap_answer_overdue);
  answer(id, "late");
  (void)sent();
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(endpoint.occupancy().answers, 0U);
}

TEST_F(CoapServer, ALostSessionTakesItsExchangesAlong) {
  client.session = 7;
  receive("41027d3520b161");
  receive("41027d3620b161");
  answer(arrived()->id, "x");
  const auto id = arrived()->id;
  endpoint.peer_gone(client, Error(reason::coap_not_answered), now);
  const auto event = endpoint.next_event(now);
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<ExchangeGone>(*event).id, id);
  EXPECT_EQ(sent(), "");
  endpoint.on_timeout(now);
  EXPECT_EQ(endpoint.occupancy().peers, 0U);
  EXPECT_EQ(endpoint.occupancy().remembered, 0U);
}

TEST_F(CoapServer, SendsNotificationsUntilOneWithoutObserve) {
  receive(
      "41017d3520"
      "60"
      "5161");  // GET with Observe 0
  const auto id = arrived()->id;
  const auto notify = [&](std::uint64_t sequence, Reliability reliability) {
    Response response{code::content, {}, to_bytes("v")};
    response.options.set_uint(option::observe, sequence);
    endpoint.respond(id, std::move(response), {reliability}, now);
  };
  notify(1, Reliability::automatic);
  EXPECT_EQ(sent().substr(0, 8), "61457d35");
  notify(2, Reliability::confirmable);
  const auto second = sent();
  EXPECT_EQ(second.substr(0, 4), "4145");
  notify(3, Reliability::confirmable);
  notify(4, Reliability::confirmable);
  EXPECT_EQ(sent(), "") << "one confirmable notification at a time";
  receive("6000" + second.substr(4, 4));
  const auto fourth = sent();
  EXPECT_NE(fourth.find("6104ff76"), std::string::npos) << "the newest replaced the one that waited: " << fourth;
  receive("6000" + fourth.substr(4, 4));
  notify(5, Reliability::non_confirmable);
  const auto fifth = sent();
  EXPECT_EQ(fifth.substr(0, 4), "5145");
  receive("7000" + fifth.substr(4, 4));
  EXPECT_EQ(std::get<ExchangeGone>(*endpoint.next_event(now)).reason, reason::coap_reset_by_peer);
  notify(6, Reliability::non_confirmable);
  EXPECT_EQ(sent(), "");
}

}  // namespace
}  // namespace aceward::coap
