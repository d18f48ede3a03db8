// What an attacker sends who can forge addresses, and what it must not achieve (RFC 7252 section 11).
#include <gtest/gtest.h>

#include <algorithm>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

/// A client that asked and a server that answers late, so that both have something to attack.
class CoapAttack : public ::testing::Test {
 protected:
  CoapAttack() {
    Request request{code::post, {}, {}};
    request.options.add_path("t");
    id = client.request(server_address, std::move(request), {}, now).value();
    asked = parse(client.next_datagram()->datagram).value();
  }
  void to_client(const Message& message) { client.receive(server_address, serialize(message), now); }
  void to_server(const Message& message) { server.receive(client_address, serialize(message), now); }
  void expect_answerable() {
    to_client({Type::acknowledgement, code::content, asked.message_id, asked.token, {}, to_bytes("true")});
    const auto event = client.next_event(now);
    ASSERT_TRUE(event);
    EXPECT_EQ(as_text(std::get<ResponseArrived>(*event).response.payload), "true");
  }

  SeededRandom random{8};
  Instant now{1000s};
  Peer server_address{Transport::udp, Address::v4(192, 0, 2, 2, 5683), {}, 0, 0};
  Peer client_address{Transport::udp, Address::v4(192, 0, 2, 1, 40000), {}, 0, 0};
  Endpoint client{Parameters{}, Limits{}, random};
  Endpoint server{Parameters{}, Limits{}, random};
  ExchangeId id;
  Message asked;
};

TEST_F(CoapAttack, GuessedTokensGetNowhereWhateverTheMessageId) {
  for (unsigned message_id = 0; message_id < 65536; ++message_id) {
    Message forged{
        Type::acknowledgement, code::content, static_cast<std::uint16_t>(message_id), Token(random.bytes(8)), {},
        to_bytes("forged")};
    to_client(forged);
    ASSERT_FALSE(client.next_event(now));
  }
  EXPECT_EQ(client.counters().unmatched, 65536U);
  expect_answerable();
}

TEST_F(CoapAttack, TokensOfEveryOtherLengthGetNowhere) {
  for (std::size_t size = 0; size <= 300; ++size) {
    if (size == asked.token.size()) continue;
    Bytes octets(size, 0);
    const auto known = std::min<std::size_t>(size, 8);
    std::copy_n(asked.token.view().begin(), known, octets.begin());
    to_client({Type::acknowledgement, code::content, asked.message_id, Token(octets), {}, to_bytes("forged")});
    to_client({Type::non_confirmable, code::content, asked.message_id, Token(octets), {}, to_bytes("forged")});
    ASSERT_FALSE(client.next_event(now)) << size;
  }
  expect_answerable();
}

TEST_F(CoapAttack, AnEmptyAcknowledgementWithAGuessedMessageIdOnlyEndsTheRetransmission) {
  to_client({Type::acknowledgement, code::empty, asked.message_id, {}, {}, {}});
  EXPECT_FALSE(client.next_event(now));
  EXPECT_EQ(client.occupancy().requests, 1U);
  expect_answerable();
}

TEST_F(CoapAttack, ResetsOfOtherMessageIdsEndNothing) {
  for (unsigned message_id = 0; message_id < 65536; ++message_id) {
    if (message_id == asked.message_id) continue;
    to_client({Type::reset, code::empty, static_cast<std::uint16_t>(message_id), {}, {}, {}});
  }
  EXPECT_FALSE(client.next_event(now));
  EXPECT_FALSE(client.next_datagram());
  expect_answerable();
}

TEST_F(CoapAttack, ResetsAndAcknowledgementsFromElsewhereEndNothing) {
  for (const auto type : {Type::reset, Type::acknowledgement}) {
    const auto forged = serialize(Message{type, code::empty, asked.message_id, {}, {}, {}});
    auto from = server_address;
    from.remote.port = 5684;
    client.receive(from, forged, now);
    from = server_address;
    from.session = 9;
    client.receive(from, forged, now);
    from.transport = Transport::dtls;
    client.receive(from, forged, now);
  }
  EXPECT_EQ(client.counters().unmatched, 6U);
  EXPECT_FALSE(client.next_event(now));
  now += 4s;
  client.on_timeout(now);
  EXPECT_TRUE(client.next_datagram()) << "it goes on to retransmit";
  expect_answerable();
}

TEST_F(CoapAttack, AResetOfASeparateAnswerMustNameItsMessageId) {
  to_server(asked);
  const auto request = std::get<RequestArrived>(*server.next_event(now));
  now += 250ms;
  server.on_timeout(now);
  (void)server.next_datagram();
  server.respond(request.id, Response{code::changed, {}, {}}, {}, now);
  const auto answer = parse(server.next_datagram()->datagram).value();
  for (unsigned message_id = 0; message_id < 65536; ++message_id) {
    if (message_id == answer.message_id) continue;
    to_server({Type::reset, code::empty, static_cast<std::uint16_t>(message_id), {}, {}, {}});
    to_server({Type::acknowledgement, code::empty, static_cast<std::uint16_t>(message_id), {}, {}, {}});
  }
  EXPECT_FALSE(server.next_event(now));
  EXPECT_EQ(server.occupancy().answers, 1U);
}

TEST_F(CoapAttack, AResetOfTheRequestsOwnMessageIdIsNoneOfOurs) {
  to_server(asked);
  ASSERT_TRUE(server.next_event(now));
  EXPECT_FALSE(server.next_event(now));
  to_server({Type::reset, code::empty, asked.message_id, {}, {}, {}});
  to_server({Type::acknowledgement, code::empty, asked.message_id, {}, {}, {}});
  EXPECT_FALSE(server.next_event(now));
  EXPECT_EQ(server.counters().unmatched, 2U);
}

TEST_F(CoapAttack, FloodsOfOptionsAreRefusedBeforeTheyCostAnything) {
  auto flood = asked;
  for (int i = 0; i < 65; ++i) flood.options.add_empty(option::uri_path);
  flood.message_id = 77;
  to_server(flood);
  EXPECT_FALSE(server.next_event(now));
  EXPECT_EQ(parse(server.next_datagram()->datagram)->type, Type::reset);
  EXPECT_EQ(server.occupancy().peers, 0U);

  // As many as are accepted, all of them unknown: one is named, in a short answer.
  flood.options.clear();
  for (std::uint16_t i = 0; i < 64; ++i) {
    flood.options.add(OptionNumber(static_cast<std::uint16_t>(65001 - 2 * i)), "v");
  }
  flood.message_id = 78;
  to_server(flood);
  const auto refusal = server.next_datagram();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(parse(refusal->datagram)->code, code::bad_option);
  EXPECT_LE(refusal->datagram.size(), 136U);
  EXPECT_FALSE(server.next_event(now));
  EXPECT_EQ(server.occupancy().remembered, 0U);
}

TEST_F(CoapAttack, ResponsesThatNobodyAskedForChangeNothing) {
  for (const auto type : {Type::confirmable, Type::non_confirmable, Type::acknowledgement}) {
    for (unsigned detail = 0; detail < 32; ++detail) {
      to_server({type, Code(2, detail), 5, Token(random.bytes(8)), {}, Bytes(100, 'x')});
    }
  }
  EXPECT_FALSE(server.next_event(now));
  while (const auto reset = server.next_datagram()) EXPECT_EQ(reset->datagram.size(), 4U);
  EXPECT_EQ(server.occupancy().peers, 0U);
  EXPECT_EQ(server.occupancy().remembered, 0U);
}

TEST_F(CoapAttack, ARequestIsNoAnswerAndAnAnswerNoRequest) {
  Message crossed{Type::confirmable, code::post, asked.message_id, asked.token, {}, to_bytes("forged")};
  to_client(crossed);
  const auto event = client.next_event(now);
  ASSERT_TRUE(event);
  EXPECT_TRUE(std::holds_alternative<RequestArrived>(*event)) << "at an endpoint of both roles it is a request";
  expect_answerable();
}

TEST_F(CoapAttack, AFloodFromInventedAddressesLeavesRoomForTheHonest) {
  for (unsigned i = 0; i < 30'000; ++i) {
    auto from = client_address;
    from.remote.ip = {0x20, 0x01, 0x0d, 0xb8, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    auto post = asked;
    post.message_id = static_cast<std::uint16_t>(i);
    server.receive(from, serialize(post), now);
    while (const auto event = server.next_event(now)) {
      if (const auto* request = std::get_if<RequestArrived>(&*event)) {
        server.respond(request->id, Response{code::changed, {}, {}}, {}, now);
      }
    }
    while (server.next_datagram()) continue;
  }
  EXPECT_LE(server.occupancy().peers, Limits{}.peers / 2 + 1);
  EXPECT_GT(server.counters().challenged, 15'000U);
  to_server(asked);
  EXPECT_FALSE(server.next_event(now));
  const auto challenge = parse(server.next_datagram()->datagram).value();
  auto again = asked;
  ++again.message_id;
  again.options.add(option::echo, *challenge.options.find(option::echo));
  to_server(again);
  EXPECT_TRUE(server.next_event(now));
}

}  // namespace
}  // namespace aceward::coap
