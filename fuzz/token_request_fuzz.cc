// A token request of any octets, from an authenticated client, over each kind of channel.
#include <cstdint>
#include <cstdlib>

#include "aceward/ace/as/token_world.h"
#include "aceward/ace/params/names.h"

using namespace aceward;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView octets(data, size);
  // What is read is written and read again as the same message.
  if (const auto request = cbor::parse<ace::TokenRequest>(octets)) {
    const Bytes written = cbor::serialize(*request);
    const auto again = cbor::parse<ace::TokenRequest>(written);
    if (!again || cbor::serialize(*again) != written) std::abort();
  }
  static_cast<void>(ace::to_text(ace::Message::token_request, octets));

  // One world for all inputs; what it has issued is forgotten in between.
  static ace::as::TokenWorld world;
  world.ledger.tokens.clear();
  world.audited.clear();
  for (const auto& client : {world.by_raw_key(), world.by_psk(1)}) {
    const coap::Response response = world.ask(client, world.post(to_bytes(octets)));
    if (response.code == coap::code::created) {
      const auto information = cbor::parse<ace::AccessInformation>(response.payload);
      if (!information) std::abort();
      const auto token = world.open(information->access_token);
      if (!token || !cwt::check_key_protected(*token)) std::abort();
    } else if (response.code.code_class() != 4) {
      std::abort();  // nothing in a request makes it our fault
    } else if (!cbor::parse<ace::ErrorResponse>(response.payload)) {
      std::abort();
    }
  }
  return 0;
}
