// What an endpoint does with the requests of peers, datagram by datagram.
#include <gtest/gtest.h>

#include <string>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

class CoapServer : public ::testing::Test {
 protected:
  explicit CoapServer(const Limits& limits = {}) : endpoint(Parameters{}, limits, random) {}

  void receive(std::string_view hex) { receive_from(client, hex); }
  void receive_from(const Peer& from, std::string_view hex) { endpoint.receive(from, from_hex(hex).value(), now); }
  /// The next datagram in hexadecimal; empty if there is none.
  std::string sent() {
    const auto next = endpoint.next_datagram();
    if (!next) return "";
    last_to = next->to;
    return to_hex(next->datagram);
  }
  std::optional<RequestArrived> arrived() {
    auto event = endpoint.next_event(now);
    if (!event) return std::nullopt;
    return std::get<RequestArrived>(std::move(*event));
  }
  void advance(Instant::duration by) {
    now += by;
    endpoint.on_timeout(now);
  }
  void answer(ExchangeId id, std::string_view text, Reliability reliability = Reliability::automatic) {
    endpoint.respond(id, Response{code::content, {}, to_bytes(text)}, {reliability}, now);
  }

  SeededRandom random{1};
  Instant now{1000s};
  Peer client{Transport::udp, Address::v4(192, 0, 2, 1, 5683), {}, 0, 0};
  Peer last_to;
  Endpoint endpoint;
};

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

class CoapSmallServer : public CoapServer {
 protected:
  static Limits small() {
    Limits limits;
    limits.peers = 3;
    limits.remembered_per_peer = 4;
    limits.remembered = 6;
    limits.answers_per_peer = 2;
    limits.answers = 3;
    limits.events = 5;
    limits.datagrams = 3;
    limits.unverified_answer = 0;  // see endpoint_arrivals_test.cc
    return limits;
  }
  CoapSmallServer() : CoapServer(small()) {}
  static std::string post(unsigned id) { return "4002" + to_hex(Bytes{0, static_cast<std::uint8_t>(id)}) + "b161"; }
  static std::string get(unsigned id) { return "4001" + to_hex(Bytes{0, static_cast<std::uint8_t>(id)}) + "b161"; }
  Peer other(std::uint8_t host) const { return {Transport::udp, Address::v4(192, 0, 2, host, 5683), {}, 0, 0}; }
};

TEST_F(CoapSmallServer, AFullMemoryRefusesNewRequestsRatherThanForgetAPost) {
  for (unsigned id = 0; id < 4; ++id) {
    receive(post(id));
    answer(arrived()->id, "x");
    EXPECT_NE(sent(), "");
    advance(1s);
  }
  receive(post(4));
  EXPECT_FALSE(arrived());
  EXPECT_EQ(sent(), "609d0004d101f3") << "4.29 with Max-Age 243: then the first is forgotten";
  receive(
      "5002"
      "0004"
      "b161");
  EXPECT_FALSE(arrived());
  EXPECT_EQ(sent().substr(8), "d101f3") << "a non-confirmable one as well";
  EXPECT_EQ(endpoint.counters().refused_busy, 2U);
  receive(post(0));
  EXPECT_NE(sent(), "") << "still remembered";
  EXPECT_FALSE(arrived());
  receive_from(other(7), post(9));
  EXPECT_TRUE(arrived()) << "another peer is none the worse for it";
  advance(243s);
  receive(post(4));
  EXPECT_TRUE(arrived());
}

TEST_F(CoapSmallServer, AFullMemoryForgetsTheOldestPut) {
  for (unsigned id = 0; id < 20; ++id) {
    receive("4003" + to_hex(Bytes{0, static_cast<std::uint8_t>(id)}) + "b161");
    const auto request = arrived();
    ASSERT_TRUE(request) << id;
    answer(request->id, "x");
    EXPECT_NE(sent(), "");
  }
  EXPECT_EQ(endpoint.counters().forgotten_early, 16U);
  EXPECT_EQ(endpoint.occupancy().remembered, 4U);
  receive("40030013b161");
  EXPECT_NE(sent(), "");
  EXPECT_FALSE(arrived()) << "the newest is remembered";
}

TEST_F(CoapSmallServer, APutIsActedOnEvenWhereNoRoomIsLeftToRememberIt) {
  for (unsigned id = 0; id < 4; ++id) {
    receive(post(id));
    answer(arrived()->id, "x");
    (void)sent();
  }
  receive("40030010b161");
  const auto request = arrived();
  ASSERT_TRUE(request);
  answer(request->id, "x");
  EXPECT_EQ(sent().substr(0, 8), "60450010");
}

TEST_F(CoapSmallServer, OpenRequestsAreBoundedForOnePeerAndForAll) {
  for (unsigned id = 0; id < 3; ++id) receive(post(id));
  EXPECT_EQ(endpoint.occupancy().answers, 2U);
  receive_from(other(2), post(0));
  receive_from(other(3), post(0));
  EXPECT_EQ(endpoint.occupancy().answers, 3U);
  EXPECT_EQ(endpoint.counters().refused_answers, 2U);
  Peer secure = other(4);
  secure.transport = Transport::dtls;
  secure.session = 1;
  receive_from(secure, post(0));
  EXPECT_EQ(endpoint.occupancy().answers, 4U) << "plain datagrams do not crowd out sessions";
}

TEST_F(CoapSmallServer, StrangersDoNotGrowTheTableOfPeers) {
  for (std::uint8_t host = 1; host < 50; ++host) {
    receive_from(other(host), "4003" + get(host).substr(4));
    if (const auto request = arrived()) answer(request->id, "x");
    (void)sent();
    EXPECT_LE(endpoint.occupancy().peers, 3U);
  }
  EXPECT_EQ(endpoint.counters().refused_peers, 0U) << "who only asked makes room for the next";
}

TEST_F(CoapSmallServer, NonConfirmableRequestsFromInventedAddressesShutNobodyOut) {
  for (std::uint8_t host = 1; host < 50; ++host) {
    receive_from(other(host), "5003" + to_hex(Bytes{0, host}) + "b161");
    const auto request = arrived();
    ASSERT_TRUE(request) << int{host};
    answer(request->id, "x");
    EXPECT_EQ(sent().substr(0, 4), "5045");
    receive_from(other(host), "5001" + to_hex(Bytes{1, host}) + "d11661");  // Proxy-Uri: the message layer's own answer
    EXPECT_EQ(sent().substr(0, 4), "50a5");
  }
  EXPECT_EQ(endpoint.counters().refused_peers, 0U);
  EXPECT_LE(endpoint.occupancy().peers, 3U);
}

TEST_F(CoapSmallServer, RefusedPostsFromInventedAddressesShutNobodyOut) {
  for (std::uint8_t host = 1; host < 50; ++host) {
    receive_from(other(host), post(host));
    const auto request = arrived();
    ASSERT_TRUE(request) << int{host};
    endpoint.respond(request->id, Response{code::unauthorized, {}, {}}, {}, now);
    EXPECT_EQ(sent().substr(0, 4), "6081");
  }
  EXPECT_EQ(endpoint.counters().refused_peers, 0U);
}

TEST_F(CoapSmallServer, PostsThatActedAreRememberedForTheirLifetimeWhoeverElseAsks) {
  for (std::uint8_t host = 1; host <= 3; ++host) {
    receive_from(other(host), post(host));
    answer(arrived()->id, "x");
    (void)sent();
  }
  advance(246s);
  receive_from(other(4), post(4));
  EXPECT_FALSE(arrived());
  EXPECT_EQ(sent(), "") << "refused as if the network had lost it";
  receive_from(other(1), post(1));
  EXPECT_NE(sent(), "");
  EXPECT_FALSE(arrived());
  receive_from(other(4), get(5));
  const auto safe = arrived();
  ASSERT_TRUE(safe) << "what is safe needs no room";
  answer(safe->id, "x");
  EXPECT_NE(sent(), "");
  advance(1s);
  receive_from(other(4), post(4));
  EXPECT_TRUE(arrived());
}

TEST_F(CoapSmallServer, AGetThatIsKeptWaitingEndsWhereThereIsNoRoomToKeepIt) {
  for (std::uint8_t host = 1; host <= 3; ++host) {
    receive_from(other(host), post(host));
    answer(arrived()->id, "x");
    (void)sent();
  }
  receive_from(other(4), get(5));
  const auto id = arrived()->id;
  const auto event = endpoint.next_event(now);
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<ExchangeGone>(*event).id, id);
  EXPECT_EQ(std::get<ExchangeGone>(*event).reason, reason::coap_too_many_answers);
  answer(id, "late");
  EXPECT_EQ(sent(), "");
}

TEST_F(CoapSmallServer, APeerThatAskedTwiceMakesRoomAsWell) {
  for (unsigned id = 0; id < 2; ++id) {
    for (std::uint8_t host = 1; host <= 3; ++host) {
      receive_from(other(host), "4003" + get(id).substr(4));
      answer(arrived()->id, "x");
      (void)sent();
    }
  }
  receive_from(other(4), post(0));
  EXPECT_TRUE(arrived());
  EXPECT_EQ(endpoint.counters().refused_peers, 0U);
}

TEST_F(CoapSmallServer, DatagramsThatNobodySendsAreDropped) {
  for (int i = 0; i < 10; ++i) receive("40001234");
  EXPECT_EQ(endpoint.occupancy().datagrams, 3U);
  EXPECT_EQ(endpoint.counters().refused_datagrams, 7U);
}

}  // namespace
}  // namespace aceward::coap
