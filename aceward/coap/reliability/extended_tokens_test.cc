// Finding out which servers take long tokens, with an endpoint below.
#include "aceward/coap/reliability/extended_tokens.h"

#include <gtest/gtest.h>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

class CoapExtendedTokens : public ::testing::Test {
 protected:
  Message probe(std::uint16_t size) {
    EXPECT_TRUE(tokens.probe(endpoint, server, size, now));
    return parse(endpoint.next_datagram()->datagram, {.token = 1000}).value();
  }
  void answer(const Message& message) {
    endpoint.receive(server, serialize(message), now);
    const auto event = endpoint.next_event(now);
    ASSERT_TRUE(event);
    EXPECT_TRUE(tokens.take(*event, now));
  }

  SeededRandom random{4};
  Instant now{1000s};
  Peer server{Transport::udp, Address::v4(192, 0, 2, 9, 5683), {}, 0, 0};
  Endpoint endpoint{Parameters{}, Limits{}, random};
  ExtendedTokens tokens;
};

TEST_F(CoapExtendedTokens, AnyAnswerWithTheTokenSaysThatItIsTaken) {
  EXPECT_EQ(tokens.supported(server, 8, now), true);
  EXPECT_EQ(tokens.supported(server, 40, now), std::nullopt);
  const auto request = probe(40);
  EXPECT_EQ(request.type, Type::confirmable);
  EXPECT_EQ(request.code, code::get);
  EXPECT_EQ(request.token.size(), 40U);
  EXPECT_EQ(request.options.size(), 1U);
  EXPECT_TRUE(request.options.has(option::if_none_match));
  answer({Type::acknowledgement, code::precondition_failed, request.message_id, request.token, {}, {}});
  EXPECT_EQ(tokens.supported(server, 40, now), true);
  EXPECT_EQ(tokens.supported(server, 9, now), true);
  EXPECT_EQ(tokens.supported(server, 41, now), std::nullopt);
}

TEST_F(CoapExtendedTokens, AResetAndA400SayThatItIsNot) {
  auto request = probe(40);
  answer({Type::acknowledgement, code::bad_request, request.message_id, request.token, {}, {}});
  EXPECT_EQ(tokens.supported(server, 40, now), false);
  EXPECT_EQ(tokens.supported(server, 20, now), std::nullopt);
  request = probe(20);
  answer({Type::reset, code::empty, request.message_id, {}, {}, {}});
  EXPECT_EQ(tokens.supported(server, 20, now), false);
}

TEST_F(CoapExtendedTokens, SilenceSaysNothing) {
  (void)probe(40);
  while (const auto next = endpoint.next_timeout()) {
    now = *next;
    endpoint.on_timeout(now);
  }
  const auto event = endpoint.next_event(now);
  ASSERT_TRUE(event);
  EXPECT_TRUE(tokens.take(*event, now));
  EXPECT_EQ(tokens.supported(server, 40, now), std::nullopt);
}

TEST_F(CoapExtendedTokens, WhatIsKnownIsForgottenAfterHalfAnHour) {
  const auto request = probe(40);
  answer({Type::acknowledgement, code::content, request.message_id, request.token, {}, {}});
  EXPECT_EQ(tokens.supported(server, 40, now + 1799s), true);
  EXPECT_EQ(tokens.supported(server, 40, now + 1800s), std::nullopt);
}

TEST_F(CoapExtendedTokens, WhatIsNoProbeIsForOthers) {
  ASSERT_TRUE(endpoint.request(server, Request{}, {}, now));
  endpoint.peer_gone(server, Error(reason::coap_not_answered), now);
  EXPECT_FALSE(tokens.take(*endpoint.next_event(now), now));
}

TEST_F(CoapExtendedTokens, OnesOfOurOwnServerAreFoundOut) {
  Endpoint other{Parameters{}, Limits{}, random};
  for (const auto size : {std::uint16_t{64}, std::uint16_t{65}}) {
    const auto request = probe(size);
    other.receive(server, serialize(request), now);
    const auto reply = other.next_datagram();
    ASSERT_TRUE(reply) << "If-None-Match is refused, or the token is";
    answer(parse(reply->datagram, {.token = 1000}).value());
    EXPECT_EQ(tokens.supported(server, size, now), size == 64);
  }
}

}  // namespace
}  // namespace aceward::coap
