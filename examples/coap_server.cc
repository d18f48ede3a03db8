// A CoAP server with one resource: `coap_server [ADDRESS:PORT]`, then `coap_client coap://ADDRESS:PORT/hello`.
#include <iostream>

#include "aceward/net/coap_server.h"
#include "aceward/net/system_random.h"

using namespace aceward;

int main(int argc, char** argv) {
  net::EventLoop loop;
  net::SystemRandom random;
  net::CoapServer server(loop, random);
  server.on(coap::code::get, "/hello", [](const coap::RequestArrived&) {
    return coap::make_response(coap::code::content, coap::content_format::text_plain, to_bytes("Hello from Aceward"));
  });
  const auto at = server.listen(Address::parse(argc > 1 ? argv[1] : "[::]:5683").value());
  std::cout << "coap://" << at.value().to_string() << "/hello" << std::endl;
  loop.run();
}
