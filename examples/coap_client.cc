// A CoAP client with one request: `coap_client coap://HOST[:PORT]/PATH` prints what is there.
#include <iostream>

#include "aceward/net/coap_client.h"
#include "aceward/net/system_random.h"

using namespace aceward;

int main(int argc, char** argv) {
  net::EventLoop loop;
  net::SystemRandom random;
  net::CoapClient client(loop, random);
  const auto answer = client.get(argc > 1 ? argv[1] : "coap://localhost/hello");
  if (!answer) std::cerr << answer.error().reason().what << '\n';
  if (answer) std::cout << as_text(answer->payload) << '\n';
  return answer && answer->code == coap::code::content ? 0 : 1;
}
