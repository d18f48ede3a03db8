// CoapServer and CoapClient over real sockets on the loopback.
#include <gtest/gtest.h>

#include <vector>

#include "aceward/coap/reasons.h"
#include "aceward/net/coap_client.h"
#include "aceward/net/coap_server.h"
#include "aceward/net/reasons.h"
#include "aceward/net/system_random.h"

namespace aceward::net {
namespace {

constexpr std::chrono::seconds coap_patience{20};

struct CoapHostTest : ::testing::Test {
  CoapHostTest() {
    server.on(coap::code::get, "/who", [](const coap::RequestArrived& arrived) {
      return coap::make_response(coap::code::content, coap::content_format::text_plain,
                                 to_bytes(arrived.peer.local.host()));
    });
    server.on(coap::code::post, "/echo", [](const coap::RequestArrived& arrived) {
      return coap::make_response(coap::code::changed, coap::content_format::octet_stream, arrived.request.payload);
    });
  }
  /// An answer that never comes is known in seconds.
  static coap::ClientConfig hasty() {
    coap::ClientConfig config;
    config.parameters.ack_timeout = std::chrono::milliseconds(500);
    config.parameters.max_retransmit = 2;
    return config;
  }
  std::string uri(const Address& at, const std::string& path) const { return "coap://" + at.to_string() + path; }

  EventLoop loop;
  SystemRandom random;
  CoapServer server{loop, random};
  CoapClient client{loop, random, hasty()};
};

TEST_F(CoapHostTest, AClientWaitsForItsAnswer) {
  const Address at = server.listen(Address::v4(127, 0, 0, 1, 0)).value();
  const auto answer = client.get(uri(at, "/who"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, coap::code::content);
  EXPECT_EQ(as_text(answer->payload), "127.0.0.1");
  EXPECT_EQ(client.get(uri(at, "/nothing"))->code, coap::code::not_found);
}

TEST_F(CoapHostTest, APayloadGoesAndComes) {
  const Address at = server.listen(Address::v4(127, 0, 0, 1, 0)).value();
  coap::Request request{.method = coap::code::post, .options = {}, .payload = to_bytes("abc")};
  const auto answer = client.ask(uri(at, "/echo"), std::move(request));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, coap::code::changed);
  EXPECT_EQ(as_text(answer->payload), "abc");
}

TEST_F(CoapHostTest, ManyRequestsAtOnce) {
  const Address at = server.listen(Address::v4(127, 0, 0, 1, 0)).value();
  std::vector<Result<coap::Response>> answers;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(client.request(uri(at, "/who"), coap::Request{},
                               [&](Result<coap::Response> answer) { answers.push_back(std::move(answer)); }));
  }
  ASSERT_TRUE(loop.run_until([&] { return answers.size() == 50; }, coap_patience));
  for (const auto& answer : answers) EXPECT_TRUE(answer);
}

TEST_F(CoapHostTest, AWildcardListenerAnswersFromTheAddressThatWasAsked) {
  const Address bound = server.listen(Address::v4(0, 0, 0, 0, 0)).value();
  // The client takes an answer only from the address that it asked; the system would choose 127.0.0.1.
  const auto answer = client.get(uri(Address::v4(127, 0, 0, 9, bound.port), "/who"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(as_text(answer->payload), "127.0.0.9");
}

TEST_F(CoapHostTest, EachListenerAnswersItself) {
  const Address first = server.listen(Address::v4(127, 0, 0, 1, 0)).value();
  const Address second = server.listen(Address::v4(127, 0, 0, 2, 0)).value();
  EXPECT_EQ(as_text(client.get(uri(first, "/who"))->payload), "127.0.0.1");
  EXPECT_EQ(as_text(client.get(uri(second, "/who"))->payload), "127.0.0.2");
  ASSERT_EQ(server.counters().size(), 2U);
  EXPECT_EQ(server.counters()[0].datagrams_out, 1U);
  EXPECT_EQ(server.counters()[1].datagrams_out, 1U);
}

TEST_F(CoapHostTest, OneClientSpeaksBothFamilies) {
  const auto v6 = server.listen(Address::parse("[::1]:0").value());
  if (!v6) GTEST_SKIP() << "this host has no IPv6 loopback";
  const Address v4 = server.listen(Address::v4(127, 0, 0, 1, 0)).value();
  EXPECT_EQ(as_text(client.get(uri(*v6, "/who"))->payload), "::1");
  EXPECT_EQ(as_text(client.get(uri(v4, "/who"))->payload), "127.0.0.1");
}

TEST_F(CoapHostTest, ALateAnswerLeavesWithWake) {
  struct Later final : coap::Resource {
    void handle(coap::ExchangeId id, const coap::Peer&, const coap::Request&, coap::Responder&) override { open = id; }
    std::span<const coap::Code> methods() const override { return allowed; }
    std::array<coap::Code, 1> allowed{coap::code::get};
    coap::ExchangeId open{};
  } later;
  server.server().router().add("/later", later);
  const Address at = server.listen(Address::v4(127, 0, 0, 1, 0)).value();
  std::optional<Result<coap::Response>> answer;
  ASSERT_TRUE(client.request(uri(at, "/later"), coap::Request{},
                             [&](Result<coap::Response> outcome) { answer = std::move(outcome); }));
  ASSERT_TRUE(loop.run_until([&] { return later.open != coap::ExchangeId{}; }, coap_patience));
  server.server().layer().respond(later.open, coap::make_response(coap::code::content, "now"), {}, loop.now());
  server.wake();
  ASSERT_TRUE(loop.run_until([&] { return answer.has_value(); }, coap_patience));
  EXPECT_EQ(as_text((*answer)->payload), "now");
}

TEST_F(CoapHostTest, AnObserverHearsOfAChange) {
  std::string state = "cold";
  server.on(coap::code::get, "/state", [&](const coap::RequestArrived&) {
    return coap::make_response(coap::code::content, coap::content_format::text_plain, to_bytes(state));
  });
  server.observable("/state");
  const Address at = server.listen(Address::v4(127, 0, 0, 1, 0)).value();
  std::vector<std::string> heard;
  const auto id = client.observe(uri(at, "/state"), [&](Result<coap::Response> told, bool) {
    if (told) heard.emplace_back(as_text(told->payload));
  });
  ASSERT_TRUE(id);
  ASSERT_TRUE(loop.run_until([&] { return heard.size() == 1; }, coap_patience));
  state = "warm";
  server.changed("/state");
  ASSERT_TRUE(loop.run_until([&] { return heard.size() == 2; }, coap_patience));
  EXPECT_EQ(heard, (std::vector<std::string>{"cold", "warm"}));
  client.stop_observing(*id);
  EXPECT_TRUE(loop.run_until([&] { return server.server().observations().observers() == 0; }, coap_patience));
}

TEST_F(CoapHostTest, ALargeBodyIsNothingSpecial) {
  const Address at = server.listen(Address::v4(127, 0, 0, 1, 0)).value();
  coap::Request request{.method = coap::code::post, .options = {}, .payload = Bytes(20'000, 7)};
  const auto answer = client.ask(uri(at, "/echo"), std::move(request));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->payload, Bytes(20'000, 7));
}

TEST_F(CoapHostTest, NobodyThereIsAnError) {
  coap::ClientConfig config;
  config.parameters.ack_timeout = std::chrono::milliseconds(1);
  config.parameters.max_retransmit = 1;
  CoapClient impatient(loop, random, config);
  const Address at = server.listen(Address::v4(127, 0, 0, 1, 0)).value();
  // Port 9 of an address on which nobody listens.
  const auto answer = impatient.get(uri(Address::v4(127, 0, 0, 3, 9), "/who"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), reason::coap_not_acknowledged);
  EXPECT_TRUE(client.get(uri(at, "/who")));
}

TEST_F(CoapHostTest, UrisThatAreNotForItAreRefused) {
  EXPECT_EQ(client.get("coaps://127.0.0.1/").error(), reason::uri_not_for_this_client);
  EXPECT_EQ(client.get("http://127.0.0.1/").error(), reason::uri_scheme_unknown);
  EXPECT_EQ(client.get("coap://host.invalid/").error(), reason::host_not_found);
}

TEST(SystemRandom, FillsAllThatItIsGiven) {
  SystemRandom random;
  const Bytes a = random.bytes(1000);
  const Bytes b = random.bytes(1000);
  EXPECT_NE(a, b);
  EXPECT_NE(Bytes(a.end() - 16, a.end()), Bytes(16, 0));
}

}  // namespace
}  // namespace aceward::net
