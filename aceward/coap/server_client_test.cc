// coap::Server and coap::Client, back to back without a network.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aceward/coap/client.h"
#include "aceward/coap/reasons.h"
#include "aceward/coap/server.h"

namespace aceward::coap {
namespace {

const Address usual_server = Address::v4(192, 0, 2, 1, 5683);
const Address usual_client = Address::v4(192, 0, 2, 77, 40000);

struct UsualStacks : ::testing::Test {
  /// Carries datagrams both ways until there are none.
  void exchange() {
    bool moved = true;
    while (moved) {
      moved = false;
      while (auto out = client.next_datagram()) {
        moved = true;
        if (!lossy) server.receive(usual_client, out->to.remote, out->datagram, now);
      }
      while (auto out = server.next_datagram()) {
        moved = true;
        sources.push_back(out->to.local);
        client.receive(out->to.local, usual_client, out->datagram, now);
      }
    }
  }
  /// Lets time pass, timer by timer, until nothing is due any more or `at_most` is over.
  void wait(std::chrono::seconds at_most) {
    const Instant end = now + at_most;
    for (;;) {
      std::optional<Instant> next = client.next_timeout();
      if (const auto of_server = server.next_timeout()) next = next ? std::min(*next, *of_server) : *of_server;
      if (!next || *next > end) break;
      now = std::max(now, *next);
      client.on_timeout(now);
      server.on_timeout(now);
      exchange();
    }
    now = end;
  }
  Client::Done keep() {
    return [this](Result<Response> outcome) { outcomes.push_back(std::move(outcome)); };
  }

  SeededRandom random{3};
  Server server{random};
  Client client{random};
  Instant now{std::chrono::hours(1)};
  std::vector<Result<Response>> outcomes;
  std::vector<Address> sources;
  bool lossy = false;
};

Response greeting(const RequestArrived& arrived) {
  return make_response(code::content, content_format::text_plain, to_bytes("hello, " + arrived.peer.remote.host()));
}

TEST_F(UsualStacks, AHandlerAnswersAGet) {
  server.on(code::get, "/hello", greeting);
  ASSERT_TRUE(client.get("coap://192.0.2.1/hello", keep(), now));
  exchange();
  ASSERT_EQ(outcomes.size(), 1U);
  ASSERT_TRUE(outcomes[0]);
  EXPECT_EQ(outcomes[0]->code, code::content);
  EXPECT_EQ(as_text(outcomes[0]->payload), "hello, 192.0.2.77");
}

TEST_F(UsualStacks, TheAnswerLeavesFromTheAddressThatWasAsked) {
  server.on(code::get, "/hello", greeting);
  for (const char* uri : {"coap://192.0.2.1/hello", "coap://192.0.2.2/hello", "coap://[2001:db8::1]/hello"}) {
    ASSERT_TRUE(client.get(uri, keep(), now));
    exchange();
  }
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[0], usual_server);
  EXPECT_EQ(sources[1], Address::v4(192, 0, 2, 2, 5683));
  EXPECT_EQ(sources[2], Address::parse("[2001:db8::1]:5683").value());
  EXPECT_EQ(outcomes.size(), 3U);
}

TEST_F(UsualStacks, MethodsOfOnePathHaveHandlersOfTheirOwn) {
  std::string held = "1";
  server.on(code::get, "/value", [&](const RequestArrived&) {
    return make_response(code::content, content_format::text_plain, to_bytes(held));
  });
  server.on(code::put, "/value", [&](const RequestArrived& arrived) {
    held = as_text(arrived.request.payload);
    return make_response(code::changed);
  });
  const Uri uri = parse_uri("coap://192.0.2.1/value").value();
  for (const Code method : {code::put, code::get, code::delete_}) {
    Request request = make_request(method, uri, usual_server).value();
    if (method == code::put) request.payload = to_bytes("2");
    ASSERT_TRUE(client.request(usual_server, std::move(request), keep(), now));
    exchange();
  }
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[0]->code, code::changed);
  EXPECT_EQ(as_text(outcomes[1]->payload), "2");
  EXPECT_EQ(outcomes[2]->code, code::method_not_allowed);
}

TEST_F(UsualStacks, AServerThatIsSilentEndsTheRequestWithAReason) {
  lossy = true;
  ASSERT_TRUE(client.get("coap://192.0.2.1/hello", keep(), now));
  exchange();
  wait(std::chrono::seconds(100));
  ASSERT_EQ(outcomes.size(), 1U);
  ASSERT_FALSE(outcomes[0]);
  EXPECT_EQ(outcomes[0].error(), reason::coap_not_acknowledged);
}

TEST_F(UsualStacks, ALostRequestIsSentAgain) {
  server.on(code::get, "/hello", greeting);
  lossy = true;
  ASSERT_TRUE(client.get("coap://192.0.2.1/hello", keep(), now));
  exchange();
  EXPECT_TRUE(outcomes.empty());
  lossy = false;
  wait(std::chrono::seconds(4));
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_TRUE(outcomes[0]);
}

TEST_F(UsualStacks, ACancelledRequestIsNotAnswered) {
  server.on(code::get, "/hello", greeting);
  const auto id = client.get("coap://192.0.2.1/hello", keep(), now);
  ASSERT_TRUE(id);
  client.cancel(*id);
  exchange();
  wait(std::chrono::seconds(300));
  EXPECT_TRUE(outcomes.empty());
}

TEST_F(UsualStacks, ACallbackMayBeginTheNextRequest) {
  server.on(code::get, "/hello", greeting);
  ASSERT_TRUE(client.get(
      "coap://192.0.2.1/hello",
      [&](Result<Response>) { EXPECT_TRUE(client.get("coap://192.0.2.1/hello", keep(), now)); }, now));
  exchange();
  EXPECT_EQ(outcomes.size(), 1U);
}

TEST_F(UsualStacks, AClientThatIsAskedHasNoResources) {
  Client other(random);
  std::vector<Result<Response>> answers;
  ASSERT_TRUE(other.get("coap://192.0.2.77/x", [&](Result<Response> answer) { answers.push_back(answer); }, now));
  const auto asked = other.next_datagram();
  ASSERT_TRUE(asked);
  client.receive(usual_server, usual_client, asked->datagram, now);
  const auto answered = client.next_datagram();
  ASSERT_TRUE(answered);
  other.receive(Address::v4(192, 0, 2, 77, 5683), usual_server, answered->datagram, now);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0]->code, code::not_found);
}

TEST_F(UsualStacks, LargeBodiesGoAndComeInBlocks) {
  std::string held;
  server.on(code::put, "/large", [&](const RequestArrived& arrived) {
    held = as_text(arrived.request.payload);
    return make_response(code::changed);
  });
  server.on(code::get, "/large", [&](const RequestArrived&) {
    return make_response(code::content, content_format::text_plain, to_bytes(held));
  });
  const std::string text(5000, 'x');
  Request request = make_request(code::put, parse_uri("coap://192.0.2.1/large").value(), usual_server).value();
  request.payload = to_bytes(text);
  ASSERT_TRUE(client.request(usual_server, std::move(request), keep(), now));
  exchange();
  EXPECT_EQ(held, text);
  ASSERT_TRUE(client.get("coap://192.0.2.1/large", keep(), now));
  exchange();
  ASSERT_EQ(outcomes.size(), 2U);
  ASSERT_TRUE(outcomes[0] && outcomes[1]);
  EXPECT_EQ(outcomes[0]->code, code::changed);
  EXPECT_EQ(as_text(outcomes[1]->payload), text);
  EXPECT_EQ(server.blockwise().counters().assembled, 1U);
}

TEST_F(UsualStacks, AnObserverHearsOfEachChangeUntilItStops) {
  int degrees = 20;
  server.on(code::get, "/temperature", [&](const RequestArrived&) {
    return make_response(code::content, content_format::text_plain, to_bytes(std::to_string(degrees)));
  });
  server.observable("/temperature");
  std::vector<std::string> heard;
  const auto uri = parse_uri("coap://192.0.2.1/temperature").value();
  const auto id = client.observe(
      usual_server, make_request(code::get, uri, usual_server).value(),
      [&](Result<Response> state, bool last) {
        heard.push_back(state ? std::string(as_text(state->payload)) : "gone");
        EXPECT_FALSE(last);
      },
      now);
  ASSERT_TRUE(id);
  exchange();
  degrees = 21;
  server.changed("/temperature", now);
  exchange();
  EXPECT_EQ(heard, (std::vector<std::string>{"20", "21"}));
  EXPECT_EQ(server.observations().observers(), 1U);
  client.stop_observing(*id, now);
  exchange();
  EXPECT_EQ(server.observations().observers(), 0U);
  degrees = 22;
  server.changed("/temperature", now);
  exchange();
  EXPECT_EQ(heard.size(), 2U);
}

TEST_F(UsualStacks, TheListOfResourcesIsThere) {
  server.on(code::get, "/hello", greeting);
  ASSERT_TRUE(client.get("coap://192.0.2.1/.well-known/core", keep(), now));
  exchange();
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(as_text(outcomes[0]->payload), "</hello>");
}

TEST_F(UsualStacks, APingIsAnsweredOrNot) {
  std::vector<bool> there;
  const auto note = [&](Result<> outcome) { there.push_back(outcome.has_value()); };
  ASSERT_TRUE(client.ping(usual_server, note, now));
  exchange();
  EXPECT_EQ(there, (std::vector<bool>{true}));
  lossy = true;
  ASSERT_TRUE(client.ping(usual_server, note, now));
  exchange();
  wait(std::chrono::seconds(100));
  EXPECT_EQ(there, (std::vector<bool>{true, false}));
}

TEST_F(UsualStacks, ACacheAnswersWhatIsFresh) {
  Client caching(random, {.cache = CacheLimits{}});
  int asked = 0;
  server.on(code::get, "/hello", [&](const RequestArrived& arrived) {
    ++asked;
    return greeting(arrived);
  });
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(caching.get("coap://192.0.2.1/hello", keep(), now));
    while (auto out = caching.next_datagram()) server.receive(usual_client, out->to.remote, out->datagram, now);
    while (auto out = server.next_datagram()) caching.receive(out->to.local, usual_client, out->datagram, now);
    caching.on_timeout(now);
  }
  EXPECT_EQ(outcomes.size(), 2U);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(caching.cache()->counters().hits, 1U);
  EXPECT_EQ(client.cache(), nullptr);
}

TEST_F(UsualStacks, OnlyPlainUrisWithAddressesAreForIt) {
  EXPECT_EQ(client.get("coaps://192.0.2.1/", keep(), now).error(), reason::uri_not_for_this_client);
  EXPECT_EQ(client.get("coap://example.org/", keep(), now).error(), reason::uri_not_for_this_client);
  EXPECT_EQ(client.get("http://192.0.2.1/", keep(), now).error(), reason::uri_scheme_unknown);
  EXPECT_FALSE(client.next_datagram());
}

}  // namespace
}  // namespace aceward::coap
