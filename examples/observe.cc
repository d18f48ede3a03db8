// A thermometer that can be observed, and who observes it: `observe` alone plays both, and ends after three states.
#include <iostream>

#include "aceward/net/coap_client.h"
#include "aceward/net/coap_server.h"
#include "aceward/net/system_random.h"

using namespace aceward;

int main() {
  net::EventLoop loop;
  net::SystemRandom random;

  net::CoapServer thermometer(loop, random);
  int degrees = 20;
  thermometer.on(coap::code::get, "/temperature", [&](const coap::RequestArrived&) {
    return coap::make_response(coap::code::content, coap::content_format::text_plain,
                               to_bytes(std::to_string(degrees) + " degrees"));
  });
  thermometer.observable("/temperature");
  const Address at = thermometer.listen(Address::v4(127, 0, 0, 1, 0)).value();

  net::CoapClient client(loop, random);
  const auto observed =
      client.observe("coap://" + at.to_string() + "/temperature", [&](const Result<coap::Response>& state, bool last) {
        if (state) std::cout << as_text(state->payload) << '\n';
        if (last || degrees == 22) return loop.stop();
        // The next measurement.
        loop.post([&] {
          ++degrees;
          thermometer.changed("/temperature");
        });
      });
  if (!observed) return 1;
  loop.run();
}
