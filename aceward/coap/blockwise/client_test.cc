// The client: what it sends on which answer, and what its user hears.
#include <gtest/gtest.h>

#include "aceward/coap/blockwise/reasons.h"
#include "aceward/coap/blockwise/scripted_layer.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;
using block_test::block2_of;
using block_test::body_of;
using block_test::ClientAlone;

BlockwiseParameters sending_in(unsigned size) {
  BlockwiseParameters parameters;
  parameters.request_szx = Szx::fitting(size);
  parameters.always_tag = false;
  return parameters;
}
Response acknowledging(Code code, std::uint32_t num, bool more, unsigned size) {
  Response response{code, {}, {}};
  set_block(response.options, option::block1, {num, more, Szx::fitting(size)});
  return response;
}

TEST(BlockwiseClient, WhatFitsPassesUnchanged) {
  ClientAlone client;
  const auto id = client.ask(code::get);
  EXPECT_EQ(client.last(), "GET /r");
  const Response response{code::content, Options().add(option::etag, "x"), body_of(1024)};
  client.answer(response);
  EXPECT_EQ(client.response().response, response);
  EXPECT_EQ(client.response().id, id);
  EXPECT_TRUE(client.response().final);
  EXPECT_EQ(client.layer.occupancy().transfers, 0U);
}

// RFC 7959 figure 8: the server acts on each block.
TEST(BlockwiseClient, Figure8StatelessPut) {
  ClientAlone client(sending_in(128));
  const auto id = client.ask(code::put, body_of(300));
  EXPECT_EQ(client.last(), "PUT /r 1:0/1/128 [128]");
  client.answer(acknowledging(code::changed, 0, false, 128));
  EXPECT_EQ(client.last(), "PUT /r 1:1/1/128 [128]");
  client.answer(acknowledging(code::changed, 1, false, 128));
  EXPECT_EQ(client.last(), "PUT /r 1:2/0/128 [44]");
  EXPECT_TRUE(client.heard.empty());
  client.answer(acknowledging(code::changed, 2, false, 128));
  EXPECT_EQ(client.response().response, (Response{code::changed, {}, {}}));
  EXPECT_EQ(client.response().id, id);
}

// RFC 7959 section 2.10.
TEST(BlockwiseClient, ThatAResourceWasCreatedOutweighsThatItWasThenChanged) {
  ClientAlone client(sending_in(16));
  client.ask(code::put, body_of(30));
  auto created = acknowledging(code::created, 0, false, 16);
  created.options.add(option::location_path, "new");
  client.answer(std::move(created));
  client.answer(acknowledging(code::changed, 1, false, 16));
  EXPECT_EQ(client.response().response.code, code::created);
  EXPECT_EQ(client.response().response.options.find_text(option::location_path), "new");
}

TEST(BlockwiseClient, TheFirstBlockTellsTheSizeAndEachIsAskedWithTheSameOptions) {
  ClientAlone client(sending_in(16));
  client.ask(code::put, body_of(40), Options().add(option::uri_query, "q").add_empty(option::if_none_match));
  EXPECT_EQ(client.sent().options.find_uint(option::size1), 40U);
  EXPECT_TRUE(client.sent().options.has(option::if_none_match));
  client.answer(acknowledging(code::continue_, 0, true, 16));
  EXPECT_FALSE(client.sent().options.has(option::size1));
  // RFC 7959 section 2.10: MUST NOT be used on later blocks.
  EXPECT_FALSE(client.sent().options.has(option::if_none_match));
  EXPECT_EQ(client.sent().options.find_text(option::uri_query), "q");
}

TEST(BlockwiseClient, GoesOnWithTheSizeThatTheServerWants) {
  ClientAlone client(sending_in(128));
  client.ask(code::put, body_of(400));
  client.answer(acknowledging(code::continue_, 0, true, 64));
  EXPECT_EQ(client.last(), "PUT /r 1:2/1/64 [64]");
  client.answer(acknowledging(code::continue_, 2, true, 16));
  EXPECT_EQ(client.last(), "PUT /r 1:12/1/16 [16]");
  // A larger one is not taken.
  client.answer(acknowledging(code::continue_, 12, true, 1024));
  EXPECT_EQ(client.last(), "PUT /r 1:13/1/16 [16]");
}

TEST(BlockwiseClient, TooLargeWithASmallerSizeIsAHintToTryThat) {
  ClientAlone client(sending_in(128));
  client.ask(code::put, body_of(300));
  client.answer(acknowledging(code::continue_, 0, true, 128));
  client.answer(acknowledging(code::request_entity_too_large, 1, false, 32));
  EXPECT_EQ(client.last(), "PUT /r 1:0/1/32 [32]");
  client.answer(acknowledging(code::request_entity_too_large, 0, false, 32));
  EXPECT_EQ(client.response().response.code, code::request_entity_too_large);
}

TEST(BlockwiseClient, TooLargeForARequestWithoutBlocksIsAHintToTryBlocks) {
  ClientAlone client;
  client.ask(code::post, body_of(1000));
  EXPECT_EQ(client.last(), "POST /r [1000]");
  client.answer({code::request_entity_too_large, Options().add_uint(option::size1, 200), {}});
  EXPECT_EQ(client.last(), "POST /r 1:0/1/128 [128]");
  client.answer({code::request_entity_too_large, Options().add_uint(option::size1, 200), {}});
  EXPECT_EQ(client.response().response.code, code::request_entity_too_large);
  EXPECT_EQ(client.below.sent.size(), 2U);

  client.ask(code::post, body_of(16));
  client.answer({code::request_entity_too_large, {}, {}});
  EXPECT_EQ(client.response().response.code, code::request_entity_too_large);
}

TEST(BlockwiseClient, BeginsAnewABoundedNumberOfTimesWhenTheServerForgot) {
  BlockwiseParameters parameters = sending_in(16);
  parameters.always_tag = true;
  parameters.restarts = 2;
  ClientAlone client(parameters);
  client.ask(code::post, body_of(40));
  std::vector<std::uint64_t> tags;
  for (unsigned attempt = 0; attempt < 3; ++attempt) {
    EXPECT_TRUE(client.heard.empty());
    EXPECT_EQ(client.last(), "POST /r 1:0/1/16 [16]");
    tags.push_back(client.sent().options.find_uint(option::request_tag).value());
    client.answer(acknowledging(code::continue_, 0, true, 16));
    EXPECT_EQ(client.sent().options.find_uint(option::request_tag), tags.back());
    client.answer(acknowledging(code::request_entity_incomplete, 1, false, 16));
  }
  EXPECT_NE(tags[0], tags[1]);
  EXPECT_NE(tags[1], tags[2]);
  EXPECT_EQ(client.response().response.code, code::request_entity_incomplete);
}

TEST(BlockwiseClient, WhatTheServerActedOnBlockByBlockIsNotBegunAnew) {
  ClientAlone client(sending_in(16));
  client.ask(code::post, body_of(40));
  client.answer(acknowledging(code::changed, 0, false, 16));
  client.answer(acknowledging(code::request_entity_incomplete, 1, false, 16));
  EXPECT_EQ(client.response().response.code, code::request_entity_incomplete);
}

TEST(BlockwiseClient, AnAcknowledgementOfAnotherBlockEndsTheTransfer) {
  for (const auto& wrong : {acknowledging(code::continue_, 5, true, 16), Response{code::continue_, {}, {}},
                            Response{code::changed, {}, {}}}) {
    ClientAlone client(sending_in(16));
    client.ask(code::put, body_of(40));
    client.answer(wrong);
    EXPECT_EQ(client.reason(), reason::coap_block_unexpected);
    EXPECT_EQ(client.layer.occupancy().transfers, 0U);
  }
  ClientAlone client(sending_in(16));
  client.ask(code::put, body_of(20));
  client.answer(acknowledging(code::continue_, 0, true, 16));
  client.answer(acknowledging(code::continue_, 1, true, 16));
  EXPECT_EQ(client.reason(), reason::coap_block_unexpected);
}

TEST(BlockwiseClient, AnErrorInTheMiddleOfABodyIsTheAnswer) {
  ClientAlone client(sending_in(16));
  client.ask(code::put, body_of(40));
  client.answer(acknowledging(code::continue_, 0, true, 16));
  client.answer({code::forbidden, {}, to_bytes("no")});
  EXPECT_EQ(client.response().response, (Response{code::forbidden, {}, to_bytes("no")}));
}

TEST(BlockwiseClient, ABodyWhoseTagChangesIsFetchedAnewABoundedNumberOfTimes) {
  BlockwiseParameters parameters;
  parameters.restarts = 2;
  ClientAlone client(parameters);
  client.ask(code::get);
  for (unsigned attempt = 0; attempt < 3; ++attempt) {
    EXPECT_EQ(client.last(), "GET /r");
    client.answer(block2_of(body_of(40, 1), 0, 16, "a"));
    EXPECT_EQ(client.last(), "GET /r 2:1/0/16");
    client.answer(block2_of(body_of(40, 2), 1, 16, attempt == 1 ? "" : "b"));
  }
  EXPECT_EQ(client.reason(), reason::coap_body_changed);
  EXPECT_EQ(client.layer.counters().restarts, 2U);
  EXPECT_EQ(client.layer.occupancy().answer_bytes, 0U);
}

TEST(BlockwiseClient, ABodyThatBecameWholeOrOfAnotherFormatIsFetchedAnew) {
  ClientAlone client;
  client.ask(code::get);
  client.answer(block2_of(body_of(40), 0, 16));
  client.answer({code::content, Options().add(option::etag, "e"), body_of(5)});
  EXPECT_EQ(client.last(), "GET /r");
  client.answer(block2_of(body_of(40), 0, 16));
  auto other = block2_of(body_of(40), 1, 16);
  other.options.set_content_format(ContentFormat(60));
  client.answer(std::move(other));
  EXPECT_EQ(client.last(), "GET /r");
  client.answer(block2_of(body_of(20), 0, 16));
  client.answer(block2_of(body_of(20), 1, 16));
  EXPECT_EQ(client.response().response.payload, body_of(20));
  EXPECT_FALSE(client.response().response.options.has(option::block2));
}

TEST(BlockwiseClient, WhatHasActedIsNotAskedOnceMoreForTheRestOfItsAnswer) {
  const auto begin = [](ClientAlone& client) {
    client.ask(code::post, to_bytes("x"));
    client.answer(block2_of(body_of(40), 0, 16));
    EXPECT_EQ(client.last(), "POST /r 2:1/0/16");
  };
  ClientAlone client;
  begin(client);
  client.answer(block2_of(body_of(40), 1, 16, "other"));
  EXPECT_EQ(client.reason(), reason::coap_answer_incomplete);
  EXPECT_EQ(client.reason().detail(), "coap_body_changed");
  begin(client);
  client.answer({code::request_entity_incomplete, {}, {}});
  EXPECT_EQ(client.reason(), reason::coap_answer_incomplete);
  begin(client);
  client.gone(Error(reason::coap_not_answered));
  EXPECT_EQ(client.reason(), reason::coap_answer_incomplete);
  EXPECT_EQ(client.below.sent.size(), 6U);
}

TEST(BlockwiseClient, RefusesBlocksThatDoNotFollow) {
  const auto reason_for = [](const Response& second, std::optional<unsigned> asked = std::nullopt) {
    ClientAlone client;
    Options options;
    if (asked) set_block(options, option::block2, {0, false, Szx::fitting(*asked)});
    client.ask(code::get, {}, options);
    client.answer(block2_of(body_of(200), 0, 32));
    if (client.heard.empty()) client.answer(second);
    return std::string(client.reason().id());
  };
  EXPECT_EQ(reason_for(block2_of(body_of(200), 0, 32)), "coap_block_unexpected");
  EXPECT_EQ(reason_for(block2_of(body_of(200), 2, 32)), "coap_block_unexpected");
  EXPECT_EQ(reason_for(block2_of(body_of(200), 1, 64)), "coap_block_unexpected");
  EXPECT_EQ(reason_for({}, 16), "coap_block_unexpected");
  auto shorter = block2_of(body_of(200), 1, 32);
  shorter.payload.pop_back();
  EXPECT_EQ(reason_for(shorter), "coap_block_size");
  auto empty = shorter;
  empty.payload.clear();
  EXPECT_EQ(reason_for(empty), "coap_block_size");
  auto malformed = block2_of(body_of(200), 1, 32);
  malformed.options.set_uint(option::block2, 31);
  EXPECT_EQ(reason_for(malformed), "coap_block_malformed");
}

TEST(BlockwiseClient, AFirstAnswerWithALaterBlockIsRefused) {
  ClientAlone client;
  client.ask(code::get);
  client.answer(block2_of(body_of(200), 1, 32));
  EXPECT_EQ(client.reason(), reason::coap_block_unexpected);
}

TEST(BlockwiseClient, TakesSmallerBlocksInTheMiddle) {
  ClientAlone client;
  client.ask(code::get);
  client.answer(block2_of(body_of(100), 0, 64));
  client.answer(block2_of(body_of(100), 4, 16));
  EXPECT_EQ(client.last(), "GET /r 2:5/0/16");
  client.answer(block2_of(body_of(100), 5, 16));
  client.answer(block2_of(body_of(100), 6, 16));
  EXPECT_EQ(client.response().response.payload, body_of(100));
}

TEST(BlockwiseClient, AnEndlessBodyEndsAtTheLimit) {
  BlockwiseLimits limits;
  limits.response_body = 100;
  ClientAlone client({}, limits);
  client.ask(code::get);
  std::uint32_t num = 0;
  while (client.heard.empty() && num < 100) client.answer(block2_of(body_of(10'000), num++, 16));
  EXPECT_EQ(num, 7U);
  EXPECT_EQ(client.reason(), reason::coap_body_too_large);
  EXPECT_EQ(client.layer.occupancy().answer_bytes, 0U);
}

TEST(BlockwiseClient, ABodyThatIsAnnouncedAsTooLargeIsNotFetched) {
  BlockwiseLimits limits;
  limits.response_body = 100;
  ClientAlone client({}, limits);
  client.ask(code::get);
  auto first = block2_of(body_of(200), 0, 16);
  first.options.add_uint(option::size2, 200);
  client.answer(std::move(first));
  EXPECT_EQ(client.reason(), reason::coap_body_too_large);
}

TEST(BlockwiseClient, TheOctetsOfAllBodiesAreBounded) {
  BlockwiseLimits limits;
  limits.answer_bytes = 100;
  ClientAlone client({}, limits);
  for (unsigned i = 0; i < 3; ++i) {
    client.ask(code::get);
    client.answer(block2_of(body_of(500), 0, 32));
  }
  EXPECT_TRUE(client.heard.empty());
  EXPECT_EQ(client.layer.occupancy().answer_bytes, 96U);
  client.ask(code::get);
  client.answer(block2_of(body_of(500), 0, 32));
  EXPECT_EQ(client.reason(), reason::coap_bodies_full);
  EXPECT_EQ(client.layer.occupancy().transfers, 3U);
}

TEST(BlockwiseClient, TransfersToOneResourceGetTagsOfTheirOwn) {
  ClientAlone client(sending_in(16));
  const auto tag = [&client] { return client.sent().options.find_uint(option::request_tag); };
  client.ask(code::put, body_of(40));
  EXPECT_EQ(tag(), std::nullopt);
  const auto second = client.ask(code::put, body_of(40));
  const auto first_tag = tag();
  EXPECT_TRUE(first_tag.has_value());
  client.ask(code::put, body_of(40));
  EXPECT_TRUE(tag().has_value());
  EXPECT_NE(tag(), first_tag);
  // Another method, other options or another peer cannot be taken for it.
  client.ask(code::post, body_of(40));
  EXPECT_EQ(tag(), std::nullopt);
  client.ask(code::put, body_of(40), Options().add(option::uri_query, "q"));
  EXPECT_EQ(tag(), std::nullopt);
  // A small request may have a large answer, the rest of which is found by the options.
  client.ask(code::post, body_of(4));
  EXPECT_TRUE(tag().has_value());
  client.ask(code::get);
  EXPECT_EQ(tag(), std::nullopt);
  client.answer(acknowledging(code::continue_, 0, true, 16), second);
  EXPECT_EQ(tag(), first_tag);
}

TEST(BlockwiseClient, ByDefaultEachBodyInBlocksHasATagThroughoutThatIsNotUsedAgain) {
  ClientAlone client;
  std::vector<std::uint64_t> tags;
  for (unsigned i = 0; i < 3; ++i) {
    client.ask(code::post, body_of(1500));
    tags.push_back(client.sent().options.find_uint(option::request_tag).value());
    EXPECT_LE(client.sent().options.find(option::request_tag)->size(), 8U);
    client.answer(acknowledging(code::continue_, 0, true, 1024));
    client.answer(block2_of(body_of(40), 0, 16));
    EXPECT_EQ(client.last(), "POST /r 2:1/0/16");
    EXPECT_EQ(client.sent().options.find_uint(option::request_tag), tags.back());
    client.answer(block2_of(body_of(20), 1, 16));
  }
  EXPECT_NE(tags[0], tags[1]);
  EXPECT_NE(tags[1], tags[2]);
}

TEST(BlockwiseClient, CancelEndsWhatIsOnItsWay) {
  ClientAlone client;
  const auto id = client.ask(code::get);
  client.answer(block2_of(body_of(40), 0, 16));
  const auto second = client.below.sent.back().id;
  client.layer.cancel(id);
  EXPECT_EQ(client.below.cancelled, std::vector<ExchangeId>{second});
  EXPECT_EQ(client.layer.occupancy().transfers, 0U);
  EXPECT_EQ(client.layer.occupancy().answer_bytes, 0U);
}

TEST(BlockwiseClient, TheLossOfABlockIsTheLossOfTheWhole) {
  ClientAlone client(sending_in(16));
  const auto put = client.ask(code::put, body_of(40));
  client.answer(acknowledging(code::continue_, 0, true, 16));
  client.gone(Error(reason::coap_not_acknowledged));
  EXPECT_EQ(std::get<ExchangeGone>(client.heard.back()).id, put);
  EXPECT_EQ(client.reason(), reason::coap_not_acknowledged);
  const auto get = client.ask(code::get);
  client.answer(block2_of(body_of(40), 0, 16));
  client.gone(Error(reason::coap_not_acknowledged));
  EXPECT_EQ(std::get<ExchangeGone>(client.heard.back()).id, get);
  EXPECT_EQ(client.reason(), reason::coap_not_acknowledged);
  client.ask(code::get);
  client.below.refusal = Error(reason::coap_too_many_requests);
  client.answer(block2_of(body_of(40), 0, 16));
  EXPECT_EQ(client.reason(), reason::coap_too_many_requests);
}

TEST(BlockwiseClient, TheTimeoutIsThatOfTheWholeTransfer) {
  ClientAlone client;
  client.ask(code::get, {}, {}, {Reliability::automatic, 10s});
  EXPECT_EQ(client.below.sent.back().delivery.timeout, 10s);
  client.now += 4s;
  client.answer(block2_of(body_of(60), 0, 16));
  EXPECT_EQ(client.below.sent.back().delivery.timeout, 6s);
  client.now += 6s;
  client.answer(block2_of(body_of(60), 1, 16));
  EXPECT_EQ(client.reason(), reason::coap_not_answered);
}

TEST(BlockwiseClient, TheQuestionOfAFetchGoesWithEachBlock) {
  ClientAlone client;
  client.ask(code::fetch, to_bytes("question"));
  client.answer(block2_of(body_of(40), 0, 16));
  EXPECT_EQ(client.last(), "FETCH /r 2:1/0/16 [8]");
  ClientAlone large(sending_in(16));
  large.ask(code::fetch, body_of(20));
  large.answer(acknowledging(code::continue_, 0, true, 16));
  large.answer(block2_of(body_of(40), 0, 16));
  EXPECT_EQ(large.last(), "FETCH /r 2:1/0/16");
}

TEST(BlockwiseClient, TheLastBlockTellsHowLongTheWholeIsFresh) {
  ClientAlone client;
  client.ask(code::get);
  auto first = block2_of(body_of(20), 0, 16);
  first.options.add_uint(option::max_age, 60);
  client.answer(std::move(first));
  auto last = block2_of(body_of(20), 1, 16);
  last.options.add_uint(option::max_age, 50);
  client.answer(std::move(last));
  EXPECT_EQ(client.response().response.options.find_uint(option::max_age), 50U);
}

TEST(BlockwiseClient, AnErrorInTheMiddleOfARepresentationIsTheAnswer) {
  ClientAlone client;
  client.ask(code::get);
  client.answer(block2_of(body_of(40), 0, 16));
  client.answer({code::not_found, {}, {}});
  EXPECT_EQ(client.response().response.code, code::not_found);
  // That the representation has no such block any more means that there is another one.
  client.ask(code::get);
  client.answer(block2_of(body_of(40), 0, 16));
  client.answer({code::bad_request, {}, {}});
  EXPECT_EQ(client.last(), "GET /r");
}

TEST(BlockwiseClient, AsksForSizesAndBlocksAsItIsTold) {
  BlockwiseParameters parameters;
  parameters.preferred_szx = Szx::fitting(32);
  parameters.ask_size = true;
  ClientAlone client(parameters);
  client.ask(code::get);
  EXPECT_EQ(client.last(), "GET /r 2:0/0/32");
  EXPECT_EQ(client.sent().options.find_uint(option::size2), 0U);
  Options options;
  set_block(options, option::block1, {0, false, Szx::fitting(16)});
  client.ask(code::put, body_of(20), options);
  EXPECT_EQ(client.last(), "PUT /r 1:0/1/16 [16]");
}

TEST(BlockwiseClient, WhoAsksForASingleBlockGetsIt) {
  ClientAlone client;
  Options options;
  set_block(options, option::block2, {3, false, Szx::fitting(16)});
  const auto id = client.ask(code::get, {}, options);
  EXPECT_EQ(client.last(), "GET /r 2:3/0/16");
  client.answer(block2_of(body_of(200), 3, 16));
  EXPECT_EQ(client.response().response, block2_of(body_of(200), 3, 16));
  EXPECT_EQ(client.response().id, id);
}

TEST(BlockwiseClient, ABodyThatNoNumberReachesIsRefusedAtOnce) {
  ClientAlone client(sending_in(16));
  Request request{code::put, {}, Bytes((std::size_t{1} << 24) + 1)};
  EXPECT_EQ(client.layer.request(block_test::server_address, std::move(request), {}, client.now).error(),
            reason::coap_body_too_large);
  EXPECT_EQ(client.layer.occupancy().transfers, 0U);
}

}  // namespace
}  // namespace aceward::coap
