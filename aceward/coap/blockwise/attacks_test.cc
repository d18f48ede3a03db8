// Block-wise transfer among strangers: floods from invented addresses, rights that end, answers that are errors.
#include <gtest/gtest.h>

#include "aceward/coap/blockwise/reasons.h"
#include "aceward/coap/blockwise/scripted_layer.h"

namespace aceward::coap {
namespace {

using block_test::asking;
using block_test::block1_of;
using block_test::block2_of;
using block_test::body_of;
using block_test::ClientAlone;
using block_test::ServerAlone;

// What the message layer says of an address that has not shown that it receives.
constexpr std::size_t limit_of_unknown = 136;

Peer invented_peer(unsigned number) {
  return {Transport::udp, Address::v4(198, 51, 100, static_cast<std::uint8_t>(number), 5683), {}, 0, 0};
}
Peer session_peer(std::uint64_t number) { return {Transport::dtls, Address::v4(192, 0, 2, 77, 5684), {}, number, 0}; }
Request bare(Code method, std::size_t payload = 0) {
  Request request{method, {}, Bytes(payload)};
  request.options.add_path("r");
  return request;
}

// Two blocks cost who forges his address no more than one.
TEST(BlockwiseAttacks, TransfersFromInventedAddressesKeepNoReachablePeerOut) {
  BlockwiseLimits limits;
  limits.assemblies = 20;
  ServerAlone server(limits);
  const auto body = body_of(48);
  for (unsigned i = 0; i < 20; ++i) {
    ASSERT_EQ(server.send(block1_of(body, 0, 16), invented_peer(i), limit_of_unknown), "2.31 1:0/1/16");
    ASSERT_EQ(server.send(block1_of(body, 1, 16), invented_peer(i), limit_of_unknown), "2.31 1:1/1/16");
  }
  EXPECT_EQ(server.send(block1_of(body, 0, 16), invented_peer(99), limit_of_unknown), "5.03 1:0/0/16");
  EXPECT_EQ(server.send(block1_of(body, 0, 16), session_peer(1)), "2.31 1:0/1/16");
  EXPECT_EQ(server.send(block1_of(body, 1, 16), session_peer(1)), "2.31 1:1/1/16");
  EXPECT_EQ(server.layer.occupancy().assemblies, 20U);
  EXPECT_EQ(server.layer.counters().assemblies_evicted, 1U);
  // Nor do they push it out in turn, nor does another reachable one.
  for (unsigned i = 100; i < 140; ++i) server.send(block1_of(body, 0, 16), invented_peer(i), limit_of_unknown);
  for (unsigned i = 0; i < 40; ++i) server.send(block1_of(body, 0, 16), session_peer(100 + i));
  EXPECT_EQ(server.send(block1_of(body, 2, 16), session_peer(1)), "up");
}

TEST(BlockwiseAttacks, OctetsFromInventedAddressesMakeRoomForAReachablePeer) {
  BlockwiseLimits limits;
  limits.assembly_bytes = 20 * 32;
  ServerAlone server(limits);
  const auto body = body_of(48);
  ASSERT_EQ(server.send(block1_of(body, 0, 16), session_peer(1)), "2.31 1:0/1/16");
  ASSERT_EQ(server.send(block1_of(body, 1, 16), session_peer(1)), "2.31 1:1/1/16");
  for (unsigned i = 0; i < 19; ++i) {
    ASSERT_EQ(server.send(block1_of(body, 0, 16), invented_peer(i), limit_of_unknown), "2.31 1:0/1/16");
    ASSERT_EQ(server.send(block1_of(body, 1, 16), invented_peer(i), limit_of_unknown), "2.31 1:1/1/16");
  }
  EXPECT_EQ(server.send(block1_of(body, 2, 16), session_peer(1)), "up");
  EXPECT_LE(server.layer.occupancy().assembly_bytes, limits.assembly_bytes);
}

TEST(BlockwiseAttacks, AnswersHeldForInventedAddressesMakeRoomForAReachablePeer) {
  BlockwiseLimits limits;
  limits.held = 4;
  ServerAlone server(limits);
  const auto post = [&server](const Peer& peer, std::optional<std::size_t> limit) {
    server.send(bare(code::post), peer, limit);
    server.respond({code::changed, {}, body_of(1500)});
  };
  for (unsigned i = 0; i < 4; ++i) post(invented_peer(i), limit_of_unknown);
  post(invented_peer(9), limit_of_unknown);
  EXPECT_EQ(server.layer.counters().not_held, 1U);
  post(session_peer(1), std::nullopt);
  EXPECT_EQ(server.send(asking(code::post, 1, 1024), session_peer(1)), "2.04 2:1/0/1024 [476]");
  EXPECT_EQ(server.layer.occupancy().held, 4U);
}

// What was decided about access holds for the answer as it was made, not for blocks of it that are fetched later.
TEST(BlockwiseAttacks, NoFurtherBlockGoesToAPeerWhoseRightsHaveEnded) {
  ServerAlone server;
  bool allowed = true;
  unsigned asked = 0;
  server.layer.set_guard([&](const Peer& peer, const Request& request) {
    EXPECT_EQ(peer, session_peer(1));
    EXPECT_TRUE(request.options.has(option::uri_path));
    ++asked;
    return allowed;
  });
  server.send(bare(code::get), session_peer(1));
  server.respond({code::content, {}, body_of(3000)});
  EXPECT_EQ(asked, 0U);
  EXPECT_EQ(server.send(asking(code::get, 1, 1024), session_peer(1)), "2.05 2:1/1/1024 [1024]");
  EXPECT_EQ(asked, 1U);
  allowed = false;
  // Who decides about access answers.
  ASSERT_EQ(server.send(asking(code::get, 2, 1024), session_peer(1)), "up");
  EXPECT_EQ(server.respond({code::forbidden, {}, {}}), "4.03");
  EXPECT_EQ(server.layer.occupancy().held, 0U);
  EXPECT_EQ(server.layer.occupancy().requests, 0U);
}

TEST(BlockwiseAttacks, WhereAskingAgainWouldActAgainWhoLostHisRightsGets401) {
  ServerAlone server;
  bool allowed = true;
  server.layer.set_guard([&](const Peer&, const Request&) { return allowed; });
  const auto body = body_of(20);
  server.send(block1_of(body, 0, 16, code::post), session_peer(1));
  ASSERT_EQ(server.send(block1_of(body, 1, 16, code::post), session_peer(1)), "up");
  server.respond({code::changed, {}, body_of(1500)});
  EXPECT_EQ(server.send(block1_of(body, 1, 16, code::post), session_peer(1)).substr(0, 4), "2.04");
  allowed = false;
  EXPECT_EQ(server.send(block1_of(body, 1, 16, code::post), session_peer(1)), "4.01 1:1/0/16");
  EXPECT_EQ(server.layer.occupancy().held, 0U);

  allowed = true;
  server.send(bare(code::post), session_peer(1));
  server.respond({code::changed, {}, body_of(1500)});
  allowed = false;
  EXPECT_EQ(server.send(asking(code::post, 1, 1024), session_peer(1)), "4.01");
  allowed = true;
  EXPECT_EQ(server.send(asking(code::post, 1, 1024), session_peer(1)), "4.08") << "and that is final";
}

// RFC 7959 does not say that an error's body is small: a server cuts it as any other.
TEST(BlockwiseAttacks, AnErrorInBlocksArrivesWhole) {
  for (const auto method : {code::get, code::post}) {
    ClientAlone client;
    const auto error = [](std::uint32_t num) {
      auto response = block2_of(body_of(40), num, 16);
      response.code = code::not_found;
      return response;
    };
    const auto id = client.ask(method);
    for (std::uint32_t num = 0; num < 3; ++num) client.answer(error(num));
    ASSERT_EQ(client.heard.size(), 1U);
    ASSERT_TRUE(std::holds_alternative<ResponseArrived>(client.heard[0])) << client.reason().id();
    EXPECT_EQ(client.response().id, id);
    EXPECT_EQ(client.response().response.code, code::not_found);
    EXPECT_EQ(client.response().response.payload, body_of(40));
  }
}

TEST(BlockwiseAttacks, AnErrorInTheMiddleOfAnotherAnswerIsNotPartOfIt) {
  ClientAlone client;
  client.ask(code::get);
  client.answer(block2_of(body_of(40), 0, 16));
  auto error = block2_of(body_of(40), 1, 16);
  error.code = code::not_found;
  client.answer(std::move(error));
  EXPECT_EQ(client.response().response.code, code::not_found);
  EXPECT_EQ(client.response().response.payload.size(), 16U);
}

// RFC 7959 section 2.2: M has no meaning in a request for a block.
TEST(BlockwiseAttacks, AnMInARequestForABlockIsIgnored) {
  ServerAlone server;
  const auto with_m = [](std::uint32_t num) {
    auto request = asking(code::get, num, 64);
    set_block(request.options, option::block2, {num, true, Szx::fitting(64)});
    return request;
  };
  ASSERT_EQ(server.send(with_m(0)), "up");
  EXPECT_EQ(server.respond({code::content, {}, body_of(100)}), "2.05 2:0/1/64 [64]");
  EXPECT_EQ(server.send(with_m(1)), "2.05 2:1/0/64 [36]");
}

TEST(BlockwiseAttacks, AHugeSizeAnnouncedReservesNothing) {
  BlockwiseLimits limits;
  limits.assembly_bytes = 2 * limits.request_body;
  ServerAlone server(limits);
  for (unsigned i = 0; i < 50; ++i) {
    auto first = block1_of(body_of(40), 0, 16);
    first.options.add_uint(option::size1, limits.request_body);
    ASSERT_EQ(server.send(std::move(first), invented_peer(i)), "2.31 1:0/1/16");
  }
  EXPECT_EQ(server.layer.occupancy().assembly_bytes, 50U * 16U);
}

// RFC 9175 section 3.4.
TEST(BlockwiseAttacks, ARequestTagIsInNoResponse) {
  ServerAlone server;
  const auto tagged = [](Request request) {
    request.options.add(option::request_tag, "t");
    return request;
  };
  const auto body = body_of(20);
  server.send(tagged(block1_of(body, 0, 16, code::post)));
  server.send(tagged(block1_of(body, 2, 16, code::post)));
  ASSERT_EQ(server.send(tagged(block1_of(body, 1, 16, code::post))), "up");
  server.respond({code::changed, {}, body_of(1500)});
  server.send(tagged(asking(code::post, 1, 1024)));
  server.send(tagged(asking(code::post, 7, 1024)));
  ASSERT_EQ(server.below.answered.size(), 5U);
  for (const auto& one : server.below.answered) EXPECT_FALSE(one.response.options.has(option::request_tag));
}

// Observation

TEST(BlockwiseAttacks, BlocksOfARenewedObservationHaveTokensOfTheirOwn) {
  BlockwiseParameters parameters;
  parameters.request_szx = Szx::smallest();
  ClientAlone client(parameters);
  const auto observe = [] { return Options().set_uint(option::observe, 0); };
  const auto first = client.ask(code::fetch, body_of(20), observe());
  Response go_on{code::continue_, {}, {}};
  set_block(go_on.options, option::block1, {0, true, Szx::smallest()});
  client.answer(go_on);
  const auto observation = client.below.sent.back().id;
  client.answer({code::content, Options().set_uint(option::observe, 1), {}}, std::nullopt, false);
  ASSERT_EQ(client.response().id, first);

  Delivery delivery;
  delivery.token_of = first;
  client.ask(code::fetch, body_of(20), observe(), delivery);
  EXPECT_EQ(client.below.sent.back().delivery.token_of, ExchangeId{});
  // A notification that is still under way would be taken for the answer to a block.
  EXPECT_EQ(client.below.cancelled, std::vector{observation});
  EXPECT_EQ(client.layer.occupancy().transfers, 1U);
}

// RFC 7959 section 2.3: Block1 in a response says which block it answers. A notification answers none.
TEST(BlockwiseAttacks, NotificationsOfAFetchInBlocksAcknowledgeNothing) {
  ServerAlone server;
  const auto body = body_of(20);
  const auto block = [&body](std::uint32_t num) {
    auto request = block1_of(body, num, 16, code::fetch);
    if (num == 1) request.options.set_uint(option::observe, 0);
    return request;
  };
  server.send(block(0));
  ASSERT_EQ(server.send(block(1)), "up");
  const auto notify = [&server](unsigned number) {
    server.respond({code::content, Options().set_uint(option::observe, number), body_of(10)}, server.up->id);
  };
  notify(1);
  EXPECT_TRUE(server.answer().options.has(option::block1));
  // The request is answered: it takes no place among those that are put together.
  EXPECT_EQ(server.layer.occupancy().assemblies, 0U);
  EXPECT_EQ(server.layer.occupancy().held, 1U);
  notify(2);
  EXPECT_FALSE(server.answer().options.has(option::block1));
  EXPECT_EQ(server.answer().options.find_uint(option::observe), 2U);
  EXPECT_EQ(server.layer.occupancy().requests, 1U);
}

}  // namespace
}  // namespace aceward::coap
