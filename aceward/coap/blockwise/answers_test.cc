// Response bodies at the server: what is cut, held, and asked for again.
#include <gtest/gtest.h>

#include "aceward/coap/blockwise/message_size.h"
#include "aceward/coap/blockwise/scripted_layer.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;
using block_test::asking;
using block_test::block1_of;
using block_test::body_of;
using block_test::ServerAlone;

Request plain(Code method, Bytes payload = {}) {
  Request request{method, {}, std::move(payload)};
  request.options.add_path("r");
  return request;
}
Peer other_peer(unsigned number) {
  return {Transport::udp, Address::v4(198, 51, 100, static_cast<std::uint8_t>(number), 5683), {}, 0, 0};
}
BlockwiseParameters answering_in(unsigned size) {
  BlockwiseParameters parameters;
  parameters.response_szx = Szx::fitting(size);
  return parameters;
}

TEST(BlockwiseAnswers, WhatFitsPassesUnchanged) {
  ServerAlone server;
  const auto request = plain(code::get);
  ASSERT_EQ(server.send(request), "up");
  EXPECT_EQ(server.up->request, request);
  const Response response{code::content, Options().add(option::etag, "x"), body_of(1024)};
  server.respond(response);
  EXPECT_EQ(server.answer(), response);
  EXPECT_EQ(server.layer.occupancy().held, 0U);
  EXPECT_EQ(server.layer.occupancy().requests, 0U);
}

TEST(BlockwiseAnswers, ASmallBodySaysSoWhenBlocksWereAskedFor) {
  ServerAlone server;
  ASSERT_EQ(server.send(asking(code::get, 0, 64)), "up");
  EXPECT_FALSE(server.up->request.options.has(option::block2));
  EXPECT_EQ(server.respond({code::content, {}, body_of(64)}), "2.05 2:0/0/64 [64]");
  ASSERT_EQ(server.send(asking(code::get, 0, 64)), "up");
  EXPECT_EQ(server.respond({code::valid, {}, {}}), "2.03");
}

TEST(BlockwiseAnswers, AllBlocksAreOfOneRepresentation) {
  ServerAlone server;
  server.send(asking(code::get, 0, 64));
  EXPECT_EQ(server.respond({code::content, {}, body_of(150, 1)}), "2.05 2:0/1/64 [64]");
  const auto etag = to_bytes(*server.answer().options.find(option::etag));
  EXPECT_EQ(server.answer().options.find_uint(option::size2), 150U);
  // The resource is not asked any more, however it changes.
  EXPECT_EQ(server.send(asking(code::get, 1, 64)), "2.05 2:1/1/64 [64]");
  EXPECT_TRUE(equal(server.answer().payload, BytesView(body_of(150, 1)).subspan(64, 64)));
  EXPECT_EQ(server.answer().options.find(option::etag).value().size(), etag.size());
  EXPECT_TRUE(equal(*server.answer().options.find(option::etag), etag));
  EXPECT_FALSE(server.answer().options.has(option::size2));
  EXPECT_EQ(server.send(asking(code::get, 2, 64)), "2.05 2:2/0/64 [22]");
  // Whoever begins anew gets the present representation.
  EXPECT_EQ(server.send(asking(code::get, 0, 64)), "up");
}

TEST(BlockwiseAnswers, TheEntityTagIsThatOfTheContent) {
  const auto tag_of = [](ServerAlone& server, unsigned which, std::uint16_t format) {
    server.send(asking(code::get, 0, 16));
    Response response{code::content, {}, body_of(40, which)};
    response.options.set_content_format(ContentFormat(format));
    server.respond(std::move(response));
    return to_bytes(*server.answer().options.find(option::etag));
  };
  ServerAlone server;
  const auto tag = tag_of(server, 1, 0);
  EXPECT_EQ(tag.size(), 8U);
  EXPECT_EQ(tag_of(server, 1, 0), tag);
  EXPECT_NE(tag_of(server, 2, 0), tag);
  EXPECT_NE(tag_of(server, 1, 60), tag);
}

// Found by fuzzing: the answer had fitted one block, and was then asked for in smaller ones without a tag.
TEST(BlockwiseAnswers, ARepeatedLastBlockThatAsksForSmallerBlocksGetsATagToo) {
  ServerAlone server;
  const auto body = body_of(20);
  server.send(block1_of(body, 0, 16, code::post));
  server.send(block1_of(body, 1, 16, code::post));
  EXPECT_EQ(server.respond({code::changed, {}, body_of(40)}), "2.04 1:1/0/16 [40]");
  auto again = block1_of(body, 1, 16, code::post);
  set_block(again.options, option::block2, {0, false, Szx(0)});
  EXPECT_EQ(server.send(std::move(again)), "2.04 1:1/0/16 2:0/1/16 [16]");
  const auto tag = to_bytes(server.answer().options.find(option::etag).value());
  EXPECT_EQ(server.send(asking(code::post, 1, 16)), "2.04 2:1/1/16 [16]");
  EXPECT_TRUE(equal(server.answer().options.find(option::etag).value(), tag));
}

TEST(BlockwiseAnswers, TheResourcesOwnEntityTagStays) {
  ServerAlone server;
  server.send(asking(code::get, 0, 16));
  server.respond({code::content, Options().add(option::etag, "own"), body_of(40)});
  EXPECT_EQ(server.answer().options.find_text(option::etag), "own");
  EXPECT_EQ(server.answer().options.count(option::etag), 1U);
}

TEST(BlockwiseAnswers, ABlockThatIsNoLongerHeldIsAskedOfTheResource) {
  ServerAlone server;
  auto request = asking(code::get, 1, 64);
  request.options.add_uint(option::observe, 0);
  ASSERT_EQ(server.send(std::move(request)), "up");
  EXPECT_FALSE(server.up->request.options.has(option::block2));
  EXPECT_FALSE(server.up->request.options.has(option::observe));
  EXPECT_EQ(server.respond({code::content, {}, body_of(150)}), "2.05 2:1/1/64 [64]");
  EXPECT_TRUE(equal(server.answer().payload, BytesView(body_of(150)).subspan(64, 64)));
  EXPECT_EQ(server.layer.counters().asked_again, 1U);
  // From there on it is held again.
  EXPECT_EQ(server.send(asking(code::get, 2, 64)), "2.05 2:2/0/64 [22]");
}

TEST(BlockwiseAnswers, ABlockBeyondTheEndIsRefused) {
  ServerAlone server;
  server.send(asking(code::get, 9, 64));
  EXPECT_EQ(server.respond({code::content, {}, body_of(150)}), "4.00");
  server.send(asking(code::get, 0, 64));
  server.respond({code::content, {}, body_of(150)});
  EXPECT_EQ(server.send(asking(code::get, 3, 64)), "4.00");
  server.layer.forget(block_test::client_address);
  server.send(asking(code::get, 1, 64));
  EXPECT_EQ(server.respond({code::not_found, {}, {}}), "4.04");
}

TEST(BlockwiseAnswers, TheRestOfAnAnswerToAPostIsNeverMadeBySendingItUpAgain) {
  ServerAlone server;
  server.send(plain(code::post, to_bytes("x")));
  EXPECT_EQ(server.respond({code::changed, {}, body_of(1500)}), "2.04 2:0/1/1024 [1024]");
  server.now += 247s;
  EXPECT_EQ(server.send(asking(code::post, 1, 1024)), "4.08");
  EXPECT_EQ(server.layer.counters().unanswerable, 1U);
  EXPECT_EQ(server.layer.counters().held_expired, 1U);
  for (const auto method : {code::put, code::delete_, code::patch, code::ipatch}) {
    EXPECT_EQ(server.send(asking(method, 1, 1024)), "4.08");
  }
}

TEST(BlockwiseAnswers, AFetchIsToldByItsQuestion) {
  ServerAlone server;
  server.send(asking(code::fetch, 0, 16, to_bytes("one")));
  server.respond({code::content, {}, body_of(40, 1)});
  EXPECT_EQ(server.send(asking(code::fetch, 1, 16, to_bytes("one"))), "2.05 2:1/1/16 [16]");
  // Without the question it is the one that was asked before, as after a transfer by Block1.
  EXPECT_EQ(server.send(asking(code::fetch, 1, 16)), "2.05 2:1/1/16 [16]");
  ASSERT_EQ(server.send(asking(code::fetch, 1, 16, to_bytes("two"))), "up");
  server.respond({code::content, {}, body_of(40, 2)});
  EXPECT_TRUE(equal(server.answer().payload, BytesView(body_of(40, 2)).subspan(16, 16)));
  server.layer.forget(block_test::client_address);
  EXPECT_EQ(server.send(asking(code::fetch, 1, 16)), "4.08");
}

TEST(BlockwiseAnswers, OthersDoNotGetWhatIsHeldForAPeer) {
  ServerAlone server;
  server.send(plain(code::post));
  server.respond({code::changed, {}, body_of(1500)});
  EXPECT_EQ(server.send(asking(code::post, 1, 1024), other_peer(1)), "4.08");
  Peer session = block_test::client_address;
  session.session = 3;
  EXPECT_EQ(server.send(asking(code::post, 1, 1024), session), "4.08");
  auto other_options = asking(code::post, 1, 1024);
  other_options.options.add(option::uri_query, "q");
  EXPECT_EQ(server.send(std::move(other_options)), "4.08");
  auto tagged = asking(code::post, 1, 1024);
  tagged.options.add_empty(option::request_tag);
  EXPECT_EQ(server.send(std::move(tagged)), "4.08");
  EXPECT_EQ(server.send(asking(code::post, 1, 1024)), "2.04 2:1/0/1024 [476]");
}

TEST(BlockwiseAnswers, NeverLargerThanAskedForAndSmallerAtAnyTime) {
  ServerAlone server({}, answering_in(64));
  server.send(asking(code::get, 0, 1024));
  EXPECT_EQ(server.respond({code::content, {}, body_of(300)}), "2.05 2:0/1/64 [64]");
  // A client that counts in larger blocks gets the beginning of the one it asked for, counted in smaller ones.
  EXPECT_EQ(server.send(asking(code::get, 1, 128)), "2.05 2:2/1/64 [64]");
  EXPECT_EQ(server.send(asking(code::get, 12, 16)), "2.05 2:12/1/16 [16]");
}

TEST(BlockwiseAnswers, TheSizeIsToldWhenItIsAskedFor) {
  ServerAlone server;
  auto request = plain(code::get);
  request.options.add_uint(option::size2, 0);
  ASSERT_EQ(server.send(request), "up");
  server.respond({code::content, {}, body_of(10)});
  EXPECT_EQ(server.answer().options.find_uint(option::size2), 10U);
}

TEST(BlockwiseAnswers, OptionsLeaveLessRoomForTheBlock) {
  ServerAlone server;
  server.send(plain(code::get));
  Response response{code::content, {}, body_of(3000)};
  response.options.add(option::location_query, Bytes(200)).add(option::location_query, Bytes(200));
  EXPECT_EQ(server.respond(std::move(response)), "2.05 2:0/1/512 [512]");
  EXPECT_LE(message_size(server.answer().options, 512), 1232U);
}

// RFC 9175 section 2.4: what an address that was not shown to be reachable may get.
TEST(BlockwiseAnswers, AnswersToWhatHasActedFitTheLimitOfAnUnverifiedAddress) {
  ServerAlone server;
  ASSERT_EQ(server.send(plain(code::post), block_test::client_address, 136), "up");
  EXPECT_EQ(server.respond({code::changed, {}, body_of(500)}), "2.04 2:0/1/64 [64]");
  EXPECT_LE(message_size(server.answer().options, 64), 136U);
  EXPECT_EQ(server.send(asking(code::post, 1, 64), block_test::client_address, 136), "2.04 2:1/1/64 [64]");
  ASSERT_EQ(server.send(plain(code::post), block_test::client_address, 136), "up");
  EXPECT_EQ(server.respond({code::changed, {}, body_of(100)}), "2.04 [100]");
  ASSERT_EQ(server.send(plain(code::post), block_test::client_address, 60), "up");
  EXPECT_EQ(server.respond({code::changed, {}, body_of(100)}), "2.04 2:0/1/16 [16]");
  EXPECT_LE(message_size(server.answer().options, 16), 60U);
}

TEST(BlockwiseAnswers, WhatTheLayerBelowWillAskEchoForIsNotHeld) {
  ServerAlone server;
  ASSERT_EQ(server.send(plain(code::get), block_test::client_address, 136), "up");
  EXPECT_EQ(server.respond({code::content, {}, body_of(5000)}), "2.05 2:0/1/1024 [1024]");
  EXPECT_EQ(server.layer.occupancy().held, 0U);
  ASSERT_EQ(server.send(asking(code::get, 0, 16), block_test::client_address, 136), "up");
  EXPECT_EQ(server.respond({code::content, {}, body_of(5000)}), "2.05 2:0/1/16 [16]");
  EXPECT_EQ(server.layer.occupancy().held, 1U);
}

TEST(BlockwiseAnswers, ARepresentationThatIsHeldAges) {
  ServerAlone server;
  server.send(asking(code::get, 0, 16));
  server.respond({code::content, Options().add_uint(option::max_age, 100), body_of(100)});
  server.now += 30s;
  server.send(asking(code::get, 1, 16));
  EXPECT_EQ(server.answer().options.find_uint(option::max_age), 70U);
  server.now += 90s;
  server.send(asking(code::get, 2, 16));
  EXPECT_EQ(server.answer().options.find_uint(option::max_age), 0U);
}

TEST(BlockwiseAnswers, ANotificationIsItsFirstBlockOfTheSizeThatWasAskedFor) {
  ServerAlone server;
  auto request = asking(code::get, 0, 64);
  request.options.add_uint(option::observe, 0);
  server.send(std::move(request));
  const auto observer = server.up->id;
  for (unsigned number = 1; number <= 3; ++number) {
    Response notification{code::content, Options().add_uint(option::observe, number), body_of(100, number)};
    EXPECT_EQ(server.respond(std::move(notification), observer),
              "2.05 observe:" + std::to_string(number) + " 2:0/1/64 [64]");
    EXPECT_EQ(server.send(asking(code::get, 1, 64)), "2.05 2:1/0/64 [36]");
    EXPECT_TRUE(equal(server.answer().payload, BytesView(body_of(100, number)).subspan(64)));
  }
  EXPECT_EQ(server.layer.occupancy().requests, 1U);
  EXPECT_EQ(server.respond({code::not_found, {}, {}}, observer), "4.04");
  EXPECT_EQ(server.layer.occupancy().requests, 0U);
}

TEST(BlockwiseAnswers, AResourceMayCutByItself) {
  ServerAlone server;
  server.send(plain(code::get));
  EXPECT_EQ(server.respond(block_test::block2_of(body_of(100), 0, 32)), "2.05 2:0/1/32 [32]");
  EXPECT_EQ(server.layer.occupancy().requests, 0U);
  EXPECT_EQ(server.layer.occupancy().held, 0U);
}

TEST(BlockwiseAnswers, WhatIsHeldForOnePeerIsBoundedAndTheOldestGoes) {
  BlockwiseLimits limits;
  limits.held_per_peer = 2;
  ServerAlone server(limits);
  const auto post = [](std::string_view tag, std::uint32_t num) {
    auto request = num == 0 ? plain(code::post) : asking(code::post, num, 1024);
    request.options.add(option::request_tag, tag);
    return request;
  };
  for (const auto* tag : {"1", "2", "3"}) {
    server.send(post(tag, 0));
    server.respond({code::changed, {}, body_of(3000)});
  }
  EXPECT_EQ(server.layer.occupancy().held, 2U);
  EXPECT_EQ(server.send(post("1", 1)), "4.08");
  EXPECT_EQ(server.send(post("2", 1)), "2.04 2:1/1/1024 [1024]");
  EXPECT_EQ(server.send(post("3", 1)), "2.04 2:1/1/1024 [1024]");
}

TEST(BlockwiseAnswers, OnlyWhatCannotBeAskedAgainPushesOutOthers) {
  BlockwiseLimits limits;
  limits.held_bytes = 7000;
  ServerAlone server(limits);
  const auto ask = [&](Code method, unsigned peer) {
    server.send(plain(method), other_peer(peer));
    server.respond({code::content, {}, body_of(3000)});
  };
  ask(code::post, 1);
  ask(code::get, 2);
  ask(code::get, 3);
  // There was no room for the third: its next block is asked of the resource.
  EXPECT_EQ(server.layer.occupancy().held_bytes, 6000U);
  EXPECT_EQ(server.send(asking(code::get, 1, 1024), other_peer(3)), "up");
  server.layer.cancel(server.up->id);
  ask(code::post, 4);
  EXPECT_EQ(server.layer.occupancy().held_bytes, 6000U);
  EXPECT_EQ(server.send(asking(code::get, 1, 1024), other_peer(2)), "up");
  server.layer.cancel(server.up->id);
  EXPECT_EQ(server.send(asking(code::post, 1, 1024), other_peer(1)), "2.05 2:1/1/1024 [1024]");
  EXPECT_EQ(server.send(asking(code::post, 1, 1024), other_peer(4)), "2.05 2:1/1/1024 [1024]");
  // What was fetched to its end makes room for what was not.
  EXPECT_EQ(server.send(asking(code::post, 2, 1024), other_peer(1)), "2.05 2:2/0/1024 [952]");
  ask(code::post, 5);
  EXPECT_EQ(server.send(asking(code::post, 1, 1024), other_peer(5)), "2.05 2:1/1/1024 [1024]");
  EXPECT_EQ(server.layer.counters().held_evicted, 2U);
}

TEST(BlockwiseAnswers, ABodyBeyondTheLastNumberIsAnInternalError) {
  ServerAlone server;
  server.send(asking(code::get, BlockOption::max_num, 16));
  EXPECT_EQ(server.respond({code::content, {}, Bytes((std::size_t{1} << 24) + 1)}), "5.00");
}

TEST(BlockwiseAnswers, AnswersInAnyOrderFindTheirRequests) {
  ServerAlone server;
  std::vector<ExchangeId> ids;
  for (unsigned peer = 0; peer < 5; ++peer) {
    server.send(asking(code::get, 0, 16U << peer), other_peer(peer));
    ids.push_back(server.up->id);
  }
  EXPECT_EQ(server.layer.occupancy().requests, 5U);
  for (const unsigned peer : {3U, 0U, 4U, 1U, 2U}) {
    const auto size = std::to_string(16U << peer);
    EXPECT_EQ(server.respond({code::content, {}, body_of(500)}, ids[peer]), "2.05 2:0/1/" + size + " [" + size + "]");
  }
  EXPECT_EQ(server.layer.occupancy().requests, 0U);
}

// Found by the simulated network: between the greatest block size below it and the limit of an unknown address, a body
// went as one block of that size, without a Block2 option, and its end was lost.
TEST(BlockwiseAnswers, WhatFitsTheLimitOfAnUnknownAddressIsNotCut) {
  for (std::size_t size = 50; size < 130; ++size) {
    for (const bool size_asked : {false, true}) {
      block_test::Setup setup;
      setup.unverified_answer = 136;
      setup.client.request_szx = Szx(2);
      setup.client.ask_size = size_asked;
      block_test::TwoEnds ends(setup);
      ends.handler = [&](const RequestArrived&) { return Response{code::changed, {}, body_of(size)}; };
      const auto outcome = ends.ask(code::post, "/store", body_of(100, 1));
      ASSERT_EQ(outcome.responses.size(), 1U) << size;
      EXPECT_EQ(outcome.response().payload, body_of(size)) << size;
    }
  }
}

}  // namespace
}  // namespace aceward::coap
