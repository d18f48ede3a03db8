// Block-wise transfer between two ends of ours, over a network that loses, repeats, delays and reorders.
#include <gtest/gtest.h>

#include "aceward/coap/blockwise/two_ends.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;
using block_test::body_of;
using block_test::Outcome;
using block_test::Setup;
using block_test::TwoEnds;
using block_test::Weather;

// The number of the body that this is, out of `count`; nullopt if it is none of them whole.
std::optional<unsigned> which_body(BytesView body, unsigned count) {
  for (unsigned which = 0; which < count; ++which) {
    if (equal(body, body_of(body.size(), which)) && !body.empty()) return which;
  }
  return std::nullopt;
}

Setup rough_setup(std::uint64_t seed) {
  SeededRandom dice(seed ^ 0xb10c);
  Setup setup;
  setup.seed = seed;
  setup.weather = Weather{static_cast<unsigned>(dice.below(30)), static_cast<unsigned>(dice.below(40)),
                          std::chrono::milliseconds(1 + dice.below(dice.below(2) == 0 ? 100 : 8'000))};
  setup.client.request_szx = Szx(static_cast<unsigned>(dice.below(4)));
  setup.client.early_negotiation = dice.below(2) == 0;
  if (dice.below(2) == 0) setup.client.preferred_szx = Szx(static_cast<unsigned>(dice.below(4)));
  setup.client.always_tag = dice.below(2) == 0;
  setup.server.request_szx = Szx(static_cast<unsigned>(dice.below(4)));
  setup.server.response_szx = Szx(static_cast<unsigned>(1 + dice.below(4)));
  return setup;
}

// Several transfers to one resource at once: each body arrives whole and once, or not at all, and each answer is that
// of its own request.
TEST(BlockwiseNetwork, NoBlockOfOneTransferGetsIntoAnother) {
  constexpr unsigned bodies = 4;
  unsigned answered = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    TwoEnds ends(rough_setup(seed));
    std::map<unsigned, unsigned> acted;
    ends.handler = [&](const RequestArrived& arrived) {
      const auto which = which_body(arrived.request.payload, bodies);
      EXPECT_TRUE(which.has_value()) << "a body that nobody sent";
      EXPECT_EQ(arrived.request.payload.size(), 100 + 60 * which.value_or(0));
      ++acted[which.value_or(0)];
      return Response{code::changed, {}, body_of(150 + 50 * which.value_or(0), which.value_or(0))};
    };
    std::map<std::uint64_t, unsigned> asked;
    for (unsigned which = 0; which < bodies; ++which) {
      const auto method = which % 2 == 0 ? code::post : code::fetch;
      asked[ends.request(method, "/r", body_of(100 + 60 * which, which)).value().value] = which;
    }
    ends.run();
    for (const auto& [which, times] : acted) ASSERT_EQ(times, 1U) << which;
    for (const auto& [id, which] : asked) {
      const auto& outcome = ends.outcomes[id];
      ASSERT_EQ(outcome.responses.size() + (outcome.gone ? 1 : 0), 1U);
      if (outcome.gone) continue;
      ++answered;
      ASSERT_EQ(outcome.response().payload, body_of(150 + 50 * which, which));
    }
    ASSERT_EQ(ends.client().occupancy().transfers, 0U);
    ASSERT_EQ(ends.client().occupancy().answer_bytes, 0U);
    ends.wait(300s);
    ASSERT_EQ(ends.server().occupancy().assemblies, 0U);
    ASSERT_EQ(ends.server().occupancy().held_bytes, 0U);
    ASSERT_EQ(ends.server().occupancy().requests, 0U);
  }
  // The network is rough, but not that rough.
  EXPECT_GE(answered, 500U);
}

// The resource is another one each time it is asked; what the client gets is one of its states, whole.
TEST(BlockwiseNetwork, ARepresentationIsNeverMadeOfTwo) {
  unsigned whole = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    auto setup = rough_setup(seed);
    // So little is held that most blocks are asked of the resource again.
    setup.server_limits.held_bytes = seed % 3 == 0 ? 0 : 400;
    TwoEnds ends(setup);
    unsigned asked = 0;
    ends.handler = [&](const RequestArrived&) {
      // It changes every fourth time.
      return Response{code::content, {}, body_of(200, ++asked / 4)};
    };
    std::vector<ExchangeId> ids;
    for (unsigned i = 0; i < 2; ++i) {
      Options options;
      options.add(option::uri_query, std::to_string(i));
      ids.push_back(ends.request(code::get, "/r", {}, options).value());
    }
    ends.run();
    for (const auto id : ids) {
      const auto& outcome = ends.outcomes[id.value];
      ASSERT_EQ(outcome.responses.size() + (outcome.gone ? 1 : 0), 1U);
      if (outcome.gone) continue;
      ASSERT_EQ(outcome.response().payload.size(), 200U);
      ASSERT_TRUE(which_body(outcome.response().payload, asked / 4 + 1).has_value());
      ++whole;
    }
  }
  EXPECT_GE(whole, 200U);
}

// A client that gives up and begins anew, again and again, with blocks of the old attempts still on their way.
TEST(BlockwiseNetwork, BlocksOfAnAbandonedTransferDoNotGetIntoTheNext) {
  constexpr unsigned bodies = 6;
  unsigned arrived_whole = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    auto setup = rough_setup(seed);
    setup.client.always_tag = true;
    TwoEnds ends(setup);
    ends.handler = [&](const RequestArrived& arrived) {
      EXPECT_TRUE(which_body(arrived.request.payload, bodies).has_value()) << "a body that nobody sent";
      ++arrived_whole;
      return Response{code::changed, {}, {}};
    };
    for (unsigned which = 0; which < bodies; ++which) {
      const auto id = ends.request(code::put, "/r", body_of(200, which)).value();
      ends.run(ends.now() + std::chrono::milliseconds(ends.random().below(4000)));
      if (which + 1 < bodies) ends.client().cancel(id);
    }
    ends.run();
  }
  EXPECT_GE(arrived_whole, 150U);
}

// The observer of a resource in blocks ends up with its last state.
TEST(BlockwiseNetwork, AnObserverGetsStatesWholeAndTheLastInTheEnd) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    auto setup = rough_setup(seed);
    setup.weather.loss = 0;  // so that the last notification is not given up
    TwoEnds ends(setup);
    unsigned state = 1;
    std::optional<ExchangeId> observer;
    const auto representation = [&](bool observed) {
      Response response{code::content, {}, body_of(300, state)};
      if (observed) response.options.set_uint(option::observe, state);
      return response;
    };
    ends.handler = [&](const RequestArrived& arrived) {
      const bool observed = arrived.request.options.find_uint(option::observe) == 0U;
      if (observed) observer = arrived.id;
      return representation(observed);
    };
    Options options;
    options.add_uint(option::observe, 0);
    const auto id = ends.request(code::get, "/r", {}, options).value();
    ends.run(ends.now() + 60s);
    ASSERT_TRUE(observer.has_value());
    for (; state < 6;) {
      ++state;
      ends.server().respond(*observer, representation(true), {Reliability::confirmable, {}}, ends.now());
      ends.run(ends.now() + std::chrono::milliseconds(ends.random().below(3000)));
    }
    ends.run(ends.now() + 200s);
    const auto& heard = ends.outcomes[id.value].responses;
    ASSERT_FALSE(heard.empty());
    for (const auto& one : heard) {
      ASSERT_TRUE(which_body(one.response.payload, state + 1).has_value());
      ASSERT_EQ(one.response.payload.size(), 300U);
    }
    ASSERT_EQ(heard.back().response.payload, body_of(300, state));
    ASSERT_EQ(heard.back().order, state);
  }
}

// The default limit of an unverified address cuts the answers of what has acted; the client follows.
TEST(BlockwiseNetwork, AnswersOfAPostToAnUnverifiedAddressComeInSmallBlocks) {
  block_test::Setup setup;
  setup.unverified_answer = 136;
  TwoEnds ends(setup);
  ends.handler = [](const RequestArrived&) { return Response{code::changed, {}, body_of(1000)}; };
  const auto outcome = ends.ask(code::post, "/r", body_of(20));
  ASSERT_EQ(outcome.responses.size(), 1U);
  EXPECT_EQ(outcome.response().payload, body_of(1000));
  EXPECT_EQ(ends.trace.at(1), "< ACK [1234] 2.04 2:0/1/64 [64]");
  EXPECT_EQ(ends.trace.size(), 32U);
}

}  // namespace
}  // namespace aceward::coap
