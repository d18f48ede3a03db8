#include "app/loadgen/exchanges.h"

#include <gtest/gtest.h>

#include <set>

#include "app/loadgen/schedule.h"

namespace aceward::app {
namespace {

using namespace std::chrono_literals;

/// Exchanges, and what a server that knows them all would send.
struct LoadBench {
  explicit LoadBench(std::size_t endpoints = 1, ExchangeSettings settings_in = {})
      : exchanges(with_path(std::move(settings_in)), endpoints, random) {}

  static ExchangeSettings with_path(ExchangeSettings settings) {
    settings.request.method = coap::code::get;
    settings.request.options.add_path("/temp");
    return settings;
  }
  coap::Message start(std::chrono::nanoseconds late = 0ns) {
    last = exchanges.start(now - late, now, true);
    return coap::parse(exchanges.datagram(last)).value();
  }
  static coap::Message answer_to(const coap::Message& request, std::string_view payload = "22.3 C") {
    coap::Message answer;
    answer.type = request.type == coap::Type::confirmable ? coap::Type::acknowledgement : coap::Type::non_confirmable;
    answer.code = coap::code::content;
    answer.message_id = request.message_id;
    answer.token = request.token;
    answer.payload = to_bytes(payload);
    return answer;
  }
  Exchanges::Received receive(const coap::Message& message) {
    return exchanges.receive(last, coap::serialize(message), now);
  }
  const ExchangeCounts& counts() const { return exchanges.counts(); }

  SeededRandom random{11};
  Exchanges exchanges;
  Instant now{1000s};
  std::size_t last = 0;
};

coap::Message reply_of(const Exchanges::Received& received) { return coap::parse(received.reply).value(); }

TEST(LoadExchanges, APiggybackedAnswerEndsIt) {
  LoadBench bench;
  const auto request = bench.start();
  EXPECT_EQ(request.type, coap::Type::confirmable);
  EXPECT_EQ(request.code, coap::code::get);
  EXPECT_EQ(request.token.size(), 8U);
  EXPECT_EQ(request.options.path(), std::vector<std::string_view>{"temp"});
  EXPECT_EQ(bench.exchanges.in_flight(), 1U);
  EXPECT_FALSE(bench.exchanges.next_free());
  bench.now += 3ms;
  const auto received = bench.receive(LoadBench::answer_to(request));
  ASSERT_TRUE(received.finished);
  EXPECT_EQ(received.finished->latency, 3ms);
  EXPECT_TRUE(received.reply.empty());
  EXPECT_EQ(bench.counts().answered, 1U);
  EXPECT_EQ(bench.exchanges.in_flight(), 0U);
}

TEST(LoadExchanges, LatencyIsFromWhenTheRequestWasMeantToLeave) {
  LoadBench bench;
  const auto request = bench.start(40ms);
  bench.now += 2ms;
  EXPECT_EQ(bench.receive(LoadBench::answer_to(request)).finished->latency, 42ms);
}

TEST(LoadExchanges, EndpointsTakeTurnsAndStayBelowThePaceOfMessageIds) {
  LoadBench bench(2);
  const auto first = bench.start();
  EXPECT_EQ(bench.last, 0U);
  bench.receive(LoadBench::answer_to(first));
  bench.start();
  EXPECT_EQ(bench.last, 1U);
  EXPECT_EQ(bench.exchanges.next_free(), bench.now + least_spacing(true));
}

TEST(LoadExchanges, EachRequestHasAMessageIdAndATokenOfItsOwn) {
  LoadBench bench;
  std::set<coap::Token> tokens;
  std::uint16_t before = 0;
  for (int i = 0; i < 300; ++i) {
    const auto request = bench.start();
    if (i > 0) {
      EXPECT_EQ(request.message_id, static_cast<std::uint16_t>(before + 1));
    }
    before = request.message_id;
    tokens.insert(request.token);
    bench.receive(LoadBench::answer_to(request));
  }
  EXPECT_EQ(tokens.size(), 300U);
  EXPECT_EQ(bench.counts().answered, 300U);
}

TEST(LoadExchanges, AnotherTokenIsNoAnswer) {
  LoadBench bench;
  const auto request = bench.start();
  auto forged = LoadBench::answer_to(request);
  forged.token = coap::Token(as_bytes("12345678"));
  EXPECT_FALSE(bench.receive(forged).finished);
  forged.token = coap::Token(request.token.view().first(7));
  EXPECT_FALSE(bench.receive(forged).finished);
  EXPECT_EQ(bench.counts().wrong_token, 2U);
  EXPECT_TRUE(bench.receive(LoadBench::answer_to(request)).finished);
}

TEST(LoadExchanges, AnAcknowledgementOfAnotherMessageIsNoAnswer) {
  LoadBench bench;
  const auto request = bench.start();
  auto forged = LoadBench::answer_to(request);
  ++forged.message_id;
  EXPECT_FALSE(bench.receive(forged).finished);
  EXPECT_EQ(bench.counts().wrong_message_id, 1U);
  EXPECT_EQ(bench.counts().answered, 0U);
}

TEST(LoadExchanges, APayloadOtherThanTheFirstIsCounted) {
  LoadBench bench;
  for (int i = 0; i < 3; ++i) bench.receive(LoadBench::answer_to(bench.start()));
  EXPECT_TRUE(bench.receive(LoadBench::answer_to(bench.start(), "22.4 C")).finished);
  EXPECT_TRUE(bench.receive(LoadBench::answer_to(bench.start(), "22.3 C.")).finished);
  EXPECT_EQ(bench.counts().answered, 3U);
  EXPECT_EQ(bench.counts().wrong_payload, 2U);
}

TEST(LoadExchanges, OptionsMayChangeThePayloadMayNot) {
  LoadBench bench;
  for (std::uint64_t age = 1; age < 5; ++age) {
    auto answer = LoadBench::answer_to(bench.start());
    answer.options.add_uint(coap::option::max_age, age);
    bench.receive(answer);
  }
  EXPECT_EQ(bench.counts().answered, 4U);
}

TEST(LoadExchanges, AnExpectedPayloadIsTheMeasureFromTheFirstOn) {
  ExchangeSettings settings;
  settings.expected_payload = to_bytes("on");
  LoadBench bench(1, std::move(settings));
  bench.receive(LoadBench::answer_to(bench.start(), "off"));
  bench.receive(LoadBench::answer_to(bench.start(), "on"));
  EXPECT_EQ(bench.counts().wrong_payload, 1U);
  EXPECT_EQ(bench.counts().answered, 1U);
}

TEST(LoadExchanges, AnotherCodeThanExpectedIsCountedAndRemembered) {
  LoadBench bench;
  auto answer = LoadBench::answer_to(bench.start());
  answer.code = coap::code::not_found;
  EXPECT_TRUE(bench.receive(answer).finished);
  answer = LoadBench::answer_to(bench.start());
  answer.code = coap::code::internal_server_error;
  bench.receive(answer);
  EXPECT_EQ(bench.counts().wrong_code, 2U);
  EXPECT_EQ(bench.counts().answered, 0U);
  EXPECT_EQ(bench.exchanges.unexpected_code(), coap::code::not_found);
}

TEST(LoadExchanges, ASeparateAnswerIsAcknowledged) {
  LoadBench bench;
  const auto request = bench.start();
  coap::Message acknowledgement;
  acknowledgement.type = coap::Type::acknowledgement;
  acknowledgement.message_id = request.message_id;
  EXPECT_FALSE(bench.receive(acknowledgement).finished);
  bench.now += 5s;  // acknowledged: nothing is repeated
  bench.exchanges.on_timeout(bench.now, [](std::size_t) { FAIL(); });
  auto answer = LoadBench::answer_to(request);
  answer.type = coap::Type::confirmable;
  answer.message_id = 77;
  const auto received = bench.receive(answer);
  EXPECT_TRUE(received.finished);
  EXPECT_EQ(reply_of(received).type, coap::Type::acknowledgement);
  EXPECT_EQ(reply_of(received).message_id, 77);
  EXPECT_TRUE(reply_of(received).code.is_empty());
  // Its repetition is acknowledged again, and is no second answer.
  const auto again = bench.receive(answer);
  EXPECT_FALSE(again.finished);
  EXPECT_EQ(reply_of(again).type, coap::Type::acknowledgement);
  EXPECT_EQ(bench.counts().duplicates, 1U);
  EXPECT_EQ(bench.counts().answered, 1U);
}

TEST(LoadExchanges, AConfirmableAnswerToNothingIsReset) {
  LoadBench bench;
  auto stray = LoadBench::answer_to(bench.start());
  stray.type = coap::Type::confirmable;
  stray.token = coap::Token(as_bytes("stranger"));
  EXPECT_EQ(reply_of(bench.receive(stray)).type, coap::Type::reset);
}

TEST(LoadExchanges, IsRetransmittedAsTheStandardSaysAndThenGivenUp) {
  ExchangeSettings settings;
  settings.timeout = 500s;
  LoadBench bench(1, std::move(settings));
  const auto request = bench.start();
  std::vector<Instant> repeated;
  const Instant sent = bench.now;
  while (bench.exchanges.in_flight() != 0) {
    bench.now += 10ms;
    bench.exchanges.on_timeout(bench.now, [&](std::size_t i) {
      EXPECT_EQ(coap::parse(bench.exchanges.datagram(i)).value(), request);
      repeated.push_back(bench.now);
    });
    ASSERT_LT(bench.now, sent + 200s);
  }
  ASSERT_EQ(repeated.size(), 4U);
  EXPECT_GE(repeated[0] - sent, 2s);
  EXPECT_LE(repeated[0] - sent, 3s + 10ms);
  EXPECT_NEAR(std::chrono::duration<double>(repeated[2] - repeated[1]).count(),
              2 * std::chrono::duration<double>(repeated[1] - repeated[0]).count(), 0.05);
  EXPECT_LE(bench.now - sent, 93s + 50ms);
  EXPECT_EQ(bench.counts().retransmitted, 4U);
  EXPECT_EQ(bench.counts().timeouts, 1U);
}

TEST(LoadExchanges, ATimeoutOfItsOwnEndsItSooner) {
  ExchangeSettings settings;
  settings.timeout = 1s;
  LoadBench bench(1, std::move(settings));
  const auto request = bench.start();
  bench.now += 1s;
  bench.exchanges.on_timeout(bench.now, [](std::size_t) { FAIL(); });
  EXPECT_EQ(bench.counts().timeouts, 1U);
  // The answer comes after all: late, but no mistake of the server's.
  EXPECT_FALSE(bench.receive(LoadBench::answer_to(request)).finished);
  EXPECT_EQ(bench.counts().duplicates, 1U);
  EXPECT_EQ(bench.counts().wrong_token, 0U);
}

TEST(LoadExchanges, NonConfirmableRequestsAreNotRepeated) {
  ExchangeSettings settings;
  settings.confirmable = false;
  LoadBench bench(1, std::move(settings));
  const auto request = bench.start();
  EXPECT_EQ(request.type, coap::Type::non_confirmable);
  bench.now += 9s;
  bench.exchanges.on_timeout(bench.now, [](std::size_t) { FAIL(); });
  auto answer = LoadBench::answer_to(request);
  answer.message_id = 9;
  EXPECT_TRUE(bench.receive(answer).finished);
}

TEST(LoadExchanges, AResetEndsTheRequestThatItNames) {
  LoadBench bench;
  const auto request = bench.start();
  coap::Message reset;
  reset.type = coap::Type::reset;
  reset.message_id = static_cast<std::uint16_t>(request.message_id + 1);
  bench.receive(reset);
  EXPECT_EQ(bench.exchanges.in_flight(), 1U);
  reset.message_id = request.message_id;
  bench.receive(reset);
  EXPECT_EQ(bench.exchanges.in_flight(), 0U);
  EXPECT_EQ(bench.counts().resets, 1U);
}

TEST(LoadExchanges, AnythingElseIsCountedOrRejected) {
  LoadBench bench;
  const auto request = bench.start();
  bench.exchanges.receive(0, as_bytes("\x40"), bench.now);
  auto octets = coap::serialize(LoadBench::answer_to(request));
  octets.insert(octets.end() - 7, 0xf0);  // an option of a reserved length before the payload marker
  bench.exchanges.receive(0, octets, bench.now);
  EXPECT_EQ(bench.counts().malformed, 2U);
  coap::Message ping;
  ping.message_id = 5;
  const auto received = bench.receive(ping);
  EXPECT_EQ(reply_of(received).type, coap::Type::reset);
  EXPECT_EQ(reply_of(received).message_id, 5);
}

TEST(LoadExchanges, ARetiredEndpointHasNoTurnAnyMore) {
  LoadBench bench(3);
  bench.exchanges.retire(1);
  EXPECT_EQ(bench.exchanges.usable(), 2U);
  bench.start();
  EXPECT_EQ(bench.last, 0U);
  bench.start();
  EXPECT_EQ(bench.last, 2U);
  EXPECT_FALSE(bench.exchanges.next_free());
  bench.exchanges.retire(2);
  bench.exchanges.retire(2);
  EXPECT_EQ(bench.exchanges.usable(), 1U);
  EXPECT_EQ(bench.exchanges.in_flight(), 1U);
  EXPECT_EQ(bench.counts().timeouts, 1U);
}

}  // namespace
}  // namespace aceward::app
