// The fixture of the tests of requests of our own.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap {

using namespace std::chrono_literals;

class CoapClient : public ::testing::Test {
 protected:
  explicit CoapClient(const Limits& limits = {}) : endpoint(Parameters{}, limits, random) {}

  ExchangeId ask(Delivery delivery = {}, Code method = code::get) {
    Request request{method, {}, {}};
    request.options.add_path("t");
    return endpoint.request(server, std::move(request), delivery, now).value();
  }
  std::optional<Message> sent() {
    const auto next = endpoint.next_datagram();
    if (!next) return std::nullopt;
    return parse(next->datagram).value();
  }
  void receive(const Message& message) { endpoint.receive(server, serialize(message), now); }
  static Message reply(Type type, std::uint16_t message_id, const Token& token, std::string_view text = "v") {
    return {type, code::content, message_id, token, {}, to_bytes(text)};
  }
  std::string next_text() {
    const auto event = endpoint.next_event(now);
    if (!event) return "";
    if (const auto* arrived = std::get_if<ResponseArrived>(&*event)) {
      last = *arrived;
      return std::string(as_text(arrived->response.payload));
    }
    if (const auto* lost = std::get_if<ExchangeGone>(&*event)) return std::string(lost->reason.id());
    return "request";
  }
  void advance(Instant::duration by) {
    now += by;
    endpoint.on_timeout(now);
  }

  SeededRandom random{2};
  Instant now{1000s};
  Peer server{Transport::udp, Address::v4(192, 0, 2, 9, 5683), {}, 0, 0};
  std::optional<ResponseArrived> last;
  Endpoint endpoint;
};

}  // namespace aceward::coap
