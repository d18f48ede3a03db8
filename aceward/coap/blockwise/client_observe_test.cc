// Observations at the client: notifications that come in blocks (RFC 7959 section 2.6).
#include <gtest/gtest.h>

#include "aceward/coap/blockwise/scripted_layer.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap {
namespace {

using block_test::block2_of;
using block_test::body_of;
using block_test::ClientAlone;

Options observing() {
  Options options;
  options.add_uint(option::observe, 0);
  return options;
}
Response notification(Response response, unsigned number) {
  response.options.set_uint(option::observe, number);
  return response;
}

TEST(BlockwiseObserving, ANewerNotificationTakesThePlaceOfOneThatIsFetched) {
  ClientAlone client;
  const auto id = client.ask(code::get, {}, observing());
  client.answer(notification({code::content, {}, to_bytes("small")}, 1), id, false);
  EXPECT_EQ(client.response().response.payload, to_bytes("small"));
  client.answer(notification(block2_of(body_of(40, 2), 0, 16, "2"), 2), id, false);
  const auto fetch = client.below.sent.back().id;
  EXPECT_EQ(client.last(), "GET /r 2:1/0/16");
  // One that was overtaken on the way changes nothing.
  client.answer(notification(block2_of(body_of(40, 1), 0, 16, "1"), 1), id, false);
  EXPECT_EQ(client.below.sent.back().id, fetch);
  client.answer(notification(block2_of(body_of(20, 3), 0, 16, "3"), 3), id, false);
  EXPECT_EQ(client.below.cancelled, std::vector<ExchangeId>{fetch});
  EXPECT_EQ(client.layer.counters().superseded, 1U);
  client.answer(block2_of(body_of(20, 3), 1, 16, "3"));
  ASSERT_EQ(client.heard.size(), 2U);
  EXPECT_EQ(client.response().response.payload, body_of(20, 3));
  EXPECT_EQ(client.response().order, 3U);
  EXPECT_EQ(client.response().id, id);
  EXPECT_FALSE(client.response().final);
  EXPECT_EQ(client.layer.occupancy().answer_bytes, 0U);
}

TEST(BlockwiseObserving, ANotificationWhoseTagChangesIsFetchedAnewBesideTheObservation) {
  ClientAlone client;
  const auto id = client.ask(code::get, {}, observing());
  client.answer(notification(block2_of(body_of(40, 1), 0, 16, "1"), 7), id, false);
  client.answer(block2_of(body_of(40, 2), 1, 16, "2"));
  EXPECT_EQ(client.last(), "GET /r");
  client.answer(block2_of(body_of(20, 2), 0, 16, "2"));
  client.answer(block2_of(body_of(20, 2), 1, 16, "2"));
  EXPECT_EQ(client.response().response.payload, body_of(20, 2));
  EXPECT_EQ(client.response().response.options.find_uint(option::observe), 7U);
  EXPECT_FALSE(client.response().final);
  EXPECT_TRUE(client.below.cancelled.empty());
}

TEST(BlockwiseObserving, ANotificationThatCannotBeFetchedEndsTheObservation) {
  ClientAlone client;
  const auto id = client.ask(code::get, {}, observing());
  client.answer(notification(block2_of(body_of(40), 0, 16), 1), id, false);
  client.gone(Error(reason::coap_not_answered));
  EXPECT_EQ(client.reason(), reason::coap_not_answered);
  EXPECT_EQ(client.below.cancelled, std::vector<ExchangeId>{id});
  EXPECT_EQ(client.layer.occupancy().transfers, 0U);
}

TEST(BlockwiseObserving, TheEndOfAnObservationEndsTheFetching) {
  ClientAlone client;
  const auto id = client.ask(code::get, {}, observing());
  client.answer(notification(block2_of(body_of(40), 0, 16), 1), id, false);
  const auto fetch = client.below.sent.back().id;
  client.answer({code::not_found, {}, {}}, id);
  EXPECT_EQ(client.response().response.code, code::not_found);
  EXPECT_TRUE(client.response().final);
  EXPECT_EQ(client.below.cancelled, std::vector<ExchangeId>{fetch});
  EXPECT_EQ(client.layer.occupancy().transfers, 0U);
}

TEST(BlockwiseObserving, CancellingAnObservationCancelsBothExchanges) {
  ClientAlone client;
  const auto id = client.ask(code::get, {}, observing());
  client.answer(notification(block2_of(body_of(40), 0, 16), 1), id, false);
  const auto fetch = client.below.sent.back().id;
  client.layer.cancel(id);
  EXPECT_EQ(client.below.cancelled, (std::vector<ExchangeId>{fetch, id}));
}

TEST(BlockwiseObserving, ARequestThatTakesOverATokenEndsThatObservation) {
  BlockwiseParameters parameters;
  parameters.request_szx = Szx::fitting(16);
  ClientAlone client(parameters);
  const auto id = client.ask(code::fetch, body_of(20), observing());
  EXPECT_FALSE(client.sent().options.has(option::observe));
  Response acknowledgement{code::continue_, {}, {}};
  set_block(acknowledgement.options, option::block1, {0, true, Szx::fitting(16)});
  client.answer(std::move(acknowledgement));
  EXPECT_TRUE(client.sent().options.has(option::observe));
  const auto base = client.below.sent.back().id;
  client.answer(notification({code::content, {}, to_bytes("x")}, 1), base, false);
  EXPECT_EQ(client.response().id, id);
  Delivery delivery;
  delivery.token_of = id;
  client.ask(code::fetch, to_bytes("y"), Options().add_uint(option::observe, 1), delivery);
  EXPECT_EQ(client.below.sent.back().delivery.token_of, base);
  EXPECT_EQ(client.layer.occupancy().transfers, 1U);
}

}  // namespace
}  // namespace aceward::coap
