// What a server with little room does with the requests of many.
#include "aceward/coap/reliability/server_fixture.h"

namespace aceward::coap {
namespace {

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

TEST_F(CoapServer, AnUploadOfThreeThousandBlocksDoesNotFillTheMemoryOfItsPeer) {
  endpoint.set_known_options(KnownOptions::in_requests().add(option::block1), KnownOptions::in_responses());
  const auto block = [&](unsigned num, bool more) {
    Message message{Type::confirmable, code::post, static_cast<std::uint16_t>(num), {}, {}, Bytes(16, 'x')};
    message.options.add_uint(option::block1, num << 4 | (more ? 8U : 0U));
    receive(to_hex(serialize(message)));
  };
  for (unsigned num = 0; num < 3000; ++num) {
    block(num, true);
    const auto request = arrived();
    ASSERT_TRUE(request) << num;
    endpoint.respond(request->id, Response{code::continue_, {}, {}}, {}, now);
    EXPECT_EQ(sent().substr(0, 4), "605f");
    advance(10ms);
    block(num, true);
    ASSERT_FALSE(arrived()) << "a block that was just sent is remembered all the same";
    EXPECT_EQ(sent().substr(0, 4), "605f");
  }
  EXPECT_EQ(endpoint.counters().refused_busy, 0U);
  EXPECT_LE(endpoint.occupancy().remembered, Limits{}.remembered_per_peer);

  // The last one acts, and is never forgotten for the blocks of another body.
  block(3000, false);
  answer(arrived()->id, "done");
  EXPECT_NE(sent(), "");
  for (unsigned num = 3001; num < 5000; ++num) {
    block(num, true);
    endpoint.respond(arrived()->id, Response{code::continue_, {}, {}}, {}, now);
    EXPECT_NE(sent(), "");
  }
  block(3000, false);
  EXPECT_FALSE(arrived());
  EXPECT_NE(sent(), "");
}

TEST_F(CoapServer, AnswersDoNotWaitForEverBehindOneThatNobodyAcknowledges) {
  for (unsigned id = 0; id < 20; ++id) {
    receive("4002" + to_hex(Bytes{0, static_cast<std::uint8_t>(id)}) + "b161");
    const auto request = arrived();
    advance(250ms);
    EXPECT_NE(sent(), "");
    answer(request->id, "x");
  }
  const auto begin = now;
  while (const auto next = endpoint.next_timeout()) advance(*next - now);
  EXPECT_EQ(endpoint.occupancy().answers, 0U);
  EXPECT_LE(now - begin, 247s + 93s);
}

}  // namespace
}  // namespace aceward::coap
