#include "aceward/coap/cache/response_cache.h"

#include <gtest/gtest.h>

#include "aceward/coap/cache/cache_fixture.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

using testing_cache::CoapCache;

// Freshness (RFC 7252 section 5.6.1)

TEST_F(CoapCache, AFreshResponseIsUsedWithTheRestOfItsMaxAge) {
  ask(get_request("/a"));
  answer(aged("one", 30));
  now += 12s;
  const auto id = ask(get_request("/a"));
  EXPECT_EQ(cache->next_timeout(), now) << "it is there at once";
  run();
  EXPECT_EQ(below.asked.size(), 1U);
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[1].id, id);
  EXPECT_TRUE(heard[1].final);
  EXPECT_EQ(as_text(heard[1].response.payload), "one");
  EXPECT_EQ(heard[1].response.options.find_uint(option::max_age), 18U);
  EXPECT_EQ(cache->counters().hits, 1U);
}

TEST_F(CoapCache, AResponseIsFreshUpToItsMaxAgeAndNotAfter) {
  ask(get_request("/a"));
  answer(aged("one", 30));
  now += 30s;
  EXPECT_TRUE(hit(get_request("/a")));
  now += 1ns;
  EXPECT_FALSE(hit(get_request("/a")));
}

TEST_F(CoapCache, WithoutMaxAgeItIsSixtySeconds) {
  ask(get_request("/a"));
  answer(content("one"));
  now += 60s;
  EXPECT_TRUE(hit(get_request("/a")));
  now += 1s;
  EXPECT_FALSE(hit(get_request("/a")));
}

TEST_F(CoapCache, MaxAgeZeroPreventsCaching) {
  ask(get_request("/a"));
  answer(aged("one", 0, "e"));
  EXPECT_EQ(cache->entries(), 0U);
  EXPECT_FALSE(hit(get_request("/a")));
}

TEST_F(CoapCache, ANewResponseReplacesTheOldOne) {
  ask(get_request("/a"));
  answer(aged("one", 10));
  now += 20s;
  ask(get_request("/a"));
  answer(aged("two", 10));
  EXPECT_EQ(cache->entries(), 1U);
  EXPECT_TRUE(hit(get_request("/a")));
  EXPECT_EQ(as_text(heard.back().response.payload), "two");
}

// The Cache-Key (section 5.6)

TEST_F(CoapCache, EachOptionOfTheCacheKeyCounts) {
  ask(get_request("/a"));
  answer(aged("one", 30));
  EXPECT_FALSE(hit(get_request("/b")));
  auto query = get_request("/a");
  query.options.add(option::uri_query, "q");
  EXPECT_FALSE(hit(query));
  auto accept = get_request("/a");
  accept.options.set_accept(content_format::cbor);
  EXPECT_FALSE(hit(accept));
  auto host = get_request("/a");
  host.options.add(option::uri_host, "h");
  EXPECT_FALSE(hit(host));
  auto elective = get_request("/a");
  elective.options.add(OptionNumber(65000), "x");  // safe to forward, part of the key
  EXPECT_FALSE(hit(elective));
  EXPECT_TRUE(hit(get_request("/a")));
}

TEST_F(CoapCache, OptionsMarkedNoCacheKeyDoNotCount) {
  ask(get_request("/a"));
  answer(aged("one", 30));
  auto request = get_request("/a");
  request.options.set_uint(option::size2, 0);
  EXPECT_TRUE(hit(request));
}

TEST_F(CoapCache, TheMethodCounts) {
  ask(get_request("/a"));
  answer(aged("one", 30));
  EXPECT_FALSE(hit(with_method(code::fetch)));
}

// RFC 8132 section 2
TEST_F(CoapCache, ThePayloadOfAFetchCounts) {
  auto fetch = with_method(code::fetch);
  fetch.payload = to_bytes("x");
  ask(fetch);
  answer(aged("one", 30));
  EXPECT_TRUE(hit(fetch));
  fetch.payload = to_bytes("y");
  EXPECT_FALSE(hit(fetch));
  EXPECT_FALSE(hit(get_request("/a")));
}

TEST_F(CoapCache, WhatOneSecurityContextGotIsNotGivenToAnother) {
  auto first = server;
  first.session = 1;
  auto second = server;
  second.session = 2;
  auto third = server;
  third.context = 1;
  ask(first, get_request("/a"));
  answer(aged("secret", 30));
  EXPECT_TRUE(hit(first, get_request("/a")));
  EXPECT_FALSE(hit(second, get_request("/a")));
  EXPECT_FALSE(hit(third, get_request("/a")));
  EXPECT_FALSE(hit(server, get_request("/a")));
}

TEST_F(CoapCache, ARequestWithAnUnknownUnsafeOptionPassesBy) {
  auto request = get_request("/a");
  request.options.add(OptionNumber(65002), "x");  // elective, unsafe to forward
  ask(request);
  answer(aged("one", 30));
  EXPECT_EQ(cache->entries(), 0U);
}

TEST_F(CoapCache, ConditionalAndProtectedRequestsPassBy) {
  for (const auto number : {option::if_match, option::oscore}) {
    auto request = get_request("/a");
    request.options.add(number, "x");
    ask(request);
    answer(aged("one", 30));
  }
  EXPECT_EQ(cache->entries(), 0U);
}

TEST_F(CoapCache, AResponseWithAnUnknownUnsafeOptionIsNotKept) {
  ask(get_request("/a"));
  auto response = aged("one", 30);
  response.options.add(OptionNumber(65002), "x");
  answer(response);
  EXPECT_EQ(cache->entries(), 0U);
}

// Which codes (section 5.9)

TEST_F(CoapCache, OnlyCacheableCodesAreKept) {
  for (const auto one : {Code(2, 30), code::changed, code::created, code::not_found, code::service_unavailable}) {
    ask(get_request("/a"));
    Response response{one, {}, {}};
    response.options.set_uint(option::max_age, 30);
    answer(response);
    EXPECT_EQ(cache->entries(), 0U) << one.to_string();
  }
}

TEST_F(CoapCache, ErrorsAreKeptIfSoConfigured) {
  start({.errors = true});
  ask(get_request("/a"));
  Response response{code::not_found, {}, {}};
  answer(response);
  EXPECT_TRUE(hit(get_request("/a")));
  EXPECT_EQ(heard.back().response.code, code::not_found);
  ask(get_request("/b"));
  answer({Code(4, 30), {}, {}});
  EXPECT_FALSE(hit(get_request("/b"))) << "an unknown code";
}

TEST_F(CoapCache, AnErrorTakesTheOldResponseAway) {
  ask(get_request("/a"));
  answer(aged("one", 10, "e"));
  now += 20s;
  ask(get_request("/a"));
  answer({code::not_found, {}, {}});
  EXPECT_EQ(cache->entries(), 0U);
}

// Validation (sections 5.6.2, 5.9.1.3)

TEST_F(CoapCache, AStaleResponseIsValidatedAndUsedAgain) {
  ask(get_request("/a"));
  auto first = aged("one", 10, "e");
  first.options.set_content_format(content_format::cbor);
  answer(first);
  now += 20s;
  const auto id = ask(get_request("/a"));
  ASSERT_EQ(below.asked.size(), 2U);
  EXPECT_EQ(below.asked[1].request.options.find_text(option::etag), "e");
  answer(valid("e", 40));
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[1].id, id);
  EXPECT_EQ(heard[1].response.code, code::content);
  EXPECT_EQ(as_text(heard[1].response.payload), "one");
  EXPECT_EQ(heard[1].response.options.find_uint(option::max_age), 40U);
  EXPECT_EQ(heard[1].response.options.content_format(), content_format::cbor);
  now += 40s;
  EXPECT_TRUE(hit(get_request("/a")));
  now += 1s;
  EXPECT_FALSE(hit(get_request("/a")));
}

TEST_F(CoapCache, A203WithoutMaxAgeMeansSixtySeconds) {
  ask(get_request("/a"));
  answer(aged("one", 1000, "e"));
  now += 1001s;
  ask(get_request("/a"));
  answer(valid("e"));
  now += 60s;
  EXPECT_TRUE(hit(get_request("/a")));
  now += 1s;
  EXPECT_FALSE(hit(get_request("/a")));
}

TEST_F(CoapCache, A203ThatNamesNothingIsAskedForAsAWhole) {
  ask(get_request("/a"));
  answer(aged("one", 10, "e"));
  now += 20s;
  const auto id = ask(get_request("/a"));
  answer(valid("other"));
  ASSERT_EQ(below.asked.size(), 3U);
  EXPECT_FALSE(below.asked[2].request.options.has(option::etag));
  EXPECT_EQ(heard.size(), 1U);
  answer(aged("two", 10));
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[1].id, id);
  EXPECT_EQ(as_text(heard[1].response.payload), "two");
}

TEST_F(CoapCache, CancellingReachesTheRequestThatIsUnderWay) {
  ask(get_request("/a"));
  answer(aged("one", 10, "e"));
  now += 20s;
  const auto id = ask(get_request("/a"));
  answer(valid("other"));
  cache->cancel(id);
  EXPECT_EQ(below.cancelled, std::vector{below.asked[2].id});
  answer(aged("two", 10));
  EXPECT_EQ(cache->entries(), 1U);
}

TEST_F(CoapCache, ACallersOwnETagIsAnsweredToHim) {
  ask(get_request("/a"));
  answer(aged("one", 10, "e"));
  now += 20s;
  auto request = get_request("/a");
  request.options.add(option::etag, "e");
  ask(request);
  answer(valid("e", 10));
  EXPECT_EQ(heard.back().response.code, code::valid);
  EXPECT_TRUE(hit(get_request("/a"))) << "and what is stored is fresh again";
}

TEST_F(CoapCache, AnErrorOfTheLayerBelowArrives) {
  const auto id = ask(get_request("/a"));
  below.lose(below.asked[0].id, Error(reason::coap_not_answered));
  run();
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].id, id);
}

// Invalidation (sections 5.9.1.1, 5.9.1.2, 5.9.1.4; RFC 8132 section 3)

TEST_F(CoapCache, WhatChangesAResourceMakesItsResponsesNotFresh) {
  for (const auto& [method, result] : {std::pair(code::put, code::changed), std::pair(code::put, code::created),
                                       std::pair(code::delete_, code::deleted), std::pair(code::post, code::changed),
                                       std::pair(code::patch, code::changed), std::pair(code::ipatch, code::changed)}) {
    ask(get_request("/a"));
    answer(aged("one", 30));
    auto query = get_request("/a");
    query.options.add(option::uri_query, "q");
    ask(query);
    answer(aged("one", 30));
    ask(get_request("/b"));
    answer(aged("other", 30));
    ask(with_method(method));
    answer({result, {}, {}});
    EXPECT_FALSE(hit(get_request("/a"))) << method.to_string() << result.to_string();
    EXPECT_FALSE(hit(query));
    EXPECT_TRUE(hit(get_request("/b")));
    cache->clear();
  }
}

TEST_F(CoapCache, WhatFailedChangesNothing) {
  ask(get_request("/a"));
  answer(aged("one", 30));
  ask(with_method(code::put));
  answer({code::forbidden, {}, {}});
  EXPECT_TRUE(hit(get_request("/a")));
}

TEST_F(CoapCache, TheLocationOfWhatWasCreatedIsNotFreshEither) {
  ask(get_request("/a/new"));
  answer(aged("old", 30));
  ask(with_method(code::post));
  Response created{code::created, {}, {}};
  created.options.add(option::location_path, "a").add(option::location_path, "new");
  answer(created);
  EXPECT_FALSE(hit(get_request("/a/new")));
}

TEST_F(CoapCache, AChangeThroughOneSessionCountsForAll) {
  auto first = server;
  first.session = 1;
  auto second = server;
  second.session = 2;
  ask(first, get_request("/a"));
  answer(aged("one", 30));
  ask(second, with_method(code::put));
  answer({code::changed, {}, {}});
  EXPECT_FALSE(hit(first, get_request("/a")));
}

TEST_F(CoapCache, AnAnswerThatWasUnderWayDuringAChangeIsNotKept) {
  ask(get_request("/a"));
  const auto get = below.asked.back().id;
  ask(with_method(code::put));
  answer({code::changed, {}, {}});
  below.answer(get, server, aged("perhaps old", 30));
  run();
  EXPECT_EQ(as_text(heard.back().response.payload), "perhaps old");
  EXPECT_FALSE(hit(get_request("/a")));
}

TEST_F(CoapCache, WhatIsNotFreshCanStillBeValidated) {
  ask(get_request("/a"));
  answer(aged("one", 30, "e"));
  ask(with_method(code::put));
  answer({code::changed, {}, {}});
  ask(get_request("/a"));
  EXPECT_EQ(below.asked.back().request.options.find_text(option::etag), "e");
  answer(valid("e", 30));
  EXPECT_TRUE(hit(get_request("/a")));
}

// Limits

TEST_F(CoapCache, TheLeastRecentlyUsedMakesRoom) {
  start({.entries = 2});
  for (const auto* path : {"/a", "/b"}) {
    ask(get_request(path));
    answer(aged("x", 30));
  }
  EXPECT_TRUE(hit(get_request("/a")));
  ask(get_request("/c"));
  answer(aged("x", 30));
  EXPECT_EQ(cache->entries(), 2U);
  EXPECT_TRUE(hit(get_request("/a")));
  EXPECT_FALSE(hit(get_request("/b")));
  EXPECT_EQ(cache->counters().evicted, 1U);
}

TEST_F(CoapCache, OctetsAreBoundedToo) {
  start({.octets = 4000});
  ask(get_request("/huge"));
  answer(aged(std::string(2000, 'x'), 30));
  EXPECT_EQ(cache->entries(), 0U) << "more than a quarter of all";
  for (int i = 0; i < 20; ++i) {
    ask(get_request("/" + std::to_string(i)));
    answer(aged(std::string(500, 'x'), 30));
    EXPECT_LE(cache->octets(), 4000U);
  }
  EXPECT_GE(cache->entries(), 5U);
  cache->clear();
  EXPECT_EQ(cache->octets(), 0U);
}

}  // namespace
}  // namespace aceward::coap
