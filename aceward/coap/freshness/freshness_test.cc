#include "aceward/coap/freshness/freshness.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "aceward/coap/freshness/reasons.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Records what goes down, and hands up what the test puts in.
class WireLayer final : public Layer {
 public:
  struct Sent {
    ExchangeId id;
    Peer to;
    Request request;
    Delivery delivery;
  };
  Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant) override {
    if (refuses) return fail(*refuses);
    sent.push_back({ExchangeId(++ids), to, std::move(request), delivery});
    return ExchangeId(ids);
  }
  void respond(ExchangeId id, Response, Delivery, Instant) override { responded.push_back(id); }
  void cancel(ExchangeId id) override { cancelled.push_back(id); }
  std::optional<Event> next_event(Instant) override {
    if (events.empty()) return std::nullopt;
    auto event = std::move(events.front());
    events.pop_front();
    return event;
  }
  std::optional<Instant> next_timeout() const override { return timeout; }

  const Reason* refuses = nullptr;
  std::uint64_t ids = 0;
  std::vector<Sent> sent;
  std::vector<ExchangeId> responded;
  std::vector<ExchangeId> cancelled;
  std::deque<Event> events;
  std::optional<Instant> timeout;
};

class CoapFreshness : public ::testing::Test {
 protected:
  static Peer at(const Address& address) {
    Peer peer;
    peer.remote = address;
    return peer;
  }
  static Request to_path(std::string_view path, Code method = code::get) {
    Request request{method, {}, {}};
    request.options.add_path(path);
    return request;
  }
  static Response of(Code code) { return {code, {}, {}}; }
  static Response with_echo(Code code, std::string_view value) {
    Response response = of(code);
    response.options.add(option::echo, value);
    return response;
  }
  static Response with_max_age(Code code, std::uint64_t age) {
    Response response = of(code);
    response.options.add_uint(option::max_age, age);
    return response;
  }

  ExchangeId ask(const Peer& to, Request request, Delivery delivery = {}) {
    const auto id = layer.request(to, std::move(request), delivery, now);
    EXPECT_TRUE(id);
    return id.value_or(ExchangeId());
  }
  /// The answer to the request that was sent last; what comes up.
  std::optional<Event> answer(Response response, bool final = true) {
    wire.events.push_back(
        ResponseArrived{wire.sent.back().id, wire.sent.back().to, std::move(response), std::nullopt, final});
    return layer.next_event(now);
  }
  std::string echo_sent() const {
    return std::string(wire.sent.back().request.options.find_text(option::echo).value_or("none"));
  }
  static const ResponseArrived& response_in(const std::optional<Event>& event) {
    static const ResponseArrived none{};
    const auto* arrived = event ? std::get_if<ResponseArrived>(&*event) : nullptr;
    EXPECT_NE(arrived, nullptr);
    return arrived != nullptr ? *arrived : none;
  }

  WireLayer wire;
  Freshness layer{wire};
  Instant now{seconds(1000)};
  Peer server = at(Address::v4(192, 0, 2, 1, 5683));
  Peer other = at(Address::v4(192, 0, 2, 2, 5683));
};

TEST_F(CoapFreshness, AChallengeIsAnsweredUnderTheSameId) {
  auto request = to_path("/lock", code::put);
  request.payload = to_bytes("0");
  const auto id = ask(server, request);
  EXPECT_FALSE(answer(with_echo(code::unauthorized, "abc")));
  ASSERT_EQ(wire.sent.size(), 2U);
  EXPECT_EQ(wire.sent[1].to, server);
  EXPECT_EQ(echo_sent(), "abc");
  EXPECT_EQ(wire.sent[1].request.payload, request.payload);
  EXPECT_EQ(wire.sent[1].request.method, code::put);
  EXPECT_EQ(wire.sent[1].request.options.path(), request.options.path());

  const auto up = answer(of(code::changed));
  EXPECT_EQ(response_in(up).id, id);
  EXPECT_EQ(response_in(up).response.code, code::changed);
  EXPECT_EQ(layer.occupancy().requests, 0U);
  EXPECT_EQ(layer.occupancy().octets, 0U);
  EXPECT_EQ(layer.counters().repeated, 1U);
}

TEST_F(CoapFreshness, AServerThatAlwaysChallengesIsGivenUp) {
  const auto id = ask(server, to_path("/a"));
  EXPECT_FALSE(answer(with_echo(code::unauthorized, "one")));
  const auto up = answer(with_echo(code::unauthorized, "two"));
  EXPECT_EQ(response_in(up).id, id);
  EXPECT_EQ(response_in(up).response.code, code::unauthorized);
  EXPECT_EQ(wire.sent.size(), 2U);
  EXPECT_EQ(layer.counters().given_up, 1U);
  // What it said last goes with the next request, whatever that is.
  ask(server, to_path("/b"));
  EXPECT_EQ(echo_sent(), "two");
}

TEST_F(CoapFreshness, A401WithoutEchoGoesUp) {
  const auto id = ask(server, to_path("/a"));
  EXPECT_EQ(response_in(answer(of(code::unauthorized))).id, id);
  EXPECT_EQ(wire.sent.size(), 1U);
  ask(server, to_path("/a"));
  EXPECT_EQ(response_in(answer(with_echo(code::unauthorized, ""))).response.code, code::unauthorized);
  ask(server, to_path("/a"));
  EXPECT_EQ(response_in(answer(with_echo(code::unauthorized, std::string(41, 'x')))).response.code, code::unauthorized);
  EXPECT_EQ(layer.occupancy().echo_peers, 0U);
}

TEST_F(CoapFreshness, TheRepetitionHasWhatIsLeftOfTheTime) {
  ask(server, to_path("/a"), {.timeout = seconds(10)});
  now += seconds(4);
  EXPECT_FALSE(answer(with_echo(code::unauthorized, "abc")));
  EXPECT_EQ(wire.sent.back().delivery.timeout, seconds(6));

  ask(server, to_path("/a"), {.timeout = seconds(10)});
  now += seconds(10);
  EXPECT_EQ(response_in(answer(with_echo(code::unauthorized, "abc"))).response.code, code::unauthorized);
}

TEST_F(CoapFreshness, ARepetitionThatCannotBeSentLeavesTheAnswer) {
  const auto id = ask(server, to_path("/a"));
  wire.refuses = &reason::coap_too_many_requests;
  EXPECT_EQ(response_in(answer(with_echo(code::unauthorized, "abc"))).id, id);
  EXPECT_EQ(layer.occupancy().requests, 0U);
}

TEST_F(CoapFreshness, AValueThatCameUnaskedGoesWithTheNextRequestOnly) {
  ask(server, to_path("/a"));
  answer(with_echo(code::content, "abc"));
  ask(server, to_path("/b"));
  EXPECT_EQ(echo_sent(), "abc");
  answer(of(code::content));
  ask(server, to_path("/b"));
  EXPECT_EQ(echo_sent(), "none");
  EXPECT_EQ(layer.counters().echoed_unasked, 1U);
}

TEST_F(CoapFreshness, UnsafeRequestsUseAValueAgainForAWhile) {
  ask(server, to_path("/lock", code::put));
  answer(with_echo(code::unauthorized, "abc"));
  answer(of(code::changed));
  now += seconds(30);
  ask(server, to_path("/lock"));
  EXPECT_EQ(echo_sent(), "none");
  ask(server, to_path("/lock", code::put));
  EXPECT_EQ(echo_sent(), "abc");
  now += seconds(1);
  ask(server, to_path("/lock", code::put));
  EXPECT_EQ(echo_sent(), "none");
}

TEST_F(CoapFreshness, AnOldValueIsForgotten) {
  ask(server, to_path("/a"));
  answer(with_echo(code::content, "abc"));
  now += minutes(5) + seconds(1);
  ask(server, to_path("/a"));
  EXPECT_EQ(echo_sent(), "none");
  EXPECT_EQ(layer.occupancy().echo_peers, 0U);
}

// RFC 9175 section 2.3 (MUST)
TEST_F(CoapFreshness, AValueGoesToNobodyElse) {
  ask(server, to_path("/a"));
  answer(with_echo(code::content, "abc"));
  auto same_address = server;
  same_address.session = 7;
  auto same_session = same_address;
  same_session.context = 1;
  for (const auto& stranger : {other, same_address, same_session}) {
    ask(stranger, to_path("/a", code::put));
    EXPECT_EQ(echo_sent(), "none");
  }
  ask(server, to_path("/a", code::put));
  EXPECT_EQ(echo_sent(), "abc");
}

TEST_F(CoapFreshness, AnEchoOfTheUserStaysUntilItIsChallenged) {
  ask(server, to_path("/a"));
  answer(with_echo(code::content, "abc"));
  auto request = to_path("/a");
  request.options.add(option::echo, "own");
  ask(server, request);
  EXPECT_EQ(echo_sent(), "own");
  EXPECT_FALSE(answer(with_echo(code::unauthorized, "new")));
  EXPECT_EQ(echo_sent(), "new");
  EXPECT_EQ(wire.sent.back().request.options.count(option::echo), 1U);
}

TEST_F(CoapFreshness, NotificationsKeepTheExchangeOpen) {
  auto request = to_path("/a");
  request.options.add_uint(option::observe, 0);
  const auto id = ask(server, request);
  EXPECT_FALSE(answer(with_echo(code::unauthorized, "abc")));
  EXPECT_TRUE(wire.sent.back().request.options.has(option::observe));
  for (int i = 0; i < 3; ++i) {
    const auto up = answer(of(code::content), false);
    EXPECT_EQ(response_in(up).id, id);
    EXPECT_FALSE(response_in(up).final);
  }
  layer.cancel(id);
  EXPECT_EQ(wire.cancelled, std::vector{wire.sent.back().id});
  EXPECT_EQ(layer.occupancy().requests, 0U);
}

TEST_F(CoapFreshness, TheEndOfARepeatedExchangeHasItsFirstId) {
  const auto id = ask(server, to_path("/a"));
  answer(with_echo(code::unauthorized, "abc"));
  wire.events.push_back(ExchangeGone{wire.sent.back().id, Error(reason::coap_not_answered)});
  const auto up = layer.next_event(now);
  EXPECT_EQ(std::get<ExchangeGone>(*up).id, id);
  EXPECT_EQ(layer.occupancy().requests, 0U);
}

TEST_F(CoapFreshness, RequestsOfPeersPassUntouched) {
  wire.events.push_back(RequestArrived{ExchangeId(77), server, to_path("/x"), Reliability::confirmable});
  const auto up = layer.next_event(now);
  EXPECT_EQ(std::get<RequestArrived>(*up).id, ExchangeId(77));
  layer.respond(ExchangeId(77), of(code::content), {}, now);
  EXPECT_EQ(wire.responded, std::vector{ExchangeId(77)});
  layer.cancel(ExchangeId(78));
  EXPECT_EQ(wire.cancelled, std::vector{ExchangeId(78)});
}

// RFC 8516 section 4
TEST_F(CoapFreshness, AfterTooManyRequestsASimilarOneWaits) {
  ask(server, to_path("/a"));
  EXPECT_EQ(response_in(answer(with_max_age(code::too_many_requests, 30))).response.code, code::too_many_requests);
  auto similar = to_path("/a");
  similar.options.set_accept(content_format::cbor);
  similar.payload = to_bytes("whatever");
  EXPECT_EQ(layer.backing_off_until(server, similar, now), now + seconds(30));
  const auto id = ask(server, similar);
  EXPECT_EQ(wire.sent.size(), 1U);
  // Neither an id of the layer below, nor one that the layers above make for themselves.
  EXPECT_EQ(id.value >> 61, 1U);
  EXPECT_EQ(layer.next_timeout(), now + seconds(30));
  now += seconds(29);
  layer.on_timeout(now);
  EXPECT_EQ(wire.sent.size(), 1U);
  now += seconds(1);
  layer.on_timeout(now);
  ASSERT_EQ(wire.sent.size(), 2U);
  EXPECT_EQ(wire.sent[1].request.payload, similar.payload);
  EXPECT_EQ(response_in(answer(of(code::content))).id, id);
  EXPECT_FALSE(layer.next_timeout());
  EXPECT_EQ(layer.occupancy().held, 0U);
  EXPECT_EQ(layer.occupancy().octets, 0U);
}

TEST_F(CoapFreshness, WhatIsNotSimilarGoesAtOnce) {
  ask(server, to_path("/a"));
  answer(with_max_age(code::too_many_requests, 30));
  auto query = to_path("/a");
  query.options.add(option::uri_query, "x");
  ask(server, to_path("/b"));
  ask(server, to_path("/a", code::put));
  ask(server, query);
  ask(other, to_path("/a"));
  EXPECT_EQ(wire.sent.size(), 5U);
}

TEST_F(CoapFreshness, WithoutMaxAgeTooManyRequestsMeansAMinute) {
  ask(server, to_path("/a"));
  answer(of(code::too_many_requests));
  EXPECT_EQ(layer.backing_off_until(server, to_path("/a"), now), now + seconds(60));
  EXPECT_FALSE(layer.backing_off_until(server, to_path("/a"), now + seconds(60)));
}

// RFC 7252 section 5.9.3.4
TEST_F(CoapFreshness, ServiceUnavailableWaitsOnlyIfItNamesATime) {
  ask(server, to_path("/a"));
  answer(of(code::service_unavailable));
  EXPECT_FALSE(layer.backing_off_until(server, to_path("/a"), now));
  ask(server, to_path("/a"));
  answer(with_max_age(code::service_unavailable, 7));
  EXPECT_EQ(layer.backing_off_until(server, to_path("/a"), now), now + seconds(7));
  ask(server, to_path("/b"));
  answer(with_max_age(code::service_unavailable, 0));
  EXPECT_FALSE(layer.backing_off_until(server, to_path("/b"), now));
  ask(server, to_path("/b"));
  answer(with_max_age(code::content, 7));
  EXPECT_FALSE(layer.backing_off_until(server, to_path("/b"), now));
}

TEST_F(CoapFreshness, ARequestWhoseTimeWouldPassIsRefusedAtOnce) {
  ask(server, to_path("/a"));
  answer(with_max_age(code::too_many_requests, 30));
  const auto refused = layer.request(server, to_path("/a"), {.timeout = seconds(30)}, now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), reason::coap_backing_off);
  ask(server, to_path("/a"), {.timeout = seconds(31)});
  now += seconds(30);
  layer.on_timeout(now);
  EXPECT_EQ(wire.sent.back().delivery.timeout, seconds(1));
}

TEST_F(CoapFreshness, NobodyIsSilencedForLongerThanConfigured) {
  ask(server, to_path("/a"));
  answer(with_max_age(code::too_many_requests, UINT32_MAX));
  EXPECT_EQ(layer.backing_off_until(server, to_path("/a"), now), now + minutes(5));
  // Longer than a request without a time of its own is held.
  EXPECT_FALSE(layer.request(server, to_path("/a"), {}, now));
}

TEST_F(CoapFreshness, AHeldRequestWaitsAgainIfTheServerAsksAgain) {
  const auto first = ask(server, to_path("/a"));
  ask(server, to_path("/a"));
  const auto second = wire.sent[1].id;
  wire.events.push_back(ResponseArrived{first, server, with_max_age(code::too_many_requests, 10), std::nullopt, true});
  layer.next_event(now);
  const auto held = ask(server, to_path("/a"), {.timeout = seconds(60)});
  const auto short_of_time = ask(server, to_path("/a"), {.timeout = seconds(20)});
  now += seconds(5);
  wire.events.push_back(ResponseArrived{second, server, with_max_age(code::too_many_requests, 25), std::nullopt, true});
  layer.next_event(now);
  now += seconds(5);
  layer.on_timeout(now);
  EXPECT_EQ(wire.sent.size(), 2U);
  const auto gone = layer.next_event(now);
  ASSERT_TRUE(gone);
  EXPECT_EQ(std::get<ExchangeGone>(*gone).id, short_of_time);
  EXPECT_EQ(std::get<ExchangeGone>(*gone).reason, reason::coap_backing_off);
  now += seconds(20);
  layer.on_timeout(now);
  EXPECT_EQ(wire.sent.size(), 3U);
  EXPECT_EQ(response_in(answer(of(code::content))).id, held);
}

TEST_F(CoapFreshness, AHeldRequestMayBeCancelledOrLoseItsPeer) {
  ask(server, to_path("/a"));
  answer(with_max_age(code::too_many_requests, 10));
  const auto cancelled = ask(server, to_path("/a"));
  const auto lost = ask(server, to_path("/a"));
  layer.cancel(cancelled);
  layer.peer_gone(server, Error(reason::coap_reset_by_peer));
  const auto gone = layer.next_event(now);
  ASSERT_TRUE(gone);
  EXPECT_EQ(std::get<ExchangeGone>(*gone).id, lost);
  EXPECT_FALSE(layer.next_event(now));
  EXPECT_EQ(layer.occupancy().held, 0U);
  EXPECT_EQ(layer.occupancy().back_offs, 0U);
  now += seconds(10);
  layer.on_timeout(now);
  EXPECT_EQ(wire.sent.size(), 1U);
}

TEST_F(CoapFreshness, AHeldRequestIsChallengedLikeAnyOther) {
  ask(server, to_path("/a"));
  answer(with_max_age(code::too_many_requests, 10));
  const auto held = ask(server, to_path("/a"));
  now += seconds(10);
  layer.on_timeout(now);
  EXPECT_FALSE(answer(with_echo(code::unauthorized, "abc")));
  EXPECT_EQ(response_in(answer(of(code::content))).id, held);
}

TEST_F(CoapFreshness, AHeldRequestThatCannotBeSentEnds) {
  ask(server, to_path("/a"));
  answer(with_max_age(code::too_many_requests, 10));
  const auto held = ask(server, to_path("/a"));
  now += seconds(10);
  wire.refuses = &reason::coap_too_many_peers;
  layer.on_timeout(now);
  const auto gone = layer.next_event(now);
  ASSERT_TRUE(gone);
  EXPECT_EQ(std::get<ExchangeGone>(*gone).id, held);
  EXPECT_EQ(std::get<ExchangeGone>(*gone).reason, reason::coap_too_many_peers);
}

TEST_F(CoapFreshness, BackingOffMayRefuseOrBeSwitchedOff) {
  Freshness refusing(wire, {.back_off = BackOff::refuse});
  Freshness careless(wire, {.back_off = BackOff::none});
  for (auto* one : {&refusing, &careless}) {
    ASSERT_TRUE(one->request(server, to_path("/a"), {}, now));
    wire.events.push_back(
        ResponseArrived{wire.sent.back().id, server, with_max_age(code::too_many_requests, 10), std::nullopt, true});
    EXPECT_TRUE(one->next_event(now));
  }
  EXPECT_EQ(refusing.request(server, to_path("/a"), {}, now).error(), reason::coap_backing_off);
  EXPECT_TRUE(careless.request(server, to_path("/a"), {}, now));
}

TEST_F(CoapFreshness, WhatTakesATokenOverLeavesNothingOfTheObservation) {
  const auto observed = ask(server, to_path("a"));
  answer(of(code::content), false);
  EXPECT_EQ(layer.occupancy().requests, 1U);
  const auto renewed = ask(server, to_path("a"), {.token_of = observed});
  EXPECT_EQ(wire.sent.back().delivery.token_of, observed);
  EXPECT_EQ(layer.occupancy().requests, 1U);
  // A renewal that has to wait ends it as well: its notifications have no place to go to.
  answer(with_max_age(code::too_many_requests, 10));
  const auto again = ask(server, to_path("b"));
  answer(with_max_age(code::too_many_requests, 10), false);
  ask(server, to_path("b"), {.token_of = again});
  EXPECT_EQ(layer.occupancy().held, 1U);
  EXPECT_EQ(layer.occupancy().requests, 0U);
  EXPECT_EQ(wire.cancelled.back(), again);
  EXPECT_NE(renewed, again);
}

TEST_F(CoapFreshness, EveryTableIsBounded) {
  Freshness small(wire, {}, {.requests = 2, .octets = 8, .echo_peers = 2, .back_offs = 2, .held = 1});
  const auto exchange = [&](const Peer& to, std::string_view path, Response response) {
    ASSERT_TRUE(small.request(to, to_path(path), {}, now));
    wire.events.push_back(ResponseArrived{wire.sent.back().id, to, std::move(response), std::nullopt, true});
    ASSERT_TRUE(small.next_event(now));
  };
  for (std::uint16_t port = 1; port < 10; ++port) {
    exchange(at(Address::v4(192, 0, 2, 1, port)), "/a", with_echo(code::content, "e"));
  }
  EXPECT_EQ(small.occupancy().echo_peers, 2U);
  // The one used last is still there, the first is not.
  ASSERT_TRUE(small.request(at(Address::v4(192, 0, 2, 1, 9)), to_path("/a"), {}, now));
  EXPECT_EQ(echo_sent(), "e");
  small.cancel(wire.sent.back().id);
  ASSERT_TRUE(small.request(at(Address::v4(192, 0, 2, 1, 1)), to_path("/a"), {}, now));
  EXPECT_EQ(echo_sent(), "none");
  small.cancel(wire.sent.back().id);

  exchange(server, "/10", with_max_age(code::too_many_requests, 10));
  exchange(server, "/20", with_max_age(code::too_many_requests, 20));
  exchange(server, "/30", with_max_age(code::too_many_requests, 30));
  EXPECT_EQ(small.occupancy().back_offs, 2U);
  EXPECT_FALSE(small.backing_off_until(server, to_path("/10"), now));
  EXPECT_TRUE(small.backing_off_until(server, to_path("/30"), now));
  EXPECT_TRUE(small.request(server, to_path("/20"), {}, now));
  EXPECT_EQ(small.request(server, to_path("/30"), {}, now).error(), reason::coap_backing_off);

  // Three octets are held already; of five that follow one fits.
  ASSERT_TRUE(small.request(server, to_path("/four"), {}, now));
  ASSERT_TRUE(small.request(server, to_path("/five!"), {}, now));
  ASSERT_TRUE(small.request(server, to_path("/x"), {}, now));
  EXPECT_EQ(small.occupancy().requests, 2U);
  EXPECT_LE(small.occupancy().octets, 8U);
  EXPECT_EQ(small.counters().not_kept, 2U);
  // The one that was not kept gets the challenge as its answer.
  wire.events.push_back(
      ResponseArrived{wire.sent.back().id, server, with_echo(code::unauthorized, "q"), std::nullopt, true});
  const auto up = small.next_event(now);
  EXPECT_EQ(response_in(up).response.code, code::unauthorized);
}

}  // namespace
}  // namespace aceward::coap
