// The fixture of the tests of one side of an endpoint.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap {

using namespace std::chrono_literals;

class CoapServer : public ::testing::Test {
 protected:
  explicit CoapServer(const Limits& limits = {}) : endpoint(Parameters{}, limits, random) {}

  void receive(std::string_view hex) { receive_from(client, hex); }
  void receive_from(const Peer& from, std::string_view hex) { endpoint.receive(from, from_hex(hex).value(), now); }
  /// The next datagram in hexadecimal; empty if there is none.
  std::string sent() {
    const auto next = endpoint.next_datagram();
    if (!next) return "";
    last_to = next->to;
    return to_hex(next->datagram);
  }
  std::optional<RequestArrived> arrived() {
    auto event = endpoint.next_event(now);
    if (!event) return std::nullopt;
    return std::get<RequestArrived>(std::move(*event));
  }
  void advance(Instant::duration by) {
    now += by;
    endpoint.on_timeout(now);
  }
  void answer(ExchangeId id, std::string_view text, Reliability reliability = Reliability::automatic) {
    endpoint.respond(id, Response{code::content, {}, to_bytes(text)}, {reliability}, now);
  }

  SeededRandom random{1};
  Instant now{1000s};
  Peer client{Transport::udp, Address::v4(192, 0, 2, 1, 5683), {}, 0, 0};
  Peer last_to;
  Endpoint endpoint;
};

}  // namespace aceward::coap
