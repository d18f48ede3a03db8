// The psk_identity of a DTLS handshake, which a stranger writes (RFC 9202 section 3.3.2).
#include <cstdlib>

#include "aceward/ace/profile/dtls/psk_identity.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aceward;
  const BytesView identity(data, size);
  const auto parsed = ace::dtls::parse_psk_identity(identity);
  if (!parsed) {
    if (parsed.error().id() != "psk_identity_malformed") std::abort();
    return 0;
  }
  if (const auto* token = std::get_if<ace::dtls::TokenIdentity>(&*parsed)) {
    if (!equal(token->token, identity)) std::abort();
    return 0;
  }
  const auto again =
      ace::dtls::parse_psk_identity(ace::dtls::serialize_kid_identity(std::get<ace::dtls::KidIdentity>(*parsed).kid));
  if (!again || *again != *parsed) std::abort();
  return 0;
}
