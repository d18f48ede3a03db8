// What notifications do to the cache of a client.
#include "aceward/coap/cache/cache_fixture.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;
using testing_cache::CoapCache;

TEST_F(CoapCache, ANotificationAnswersAPlainGetWithoutObserve) {
  ask(observe_request("/a"));
  for (const auto number : {5U, 7U, 6U}) {
    auto response = aged(std::to_string(number), 30);
    response.options.set_uint(option::observe, number);
    answer(response, false);
  }
  EXPECT_EQ(heard.size(), 3U) << "the order is the business of the layer above";
  ASSERT_TRUE(hit(get_request("/a")));
  EXPECT_EQ(as_text(heard.back().response.payload), "7") << "but only the freshest is kept";
  EXPECT_FALSE(heard.back().response.options.has(option::observe));
}

TEST_F(CoapCache, ARegistrationIsNeverAnsweredFromTheCache) {
  ask(get_request("/a"));
  answer(aged("one", 30));
  ask(observe_request("/a"));
  EXPECT_EQ(below.asked.size(), 2U);
}

TEST_F(CoapCache, A203NotificationMakesFreshAgain) {
  ask(observe_request("/a"));
  auto response = aged("one", 10, "e");
  response.options.set_uint(option::observe, 5);
  answer(response, false);
  now += 20s;
  auto again = valid("e", 30);
  again.options.set_uint(option::observe, 6);
  answer(again, false);
  EXPECT_EQ(heard.back().response.code, code::valid);
  EXPECT_TRUE(hit(get_request("/a")));
  EXPECT_FALSE(heard.back().response.options.has(option::observe));
}

// The order of notifications is that of their numbers, whatever their code (RFC 7641 section 3.4).
TEST_F(CoapCache, ALateNotificationDoesNotReplaceWhatA203Confirmed) {
  ask(observe_request("/a"));
  const auto notify = [this](Response response, unsigned number) {
    response.options.set_uint(option::observe, number);
    answer(std::move(response), false);
  };
  notify(aged("one", 60, "e"), 5);
  notify(valid("e", 60), 7);
  notify(aged("between", 60, "f"), 6);
  ASSERT_TRUE(hit(get_request("/a")));
  EXPECT_EQ(as_text(heard.back().response.payload), "one");
  now += 50s;
  notify(valid("e", 60), 4);
  now += 20s;
  EXPECT_FALSE(hit(get_request("/a"))) << "a late 2.03 makes nothing fresh";
}

TEST_F(CoapCache, ARequestThatTakesATokenOverEndsTheObservation) {
  const auto first = ask(observe_request("/a"));
  ASSERT_TRUE(cache->request(server, observe_request("/a"), {.token_of = first}, now));
  EXPECT_EQ(below.asked.back().delivery.token_of, first);
  EXPECT_EQ(below.cancelled, std::vector{first});
}

TEST_F(CoapCache, ANotificationFromBeforeTheRenewalIsLateAfterIt) {
  const auto notify = [this](std::string_view text, unsigned number) {
    auto response = aged(text, 60);
    response.options.set_uint(option::observe, number);
    answer(std::move(response), false);
  };
  const auto first = ask(observe_request("/a"));
  notify("new", 7);
  ASSERT_TRUE(cache->request(server, observe_request("/a"), {.token_of = first}, now));
  notify("old", 6);
  ASSERT_TRUE(hit(get_request("/a")));
  EXPECT_EQ(as_text(heard.back().response.payload), "new");
}

}  // namespace
}  // namespace aceward::coap
