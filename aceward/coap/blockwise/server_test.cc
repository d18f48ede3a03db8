// Request bodies at the server: what is put together, and what is not.
#include <gtest/gtest.h>

#include "aceward/coap/blockwise/reasons.h"
#include "aceward/coap/blockwise/scripted_layer.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;
using block_test::block1_of;
using block_test::body_of;
using block_test::ServerAlone;

Peer peer_number(unsigned number) {
  return {Transport::udp, Address::v4(198, 51, 100, static_cast<std::uint8_t>(number), 5683), {}, 0, 0};
}
Request tagged(Request request, std::initializer_list<std::string_view> tags) {
  for (const auto tag : tags) request.options.add(option::request_tag, tag);
  return request;
}

TEST(BlockwiseServer, HandsUpTheWholeBodyOnceWithTheOptionsOfTheRequest) {
  ServerAlone server;
  const auto body = body_of(40);
  for (std::uint32_t num = 0; num < 3; ++num) {
    auto request = tagged(block1_of(body, num, 16), {"t"});
    request.options.set_content_format(ContentFormat(60));
    if (num == 0) request.options.add_uint(option::size1, 40);
    const auto answer = server.send(std::move(request));
    if (num < 2) {
      EXPECT_EQ(answer, "2.31 1:" + std::to_string(num) + "/1/16");
    } else {
      EXPECT_EQ(answer, "up");
    }
  }
  Options expected;
  expected.add_path("r").set_content_format(ContentFormat(60));
  EXPECT_EQ(server.up->request, (Request{code::put, expected, body}));
  EXPECT_EQ(server.respond({code::changed, {}, {}}), "2.04 1:2/0/16");
  EXPECT_EQ(server.layer.counters().assembled, 1U);
  EXPECT_EQ(server.layer.occupancy().assemblies, 0U);
  EXPECT_EQ(server.layer.occupancy().requests, 0U);
}

TEST(BlockwiseServer, ABodyOfOneBlockPassesAtOnce) {
  ServerAlone server;
  EXPECT_EQ(server.send(block1_of(body_of(10), 0, 16)), "up");
  EXPECT_FALSE(server.up->request.options.has(option::block1));
  EXPECT_EQ(server.respond({code::changed, {}, {}}), "2.04 1:0/0/16");
}

TEST(BlockwiseServer, RefusesTheReservedBlockSize) {
  ServerAlone server;
  for (const auto number : {option::block1, option::block2}) {
    Request request{code::put, {}, Bytes(2048)};
    request.options.add_uint(number, 15);
    EXPECT_EQ(server.send(std::move(request)), "4.00");
  }
}

TEST(BlockwiseServer, RefusesABlockThatIsNotOfItsSize) {
  ServerAlone server;
  for (const std::size_t size : {0U, 15U, 17U, 32U}) {
    auto request = block1_of(body_of(100), 0, 16);
    request.payload.resize(size);
    EXPECT_EQ(server.send(std::move(request)), "4.00 1:0/0/16") << size;
  }
  EXPECT_EQ(server.layer.occupancy().assemblies, 0U);
  EXPECT_EQ(server.layer.counters().refused_malformed, 4U);
}

TEST(BlockwiseServer, RefusesABlockOfTheBodyTogetherWithALaterOneOfTheAnswer) {
  ServerAlone server;
  auto request = block1_of(body_of(10), 0, 16);
  set_block(request.options, option::block2, {1, false, Szx(0)});
  EXPECT_EQ(server.send(std::move(request)), "4.00 1:0/0/16");
}

TEST(BlockwiseServer, RefusesBlocksOfWhichTheBeginningIsMissing) {
  ServerAlone server;
  const auto body = body_of(80);
  EXPECT_EQ(server.send(block1_of(body, 1, 16)), "4.08 1:1/0/16");
  EXPECT_EQ(server.send(block1_of(body, 0, 16)), "2.31 1:0/1/16");
  EXPECT_EQ(server.send(block1_of(body, 2, 16)), "4.08 1:2/0/16");
  EXPECT_EQ(server.send(block1_of(body, 4, 16)), "4.08 1:4/0/16");
  // A high number makes nothing grow.
  EXPECT_EQ(server.send(block1_of(Bytes(16), BlockOption::max_num, 16)), "4.08 1:1048575/0/16");
  EXPECT_EQ(server.layer.occupancy().assembly_bytes, 16U);
  EXPECT_EQ(server.layer.counters().refused_gaps, 4U);
}

TEST(BlockwiseServer, AFirstBlockBeginsAnew) {
  ServerAlone server;
  server.send(block1_of(body_of(80, 1), 0, 16));
  server.send(block1_of(body_of(80, 1), 1, 16));
  EXPECT_EQ(server.send(block1_of(body_of(40, 2), 0, 16)), "2.31 1:0/1/16");
  EXPECT_EQ(server.send(block1_of(body_of(40, 2), 1, 16)), "2.31 1:1/1/16");
  EXPECT_EQ(server.send(block1_of(body_of(40, 2), 2, 16)), "up");
  EXPECT_EQ(server.up->request.payload, body_of(40, 2));
  EXPECT_EQ(server.layer.counters().assemblies_restarted, 1U);
}

TEST(BlockwiseServer, ARepeatedBlockIsAnsweredAlikeAndNotAppendedTwice) {
  ServerAlone server;
  const auto body = body_of(56);
  server.send(block1_of(body, 0, 16));
  server.send(block1_of(body, 1, 16));
  EXPECT_EQ(server.send(block1_of(body, 1, 16)), "2.31 1:1/1/16");
  server.send(block1_of(body, 2, 16));
  // The network brings an old one late.
  EXPECT_EQ(server.send(block1_of(body, 1, 16)), "2.31 1:1/1/16");
  EXPECT_EQ(server.send(block1_of(body, 3, 16)), "up");
  EXPECT_EQ(server.up->request.payload, body);
  EXPECT_EQ(server.layer.counters().repeated_blocks, 2U);
}

TEST(BlockwiseServer, OverlappingBlocksAreRefusedAndWhatCameFirstStays) {
  ServerAlone server;
  const auto body = body_of(72);
  server.send(block1_of(body, 0, 32));
  server.send(block1_of(body, 1, 32));
  // The same place with other content, an overlap that reaches beyond the end, and an early end.
  EXPECT_EQ(server.send(block1_of(body_of(72, 9), 1, 32)), "4.08 1:1/0/32");
  // In other sizes, but the same octets at the same place: a repetition.
  EXPECT_EQ(server.send(block1_of(body, 3, 16)), "2.31 1:3/1/16");
  auto longer = block1_of(body_of(500), 1, 32);
  longer.payload = to_bytes(BytesView(body).subspan(32, 40));
  set_block(longer.options, option::block1, {1, false, Szx(1)});
  EXPECT_EQ(server.send(std::move(longer)), "4.08 1:1/0/32");
  EXPECT_EQ(server.send(block1_of(body, 2, 32)), "up");
  EXPECT_EQ(server.up->request.payload, body);
  EXPECT_EQ(server.layer.counters().refused_overlaps, 2U);
}

TEST(BlockwiseServer, ARepeatedLastBlockGetsTheSameAnswerAndActsOnce) {
  ServerAlone server;
  const auto body = body_of(24);
  server.send(block1_of(body, 0, 16, code::post));
  ASSERT_EQ(server.send(block1_of(body, 1, 16, code::post)), "up");
  const auto first = server.up->id;
  // While the resource is at work.
  EXPECT_EQ(server.send(block1_of(body, 1, 16, code::post)), "5.03 1:1/0/16");
  EXPECT_EQ(server.answer().options.find_uint(option::max_age), 1U);
  EXPECT_EQ(server.respond({code::changed, {}, to_bytes("done")}, first), "2.04 1:1/0/16 [4]");
  EXPECT_EQ(server.send(block1_of(body, 1, 16, code::post)), "2.04 1:1/0/16 [4]");
  EXPECT_EQ(server.answer().payload, to_bytes("done"));
  // Another last block is not a repetition.
  EXPECT_EQ(server.send(block1_of(body_of(24, 3), 1, 16, code::post)), "4.08 1:1/0/16");
  EXPECT_EQ(server.layer.counters().assembled, 1U);
}

TEST(BlockwiseServer, BlocksWithOtherOptionsAreNotPutTogether) {
  const auto body = body_of(40);
  const auto with_format = [&](std::uint32_t num, unsigned format) {
    auto request = block1_of(body, num, 16);
    request.options.set_content_format(ContentFormat(static_cast<std::uint16_t>(format)));
    return request;
  };
  ServerAlone server;
  server.send(with_format(0, 60));
  EXPECT_EQ(server.send(with_format(1, 50)), "4.08 1:1/0/16");
  EXPECT_EQ(server.send(block1_of(body, 1, 16)), "4.08 1:1/0/16");
  EXPECT_EQ(server.send(block1_of(body, 1, 16, code::post)), "4.08 1:1/0/16");
  auto query = with_format(1, 60);
  query.options.add(option::uri_query, "a");
  EXPECT_EQ(server.send(std::move(query)), "4.08 1:1/0/16");
  // Options that are no part of the Cache-Key do not matter.
  auto sized = with_format(1, 60);
  sized.options.add_uint(option::size1, 40);
  EXPECT_EQ(server.send(std::move(sized)), "2.31 1:1/1/16");
}

TEST(BlockwiseServer, RequestTagsKeepTransfersApart) {
  ServerAlone server;
  const std::vector<std::vector<std::string_view>> tags{{}, {""}, {"a"}, {"b"}, {"a", "b"}, {"b", "a"}, {"", ""}};
  const auto with_tags = [&](std::size_t which, std::uint32_t num) {
    auto request = block1_of(body_of(40, static_cast<unsigned>(which)), num, 16);
    for (const auto tag : tags[which]) request.options.add(option::request_tag, tag);
    return request;
  };
  for (std::uint32_t num = 0; num < 2; ++num) {
    for (std::size_t which = 0; which < tags.size(); ++which) {
      ASSERT_EQ(server.send(with_tags(which, num)), "2.31 1:" + std::to_string(num) + "/1/16");
    }
  }
  EXPECT_EQ(server.layer.occupancy().assemblies, tags.size());
  for (std::size_t which = 0; which < tags.size(); ++which) {
    ASSERT_EQ(server.send(with_tags(which, 2)), "up");
    EXPECT_EQ(server.up->request.payload, body_of(40, static_cast<unsigned>(which)));
    EXPECT_FALSE(server.up->request.options.has(option::request_tag));
  }
}

TEST(BlockwiseServer, AnotherPeersBlockDoesNotGetIn) {
  ServerAlone server;
  const auto body = body_of(40);
  Peer protected_peer = block_test::client_address;
  protected_peer.transport = Transport::dtls;
  protected_peer.session = 5;
  server.send(block1_of(body, 0, 16), protected_peer);
  Peer other_session = protected_peer;
  other_session.session = 6;
  EXPECT_EQ(server.send(block1_of(body, 1, 16), block_test::client_address), "4.08 1:1/0/16");
  EXPECT_EQ(server.send(block1_of(body, 1, 16), other_session), "4.08 1:1/0/16");
  EXPECT_EQ(server.send(block1_of(body, 1, 16), protected_peer), "2.31 1:1/1/16");
}

// RFC 7959 section 2.10.
TEST(BlockwiseServer, IfNoneMatchOfTheFirstBlockIsHandedUp) {
  ServerAlone server;
  const auto body = body_of(40);
  auto first = block1_of(body, 0, 16);
  first.options.add_empty(option::if_none_match);
  server.send(std::move(first));
  server.send(block1_of(body, 1, 16));
  ASSERT_EQ(server.send(block1_of(body, 2, 16)), "up");
  EXPECT_TRUE(server.up->request.options.has(option::if_none_match));
}

TEST(BlockwiseServer, IfNoneMatchInALaterBlockAloneIsRefused) {
  ServerAlone server;
  const auto body = body_of(40);
  server.send(block1_of(body, 0, 16));
  auto second = block1_of(body, 1, 16);
  second.options.add_empty(option::if_none_match);
  EXPECT_EQ(server.send(std::move(second)), "4.08 1:1/0/16");
}

TEST(BlockwiseServer, ABodyThatIsAnnouncedAsTooLargeIsRefusedAtItsFirstBlock) {
  BlockwiseLimits limits;
  limits.request_body = 100;
  ServerAlone server(limits);
  auto request = block1_of(body_of(200), 0, 16);
  request.options.add_uint(option::size1, 101);
  // The block size is the one asked for: a smaller one would be a hint to try again.
  EXPECT_EQ(server.send(std::move(request)), "4.13 1:0/0/16");
  EXPECT_EQ(server.answer().options.find_uint(option::size1), 100U);
  EXPECT_EQ(server.layer.occupancy().assemblies, 0U);
}

TEST(BlockwiseServer, AnEndlessBodyIsRefusedAtTheLimitAndForgotten) {
  BlockwiseLimits limits;
  limits.request_body = 100;
  ServerAlone server(limits);
  const auto endless = body_of(10'000);
  std::uint32_t num = 0;
  for (; num < 6; ++num) ASSERT_EQ(server.send(block1_of(endless, num, 16)), "2.31 1:" + std::to_string(num) + "/1/16");
  EXPECT_EQ(server.send(block1_of(endless, num, 16)), "4.13 1:6/0/16");
  EXPECT_EQ(server.answer().options.find_uint(option::size1), 100U);
  EXPECT_EQ(server.layer.occupancy().assembly_bytes, 0U);
  EXPECT_EQ(server.layer.counters().refused_too_large, 1U);
}

TEST(BlockwiseServer, TheSizeAnnouncedIsOnlyAnEstimate) {
  ServerAlone server;
  auto first = block1_of(body_of(40), 0, 16);
  first.options.add_uint(option::size1, 30);
  server.send(std::move(first));
  server.send(block1_of(body_of(40), 1, 16));
  EXPECT_EQ(server.send(block1_of(body_of(40), 2, 16)), "up");
  EXPECT_EQ(server.layer.counters().size_mismatches, 1U);
}

TEST(BlockwiseServer, OnePeersTransfersWaitWhenItHasMany) {
  BlockwiseLimits limits;
  limits.assemblies_per_peer = 2;
  ServerAlone server(limits);
  const auto body = body_of(40);
  server.send(tagged(block1_of(body, 0, 16), {"1"}));
  server.send(tagged(block1_of(body, 0, 16), {"2"}));
  EXPECT_EQ(server.send(tagged(block1_of(body, 0, 16), {"3"})), "5.03 1:0/0/16");
  EXPECT_GE(server.answer().options.find_uint(option::max_age).value_or(0), 1U);
  EXPECT_EQ(server.send(block1_of(body, 0, 16), peer_number(9)), "2.31 1:0/1/16");
  EXPECT_EQ(server.send(tagged(block1_of(body, 1, 16), {"1"})), "2.31 1:1/1/16");
}

TEST(BlockwiseServer, InventedAddressesPushOutNobodyWhoIsSending) {
  BlockwiseLimits limits;
  limits.assemblies = 4;
  ServerAlone server(limits);
  const auto body = body_of(64);
  for (unsigned honest = 1; honest <= 2; ++honest) {
    server.send(block1_of(body, 0, 16), peer_number(honest));
    server.send(block1_of(body, 1, 16), peer_number(honest));
  }
  for (unsigned invented = 10; invented < 200; ++invented) {
    EXPECT_EQ(server.send(block1_of(body, 0, 16), peer_number(invented)), "2.31 1:0/1/16");
    EXPECT_LE(server.layer.occupancy().assemblies, 4U);
  }
  // A newcomer's second block makes its place safe.
  EXPECT_EQ(server.send(block1_of(body, 0, 16), peer_number(3)), "2.31 1:0/1/16");
  EXPECT_EQ(server.send(block1_of(body, 1, 16), peer_number(3)), "2.31 1:1/1/16");
  for (unsigned honest = 1; honest <= 3; ++honest) {
    server.send(block1_of(body, 2, 16), peer_number(honest));
    EXPECT_EQ(server.send(block1_of(body, 3, 16), peer_number(honest)), "up");
    server.respond({code::changed, {}, {}});
  }
  EXPECT_GT(server.layer.counters().assemblies_evicted, 100U);
}

TEST(BlockwiseServer, WhenAllAreSendingANewTransferWaits) {
  BlockwiseLimits limits;
  limits.assemblies = 2;
  ServerAlone server(limits);
  const auto body = body_of(64);
  for (unsigned peer = 1; peer <= 2; ++peer) {
    server.send(block1_of(body, 0, 16), peer_number(peer));
    server.send(block1_of(body, 1, 16), peer_number(peer));
  }
  EXPECT_EQ(server.send(block1_of(body, 0, 16), peer_number(3)), "5.03 1:0/0/16");
  EXPECT_EQ(server.layer.counters().refused_full, 1U);
}

TEST(BlockwiseServer, TheOctetsOfAllBodiesAreBounded) {
  BlockwiseLimits limits;
  limits.assembly_bytes = 100;
  ServerAlone server(limits);
  const auto body = body_of(400);
  std::uint32_t num = 0;
  for (; num < 6; ++num) ASSERT_EQ(server.send(block1_of(body, num, 16)), "2.31 1:" + std::to_string(num) + "/1/16");
  EXPECT_EQ(server.send(block1_of(body, 0, 16), peer_number(2)), "5.03 1:0/0/16");
  EXPECT_EQ(server.layer.occupancy().assembly_bytes, 96U);
  EXPECT_EQ(server.send(block1_of(body, num, 16)), "4.13 1:6/0/16");
  EXPECT_EQ(server.layer.occupancy().assembly_bytes, 0U);
  EXPECT_EQ(server.send(block1_of(body, 0, 16), peer_number(2)), "2.31 1:0/1/16");
}

TEST(BlockwiseServer, ABodyThatIsNotContinuedExpires) {
  ServerAlone server;
  const auto body = body_of(64);
  server.send(block1_of(body, 0, 16));
  server.now += 200s;
  server.send(block1_of(body, 1, 16));
  server.now += 246s;
  EXPECT_EQ(server.send(block1_of(body, 2, 16)), "2.31 1:2/1/16");
  ASSERT_EQ(server.layer.next_timeout(), server.now + 247s);
  server.now += 247s;
  server.layer.on_timeout(server.now);
  EXPECT_EQ(server.layer.occupancy().assemblies, 0U);
  EXPECT_EQ(server.layer.next_timeout(), std::nullopt);
  EXPECT_EQ(server.send(block1_of(body, 3, 16)), "4.08 1:3/0/16");
  EXPECT_EQ(server.layer.counters().assemblies_expired, 1U);
}

TEST(BlockwiseServer, AsksForSmallerBlocksAndTakesThemInTheMiddle) {
  BlockwiseParameters parameters;
  parameters.request_szx = Szx::fitting(32);
  ServerAlone server({}, parameters);
  const auto body = body_of(210);
  EXPECT_EQ(server.send(block1_of(body, 0, 128)), "2.31 1:0/1/32");
  EXPECT_EQ(server.send(block1_of(body, 4, 32)), "2.31 1:4/1/32");
  // A client that goes on with its own size is served too.
  EXPECT_EQ(server.send(block1_of(body, 10, 16)), "2.31 1:10/1/16");
  EXPECT_EQ(server.send(block1_of(body, 11, 16)), "2.31 1:11/1/16");
  EXPECT_EQ(server.send(block1_of(body, 6, 32)), "up");
  EXPECT_EQ(server.up->request.payload, body);
}

TEST(BlockwiseServer, ObserveIsThatOfTheLastBlock) {
  ServerAlone server;
  const auto body = body_of(24);
  server.send(block1_of(body, 0, 16, code::fetch));
  auto last = block1_of(body, 1, 16, code::fetch);
  last.options.add_uint(option::observe, 0);
  ASSERT_EQ(server.send(std::move(last)), "up");
  EXPECT_EQ(server.up->request.options.find_uint(option::observe), 0U);
  for (unsigned number = 1; number <= 2; ++number) {
    Response notification{code::content, {}, to_bytes("x")};
    notification.options.add_uint(option::observe, number);
    server.respond(std::move(notification));
    EXPECT_EQ(server.answer().payload, to_bytes("x"));
  }
  EXPECT_EQ(server.layer.occupancy().requests, 1U);
}

TEST(BlockwiseServer, AnExchangeThatEndsWithoutAnAnswerLeavesNothing) {
  ServerAlone server;
  const auto body = body_of(24);
  for (const bool cancelled : {true, false}) {
    server.send(block1_of(body, 0, 16));
    ASSERT_EQ(server.send(block1_of(body, 1, 16)), "up");
    if (cancelled) {
      server.layer.cancel(server.up->id);
      EXPECT_EQ(server.below.cancelled.back(), server.up->id);
    } else {
      server.below.events.push_back(ExchangeGone{server.up->id, Error(reason::coap_block_size)});
      EXPECT_TRUE(server.layer.next_event(server.now).has_value());
    }
    EXPECT_EQ(server.layer.occupancy().requests, 0U);
    EXPECT_EQ(server.layer.occupancy().assemblies, 0U);
  }
}

TEST(BlockwiseServer, APeerThatIsForgottenBeginsAnew) {
  ServerAlone server;
  const auto body = body_of(64);
  server.send(block1_of(body, 0, 16));
  server.send(block1_of(body, 0, 16), peer_number(2));
  server.layer.forget(block_test::client_address);
  EXPECT_EQ(server.send(block1_of(body, 1, 16)), "4.08 1:1/0/16");
  EXPECT_EQ(server.send(block1_of(body, 1, 16), peer_number(2)), "2.31 1:1/1/16");
}

}  // namespace
}  // namespace aceward::coap
