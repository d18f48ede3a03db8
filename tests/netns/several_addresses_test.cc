// A reply leaves from the address that was asked, on a host that has several.
#include <gtest/gtest.h>

#include <optional>

#include "aceward/net/coap_client.h"
#include "aceward/net/coap_server.h"
#include "aceward/net/system_random.h"
#include "tests/netns/networks.h"

namespace aceward::netns {
namespace {

constexpr std::chrono::seconds network_patience{20};

struct SeveralAddresses : ::testing::Test {
  static void SetUpTestSuite() { hosts = TwoHosts::make(why_not); }
  static void TearDownTestSuite() { hosts.reset(); }

  void SetUp() override {
    if (!hosts) GTEST_SKIP() << why_not;
    server.on(coap::code::get, "/who", [](const coap::RequestArrived& asked) {
      Address at = asked.peer.local;
      at.scope = 0;  // the server's interface has another number than the client's
      return coap::make_response(coap::code::content, coap::content_format::text_plain, to_bytes(at.host()));
    });
  }

  /// Listens on the server's host; the port is kept in `port`.
  void listen(const Address& wildcard) {
    hosts->on_server([&] {
      const auto bound = server.listen(wildcard);
      ASSERT_TRUE(bound);
      port = bound->port;
    });
  }

  /// Asks at that address. A reply from any other address would not be taken for the answer. What is looked at is that
  /// the socket, too, saw it come from there.
  void expect_answer_from(const char* literal) {
    Address at = Address::parse(literal).value();
    at.port = port;
    if (at.host().starts_with("fe80")) at.scope = hosts->client_interface();
    std::optional<Result<coap::Response>> answer;
    ASSERT_TRUE(client.client().request(
        at, coap::make_request(coap::code::get, coap::parse_uri("coap://server/who").value(), at).value(),
        [&](Result<coap::Response> outcome) { answer = std::move(outcome); }, loop.now()));
    client.wake();
    ASSERT_TRUE(loop.run_until([&] { return answer.has_value(); }, network_patience)) << literal;
    ASSERT_TRUE(*answer) << literal << ": " << answer->error().id();
    EXPECT_EQ(as_text((*answer)->payload), literal);
    EXPECT_EQ(client.client().endpoint().counters().retransmitted, 0U) << literal;
  }

  static inline std::unique_ptr<TwoHosts> hosts;
  static inline std::string why_not;
  net::EventLoop loop;
  net::SystemRandom random;
  net::CoapServer server{loop, random};
  net::CoapClient client{loop, random};
  std::uint16_t port = 0;
};

TEST_F(SeveralAddresses, AnIpv4WildcardRepliesFromTheAddressThatWasAsked) {
  listen(Address::v4(0, 0, 0, 0, 0));
  for (const char* at : {"10.9.0.2", "10.9.0.1", "10.9.1.1", "10.9.0.2"}) expect_answer_from(at);
}

TEST_F(SeveralAddresses, AnIpv6WildcardRepliesFromTheAddressThatWasAsked) {
  listen(Address{});
  for (const char* at : {"2001:db8:9::2", "2001:db8:9::1", "2001:db8:9:1::1", "2001:db8:9::2"}) expect_answer_from(at);
}

TEST_F(SeveralAddresses, LinkLocalAddressesAreToldApartToo) {
  listen(Address{});
  for (const char* at : {"fe80::9:2", "fe80::9:1", "fe80::9:2"}) expect_answer_from(at);
}

TEST_F(SeveralAddresses, ADualWildcardServesIpv4AndIpv6ByTurns) {
  listen(Address{});
  for (const char* at : {"10.9.0.2", "2001:db8:9::2", "10.9.1.1", "fe80::9:1", "10.9.0.1"}) expect_answer_from(at);
}

}  // namespace
}  // namespace aceward::netns
