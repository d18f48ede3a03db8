// Both sides of Echo: a server that has not seen the client before, and a client that proves its address (RFC 9175
// sections 2.3 and 2.4).
#include <gtest/gtest.h>

#include <vector>

#include "aceward/base/random.h"
#include "aceward/coap/freshness/freshness.h"
#include "aceward/coap/message/message.h"
#include "aceward/coap/reliability/endpoint.h"
#include "aceward/coap/resource/stored_resource.h"

namespace aceward::coap {
namespace {

struct CoapEchoFlow : ::testing::Test {
  CoapEchoFlow() { router.add("/large", large); }

  /// Carries datagrams until there are none; returns the responses that came up at the client.
  std::vector<Response> exchange() {
    std::vector<Response> responses;
    bool moved = true;
    while (moved) {
      moved = false;
      while (auto out = client.next_datagram()) {
        moved = true;
        requests.push_back(parse(out->datagram).value());
        server.receive(seen(client_address, server_address), out->datagram, now);
        EXPECT_FALSE(router.next_event(now));
      }
      while (auto out = server.next_datagram()) {
        moved = true;
        answers.push_back(out->datagram);
        client.receive(seen(server_address, client_address), out->datagram, now);
      }
      while (auto event = freshness.next_event(now)) {
        auto* arrived = std::get_if<ResponseArrived>(&*event);
        EXPECT_NE(arrived, nullptr);
        if (arrived != nullptr) responses.push_back(std::move(arrived->response));
      }
    }
    return responses;
  }
  static Peer seen(const Address& remote, const Address& local) {
    Peer peer;
    peer.remote = remote;
    peer.local = local;
    return peer;
  }
  void get() {
    Peer to;
    to.remote = server_address;
    Request request;
    request.options.add_path("/large");
    EXPECT_TRUE(freshness.request(to, std::move(request), {}, now));
  }

  const Address server_address = Address::v4(192, 0, 2, 1, 5683);
  const Address client_address = Address::v4(192, 0, 2, 77, 40000);
  Instant now{std::chrono::hours(1)};
  SeededRandom random{9175};
  Endpoint server{{}, {}, random};
  Endpoint client{{}, {}, random};
  Freshness freshness{client};
  Router router{server};
  StoredResource large{content_format::octet_stream, Bytes(1000, 'x')};
  std::vector<Message> requests;
  std::vector<Bytes> answers;
};

TEST_F(CoapEchoFlow, AStrangerProvesItsAddressAndTheUserSeesOneAnswer) {
  get();
  const auto responses = exchange();
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].code, code::content);
  EXPECT_EQ(responses[0].payload.size(), 1000U);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_FALSE(requests[0].options.has(option::echo));
  EXPECT_TRUE(requests[1].options.has(option::echo));
  // A new exchange (section 2.3), with a token and a Message ID of its own.
  EXPECT_NE(requests[0].token, requests[1].token);
  EXPECT_NE(requests[0].message_id, requests[1].message_id);
  EXPECT_LE(answers[0].size(), 136U);
}

TEST_F(CoapEchoFlow, WhoseAddressIsKnownIsNotAskedAgain) {
  get();
  exchange();
  get();
  EXPECT_EQ(exchange().size(), 1U);
  EXPECT_EQ(requests.size(), 3U);
}

}  // namespace
}  // namespace aceward::coap
